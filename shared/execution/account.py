"""The account as this process sees it: the stored book as last read or written, and what stops its trading.

Reading it does no I/O. What decides an order reads the store: see :mod:`shared.execution.reservations`.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.clock import Instant
from shared.execution.stored_book import StoredBook
from shared.money import Usd
from shared.orders.ledger import Position
from shared.risk.book import Book
from shared.risk.controls import RiskView


class Account:
    """One account, for people, displays and the executor's own look before it asks the store.

    ``halted`` is why trading is stopped, for every process; ``waiting`` is why this process does not act:
    it holds no lease, or is not ready. Both are empty when an order may be tried.
    """

    def __init__(self, stored: StoredBook) -> None:
        self._stored = stored
        self.halted = ""
        self.waiting = ""

    @property
    def stopped(self) -> str:
        """Why no order may be sent now, or empty."""
        return self.halted or self.waiting

    @property
    def book(self) -> Book:
        """The book as last read or written."""
        return self._stored.seen

    @property
    def cash(self) -> Usd:
        """Cash, reservations included."""
        return self.book.cash

    @property
    def reserved(self) -> Usd:
        """Money that orders in flight may still spend."""
        return self.book.reserved_risk

    @property
    def open_cost(self) -> Usd:
        """Cost of everything held, fees apart."""
        return self.book.open_cost

    @property
    def fees(self) -> Usd:
        """All fees paid."""
        return self.book.fees

    @property
    def realized(self) -> Usd:
        """Profit realised, fees apart."""
        return self.book.realized

    @property
    def pnl(self) -> Usd:
        """Profit realised, after fees."""
        return self.book.pnl

    @property
    def consecutive_losses(self) -> int:
        """Settlements lost in a row since a person last resumed."""
        return self.book.consecutive_losses

    @property
    def positions(self) -> Mapping[str, Position]:
        """Markets traded and not yet paid out, by ticker; a closed one stays until then."""
        return {ticker: held.position for ticker, held in self.book.holdings.items()}

    def view(self, event: str, sport: str, now: Instant) -> RiskView:
        """The account as the controls would see it now."""
        return self.book.view(event, sport, now)

    async def resumed(self, at: Instant) -> None:
        """A person let trading go on at ``at``: the losses before that are known to them."""
        self.halted = ""
        if at > self.book.resumed_at:
            await self._stored.resume(at)
