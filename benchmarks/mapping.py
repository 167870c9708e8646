"""Mapping: 10,000 markets against 2,000 odds events from cold, and a cached look-up."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations, islice

from benchmarks.report import Figure, Goal, Line
from benchmarks.timing import median_s
from shared.clock import EASTERN, Instant, from_datetime
from shared.mapping import events, names, parse, sides, tables, ticker, titles
from shared.mapping.cache import MappingCache
from shared.mapping.mapper import map_markets
from shared.messages import MappingDecided, MarketListed, OddsEvent
from shared.terms import MarketShape, StrikeType

GROUP = "mapping"
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
    for module in (events, names, parse, sides, tables, ticker, titles):
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def figures(quick: bool) -> list[Line]:
    """Cold, warm and cached, beside plain text similarity over the same markets and events."""
    markets, odds = world()
    decisions = map_markets(markets, odds)
    assert sum(bool(decision.odds_event_id) for decision in decisions) == len(markets)
    decided = list(zip(markets, decisions, strict=True))
    cache = _cache(decided)
    runs = 3 if quick else 5
    cold = median_s(lambda: map_markets(markets, odds), runs, forget)
    warm = median_s(lambda: map_markets(markets, odds), runs)
    cached = median_s(lambda: [cache.get(m, Instant(1)) for m in markets], 9) / len(markets)
    block = f"{len(markets):,} markets x {len(odds):,} events"
    fuzzy = _similarity_s(len(markets), odds, 100 if quick else 400)
    return [
        Figure(GROUP, f"{block}, cold", cold, "s", goal=Goal("figure", 1.0)),
        Figure(GROUP, f"{block}, texts read before", warm, "s"),
        Figure(GROUP, "a decision from the cache", cached * 1e6, "us", goal=Goal("figure", 2.0)),
        Figure(GROUP, f"memory held after {block}, cold", _memory(lambda: map_markets(markets, odds)), "MB"),
        Figure(
            GROUP, f"memory of a cache of {len(cache):,} decisions", _memory(lambda: _cache(decided)), "MB"
        ),
        Figure(
            GROUP, "rapidfuzz WRatio, same block", fuzzy, "s", ratio=fuzzy / cold, against="ours, cold, is"
        ),
    ]


def _cache(decided: Sequence[tuple[MarketListed, MappingDecided]]) -> MappingCache:
    cache = MappingCache()
    for market, decision in decided:
        cache.put(market, decision, Instant(0))
    return cache


def _memory(work: Callable[[], object]) -> float:
    """Megabytes that the result of ``work`` and the memos it filled hold, from cold."""
    forget()
    gc.collect()
    tracemalloc.start()
    held = work()
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del held
    return size / 1e6


def _similarity_s(markets: int, odds: list[OddsEvent], sample: int) -> float:
    """Seconds to score ``markets`` short titles against every event, from a sample: the cost is linear."""
    from rapidfuzz import fuzz, process

    names = [f"{event.away} at {event.home}" for event in odds]
    texts = [f"{event.away} vs {event.home}" for event in odds[:sample]]
    took = median_s(lambda: process.cdist(texts, names, scorer=fuzz.WRatio, workers=1), 3)
    return took * markets / sample
