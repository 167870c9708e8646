"""Mapping: 10,000 markets against 2,000 odds events from cold, and a cached look-up.

Run: ``python -m benchmarks.mapping``. Prints medians as JSON.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import combinations, islice

from shared.clock import EASTERN, Instant, from_datetime
from shared.mapping import events, names, parse, tables, ticker, titles
from shared.mapping.cache import MappingCache
from shared.mapping.mapper import map_markets
from shared.messages import MarketListed, OddsEvent
from shared.terms import MarketShape, StrikeType

EVENTS, MARKETS_PER_EVENT = 2_000, 5
_FIRST = datetime(2026, 4, 1, 23, 5, tzinfo=UTC)


def world() -> tuple[list[MarketListed], list[OddsEvent]]:
    """2,000 baseball games, each with a winner market and four totals, texts as the exchange writes them."""
    teams = [team for team in tables.load_teams("mlb") if team.nickname]
    markets: list[MarketListed] = []
    odds: list[OddsEvent] = []
    for number, (away, home) in enumerate(islice(_pairs(teams), EVENTS)):
        start = _FIRST + timedelta(days=number // 435, minutes=number % 15)
        odds.append(
            OddsEvent(
                id=f"{number:032x}",
                sport_key="baseball_mlb",
                starts_at=from_datetime(start),
                home=home.name,
                away=away.name,
            )
        )
        markets += _markets(away, home, start)
    return markets, odds


def _pairs(teams: list[tables.Team]) -> list[tuple[tables.Team, tables.Team]]:
    pairs = list(combinations(teams, 2))  # a pair meets once a day: 435 games
    return pairs * (EVENTS // len(pairs) + 1)


def _markets(away: tables.Team, home: tables.Team, start: datetime) -> list[MarketListed]:
    local = start.astimezone(EASTERN)
    game = f"{local:%y%b%d%H%M}".upper() + away.codes[0] + home.codes[0]
    pair = f"{away.kalshi[0]} vs {home.kalshi[0]}"
    scheduled = (
        f"{pair} professional baseball game originally scheduled for {local:%b} {local.day}, {local:%Y}"
    )
    tail = f" at {local:%I:%M %p} EDT, then the market resolves to Yes.".replace(" 0", " ")
    found = [
        MarketListed(
            observed_at=Instant(0),
            ticker=f"KXMLBGAME-{game}-{away.codes[0]}",
            event_ticker=f"KXMLBGAME-{game}",
            series_ticker="KXMLBGAME",
            shape=MarketShape.BINARY,
            title=f"{away.kalshi[0]} wins",
            yes_sub_title=away.kalshi[0],
            rules_primary=f"If {away.kalshi[0]} wins the {scheduled}{tail}",
            strike_type=StrikeType.STRUCTURED,
        )
    ]
    for runs in range(6, 5 + MARKETS_PER_EVENT):
        claim = (
            f"{away.kalshi[0]} and {home.kalshi[0]} collectively score more {runs}.5 runs in the {scheduled}"
        )
        found.append(
            MarketListed(
                observed_at=Instant(0),
                ticker=f"KXMLBTOTAL-{game}-{runs + 1}",
                event_ticker=f"KXMLBTOTAL-{game}",
                series_ticker="KXMLBTOTAL",
                shape=MarketShape.BINARY,
                title=f"Over {runs}.5 runs scored",
                yes_sub_title=f"Over {runs}.5 runs scored",
                rules_primary=f"If {claim}{tail}",
                strike_type=StrikeType.GREATER,
                floor_strike=runs + 0.5,
            )
        )
    return found


def forget() -> None:
    """Empty every memo, so that the next run is as cold as the first."""
    for module in (events, names, parse, tables, ticker, titles):
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def seconds(work: Callable[[], object], runs: int, before: Callable[[], None] = lambda: None) -> float:
    """Median wall time of ``work``."""
    taken = []
    for _ in range(runs):
        before()
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> dict[str, float]:
    """Measured medians, printed as JSON."""
    markets, odds = world()
    decisions = map_markets(markets, odds)
    cache = MappingCache()
    for market, decision in zip(markets, decisions, strict=True):
        cache.put(market, decision, Instant(0))
    result = {
        "markets": float(len(markets)),
        "events": float(len(odds)),
        "mapped": float(sum(bool(decision.odds_event_id) for decision in decisions)),
        "cold_s": seconds(lambda: map_markets(markets, odds), 5, forget),
        "warm_s": seconds(lambda: map_markets(markets, odds), 5),
        "cached_lookup_us": seconds(lambda: [cache.get(m, Instant(1)) for m in markets], 9)
        / len(markets)
        * 1e6,
    }
    print(json.dumps({name: round(value, 4) for name, value in result.items()}))
    return result


if __name__ == "__main__":
    main()
