"""The whole system for tests: over simulated venues on sockets, or with no venue that answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from shared.backends.local.history import open_history
from shared.bootstrap import local_system
from shared.cli.run import HANDLERS as HANDLERS
from shared.clock import Instant, ScaledClock, SystemClock
from shared.config import Secret, load
from shared.desks import RunOptions, Venues
from shared.runtime.local import LocalSystem, Parts
from shared.runtime.trading import Pace
from shared.simulator.faults import Faults
from shared.simulator.schedule import Preset
from shared.simulator.server import serve
from shared.simulator.world import World
from shared.terms import Profile
from tests.support.backends import rng

# Games of two minutes that start within half an hour: at 300 times real time one is over in five seconds.
QUICK = Preset(
    counts={"NFL": 2, "NBA": 2, "MLB": 2, "EPL": 1},
    first_start_s=20 * 60,
    span_s=10 * 60,
    length_s=120,
    slate_every_s=None,
    determine_after_s=30,
    combos=3,
)
SPEED = 300.0
_LOOK_S = 0.02
PACE = Pace(
    listing=60,
    odds=60,
    settle=60,
    account=120,
    books=15,
    sweep=30,
    depth=120,
    housekeeping=300,
    lease=1_500,
    trader=75,
    reconcile=300,
    look=75,
)
# Nobody listens on the discard port.
NOWHERE = Venues(
    "http://127.0.0.1:9/trade-api/v2",
    "ws://127.0.0.1:9/trade-api/ws/v2",
    "",
    b"",
    "http://127.0.0.1:9/v4",
    Secret(""),
)


@dataclass(frozen=True)
class Rig:
    """Simulated venues that listen, the clock they share with the system, and their faults."""

    venues: Venues
    clock: ScaledClock
    faults: Faults


@asynccontextmanager
async def simulated(seed: int = 1, speed: float = SPEED) -> AsyncIterator[Rig]:
    """Venues over a small, quick world."""
    start = Instant(time.time_ns() // 1000)
    clock, faults = ScaledClock(start, speed, stride_s=10), Faults(seed)
    async with serve(World(seed, start, QUICK), clock, faults=faults) as urls:
        venues = Venues(
            urls.kalshi_base_url,
            urls.kalshi_ws_url,
            urls.key_id,
            urls.private_key_pem.encode(),
            urls.odds_base_url,
            Secret(urls.odds_api_key),
        )
        yield Rig(venues, clock, faults)


def parts(folder: Path, venues: Venues = NOWHERE, clock: ScaledClock | None = None) -> Parts:
    """All parts of a run in ``folder``, with the demo's wide limits."""
    settings = msgspec.structs.replace(
        load({}, dotenv=None),
        leagues=("nfl", "nba", "mlb", "epl"),
        odds_poll_seconds=PACE.odds,
        max_trades_per_day=10_000,
        max_contracts_per_day=1_000_000,
        max_consecutive_losses=1_000,
    )
    options = RunOptions(PACE, Profile.ANY_EDGE, 1_000_000, max_book_age_s=SPEED, keep_raw=False)
    clock = clock or ScaledClock(SystemClock().now(), SPEED)
    return local_system(settings, venues, folder, clock, options)


def system(made: Parts) -> LocalSystem:
    """A system of these parts."""
    return LocalSystem(made, HANDLERS, rng(0))


async def run_until(running: LocalSystem, done: Callable[[], bool], seconds: float = 120.0) -> None:
    """Run until ``done``, then stop in order; raises what ended the run, or that it never came."""
    task = asyncio.create_task(running.run())
    came = False
    for _ in range(int(seconds / _LOOK_S)):
        await asyncio.wait([task], timeout=_LOOK_S)
        came = done()
        if came or task.done():
            break
    running.stop.set()
    await asyncio.wait_for(task, 20)
    assert came, f"it did not happen in {seconds:g} s"


def history(folder: Path, statement: str, *parameters: object) -> list[dict[str, Any]]:
    """Rows of a query on the history that a run left in ``folder``."""
    kept = open_history(folder, SystemClock())
    try:
        return kept.query(statement, parameters)
    finally:
        kept.close()
