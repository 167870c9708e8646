"""GoogleSQL's reference implementation and DuckDB give the same rows, view by view, on one small history."""

from __future__ import annotations

import json
import math
from datetime import date, datetime
from typing import Any

import pytest

from shared.messages import (
    AccountSeen,
    AlertRaised,
    BookSeen,
    CoverageSeen,
    MarketListed,
    Message,
    PositionChanged,
    Quarantined,
    Selection,
    TickSeen,
    TradeSeen,
)
from shared.money import Price, Quantity, Usd
from shared.schema.views import View
from shared.terms import MarketKind, MarketStatus, OrderStatus, Profile, Side
from tests.support.googlesql import Analyser
from tests.support.lake import Lake, all_views, at
from tests.views.make import (
    cents,
    certificate,
    contracts,
    fair,
    fill,
    mapping,
    odds,
    opportunity,
    order,
    quote,
    resolved,
    settled,
    signal,
)
from tests.views.make_props import prop_season
from tests.views.test_operations import coverage, difference, moved, spent
from tests.views.test_props import PLAYER, points

YES, NO = Side.YES, Side.NO
H2H = {"Boston": 1.8, "Miami": 2.1}


def season() -> list[Message]:
    """A little of everything: duplicates, late words, both sides, a scalar, what is open, a game in play."""
    traded = [
        opportunity("opp", "G-1-A", YES, ask=cents(47), fair=fair(0.55, "dk"), net_edge=0.04, all_in=0.5),
        opportunity(
            "no",
            "G-1-A",
            NO,
            ["thin_edge: 1c", "wide: 9c"],
            ask=cents(54),
            fair=fair(0.45, "dk"),
            net_edge=0.01,
            all_in=0.55,
            quantity=contracts(5),
            expected_value=Usd(50_000),
        ),
        opportunity(
            "few",
            "H-1-A",
            YES,
            ["few_books: 2"],
            ask=cents(30),
            fair=fair(0.4, "fd"),
            net_edge=0.08,
            all_in=0.32,
            quantity=contracts(20),
            expected_value=Usd(1_600_000),
            profile=Profile.SCALP,
        ),
        signal("signal-a", "opp", "G-1-A", seconds=1),
        order("a", OrderStatus.PENDING, seconds=2),
        order(
            "a", seconds=3, filled=contracts(10), latency_ns={"decided": 1_500_000, "answered": 90_000_000}
        ),
        order("b", OrderStatus.PENDING, seconds=5, side=NO, expected_edge=0.015),
        order("b", OrderStatus.CANCELED, seconds=6, side=NO, filled=contracts(2.5), expected_edge=0.015),
        order("c", OrderStatus.REJECTED, seconds=7, reasons=("halt: stopped", "balance: short")),
        fill("1", "G-1-A", YES, 46, 6, fee=60_000, seconds=3, order_id="a", signal_id="signal-a"),
        fill("2", "G-1-A", YES, 48.5, 4.01, fee=20_000, seconds=3, order_id="a", signal_id="signal-a"),
        fill("3", "G-1-A", NO, 52, 2.5, fee=10_000, seconds=6, order_id="b", signal_id="signal-b"),
        fill("4", "H-1-A", YES, 40, 3.33, seconds=8, league="NFL", mode="live", profile=Profile.SCALP),
        fill("5", "I-1-A", NO, 20, 7, seconds=9, league="NHL"),
        settled("G-1-A", 333_333, days=1),
        settled("H-1-A", 0),
        resolved("G-2-A"),
        resolved("H-1-A", 0),
    ]
    quoted = [
        mapping("G-1-A"),
        mapping("G-1-A", seconds=1, confidence=0.98),
        mapping("G-2-A", Selection(market="spreads", outcome="Miami", point=3.5), kind=MarketKind.SPREAD),
        mapping(
            "P-1-A",
            Selection(market="player_points", outcome="Over", point=24.5, description=PLAYER),
            kind=MarketKind.PLAYER_PROP,
            certificate=certificate(24.5, PLAYER),
        ),
        mapping("X-1-A", odds_event_id="", certificate=None, reason="no_event: nobody plays", league="NFL"),
        odds(
            quote("dk", H2H, 60),
            quote("fd_uk", {"Boston": 1.9, "Miami": 1.95}, 7_000),
            quote("mgm", H2H, 50, "spreads", {"Boston": -3.5, "Miami": 3.5}),
            points("dk", 1.8, 2.1),
            points("fd", 1.9, None, line=29.5, market="player_points_alternate"),
            seconds=7_001,
        ),
        odds(quote("dk", {"Boston": 1.1, "Miami": 7.0}, 7_300), points("dk", 1.7, 2.2, 60), seconds=7_301),
    ]
    seen = [
        MarketListed(
            observed_at=at(1),
            ticker="G-1-A",
            event_ticker="G-1",
            series_ticker="G",
            status=MarketStatus.ACTIVE,
            yes_ask=cents(47),
            custom_strike={"team": "a"},
        ),
        TickSeen(observed_at=at(1), source_at=at(0.5), ticker="I-1-A", yes_bid=cents(70), yes_ask=cents(75)),
        TradeSeen(
            observed_at=at(2),
            source_at=at(1),
            ticker="I-1-A",
            trade_id="t",
            yes_price=Price(1),
            size=Quantity(1),
        ),
        BookSeen(observed_at=at(2), ticker="I-1-A"),
        PositionChanged(
            observed_at=at(3),
            ticker="G-1-A",
            event_ticker="G-1",
            quantity=contracts(7),
            cost=Usd(1),
            fees=Usd(2),
            realized=Usd(3),
        ),
        AccountSeen(
            observed_at=at(3), mode="paper", cash=Usd(100), portfolio_value=Usd(20), shard_cash={"a": 1}
        ),
        AccountSeen(observed_at=at(3, 1), mode="paper", cash=Usd(90)),
        AlertRaised(observed_at=at(3), source="mapping", code="odd", subject="s", text='say "no"\n'),
        Quarantined(observed_at=at(3), source="odds", reason="no id: 5", sample="{\\}"),
        coverage(0, 10, 2, no_event=8),
        CoverageSeen(
            observed_at=at(9),
            league="NFL",
            game_day="",
            kind=MarketKind.TOTAL,
            markets=0,
            mapped=0,
            certified=0,
        ),
        moved(0, "closed", "open"),
        moved(30, "open", "half_open"),
        moved(31, "half_open", "closed"),
        difference(0, resolved=False),
        difference(45, resolved=True),
        spent("nba", 2, 4),
        spent("nba", None, 0, 9, "503"),
    ]
    return [*traded, *quoted, *seen, *prop_season(), *traded[:6], quoted[0], seen[-1]]


@pytest.fixture(scope="module")
def full() -> Lake:
    lake = Lake()
    lake.tell(*season())
    return lake


@pytest.fixture(scope="module")
def analyser() -> Analyser:
    return Analyser()


# What reads the clock: the evaluator has only the machine's own.
_CLOCKED = "CURRENT_TIMESTAMP()"
VIEWS = [view for view in all_views() if not view.is_staging]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_both_engines_give_the_same_rows(view: View, full: Lake, analyser: Analyser) -> None:
    query = full.googlesql(view.name).replace(_CLOCKED, "TIMESTAMP '2026-11-11 12:00:00+00'")
    theirs = sorted((_plain(row) for row in analyser.evaluate(query)), key=_sortable)
    ours = sorted((_plain(row) for row in full.rows(view.name)), key=_sortable)
    assert ours, "the season has nothing for this view: add what it reads"
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert _same(mine, other), f"DuckDB: {mine}\nGoogleSQL: {other}"


def _plain(value: Any) -> Any:
    """Values as JSON has them: times in seconds, records by name, numbers as numbers."""
    match value:
        case datetime():
            return value.timestamp()
        case date():
            return value.isoformat()
        case dict():
            return {key: _plain(held) for key, held in value.items()}
        case list():
            return [_plain(one) for one in value]
        case str() if _is_time(value):
            return datetime.fromisoformat(value).timestamp()
        case _:
            return value


def _is_time(text: str) -> bool:
    return len(text) >= 20 and text.endswith("Z") and text[10] == "T" and text[:4].isdigit()


def _sortable(row: dict[str, Any]) -> str:
    """By what is exact; what is a fraction may differ in its last digits."""
    exact = {key: value for key, value in row.items() if not isinstance(value, float) or value.is_integer()}
    return json.dumps(
        {key: int(value) if isinstance(value, float) else value for key, value in exact.items()},
        sort_keys=True,
        default=str,
    )


def _same(mine: Any, other: Any) -> bool:
    if isinstance(mine, dict) and isinstance(other, dict):
        return mine.keys() == other.keys() and all(_same(mine[key], other[key]) for key in mine)
    if isinstance(mine, list) and isinstance(other, list):
        return len(mine) == len(other) and all(map(_same, mine, other))
    if isinstance(mine, int | float) and isinstance(other, int | float) and not isinstance(mine, bool):
        return math.isclose(mine, other, rel_tol=1e-12, abs_tol=1e-12)
    return bool(mine == other) or (mine is None and other == []) or (mine == [] and other is None)


EXPRESSIONS = (
    "DIV(7 + 6, 2 + 2)",
    "DIV(-7, 2)",
    "3 * DIV(7, 2)",
    "DIV(7, 2) * 3 + DIV(5, 3)",
    "SAFE_DIVIDE(1 + 2, 4)",
    "SAFE_DIVIDE(1, 0)",
    "MOD(-7, 3)",
    "7 / 2",
    "CAST(ROUND(2.5) AS INT64)",
    "CAST(ROUND(-2.5) AS INT64)",
    "CAST(FLOOR(-0.5) AS INT64)",
    "LEAST(3, 1, 2)",
    "GREATEST(1, NULL)",
    "COALESCE(NULL, 3)",
    "IF(NULL, 1, 2)",
    "NULL IS NOT DISTINCT FROM NULL",
    "1 IN UNNEST([1, 2])",
    "3 NOT IN UNNEST([1, 2])",
    "SPLIT('a: b', ':')[SAFE_OFFSET(0)]",
    "SPLIT('', ':')[SAFE_OFFSET(0)]",
    "SPLIT('a', ':')[SAFE_OFFSET(1)]",
    "CONCAT('a', NULL)",
    "REGEXP_REPLACE('unibet_uk_uk', r'_(uk|fr)$', '')",
    "REPLACE('alternate_spreads', 'alternate_', '')",
    "STARTS_WITH('KXNBA', 'KX')",
    "LN(2.0)",
    "SQRT(2.0)",
    "TIMESTAMP_DIFF(TIMESTAMP '2026-11-10 12:01:00.5+00', TIMESTAMP '2026-11-10 12:00:59.7+00', SECOND)",
    "TIMESTAMP_DIFF(TIMESTAMP '2026-11-10 12:00:00+00', TIMESTAMP '2026-11-10 12:00:01.5+00', SECOND)",
    "TIMESTAMP_DIFF(TIMESTAMP '2026-11-11 11:00:00+00', TIMESTAMP '2026-11-10 12:00:00+00', DAY)",
    "TIMESTAMP_DIFF(TIMESTAMP '2026-11-10 12:00:01+00', TIMESTAMP '2026-11-10 12:00:00+00', MICROSECOND)",
    "EXTRACT(DAYOFWEEK FROM DATE '2026-11-08')",
    "EXTRACT(HOUR FROM TIMESTAMP '2026-11-10 02:30:00+00' AT TIME ZONE 'America/New_York')",
    "CAST(DATE(TIMESTAMP '2026-11-10 02:30:00+00', 'America/New_York') AS STRING)",
    "CAST(DATE(TIMESTAMP '2026-11-10 23:59:59.999999+00') AS STRING)",
    "DATE_DIFF(DATE '2026-11-10', DATE '2026-11-01', DAY)",
    "UNIX_MICROS(TIMESTAMP_SUB(TIMESTAMP '2026-11-10 00:00:00+00', INTERVAL 7 DAY))",
    "UNIX_MICROS(TIMESTAMP_TRUNC(TIMESTAMP '2026-11-10 12:34:56+00', HOUR))",
    "(SELECT ARRAY_AGG(x ORDER BY x DESC LIMIT 2)[OFFSET(1)] FROM UNNEST([1, 3, 2]) AS x)",
    "(SELECT STRING_AGG(x, '/' ORDER BY x) FROM UNNEST(['b', 'a']) AS x)",
    "(SELECT SUM(place) FROM UNNEST(['a', 'b', 'c']) AS x WITH OFFSET AS place WHERE place > 0)",
    "(SELECT COUNT(DISTINCT x) FROM UNNEST([1, 1, NULL]) AS x)",
    "(SELECT SUM(x) FROM UNNEST(ARRAY<INT64>[]) AS x)",
    "(SELECT STDDEV_SAMP(x) FROM UNNEST([1.0, 2.0, 4.0]) AS x)",
    "(SELECT LOGICAL_OR(x > 1) FROM UNNEST([1, 2]) AS x)",
    "(SELECT COUNTIF(x > 1) FROM UNNEST([1, 2, 3]) AS x)",
    "(SELECT COUNTIF(x > 1) FROM UNNEST([CAST(NULL AS INT64)]) AS x)",
    "(SELECT MAX(n) FROM (SELECT COUNTIF(x > 1) OVER () AS n FROM UNNEST([1, 2, 3]) AS x))",
    "ARRAY_LENGTH([1, 2, 3])",
    "CAST(CAST('0.123456789' AS NUMERIC) AS STRING)",
)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_shim_keeps_the_meaning_of(expression: str, full: Lake, analyser: Analyser) -> None:
    ((ours,),) = full.evaluate(f"SELECT {expression} AS x")
    (theirs,) = analyser.evaluate(f"SELECT TO_JSON_STRING(STRUCT({expression} AS x))")
    assert _same(_plain(ours), theirs["x"]), f"DuckDB: {ours}\nGoogleSQL: {theirs['x']}"
