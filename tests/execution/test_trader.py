"""The trader: who may act, since when, and what is asked before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from shared.backends.memory.documents import MemoryDocuments
from shared.clock import SECOND, Instant, ManualClock
from shared.errors import RetryLaterError, StorageError, VenueDownError
from shared.execution.assemble import Execution, Rules
from shared.execution.gateway import Accepted, Rejected, Unknown
from shared.messages import OrderUpdated, SignalRaised
from shared.money import Quantity
from shared.orders.intent import client_order_id
from shared.ports import Document, Value, Write
from shared.terms import OrderStatus
from tests.execution.conftest import SCHEDULE, START, TICKER, contracts, signal
from tests.execution.house import CASH, House, Venue, fill_of, leased, statement

ONE, TWO = leased(holder="one"), leased(holder="two")
OTHER = f"{TICKER}-OTHER"


async def work(execution: Execution, given: SignalRaised | None = None) -> None:
    await execution.executor.on_signal(given or signal(), SCHEDULE)


class Moody(MemoryDocuments):
    """Fails while ``fails`` is set."""

    fails: Exception | None = None

    async def get(self, path: str) -> Document | None:
        if self.fails is not None:
            raise self.fails
        return await super().get(path)


# --- taking the lease -------------------------------------------------------------------------------------


async def test_an_executor_that_finds_the_lease_free_takes_it_and_trades() -> None:
    house, venue = House(), Venue()
    execution = await house.opened(venue, ONE)
    assert (execution.account.waiting, execution.trader.authority.epoch()) == ("", 1)
    await work(execution)
    assert len(venue.placed) == 1


async def test_a_second_executor_waits_and_sends_nothing() -> None:
    house, venue = House(), Venue()
    await house.opened(Venue(), ONE)
    second = await house.opened(venue, TWO)
    await work(second)
    assert venue.placed == []
    assert "another executor holds it" in second.executor.watched[TICKER].last_reason


async def test_a_standby_says_why_it_waits_as_soon_as_it_is_refused_the_lease() -> None:
    house = House()
    await house.opened(Venue(), ONE)
    second = house.executor(Venue(), TWO)
    await second.trader.renew()
    assert second.account.waiting == "another executor holds the lease"


async def test_a_standby_asks_the_venue_nothing() -> None:
    house, venue = House(), Venue()
    await house.opened(Venue(), ONE)
    venue.said = VenueDownError("it was asked")
    second = await house.opened(venue, TWO)
    await second.trader.reconcile()


async def test_a_signal_that_a_standby_heard_is_worked_once_it_acts() -> None:
    house, venue = House(), Venue()
    first = await house.opened(Venue(), ONE)
    second = await house.opened(venue, TWO)
    await work(second)
    await first.trader.resign()
    await second.begin(CASH)
    await second.executor.on_book(TICKER)
    assert len(venue.placed) == 1


# --- losing it --------------------------------------------------------------------------------------------


async def test_a_term_that_was_not_renewed_ends_by_the_holders_own_clock() -> None:
    house, venue = House(), Venue()
    execution = await house.opened(venue, ONE)
    house.tick(15)
    await work(execution)
    assert venue.placed == []
    assert execution.executor.watched[TICKER].attempt == 0


async def test_a_turn_after_the_term_says_that_there_is_no_lease() -> None:
    house = House()
    execution = await house.opened(Venue(), ONE)
    house.tick(15)
    await execution.trader.turn()
    assert execution.account.waiting.startswith("no lease")


async def test_renewing_in_time_keeps_the_epoch_and_the_right_to_act() -> None:
    house = House()
    execution = await house.opened(Venue(), ONE)
    for _ in range(10):
        house.tick(5)
        await execution.trader.renew()
    assert execution.trader.authority.epoch() == 1


async def test_a_store_that_fails_at_a_renewal_costs_nothing_before_the_term_ends() -> None:
    documents = Moody()
    house, venue = House(documents=documents), Venue()
    execution = await house.opened(venue, ONE)
    house.tick(5)
    documents.fails = RetryLaterError("the store does not answer")
    await execution.trader.renew()
    assert execution.trader.authority.epoch() == 1
    house.tick(10)
    assert execution.trader.authority.epoch() is None


async def test_a_holder_whose_term_lapsed_recovers_under_a_new_epoch_before_it_acts_again() -> None:
    house = House()
    execution = await house.opened(Venue(), ONE)
    house.tick(15)
    await execution.trader.renew()
    assert (execution.trader.authority.epoch(), execution.account.waiting) == (None, "recovering")
    await execution.trader.turn()
    await execution.trader.reconcile()
    await execution.trader.turn()
    assert execution.trader.authority.epoch() == 2
    assert (await execution.stored.read()).epoch == 2


async def test_a_renewal_while_the_trader_turns_does_not_take_the_right_to_act() -> None:
    house, venue = House(), Venue()
    execution = await house.opened(venue, ONE)
    proposal = await unknown_order(house, execution, venue)

    def renewing(_: object) -> Unknown:
        # What the lease's own loop does while the venue is asked.
        term = execution.trader.authority.term
        assert term is not None
        execution.trader.authority.term = type(term)(term.holder, term.epoch, Instant(term.expires_at + 1))
        return Unknown("still no answer")

    venue.standing[proposal] = renewing
    await execution.trader.turn()
    assert execution.trader.authority.epoch() == 1


async def unknown_order(house: House, execution: Execution, venue: Venue) -> str:
    """An order whose outcome nobody knows; its id."""
    venue.answers.append(Unknown("timeout"))
    await work(execution)
    return venue.placed[-1].client_order_id


async def test_a_lease_lost_while_the_venue_was_asked_is_not_overlooked() -> None:
    house, venue = House(), Venue()
    execution = await house.opened(venue, ONE)
    order_id = await unknown_order(house, execution, venue)

    def losing(_: object) -> Unknown:
        execution.trader.authority.term = None
        return Unknown("still no answer")

    venue.standing[order_id] = losing
    await execution.trader.turn()
    assert not execution.trader.authority.is_ready


# --- taking over ------------------------------------------------------------------------------------------


async def test_another_takes_over_after_the_term_and_the_margin_between_clocks() -> None:
    house = House()
    await house.opened(Venue(), ONE)
    second = await house.opened(Venue(), TWO)
    house.tick(16.9)
    await second.trader.renew()
    assert second.trader.authority.term is None
    house.tick(0.1)
    await second.begin(CASH)
    assert second.trader.authority.epoch() == 2


async def test_who_does_not_know_yet_that_it_lost_the_lease_can_reserve_nothing() -> None:
    house, venue = House(), Venue()
    first = await house.opened(venue, ONE)
    await house.executor(Venue(), TWO).stored.fence(2)
    await work(first)
    assert venue.placed == []
    assert "lease: epoch 1 is over, 2 acts now" in house.said(OrderUpdated)[-1].reasons


async def test_a_clock_so_slow_that_two_think_they_hold_the_lease_is_refused_by_the_book() -> None:
    house, venue = House(), Venue()
    slow = ManualClock(START)
    first = await house.opened(venue, ONE, clock=slow)
    house.tick(17)
    second = await house.opened(Venue(), TWO)
    assert (first.trader.authority.epoch(), second.trader.authority.epoch()) == (1, 2)
    house.books[TICKER].touch(slow.now())
    await work(first)
    assert venue.placed == []
    assert "a clock is wrong" in house.said(OrderUpdated)[-1].reasons[0]


async def test_authority_lost_between_intent_and_send_rejects_the_order_unsent() -> None:
    house, venue = House(), Venue()
    documents = Halfway(house.documents)
    execution = await house.opened(venue, ONE, documents=documents)
    documents.then = lambda: setattr(execution.trader.authority, "is_ready", False)
    await work(execution)
    assert venue.placed == []
    [order] = await house.documents.query("orders")
    assert order.value["order"]["status"] == OrderStatus.REJECTED
    assert "the lease was lost before the order was sent" in order.value["order"]["reasons"][0]
    assert execution.account.reserved == 0


class Halfway(MemoryDocuments):
    """Over another store; calls ``then`` once, after an order's intent has become durable."""

    then: Any = None

    def __init__(self, held: Any) -> None:
        super().__init__()
        self._real = held
        for name in ("get", "create", "query", "replace_if"):
            setattr(self, name, getattr(held, name))

    async def batch(self, writes: Sequence[Write]) -> list[int]:
        versions: list[int] = await self._real.batch(writes)
        then, self.then = self.then, None
        if then is not None and any(write.path.startswith("orders/") for write in writes):
            then()
        return versions


async def test_what_the_last_holder_left_unfinished_is_asked_for_before_anything_is_sent() -> None:
    house, gone, venue = House(), Venue(), Venue()
    first = await house.opened(gone, ONE)
    order_id = await unknown_order(house, first, gone)
    venue.standing[order_id] = lambda order: Accepted("v", (fill_of(order, "f", 50, 30),), Quantity(0))
    house.tick(17)
    second = await house.opened(venue, TWO)
    house.asks((50, 500))
    await work(second)
    assert venue.log[0] == f"resolve {order_id}"
    assert [entry.partition(" ")[0] for entry in venue.log].count("place") == 1
    assert venue.placed[0].quantity == contracts(70)


async def test_an_order_still_unknown_blocks_its_own_market_and_no_other() -> None:
    house, gone, venue = House(), Venue(), Venue()
    house.asks((50, 30), ticker=OTHER)
    first = await house.opened(gone, ONE)
    await unknown_order(house, first, gone)
    house.tick(17)
    second = await house.opened(venue, TWO)
    await work(second)
    await work(second, signal(signal_id="signal-2", ticker=OTHER))
    assert [order.ticker for order in venue.placed] == [OTHER]


async def test_an_intent_that_was_never_sent_gives_its_money_back_to_the_next_holder() -> None:
    house, venue = House(), Venue()
    documents = Halfway(house.documents)
    first = await house.opened(Venue(), ONE, documents=documents)

    def dies() -> None:
        raise SystemExit

    documents.then = dies
    with pytest.raises(SystemExit):
        await work(first)
    venue.standing[client_order_id("signal-1")] = Rejected("never_arrived", "the venue does not know it")
    house.tick(17)
    second = await house.opened(venue, TWO)
    assert (second.account.reserved, second.executor.blocked) == (0, {})


async def test_a_recovery_that_cannot_read_an_order_lets_nobody_act() -> None:
    house, gone = House(), Venue()
    first = await house.opened(gone, ONE)
    await unknown_order(house, first, gone)
    [order] = await house.documents.query("orders")
    damaged: Value = order.value | {"proposal": None}
    await house.documents.replace_if(order.path, damaged, order.version)
    house.tick(17)
    second = house.executor(Venue(), TWO)
    await second.trader.renew()
    with pytest.raises(StorageError, match="restore a backup"):
        await second.trader.turn()
    assert second.trader.authority.epoch() is None


# --- the start-up gate ------------------------------------------------------------------------------------


class Doctor:
    """Finds what it is told to find, and counts how often it was asked."""

    def __init__(self, *findings: str) -> None:
        self.findings, self.asked = findings, 0

    async def __call__(self) -> Sequence[str]:
        self.asked += 1
        return self.findings


async def test_until_everything_is_green_nothing_is_sent_and_the_reasons_are_told() -> None:
    house, venue, doctor = House(), Venue(), Doctor("clock: 12 s ahead, synchronise it with NTP")
    execution = await house.opened(venue, ONE, examine=doctor)
    await work(execution)
    assert venue.placed == []
    assert execution.executor.watched[TICKER].last_reason == doctor.findings[0]


async def test_while_something_is_red_it_is_looked_at_again_twice_a_minute() -> None:
    house, doctor = House(), Doctor("keys: read only")
    execution = await house.opened(Venue(), ONE, examine=doctor)
    assert doctor.asked == 1
    for _ in range(30):
        house.tick(1)
        await execution.trader.renew()
        await execution.trader.turn()
    assert doctor.asked == 2


async def test_what_was_green_once_is_not_asked_again_in_the_same_epoch() -> None:
    house, doctor = House(), Doctor()
    execution = await house.opened(Venue(), ONE, examine=doctor)
    for _ in range(100):
        house.tick(1)
        await execution.trader.renew()
        await execution.trader.turn()
    assert doctor.asked == 1


async def test_a_new_epoch_passes_the_gate_anew() -> None:
    house, doctor = House(), Doctor()
    execution = await house.opened(Venue(), ONE, examine=doctor)
    house.tick(20)
    doctor.findings = ("balance: no cash on shard 3",)
    await execution.begin(CASH)
    assert execution.trader.authority.epoch() is None
    assert execution.account.waiting == "balance: no cash on shard 3"


async def test_a_gate_that_cannot_be_asked_stays_shut() -> None:
    async def unreachable() -> Sequence[str]:
        raise VenueDownError("no connection")

    house = House()
    execution = house.executor(Venue(), ONE, examine=unreachable)
    await execution.stored.open(CASH)
    await execution.trader.renew()
    with pytest.raises(VenueDownError):
        await execution.trader.turn()
    assert execution.trader.authority.epoch() is None


async def test_what_rests_is_withdrawn_even_while_nothing_may_be_sent() -> None:
    house, gone, venue = House(), Venue(), Venue()
    first = await house.opened(gone, ONE)
    order_id = await unknown_order(house, first, gone)
    house.tick(17)

    def canceled(_: str) -> None:
        venue.standing[order_id] = Accepted("v-1", (), Quantity(0))

    venue.standing[order_id] = lambda order: Accepted("v-1", (), order.quantity)
    venue.on_cancel = canceled
    second = await house.opened(venue, TWO, examine=Doctor("keys: read only"))
    assert venue.canceled == ["v-1"]
    assert second.account.reserved == 0
    assert second.trader.authority.epoch() is None


# --- the venue agrees -------------------------------------------------------------------------------------


async def test_nothing_is_sent_before_the_venue_has_agreed_with_the_book() -> None:
    house, venue = House(), Venue()
    venue.said = statement(Instant(START - 60 * SECOND))  # older than what we know
    execution = await house.opened(venue, ONE)
    await work(execution)
    assert venue.placed == []
    assert execution.account.waiting == "the venue has not agreed with the book yet"
    venue.said = statement(house.clock.now())
    await execution.trader.reconcile()
    await execution.trader.turn()
    await execution.executor.on_book(TICKER)
    assert len(venue.placed) == 1


async def test_that_the_venue_agreed_with_an_earlier_epoch_is_not_enough() -> None:
    house, venue = House(), Venue()
    venue.said = statement(Instant(START + SECOND * 3))
    execution = await house.opened(venue, ONE)
    assert execution.trader.authority.epoch() == 1
    house.tick(60)
    venue.said = VenueDownError("no connection")
    await execution.trader.renew()
    await execution.trader.turn()
    assert execution.trader.authority.epoch() is None
    assert execution.account.waiting == "the venue has not agreed with the book yet"


async def test_a_venue_out_of_reach_at_the_start_leaves_the_executor_waiting_not_dead() -> None:
    house, venue = House(), Venue()
    await house.executor(venue, ONE).stored.open(CASH)
    venue.said = VenueDownError("no connection")
    execution = await house.opened(venue, ONE)
    assert execution.account.waiting == "the venue has not agreed with the book yet"


# --- leaving ----------------------------------------------------------------------------------------------


async def test_who_resigns_sends_nothing_more_and_another_acts_at_once() -> None:
    house, venue = House(), Venue()
    first = await house.opened(venue, ONE)
    await first.trader.resign()
    await work(first)
    assert venue.placed == []
    second = await house.opened(Venue(), TWO)
    assert second.trader.authority.epoch() == 2


async def test_who_resigns_without_the_lease_leaves_it_to_its_holder() -> None:
    house = House()
    first = await house.opened(Venue(), ONE)
    second = await house.opened(Venue(), TWO)
    await second.trader.resign()
    assert first.trader.authority.epoch() == 1
    third = house.executor(Venue(), Rules(ONE.limits, ONE.quotes, ONE.safety, holder="three"))
    await third.trader.renew()
    assert third.trader.authority.term is None
