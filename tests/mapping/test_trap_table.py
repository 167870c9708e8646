"""Two hundred and more adversarial pairs, each with its honest neighbour where there is one.

``traps.csv`` is the table: a market, an event a careless mapper would take for its own, and the event that
really is. The patterns are those of wrong matches seen in recordings.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from shared.clock import eastern_day
from shared.mapping.mapper import map_markets
from shared.messages import MarketListed, OddsEvent
from tests.mapping.build import listed, odds

Row = dict[str, str]


def rows() -> list[Row]:
    """The table, one dictionary a row."""
    with Path(__file__).with_name("traps.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def market_of(row: Row) -> MarketListed:
    return listed(row["ticker"], title=row["title"])


def trap_of(row: Row) -> OddsEvent:
    return odds(row["sport_key"], row["away"], row["home"], row["start"], "trap")


def honest_of(row: Row) -> OddsEvent | None:
    if not row["honest_away"]:
        return None
    return odds(
        row["honest_sport_key"], row["honest_away"], row["honest_home"], row["honest_start"], "honest"
    )


ROWS = rows()
HONEST = [row for row in ROWS if row["honest_away"]]


def names(chosen: list[Row]) -> list[str]:
    return [f"{row['pattern']}: {row['ticker']} v {row['away']}" for row in chosen]


def test_there_are_at_least_two_hundred_traps_of_thirty_patterns() -> None:
    assert len({tuple(row.values()) for row in ROWS}) == len(ROWS) >= 200
    assert len(Counter(row["pattern"] for row in ROWS)) >= 30


@pytest.mark.parametrize("row", ROWS, ids=names(ROWS))
def test_a_trap_is_refused_with_a_reason(row: Row) -> None:
    decision = map_markets([market_of(row)], [trap_of(row)])[0]
    assert decision.odds_event_id == ""
    assert decision.certificate is None
    assert decision.reason


@pytest.mark.parametrize("row", HONEST, ids=names(HONEST))
def test_the_honest_neighbour_is_mapped(row: Row) -> None:
    honest = honest_of(row)
    assert honest is not None
    decision = map_markets([market_of(row)], [honest])[0]
    assert decision.odds_event_id == "honest", decision.reason


def test_beside_the_honest_event_no_trap_is_taken() -> None:
    taken = Counter(
        map_markets([market_of(row)], [trap_of(row), honest])[0].odds_event_id
        for row in HONEST
        if (honest := honest_of(row)) is not None
    )
    assert taken["trap"] == 0
    assert taken["honest"] >= 0.9 * len(HONEST)


def game_of(sport_key: str, event: OddsEvent) -> tuple[str, str, str, str]:
    assert event.starts_at is not None
    return (sport_key, event.away, event.home, eastern_day(event.starts_at))


def test_all_traps_in_one_feed_take_no_market() -> None:
    """One row's trap may be another row's honest game: only games that are nobody's are decoys."""
    honest = [(row["honest_sport_key"], honest_of(row)) for row in HONEST]
    real = {game_of(sport_key, event) for sport_key, event in honest if event is not None}
    decoys = [
        msgspec.structs.replace(trap_of(row), id=f"trap {number}")
        for number, row in enumerate(ROWS)
        if game_of(row["sport_key"], trap_of(row)) not in real
    ]
    markets = {row["ticker"]: market_of(row) for row in HONEST}
    wrong = [d for d in map_markets(list(markets.values()), decoys) if d.odds_event_id]
    assert len(decoys) > 200
    assert [(d.ticker, d.reason) for d in wrong] == []
