"""ForecastEx through Interactive Brokers: one cent per contract per side since 2026-03-31, nothing before.

Before that day the cent was inside the prices (YES and NO matched at $1.01): replays of older prices add
none. Closing a position is buying the other side, which pays the cent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.clock import Instant
from shared.fees.protocol import FINE_PER_MICRO, Level, ceil_div, check_fill, day
from shared.money import LOTS, Price, Quantity, Usd

_CENT = Usd(10_000)
_EXPLICIT_SINCE = day(2026, 3, 31)


@dataclass(frozen=True, slots=True)
class ForecastExFees:
    """Flat charge per contract per side, micro-dollars."""

    per_contract: Usd = _CENT

    def all_in(self, price: Price) -> int:
        """Price plus fee of one contract in fine units, exact."""
        return (price + self.per_contract) * FINE_PER_MICRO

    def fee(self, price: Price, quantity: Quantity) -> Usd:
        """Fee of one fill."""
        check_fill(price, quantity)
        return Usd(ceil_div(self.per_contract * quantity, LOTS))

    def budget(self, levels: Sequence[Level]) -> Usd:
        """Fee of an order that takes ``levels``; it does not depend on the split into fills."""
        return Usd(sum(self.fee(price, quantity) for price, quantity in levels))


def fees_on(instant: Instant) -> ForecastExFees:
    """The charge in force at ``instant``."""
    return ForecastExFees(_CENT if instant >= _EXPLICIT_SINCE else Usd(0))
