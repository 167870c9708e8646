"""Paper against any books and orders: it never takes more than stands there, and nothing twice."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.books.book import OrderBook
from shared.clock import SECOND, Instant, ManualClock
from shared.execution.gateway import Accepted, Rejected
from shared.execution.paper import PaperGateway
from shared.money import Price
from shared.terms import Side
from tests.execution.conftest import SCHEDULE, START, TICKER, cents, contracts
from tests.execution.test_paper import order
from tests.execution.test_paper_resting import resting
from tests.support.backends import at_once

ASKS = st.dictionaries(st.integers(51, 56), st.integers(1, 80), max_size=4)


@dataclass
class Resting:
    """An order that rests: lots it still wants, and has filled."""

    side: Side
    limit: Price
    wanted: int
    venue_order_id: str
    filled: int = 0


class PaperMachine(RuleBasedStateMachine):
    """The model is what anybody could see: sizes at prices, and what was filled there since they appeared."""

    def __init__(self) -> None:
        super().__init__()
        self.book, self.clock = OrderBook(TICKER), ManualClock(START)
        self.paper = PaperGateway(lambda _: self.book, lambda _: SCHEDULE, self.clock, latency_s=0)
        self.standing: dict[tuple[Side, Price], int] = {}
        self.filled: dict[tuple[Side, Price], int] = {}
        self.orders, self.at = 0, int(START)
        self.rests: dict[str, Resting] = {}

    @rule(yes=ASKS, no=ASKS)
    def book_moves(self, yes: dict[int, int], no: dict[int, int]) -> None:
        """Offers of YES and of NO become these; both stand above 50c, so they never cross."""
        self.at += SECOND
        yes_bids = [(cents(100 - price), contracts(size)) for price, size in no.items()]
        no_bids = [(cents(100 - price), contracts(size)) for price, size in yes.items()]
        self.book.apply_snapshot(yes_bids, no_bids, Instant(self.at))
        self.paper.book_changed(TICKER)
        offers = ((Side.YES, yes), (Side.NO, no))
        self.standing = {
            (side, cents(price)): contracts(size) for side, levels in offers for price, size in levels.items()
        }
        self.filled = {level: taken for level, taken in self.filled.items() if level in self.standing}
        for one in self.rests.values():
            self.offers_come_to(one)

    def offers_come_to(self, one: Resting) -> None:
        """What a resting order gets: offers at its price or better, cheapest first, each size once."""
        for (side, price), size in sorted(self.standing.items(), key=lambda level: level[0][1]):
            if side is one.side and price <= one.limit:
                level = (side, price)
                got = max(0, min(one.wanted, size - self.filled.get(level, 0)))
                self.filled[level] = self.filled.get(level, 0) + got
                one.wanted, one.filled = one.wanted - got, one.filled + got

    @rule(side=st.sampled_from(Side), limit=st.integers(45, 57), size=st.integers(1, 100))
    def an_order_comes_to_rest(self, side: Side, limit: int, size: int) -> None:
        """It rests, unless it would take."""
        self.orders += 1
        name = f"order-{self.orders}"
        left = [
            price
            for (of, price), standing in self.standing.items()
            if of is side and standing > self.filled.get((of, price), 0)
        ]
        outcome = at_once(self.paper.place(resting(limit, size, name, side)))
        if left and min(left) <= cents(limit):
            assert isinstance(outcome, Rejected)
            return
        assert isinstance(outcome, Accepted)
        assert (outcome.fills, outcome.remaining) == ((), contracts(size))
        self.rests[name] = Resting(side, cents(limit), contracts(size), outcome.venue_order_id)

    @rule(data=st.data())
    def one_that_rests_is_withdrawn(self, data: st.DataObject) -> None:
        """Once or again."""
        if self.rests:
            one = self.rests[data.draw(st.sampled_from(sorted(self.rests)))]
            one.wanted = 0
            at_once(self.paper.cancel(one.venue_order_id, TICKER))

    @invariant()
    def what_rests_has_filled_what_came_to_it(self) -> None:
        """At its own price."""
        for name, one in self.rests.items():
            outcome = at_once(self.paper.resolve(resting(order_id=name).proposal))
            assert isinstance(outcome, Accepted)
            assert sum(fill.quantity for fill in outcome.fills) == one.filled
            assert {fill.price for fill in outcome.fills} <= {one.limit}
            assert outcome.remaining == one.wanted

    @rule()
    def book_crosses_for_a_moment(self) -> None:
        """A delta that crosses, then one that mends it: no level has left."""
        if all(side is Side.NO for side, _ in self.standing):
            return  # nothing to cross
        for change in (contracts(5), -contracts(5)):
            self.book.apply_delta(Side.YES, cents(60), change, Instant(self.at))  # type: ignore[arg-type]
            self.paper.book_changed(TICKER)

    @rule(side=st.sampled_from(Side), limit=st.integers(45, 57), size=st.integers(1, 100))
    def an_order_comes(self, side: Side, limit: int, size: int) -> None:
        self.orders += 1
        outcome = at_once(self.paper.place(order(limit, size, f"order-{self.orders}", side)))
        assert isinstance(outcome, Accepted)
        assert sum(fill.quantity for fill in outcome.fills) <= contracts(size)
        prices = [fill.price for fill in outcome.fills]
        assert prices == sorted(prices)
        for fill in outcome.fills:
            assert fill.price <= cents(limit)
            level = (side, fill.price)
            self.filled[level] = self.filled.get(level, 0) + fill.quantity
            assert self.filled[level] <= self.standing[level]

    @rule(side=st.sampled_from(Side))
    def the_same_id_comes_again(self, side: Side) -> None:
        if self.orders:
            outcome = at_once(self.paper.place(order(56, 10, f"order-{self.orders}", side)))
            assert isinstance(outcome, Rejected)

    @invariant()
    def what_is_shown_is_what_can_still_be_taken(self) -> None:
        shown = self.paper.book_of(TICKER)
        assert shown is not None
        left = {level: size - self.filled.get(level, 0) for level, size in self.standing.items()}
        seen = {(side, price): size for side in Side for price, size in shown.asks(side)}
        assert seen == {level: size for level, size in left.items() if size > 0}


TestPaper = PaperMachine.TestCase
TestPaper.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
