"""Paper gateway: fills only against size really on the live book, less what it already took, after latency.

A resting order fills only when somebody offers at its price or better: being first in the queue is never
assumed, so paper earns no spread that a live order would have waited for.

A limit order never fills worse than its limit; each level fills at its own price, so price improvement shows.
What paper took stays taken until the level leaves the book: otherwise every look at the same resting order
would fill again, which is how paper profits that live trading never sees are made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from shared.books.book import BookState, OrderBook
from shared.clock import Clock, Instant
from shared.execution.gateway import CROSSED, Accepted, Outcome, Rejected, Statement, Unknown
from shared.fees.kalshi import FeeSchedule, OrderFees
from shared.ids import digest
from shared.money import Price, Quantity, complement
from shared.orders.ledger import Fill
from shared.risk.controls import Proposal
from shared.risk.gate import ApprovedOrder
from shared.terms import Side

Level = tuple[Side, Price]


class PaperGateway:
    """Fills immediate-or-cancel orders from books it can see.

    Args:
        book_of: live book of a ticker, ``None`` when it is not held.
        schedule_of: fee schedule of a ticker, ``None`` when unknown.
        latency_s: time between sending and the exchange's match, seconds of ``clock``.
    """

    mode = "paper"

    def __init__(
        self,
        book_of: Callable[[str], OrderBook | None],
        schedule_of: Callable[[str], FeeSchedule | None],
        clock: Clock,
        latency_s: float = 0.05,
    ) -> None:
        self._book_of, self._schedule_of = book_of, schedule_of
        self._clock, self._latency_s = clock, latency_s
        self._taken: dict[str, dict[Level, int]] = {}
        self._orders: dict[str, _Order | Rejected | Unknown] = {}
        self._rests: dict[str, list[_Order]] = {}

    def prepare(self) -> None:
        """Nothing: paper needs no signature."""

    async def place(self, order: ApprovedOrder) -> Outcome:
        """Match against the book as it stands one latency later."""
        proposal = order.proposal
        if proposal.client_order_id in self._orders:
            return Rejected("order_already_exists", "this client order id was used before")
        self._orders[proposal.client_order_id] = Unknown("it has not arrived yet")
        if self._latency_s:
            await self._clock.sleep(self._latency_s)
        arrived = self._orders[proposal.client_order_id] = self._arrived(proposal)
        if isinstance(arrived, Rejected):
            return arrived
        if arrived.rests:
            self._rests.setdefault(proposal.ticker, []).append(arrived)
        return arrived.outcome

    async def resolve(self, proposal: Proposal) -> Outcome:
        """How an order stands; one of an earlier run has filled nothing and never will."""
        held = self._orders.get(proposal.client_order_id)
        if held is None:
            return Rejected("never_arrived", "the process ended before the paper match")
        return held.outcome if isinstance(held, _Order) else held

    async def cancel(self, venue_order_id: str, ticker: str, shard: int | None = None) -> None:
        """Take a resting order out of the book."""
        for order in self._rests.get(ticker, ()):
            if order.venue_order_id == venue_order_id:
                order.rests = False
        self._tidy(ticker)

    async def cancel_all(self) -> None:
        """Take every resting order out of its book."""
        for ticker, orders in list(self._rests.items()):
            for order in orders:
                order.rests = False
            self._tidy(ticker)

    async def statement(self, since: Instant) -> Statement | None:
        """None: what paper filled is kept nowhere but in our own book."""
        return None

    def book_of(self, ticker: str) -> OrderBook | None:
        """The live book less what was taken from it: what an order could still fill."""
        book, taken = self._book_of(ticker), self._taken.get(ticker)
        if book is None or not taken or book.state is not BookState.LIVE or book.updated_at is None:
            return book
        rest = OrderBook(ticker)
        yes, no = (
            [
                (price, Quantity(max(0, size - taken.get((side.other, complement(price)), 0))))
                for price, size in book.bids(side)
            ]
            for side in Side
        )
        rest.apply_snapshot(yes, no, book.updated_at, book.seq)
        return rest

    def book_changed(self, ticker: str) -> None:
        """Forget what was taken from levels that have left the book of ``ticker``."""
        book, taken = self._book_of(ticker), self._taken.get(ticker)
        if book is None:
            return
        if ticker in self._rests:
            for order in self._rests[ticker]:
                order.fills += self._fills(order, book)
            self._tidy(ticker)
        if not taken:
            return
        # As held, not as quoted: a book crossed for a moment shows no asks, and yet nothing has left it.
        live = {(side, complement(price)) for side in Side for price, _ in book.levels(side.other)}
        for level in [level for level in taken if level not in live]:
            del taken[level]

    def forget(self, ticker: str) -> None:
        """Drop what was taken and what rests in a market that is over."""
        self._taken.pop(ticker, None)
        for order in self._rests.pop(ticker, ()):
            order.rests = False

    def _arrived(self, proposal: Proposal) -> _Order | Rejected:
        book, schedule = self._book_of(proposal.ticker), self._schedule_of(proposal.ticker)
        if book is None or schedule is None:
            return Rejected("market_not_found", f"no live book of {proposal.ticker}")
        if proposal.rests and self._crosses(proposal):
            return Rejected(CROSSED, "it would have taken, and may only rest")
        order = _Order(proposal, OrderFees(schedule), proposal.rests)
        if not proposal.rests:
            order.fills += self._fills(order, book)
        return order

    def _crosses(self, proposal: Proposal) -> bool:
        """Whether an order would take something; what paper has taken is not there any more."""
        book = self.book_of(proposal.ticker)
        best = None if book is None else book.best_ask(proposal.side)
        return best is not None and best[0] <= proposal.limit

    def _tidy(self, ticker: str) -> None:
        """Forget resting orders of ``ticker`` that rest no more."""
        standing = [order for order in self._rests.pop(ticker, []) if order.remaining]
        if standing:
            self._rests[ticker] = standing

    def _fills(self, order: _Order, book: OrderBook) -> Iterator[Fill]:
        proposal, wanted = order.proposal, order.wanted
        taken = self._taken.setdefault(proposal.ticker, {})
        first = len(order.fills)
        for price, size in book.asks(proposal.side):
            if price > proposal.limit or wanted <= 0:
                return
            level = (proposal.side, price)
            quantity = Quantity(min(wanted, size - taken.get(level, 0)))
            if quantity <= 0:
                continue
            taken[level] = taken.get(level, 0) + quantity
            wanted -= quantity
            # What rested fills at its own price: the trader who came to it pays the better one.
            paid = proposal.limit if order.rests else price
            yield Fill(
                fill_id=digest("fill", proposal.client_order_id, str(first)),
                ticker=proposal.ticker,
                event_ticker=proposal.event_ticker,
                side=proposal.side,
                price=paid,
                quantity=quantity,
                fee=order.fees.charge(paid, quantity, is_taker=not order.rests),
            )
            first += 1


@dataclass(slots=True)
class _Order:
    """An order that arrived: what it filled, and whether the rest of it still stands."""

    proposal: Proposal
    fees: OrderFees
    rests: bool
    fills: list[Fill] = field(default_factory=list)

    @property
    def venue_order_id(self) -> str:
        return digest("paper", self.proposal.client_order_id)

    @property
    def wanted(self) -> int:
        return self.proposal.quantity - sum(fill.quantity for fill in self.fills)

    @property
    def remaining(self) -> Quantity:
        return Quantity(self.wanted if self.rests else 0)

    @property
    def outcome(self) -> Accepted:
        return Accepted(self.venue_order_id, tuple(self.fills), self.remaining)
