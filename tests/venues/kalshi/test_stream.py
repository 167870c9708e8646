"""The stream's I/O: reconnects, silence, refused keys; once with fakes and virtual time, once for real."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ed25519

from shared.clock import HOUR, Instant, ManualClock, SystemClock
from shared.errors import CredentialsError, VenueDownError
from shared.venues.kalshi.events import BookSnapshot, Connected, Disconnected, StreamEvent
from shared.venues.kalshi.protocol import StreamProtocol
from shared.venues.kalshi.sign import Signer
from shared.venues.kalshi.stream import AiohttpConnect, KalshiStream, Socket

A = "KXA-1"


class FakeSocket:
    """A line whose far end is the test."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[bytes | str | None] = asyncio.Queue()
        self.sent: list[dict[str, object]] = []
        self.closed = False

    async def receive(self) -> bytes | str | None:
        return await self.inbox.get()

    async def send(self, data: bytes) -> None:
        if self.closed:
            raise VenueDownError("closed")
        self.sent.append(json.loads(data))

    async def close(self) -> None:
        self.closed = True
        self.inbox.put_nowait(None)


class Scene:
    """A running stream on virtual time, with every connection it opened."""

    def __init__(self, *failures: Exception) -> None:
        self.clock = ManualClock(Instant(10**15))
        self.failures = list(failures)
        self.sockets: list[FakeSocket] = []
        self.events: list[StreamEvent] = []
        self.stream = KalshiStream(
            self._connect, self.clock, lambda: 0.0, StreamProtocol([A], lifecycle=False)
        )
        self.task = asyncio.create_task(self.stream.run(self.events.append))

    async def _connect(self) -> Socket:
        if self.failures:
            raise self.failures.pop(0)
        self.sockets.append(FakeSocket())
        return self.sockets[-1]

    async def settle(self, seconds: float = 0.0) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        for _ in range(int(seconds)):
            await self.clock.advance(1)
            for _ in range(5):
                await asyncio.sleep(0)

    @property
    def kinds(self) -> list[type]:
        return [type(event) for event in self.events]

    async def end(self) -> None:
        self.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.task


async def test_a_lost_line_is_told_and_opened_anew_with_all_subscriptions() -> None:
    scene = Scene()
    await scene.settle()
    scene.sockets[0].inbox.put_nowait(None)
    await scene.settle(1)
    assert scene.kinds == [Connected, Disconnected, Connected]
    assert len(scene.sockets[1].sent) == 3
    await scene.end()


async def test_a_silent_line_is_given_up_after_25_seconds() -> None:
    scene = Scene()
    await scene.settle(24)
    assert scene.kinds == [Connected]
    await scene.settle(4)
    assert scene.kinds[:3] == [Connected, Disconnected, Connected]
    assert isinstance(scene.events[1], Disconnected)
    assert scene.events[1].reason == "the line was silent"
    await scene.end()


async def test_a_silent_line_is_given_up_when_the_clock_was_set_back() -> None:
    scene = Scene()
    await scene.settle(1)
    scene.clock.set(Instant(scene.clock.now() - HOUR))
    assert scene.stream._is_silent()
    await scene.end()


async def test_pings_alone_keep_a_quiet_line() -> None:
    scene = Scene()
    for _ in range(10):
        await scene.settle(10)
        scene.sockets[0].inbox.put_nowait(b"")
    assert scene.kinds == [Connected]
    await scene.end()


async def test_waits_between_failed_connections_grow() -> None:
    scene = Scene(*[VenueDownError("down")] * 6)
    await scene.settle()
    moments: list[int] = []
    while not scene.sockets:
        before = len(scene.events)
        await scene.clock.advance(0.125)
        await asyncio.sleep(0)
        if len(scene.events) > before:
            moments.append(scene.clock.now())
    gaps = [b - a for a, b in itertools.pairwise(moments)]
    assert gaps == sorted(gaps)
    assert gaps[-1] >= 4 * gaps[0]
    await scene.end()


async def test_a_refused_key_ends_the_stream_with_the_reason() -> None:
    scene = Scene(CredentialsError("401"))
    await scene.settle()
    with pytest.raises(CredentialsError):
        await scene.task


async def test_markets_are_added_on_the_open_line() -> None:
    scene = Scene()
    await scene.settle()
    await scene.stream.watch(["KXB-1"])
    assert scene.sockets[0].sent[-1]["params"] == {"channels": ["trade"], "market_tickers": ["KXB-1"]}
    await scene.stream.unwatch(["KXB-1"])
    await scene.end()


async def test_a_missing_snapshot_is_asked_for_again() -> None:
    scene = Scene()
    await scene.settle()
    line = scene.sockets[0]
    answer = {"type": "subscribed", "id": 1, "msg": {"channel": "orderbook_delta", "sid": 7}}
    line.inbox.put_nowait(json.dumps(answer))
    await scene.settle(13)
    assert "get_snapshot" in {str(c["params"].get("action")) for c in line.sent}  # type: ignore[attr-defined]
    await scene.end()


async def test_an_error_of_the_handler_is_not_swallowed() -> None:
    def broken(event: StreamEvent) -> None:
        raise ZeroDivisionError

    scene = Scene()
    await scene.end()
    task = asyncio.create_task(scene.stream.run(broken))
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(task, 1)


# --- for real ---------------------------------------------------------------------------------------------

Far = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def _served(handler: Far) -> TestServer:
    app = web.Application()
    app.router.add_get("/trade-api/ws/v2", handler)
    server = TestServer(app)
    await server.start_server()
    return server


def _connect(server: TestServer) -> AiohttpConnect:
    url = str(server.make_url("/trade-api/ws/v2")).replace("http", "ws", 1)
    return AiohttpConnect(url, Signer("the-key-id", ed25519.Ed25519PrivateKey.generate()), SystemClock())


@pytest.mark.e2e
async def test_a_real_line_is_signed_answers_pings_and_brings_a_book() -> None:
    ponged = asyncio.Event()
    seen: dict[str, str] = {}

    async def far(request: web.Request) -> web.StreamResponse:
        seen.update(request.headers)
        line = web.WebSocketResponse(autoping=False)
        await line.prepare(request)
        await line.ping(b"heartbeat")
        async for message in line:
            if message.type is WSMsgType.PONG and message.data == b"heartbeat":
                ponged.set()
            elif message.type is WSMsgType.TEXT and "orderbook_delta" in message.data:
                await line.send_json(
                    {"type": "subscribed", "id": 1, "msg": {"channel": "orderbook_delta", "sid": 1}}
                )
                book = {"market_ticker": A, "yes_dollars_fp": [["0.4700", "3.00"]]}
                await line.send_json({"type": "orderbook_snapshot", "sid": 1, "seq": 1, "msg": book})
        return line

    server = await _served(far)
    connect = _connect(server)
    got = asyncio.Event()

    def handle(event: StreamEvent) -> None:
        if isinstance(event, BookSnapshot):
            got.set()

    stream = KalshiStream(connect, SystemClock(), lambda: 0.0, StreamProtocol([A]))
    task = asyncio.create_task(stream.run(handle))
    async with asyncio.timeout(5):
        await got.wait()
        await ponged.wait()
    assert seen["KALSHI-ACCESS-KEY"] == "the-key-id"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await connect.close()
    await server.close()


@pytest.mark.e2e
async def test_a_401_at_the_handshake_is_a_matter_of_credentials() -> None:
    async def far(request: web.Request) -> web.StreamResponse:
        return web.Response(status=401)

    server = await _served(far)
    connect = _connect(server)
    with pytest.raises(CredentialsError, match="KALSHI_KEY_ID") as caught:
        await connect()
    assert "the-key-id" not in str(caught.value)
    await connect.close()
    await server.close()
    with pytest.raises(VenueDownError, match="no connection"):
        await connect()
    await connect.close()
