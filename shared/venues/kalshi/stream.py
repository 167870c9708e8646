"""Keeps the exchange's stream alive: connects, signs, feeds the protocol, answers pings, reconnects.

The exchange pings every 10 s and never says anything else on a quiet market, so silence of any kind for 25 s
means the line is dead. Handlers are called in the task that reads the socket: nothing stands between a frame
and the book, and a slow handler slows the reading (the exchange then ends the subscription with error 25).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp

from shared.clock import SECOND, Clock, Instant
from shared.errors import ArbError, CredentialsError, VenueDownError
from shared.venues.http import place
from shared.venues.kalshi.events import StreamEvent
from shared.venues.kalshi.protocol import Output, StreamProtocol
from shared.venues.kalshi.sign import Signer

Handler = Callable[[StreamEvent], None]

# Snapshots of deep books are large; the exchange allows itself 64 MiB a message.
_MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_SILENCE = 25 * SECOND
_CHECK_SECONDS = 2.0
_CONNECT_SECONDS = 10.0
_CLOSE_SECONDS = 1.0
_FIRST_WAIT_S = 0.25
_LONGEST_WAIT_S = 30.0


class Socket(Protocol):
    """An open connection, as the stream needs it."""

    async def receive(self) -> bytes | str | None:
        """The next text frame, ``b""`` for a ping (already answered), ``None`` when the line is closed."""
        ...

    async def send(self, data: bytes) -> None:
        """Send one text frame."""
        ...

    async def close(self) -> None:
        """Close the line; a pending :meth:`receive` returns ``None``."""
        ...


Connect = Callable[[], Awaitable[Socket]]


class KalshiStream:
    """The live stream for a changing set of markets. One task calls :meth:`run` until it is cancelled."""

    def __init__(
        self,
        connect: Connect,
        clock: Clock,
        jitter: Callable[[], float],
        protocol: StreamProtocol | None = None,
    ) -> None:
        """``jitter`` gives numbers in [0, 1) and spreads reconnects."""
        self._connect, self._clock, self._jitter = connect, clock, jitter
        self.protocol = protocol or StreamProtocol()
        self._socket: Socket | None = None
        self._heard_at = clock.now()
        self._was_answered = False

    async def run(self, handle: Handler) -> None:
        """Stay connected and call ``handle`` with every event, in order.

        Raises :class:`CredentialsError` when the exchange refuses the key: trying again would not help.
        """
        failures = 0
        while True:
            try:
                socket = await self._connect()
            except CredentialsError:
                raise
            except ArbError as exc:
                reason = str(exc)
            else:
                reason = await self._serve(socket, handle)
                failures = 0 if self._was_answered else failures
            failures += 1
            for event in self.protocol.disconnected(reason, self._clock.now()).events:
                handle(event)
            await self._clock.sleep(self._wait(failures))

    @property
    def alive_at(self) -> Instant | None:
        """When the open connection last said anything, pings included; ``None`` while there is none."""
        return None if self._socket is None else self._heard_at

    async def watch(self, tickers: Iterable[str]) -> None:
        """Add markets; their books follow as snapshots."""
        await self._send(self.protocol.watch(tickers, self._clock.now()))

    async def unwatch(self, tickers: Iterable[str]) -> None:
        """Drop markets."""
        await self._send(self.protocol.unwatch(tickers))

    async def _serve(self, socket: Socket, handle: Handler) -> str:
        """Read one connection until it ends; answers why it ended."""
        self._socket, self._heard_at, self._was_answered = socket, self._clock.now(), False
        watchdog = asyncio.create_task(self._watch_over(socket))
        try:
            await self._apply(self.protocol.connected(self._clock.now()), handle)
            while (data := await socket.receive()) is not None:
                self._heard_at = now = self._clock.now()
                if data:
                    self._was_answered = True
                    await self._apply(self.protocol.received(data, now), handle)
        except VenueDownError as exc:
            return str(exc)
        finally:
            self._socket = None
            watchdog.cancel()
            await asyncio.wait([watchdog])
            await socket.close()
        return "the line was silent" if self._is_silent() else "the line was closed"

    async def _apply(self, out: Output, handle: Handler) -> None:
        for event in out.events:
            handle(event)
        if out.commands:
            await self._send(out)

    async def _send(self, out: Output) -> None:
        socket = self._socket
        if socket is None:
            return
        for command in out.commands:
            await socket.send(command)

    async def _watch_over(self, socket: Socket) -> None:
        """Close the line when it is silent; ask again for what has not come."""
        while not self._is_silent():
            await self._clock.sleep(_CHECK_SECONDS)
            with suppress(VenueDownError):
                await self._send(self.protocol.tick(self._clock.now()))
        await socket.close()

    def _is_silent(self) -> bool:
        """By a clock set back too: a line that died then would not be missed until it comes round again."""
        return abs(self._clock.now() - self._heard_at) >= _SILENCE

    def _wait(self, failures: int) -> float:
        longest = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(failures - 1, 16))
        return longest * (0.5 + 0.5 * self._jitter())


class AiohttpConnect:
    """Opens signed connections with aiohttp."""

    def __init__(self, url: str, signer: Signer, clock: Clock) -> None:
        self._url, self._signer, self._clock = url, signer, clock
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self) -> Socket:
        """A new connection; raises :class:`CredentialsError` for a 401, else :class:`VenueDownError`."""
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                line = await self._session.ws_connect(
                    self._url,
                    headers=self._headers(),
                    autoping=False,
                    max_msg_size=_MAX_MESSAGE_BYTES,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_SECONDS),
                    compress=0,
                )
        except aiohttp.WSServerHandshakeError as exc:
            error = _refused(exc.status, self._url)
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            error = VenueDownError(f"stream {place(self._url)}: no connection ({type(exc).__name__})")
        else:
            return _AiohttpSocket(line)
        raise error

    async def close(self) -> None:
        """Close what is left open."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _headers(self) -> Mapping[str, str]:
        return self._signer.headers("GET", urlsplit(self._url).path, self._clock.now())


def _refused(status: int, url: str) -> ArbError:
    if status == 401:
        return CredentialsError(
            f"stream {place(url)}: 401; check KALSHI_KEY_ID, the private key, this machine's clock, "
            "and that key and KALSHI_WS_URL are of the same environment"
        )
    return VenueDownError(f"stream {place(url)}: {status} at the handshake")


class _AiohttpSocket:
    """aiohttp's connection with pings answered here, so that they count as a sign of life."""

    def __init__(self, line: aiohttp.ClientWebSocketResponse) -> None:
        self._line = line

    async def receive(self) -> bytes | str | None:
        message = await self._line.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            text: str = message.data
            return text
        if message.type is aiohttp.WSMsgType.PING:
            await self._pong(message.data)
            return b""
        return b"" if message.type is aiohttp.WSMsgType.PONG else None

    async def send(self, data: bytes) -> None:
        try:
            await self._line.send_str(data.decode())
        except (aiohttp.ClientError, ConnectionError) as exc:
            raise VenueDownError(f"stream: cannot send ({type(exc).__name__})") from None

    async def close(self) -> None:
        await self._line.close()

    async def _pong(self, payload: bytes) -> None:
        # A line that closes under the answer is noticed by the next receive.
        with suppress(aiohttp.ClientError, ConnectionError):
            await self._line.pong(payload)
