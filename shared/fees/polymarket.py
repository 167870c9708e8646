"""Polymarket's taker fee (international venue): by market schedule or by category and date.

Source: the venue's fee documentation; ``fee = C * rate * (p * (1 - p)) ** exponent``, takers only. Amounts
are "rounded" to five decimals, it does not say how: the rounding is named here, and budgets round up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.clock import Instant
from shared.errors import MalformedError
from shared.fees.protocol import FINE, FINE_PER_MICRO, Level, ceil_div, check_fill, day
from shared.money import LOTS, MICROS, Price, Quantity, Usd

_STEP = 10  # five decimals, in micro-dollars
WORST_RATE_MICRO = 70_000  # dearest published category: what a market without a schedule is assumed to pay

_RATES_MICRO = {
    "crypto": 70_000,
    "sports": 50_000,
    "economics": 50_000,
    "culture": 50_000,
    "weather": 50_000,
    "other": 50_000,
    "finance": 40_000,
    "politics": 40_000,
    "mentions": 40_000,
    "tech": 40_000,
    "geopolitics": 0,
}
_EARLIER_SPORTS_MICRO = 30_000
_SPORTS_CHANGE = day(2026, 7, 10)


class Rounding(StrEnum):
    """How the fifth decimal is made."""

    FLOOR = "floor"
    HALF_UP = "half_up"
    CEIL = "ceil"


def rate_on(category: str, instant: Instant) -> int:
    """Published taker rate in millionths for a category; the worst rate for one that is not known.

    A market's own schedule takes precedence: older markets keep the rate they were listed with.
    """
    if category == "sports" and instant < _SPORTS_CHANGE:
        return _EARLIER_SPORTS_MICRO
    return _RATES_MICRO.get(category, WORST_RATE_MICRO)


@dataclass(frozen=True, slots=True)
class PolymarketFees:
    """Fee schedule of one market: rate in millionths, exponent, rounding of the charged amount."""

    rate_micro: int = WORST_RATE_MICRO
    exponent: int = 1
    rounding: Rounding = Rounding.CEIL

    def __post_init__(self) -> None:
        if not 0 <= self.rate_micro <= MICROS:
            raise MalformedError(f"fees: rate {self.rate_micro} millionths is implausible")
        if self.exponent not in (1, 2):
            raise MalformedError(f"fees: exponent {self.exponent} is unknown")

    def all_in(self, price: Price) -> int:
        """Price plus model fee of one contract in fine units; exponent 2 is rounded up to the unit."""
        shape = (price * (MICROS - price)) ** self.exponent
        per_dollar = MICROS ** (2 * self.exponent + 1)
        return price * FINE_PER_MICRO + ceil_div(self.rate_micro * shape * FINE, per_dollar)

    def fee(self, price: Price, quantity: Quantity) -> Usd:
        """Taker fee of one fill, rounded to five decimals as configured; makers pay nothing."""
        check_fill(price, quantity)
        exact = self.rate_micro * quantity * (price * (MICROS - price)) ** self.exponent
        scale = LOTS * MICROS ** (2 * self.exponent) * _STEP
        return Usd(_round(exact, scale, self.rounding) * _STEP)

    def budget(self, levels: Sequence[Level]) -> Usd:
        """Upper bound of an order's fee: rounded up per level, plus one step per contract for splits."""
        ceiling = PolymarketFees(self.rate_micro, self.exponent, Rounding.CEIL)
        return Usd(sum(ceiling.fee(price, lots) + ceil_div(lots, LOTS) * _STEP for price, lots in levels))


def _round(numerator: int, denominator: int, rounding: Rounding) -> int:
    if rounding is Rounding.FLOOR:
        return numerator // denominator
    if rounding is Rounding.CEIL:
        return ceil_div(numerator, denominator)
    return (2 * numerator + denominator) // (2 * denominator)
