"""Series and event tickers: what is read, and what is refused by name."""

from __future__ import annotations

from datetime import date

import pytest

from shared.clock import parse_instant
from shared.mapping.series import Series, Untradeable, classify
from shared.mapping.ticker import parse_event, split_series, splits, suffix_code
from shared.terms import MarketKind, Period


@pytest.mark.parametrize(
    ("series", "league", "kind", "period"),
    [
        ("KXNFLGAME", "NFL", MarketKind.WINNER, Period.FULL_GAME),
        ("KXNFL1HTOTAL", "NFL", MarketKind.TOTAL, Period.FIRST_HALF),
        ("KXNBASUMMERGAME", "NBA Summer League", MarketKind.WINNER, Period.FULL_GAME),
        ("KXMLBF5SPREAD", "MLB", MarketKind.SPREAD, Period.FIRST_FIVE_INNINGS),
        ("KXMLBHRR", "MLB", MarketKind.PLAYER_PROP, Period.FULL_GAME),
        ("KXNHLTEAMTOTAL", "NHL", MarketKind.TEAM_TOTAL, Period.FULL_GAME),
        ("KXNCAAWBGAME", "NCAAWB", MarketKind.WINNER, Period.FULL_GAME),
        ("KXLALIGA2GAME", "La Liga 2", MarketKind.THREE_WAY, Period.REGULATION),
        ("KXBRASILEIROBTTS", "Brasileiro", MarketKind.OTHER, Period.REGULATION),
        ("KXBRASILEIROB1H", "Brasileiro B", MarketKind.THREE_WAY, Period.FIRST_HALF),
        ("KXUCLWGAME", "Women's Champions League", MarketKind.THREE_WAY, Period.REGULATION),
        ("KXBOXING", "Boxing", MarketKind.WINNER, Period.FULL_GAME),
    ],
)
def test_a_game_series_is_known_by_its_stem_and_suffix(
    series: str, league: str, kind: MarketKind, period: Period
) -> None:
    found = classify(series)
    assert isinstance(found, Series)
    assert (found.league.name, found.row.kind, found.row.period) == (league, kind, period)


@pytest.mark.parametrize(
    ("series", "code"),
    [
        ("KXMVESPORTSMULTIGAMEEXTENDED", "combo"),
        ("KXNBAMENTION", "mention"),
        ("KXVALORANTGAME", "esports"),
        ("KXNBA", "future"),
        ("KXNFLWINS-PIT", "future"),
        ("KXWCROUND", "future"),
        ("KXATPCHALLENGERMATCH", "lower_tour"),
        ("KXBTC", "unknown_series"),
        ("NFLGAME", "unknown_series"),
        ("", "unknown_series"),
    ],
)
def test_a_series_about_no_single_game_is_refused_by_name(series: str, code: str) -> None:
    found = classify(series)
    assert isinstance(found, Untradeable)
    assert found.code == code


def test_the_ticker_time_is_eastern() -> None:
    event = parse_event("26AUG082150TBSEA")
    assert event is not None
    assert (event.day, event.codes) == (date(2026, 8, 8), "TBSEA")
    assert event.starts_at == parse_instant("2026-08-09T01:50:00Z")


def test_a_doubleheader_number_is_not_part_of_the_codes() -> None:
    event = parse_event("26AUG081310MILSTLG2")
    assert event is not None
    assert (event.codes, event.number) == ("MILSTL", 2)


def test_the_third_part_is_kept_apart() -> None:
    event = parse_event("26AUG151310CWSDET-CWSABENINTENDI23")
    assert event is not None
    assert (event.codes, event.segment) == ("CWSDET", "CWSABENINTENDI23")


@pytest.mark.parametrize(
    "rest", ["", "26", "26FEB30PHICHI", "26XXX10PHICHI", "S2025CC5DB14448D", "26AUG08", "26AUG08phi"]
)
def test_a_rest_that_names_no_dated_game_is_none(rest: str) -> None:
    assert parse_event(rest) is None


def test_a_series_with_a_hyphen_is_split_where_the_listing_says() -> None:
    assert split_series("KXNFLWINS-PIT-26", "KXNFLWINS-PIT") == ("KXNFLWINS-PIT", "26")


def test_codes_are_cut_everywhere_but_never_to_one_letter() -> None:
    assert splits("SFLAR") == [("SF", "LAR"), ("SFL", "AR")]


@pytest.mark.parametrize(
    ("ticker", "code"),
    [
        ("KXNFLSPREAD-26SEP27CARCLE-CAR3", "CAR"),
        ("KXNFLTOTAL-26SEP27CARCLE-44", ""),
        ("KXNFLPASSYDS-26SEP27CARCLE-CARBYOUNG9-250", ""),
        ("KXNFLGAME-26SEP27CARCLE", ""),
    ],
)
def test_the_suffix_code_is_a_team_or_nothing(ticker: str, code: str) -> None:
    event = "-".join(ticker.split("-")[:2])
    assert suffix_code(ticker, event) == code
