"""Orders through any news, in any order, told twice or late: no fill counts twice, and the end is the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.backends.memory.bus import DirectBus
from shared.backends.memory.documents import MemoryDocuments
from shared.clock import SECOND, Instant, ManualClock
from shared.execution.journal import Journal, News
from shared.execution.reservations import Reserved
from shared.messages import FillRecorded, Message, OrderUpdated
from shared.money import ONE, Price, Quantity, notional_up
from shared.orders.ledger import Fill, Ledger
from shared.orders.state import NEXT, TERMINAL, IllegalTransitionError
from shared.risk.book import Book
from shared.terms import OrderStatus, Result, Side
from tests.execution.conftest import signal
from tests.execution.desk import Desk
from tests.risk.orders import MONDAY, TICKER, cents, contracts, fill, proposal
from tests.support.backends import at_once

LIMIT = 60
SAID = [status for status in OrderStatus if status not in (OrderStatus.PENDING, OrderStatus.SUBMITTED)]


@dataclass
class Sent:
    """One order: the fills it has at the venue, those we were told of, and how it ended here."""

    side: Side
    size: int
    fills: list[Fill] = field(default_factory=list)
    booked: set[str] = field(default_factory=set)
    ended: OrderStatus | None = None

    @property
    def filled(self) -> int:
        """Lots filled at the venue."""
        return sum(one.quantity for one in self.fills)


class OrderMachine(RuleBasedStateMachine):
    """The model is a ledger that is told every fill once."""

    def __init__(self) -> None:
        super().__init__()
        self.clock, self.bus = ManualClock(MONDAY), DirectBus()
        self.heard: list[Message] = []
        for topic in (OrderUpdated.TOPIC, FillRecorded.TOPIC):
            self.bus.subscribe(topic, "test", self._hear)
        desk = at_once(Desk(MemoryDocuments(), self.clock).open())
        self.desk: Desk = desk
        # Two processes over one store, as before and after a restart.
        self.journals = [
            Journal(desk.executor(name, max_age_s=inf), self.bus, self.clock, "live")
            for name in ("one", "two")
        ]
        self.ledger = Ledger(at_once(desk.read()).deposits)
        self.sent: dict[str, Sent] = {}

    async def _hear(self, message: Message) -> None:
        self.heard.append(message)

    # --- what happens ---------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.sent) < 4)
    @rule(side=st.sampled_from(Side), size=st.integers(1, 5))
    def an_order_is_made(self, side: Side, size: int) -> None:
        """Durable, and on its way."""
        name = f"order-{len(self.sent) + 1}"
        order = proposal(name, LIMIT, size, self.clock.now(), side=side)
        answer = at_once(self.journals[0].intend(signal(ticker=TICKER), order, 0))
        assert isinstance(answer, Reserved)
        self.sent[name] = Sent(side, contracts(size))

    @precondition(lambda self: bool(self.sent))
    @rule(data=st.data(), price=st.integers(LIMIT - 9, LIMIT), size=st.integers(1, 3))
    def it_fills_at_the_venue(self, data: st.DataObject, price: int, size: int) -> None:
        """And nobody here knows yet."""
        name = data.draw(st.sampled_from(sorted(self.sent)))
        sent = self.sent[name]
        size = min(size, (sent.size - sent.filled) // 100)
        if size:
            sent.fills.append(fill(f"{name}-{len(sent.fills)}", price, size, side=sent.side))

    @precondition(lambda self: bool(self.sent))
    @rule(data=st.data(), status=st.sampled_from(SAID), counts=st.booleans(), process=st.integers(0, 1))
    def news_comes(self, data: st.DataObject, status: OrderStatus, counts: bool, process: int) -> None:
        """Of any state, with any of its fills, some of them again; with the venue's count or without."""
        name = data.draw(st.sampled_from(sorted(self.sent)))
        sent = self.sent[name]
        told = data.draw(st.lists(st.sampled_from(sent.fills), max_size=4)) if sent.fills else []
        before = at_once(self.desk.read()), at_once(self.desk.order(name))
        news = News(status, tuple(told), Quantity(sent.filled) if counts else None)
        try:
            answer = at_once(self.journals[process].record(name, news))
        except IllegalTransitionError:
            assert sent.ended is None
            assert (at_once(self.desk.read()), at_once(self.desk.order(name))) == before
            return
        new = {one.fill_id: one for one in told if one.fill_id not in sent.booked}
        assert {one.fill_id for one in answer.fills} == set(new)
        for one in new.values():
            self.ledger.record(one)
        sent.booked |= set(new)
        if sent.ended is None and status in TERMINAL:
            sent.ended = status

    @rule(seconds=st.integers(1, 100))
    def time_passes(self, seconds: int) -> None:
        """Nothing depends on it."""
        self.clock.set(Instant(self.clock.now() + seconds * SECOND))

    @rule(process=st.integers(0, 1), payout=st.just(ONE))
    def the_market_is_paid(self, process: int, payout: Price) -> None:
        """Also before its last fill was told: that one is paid by the next payout."""
        at_once(self.journals[process].settled(TICKER, payout, Result.YES))
        self.ledger.settle(TICKER, payout)

    # --- what must be true ----------------------------------------------------------------------------------

    @invariant()
    def the_money_is_the_ledgers(self) -> None:
        """And what the book holds adds up: reading it checks that."""
        book: Book = at_once(self.desk.read())
        assert (book.cash, book.fees, book.realized) == (
            self.ledger.cash,
            self.ledger.fees,
            self.ledger.realized,
        )
        held, known = book.holdings.get(TICKER), self.ledger.positions.get(TICKER)
        assert (held.position.quantity if held else 0) == (known.quantity if known else 0)
        assert book.open_cost == self.ledger.open_cost

    @invariant()
    def every_fill_stands_once_in_its_order(self) -> None:
        """And the order's own count is theirs."""
        for name, sent in self.sent.items():
            kept = at_once(self.journals[1].kept(name))
            assert kept is not None
            ids = [one.fill_id for one in kept.fills]
            assert sorted(ids) == sorted(sent.booked)
            assert kept.order.filled == sum(one.quantity for one in kept.fills)

    @invariant()
    def history_heard_of_every_fill_once(self) -> None:
        """With its own id."""
        told = [one.fill_id for one in self.heard if isinstance(one, FillRecorded)]
        assert sorted(told) == sorted(one for sent in self.sent.values() for one in sent.booked)

    @invariant()
    def an_end_is_the_end(self) -> None:
        """Whatever is told afterwards."""
        for name, sent in self.sent.items():
            kept = at_once(self.journals[0].kept(name))
            assert kept is not None
            assert (kept.order.status in TERMINAL) is (sent.ended is not None)
            if sent.ended is not None:
                assert kept.order.status is sent.ended

    @invariant()
    def every_state_followed_one_that_it_may_follow(self) -> None:
        """As history heard it."""
        last: dict[str, OrderStatus] = {}
        for message in self.heard:
            if not isinstance(message, OrderUpdated):
                continue
            before = last.get(message.order_id, OrderStatus.SUBMITTED)
            assert message.status is before or message.status in NEXT[before]
            last[message.order_id] = message.status

    @invariant()
    def what_may_still_fill_is_reserved(self) -> None:
        """Until it has ended, all of it; afterwards what the venue counts and has not shown."""
        reserved = at_once(self.desk.read()).reserved
        for name, sent in self.sent.items():
            booked = sum(one.quantity for one in sent.fills if one.fill_id in sent.booked)
            left = sent.size - booked
            held = reserved.get(name)
            if sent.ended is None and left:
                assert held is not None
                assert held.remaining == left
                assert held.risk >= notional_up(cents(LIMIT), held.remaining)
            elif held is not None:
                assert held.remaining <= left


TestOrders = OrderMachine.TestCase
TestOrders.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
