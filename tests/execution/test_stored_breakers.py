"""Stored breakers: one board for all executors, a trail without gaps, no trading when it is unreadable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.backends.memory.documents import MemoryDocuments
from shared.clock import DAY, SECOND, Instant, ManualClock
from shared.errors import MalformedError, StorageError
from shared.execution.breakers import PATH, Breakers, transitions
from shared.execution.guard import OrderGuard
from shared.ports import Document, Documents
from shared.risk.board import GLOBAL
from shared.risk.breaker import BreakerPolicy, Cause, Person, State, Transition
from shared.risk.cooldown import Cooldowns, market, opportunity
from shared.risk.tripwire import Trip, difference
from tests.risk.orders import MONDAY, ORDER, TICKER, proposal
from tests.support.backends import rng
from tests.support.stores import RestlessClock, ShakyDocuments

FAULT = Trip(Cause.FAILURES, "5 failures in a row")
ANN = Person("ann")
POLICY = BreakerPolicy(probes_to_close=1)


def breakers(documents: Documents, clock: ManualClock, name: str = "executor-1") -> Breakers:
    return Breakers(documents, clock, rng(1), name, POLICY)


@pytest.fixture
def documents() -> MemoryDocuments:
    return MemoryDocuments()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MONDAY)


async def test_what_one_executor_trips_stops_the_other(
    documents: MemoryDocuments, clock: ManualClock
) -> None:
    first, second = breakers(documents, clock), breakers(documents, clock, "executor-2")
    await first.trip("orders", FAULT)
    assert (await second.board()).stopped(["orders"]) == ("orders",)


async def test_a_trip_that_changes_nothing_is_told_once(
    documents: MemoryDocuments, clock: ManualClock
) -> None:
    made = breakers(documents, clock)
    assert len(await made.trip("orders", FAULT)) == 1
    assert await made.trip("orders", FAULT) == ()
    assert len(await transitions(documents)) == 1


async def test_every_transition_is_kept_with_reason_and_actor(
    documents: MemoryDocuments, clock: ManualClock
) -> None:
    made = breakers(documents, clock)
    await made.trip(GLOBAL, difference("cash differs"))
    await made.close(GLOBAL, ANN, "a deposit")
    await made.trip_by("orders", ANN, "maintenance")
    kept = await transitions(documents)
    assert [(one.breaker, one.after, one.reason, one.actor) for one in kept] == [
        (GLOBAL, State.OPEN, "cash differs", "executor-1"),
        (GLOBAL, State.CLOSED, "a deposit", "ann"),
        ("orders", State.OPEN, "maintenance", "ann"),
    ]


async def test_a_breaker_tripped_for_cause_outlives_restarts_and_midnights(
    documents: MemoryDocuments, clock: ManualClock
) -> None:
    await breakers(documents, clock).trip(GLOBAL, difference("cash differs"))
    clock.set(Instant(MONDAY + 30 * DAY))
    restarted = breakers(documents, clock)
    assert "a person must close it" in (await restarted.claim([], "probe")).refusals[0]


async def test_of_two_executors_one_probes(documents: MemoryDocuments, clock: ManualClock) -> None:
    first, second = breakers(documents, clock), breakers(documents, clock, "executor-2")
    await first.trip("orders", FAULT)
    clock.set(Instant(MONDAY + 30 * SECOND))
    assert (await first.claim(["orders"], "mine")).refusals == ()
    (reason,) = (await second.claim(["orders"], "yours")).refusals
    assert "one probe at a time" in reason
    await first.ended("mine")
    assert (await second.claim(["orders"], "yours")).refusals == ()


async def test_a_failed_probe_is_told_and_one_never_sent_is_given_back(
    documents: MemoryDocuments, clock: ManualClock
) -> None:
    made = breakers(documents, clock)
    await made.trip("orders", FAULT)
    clock.set(Instant(MONDAY + 30 * SECOND))
    await made.claim(["orders"], "mine")
    await made.unclaim("mine")
    assert (await made.claim(["orders"], "next")).refusals == ()
    (told,) = await made.ended("next", "timeout")
    assert (told.after, told.reason) == (State.OPEN, "timeout")


async def test_a_watcher_sees_another_executors_trip_at_once(
    documents: MemoryDocuments, clock: ManualClock
) -> None:
    watching, other = breakers(documents, clock), breakers(documents, clock, "executor-2")
    assert (await watching.board()).stopped([]) == ()
    following = asyncio.ensure_future(watching.follow())
    await asyncio.sleep(0)
    await other.trip(GLOBAL, FAULT)
    for _ in range(3):
        await asyncio.sleep(0)
    assert (await watching.board()).stopped([]) == (GLOBAL,)
    following.cancel()


async def test_an_old_board_is_read_again(documents: MemoryDocuments, clock: ManualClock) -> None:
    made, other = breakers(documents, clock), breakers(documents, clock, "executor-2")
    await made.board()
    await other.trip(GLOBAL, FAULT)
    assert (await made.board()).stopped([]) == ()
    clock.set(Instant(MONDAY + 6 * SECOND))
    assert (await made.board()).stopped([]) == (GLOBAL,)


class LateNews(MemoryDocuments):
    """Its watch tells once more of a state that has passed."""

    past: Document

    async def watch(self, collection: str) -> AsyncIterator[Document]:
        yield self.past
        await asyncio.Event().wait()


async def test_late_news_of_an_earlier_state_changes_nothing(clock: ManualClock) -> None:
    documents = LateNews()
    made = breakers(documents, clock)
    await made.trip("orders", FAULT)
    past = await documents.get(PATH)
    assert past is not None
    documents.past = past
    await made.trip(GLOBAL, FAULT)
    following = asyncio.ensure_future(made.follow())
    for _ in range(3):
        await asyncio.sleep(0)
    assert (await made.board()).stopped([]) == (GLOBAL,)
    following.cancel()


class Unreadable(MemoryDocuments):
    """Answers nothing."""

    async def get(self, path: str) -> Document | None:
        raise StorageError("disk is on fire")


async def test_breakers_that_cannot_be_read_are_an_error(clock: ManualClock) -> None:
    with pytest.raises(StorageError):
        await breakers(Unreadable(), clock).board()


async def test_a_damaged_board_is_an_error_and_a_watcher_forgets_what_it_knew(
    documents: MemoryDocuments, clock: ManualClock
) -> None:
    made = breakers(documents, clock)
    await made.trip("orders", FAULT)
    following = asyncio.ensure_future(made.follow())
    await asyncio.sleep(0)
    found = await documents.get(PATH)
    assert found is not None
    await documents.replace_if(PATH, {"breakers": 7}, found.version)
    for _ in range(3):
        await asyncio.sleep(0)
    with pytest.raises(MalformedError):
        await made.board()
    following.cancel()


async def test_the_guard_names_everything_in_the_way_of_an_order(
    documents: MemoryDocuments, clock: ManualClock
) -> None:
    made, cooldowns = breakers(documents, clock), Cooldowns()
    guard = OrderGuard(
        lambda: "ann: news", made, cooldowns, clock, ["orders"], "v1", lambda order_id: f"of {order_id}"
    )
    quiet = await guard(proposal())
    assert (quiet.halted, quiet.generation, quiet.open_breakers, quiet.cooling) == (
        "ann: news",
        "v1/0",
        (),
        (),
    )
    await made.trip("orders", FAULT)
    cooldowns.start(market(TICKER), Instant(MONDAY + SECOND), "slipped", MONDAY)
    cooldowns.start(opportunity(f"of {ORDER}"), Instant(MONDAY + SECOND), "stale", MONDAY)
    loud = await guard(proposal())
    assert (loud.generation, loud.probing) == ("v1/1", ("orders",))
    assert (len(loud.open_breakers), len(loud.cooling)) == (1, 2)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_many_executors_over_a_store_that_loses_races_leave_one_trail_without_gaps(seed: int) -> None:
    kept, stopped = asyncio.run(_trial(seed))
    for name in ("orders", "quotes", GLOBAL):
        mine = [one for one in kept if one.breaker == name]
        assert all(before.after is after.before for before, after in pairwise(mine))
        assert not mine or mine[0].before is State.CLOSED
        assert (name in stopped) == bool(mine and mine[-1].after is not State.CLOSED)


async def _trial(seed: int) -> tuple[list[Transition], tuple[str, ...]]:
    """Three executors trip, probe and close in turns of their own; gives the trail and what is open."""
    held, clock = MemoryDocuments(), RestlessClock(MONDAY)

    async def work(number: int) -> None:
        generator = rng(seed * 10 + number)
        made = Breakers(ShakyDocuments(held, generator), clock, generator, f"e{number}", POLICY)
        for turn in range(12):
            name = generator.choice(("orders", "quotes", GLOBAL))
            match generator.randrange(4):
                case 0:
                    await made.trip(name, FAULT)
                case 1:
                    await made.close(name, ANN, "looked")
                case _:
                    await clock.sleep(31)
                    await made.claim([name], f"{number}-{turn}")
                    await made.ended(f"{number}-{turn}", generator.choice(("", "timeout")))

    await asyncio.gather(*(work(number) for number in range(3)))
    board = await Breakers(held, clock, rng(0), "reader", POLICY).board()
    return await transitions(held), board.stopped(["orders", "quotes"])
