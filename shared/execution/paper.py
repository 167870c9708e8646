"""Paper gateway: fills only against size really on the live book, less what it already took, after latency.

A limit order never fills worse than its limit; each level fills at its own price, so price improvement shows.
What paper took stays taken until the level leaves the book: otherwise every look at the same resting order
would fill again, which is how paper profits that live trading never sees are made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shared.books.book import BookState, OrderBook
from shared.clock import Clock
from shared.execution.gateway import Accepted, Outcome, Rejected
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
        self._spent: set[str] = set()

    async def place(self, order: ApprovedOrder) -> Outcome:
        """Match against the book as it stands one latency later."""
        proposal = order.proposal
        if proposal.client_order_id in self._spent:
            return Rejected("order_already_exists", "this client order id was used before")
        self._spent.add(proposal.client_order_id)
        if self._latency_s:
            await self._clock.sleep(self._latency_s)
        book, schedule = self._book_of(proposal.ticker), self._schedule_of(proposal.ticker)
        if book is None or schedule is None:
            return Rejected("market_not_found", f"no live book of {proposal.ticker}")
        fills = tuple(self._fills(proposal, book, OrderFees(schedule)))
        return Accepted(digest("paper", proposal.client_order_id), fills, Quantity(0))

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
        taken = self._taken.get(ticker)
        if not taken:
            return
        book = self._book_of(ticker)
        if book is None:
            return
        # As held, not as quoted: a book crossed for a moment shows no asks, and yet nothing has left it.
        live = {(side, complement(price)) for side in Side for price, _ in book.levels(side.other)}
        for level in [level for level in taken if level not in live]:
            del taken[level]

    def forget(self, ticker: str) -> None:
        """Drop what was taken in a market that is over."""
        self._taken.pop(ticker, None)

    def _fills(self, proposal: Proposal, book: OrderBook, fees: OrderFees) -> Iterator[Fill]:
        wanted: int = proposal.quantity
        taken = self._taken.setdefault(proposal.ticker, {})
        for index, (price, size) in enumerate(book.asks(proposal.side)):
            if price > proposal.limit or wanted <= 0:
                return
            level = (proposal.side, price)
            quantity = Quantity(min(wanted, size - taken.get(level, 0)))
            if quantity <= 0:
                continue
            taken[level] = taken.get(level, 0) + quantity
            wanted -= quantity
            yield Fill(
                fill_id=digest("fill", proposal.client_order_id, str(index)),
                ticker=proposal.ticker,
                event_ticker=proposal.event_ticker,
                side=proposal.side,
                price=price,
                quantity=quantity,
                fee=fees.charge(price, quantity),
            )
