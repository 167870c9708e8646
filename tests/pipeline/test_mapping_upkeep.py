"""What makes a market be mapped anew, and what the watchdog says about coverage."""

from __future__ import annotations

from typing import Any

import pytest

from shared.clock import HOUR, MINUTE, Instant, parse_instant
from shared.messages import AlertRaised, CoverageSeen, MappingDecided, MarketListed, OddsEvent
from shared.pipeline.coverage import CoverageWatch
from shared.pipeline.map_events import EventMapper
from shared.terms import MarketStatus
from tests.mapping.build import listed, odds
from tests.pipeline.conftest import NOW, Desk
from tests.support.backends import rng

SPORT = "icehockey_nhl"
RULES = (
    "If Chicago wins the Chicago vs New York I NHL game originally scheduled for Oct 8, 2026,"
    " then the market resolves to Yes."
)
START = "2026-10-08T23:30:00Z"
MATCH = listed(
    "KXATPMATCH-26OCT08ALCSIN-SIN", title="Alcaraz vs Sinner Winner?", yes_sub_title="Jannik Sinner"
)


def market(**changes: Any) -> MarketListed:
    given: dict[str, Any] = {
        "observed_at": NOW, "title": "Chicago wins", "yes_sub_title": "Chicago", "rules_primary": RULES,
        "starts_at": parse_instant(START), "status": MarketStatus.ACTIVE,
    }  # fmt: skip
    return listed("KXNHLGAME-26OCT08CHINYI-CHI", **(given | changes))


def game(start: str = START) -> OddsEvent:
    return odds(SPORT, "Chicago Blackhawks", "New York Islanders", start)


@pytest.fixture
def mapper(desk: Desk) -> EventMapper:
    made = EventMapper(desk.documents, desk.bus, desk.clock, rng(0))
    made.learn(SPORT, [game()])
    return made


async def listing(mapper: EventMapper, *markets: MarketListed) -> list[MappingDecided]:
    for one in markets:
        await mapper.handle(one)
    return await mapper.flush()


# --- mapped anew -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"starts_at": parse_instant("2026-10-09T00:30:00Z")},
        {"title": "Chicago wins in overtime"},
        {"rules_primary": RULES + " Overtime counts."},
        {"rules_secondary": "A postponed game stays open for two days."},
        {"status": MarketStatus.INACTIVE},
        {"floor_strike": 1.5},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_a_changed_listing_is_not_answered_from_memory(
    mapper: EventMapper, changes: dict[str, Any]
) -> None:
    await listing(mapper, market())
    await mapper.handle(market())
    assert mapper.hit_rate == 0.5
    await mapper.handle(market(**changes))
    assert mapper.hit_rate == pytest.approx(1 / 3)


async def test_rules_about_another_day_take_the_mapping_back(mapper: EventMapper) -> None:
    (first,) = await listing(mapper, market())
    (second,) = await listing(mapper, market(rules_primary=RULES.replace("Oct 8", "Oct 10")))
    assert first.odds_event_id == "e1"
    assert (second.odds_event_id, second.reason.partition(":")[0]) == ("", "dates_disagree")


async def test_a_start_the_feed_moved_to_another_day_takes_the_mapping_back(mapper: EventMapper) -> None:
    await listing(mapper, market())
    mapper.learn(SPORT, [game("2026-10-11T23:30:00Z")])
    (decision,) = await mapper.flush()
    assert (decision.odds_event_id, decision.reason.partition(":")[0]) == ("", "other_day")


async def test_a_start_the_feed_moved_within_the_day_is_told(mapper: EventMapper) -> None:
    await listing(mapper, market())
    mapper.learn(SPORT, [game("2026-10-09T01:00:00Z")])
    (decision,) = await mapper.flush()
    assert decision.odds_event_id == "e1"
    assert decision.starts_at == parse_instant("2026-10-09T01:00:00Z")


async def test_after_an_hour_a_mapping_is_decided_again_and_said_only_if_it_changed(
    mapper: EventMapper, desk: Desk
) -> None:
    await listing(mapper, market())
    desk.clock.set(Instant(NOW + HOUR + MINUTE))
    await mapper.handle(market())
    assert mapper.hit_rate == 0.0
    assert await mapper.flush() == []


async def test_a_sport_can_be_invalidated_and_only_that_sport(mapper: EventMapper) -> None:
    mapper.learn(
        "tennis_atp_shanghai", [odds("tennis_atp_shanghai", "Carlos Alcaraz", "Jannik Sinner", START)]
    )
    await listing(mapper, market(), MATCH)
    assert mapper.invalidate(SPORT) == 1
    assert mapper.cache.tickers_of("e1") == {MATCH.ticker}
    assert await mapper.flush() == []
    assert mapper.cache.tickers_of("e1") == {MATCH.ticker, market().ticker}


async def test_the_tournaments_of_a_tour_all_feed_its_league(mapper: EventMapper) -> None:
    await listing(mapper, MATCH)
    mapper.learn(
        "tennis_atp_shanghai", [odds("tennis_atp_shanghai", "Carlos Alcaraz", "Jannik Sinner", START)]
    )
    (decision,) = await mapper.flush()
    assert decision.odds_event_id == "e1"


# --- the watchdog ------------------------------------------------------------------------------------------


async def test_coverage_is_published_by_league_day_and_kind(mapper: EventMapper, desk: Desk) -> None:
    await listing(mapper, market(), listed("KXNHLGAME-26OCT09CHINYI-CHI"))
    await CoverageWatch(mapper, desk.bus, desk.clock).turn()
    seen = {one.game_day: one for one in desk.said(CoverageSeen)}
    assert (seen["2026-10-08"].league, seen["2026-10-08"].mapped, seen["2026-10-08"].certified) == (
        "NHL",
        1,
        1,
    )
    assert (seen["2026-10-09"].refused, seen["2026-10-09"].abstention) == ({"other_day": 1}, 1.0)
    assert all(one.event_id for one in seen.values())


async def test_coverage_that_stands_still_is_said_once(mapper: EventMapper, desk: Desk) -> None:
    watch = CoverageWatch(mapper, desk.bus, desk.clock)
    await listing(mapper, market())
    await watch.turn()
    await watch.turn()
    assert len(desk.said(CoverageSeen)) == 1
    await listing(mapper, listed("KXNHLGAME-26OCT08CHINYI-NYI"))
    await watch.turn()
    assert [one.markets for one in desk.said(CoverageSeen)] == [1, 2]


async def test_coverage_carries_the_hit_rate(mapper: EventMapper, desk: Desk) -> None:
    await listing(mapper, market())
    await listing(mapper, market(), market(), market())
    await CoverageWatch(mapper, desk.bus, desk.clock).turn()
    assert desk.said(CoverageSeen)[0].hit_rate == 0.75


async def test_an_unknown_code_is_one_alert_however_long_it_stays(mapper: EventMapper, desk: Desk) -> None:
    watch = CoverageWatch(mapper, desk.bus, desk.clock)
    await listing(mapper, listed("KXNHLGAME-26OCT08ZZZNYI-NYI"))
    assert await watch.turn() == 1
    assert await watch.turn() == 1
    (alert,) = desk.said(AlertRaised)
    assert (alert.source, alert.code, alert.subject) == ("mapping", "unknown_code", "NHL ZZZNYI")
    assert alert.example == "KXNHLGAME-26OCT08ZZZNYI-NYI"


async def test_a_series_and_a_text_nobody_knows_are_alerts(mapper: EventMapper, desk: Desk) -> None:
    strange = listed("KXWALESPREMGAME-26OCT08CARSWA-CAR")
    unread = market(rules_primary="If the Hawks prevail, Yes.")
    await listing(mapper, strange, unread)
    await CoverageWatch(mapper, desk.bus, desk.clock).turn()
    assert {(one.code, one.subject) for one in desk.said(AlertRaised)} == {
        ("unknown_series", "KXWALESPREMGAME"),
        ("unknown_template", "KXNHLGAME"),
    }


async def test_forgotten_games_are_no_longer_counted(mapper: EventMapper, desk: Desk) -> None:
    await listing(mapper, market())
    mapper.forget([market().ticker])
    assert await CoverageWatch(mapper, desk.bus, desk.clock).turn() == 0
    assert desk.said(CoverageSeen) == []
