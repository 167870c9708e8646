"""How a signal is worked: how often, how far up, how long, and what is kept of one that came to nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.backends.memory.documents import MemoryDocuments
from shared.clock import MINUTE, SECOND, Instant
from shared.errors import ConflictError, RetryLaterError, StorageError
from shared.execution.assemble import Execution
from shared.execution.gateway import Accepted, Outcome, Rejected, Unknown
from shared.execution.policy import OrderPolicy
from shared.messages import FillRecorded, OrderUpdated, PriceRange, SignalRaised
from shared.money import Price, Quantity, Usd, complement
from shared.orders.intent import client_order_id
from shared.ports import Document, Value, Write
from shared.risk.board import GLOBAL
from shared.risk.breaker import Cause, State
from shared.risk.controls import Proposal
from shared.risk.tripwire import Trip
from shared.terms import OrderStatus, Side
from tests.execution.conftest import SCHEDULE, START, TICKER, cents, contracts, signal
from tests.execution.desk import UNHURRIED
from tests.execution.house import CASH, House, Venue, fill_of, leased

QUICK = OrderPolicy(max_attempts=3, retry_gap_s=1.0, max_slippage=cents(2))


def fills(size: int, at: int = 50) -> object:
    """An answer: ``size`` contracts filled at ``at`` cents."""

    def answer(order: Proposal) -> Outcome:
        return Accepted("v", (fill_of(order, f"{order.client_order_id}-f", at, size),), Quantity(0))

    return answer


class Desk:
    """One executor under a policy, and its venue."""

    def __init__(self, documents: MemoryDocuments | None = None) -> None:
        self.house = House(documents=documents or MemoryDocuments())
        self.venue = Venue()
        self.execution: Execution

    async def open(self, policy: OrderPolicy = QUICK, holder: str = "one") -> Desk:
        self.execution = await self.house.opened(self.venue, leased(orders=policy, holder=holder))
        return self

    async def work(self, given: SignalRaised | None = None) -> None:
        await self.execution.executor.on_signal(given or signal(), SCHEDULE)

    async def look(self, seconds: float = 3) -> None:
        """The best offer has become larger by one contract, ``seconds`` later."""
        self.house.tick(seconds)
        book = self.house.books.get(TICKER)
        if book is not None and (best := book.best_ask(Side.YES)):
            book.apply_delta(Side.NO, complement(best[0]), contracts(1), self.house.clock.now())
        await self.execution.executor.on_book(TICKER)

    @property
    def watch(self) -> object:
        return self.execution.executor.watched.get(TICKER)

    @property
    def reason(self) -> str:
        return self.execution.executor.watched[TICKER].last_reason

    def told(self, status: OrderStatus) -> list[tuple[str, ...]]:
        """Reasons of orders that were told in this state."""
        return [one.reasons for one in self.house.said(OrderUpdated) if one.status is status]


@pytest.fixture
async def desk() -> Desk:
    return await Desk().open()


# --- again and again, within bounds -----------------------------------------------------------------------


async def test_what_is_left_is_tried_again_with_an_id_of_its_own(desk: Desk) -> None:
    desk.venue.answers.append(fills(30))  # type: ignore[arg-type]
    await desk.work()
    await desk.look()
    assert [(one.client_order_id, one.quantity) for one in desk.venue.placed] == [
        (client_order_id("signal-1", 0, 0), contracts(70)),
        (client_order_id("signal-1", 0, 1), contracts(70)),
    ]


async def test_the_same_offers_are_not_sent_for_twice(desk: Desk) -> None:
    await desk.work()
    desk.house.tick(60)
    await desk.execution.begin(CASH)
    await desk.execution.executor.on_book(TICKER)
    assert len(desk.venue.placed) == 1
    assert desk.reason == "the offers are those that the last order was sent to take"
    await desk.look()
    assert len(desk.venue.placed) == 2


async def test_between_two_orders_there_is_a_gap(desk: Desk) -> None:
    await desk.work()
    await desk.look(0.5)
    assert len(desk.venue.placed) == 1
    assert desk.reason == "waiting between two orders"


async def test_no_order_is_dearer_than_the_signals_limit(desk: Desk) -> None:
    await desk.work()
    desk.house.asks((53, 100))
    await desk.look()
    assert len(desk.venue.placed) == 1
    desk.house.asks((51, 100))
    await desk.look()
    assert [one.limit for one in desk.venue.placed] == [cents(52), cents(52)]


async def test_after_enough_attempts_a_signal_is_done(desk: Desk) -> None:
    await desk.work()
    for _ in range(5):
        await desk.look()
    assert (len(desk.venue.placed), desk.watch) == (3, None)


async def test_a_restart_grants_no_further_attempts() -> None:
    desk = await Desk().open()
    await desk.work()
    for _ in range(5):
        await desk.look()
    desk.house.tick(20)
    again = await Desk.open(desk, holder="two")
    await again.work()
    for _ in range(5):
        await again.look()
    assert (len(desk.venue.placed), desk.watch) == (3, None)


async def test_an_offer_that_runs_away_is_not_followed(desk: Desk) -> None:
    desk.house.asks((48, 10))
    await desk.work()
    desk.house.asks((51, 100))
    await desk.look()
    assert len(desk.venue.placed) == 1
    assert desk.watch is None


async def test_an_offer_that_moves_less_is_followed(desk: Desk) -> None:
    desk.house.asks((50, 10))
    await desk.work()
    desk.house.asks((52, 100))
    await desk.look()
    assert len(desk.venue.placed) == 2


async def test_an_order_that_got_a_better_price_shows_it_in_its_fills(desk: Desk) -> None:
    desk.venue.answers.append(fills(30, at=47))  # type: ignore[arg-type]
    await desk.work()
    [fill] = desk.house.said(FillRecorded)
    assert (fill.price, desk.venue.placed[0].limit) == (cents(47), cents(52))


async def test_a_refusal_by_the_venue_ends_the_signal_and_rests_the_market(desk: Desk) -> None:
    desk.venue.answers.append(Rejected("market_inactive", "the market is closed"))
    await desk.work()
    assert desk.told(OrderStatus.REJECTED) == [("market_inactive: the market is closed",)]
    await desk.work(signal(signal_id="signal-2"))
    assert len(desk.venue.placed) == 1
    assert "market_inactive" in desk.told(OrderStatus.REJECTED)[-1][0]


async def test_a_newer_signal_has_its_own_attempts(desk: Desk) -> None:
    await desk.work()
    desk.house.tick(3)
    await desk.work(signal(signal_id="signal-2", observed_at=desk.house.clock.now()))
    assert desk.venue.placed[1].client_order_id == client_order_id("signal-2", 0, 0)


# --- outcomes that come late ------------------------------------------------------------------------------


async def test_an_outcome_that_becomes_known_unblocks_its_market_and_the_signal_goes_on(desk: Desk) -> None:
    desk.venue.answers.append(Unknown("timeout"))
    await desk.work()
    order_id = desk.venue.placed[0].client_order_id
    desk.venue.standing[order_id] = fills(30)  # type: ignore[assignment]
    await desk.execution.executor.resolve()
    assert desk.execution.executor.blocked == {}
    await desk.look()
    assert desk.venue.placed[1].quantity == contracts(70)
    assert desk.execution.account.positions[TICKER].quantity == contracts(30)


async def test_a_signal_goes_on_from_what_the_store_says_its_orders_filled(desk: Desk) -> None:
    desk.venue.answers.append(fills(30))  # type: ignore[arg-type]
    await desk.work(signal(quantity=contracts(60)))
    desk.venue.answers.append(Unknown("timeout"))
    await desk.look()
    desk.venue.standing[desk.venue.placed[1].client_order_id] = fills(20)  # type: ignore[assignment]
    await desk.execution.executor.resolve()
    await desk.look()
    assert desk.venue.placed[2].quantity == contracts(10)


async def test_while_the_venue_cannot_say_the_market_stays_blocked_with_the_reason(desk: Desk) -> None:
    desk.venue.answers.append(Unknown("timeout"))
    await desk.work()
    desk.venue.standing[desk.venue.placed[0].client_order_id] = Unknown("not listed at 12:00; look again")
    await desk.execution.executor.resolve()
    await desk.look()
    assert desk.execution.executor.blocked == {TICKER: "not listed at 12:00; look again"}
    assert len(desk.venue.placed) == 1


async def test_an_order_found_never_to_have_arrived_sets_its_money_free(desk: Desk) -> None:
    desk.venue.answers.append(Unknown("timeout"))
    await desk.work()
    desk.venue.standing[desk.venue.placed[0].client_order_id] = Rejected("never_arrived", "not known")
    await desk.execution.executor.resolve()
    assert (desk.execution.account.reserved, desk.execution.executor.blocked) == (0, {})


class Failing(MemoryDocuments):
    """Refuses the next batch that changes an order that is there, once ``fails`` is set."""

    fails: Exception | None = None

    async def batch(self, writes: Sequence[Write]) -> list[int]:
        error, self.fails = self.fails, None
        if error is not None:
            raise error
        return await super().batch(writes)


async def test_an_outcome_that_could_not_be_booked_is_asked_for_and_booked_later() -> None:
    documents = Failing()
    desk = await Desk(documents).open()

    async def breaks() -> None:
        documents.fails = StorageError("the disk is full")

    desk.venue.while_placing = breaks
    desk.venue.answers.append(fills(30))  # type: ignore[arg-type]
    await desk.work()
    assert "could not be booked: the disk is full" in desk.execution.executor.blocked[TICKER]
    assert TICKER not in desk.execution.account.positions
    desk.venue.standing[desk.venue.placed[0].client_order_id] = fills(30)  # type: ignore[assignment]
    await desk.execution.executor.resolve()
    assert desk.execution.account.positions[TICKER].quantity == contracts(30)
    assert desk.execution.executor.blocked == {}


async def test_an_order_that_a_lone_executor_finds_under_way_is_asked_about_as_it_was_sent() -> None:
    desk = await Desk().open()
    desk.venue.answers.append(Unknown("timeout"))
    await desk.work()
    [sent] = desk.venue.placed
    desk.house.tick(600)
    desk.house.asks((50, 10))
    alone = desk.house.executor(desk.venue, leased(is_alone=True, holder="two", max_age_s=10_000.0))
    later = signal(expires_at=Instant(START + 60 * MINUTE))
    await alone.executor.on_signal(later, SCHEDULE)
    [asked] = alone.executor.unresolved.values()
    assert (asked.at, asked.quantity) == (sent.at, sent.quantity)


async def test_a_race_that_the_intent_loses_is_run_again() -> None:
    documents = Failing()
    desk = await Desk(documents).open()
    documents.fails = ConflictError("somebody was faster")
    working = asyncio.ensure_future(desk.work())
    for _ in range(20):
        await desk.house.clock.advance(0.01)
    await asyncio.wait_for(working, 1)
    assert len(desk.venue.placed) == 1


# --- a probe that is not sent -----------------------------------------------------------------------------


async def test_a_probe_that_a_halt_kept_from_going_out_is_free_for_the_next_order(desk: Desk) -> None:
    breakers = desk.execution.safety.breakers
    await breakers.trip("kalshi-orders", Trip(Cause.FAILURES, "5 failures in a row"))
    desk.house.tick(30)
    await desk.execution.begin(CASH)
    batch = desk.house.documents.batch

    async def halting(writes: Sequence[Write]) -> list[int]:
        versions = await batch(writes)
        if any(write.path.startswith("orders/") for write in writes):
            desk.execution.account.halted = "ann: news"
        return versions

    desk.house.documents.batch = halting  # type: ignore[method-assign]
    await desk.work()
    assert desk.venue.placed == []
    breaker = (await breakers.board()).of("kalshi-orders")
    assert (breaker.state, breaker.probe) == (State.HALF_OPEN, "")


# --- what came to nothing ---------------------------------------------------------------------------------


def refused(desk: Desk) -> tuple[str, ...]:
    [reasons] = desk.told(OrderStatus.REJECTED)
    return reasons


async def test_a_signal_that_expires_unworked_is_kept_with_why(desk: Desk) -> None:
    desk.house.books.clear()
    await desk.work()
    for _ in range(31):
        await desk.look(10)
        await desk.execution.begin(CASH)
    assert refused(desk) == (
        "the signal has expired",
        "no live book: not seen yet, or the market is halted",
    )
    assert desk.watch is None


async def test_a_signal_whose_game_begins_is_dropped_and_kept_with_why(desk: Desk) -> None:
    desk.house.asks((60, 10))
    await desk.work(signal(starts_at=Instant(START + 10 * SECOND)))
    await desk.look(10)
    assert refused(desk)[0].startswith("the game has started")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"expires_at": START}, "the signal has expired"),
        ({"limit": Price(525_000)}, "off_grid: 0.5250 is no price of this market; list it again"),
        ({"limit": Price(0)}, "off_grid: 0.0000 is no price"),
        ({"limit": Price(1_000_000)}, "off_grid: 1.0000 is no price"),
        ({"limit": Price(-10_000)}, "off_grid: -0.0100 is no price"),
        ({"quantity": Quantity(50)}, "too_small: 0.50 contracts, an order is one whole contract or more"),
        ({"quantity": Quantity(0)}, "too_small: 0.00 contracts"),
        ({"quantity": Quantity(-100)}, "too_small: -1.00 contracts"),
    ],
)
async def test_a_signal_that_no_order_can_come_of_is_refused_with_what_is_wrong(
    desk: Desk, changes: Value, reason: str
) -> None:
    await desk.work(signal(**changes))
    assert desk.venue.placed == []
    assert desk.watch is None
    assert refused(desk)[0].startswith(reason)


async def test_a_limit_on_a_markets_own_finer_grid_is_good(desk: Desk) -> None:
    fine = (PriceRange(start=Price(0), end=Price(1_000_000), step=Price(1_000)),)
    await desk.work(signal(limit=Price(525_000), price_ranges=fine))
    assert [one.limit for one in desk.venue.placed] == [Price(525_000)]


async def test_everything_wrong_with_a_signal_is_told_at_once(desk: Desk) -> None:
    await desk.work(signal(limit=Price(525_000), quantity=Quantity(1)))
    assert [reason.partition(":")[0] for reason in refused(desk)] == ["off_grid", "too_small"]


async def test_a_standby_leaves_it_to_the_holder_to_say_why(desk: Desk) -> None:
    second = desk.house.executor(Venue(), leased(holder="two"))
    await second.executor.on_signal(signal(quantity=Quantity(1)), SCHEDULE)
    assert desk.told(OrderStatus.REJECTED) == []


async def test_a_store_that_fails_when_a_signal_ends_costs_its_reason_and_no_more() -> None:
    class Deaf(MemoryDocuments):
        async def get(self, path: str) -> Document | None:
            if path.startswith("orders/"):
                raise RetryLaterError("the store does not answer")
            return await super().get(path)

    desk = await Desk(Deaf()).open()
    await desk.work(signal(quantity=Quantity(0)))
    assert (desk.told(OrderStatus.REJECTED), desk.watch) == ([], None)


async def test_a_signal_with_an_order_is_not_told_as_refused_when_it_expires(desk: Desk) -> None:
    desk.venue.answers.append(fills(30))  # type: ignore[arg-type]
    await desk.work()
    desk.house.tick(400)
    again = await Desk.open(desk, holder="two")
    await again.work()
    await again.look(1)
    assert desk.told(OrderStatus.REJECTED) == []


async def test_limits_that_allow_nothing_refuse_by_name(desk: Desk) -> None:
    nothing = leased(replace(UNHURRIED, max_risk_per_trade=Usd(0)), holder="two")
    await desk.execution.trader.resign()
    execution = await desk.house.opened(desk.venue, nothing)
    await execution.executor.on_signal(signal(), SCHEDULE)
    assert desk.venue.placed == []
    assert "risk limit per trade" in execution.executor.watched[TICKER].last_reason


async def test_all_trading_stops_when_an_order_fills_more_than_it_asked_for(desk: Desk) -> None:
    desk.venue.answers.append(fills(80))  # type: ignore[arg-type]
    await desk.work()
    board = await desk.execution.safety.breakers.board()
    assert board.of(GLOBAL).state is State.OPEN
    assert "filled 80.00 of 70.00 contracts" in board.of(GLOBAL).reason
