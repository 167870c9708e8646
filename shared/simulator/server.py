"""The simulated venues on a socket: one loopback port, spoken to by any client of the real ones."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate

import msgspec
from aiohttp import WSMsgType, web

from shared.clock import SECOND, Clock, ScaledClock, SystemClock
from shared.money import MICROS, Usd
from shared.simulator import control, kalshi_http, odds_http
from shared.simulator.accounts import Account
from shared.simulator.auth import demo_key, private_pem
from shared.simulator.control import ControlApi
from shared.simulator.faults import Faults
from shared.simulator.kalshi_http import KalshiApi
from shared.simulator.kalshi_ws import HEARTBEAT, HEARTBEAT_S, Session
from shared.simulator.limits import Limits
from shared.simulator.odds_http import OddsApi
from shared.simulator.scenario import Scenario
from shared.simulator.web import Reply, Request
from shared.simulator.world import World

DEMO_DEPOSIT = Usd(5_000 * MICROS)
DEMO_CREDITS = 5_000_000
_MAX_BODY = 1 << 20
# How late a frame may be sent that a scenario holds back, in the clock's seconds.
_QUICK_S = 0.1
_MAX_FRAMES = 50_000
_OVERFLOW = msgspec.json.encode({"type": "error", "msg": {"code": 25, "msg": "Subscription buffer overflow"}})


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the servers listen, and a member and a feed key that are ready to use."""

    kalshi_base_url: str
    kalshi_ws_url: str
    odds_base_url: str
    key_id: str
    private_key_pem: str
    odds_api_key: str
    control_url: str
    kalshi: KalshiApi
    odds: OddsApi
    account: Account


@contextlib.asynccontextmanager
async def serve(
    world: World,
    clock: Clock,
    host: str = "127.0.0.1",
    port: int = 0,
    faults: Faults | None = None,
    limits: Limits | None = None,
    scenario: Scenario | None = None,
) -> AsyncIterator[Urls]:
    """Run both venues over ``world`` until the block ends; port 0 picks a free one.

    The world is moved to the clock at every request and once a second of the clock's time in between.
    """
    faults = faults if faults is not None else Faults(world.seed)
    kalshi, odds = KalshiApi(world, clock, faults, limits), OddsApi(world, clock, faults)
    if isinstance(clock, ScaledClock):
        # A request takes real time on its way, which is much of a fast clock's.
        kalshi.keys.skew_ms = int(kalshi.keys.skew_ms * max(1.0, clock.speed))
        kalshi.keys.outside = SystemClock()
    key_id, key = demo_key(world.seed)
    account = kalshi.add_member(key_id, key.public_key(), DEMO_DEPOSIT)
    odds_key = odds_http.demo_odds_key(world.seed)
    odds.add_key(odds_key, DEMO_CREDITS)
    if scenario is not None:
        kalshi.play(scenario)
    app = _app(kalshi, odds, ControlApi(kalshi, key_id), clock)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    pump = asyncio.create_task(_pump(kalshi, clock))
    try:
        address = runner.addresses[0]
        root = f"{address[0]}:{address[1]}"
        yield Urls(
            kalshi_base_url=f"http://{root}{kalshi_http.PREFIX}",
            kalshi_ws_url=f"ws://{root}{kalshi_http.WS_PATH}",
            odds_base_url=f"http://{root}{odds_http.PREFIX}",
            key_id=key_id,
            private_key_pem=private_pem(key),
            odds_api_key=odds_key,
            control_url=f"http://{root}{control.PREFIX}",
            kalshi=kalshi,
            odds=odds,
            account=account,
        )
    finally:
        pump.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pump
        await runner.cleanup()


def _app(kalshi: KalshiApi, odds: OddsApi, control_api: ControlApi, clock: Clock) -> web.Application:
    async def odds_answer(request: Request) -> Reply:
        result = odds.handle(request)
        if odds.faults.latency_s > 0:
            await clock.sleep(odds.faults.latency_s)
        return result

    async def control_answer(request: Request) -> Reply:
        return control_api.handle(request)

    app = web.Application(client_max_size=_MAX_BODY)
    app.router.add_get(kalshi_http.WS_PATH, _stream(kalshi, clock))
    for prefix, handle in (
        (kalshi_http.PREFIX, kalshi.answer),
        (odds_http.PREFIX, odds_answer),
        (control.PREFIX, control_answer),
    ):
        app.router.add_route("*", prefix + "/{rest:.*}", _bridge(handle, clock, kalshi.faults))
    return app


def _bridge(
    handle: Callable[[Request], Awaitable[Reply]], clock: Clock, faults: Faults
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(incoming: web.Request) -> web.Response:
        result = await handle(_request(incoming, await incoming.read()))
        if result.lost and incoming.transport is not None:
            incoming.transport.abort()
        # Clients measure skew by this header: it must tell the simulated time.
        now = (clock.now() + faults.skew) // SECOND
        headers = {**result.headers, "date": formatdate(now, usegmt=True)}
        return web.Response(status=result.status, body=result.body, headers=headers)

    return answer


def _request(incoming: web.Request, body: bytes) -> Request:
    return Request(
        method=incoming.method,
        path=incoming.path,
        query=incoming.query_string,
        headers={name.lower(): value for name, value in incoming.headers.items()},
        body=body,
        peer=incoming.remote or "",
    )


def _stream(kalshi: KalshiApi, clock: Clock) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def talk(incoming: web.Request) -> web.StreamResponse:
        account = kalshi.admit(_request(incoming, b""))
        if isinstance(account, Reply):
            return web.Response(status=account.status, body=account.body, headers=account.headers)
        socket = web.WebSocketResponse(max_msg_size=_MAX_BODY)
        await socket.prepare(incoming)
        await _converse(kalshi, clock, account, socket)
        return socket

    return talk


async def _converse(kalshi: KalshiApi, clock: Clock, account: Account, socket: web.WebSocketResponse) -> None:
    """Carry one session: commands in, frames out, a ping every ten seconds."""
    frames: asyncio.Queue[bytes | None] = asyncio.Queue(_MAX_FRAMES)

    def send(frame: bytes) -> None:
        if frames.full():
            # The consumer is too slow: one last frame says so, then the connection ends.
            while not frames.empty():
                frames.get_nowait()
            frames.put_nowait(_OVERFLOW)
            frames.put_nowait(None)
        else:
            frames.put_nowait(frame)

    session = Session(kalshi, account, send, lambda: send_end(frames))
    tasks = [asyncio.create_task(_write(socket, frames)), asyncio.create_task(_ping(socket, clock))]
    try:
        async for message in socket:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                session.receive(message.data)
    finally:
        session.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def send_end(frames: asyncio.Queue[bytes | None]) -> None:
    """Queue the end of a connection, making room for it."""
    if frames.full():
        frames.get_nowait()
    frames.put_nowait(None)


async def _write(socket: web.WebSocketResponse, frames: asyncio.Queue[bytes | None]) -> None:
    while (frame := await frames.get()) is not None:
        await socket.send_str(frame.decode())
    await socket.close()


async def _ping(socket: web.WebSocketResponse, clock: Clock) -> None:
    while True:
        await clock.sleep(HEARTBEAT_S)
        await socket.ping(HEARTBEAT)


async def _pump(kalshi: KalshiApi, clock: Clock) -> None:
    """Keep the world moving while nobody asks, so that streams speak; a clock that waits for it runs on."""
    while True:
        kalshi.advance()
        if isinstance(clock, ScaledClock):
            clock.beat()
        plan = kalshi.faults.plan
        await clock.sleep(_QUICK_S if plan is not None and plan.delays_frames else 1.0)
