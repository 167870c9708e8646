"""The mapper as a room: batches, what is news, the reverse index, and what it may forget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from shared.cas import update
from shared.clock import DAY, HOUR, Instant, parse_instant
from shared.errors import StorageError
from shared.messages import MappingDecided, MarketListed, OddsEvent, TickSeen
from shared.pipeline.map_events import EventMapper, slate_of
from shared.pipeline.places import MAPPINGS, SLATES
from shared.ports import Write
from shared.terms import StrikeType
from tests.mapping.build import listed
from tests.pipeline.conftest import NOW, Desk
from tests.support.backends import rng

SPORT = "americanfootball_nfl"
EVENT = "KXNFLGAME-26SEP28PHICHI"
START = "2026-09-29T00:15:00Z"


def market(side: str = "PHI", **changes: Any) -> MarketListed:
    city = {"PHI": "Philadelphia", "CHI": "Chicago"}[side]
    given: dict[str, Any] = {
        "observed_at": NOW,
        "title": f"{city} wins",
        "yes_sub_title": city,
        "starts_at": parse_instant(START),
        "rules_primary": f"If {city} wins the Philadelphia vs Chicago Pro Football game originally "
        "scheduled for Sep 28, 2026, then the market resolves to Yes.",
    }
    return listed(f"{EVENT}-{side}", EVENT, **(given | changes))


def game(identity: str = "e1", start: str = START) -> OddsEvent:
    return OddsEvent(
        id=identity,
        sport_key=SPORT,
        starts_at=parse_instant(start),
        home="Chicago Bears",
        away="Philadelphia Eagles",
    )


def mapper(desk: Desk, *events: OddsEvent) -> EventMapper:
    made = EventMapper(desk.documents, desk.bus, desk.clock, rng(0))
    made.learn(SPORT, events)
    return made


async def decided(made: EventMapper, *markets: MarketListed) -> list[MappingDecided]:
    for one in markets:
        await made.handle(one)
    return await made.flush()


async def test_a_listed_market_is_mapped_published_and_kept(desk: Desk) -> None:
    (decision,) = await decided(mapper(desk, game()), market())
    assert decision.odds_event_id == "e1"
    assert desk.said(MappingDecided) == [decision]
    (document,) = await desk.documents.query(MAPPINGS)
    assert (document.path, document.value["odds_event_id"]) == (f"{MAPPINGS}/{EVENT}", "e1")


async def test_the_same_listing_again_is_answered_from_memory(desk: Desk) -> None:
    made = mapper(desk, game())
    await decided(made, market())
    assert await decided(made, market(yes_bid=1)) == []
    assert made.hit_rate == 0.5


async def test_a_refusal_is_decided_again_only_when_its_text_or_the_slate_changes(desk: Desk) -> None:
    made = mapper(desk)
    (refused,) = await decided(made, market())
    assert (refused.odds_event_id, bool(refused.reason)) == ("", True)
    assert await decided(made, market()) == []
    assert made.learn(SPORT, [game()])
    (mapped,) = await made.flush()
    assert mapped.odds_event_id == "e1"


async def test_a_slate_that_did_not_change_is_no_news(desk: Desk) -> None:
    made = mapper(desk, game())
    await decided(made, market())
    assert not made.learn(SPORT, [game()])
    assert await made.flush() == []


async def test_a_game_that_left_the_slate_takes_its_mapping_along(desk: Desk) -> None:
    made = mapper(desk, game())
    await decided(made, market())
    made.learn(SPORT, [])
    (decision,) = await made.flush()
    assert decision.odds_event_id == ""


async def test_one_refused_market_does_not_take_its_game_out_of_the_index(desk: Desk) -> None:
    made = mapper(desk, game())
    await decided(made, market("PHI"))
    (refused,) = await decided(made, market("CHI", is_combo=True))
    assert refused.odds_event_id == ""
    (document,) = await desk.documents.query(MAPPINGS)
    assert (document.value["odds_event_id"], len(document.value["markets"])) == ("e1", 2)


async def test_a_game_without_a_certified_market_is_not_in_the_index(desk: Desk) -> None:
    (decision,) = await decided(mapper(desk, game()), whole_line())
    assert (decision.odds_event_id, decision.selection) == ("e1", None)
    (document,) = await desk.documents.query(MAPPINGS)
    assert document.value["odds_event_id"] == ""


def whole_line() -> MarketListed:
    """A spread over a whole number of points: a push would be possible, so no bookmaker's line equals it."""
    event = EVENT.replace("GAME", "SPREAD")
    return listed(
        f"{event}-PHI3",
        event,
        observed_at=NOW,
        title="Philadelphia wins by over 3 points",
        yes_sub_title="Philadelphia wins by over 3 points",
        strike_type=StrikeType.GREATER,
        floor_strike=3.0,
        rules_primary="If Philadelphia wins by more than 3 points in the Philadelphia vs Chicago Pro "
        "Football game originally scheduled for Sep 28, 2026, then the market resolves to Yes.",
    )


async def test_a_withdrawal_nobody_heard_is_said_again(desk: Desk) -> None:
    made = mapper(desk, game())
    await decided(made, market())
    made.learn(SPORT, [])
    batch, desk.documents.batch = desk.documents.batch, full_disk  # type: ignore[method-assign]
    with pytest.raises(StorageError):
        await made.flush()
    desk.documents.batch = batch  # type: ignore[method-assign]
    (decision,) = await made.flush()
    assert decision.odds_event_id == ""


async def full_disk(writes: Sequence[Write]) -> list[int]:
    raise StorageError(writes[0].path)


async def test_a_message_of_another_kind_is_nothing_to_it(desk: Desk) -> None:
    assert await decided(mapper(desk), TickSeen(observed_at=NOW, ticker="A")) == []  # type: ignore[arg-type]


async def test_slates_of_an_earlier_run_are_known_again(desk: Desk) -> None:
    value = {"events": [msgspec.to_builtins(game())], "at": NOW}
    await update(desk.documents, f"{SLATES}/{SPORT}", lambda _: value, clock=desk.clock, rng=rng(0))
    made = mapper(desk)
    await made.restore()
    assert slate_of(value) == [game()]
    (decision,) = await decided(made, market())
    assert decision.odds_event_id == "e1"


async def test_a_forgotten_market_is_decided_as_new(desk: Desk) -> None:
    made = mapper(desk, game())
    await decided(made, market())
    made.forget([f"{EVENT}-PHI", "NEVER-SEEN"])
    assert list(made.decided()) == []
    assert len(await decided(made, market())) == 1


async def test_documents_of_games_two_days_gone_are_removed(desk: Desk) -> None:
    await decided(mapper(desk, game()), market())
    made = mapper(desk)
    start = parse_instant(START) or Instant(0)
    desk.clock.set(Instant(start + 2 * DAY - HOUR))
    await made.purge()
    assert len(await desk.documents.query(MAPPINGS)) == 1
    desk.clock.set(Instant(start + 2 * DAY + HOUR))
    await made.purge()
    assert await desk.documents.query(MAPPINGS) == []
