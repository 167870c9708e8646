"""Safety: what outcomes trip, how a probe brings trading back, what rests, and how much may be risked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.backends.memory.bus import DirectBus
from shared.backends.memory.documents import MemoryDocuments
from shared.clock import SECOND, Instant, ManualClock
from shared.errors import RetryLaterError, StorageError
from shared.execution.account import Account
from shared.execution.breakers import Breakers
from shared.execution.gateway import CROSSED, Accepted, Outcome, Rejected, Unknown
from shared.execution.safety import ORDERS, Safety, SafetyPolicy
from shared.execution.stored_book import StoredBook
from shared.messages import BreakerMoved, Message
from shared.money import Quantity, Usd
from shared.ports import Document
from shared.risk.board import GLOBAL
from shared.risk.breaker import BreakerPolicy, Cause, State
from shared.risk.canary import ONE_CONTRACT, Canary
from shared.risk.controls import Proposal
from shared.risk.tripwire import Trip
from tests.risk.orders import MONDAY, TICKER, fill, proposal
from tests.support.backends import rng
from tests.support.limits import DOLLAR

FAULT = Trip(Cause.FAILURES, "5 failures in a row")
FILLED = Accepted("v", (fill(),), Quantity(0))
MISSED = Accepted("v", (), Quantity(0))
QUICK = 1_000  # microseconds


class Post:
    """The safety of one executor, and what it told."""

    def __init__(self, documents: MemoryDocuments | None = None, clean_fills: int = 0) -> None:
        self.documents, self.clock = documents or MemoryDocuments(), ManualClock(MONDAY)
        self.bus, self.told = DirectBus(), list[BreakerMoved]()
        self.bus.subscribe(BreakerMoved.TOPIC, "test", self._hear)
        self.stored = StoredBook(self.documents, "main", self.clock, rng(1))
        self.account = Account(self.stored)
        self.breakers = Breakers(self.documents, self.clock, rng(2), "executor-1", BreakerPolicy())
        policy = SafetyPolicy("v1", clean_fills=clean_fills)
        self.safety = Safety(self.account, self.breakers, self.bus, self.clock, policy)

    async def _hear(self, message: Message) -> None:
        assert isinstance(message, BreakerMoved)
        self.told.append(message)

    async def happened(self, outcome: Outcome, times: int = 1, us: int = QUICK, order: str = "o") -> None:
        for number in range(times):
            await self.safety.happened(proposal(f"{order}-{number}"), outcome, us)

    def tick(self, seconds: float) -> None:
        self.clock.set(Instant(self.clock.now() + int(seconds * SECOND)))

    async def state(self, name: str = ORDERS) -> State:
        return (await self.breakers.board()).of(name).state

    async def refused(self, order: Proposal | None = None) -> tuple[str, ...]:
        """What stands in an order's way."""
        found = await self.safety.guard(order or proposal())
        return (*found.open_breakers, *found.cooling)


@pytest.fixture
def post() -> Post:
    return Post()


# --- what trips -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["too_many_requests", "venue_down", "internal_server_error"])
async def test_refusals_that_speak_of_the_venues_health_trip_in_a_row(post: Post, code: str) -> None:
    await post.happened(Rejected(code, "503"), 4)
    assert await post.state() is State.CLOSED
    await post.happened(Rejected(code, "503"))
    assert await post.state() is State.OPEN
    assert post.told[0].cause == "failures"


async def test_refusals_that_speak_of_the_order_trip_nothing(post: Post) -> None:
    await post.happened(Rejected("insufficient_balance", "no cash"), 20)
    assert await post.state() is State.CLOSED


async def test_a_good_answer_between_failures_starts_the_count_anew(post: Post) -> None:
    for _ in range(3):
        await post.happened(Rejected("venue_down", "503"), 4)
        await post.happened(FILLED)
    assert await post.state() is State.CLOSED


async def test_two_outcomes_that_nobody_knows_stop_orders_until_a_person_has_looked(post: Post) -> None:
    await post.happened(Unknown("timeout"))
    assert await post.state() is State.CLOSED
    await post.happened(Unknown("timeout"))
    assert await post.state() is State.OPEN
    post.tick(24 * 3600)
    assert not await post.safety.claim("probe", "")
    assert "a person must close it" in (await post.refused())[0]


async def test_unknown_outcomes_far_apart_trip_nothing(post: Post) -> None:
    for _ in range(5):
        await post.happened(Unknown("timeout"))
        post.tick(601)
    assert await post.state() is State.CLOSED


async def test_slow_answers_in_a_row_trip(post: Post) -> None:
    await post.happened(FILLED, 5, us=1_000_001)
    assert (await post.state(), post.told[0].cause) == (State.OPEN, "latency")


async def test_a_difference_stops_everything_for_cause(post: Post) -> None:
    await post.safety.differ("cash all: ours 2, the venue's 1")
    assert await post.state(GLOBAL) is State.OPEN
    assert (post.told[0].breaker, post.told[0].cause) == (GLOBAL, "reconciliation")


async def test_nothing_to_trip_for_trips_nothing(post: Post) -> None:
    await post.safety.trip(ORDERS, None)
    assert (post.told, await post.state()) == ([], State.CLOSED)


# --- what is told -----------------------------------------------------------------------------------------


async def test_every_move_of_a_breaker_is_told_from_the_trip_to_the_closing(post: Post) -> None:
    await post.safety.trip(ORDERS, FAULT)
    post.tick(30)
    for number in range(3):
        assert await post.safety.claim(f"probe-{number}", "")
        await post.safety.happened(proposal(f"probe-{number}"), FILLED, QUICK)
    assert [(one.before, one.after) for one in post.told] == [
        ("closed", "open"),
        ("open", "half_open"),
        ("half_open", "closed"),
    ]


async def test_a_move_says_who_why_and_when(post: Post) -> None:
    await post.safety.trip(ORDERS, FAULT)
    [told] = post.told
    assert (told.breaker, told.actor, told.reason, told.at) == (ORDERS, "executor-1", FAULT.reason, MONDAY)
    assert told.event_id


async def test_a_probe_that_was_lost_is_told_when_the_next_one_is_asked_for(post: Post) -> None:
    await post.safety.trip(ORDERS, FAULT)
    post.tick(30)
    await post.safety.claim("lost", "")
    post.tick(60)
    assert not await post.safety.claim("next", "")
    assert post.told[-1].after == "open"
    assert "lost was never heard of again" in post.told[-1].reason


async def test_a_bus_that_does_not_answer_keeps_no_breaker_from_moving(post: Post) -> None:
    async def silent(_: Message) -> None:
        raise RetryLaterError("the bus does not answer")

    post.bus.subscribe(BreakerMoved.TOPIC, "silent", silent)
    await post.safety.differ("cash all: ours 2, the venue's 1")
    assert await post.state(GLOBAL) is State.OPEN


# --- probes -----------------------------------------------------------------------------------------------


async def test_while_nothing_is_open_no_order_is_a_probe(post: Post) -> None:
    assert not await post.safety.claim("o", "")


async def test_before_its_time_there_is_no_probe(post: Post) -> None:
    await post.safety.trip(ORDERS, FAULT)
    post.tick(29)
    assert not await post.safety.claim("o", "")
    assert await post.state() is State.OPEN


async def test_a_probe_passes_the_guard_and_any_other_order_does_not(post: Post) -> None:
    await post.safety.trip(ORDERS, FAULT)
    post.tick(30)
    assert await post.safety.claim("probe", "")
    assert await post.refused(proposal("probe")) == ()
    assert "one probe at a time" in (await post.refused(proposal("other")))[0]


async def test_a_probe_of_unknown_outcome_opens_again_for_twice_as_long(post: Post) -> None:
    await post.safety.trip(ORDERS, FAULT)
    post.tick(30)
    await post.safety.claim("probe", "")
    await post.safety.happened(proposal("probe"), Unknown("timeout"), QUICK)
    assert await post.state() is State.OPEN
    post.tick(59)
    assert not await post.safety.claim("next", "")
    post.tick(1)
    assert await post.safety.claim("next", "")


async def test_a_probe_that_the_venue_refuses_for_the_orders_sake_has_shown_that_it_answers(
    post: Post,
) -> None:
    await post.safety.trip(ORDERS, FAULT)
    post.tick(30)
    for number in range(3):
        await post.safety.claim(f"probe-{number}", "")
        await post.safety.happened(proposal(f"probe-{number}"), Rejected("insufficient_balance", "no"), QUICK)
    assert await post.state() is State.CLOSED


async def test_a_probe_that_was_refused_before_it_was_sent_is_free_again(post: Post) -> None:
    await post.safety.trip(ORDERS, FAULT)
    post.tick(30)
    was_probe = await post.safety.claim("probe", "")
    await post.safety.unclaim("probe", was_probe)
    assert await post.safety.claim("next", "")


async def test_the_outcome_of_another_order_says_nothing_about_the_probe(post: Post) -> None:
    await post.safety.trip(ORDERS, FAULT)
    post.tick(30)
    await post.safety.claim("probe", "")
    await post.safety.happened(proposal("other"), FILLED, QUICK)
    breaker = (await post.breakers.board()).of(ORDERS)
    assert (breaker.probe, breaker.passed) == ("probe", 0)


# --- what rests -------------------------------------------------------------------------------------------


async def test_after_a_refusal_both_sides_of_the_market_rest_for_a_minute(post: Post) -> None:
    await post.happened(Rejected("market_inactive", "closed"))
    [reason] = await post.refused()
    assert "market_inactive: closed" in reason
    post.tick(60)
    assert await post.refused() == ()


async def test_after_an_offer_that_was_gone_its_side_rests_for_a_moment(post: Post) -> None:
    await post.happened(MISSED)
    assert "the offer was gone" in (await post.refused())[0]
    assert await post.refused(replace(proposal(), side=proposal().side.other)) == ()
    post.tick(2)
    assert await post.refused() == ()


@pytest.mark.parametrize("outcome", [FILLED, Accepted("v", (), Quantity(100)), Rejected(CROSSED, "crossed")])
async def test_what_filled_or_rests_or_may_be_taken_instead_rests_nothing(
    post: Post, outcome: Outcome
) -> None:
    await post.happened(outcome)
    assert await post.refused() == ()


async def test_another_market_goes_on(post: Post) -> None:
    await post.happened(Rejected("market_inactive", "closed"))
    assert await post.refused(replace(proposal(), ticker=f"{TICKER}-OTHER")) == ()


# --- how much ---------------------------------------------------------------------------------------------


async def test_with_nothing_to_prove_there_is_no_cap(post: Post) -> None:
    assert await post.safety.cap() is None


async def test_a_new_version_buys_one_contract_until_it_has_proved_itself() -> None:
    post = Post(clean_fills=2)
    await post.stored.open(Usd(100 * DOLLAR))
    assert await post.safety.cap() == ONE_CONTRACT
    book, found = await post.stored.found()
    proved = replace(book, canary=Canary("v1/0", 2))
    await post.stored.batch([post.stored.write(proved, found)], proved)
    assert await post.safety.cap() is None


async def test_after_every_trip_it_has_to_be_proved_again() -> None:
    post = Post(clean_fills=2)
    await post.stored.open(Usd(100 * DOLLAR))
    book, found = await post.stored.found()
    proved = replace(book, canary=Canary("v1/0", 2))
    await post.stored.batch([post.stored.write(proved, found)], proved)
    await post.safety.trip("another-endpoint", FAULT)
    assert await post.safety.cap() == ONE_CONTRACT


async def test_while_the_endpoint_is_probed_one_contract_is_all(post: Post) -> None:
    await post.safety.trip(ORDERS, FAULT)
    assert await post.safety.cap() == ONE_CONTRACT
    guard = await post.safety.guard(proposal())
    assert guard.probing == (ORDERS,)


# --- a store that does not answer -------------------------------------------------------------------------


class Unreadable(MemoryDocuments):
    """Cannot be read any more."""

    async def get(self, path: str) -> Document | None:
        raise StorageError("the disk is on fire")


async def test_while_the_breakers_cannot_be_read_the_size_is_the_smallest_and_no_order_passes() -> None:
    post = Post(Unreadable())
    assert await post.safety.cap() == ONE_CONTRACT
    assert not await post.safety.claim("o", "")
    with pytest.raises(StorageError):
        await post.safety.guard(proposal())


async def test_an_account_that_is_stopped_refuses_by_its_own_reason(post: Post) -> None:
    post.account.waiting = "another executor holds the lease"
    assert (await post.safety.guard(proposal())).halted == "another executor holds the lease"
    post.account.halted = "ann: news"
    assert (await post.safety.guard(proposal())).halted == "ann: news"
