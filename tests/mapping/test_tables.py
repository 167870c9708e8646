"""The packaged tables say one thing each."""

from __future__ import annotations

import pytest

from shared.errors import MalformedError
from shared.mapping.names import key
from shared.mapping.tables import (
    LITERAL,
    League,
    _phrase_pattern,
    _unique,
    kinds,
    league_of_sport_key,
    leagues,
    load_teams,
    states,
)
from shared.terms import MarketKind

LEAGUES = leagues()
TABLES = sorted({table for league in LEAGUES for table in league.tables})


@pytest.mark.parametrize("league", LEAGUES, ids=lambda league: league.name)
def test_no_alias_leads_to_two_teams_of_a_league(league: League) -> None:
    assert league.teams.by_name is not None  # building the table raises on a clash


def test_a_clash_of_aliases_is_an_error_that_names_both_teams() -> None:
    with pytest.raises(MalformedError, match=r"'miami'.*'Heat'.*'Hurricanes'"):
        _unique("name", [("miami", "Heat"), ("miami", "Hurricanes")])


@pytest.mark.parametrize("table", TABLES)
def test_every_team_has_a_name_a_source_and_no_empty_alias(table: str) -> None:
    for team in load_teams(table):
        assert team.name
        assert team.source
        assert all(key(name) for name in (team.name, *team.kalshi, *team.odds))


@pytest.mark.parametrize("table", [table for table in TABLES if not table.startswith("soccer")])
def test_a_ticker_code_means_one_team_of_a_table(table: str) -> None:
    seen: dict[str, str] = {}
    for team in load_teams(table):
        for code in team.codes:
            assert seen.setdefault(code, team.name) == team.name


@pytest.mark.parametrize(
    ("table", "teams"),
    [("nfl", 32), ("nba", 30), ("wnba", 15), ("mlb", 32), ("nhl", 33), ("college", 360), ("soccer_mls", 30)],
)
def test_a_league_is_complete(table: str, teams: int) -> None:
    assert len(load_teams(table)) >= teams


def test_a_city_of_two_teams_means_neither() -> None:
    by_name = {league.name: league.teams for league in LEAGUES}
    for league, city in (
        ("NBA", "Los Angeles"),
        ("NFL", "New York"),
        ("MLB", "Chicago"),
        ("MLS", "Los Angeles"),
    ):
        assert by_name[league].canonical(city).startswith(LITERAL)


def test_men_and_women_never_share_a_feed_key() -> None:
    for league in LEAGUES:
        for sport_key in league.odds_keys:
            genders = {other.gender for other in league_of_sport_key(sport_key.rstrip("*")) if other.gender}
            assert len(genders) <= 1


def test_no_series_stem_is_used_twice() -> None:
    stems = [stem for league in LEAGUES for stem in league.stems]
    assert len(stems) == len(set(stems))


def test_a_phrase_that_swallows_team_names_is_an_error() -> None:
    with pytest.raises(MalformedError, match="swallow"):
        _phrase_pattern(("* soccer",))


def test_every_market_of_the_feed_belongs_to_a_kind_that_can_be_selected() -> None:
    selectable = {
        MarketKind.WINNER,
        MarketKind.THREE_WAY,
        MarketKind.SPREAD,
        MarketKind.TOTAL,
        MarketKind.TEAM_TOTAL,
        MarketKind.PLAYER_PROP,
    }
    assert all(row.kind in selectable for row in kinds().values() if row.market)


def test_states_are_small_probabilities_with_a_reason() -> None:
    assert all(0 < state.probability <= 0.1 and state.note for state in states())


def test_a_quote_mark_an_accent_or_a_dot_makes_no_other_name() -> None:
    assert key("Hawai'i") == key("Hawaii")
    assert key("Montréal Canadiens") == key("Montreal Canadiens")
    assert key("Iowa St.") == key("Iowa State")
    assert key("Bodø/Glimt") == key("Bodo Glimt")
    assert key("Texas A&M") == key("Texas A and M")
