"""What every venue's fees can answer, and the fine unit in which costs are compared exactly.

A *fine* amount is an integer count of 1e-22 dollars per contract: price plus fee at any price of the
micro-dollar grid is a whole number of them for every quadratic fee in use, so the sum of several legs can be
compared with the payoff without rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from shared.clock import Instant, from_datetime
from shared.errors import MalformedError
from shared.money import MICROS, ONE, Price, Quantity, Usd

Level = tuple[Price, Quantity]

FINE = 10**22
FINE_PER_MICRO = FINE // MICROS

# Floats carry about 16 digits; at 12 decimals 0.55 means exactly 55/100 and no estimate is that good.
_FLOAT_DECIMALS = 10**12


class VenueFees(Protocol):
    """Fees of one market at one time, for a taker."""

    def all_in(self, price: Price) -> int:
        """Price plus fee of one contract bought at ``price``, in fine units, before any rounding."""
        ...

    def fee(self, price: Price, quantity: Quantity) -> Usd:
        """What one taker fill that is its order's only fill is charged."""
        ...

    def budget(self, levels: Sequence[Level]) -> Usd:
        """Upper bound of the fee of an order that takes ``levels``, known before it is sent."""
        ...


def fine(value: float) -> int:
    """Fine units of a probability or edge in dollars, read at 12 decimals; raises for NaN and beyond ±2."""
    if not -2.0 <= value <= 2.0:
        raise MalformedError(f"value: {value!r} is not a probability or an edge")
    return round(value * _FLOAT_DECIMALS) * (FINE // _FLOAT_DECIMALS)


def from_fine(amount: int) -> float:
    """Dollars of a fine amount, for display and statistics."""
    return amount / FINE


def check_fill(price: Price, quantity: Quantity) -> None:
    """Raise :class:`MalformedError` unless price is within $0…$1 and quantity is not negative."""
    if not 0 <= price <= ONE:
        raise MalformedError(f"price: {price} micro-dollars is outside $0…$1")
    if quantity < 0:
        raise MalformedError(f"quantity: {quantity} lots is negative")


def day(year: int, month: int, number: int) -> Instant:
    """Start of a UTC day, for the dates on which a schedule changed."""
    return from_datetime(datetime(year, month, number, tzinfo=UTC))


def ceil_div(numerator: int, denominator: int) -> int:
    """Quotient rounded up."""
    return -(-numerator // denominator)
