"""Input no mapper should meet: a clear reason each, never an exception, never a match."""

from __future__ import annotations

import msgspec
import pytest

from shared.clock import DAY, Instant, parse_instant
from shared.errors import MalformedError
from shared.mapping.mapper import map_markets
from shared.mapping.tables import read_teams
from shared.mapping.validate import problems
from shared.messages import OddsEvent
from tests.mapping.build import code, decide, listed, odds

MARKET = listed("KXNFLGAME-26SEP28PHICHI-PHI", title="Philadelphia at Chicago Winner?")
EVENT = odds("americanfootball_nfl", "Philadelphia Eagles", "Chicago Bears", "2026-09-29T00:15:00Z")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"home": "", "away": ""}, "it does not name two sides"),
        ({"home": ""}, "it does not name two sides"),
        ({"home": "Philadelphia Eagles"}, "both sides read as 'Philadelphia Eagles'"),
        ({"home": "PHI Eagles"}, "both sides read as 'Philadelphia Eagles'"),
        ({"starts_at": None}, "it has no start"),
    ],
    ids=["no teams", "one team", "equal names", "two names of one team", "no start"],
)
def test_an_event_that_cannot_be_used_is_named_in_the_reason(changes: dict[str, object], said: str) -> None:
    decision = decide(MARKET, msgspec.structs.replace(EVENT, **changes))
    assert code(decision) == "no_event"
    assert f"e1 ({said})" in decision.reason


def test_two_people_of_one_name_are_no_match() -> None:
    market = listed("KXATPMATCH-26AUG01SINALC-SIN", title="Sinner vs Alcaraz Winner?")
    same = odds("tennis_atp_x", "Jannik Sinner", "Jannik Sinner", "2026-08-01T15:00:00Z")
    assert "it does not name two people" in decide(market, same).reason


def test_an_event_of_a_sport_nobody_maps_changes_nothing() -> None:
    other = msgspec.structs.replace(EVENT, id="e2", sport_key="quidditch_world_cup")
    assert decide(MARKET, EVENT, other).odds_event_id == "e1"


@pytest.mark.parametrize("start", ["1970-01-01T00:00:00Z", "2025-09-29T00:15:00Z"])
def test_a_start_in_the_past_is_another_day(start: str) -> None:
    decision = decide(MARKET, msgspec.structs.replace(EVENT, starts_at=parse_instant(start)))
    assert code(decision) == "other_day"
    assert start[:4] in decision.reason


def test_a_game_that_has_begun_is_still_its_own_event() -> None:
    late = Instant((EVENT.starts_at or 0) + DAY)
    assert map_markets([MARKET], [EVENT], late)[0].odds_event_id == "e1"


def test_two_events_identical_but_for_the_id_are_both_refused() -> None:
    decision = decide(MARKET, EVENT, msgspec.structs.replace(EVENT, id="e2"))
    assert code(decision) == "ambiguous"
    assert "e1" in decision.reason
    assert "e2" in decision.reason


def test_one_event_sent_twice_is_one_event() -> None:
    assert decide(MARKET, EVENT, EVENT).odds_event_id == "e1"


def test_an_id_with_two_contents_is_no_event() -> None:
    decision = decide(MARKET, EVENT, msgspec.structs.replace(EVENT, home="Dallas Cowboys"))
    assert "copies of it disagree" in decision.reason


def test_a_table_with_a_clash_names_alias_and_teams() -> None:
    teams = read_teams(
        "name,nickname,kalshi,codes,odds,ids,source\n"
        "Miami Heat,Heat,Miami,MIA,,,seen\nMiami Sharks,Sharks,Miami,MSH,,,seen\n"
    )
    assert any("'miami' means 'Miami Heat' and 'Miami Sharks'" in one for one in problems({"nba": teams}))


def test_ten_thousand_markets_of_one_game_all_get_its_event() -> None:
    markets = [listed(f"KXNFLTOTAL-26SEP28PHICHI-{n}") for n in range(10_000)]
    assert {decision.odds_event_id for decision in map_markets(markets, [EVENT])} == {"e1"}


def test_ten_thousand_unusable_events_are_three_names_in_a_reason() -> None:
    events = [msgspec.structs.replace(EVENT, id=f"e{n}", starts_at=None) for n in range(10_000)]
    decision = decide(MARKET, *events)
    assert "e2 (it has no start) and more" in decision.reason
    assert len(decision.reason) < 300


def test_no_events_and_no_markets_are_answered() -> None:
    assert map_markets([], [EVENT]) == []
    assert code(decide(MARKET)) == "league_not_in_feed"


@pytest.mark.parametrize(
    "name",
    ["x" * 1_000_000, "\x00\x1b[31m", "🏈" * 50, "Eagles\nBears", "' OR 1=1 --", "Philadelphia Eagles II"],
)
def test_a_hostile_name_matches_nothing(name: str) -> None:
    event = OddsEvent(
        id="e1", sport_key="americanfootball_nfl", starts_at=EVENT.starts_at, home="Chicago Bears", away=name
    )
    decision = decide(MARKET, event)
    assert decision.odds_event_id == ""
    assert decision.reason


def test_a_broken_table_is_an_error_of_ours() -> None:
    with pytest.raises(MalformedError):
        read_teams("name;nickname\n")
