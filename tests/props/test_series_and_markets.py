from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mapping.parse import Refusal
from shared.props.market import PropMarket, _judged, read_prop
from shared.props.series import discover, prop_series
from shared.props.statistics import STATISTICS, in_words
from shared.terms import MarketShape
from tests.props.build import GAME, kind, listed, prop, rules_of


@pytest.mark.parametrize(
    ("ticker", "title", "statistic"),
    [
        ("KXNBAPTS", "", "points"),
        ("KXWNBAREB", "", "rebounds"),
        ("KXNBAPRA", "", "points + rebounds + assists"),
        ("KXNFLPASSYDS", "", "passing yards"),
        ("KXNFLTD", "", "touchdowns"),
        ("KXMLBKS", "", "strikeouts"),
        ("KXMLBHRR", "", "hits + runs + rbis"),
        ("KXNHLGOAL", "", "goals"),
        # Not in any table: found by what the exchange calls them.
        ("KXNHLSOG", "NHL Shots on Goal", "shots"),
        ("KXNFLRSHATT", "Pro Football Rushing Attempts", "rushing attempts"),
        ("KXNBATRIPDBL", "Pro Basketball Triple-Double", "triple double"),
    ],
)
def test_a_prop_series_is_found_in_the_list(ticker: str, title: str, statistic: str) -> None:
    found = prop_series(ticker, title)
    assert found is not None
    assert found.statistic.name == statistic


@pytest.mark.parametrize(
    ("ticker", "title"),
    [
        ("KXNBAGAME", "Pro Basketball Game"),
        ("KXNFLSEASONRECYDS", "Season Receiving Yards"),
        ("KXNBATEAMPTS", "Team Points"),
        ("KXNBAMVP", "MVP"),
        ("KXEPLGOAL", "EPL goals"),
        ("KXATPMATCH", ""),
        ("PTS", "points"),
        ("", ""),
    ],
)
def test_what_is_no_prop_of_our_leagues_is_left_out(ticker: str, title: str) -> None:
    assert prop_series(ticker, title) is None


def test_leagues_can_be_chosen() -> None:
    listed_series = [("KXNBAPTS", ""), ("KXMLBHIT", ""), ("KXNHLPTS", "")]
    assert [one.ticker for one in discover(listed_series, ("mlb", "nhl"))] == ["KXMLBHIT", "KXNHLPTS"]
    assert len(discover(listed_series)) == 3


def test_the_longest_wording_wins() -> None:
    found = in_words("basketball", "Miami vs Boston: Points + Rebounds + Assists")
    assert found is not None
    assert found.name == "points + rebounds + assists"


def test_every_statistic_has_a_key_of_its_own_in_its_sport() -> None:
    keys = [(one.sport, one.prop_type) for one in STATISTICS]
    markets = [(one.sport, one.book_market) for one in STATISTICS if one.book_market]
    assert len(keys) == len(set(keys))
    assert len(markets) == len(set(markets))


# --- markets -----------------------------------------------------------------------------------------------


def test_25_or_more_is_over_24_and_a_half() -> None:
    found = prop(25)
    assert (found.threshold, found.line) == (25, 24.5)
    assert (found.player, found.lookup, found.player_id) == ("Jayson Tatum", "jaysontatum", "id-BOSJTATUM0")


def test_the_team_is_proven_by_ticker_and_id() -> None:
    plain = prop(25).team
    assert (plain.code, plain.name, plain.method, plain.confidence) == (
        "BOS",
        "Boston Celtics",
        "ticker",
        0.9,
    )


def test_an_id_of_a_team_that_does_not_play_is_no_team() -> None:
    found = _judged("BOS", "Boston Celtics", "Utah Jazz", {"Boston Celtics", "Miami Heat"}, "BOSJTATUM0")
    assert (found.name, found.confidence) == ("", 0.0)
    assert "does not play" in found.issue


def test_an_id_and_a_ticker_that_differ_are_no_team() -> None:
    found = _judged("BOS", "Boston Celtics", "Miami Heat", {"Boston Celtics", "Miami Heat"}, "BOSJTATUM0")
    assert found.issue == "the id says Miami Heat, the ticker Boston Celtics"


def test_a_code_of_no_team_in_the_game_is_an_issue() -> None:
    found = prop(25, code="LALJTATUM0")
    assert found.team.issue
    assert found.team.confidence == 0.0


def test_a_ticker_that_says_another_number_is_a_finding() -> None:
    market = listed(25, ticker=f"KXNBAPTS-{GAME}-BOSJTATUM0-30")
    found = read_prop(market, kind())
    assert isinstance(found, PropMarket)
    assert found.threshold == 25
    assert found.finding.startswith("ticker_number")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"title": "", "yes_sub_title": "", "rules_primary": "", "floor_strike": None,
          "ticker": f"KXNBAPTS-{GAME}-BOSJTATUM0-many"}, "threshold"),
        ({"title": "", "yes_sub_title": "", "rules_primary": "", "floor_strike": None,
          "ticker": f"KXNBAPTS-{GAME}-BOSJTATUM0"}, "threshold"),
        ({"floor_strike": float("nan")}, "threshold"),
        ({"floor_strike": 24.0}, "threshold"),
        ({"floor_strike": 29.5}, "threshold"),
        ({"rules_primary": rules_of("Jaylen Brown", 25)}, "threshold"),
        ({"shape": MarketShape.SCALAR}, "scalar"),
        ({"is_combo": True}, "combo"),
        ({"event_ticker": "KXNBAPTS-SOMEDAY"}, "no_game"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_a_reason(changes: dict[str, Any], code: str) -> None:
    found = read_prop(listed(**changes), kind())
    assert isinstance(found, Refusal)
    assert (found.code, bool(found.reason)) == (code, True)


def test_a_row_without_any_text_is_read_from_its_ticker_and_has_no_name() -> None:
    bare = listed(title="", yes_sub_title="", rules_primary="", rules_secondary="", floor_strike=None)
    found = read_prop(bare, kind())
    assert isinstance(found, PropMarket)
    assert (found.threshold, found.named, found.lookup) == (25, False, "jtatum")


def test_a_rescheduled_market_is_read_by_its_events_ticker() -> None:
    market = listed(ticker="KXNBAPTS-26NOV22MIABOS-BOSJTATUM0-25")
    found = read_prop(market, kind())
    assert isinstance(found, PropMarket)
    assert (found.day.isoformat(), found.threshold) == ("2026-11-21", 25)


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=60))
def test_no_text_breaks_the_reader(ticker: str, label: str, rules: str) -> None:
    market = listed(ticker=ticker, title=label, yes_sub_title=label, rules_primary=rules, floor_strike=None)
    assert isinstance(read_prop(market, kind()), PropMarket | Refusal)
