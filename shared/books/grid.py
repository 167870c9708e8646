"""A market's price grid: which prices it knows, and the nearest one below.

The exchange sends ranges ``start, end, step`` with every market; they may change while it trades. Range ends
0 and 1 are bounds, not prices.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.messages import PriceRange
from shared.money import MICROS, ONE, Price

# Whole cents are valid in every structure the exchange uses: the grid of a market that sent none.
CENTS = (PriceRange(start=Price(0), end=ONE, step=Price(10_000)),)


def on_grid(price: Price, grid: Sequence[PriceRange]) -> bool:
    """Whether ``price`` can be ordered at; an empty grid means whole cents."""
    if not 0 < price < MICROS:
        return False
    return any(
        part.step > 0 and part.start <= price <= part.end and (price - part.start) % part.step == 0
        for part in grid or CENTS
    )


def floor_to_grid(price: Price, grid: Sequence[PriceRange]) -> Price | None:
    """Highest orderable price not above ``price``, or ``None``; an empty grid means whole cents."""
    best: int | None = None
    for part in grid or CENTS:
        top = min(price, part.end, MICROS - 1)
        if part.step <= 0 or top < part.start:
            continue
        candidate = part.start + (top - part.start) // part.step * part.step
        if candidate > 0 and (best is None or candidate > best):
            best = candidate
    return None if best is None else Price(best)
