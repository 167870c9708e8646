"""What an order would take from a book: levels up to a limit price, up to a quantity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.fees.protocol import Level
from shared.money import ZERO_USD, Price, Quantity, Usd, notional


@dataclass(frozen=True, slots=True)
class Taken:
    """Levels taken, cheapest first, with their sum."""

    levels: tuple[Level, ...] = ()
    quantity: Quantity = Quantity(0)
    cost: Usd = ZERO_USD

    @property
    def worst(self) -> Price | None:
        """Dearest price paid."""
        return self.levels[-1][0] if self.levels else None


def take(asks: Iterable[Level], limit: Price, quantity: Quantity | None = None) -> Taken:
    """Take offers, cheapest first, none dearer than ``limit`` and no more than ``quantity`` (``None``: all).

    ``asks`` are the side's own prices, best first, as :meth:`OrderBook.asks` gives them.
    """
    levels: list[Level] = []
    left = quantity
    for price, size in asks:
        if price > limit or left == 0:
            break
        lots = size if left is None else Quantity(min(size, left))
        levels.append((price, lots))
        left = None if left is None else Quantity(left - lots)
    return taken(levels)


def taken(levels: Iterable[Level]) -> Taken:
    """The sum of ``levels``."""
    kept = tuple(levels)
    return Taken(
        kept,
        Quantity(sum(size for _, size in kept)),
        Usd(sum(notional(price, size) for price, size in kept)),
    )
