"""How fast each HTTP client asks a loopback server, one at a time and many at once.

Wall time, the median of the rounds. The server answers 200 bytes of JSON from another
process; connections are kept open. ``httpx-aiohttp`` (httpx's interface on aiohttp) is measured if installed.
"""

from __future__ import annotations

import asyncio
import importlib
import multiprocessing
import statistics
import time
from collections.abc import Awaitable, Callable
from multiprocessing.synchronize import Event

import httpx
from aiohttp import web
from aiohttp.test_utils import unused_port

from benchmarks.report import Figure, Line
from shared.venues.http import AiohttpTransport

GROUP = "http"
CONCURRENCY = (1, 50, 200)
BODY = b'{"market":{"ticker":"KXNFLGAME-26SEP28PHICHI-PHI","yes_bid_dollars":"0.4800"}}'.ljust(200)

Get = Callable[[], Awaitable[object]]
Close = Callable[[], Awaitable[None]]


def serve(port: int, ready: Event) -> None:
    """Answer every request with the same body, until the process is ended."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=BODY, content_type="application/json")

    async def main() -> None:
        runner = web.ServerRunner(web.Server(handler))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        ready.set()
        await asyncio.Event().wait()

    asyncio.run(main())


def with_aiohttp(url: str) -> tuple[Get, Close]:
    """The transport the system uses."""
    transport = AiohttpTransport(max_connections=200)
    return lambda: transport.request("GET", url), transport.close


def with_httpx(url: str, transport: httpx.AsyncBaseTransport | None = None) -> tuple[Get, Close]:
    """httpx, with as many connections and as much patience."""
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
    client = httpx.AsyncClient(limits=limits, timeout=60, transport=transport, trust_env=False)
    return lambda: client.get(url), client.aclose


def with_httpx_aiohttp(url: str) -> tuple[Get, Close] | None:
    """httpx's interface on aiohttp's connections, if installed."""
    try:
        module = importlib.import_module("httpx_aiohttp")
    except ImportError:
        return None
    return with_httpx(url, module.AiohttpTransport(limits=httpx.Limits(max_connections=200)))


async def rate(get: Get, concurrency: int, requests: int) -> float:
    """Requests per second with ``concurrency`` workers."""
    left = iter(range(requests))

    async def worker() -> None:
        for _ in left:
            await get()

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return requests / (time.perf_counter() - started)


async def measure(url: str, requests: int, rounds: int) -> dict[str, dict[int, float]]:
    """Median requests per second by client and concurrency; rounds of all clients are interleaved."""
    made = {"aiohttp": with_aiohttp(url), "httpx": with_httpx(url), "httpx-aiohttp": with_httpx_aiohttp(url)}
    clients = {name: client for name, client in made.items() if client is not None}
    seen: dict[str, dict[int, list[float]]] = {name: {n: [] for n in CONCURRENCY} for name in clients}
    for concurrency in CONCURRENCY:
        for get, _ in clients.values():
            await rate(get, concurrency, concurrency * 2)
        for _ in range(rounds):
            for name, (get, _) in clients.items():
                seen[name][concurrency].append(await rate(get, concurrency, requests))
    for _, close in clients.values():
        await close()
    return {name: {n: statistics.median(runs) for n, runs in by.items()} for name, by in seen.items()}


def figures(quick: bool) -> list[Line]:
    """Start the server, measure every client, stop it."""
    port, ready = unused_port(), multiprocessing.Event()
    server = multiprocessing.Process(target=serve, args=(port, ready), daemon=True)
    server.start()
    ready.wait(10)
    try:
        url = f"http://127.0.0.1:{port}/trade-api/v2/markets/KXNFLGAME-26SEP28PHICHI-PHI"
        medians = asyncio.run(measure(url, 400 if quick else 1_000, 3))
    finally:
        server.terminate()
        server.join()
    used = medians["aiohttp"]
    return [
        Figure(
            GROUP,
            f"{name}, {concurrency} at once",
            by[concurrency],
            "requests/s",
            ratio=None if by is used else used[concurrency] / by[concurrency],
            against="aiohttp (used) is",
        )
        for concurrency in CONCURRENCY
        for name, by in medians.items()
    ]
