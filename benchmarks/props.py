"""Player props: a day of 2,000 markets from raw pages to rows and comparisons, and read again."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import msgspec

from benchmarks.report import Figure, Goal, Line
from benchmarks.timing import median_s
from shared.backends.memory.bus import DirectBus
from shared.backends.memory.documents import MemoryDocuments
from shared.clock import HOUR, Instant, ManualClock, format_instant, parse_instant
from shared.mapping.tables import load_teams
from shared.messages import PropsScraped
from shared.pipeline.props_process import PropsProcessor
from shared.pipeline.props_raw import Page
from shared.props.day import DayReader
from shared.props.predict import MarketConsensus
from tests.support.props import MemoryBlobs

GROUP = "props"
MARKETS, GAMES, RUNGS = 2_000, 10, 5
DAY, PREFIX = "2026-11-21", "raw/props/2026-11-21/run"
NOW = Instant(parse_instant("2026-11-21T20:00:00Z") or 0)
START = Instant(NOW + 5 * HOUR)
BOOKS = ("draftkings", "fanduel", "betmgm", "pinnacle", "betrivers", "bovada")
_FIRST = "Al Bo Cy Di Ed Flo Gus Hal Ike Jo Kit Lou Max Ned Ola Pat Ray Sam Ted Uma".split()  # noqa: SIM905
_CLAUSE = "If a player is active but never takes the court, the market settles to a fair price."

Json = dict[str, Any]


def pages() -> dict[str, bytes]:
    """Raw pages of ten NBA games, forty ladders each, and six books' lines on every player."""
    events: list[Json] = []
    slate: list[Json] = []
    bodies: list[tuple[str, Any]] = []
    teams = [team for team in load_teams("nba") if team.kalshi][: 2 * GAMES]
    for number in range(GAMES):
        away, home = teams[2 * number], teams[2 * number + 1]
        game = {
            "id": f"{number:032x}", "sport_key": "basketball_nba", "commence_time": format_instant(START),
            "home_team": home.name, "away_team": away.name,
        }  # fmt: skip
        slate.append(game)
        names = [f"{first} {last}" for first in _FIRST for last in ("Archer", "Baker")]
        event = f"KXNBAPTS-26NOV21{away.codes[0]}{home.codes[0]}"
        pair = f"{away.kalshi[0]} vs {home.kalshi[0]}"
        markets = [
            _market(event, pair, name, home.codes[0], place, 10 + 5 * rung)
            for place, name in enumerate(names)
            for rung in range(RUNGS)
        ]
        events.append({"event_ticker": event, "series_ticker": "KXNBAPTS", "title": pair, "markets": markets})
        bodies.append(
            (f"/v4/sports/basketball_nba/events/{game['id']}/odds", game | {"bookmakers": _lines(names)})
        )
    series = [{"ticker": "KXNBAPTS", "fee_type": "quadratic", "fee_multiplier": 1}]
    bodies += [("/trade-api/v2/series", {"series": series}), ("/trade-api/v2/events", {"events": events})]
    bodies.append(("/v4/sports/basketball_nba/events", slate))
    return {f"{PREFIX}/{number:05d}.json": _page(path, body) for number, (path, body) in enumerate(bodies)}


def _page(path: str, body: Any) -> bytes:
    raw = msgspec.Raw(msgspec.json.encode(body))
    return msgspec.json.encode(Page(captured_at=NOW, path=f"host{path}", body=raw))


def _market(event: str, pair: str, name: str, code: str, place: int, threshold: int) -> Json:
    bid = max(4, 85 - 3 * threshold // 2 - place % 7)
    slug = f"{code}{name[0]}{name.rpartition(' ')[2].upper()}{place}"
    return {
        "ticker": f"{event}-{slug}-{threshold}", "event_ticker": event, "market_type": "binary",
        "status": "active", "title": f"{name}: {threshold}+ points", "yes_sub_title": f"{name}: {threshold}+",
        "rules_primary": f"If {name} records {threshold}+ points in the {pair} Pro Basketball game "
        "originally scheduled for Nov 21, 2026, then the market resolves to Yes.",
        "rules_secondary": _CLAUSE, "strike_type": "structured", "floor_strike": threshold - 0.5,
        "custom_strike": {"basketball_player": slug},
        "yes_bid_dollars": f"0.{bid:02d}00", "yes_bid_size_fp": "150.00",
        "yes_ask_dollars": f"0.{bid + 2:02d}00", "yes_ask_size_fp": "90.00",
    }  # fmt: skip


def _lines(names: list[str]) -> list[Json]:
    outcomes = [
        {"name": side, "description": name, "price": price, "point": 17.5 + place % 5 + 5 * step}
        for place, name in enumerate(names)
        for step, prices in enumerate(((1.9, 1.92), (2.9, 1.42)))
        for side, price in zip(("Over", "Under"), prices, strict=True)
    ]
    market = {"key": "player_points", "last_update": format_instant(NOW), "outcomes": outcomes}
    return [{"key": book, "markets": [market]} for book in BOOKS]


def figures(quick: bool) -> list[Line]:
    """From cold stores, and again over what is remembered."""
    runs, blobs = (2 if quick else 5), MemoryBlobs()
    blobs.held = pages()
    run = PropsScraped(observed_at=NOW, run_id="run", game_date=DAY, prefix=PREFIX, markets=MARKETS)
    reports = []

    def processor() -> PropsProcessor:
        reader = DayReader(MarketConsensus())
        rng = random.Random(1)  # noqa: S311 - jitter of retries
        return PropsProcessor(MemoryDocuments(), blobs, DirectBus(), ManualClock(NOW), rng, reader)

    def cold() -> None:
        reports.append(asyncio.run(processor().process(run)))

    took = median_s(cold, runs)
    assert reports[0].rows_written["kalshi_player_props"] == MARKETS
    kept = processor()
    asyncio.run(kept.process(run))

    def again() -> None:
        reports.append(asyncio.run(kept.process(run)))

    repeated = median_s(again, runs)
    assert set(reports[-1].rows_written.values()) == {0}
    lines = reports[0].rows_in["sportsbook_player_props"]
    what = f"{MARKETS:,} markets and {lines:,} book lines, raw pages to rows"
    return [
        Figure(GROUP, f"{what}, all new", took, "s", goal=Goal("figure", 2.0)),
        Figure(GROUP, f"{what}, nothing new", repeated, "s", goal=Goal("figure", 2.0)),
    ]
