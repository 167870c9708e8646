"""The one seam to HTTP: a small ``Transport`` protocol, and the implementation on aiohttp.

A key may travel in a URL (the sportsbook feed knows no other way), so no URL with a query ever reaches an
exception, a log line or a ``repr`` from here: errors name method, host and path only, and the library's own
exceptions, which carry URLs, are never chained. Redirects are not followed: they would carry signed headers
to another host.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode, urlsplit

import aiohttp
from yarl import URL

from shared.errors import ArbError, ConfigError, MalformedError, OutcomeUnknownError, VenueDownError

# A page of 1,000 markets is 2.1 MB and the whole series list 2.3 MB.
MAX_BODY_BYTES = 64 * 1024 * 1024
_CONNECT_SECONDS = 5.0
# Longer than the slowest poll, so that the next request finds its connection open.
_KEEP_ALIVE_SECONDS = 120.0

Params = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Response:
    """What came back. Header names are lower case; the body is decompressed."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Transport(Protocol):
    """Sends one request and returns its answer, whatever the status."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Params = (),
        body: bytes | None = None,
        seconds: float = 10.0,
    ) -> Response:
        """The answer to one request; it must all happen within ``seconds``.

        Raises :class:`VenueDownError` when nothing was done, :class:`OutcomeUnknownError` when a request
        that is not a GET may have been executed, :class:`MalformedError` for an oversized answer.
        """
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


class AiohttpTransport:
    """One session, connections kept open, gzip accepted, cookies and environment ignored."""

    def __init__(self, *, max_connections: int = 50, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._max_connections = max_connections
        self._max_body_bytes = max_body_bytes
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Params = (),
        body: bytes | None = None,
        seconds: float = 10.0,
    ) -> Response:
        """See :class:`Transport`."""
        address = f"{url}?{urlencode(params)}" if params else url
        # Waiting for a free connection and asking for the address count too: an order is stale by then.
        limit = aiohttp.ClientTimeout(total=seconds, connect=_CONNECT_SECONDS, sock_connect=_CONNECT_SECONDS)
        try:
            async with self._open().request(
                method,
                URL(address, encoded=True),
                headers=headers,
                data=body,
                timeout=limit,
                allow_redirects=False,
            ) as answer:
                content = await self._read(answer)
                found = {name.lower(): value for name, value in answer.headers.items()}
                return Response(answer.status, found, content)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, _TooLargeError) as exc:
            error = _error_of(exc, method, url)
        raise error

    async def close(self) -> None:
        """Close all connections; a later request opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._max_connections, keepalive_timeout=_KEEP_ALIVE_SECONDS
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept": "application/json", "Accept-Encoding": "gzip"},
                trust_env=False,
            )
        return self._session

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in answer.content.iter_any():
            size += len(chunk)
            if size > self._max_body_bytes:
                answer.close()
                raise _TooLargeError
            chunks.append(chunk)
        return b"".join(chunks)


class _TooLargeError(Exception):
    """The answer passed the size cap."""


def _error_of(exc: Exception, method: str, url: str) -> ArbError:
    """Our error for a failed request. Only the library's class name is repeated, never its text."""
    where = f"{method} {place(url)}"
    # First, because a certificate that is not trusted is a ValueError too.
    if isinstance(exc, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)):
        return VenueDownError(f"{where}: no connection ({type(exc).__name__})")
    if isinstance(exc, ValueError):
        return ConfigError(f"{where}: this is not an address; check the base URL in the settings")
    if method != "GET":
        return OutcomeUnknownError(f"{where}: no answer ({type(exc).__name__}); it may have been executed")
    if isinstance(exc, _TooLargeError):
        return MalformedError(f"{where}: the answer is larger than the limit")
    return VenueDownError(f"{where}: no answer ({type(exc).__name__})")


def place(url: str) -> str:
    """Host and path of a URL, without user, password, query or fragment: safe to show."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "<address>"
    return f"{parts.hostname or ''}{port}{parts.path}"
