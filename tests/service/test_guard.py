"""Who may ask, and what hostile requests get: one server for all of them, which none of them may change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import pytest
import pytest_asyncio

from shared.execution import halt
from shared.service.api import MAX_BODY_BYTES
from shared.service.routes import ROUTES, Route
from tests.service.conftest import BODIES, HALT, TOKEN, Api, code, running_api

CLOSED = [route for route in ROUTES if not route.is_open]

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    async with running_api(tmp_path_factory.mktemp("run")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def api(server: Api) -> AsyncIterator[Api]:
    """Whatever was sent, afterwards trading is as it was and the server lives."""
    yield server
    assert await halt.halted(server.system.parts.documents) == ""
    assert await server.get("/health", headers={}) == (200, {"status": "ok"})


# --- who may ask --------------------------------------------------------------------------------------------


async def test_health_alone_is_open(api: Api) -> None:
    assert await api.get("/health", headers={}) == (200, {"status": "ok"})
    assert [route.path for route in ROUTES if route.is_open] == ["/health"]


@pytest.mark.parametrize("route", CLOSED, ids=lambda route: route.path)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN.upper()}"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": f"Bearer {TOKEN} {TOKEN}"},
        {"Authorization": "Bearer caf\u00e9"},
        {"X-Api-Key": TOKEN},
        {"Cookie": f"token={TOKEN}"},
    ],
    ids=str,
)
async def test_everything_else_is_closed_without_the_exact_token(
    api: Api, route: Route, headers: dict[str, str]
) -> None:
    body = BODIES.get(route.path)
    assert code(await api.ask(route.method, route.path, json=body, headers=headers)) == (401, "unauthorized")


async def test_two_authorization_headers_count_as_none(api: Api) -> None:
    lines = f"Authorization: Bearer {TOKEN}\r\n" * 2
    answer = await api.raw(f"GET /state HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode())
    assert b" 401 " in answer.split(b"\r\n")[0] or b" 400 " in answer.split(b"\r\n")[0]


async def test_the_token_in_the_address_opens_nothing(api: Api) -> None:
    assert code(await api.get(f"/state?token={TOKEN}", headers={})) == (401, "unauthorized")


async def test_the_scheme_may_be_written_in_any_case(api: Api) -> None:
    status, _ = await api.get("/limits", headers={"authorization": f"bEARER {TOKEN}"})
    assert status == 200


async def test_without_the_token_nobody_learns_which_paths_exist(api: Api) -> None:
    assert code(await api.get("/nothing-here", headers={})) == (401, "unauthorized")
    assert code(await api.ask("DELETE", "/state", headers={})) == (401, "unauthorized")


async def test_a_page_that_calls_this_address_by_another_name_is_refused(api: Api) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost@evil", "127.0.0.1:80:80"):
        assert code(await api.get("/health", headers={**api.headers, "Host": host})) == (421, "wrong_host")


async def test_it_listens_on_the_loopback_address_only(api: Api) -> None:
    with pytest.raises(ConnectionRefusedError):
        # Another address of this machine, on which a server bound to all addresses would answer.
        await asyncio.open_connection("127.0.0.2", api.port)


# --- hostile requests ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"halt"',
        b"{}",
        b'{"reason":"x"}',
        b'{"reason":"x","actor":1}',
        b'{"reason":"","actor":"ann"}',
        b'{"reason":"   ","actor":"ann"}',
        b'{"reason":"x","actor":"ann\\n"}',
        b'{"reason":"two\\nlines","actor":"ann"}',
        b'{"reason":"\\u001b[2J","actor":"ann"}',
        b'{"reason":"x","actor":"<script>"}',
        b'{"reason":"x","actor":"ann","extra":1}',
        b'{"reason":"\xff","actor":"ann"}',
        b"[" * 8000,
        b'{"reason":"' + b"x" * 301 + b'","actor":"ann"}',
        b'{"reason":NaN,"actor":"ann"}',
    ],
)
async def test_a_body_that_does_not_fit_is_refused_and_changes_nothing(api: Api, body: bytes) -> None:
    headers = {**api.headers, "Content-Type": "application/json"}
    assert code(await api.ask("POST", "/halt", data=body, headers=headers)) == (400, "malformed")


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_huge_body_is_refused_before_it_is_read(api: Api, chunked: bool) -> None:
    async def pieces() -> Any:
        for _ in range(64):
            yield b"x" * 65_536

    data = pieces() if chunked else b"x" * (MAX_BODY_BYTES + 1)
    headers = {**api.headers, "Content-Type": "application/json"}
    try:
        answer = await api.ask("POST", "/halt", data=data, headers=headers)
    except aiohttp.ClientConnectionError:
        return  # it hung up on us while we were still sending
    assert code(answer) == (413, "too_large")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "json"]
)
async def test_a_body_that_a_web_form_could_send_is_refused(api: Api, kind: str) -> None:
    headers = {**api.headers, "Content-Type": kind}
    answer = await api.ask("POST", "/halt", data=msgspec.json.encode(HALT), headers=headers)
    assert code(answer) == (415, "not_json")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/state"), ("GET", "/halt"), ("HEAD", "/limits"), ("PUT", "/halt"), ("TRACE", "/state")],
)
async def test_another_method_is_refused_with_the_ones_that_work(api: Api, method: str, path: str) -> None:
    url = f"http://127.0.0.1:{api.port}{path}"
    async with api.session.request(method, url, headers=api.headers) as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == ("POST" if path == "/halt" else "GET")


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=501",
        "limit=1e9",
        "limit=",
        "limit=1&limit=2",
        "status=open'--",
        "x=1",
        "limit=١",
    ],
)
async def test_a_query_that_does_not_fit_is_refused(api: Api, query: str) -> None:
    assert code(await api.get(f"/orders?{query}")) == (400, "malformed")


@pytest.mark.parametrize(
    "path",
    [
        "/health/../state",
        "//state",
        "/state/",
        "/./state",
        "/%2e%2e/state",
        "/health%2f..%2fstate",
        "/health;/state",
        "/STATE",
        "/health%00",
        "/health%0d%0aX-Bad:1",
        "*",
    ],
)
async def test_a_path_trick_opens_nothing(api: Api, path: str) -> None:
    answer = await api.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    head = answer.split(b"\r\n\r\n")[0]
    assert head.split(b" ")[1] in {b"401", b"400"}
    assert b"\nX-Bad" not in head


@pytest.mark.parametrize(
    "data",
    [
        b"junk\r\n\r\n",
        b"GET /health HTTP/1.1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"POST /halt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /halt HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /halt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0",
        b"GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n",
        bytes(range(256)) * 8,
    ],
)
async def test_broken_http_is_refused_without_a_traceback_and_the_server_lives(api: Api, data: bytes) -> None:
    answer = await api.raw(data)
    assert answer.split(b" ")[1:2] in ([b"400"], [b"401"], [b"415"], [b"421"], [])
    assert b"Traceback" not in answer
    assert TOKEN.encode() not in answer


async def test_every_answer_carries_the_headers_that_keep_browsers_out(api: Api) -> None:
    for path, headers in (
        ("/health", {}),
        ("/state", {}),
        ("/nothing", api.headers),
        ("/state", api.headers),
    ):
        async with api.session.get(f"http://127.0.0.1:{api.port}{path}", headers=headers) as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Server"] == "arb"
            assert "Access-Control-Allow-Origin" not in answer.headers
