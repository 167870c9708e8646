"""Fills, endings and payouts in the risk book, against a second set of books and against the account."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.clock import SECOND, Instant
from shared.errors import MalformedError
from shared.money import LOTS, ONE, Price, Quantity, Usd
from shared.orders.ledger import Fill
from shared.orders.state import TERMINAL
from shared.risk.book import Book, decode_book, encode_book
from shared.risk.bookkeeping import Booked, Marks, Paid, book_order, decode_marks, decode_paid, marks_of, pay
from shared.risk.controls import CONTROLS, Proposal, risk_of
from shared.risk.gate import Gate
from shared.terms import OrderStatus, Side
from tests.risk.orders import (
    EVENT,
    GENERATION,
    MONDAY,
    ORDER,
    TICKER,
    cents,
    contracts,
    fill,
    new_book,
    proposal,
    reserved,
)
from tests.support.limits import DOLLAR, LIMITS

OPEN = sorted(set(OrderStatus) - TERMINAL)


def booked(status: OrderStatus, *fills: Fill, filled: int | None = None) -> Booked:
    """What one order of ten contracts becomes."""
    book, marks = reserved()
    said = None if filled is None else contracts(filled)
    return book_order(book, ORDER, marks, status, fills, said, MONDAY)


def again(step: Booked, status: OrderStatus, *fills: Fill) -> Booked:
    return book_order(step.book, ORDER, step.marks, status, fills, None, MONDAY)


def test_a_filled_order_becomes_a_position_and_frees_its_reservation() -> None:
    step = booked(OrderStatus.FILLED, fill(price=49))
    assert step.book.reserved == {}
    assert step.book.cash == 10_000 * DOLLAR - 4_900_000 - 200_000
    assert step.book.holdings[TICKER].position.cost == 4_900_000
    assert step.book.view(EVENT, "NFL", MONDAY).event_quantity == contracts(10)
    assert step.differences == ()


def test_a_partial_fill_keeps_the_rest_reserved() -> None:
    book = booked(OrderStatus.PARTIAL, fill(size=4)).book
    assert book.reserved[ORDER].remaining == contracts(6)
    assert book.reserved_risk + book.open_cost == 5_200_000 - 80_000


def test_the_same_fill_again_changes_nothing() -> None:
    step = booked(OrderStatus.PARTIAL, fill(size=4))
    repeated = again(step, OrderStatus.PARTIAL, fill(size=4))
    assert (repeated.book, repeated.marks, repeated.fills) == (step.book, step.marks, ())


def test_one_fill_told_twice_at_once_is_one_fill() -> None:
    assert booked(OrderStatus.PARTIAL, fill(size=4), fill(size=4)).marks.filled == contracts(4)


@pytest.mark.parametrize("status", sorted(TERMINAL - {OrderStatus.FILLED}))
def test_an_order_that_ended_without_a_fill_frees_everything(status: OrderStatus) -> None:
    assert booked(status).book.reserved == {}


@pytest.mark.parametrize("status", OPEN)
def test_an_order_that_has_not_ended_frees_nothing(status: OrderStatus) -> None:
    assert booked(status).book.reserved_risk == 5_200_000


def test_what_the_venue_says_has_filled_stays_reserved_until_its_fills_are_here() -> None:
    step = booked(OrderStatus.CANCELED, fill(size=4), filled=7)
    assert step.book.reserved[ORDER].remaining == contracts(3)
    done = again(step, OrderStatus.CANCELED, fill("fill-2", size=3))
    assert done.book.reserved == {}
    assert done.marks.filled == contracts(7)


def test_an_order_called_filled_is_not_free_before_all_its_fills_are_here() -> None:
    step = booked(OrderStatus.FILLED, fill(size=4))
    assert step.book.reserved[ORDER].remaining == contracts(6)
    assert again(step, OrderStatus.FILLED, fill("fill-2", size=6)).book.reserved == {}


def test_a_fill_that_comes_after_the_end_is_booked_all_the_same() -> None:
    late = again(booked(OrderStatus.CANCELED), OrderStatus.CANCELED, fill(size=2))
    assert late.book.holdings[TICKER].position.quantity == contracts(2)
    assert late.book.holdings[TICKER].sport == "NFL"
    assert late.book.view(EVENT, "NFL", MONDAY).event_quantity == contracts(2)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (fill(price=51), "fill fill-1 paid more than the limit"),
        (fill(size=11), "filled 11.00 of 10.00 contracts"),
        (fill(fee=Usd(200_001)), "fees $0.200001, budget $0.20"),
    ],
)
def test_a_fill_beyond_what_was_asked_is_booked_and_told(made: Fill, said: str) -> None:
    step = booked(OrderStatus.PARTIAL, made)
    assert said in step.differences
    assert TICKER in step.book.holdings


def test_a_venue_that_says_fewer_than_its_fills_is_told() -> None:
    (said,) = booked(OrderStatus.CANCELED, fill(size=4), filled=3).differences
    assert said == "the venue says 3.00 filled, its fills say 4.00"


@pytest.mark.parametrize("change", [{"ticker": "ANOTHER"}, {"side": Side.NO}, {"quantity": Quantity(0)}])
def test_a_fill_that_is_not_of_this_order_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(MalformedError, match="fill-1"):
        booked(OrderStatus.PARTIAL, replace(fill(), **change))  # type: ignore[arg-type]


def test_a_clean_fill_counts_towards_the_canary_when_the_order_has_ended() -> None:
    assert booked(OrderStatus.PARTIAL, fill(size=4)).book.canary.clean == 0
    assert booked(OrderStatus.CANCELED, fill(size=4)).book.canary.clean == 1
    assert booked(OrderStatus.CANCELED).book.canary.clean == 0


def test_an_order_that_was_once_unknown_is_no_clean_fill() -> None:
    step = again(booked(OrderStatus.UNKNOWN), OrderStatus.FILLED, fill())
    assert step.book.canary.clean == 0


def test_buying_the_other_side_pays_a_dollar_a_pair_and_counts_the_loss_at_once() -> None:
    step = booked(OrderStatus.FILLED, fill())
    other = proposal("order-2", price=60, side=Side.NO)
    book, marks = reserved(other, step.book)
    step = book_order(
        book, "order-2", marks, OrderStatus.FILLED, [fill("2", price=60, side=Side.NO)], None, MONDAY
    )
    assert step.book.holdings[TICKER].position.quantity == 0
    assert step.book.pnl_today == -1_000_000 - 400_000


def paid_out(book: Book, payout: Price, paid: Paid | None = None) -> tuple[Book, Paid]:
    step = pay(book, TICKER, payout, paid, MONDAY)
    assert step is not None
    return step[0], step[1]


def test_a_payout_frees_the_risk_and_counts_the_result() -> None:
    book = booked(OrderStatus.FILLED, fill()).book
    won, _ = paid_out(book, ONE)
    lost, _ = paid_out(book, Price(0))
    assert (won.cash, won.consecutive_losses) == (10_000 * DOLLAR + 5_000_000 - 200_000, 0)
    assert (lost.cash, lost.consecutive_losses) == (10_000 * DOLLAR - 5_200_000, 1)
    assert lost.view(EVENT, "NFL", MONDAY).lost_today == 5_200_000
    assert won.holdings == lost.holdings == {}


def test_a_market_is_paid_once() -> None:
    book, paid = paid_out(booked(OrderStatus.FILLED, fill()).book, ONE)
    assert pay(book, TICKER, ONE, paid, MONDAY) is None


def test_a_market_that_was_never_held_pays_nothing() -> None:
    assert pay(new_book(), TICKER, ONE, None, MONDAY) is None


def test_a_fill_that_comes_after_the_payout_is_paid_too() -> None:
    step = booked(OrderStatus.CANCELED, fill(size=4), filled=10)
    book, paid = paid_out(step.book, ONE)
    late = book_order(book, ORDER, step.marks, OrderStatus.CANCELED, [fill("2", size=6)], None, MONDAY)
    book, paid = paid_out(late.book, ONE, paid)
    assert (paid.quantity, paid.revenue) == (contracts(10), 10_000_000)
    assert book.cash == 10_000 * DOLLAR + 5_000_000 - 200_000


def test_a_corrected_payout_pays_the_difference() -> None:
    before = booked(OrderStatus.FILLED, fill()).book
    book, paid = paid_out(before, ONE)
    corrected, paid = paid_out(book, Price(0), paid)
    assert corrected.cash == paid_out(before, Price(0))[0].cash
    assert corrected.pnl_today == paid_out(before, Price(0))[0].pnl_today
    assert paid.revenue == 0


def test_a_scalar_payout_is_rounded_down_to_the_micro_dollar() -> None:
    book, _ = paid_out(booked(OrderStatus.CANCELED, fill(quantity=Quantity(33))).book, Price(333_333))
    assert book.cash == 10_000 * DOLLAR - 165_000 - 200_000 + 333_333 * 33 // LOTS


def test_a_loss_before_a_person_resumed_ends_no_run() -> None:
    book = booked(OrderStatus.FILLED, fill()).book.resumed(Instant(MONDAY + SECOND))
    assert paid_out(book, Price(0))[0].consecutive_losses == 0


@pytest.mark.parametrize("value", [None, {}, {"account": "main"}, {"payout_yes": "1"}])
def test_marks_that_make_no_sense_are_an_error(value: object) -> None:
    with pytest.raises(MalformedError):
        decode_marks(value)
    with pytest.raises(MalformedError):
        decode_paid(value)


# --- a second set of books ----------------------------------------------------------------------------------


@dataclass
class Sent:
    """One order as the venue and the second set of books know it."""

    proposal: Proposal
    marks: Marks
    status: OrderStatus = OrderStatus.SUBMITTED
    fills: list[Fill] = field(default_factory=list)
    untold: list[Fill] = field(default_factory=list)

    @property
    def filled(self) -> int:
        return sum(one.quantity for one in self.fills)

    @property
    def left(self) -> int:
        return self.proposal.quantity - self.filled

    @property
    def worst(self) -> int:
        """Most that this order may still cost: the venue may fill the rest at its limit and full budget."""
        fees = sum(one.fee for one in self.fills)
        may_fill = 0 if self.status in TERMINAL else self.left
        budget = self.marks.budget - fees if may_fill else 0
        untold = sum(one.price * one.quantity // LOTS + one.fee for one in self.untold)
        return self.proposal.limit * may_fill // LOTS + budget + untold


class BookMachine(RuleBasedStateMachine):
    """Orders fill in pieces, news of them comes late, twice and in any order; the limits hold throughout."""

    def __init__(self) -> None:
        super().__init__()
        self.limits = replace(
            LIMITS,
            max_daily_loss=Usd(100 * DOLLAR),
            max_quantity_per_event=contracts(160),
            max_sport_share_basis_points=9_000,
            max_trades_per_day=10_000,
            max_orders_per_minute=10_000,
            min_order_gap_ms=0,
            max_consecutive_losses=1_000,
        )
        self.gate, self.book, self.now = Gate(self.limits, CONTROLS), new_book(200), MONDAY
        self.sent: dict[str, Sent] = {}
        self.paid: dict[str, tuple[Price, Paid]] = {}
        self.count = 0

    @rule(
        ticker=st.sampled_from(("A-1-X", "A-1-Y", "B-1-X")),
        side=st.sampled_from(Side),
        price=st.integers(5, 95),
        size=st.integers(1, 60),
    )
    def reserve(self, ticker: str, side: Side, price: int, size: int) -> None:
        if ticker in self.paid:
            return
        self.count += 1
        risk = risk_of(cents(price), contracts(size), Usd(size * 20_000))
        asked = Proposal(
            f"order-{self.count}",
            ticker,
            ticker[:3],
            ticker[0],
            side,
            cents(price),
            contracts(size),
            risk,
            self.now,
        )
        view = self.book.view(asked.event, asked.sport, self.now)
        if self.gate.judge(asked, view).approved:
            self.book = self.book.reserve(asked, "t", GENERATION, 1)
            self.sent[asked.client_order_id] = Sent(asked, marks_of(asked, "main", "t"))

    @precondition(lambda self: any(one.left and one.status not in TERMINAL for one in self.sent.values()))
    @rule(data=st.data(), better=st.integers(0, 4), fee=st.integers(0, 20_000))
    def the_venue_fills(self, data: st.DataObject, better: int, fee: int) -> None:
        order = data.draw(
            st.sampled_from([s for s in self.sent.values() if s.left and s.status not in TERMINAL])
        )
        if order.proposal.ticker in self.paid:
            return
        self.count += 1
        quantity = Quantity(data.draw(st.integers(1, order.left // LOTS)) * LOTS)
        price = Price(max(10_000, order.proposal.limit - better * 10_000))
        made = Fill(
            f"fill-{self.count}",
            order.proposal.ticker,
            order.proposal.event_ticker,
            order.proposal.side,
            price,
            quantity,
            Usd(fee * quantity // LOTS),
        )
        order.fills.append(made)
        order.untold.append(made)

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), ends=st.sampled_from((None, OrderStatus.CANCELED, OrderStatus.UNKNOWN)))
    def news(self, data: st.DataObject, ends: OrderStatus | None) -> None:
        """Some fills, old and new, with the venue's own count; the order may have ended meanwhile."""
        order_id = data.draw(st.sampled_from(sorted(self.sent)))
        order = self.sent[order_id]
        if order.status not in TERMINAL:
            order.status = ends or OrderStatus.PARTIAL
            if order.status is OrderStatus.CANCELED and not order.left:
                order.status = OrderStatus.FILLED
        told = data.draw(st.lists(st.sampled_from(order.fills))) if order.fills else []
        said = Quantity(order.filled) if order.status in TERMINAL else None
        step = book_order(self.book, order_id, order.marks, order.status, told, said, self.now)
        assert not step.differences
        self.book, order.marks = step.book, step.marks
        order.untold = [one for one in order.untold if one not in told]

    @precondition(lambda self: self.book.holdings)
    @rule(data=st.data(), payout=st.sampled_from((Price(0), Price(500_000), ONE)))
    def a_market_pays(self, data: st.DataObject, payout: Price) -> None:
        ticker = data.draw(st.sampled_from(sorted(self.book.holdings)))
        before = self.paid.get(ticker)
        for order in self.sent.values():
            if order.proposal.ticker == ticker and order.status not in TERMINAL:
                return  # the venue cancels what rests before it pays
        step = pay(self.book, ticker, payout, before[1] if before else None, self.now)
        assert step is not None
        self.book, self.paid[ticker] = step[0], (payout, step[1])

    @rule(seconds=st.sampled_from((-100, 1, 50_000)))
    def the_clock_moves(self, seconds: int) -> None:
        self.now = Instant(self.now + seconds * SECOND)

    @invariant()
    def reserved_covers_the_worst_that_can_still_come(self) -> None:
        for order_id, order in self.sent.items():
            held = self.book.reserved.get(order_id)
            assert (held.risk if held else 0) >= order.worst

    @invariant()
    def nothing_stays_reserved_that_cannot_be_spent(self) -> None:
        spending = {
            order_id for order_id, order in self.sent.items() if order.untold or order.status not in TERMINAL
        }
        assert set(self.book.reserved) <= spending

    @invariant()
    def cash_is_what_was_put_in_and_earned_less_what_is_open(self) -> None:
        told = [one for order in self.sent.values() for one in order.fills if one not in order.untold]
        spent = sum(one.price * one.quantity // LOTS + one.fee for one in told)
        received = sum(self._received(ticker, told) for ticker in {one.ticker for one in told})
        assert self.book.cash == 200 * DOLLAR - spent + received

    def _received(self, ticker: str, told: list[Fill]) -> int:
        """A dollar for each pair, or the payout of everything but what is held again since."""
        yes, no = (
            sum(one.quantity for one in told if one.ticker == ticker and one.side is side) for side in Side
        )
        if ticker not in self.paid:
            return min(yes, no) * ONE // LOTS
        payout = self.paid[ticker][0]
        held = self.book.holdings.get(ticker)
        unpaid = held.position.quantity if held else 0
        return (payout * (yes - max(unpaid, 0)) + (ONE - payout) * (no - max(-unpaid, 0))) // LOTS

    @invariant()
    def a_stored_book_is_the_same_book(self) -> None:
        assert decode_book(encode_book(self.book)) == self.book


TestBook = BookMachine.TestCase
TestBook.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
