"""Aliases proposed for a person: never decided, always with where they were seen."""

from __future__ import annotations

from shared.mapping.mapper import map_markets
from shared.mapping.proposals import COLUMNS, Proposal, propose, rows
from shared.messages import MarketListed, OddsEvent
from tests.mapping.build import listed, odds

FEED = odds("soccer_epl", "Wolverhampton Wanderrers", "Arsenal", "2026-09-12T14:00:00Z")


def of(column: str, found: list[Proposal]) -> list[Proposal]:
    return [one for one in found if one.column == column]


def test_a_misspelt_name_of_the_feed_is_proposed_for_its_team() -> None:
    best = of("odds", propose([], [FEED]))[0]
    assert (best.league, best.alias, best.team) == (
        "EPL",
        "Wolverhampton Wanderrers",
        "Wolverhampton Wanderers",
    )
    assert best.seen == FEED.id
    assert best.score > 90


def test_a_name_the_exchange_uses_is_proposed_with_its_opponent_as_support() -> None:
    market = listed("KXEPLGAME-26SEP12ARSWLX-ARS", title="Arsenal vs Wolvehampton Winner?")
    (best, *_) = of("kalshi", propose([market], [FEED]))
    assert best.team == "Wolverhampton Wanderers"
    assert best.seen == market.ticker
    assert "Arsenal plays wolverhampton wanderrers that day" in best.support


def test_a_code_is_proposed_by_the_label_of_its_market() -> None:
    market = listed("KXNFLGAME-26SEP28PHIXCG-XCG", yes_sub_title="Chicago")
    (code,) = of("codes", propose([market], []))
    assert (code.alias, code.team, code.score) == ("XCG", "Chicago Bears", 100.0)


def test_a_name_like_no_other_is_listed_without_a_team() -> None:
    event = OddsEvent(id="x", sport_key="soccer_epl", starts_at=None, home="Qqzzxx Vvkkjj", away="Arsenal")
    (only,) = propose([], [event])
    assert (only.team, only.score) == ("", 0.0)


def test_sightings_are_counted_and_the_first_is_kept() -> None:
    events = [FEED, odds("soccer_epl", "Wolverhampton Wanderrers", "Chelsea", "2026-09-19T14:00:00Z", "e2")]
    best = of("odds", propose([], events))[0]
    assert (best.times, best.seen) == (2, "e1")


def test_what_the_tables_know_is_not_proposed() -> None:
    market = listed("KXEPLGAME-26SEP12ARSWOL-ARS", title="Arsenal vs Wolves Winner?", yes_sub_title="Arsenal")
    assert propose([market], [odds("soccer_epl", "Chelsea", "Arsenal", "2026-09-12T14:00:00Z")]) == []


def test_people_and_leagues_without_a_table_have_no_aliases() -> None:
    markets: list[MarketListed] = [listed("KXATPMATCH-26AUG01ALCSIN-SIN", title="Alkaraz vs Sinner Winner?")]
    assert (
        propose(markets, [odds("tennis_atp_x", "Carlos Alcaraz", "Jannik Sinner", "2026-08-01T15:00:00Z")])
        == []
    )


def test_a_proposal_changes_no_decision() -> None:
    market = listed("KXEPLGAME-26SEP12ARSWLX-ARS", title="Arsenal vs Wolvehampton Winner?")
    before = map_markets([market], [FEED])
    propose([market], [FEED])
    assert map_markets([market], [FEED]) == before
    assert before[0].odds_event_id == ""


def test_a_row_has_every_column() -> None:
    (row, *_) = rows(propose([], [FEED]))
    assert len(row) == len(COLUMNS)
