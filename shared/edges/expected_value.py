"""What a contract is worth against what it costs, fee included: expected value, depth and highest price.

EV per contract is ``p - c`` with c the all-in cost. A level is worth taking exactly when its own all-in cost
is below p (the marginal rule): an average price would hide losing levels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.books.grid import floor_to_grid
from shared.books.walk import Taken, taken
from shared.errors import MalformedError
from shared.fees.protocol import FINE_PER_MICRO, Level, VenueFees, fine, from_fine
from shared.messages import PriceRange
from shared.money import LOTS, ONE, ZERO_USD, Price, Quantity, Usd


@dataclass(frozen=True, slots=True)
class ContractValue:
    """One contract bought at one price, dollars. ``all_in`` is also the break-even probability."""

    all_in: float
    fee: float
    gross_edge: float
    net_edge: float
    roi: float


def contract_value(probability: float, ask: Price, fees: VenueFees) -> ContractValue:
    """Value of buying at ``ask`` a contract that pays with ``probability``; before rounding of fees.

    For NO, give the probability of NO and the NO ask. Raises :class:`MalformedError` for a bad probability.
    """
    _check(probability)
    cost = fees.all_in(ask)
    edge = from_fine(fine(probability) - cost)
    return ContractValue(
        all_in=from_fine(cost),
        fee=from_fine(cost - ask * FINE_PER_MICRO),
        gross_edge=from_fine(fine(probability) - ask * FINE_PER_MICRO),
        net_edge=edge,
        roi=edge / from_fine(cost) if cost else 0.0,
    )


@dataclass(frozen=True, slots=True)
class Executable:
    """What a book offers at the required edge.

    ``model_fee`` and ``expected_value`` are dollars before rounding of fees; ``fee`` is the upper bound of
    what will be charged and ``net_value`` the expected value after it, rounded down.
    """

    taken: Taken
    model_fee: float
    expected_value: float
    fee: Usd
    net_value: Usd

    @property
    def quantity(self) -> Quantity:
        """Lots worth taking."""
        return self.taken.quantity

    @property
    def average_price(self) -> float | None:
        """Dollars per contract before fees, or ``None`` if nothing is worth taking."""
        return self.taken.cost * LOTS / self.quantity / ONE if self.quantity else None


_NOTHING = Executable(Taken(), 0.0, 0.0, ZERO_USD, ZERO_USD)


def executable(
    probability: float,
    asks: Iterable[Level],
    fees: VenueFees,
    max_quantity: Quantity | None = None,
    required_edge: float = 0.0,
) -> Executable:
    """Take offers, cheapest first, while their all-in cost leaves more than ``required_edge`` below p."""
    _check(probability)
    worth = fine(probability) - fine(required_edge)
    levels: list[Level] = []
    left = max_quantity
    cost = 0
    for price, size in asks:
        all_in = fees.all_in(price)
        if all_in >= worth or left == 0:
            break
        lots = size if left is None else Quantity(min(size, left))
        levels.append((price, lots))
        cost += all_in * lots
        left = None if left is None else Quantity(left - lots)
    return _valued(fine(probability), taken(levels), cost, fees) if levels else _NOTHING


def _valued(worth: int, found: Taken, all_in: int, fees: VenueFees) -> Executable:
    budget = fees.budget(found.levels)
    payoff = worth * found.quantity
    spent = found.cost * FINE_PER_MICRO * LOTS
    return Executable(
        taken=found,
        model_fee=from_fine(all_in - spent) / LOTS,
        expected_value=from_fine(payoff - all_in) / LOTS,
        fee=budget,
        net_value=Usd(payoff // (FINE_PER_MICRO * LOTS) - found.cost - budget),
    )


def highest_price(
    probability: float, required_edge: float, fees: VenueFees, grid: Sequence[PriceRange]
) -> Price | None:
    """Highest orderable price whose net edge is at least ``required_edge``; ``None`` if there is none.

    All-in cost grows with the price for every fee in use, so a bisection on the micro-dollar is exact.
    """
    _check(probability)
    worth = fine(probability) - fine(required_edge)
    low, high = 0, int(ONE)
    while low < high:
        middle = (low + high + 1) // 2
        if fees.all_in(Price(middle)) <= worth:
            low = middle
        else:
            high = middle - 1
    return floor_to_grid(Price(low), grid)


def _check(probability: float) -> None:
    if not 0.0 <= probability <= 1.0:
        raise MalformedError(f"probability: {probability!r} is outside 0…1")
