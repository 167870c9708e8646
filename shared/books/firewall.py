"""The quote firewall: every reason why a book must not be traded on. No reason means it may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.books.book import BookState, OrderBook
from shared.books.grid import on_grid
from shared.clock import SECOND, Instant
from shared.fees.protocol import Level
from shared.messages import PriceRange
from shared.money import MICROS, Price, Quantity, format_price, format_quantity
from shared.terms import Side


@dataclass(frozen=True, slots=True)
class QuoteLimits:
    """What a quote must satisfy: age in microseconds, spread in micro-dollars, size at the best price."""

    max_age: int = 5 * SECOND
    max_spread: Price = Price(100_000)
    min_size: Quantity = Quantity(100)


_FAULTS = {
    BookState.EMPTY: "no_book: no snapshot yet",
    BookState.GAP: "gap: messages were lost",
    BookState.DESYNC: "desync: a delta contradicted the book",
    BookState.CROSSED: "crossed: best bids add up to a dollar or more",
}


def refusals(
    book: OrderBook, side: Side, now: Instant, limits: QuoteLimits, grid: Sequence[PriceRange]
) -> tuple[str, ...]:
    """Every reason not to buy ``side`` from ``book`` now, each ``code: detail``; empty if it may be used."""
    reasons = [*_stale(book, now, limits)]
    if book.state is not BookState.LIVE:
        return (_FAULTS[book.state], *reasons)
    ask, bid = book.best_ask(side), book.best_bid(side)
    if ask is None:
        return (*reasons, f"empty_side: nobody offers {side.value}")
    return (*reasons, *quote_refusals(ask, bid, limits, grid))


def quote_refusals(
    ask: Level, bid: Level | None, limits: QuoteLimits, grid: Sequence[PriceRange]
) -> tuple[str, ...]:
    """Every reason not to trust a best offer and bid of one side, wherever they came from."""
    price, size = ask
    reasons: list[str] = []
    if not 0 < price < MICROS:
        reasons.append(f"sentinel: an ask of {format_price(price)} means there is none")
    elif not on_grid(price, grid):
        reasons.append(f"off_grid: {format_price(price)} is not a price of this market")
    if size < limits.min_size:
        reasons.append(f"thin: {format_quantity(size)} at the best price")
    if bid is None:
        reasons.append("one_sided: no bid, the spread is unknown")
    elif price <= bid[0]:
        reasons.append(f"crossed: bid {format_price(bid[0])}, ask {format_price(price)}")
    elif price - bid[0] > limits.max_spread:
        reasons.append(f"wide: spread {format_price(Price(price - bid[0]))}")
    return tuple(reasons)


def _stale(book: OrderBook, now: Instant, limits: QuoteLimits) -> tuple[str, ...]:
    age = book.age(now)
    if age is None or age <= limits.max_age:
        return ()
    return (f"stale: last heard {age / SECOND:.1f} s ago",)
