"""Facts about a running system that API, metrics and alerts all ask for."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Protocol

from shared.clock import SECOND, Instant, ScaledClock, age
from shared.runtime.trading import TradingParts

# Ceilings per stage, nanoseconds: a detection cycle 100 ms; from the look to the wire 50 ms, of which the
# decision is a part; an answer with its fills 150 ms later.
_MS = 1_000_000
BUDGET_NS = {
    "book change to decision": 100 * _MS,
    "look to decided": 50 * _MS,
    "look to durable": 50 * _MS,
    "look to answered": 200 * _MS,
}
# A loop that has missed this many polls is silent; on an accelerated clock a poll is over in no time, so
# half a minute of the reader's time must have passed as well.
MISSED_POLLS = 5
_PATIENCE_S = 30.0


class Running(Protocol):
    """A run that trades, whatever else it does."""

    stop: asyncio.Event

    @property
    def parts(self) -> TradingParts:
        """What it is made of."""
        ...

    @property
    def finds_edges(self) -> bool:
        """Whether it lists, maps and prices, or is only told what to trade."""
        ...


def pace_of(parts: TradingParts) -> dict[str, float]:
    """Seconds of the run's clock between the turns of each loop whose silence matters."""
    pace = {"settle": parts.pace.settle, "account": parts.pace.account}
    if parts.mapper is not None:
        pace["listing"] = parts.pace.listing
    return pace if parts.odds is None else pace | {"odds": parts.pace.odds}


def silent(parts: TradingParts, started_at: Instant) -> dict[str, str]:
    """Loops that have missed several polls, each with what it says of itself."""
    clock, stats = parts.clock, parts.stats
    now = clock.now()
    patience = _PATIENCE_S * (clock.speed if isinstance(clock, ScaledClock) else 1.0)
    found = {}
    for loop, seconds in pace_of(parts).items():
        since = age(stats.turns.get(loop, started_at), now)
        longest = max(MISSED_POLLS * seconds, patience) * SECOND
        if since > longest and loop not in stats.exhausted:
            cause = stats.alerts.get(loop, "no answer yet")
            found[loop] = f"nothing for {since // SECOND} s, due every {seconds:g} s: {cause}"
    return found


def books_by_state(parts: TradingParts) -> Counter[str]:
    """How many live books are in each state; ``stale`` ones are live but too old to trade on."""
    now, keeper = parts.clock.now(), parts.floor.keeper
    oldest = parts.floor.detector.board.settings.quotes.max_age
    counts: Counter[str] = Counter()
    for book in keeper.books.values():
        old = book.age(now)
        is_stale = book.state == "live" and old is not None and old > oldest
        counts["halted" if book.ticker in keeper.halted else "stale" if is_stale else book.state.value] += 1
    return counts


def connected(parts: TradingParts) -> bool:
    """Whether the exchange's stream is up."""
    return parts.stream is not None and parts.stream.alive_at is not None


def unready(system: Running, started_at: Instant) -> list[str]:
    """Every reason why an edge found now would not be traded, each ``part: why``; empty when it would."""
    parts = system.parts
    stats, account = parts.stats, parts.executor.account
    halted, waiting = account.halted, account.waiting
    alone = not system.finds_edges
    checks = {
        "stopping: the run is ending": system.stop.is_set(),
        f"execution: {parts.floor.failure!r}": parts.floor.failure is not None,
        f"halted: {halted}": bool(halted),
        f"waiting: {waiting}": bool(waiting),
        "listing: the first one is under way": not alone and "listing" not in stats.turns,
        "odds: no key is set, so nothing can be priced": not alone and parts.odds is None,
        f"odds: {stats.alerts.get('odds', '')}": "odds" in stats.exhausted,
        "stream: no key is set, so there are no live books": parts.stream is None,
        "stream: not connected": parts.stream is not None and not connected(parts),
    }
    late = [f"{loop}: {why}" for loop, why in silent(parts, started_at).items()]
    return [reason for reason, holds in checks.items() if holds] + late
