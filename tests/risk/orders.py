"""Orders, fills and books for tests of the risk book."""

from __future__ import annotations

from dataclasses import replace

from shared.clock import SECOND, Instant
from shared.money import LOTS, Price, Quantity, Usd
from shared.orders.ledger import Fill
from shared.risk.book import Book
from shared.risk.bookkeeping import Marks, marks_of
from shared.risk.controls import Proposal, risk_of
from shared.terms import Side
from tests.support.limits import DOLLAR

# 21 September 2026, 09:33 in New York: a Monday.
MONDAY = Instant(1_790_000_000 * SECOND)
EVENT, TICKER = "KXNFLGAME-26SEP28PHICHI", "KXNFLGAME-26SEP28PHICHI-PHI"
ORDER = "order-1"
GENERATION = "v1/0"


def cents(value: int) -> Price:
    return Price(value * 10_000)


def contracts(value: int) -> Quantity:
    return Quantity(value * LOTS)


def proposal(
    order_id: str = ORDER, price: int = 50, size: int = 10, at: Instant = MONDAY, **changes: object
) -> Proposal:
    """Buy YES; 2c a contract for fees."""
    risk = risk_of(cents(price), contracts(size), Usd(size * 20_000))
    made = Proposal(order_id, TICKER, EVENT, "NFL", Side.YES, cents(price), contracts(size), risk, at)
    return replace(made, **changes)  # type: ignore[arg-type]


def fill(fill_id: str = "fill-1", price: int = 50, size: int = 10, **changes: object) -> Fill:
    """A fill of YES at 2c a contract in fees."""
    made = Fill(fill_id, TICKER, EVENT, Side.YES, cents(price), contracts(size), Usd(size * 20_000))
    return replace(made, **changes)  # type: ignore[arg-type]


def new_book(dollars: int = 10_000) -> Book:
    cash = Usd(dollars * DOLLAR)
    return Book(cash=cash, confirmed_at=MONDAY, deposits=cash).rolled(MONDAY)


def reserved(order: Proposal | None = None, book: Book | None = None) -> tuple[Book, Marks]:
    """A book with one order in flight, and the marks on its document."""
    order = order or proposal()
    return (book or new_book()).reserve(order, "token", GENERATION, 1), marks_of(order, "main", "token")
