"""Reading recorded odds: every envelope, flattened tables, and files that are damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.clock import Instant, parse_instant
from shared.messages import OddsSeen
from shared.venues.odds_api.recorded import read_odds
from tests.venues.odds_api.test_normalise import EVENT

PRICED = EVENT | {
    "bookmakers": [
        {"key": "b", "last_update": "2026-11-21T06:00:00Z",
         "markets": [{"key": "h2h", "outcomes": [{"name": "Arsenal", "price": 1.5}]}]}
    ]
}  # fmt: skip


def _file(tmp_path: Path, value: Any, name: str = "odds.json") -> Path:
    path = tmp_path / name
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def _quotes(event: OddsSeen) -> set[tuple[str, str, str, float, float | None]]:
    return {
        (q.bookmaker, q.market, o.name, round(o.price, 4), o.point) for q in event.quotes for o in q.outcomes
    }


@pytest.mark.parametrize(
    "page",
    [
        [PRICED],
        PRICED,
        {"timestamp": "2026-11-21T07:00:00Z", "previous_timestamp": None, "data": [PRICED]},
        {"timestamp": "2026-11-21T07:00:00Z", "data": PRICED},
        {"fetched_ms": 5, "payload": [PRICED]},
        {"events": [PRICED]},
        {"committed_at": "2026-11-21T07:00:00+00:00", "event": PRICED},
        {"taken_at": "2026-11-21T07:00:00Z", "kalshi": {"S": []}, "odds": [PRICED]},
    ],
)
def test_an_event_is_found_in_every_envelope(tmp_path: Path, page: Any) -> None:
    result = read_odds(_file(tmp_path, page))
    assert [_quotes(e) for e in result.events] == [{("b", "h2h", "Arsenal", 1.5, None)}]
    assert result.quarantined == []


def test_the_capture_time_goes_before_the_newest_quote(tmp_path: Path) -> None:
    page = {"timestamp": "2026-11-21T07:00:00Z", "data": [PRICED]}
    path = _file(tmp_path, page)
    assert read_odds(path).events[0].observed_at == parse_instant("2026-11-21T07:00:00Z")
    assert read_odds(path, Instant(7)).events[0].observed_at == 7
    alone = read_odds(_file(tmp_path, PRICED)).events[0]
    assert alone.observed_at == parse_instant("2026-11-21T06:00:00Z")


def test_a_bad_event_is_quarantined_and_the_rest_is_read(tmp_path: Path) -> None:
    result = read_odds(
        _file(tmp_path, [PRICED, PRICED | {"commence_time": "soon"}, PRICED | {"bookmakers": 5}])
    )
    assert (len(result.events), len(result.quarantined)) == (1, 2)
    assert all(q.reason.startswith("odds.json: ") for q in result.quarantined)


def test_a_table_with_one_price_a_row_is_gathered_by_event(tmp_path: Path) -> None:
    text = (
        "event_id,sport_key,commence_time,home_team,away_team,snapshot_time,bookmaker_key,market,"
        "outcome_name,price,point\n"
        "e1,s,2026-04-17T09:20:00Z,H,A,2026-04-16T18:59:52+00:00,b,h2h,H,1.56,\n"
        "e1,s,2026-04-17T09:20:00Z,H,A,2026-04-16T18:59:52+00:00,b,totals,Over,1.9,8.5\n"
        "e2,s,2026-04-17T09:20:00Z,X,Y,2026-04-16T18:59:52+00:00,b,h2h,X,2.5,\n"
    )
    events = read_odds(_file(tmp_path, text, "t.csv")).events
    assert [e.odds_event_id for e in events] == ["e1", "e2"]
    assert _quotes(events[0]) == {("b", "h2h", "H", 1.56, None), ("b", "totals", "Over", 1.9, 8.5)}
    assert events[0].observed_at == parse_instant("2026-04-16T18:59:52Z")


def test_a_table_with_over_and_under_a_row_is_split(tmp_path: Path) -> None:
    text = (
        "odds_event_id,bookmaker,base_market,is_alternate,player,point,over_price,under_price,fetched_ms\n"
        "e1,b,batter_hits,0,Al,0.5,1.71,2.05,1786822913073\n"
        "e1,b,batter_hits,1,Al,1.5,3.5,,1786822913073\n"
    )
    (event,) = read_odds(_file(tmp_path, text, "t.csv")).events
    assert _quotes(event) == {
        ("b", "batter_hits", "Over", 1.71, 0.5),
        ("b", "batter_hits", "Under", 2.05, 0.5),
        ("b", "batter_hits_alternate", "Over", 3.5, 1.5),
    }
    assert event.quotes[0].outcomes[0].description == "Al"
    assert event.observed_at == 1_786_822_913_073_000


def test_a_wide_table_in_american_prices_is_unfolded(tmp_path: Path) -> None:
    text = (
        "sport,game_id,home_team,away_team,bookmaker,ml_home,ml_away,spread_home,spread_home_odds,"
        "total_line,total_over_odds,source_file\n"
        "NHL,,,,,,,,,,,heartbeat.csv\n"
        "NHL,g1,Home,Away,fanduel,-200,170,-1.5,150,5.5,-110,a.csv\n"
    )
    (event,) = read_odds(_file(tmp_path, text, "t.csv")).events
    assert event.sport_key == "icehockey_nhl"
    assert _quotes(event) == {
        ("fanduel", "h2h", "Home", 1.5, None),
        ("fanduel", "h2h", "Away", 2.7, None),
        ("fanduel", "spreads", "Home", 2.5, -1.5),
        ("fanduel", "totals", "Over", 1.9091, 5.5),
    }


def test_a_reshaped_cache_is_put_back_together(tmp_path: Path) -> None:
    game = {"id": "g", "home_team": "H", "away_team": "A", "commence_time": None, "sport_title": "NCAAF"}
    books = [{"bookmaker": "DraftKings", "moneyline": [{"team": "H", "price": -200}], "spreads": None}]
    (event,) = read_odds(_file(tmp_path, {"data": [[game, books]]})).events
    assert event.sport_key == "americanfootball_ncaaf"
    assert _quotes(event) == {("DraftKings", "h2h", "H", 1.5, None)}


@pytest.mark.parametrize("text", ["", "<html>", "[1, 2", '{"a": 1}', "x,y\n1,2\n"])
def test_a_file_without_odds_says_so(tmp_path: Path, text: str) -> None:
    result = read_odds(_file(tmp_path, text))
    assert result.events == []
    assert all("odds.json" in q.reason for q in result.quarantined)
    assert result.quarantined
