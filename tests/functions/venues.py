"""The simulated venues in a thread of their own: functions are called, and end, on loops of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from shared import entry, worker
from shared.clock import SystemClock
from shared.simulator.schedule import SMALL
from shared.simulator.server import serve
from shared.simulator.world import World

_READY_S, _ENDED_S = 60, 20


@contextmanager
def simulated_venues() -> Iterator[dict[str, str]]:
    """Settings that point functions at the venues, inside the block; workers begin and end with it."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    stop = asyncio.Event()
    found: dict[str, str] = {}

    async def run() -> None:
        start = SystemClock().now()
        async with serve(World(7, start, replace(SMALL, players=1)), SystemClock()) as urls:
            found.update(
                KALSHI_BASE_URL=urls.kalshi_base_url,
                ODDS_API_BASE_URL=urls.odds_base_url,
                ODDS_API_KEY=urls.odds_api_key,
                ODDS_DAILY_CREDITS="1000",
                PROPS_DAILY_CREDITS="500",
            )
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    assert ready.wait(_READY_S)
    worker._workers.clear()
    yield found
    entry.run(_close())
    loop.call_soon_threadsafe(stop.set)
    thread.join(_ENDED_S)
    loop.close()


async def _close() -> None:
    for held in worker._workers.values():
        await held.close()
    worker._workers.clear()
