"""The transport against a real loopback server: what comes back, what is raised, and what is never shown."""

from __future__ import annotations

import asyncio
import gzip
import logging
import ssl
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from shared.errors import ConfigError, MalformedError, OutcomeUnknownError, VenueDownError
from shared.venues import http
from shared.venues.http import AiohttpTransport, place
from tests.support.certificates import self_signed

pytestmark = pytest.mark.e2e

SECRET = "top-secret-key"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    servers: list[TestServer] = []

    async def start(handler: Handler) -> str:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", handler)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        return str(server.make_url("/v4")).rstrip("/")

    yield start
    for server in servers:
        await server.close()


@pytest.fixture
async def transport() -> AsyncIterator[AiohttpTransport]:
    made = AiohttpTransport(max_body_bytes=100_000)
    yield made
    await made.close()


async def _echo(request: web.Request) -> web.Response:
    return web.json_response({"query": request.raw_path, "body": (await request.read()).decode()})


async def test_an_answer_has_status_lower_case_headers_and_body(
    serve: Serve, transport: AiohttpTransport
) -> None:
    async def teapot(request: web.Request) -> web.Response:
        return web.Response(status=418, text="short", headers={"X-Requests-Remaining": "7"})

    response = await transport.request("GET", await serve(teapot))
    assert (response.status, response.headers["x-requests-remaining"], response.body) == (418, "7", b"short")


async def test_repeated_parameters_and_commas_arrive_as_given(
    serve: Serve, transport: AiohttpTransport
) -> None:
    params = [("tickers", "A-1"), ("tickers", "B&2"), ("markets", "h2h,spreads")]
    response = await transport.request("GET", await serve(_echo), params=params)
    assert b"tickers=A-1&tickers=B%262&markets=h2h%2Cspreads" in response.body


async def test_a_body_is_sent_as_it_is(serve: Serve, transport: AiohttpTransport) -> None:
    response = await transport.request("POST", await serve(_echo), body=b'{"count":"1.00"}')
    assert b'{\\"count\\":\\"1.00\\"}' in response.body


async def test_a_gzipped_answer_is_unpacked(serve: Serve, transport: AiohttpTransport) -> None:
    async def packed(request: web.Request) -> web.Response:
        assert request.headers["Accept-Encoding"] == "gzip"
        return web.Response(body=gzip.compress(b"x" * 5000), headers={"Content-Encoding": "gzip"})

    assert (await transport.request("GET", await serve(packed))).body == b"x" * 5000


async def test_an_oversized_answer_is_malformed_even_when_packed_small(
    serve: Serve, transport: AiohttpTransport
) -> None:
    async def bomb(request: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(b"0" * 5_000_000), headers={"Content-Encoding": "gzip"})

    with pytest.raises(MalformedError, match="larger than the limit"):
        await transport.request("GET", await serve(bomb))


async def test_a_redirect_is_not_followed(serve: Serve, transport: AiohttpTransport) -> None:
    async def elsewhere(request: web.Request) -> web.Response:
        raise web.HTTPFound("http://127.0.0.1:1/stolen")

    assert (await transport.request("GET", await serve(elsewhere))).status == 302


async def test_cookies_are_not_kept(serve: Serve, transport: AiohttpTransport) -> None:
    async def cookie(request: web.Request) -> web.Response:
        response = web.Response(text=str(len(request.cookies)))
        response.set_cookie("a", "b")
        return response

    url = await serve(cookie)
    await transport.request("GET", url)
    assert (await transport.request("GET", url)).body == b"0"


async def test_a_refused_connection_means_nothing_was_done_even_for_a_write(
    transport: AiohttpTransport,
) -> None:
    with pytest.raises(VenueDownError, match="no connection"):
        await transport.request("POST", f"http://127.0.0.1:{unused_port()}/orders", body=b"{}")


async def test_a_write_that_gets_no_connection_in_time_was_not_sent(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "_CONNECT_SECONDS", 0.05)
    taken, seen = asyncio.Event(), []

    async def stuck(request: web.Request) -> web.Response:
        seen.append(request.path)
        taken.set()
        await asyncio.Event().wait()
        raise AssertionError

    transport, url = AiohttpTransport(max_connections=1), await serve(stuck)
    first = asyncio.create_task(transport.request("GET", f"{url}/first", seconds=5))
    await taken.wait()
    with pytest.raises(VenueDownError, match="no connection"):
        await transport.request("POST", f"{url}/second", body=b"{}", seconds=5)
    assert seen == ["/v4/first"]
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await transport.close()


async def test_a_read_without_an_answer_in_time_may_be_repeated(
    serve: Serve, transport: AiohttpTransport
) -> None:
    async def never(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(VenueDownError, match="no answer"):
        await transport.request("GET", await serve(never), seconds=0.05)


async def test_a_write_without_an_answer_has_an_unknown_outcome(
    serve: Serve, transport: AiohttpTransport
) -> None:
    async def dropped(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    with pytest.raises(OutcomeUnknownError):
        await transport.request("POST", await serve(dropped), body=b"{}")


def _untrusted(directory: Path) -> ssl.SSLContext:
    """A server context with a certificate nobody has signed."""
    path = directory / "server.pem"
    self_signed(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


async def test_a_server_with_an_untrusted_certificate_is_not_talked_to(
    transport: AiohttpTransport, tmp_path: Path
) -> None:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", _echo)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=_untrusted(tmp_path))
    with pytest.raises(VenueDownError, match="Certificate"):
        await transport.request("POST", str(server.make_url("/orders")), body=b"{}")
    await server.close()


async def test_a_bad_address_is_a_setting_to_mend(transport: AiohttpTransport) -> None:
    with pytest.raises(ConfigError, match="base URL"):
        await transport.request("GET", "not an address")


async def test_no_error_log_or_trace_shows_a_query(
    serve: Serve, transport: AiohttpTransport, caplog: pytest.LogCaptureFixture
) -> None:
    async def never(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    caplog.set_level(logging.DEBUG)
    shown: list[str] = [repr(transport)]
    urls = [f"http://127.0.0.1:{unused_port()}/v4", "http://[bad", "ftp:/x", await serve(never)]
    for url in urls:
        try:
            await transport.request("GET", url, params=[("apiKey", SECRET)], seconds=0.05)
        except Exception as exc:  # noqa: BLE001,RUF100 - every kind of failure is looked at
            shown += [str(exc), repr(exc), "".join(traceback.format_exception(exc)), repr(exc.__context__)]
    assert len(shown) == 1 + 4 * len(urls)
    assert SECRET not in "".join(shown) + caplog.text


def test_a_place_has_no_user_password_query_or_fragment() -> None:
    assert place("https://user:pw@host.example:8443/v4/x?apiKey=1#f") == "host.example:8443/v4/x"
