"""A fill's way from the exchange's stream to our own feed: two processes, one machine, one clock."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

_ORDERS_A_SECOND = 50


async def measured(count: int) -> list[int]:
    """Nanoseconds from a fill's frame being handed to the exchange's socket to our feed having it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.fills", cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        urls = json.loads(await process.stdout.readline())
        seen = await _seen(urls, count)
        process.stdin.write(b"\n")
        await process.stdin.drain()
        sent: dict[str, int] = json.loads(await process.stdout.readline())
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    took = [at - sent[fill] for fill, at in seen.items() if fill in sent]
    assert len(took) >= count, f"{len(took)} fills of {count} were seen by stream"
    return took


async def _seen(urls: dict[str, str], count: int) -> dict[str, int]:
    """Buy until enough fills were heard; when each was."""
    from shared.clock import SystemClock
    from shared.config import Secret
    from shared.desks import Venues, book_stream, kalshi_client
    from shared.money import LOTS, Price, Quantity
    from shared.terms import Side
    from shared.venues.kalshi.account import FillSeen
    from shared.venues.kalshi.events import Listening
    from shared.venues.kalshi.order_wire import OrderTicket, TimeInForce
    from shared.venues.kalshi.private import PrivateFeed
    from shared.venues.kalshi.trading import KalshiTrading

    clock, seen = SystemClock(), dict[str, int]()
    venues = Venues(urls["base"], urls["ws"], urls["key_id"], urls["pem"].encode(), "", Secret(""))
    async with AsyncExitStack() as resources:
        client = kalshi_client(venues, clock, resources, None)
        for shard in (0, 3):
            client.buckets.writes(shard).configure(per_second=10**6, capacity=10**6)
        trading, feed = KalshiTrading(client, clock), PrivateFeed(clock, clock.now())
        stream = book_stream(venues, clock, resources, account=True)
        assert stream is not None
        listening = asyncio.Event()

        def heard(event: Any) -> None:
            if isinstance(event, Listening):
                listening.set()
            if feed.note(event) and isinstance(event, FillSeen):
                seen[event.fill_id] = time.perf_counter_ns()

        running = asyncio.create_task(stream.run(heard))
        await listening.wait()
        market = json.loads(urls["markets"])
        for number in range(20 * count):
            if len(seen) >= count:
                break
            ticker, shard, ask = market[number % len(market)]
            ticket = OrderTicket(
                ticker=ticker,
                exchange_index=shard,
                side=Side.YES,
                price=Price(min(990_000, ask + 50_000)),
                quantity=Quantity(LOTS),
                client_order_id=f"00000000-0000-0000-0000-{number:012d}",
                time_in_force=TimeInForce.IOC,
            )
            placed = await trading.create(ticket)
            if placed.filled:
                await feed.wait_for(placed.order_id, placed.filled)
            await asyncio.sleep(1 / _ORDERS_A_SECOND)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return seen


async def _exchange() -> None:
    """The simulator, which notes when it hands each fill's frame to its socket."""
    from aiohttp import web

    from shared.clock import SystemClock
    from shared.simulator.limits import Limits
    from shared.simulator.schedule import REAL_TIME
    from shared.simulator.server import serve
    from shared.simulator.world import World

    sent: dict[str, int] = {}
    real = web.WebSocketResponse.send_str

    async def send(socket: web.WebSocketResponse, data: str, *rest: Any) -> None:
        if data.startswith('{"type":"fill"'):
            told = json.loads(data)["msg"]
            sent[told.get("fill_id") or told["trade_id"]] = time.perf_counter_ns()
        await real(socket, data, *rest)

    web.WebSocketResponse.send_str = send  # type: ignore[method-assign, assignment]
    clock = SystemClock()
    async with serve(World(1, clock.now(), REAL_TIME), clock, limits=Limits(enforced=False)) as urls:
        markets = [
            (ticker, one.contract.shard, one.quote.ask)
            for ticker, one in urls.kalshi.world.exchange.markets.items()
            if one.is_open
            and one.quote.ask is not None
            and one.quote.ask < 900_000
            and one.event.game is not None
        ]
        said = {
            "base": urls.kalshi_base_url, "ws": urls.kalshi_ws_url, "key_id": urls.key_id,
            "pem": urls.private_key_pem, "markets": json.dumps(markets[:40]),
        }  # fmt: skip
        print(json.dumps(said), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        print(json.dumps(sent), flush=True)


if __name__ == "__main__":
    asyncio.run(_exchange())
