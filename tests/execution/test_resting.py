"""Maker first: an order rests one tick below the offer for a while, then what is left is taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from shared.clock import SECOND, Instant
from shared.errors import VenueDownError
from shared.execution.assemble import Execution
from shared.execution.gateway import Accepted, Outcome, Rejected, Unknown
from shared.execution.policy import OrderPolicy
from shared.fees.kalshi import FeeSchedule
from shared.messages import FillRecorded, OrderUpdated, PriceRange, SignalRaised
from shared.money import ONE, Price, Quantity
from shared.orders.ledger import Fill
from shared.risk.board import GLOBAL
from shared.risk.breaker import State
from shared.risk.controls import Proposal
from shared.terms import OrderStatus
from tests.execution.conftest import SCHEDULE, TICKER, cents, contracts, signal
from tests.execution.house import House, Venue, fill_of, leased

POLICY = OrderPolicy(rests_first=True, rest_s=5.0, partial_rest_s=3.0)


@dataclass
class Desk:
    """An executor that rests first, and an order that rests at its venue."""

    house: House = field(default_factory=House)
    venue: Venue = field(default_factory=Venue)
    fills: list[Fill] = field(default_factory=list)
    rests: bool = True
    policy: OrderPolicy = POLICY

    async def open(self) -> Desk:
        self.execution: Execution = await self.house.opened(self.venue, leased(orders=self.policy))
        self.venue.answers.append(self._placed)
        self.venue.on_cancel = lambda _: setattr(self, "rests", False)
        return self

    def _placed(self, order: Proposal) -> Outcome:
        self.venue.standing[order.client_order_id] = self._stands
        return self._stands(order)

    def _stands(self, order: Proposal) -> Outcome:
        left = order.quantity - sum(fill.quantity for fill in self.fills)
        return Accepted("v-1", tuple(self.fills), Quantity(left if self.rests else 0))

    def fills_while_resting(self, name: str, size: int) -> None:
        """Somebody sells to the order that rests."""
        self.fills.append(fill_of(self.order, name, 49, size))

    @property
    def order(self) -> Proposal:
        """The first order sent."""
        return self.venue.placed[0]

    async def work(self, given: SignalRaised | None = None, schedule: FeeSchedule = SCHEDULE) -> None:
        """Begin with a signal; the order rests when this returns."""
        self.working = asyncio.ensure_future(self.execution.executor.on_signal(given or signal(), schedule))
        await self.passes(0)

    async def passes(self, seconds: float) -> None:
        """Time passes, and everybody who waits for it runs."""
        for step in [0.5] * int(seconds * 2) or [0.0]:
            await self.house.clock.advance(step)
            for _ in range(20):
                await asyncio.sleep(0)
        self.house.books[TICKER].touch(self.house.clock.now())

    async def done(self) -> None:
        """The first order has come to its end."""
        await asyncio.wait_for(self.working, 1)

    @property
    def statuses(self) -> list[OrderStatus]:
        """States of the first order, as told."""
        order_id = self.order.client_order_id
        return [one.status for one in self.house.said(OrderUpdated) if one.order_id == order_id]

    @property
    def held(self) -> int:
        """Lots held."""
        position = self.execution.account.positions.get(TICKER)
        return position.quantity if position else 0


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    made = await Desk().open()
    yield made
    if hasattr(made, "working"):
        made.working.cancel()


async def test_the_first_order_rests_one_tick_below_the_offer(desk: Desk) -> None:
    await desk.work()
    assert (desk.order.limit, desk.order.rests) == (cents(49), True)
    assert desk.statuses == [OrderStatus.PENDING, OrderStatus.RESTING]


async def test_it_rests_at_the_next_price_of_the_markets_own_grid(desk: Desk) -> None:
    fine = PriceRange(start=Price(0), end=cents(10), step=Price(1_000))
    coarse = PriceRange(start=cents(10), end=ONE, step=cents(1))
    await desk.work(signal(price_ranges=(fine, coarse)))
    assert desk.order.limit == cents(49)


async def test_while_it_rests_no_second_order_goes_to_its_market(desk: Desk) -> None:
    await desk.work()
    desk.house.asks((48, 100))
    await desk.execution.executor.on_book(TICKER)
    assert len(desk.venue.placed) == 1


async def test_one_that_fills_whole_while_it_rests_is_done(desk: Desk) -> None:
    await desk.work(signal(quantity=contracts(10)))
    desk.fills_while_resting("f-1", 10)
    await desk.passes(5)
    await desk.done()
    assert (desk.held, desk.statuses[-1]) == (contracts(10), OrderStatus.FILLED)
    assert TICKER not in desk.execution.executor.watched


async def test_one_that_fills_nothing_is_withdrawn_and_the_offer_is_taken(desk: Desk) -> None:
    await desk.work()
    await desk.passes(5)
    assert desk.venue.canceled == ["v-1"]
    assert desk.statuses[-1] is OrderStatus.CANCELED
    await desk.execution.executor.on_book(TICKER)
    assert [(order.limit, order.rests) for order in desk.venue.placed] == [
        (cents(49), True),
        (cents(52), False),
    ]


async def test_before_its_time_is_over_it_is_left_alone(desk: Desk) -> None:
    await desk.work()
    await desk.passes(4.5)
    assert desk.venue.canceled == []


async def test_one_that_has_begun_to_fill_waits_a_little_longer(desk: Desk) -> None:
    await desk.work()
    desk.fills_while_resting("f-1", 3)
    await desk.passes(5)
    assert (desk.venue.canceled, desk.statuses[-1]) == ([], OrderStatus.PARTIAL)
    assert desk.held == contracts(3)
    await desk.passes(3)
    assert desk.venue.canceled == ["v-1"]


async def test_what_filled_in_parts_is_counted_once_and_whole(desk: Desk) -> None:
    await desk.work(signal(quantity=contracts(20)))
    desk.fills_while_resting("f-1", 3)
    await desk.passes(5)
    desk.fills_while_resting("f-2", 2)
    await desk.passes(3)
    await desk.done()
    assert desk.held == contracts(5)
    assert len({one.fill_id for one in desk.house.said(FillRecorded)}) == 2
    assert desk.execution.executor.watched[TICKER].wanted == contracts(15)


async def test_a_signal_that_rested_in_part_takes_only_what_is_left_of_it(desk: Desk) -> None:
    await desk.work(signal(quantity=contracts(20)))
    desk.fills_while_resting("f-1", 12)
    await desk.passes(8)
    await desk.done()
    await desk.execution.executor.on_book(TICKER)
    assert desk.venue.placed[1].quantity == contracts(8)


async def test_its_money_stays_reserved_for_what_may_still_fill(desk: Desk) -> None:
    await desk.work(signal(quantity=contracts(20)))
    whole = desk.execution.account.reserved
    desk.fills_while_resting("f-1", 12)
    await desk.passes(5)
    assert 0 < desk.execution.account.reserved < whole
    await desk.passes(3)
    assert desk.execution.account.reserved == 0


async def test_a_fill_worse_than_its_limit_stops_all_trading_while_it_still_rests(desk: Desk) -> None:
    await desk.work(signal(quantity=contracts(20)))
    desk.fills.append(fill_of(desk.order, "f-1", 51, 3))
    await desk.passes(5)
    board = await desk.execution.safety.breakers.board()
    assert board.of(GLOBAL).state is State.OPEN


async def test_an_order_that_would_have_taken_is_taken_instead(desk: Desk) -> None:
    desk.venue.answers.clear()
    desk.venue.answers.append(Rejected("post_only_cross", "it would have taken, and may only rest"))
    await desk.work()
    await desk.done()
    await desk.passes(1)
    await desk.execution.executor.on_book(TICKER)
    assert [order.rests for order in desk.venue.placed] == [True, False]


async def test_a_cancel_nobody_answers_leaves_it_unknown_and_its_money_reserved(desk: Desk) -> None:
    await desk.work()

    def unreachable(_: str) -> None:
        raise VenueDownError("no connection")

    desk.venue.on_cancel = unreachable
    await desk.passes(5)
    await desk.done()
    assert "no connection" in desk.execution.executor.blocked[TICKER]
    assert desk.execution.account.reserved > 0
    desk.venue.on_cancel = lambda _: setattr(desk, "rests", False)
    await desk.execution.executor.resolve()
    assert (desk.execution.executor.blocked, desk.execution.account.reserved) == ({}, 0)


async def test_one_still_listed_as_resting_after_its_cancel_is_unknown(desk: Desk) -> None:
    await desk.work()
    desk.venue.on_cancel = lambda _: None
    await desk.passes(9)
    await desk.done()
    assert "is still listed as resting" in desk.execution.executor.blocked[TICKER]
    assert desk.statuses[-1] is OrderStatus.UNKNOWN


async def test_a_cancel_that_shows_a_moment_later_is_waited_for(desk: Desk) -> None:
    await desk.work()
    desk.venue.on_cancel = lambda _: None
    await desk.passes(5)
    desk.rests = False
    await desk.passes(1)
    await desk.done()
    assert desk.statuses[-1] is OrderStatus.CANCELED
    assert desk.execution.executor.blocked == {}


async def test_a_fill_that_beat_the_cancel_counts(desk: Desk) -> None:
    await desk.work(signal(quantity=contracts(20)))

    def raced(_: str) -> None:
        desk.fills_while_resting("f-1", 7)
        desk.rests = False

    desk.venue.on_cancel = raced
    await desk.passes(5)
    await desk.done()
    assert desk.held == contracts(7)
    assert desk.execution.executor.watched[TICKER].wanted == contracts(13)


async def test_the_end_of_the_process_withdraws_what_rests_at_once(desk: Desk) -> None:
    await desk.work()
    desk.execution.executor.end()
    await desk.passes(0)
    await desk.done()
    assert desk.venue.canceled == ["v-1"]
    assert (desk.statuses[-1], desk.execution.account.reserved) == (OrderStatus.CANCELED, 0)


async def test_a_restart_withdraws_what_the_last_process_left_resting() -> None:
    desk = await Desk().open()
    await desk.work(signal(quantity=contracts(20)))
    desk.fills_while_resting("f-1", 4)
    desk.working.cancel()
    await asyncio.gather(desk.working, return_exceptions=True)
    desk.house.tick(17)
    again = await desk.house.opened(desk.venue, leased(holder="two", orders=POLICY))
    assert desk.venue.canceled == ["v-1"]
    assert again.account.positions[TICKER].quantity == contracts(4)
    assert (again.account.reserved, again.executor.blocked) == (0, {})


async def test_an_order_that_rested_on_paper_ends_with_its_process() -> None:
    desk = await Desk().open()
    await desk.work(signal(quantity=contracts(20)))
    desk.fills_while_resting("f-1", 4)
    await desk.passes(5)
    desk.working.cancel()
    await asyncio.gather(desk.working, return_exceptions=True)
    paper = Venue()
    paper.mode = "paper"
    paper.standing[desk.order.client_order_id] = Rejected("never_arrived", "the process ended")
    desk.house.tick(17)
    again = await desk.house.opened(paper, leased(holder="two"))
    assert (again.account.reserved, again.executor.blocked) == (0, {})
    assert again.account.positions[TICKER].quantity == contracts(4)
    kept = await again.journal.kept(desk.order.client_order_id)
    assert kept is not None
    assert kept.order.status is OrderStatus.CANCELED


async def test_an_order_the_venue_had_taken_is_not_believed_never_to_have_arrived() -> None:
    desk = await Desk().open()
    await desk.work(signal(quantity=contracts(20)))
    desk.working.cancel()
    await asyncio.gather(desk.working, return_exceptions=True)
    desk.venue.standing[desk.order.client_order_id] = Rejected("never_arrived", "the venue does not know it")
    desk.house.tick(17)
    again = await desk.house.opened(desk.venue, leased(holder="two"))
    assert again.account.reserved > 0
    assert "had taken it" in again.executor.blocked[TICKER]


async def test_a_halt_while_it_rests_withdraws_it(desk: Desk) -> None:
    await desk.work()
    desk.execution.account.halted = "ann: news"
    await desk.passes(1)
    await desk.done()
    assert desk.venue.canceled == ["v-1"]


async def test_a_lost_lease_while_it_rests_withdraws_it(desk: Desk) -> None:
    await desk.work()
    desk.execution.trader.authority.term = None
    await desk.passes(1)
    await desk.done()
    assert desk.venue.canceled == ["v-1"]


async def test_an_unknown_outcome_of_a_resting_order_is_withdrawn_when_it_is_found(desk: Desk) -> None:
    desk.venue.answers.clear()
    desk.venue.answers.append(Unknown("timeout"))
    await desk.work()
    await desk.done()
    desk.venue.standing[desk.order.client_order_id] = desk._stands
    await desk.execution.executor.resolve()
    assert desk.venue.canceled == ["v-1"]
    assert desk.execution.executor.blocked == {}


async def test_its_time_is_that_of_the_policy() -> None:
    desk = await Desk(policy=OrderPolicy(rests_first=True, rest_s=1.0)).open()
    await desk.work()
    await desk.passes(1)
    await desk.done()
    assert desk.venue.canceled == ["v-1"]
    assert desk.house.clock.now() - desk.order.at == Instant(SECOND)
