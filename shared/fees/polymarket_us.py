"""Polymarket US: quadratic taker fee and maker rebate, to the cent by banker's rounding.

Source: the venue's fee page, schedule effective 2026-10-01: taker 0.0695, maker -0.0125, times
C * p * (1 - p); one order's fills never cost more together than as one. Contracts are whole; a market may
publish its own coefficient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import MalformedError
from shared.fees.protocol import FINE_PER_MICRO, Level, check_fill
from shared.money import LOTS, MICROS, Price, Quantity, Usd

TAKER_MICRO = 69_500
MAKER_MICRO = -12_500

_CENT = 10_000
_SCALE = LOTS * MICROS * MICROS * _CENT  # lots x price x (1 - price) x coefficient in micro-dollars, per cent


@dataclass(frozen=True, slots=True)
class PolymarketUsFees:
    """Coefficients of one market in millionths; the maker's is negative, a rebate."""

    taker_micro: int = TAKER_MICRO
    maker_micro: int = MAKER_MICRO

    def all_in(self, price: Price) -> int:
        """Price plus taker model fee of one contract in fine units, exact."""
        return price * FINE_PER_MICRO + self.taker_micro * price * (MICROS - price) * 10**4

    def fee(self, price: Price, quantity: Quantity) -> Usd:
        """Taker fee of one fill in whole cents."""
        return self.charge(price, quantity, is_taker=True)

    def charge(self, price: Price, quantity: Quantity, is_taker: bool) -> Usd:
        """Fee of one fill in whole cents; negative is a rebate. Raises on a fraction of a contract."""
        check_fill(price, quantity)
        if quantity % LOTS:
            raise MalformedError(f"quantity: {quantity} lots is not whole contracts")
        coefficient = self.taker_micro if is_taker else self.maker_micro
        return Usd(_half_even(coefficient * quantity * price * (MICROS - price), _SCALE) * _CENT)

    def budget(self, levels: Sequence[Level]) -> Usd:
        """Upper bound of an order's fee: each level as one fill, a cent more for its rounding."""
        return Usd(sum(self.fee(price, quantity) + _CENT for price, quantity in levels))


def _half_even(numerator: int, denominator: int) -> int:
    quotient, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and quotient % 2):
        return quotient + 1
    return quotient
