"""How many baskets of several legs are worth buying: all ladders walked together, exact.

One basket is one contract of every leg and pays a fixed amount in the worst state. Marginal cost never
falls, so taking levels while the legs' all-in cost is below the payoff is optimal. Afterwards the true fees
are charged as orders: leave room for their budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.fees.protocol import FINE, FINE_PER_MICRO, Level, VenueFees, from_fine
from shared.money import LOTS, Quantity, Usd


@dataclass(frozen=True, slots=True)
class BasketLeg:
    """Offers of one leg, cheapest first, and what its venue charges."""

    asks: Sequence[Level]
    fees: VenueFees


@dataclass(frozen=True, slots=True)
class BasketWalk:
    """What is worth buying. Dollars; fees before rounding; ``budget`` bounds what will be charged.

    ``top_cost`` is the all-in cost of the first basket, ``None`` if not even that one pays.
    """

    quantity: Quantity
    levels: tuple[tuple[Level, ...], ...]
    notional: float
    fees: float
    profit: float
    top_cost: float | None
    budget: Usd


def walk_basket(legs: Sequence[BasketLeg], payoff: int, max_quantity: Quantity | None = None) -> BasketWalk:
    """Buy baskets while one costs less than ``payoff`` whole dollars, up to ``max_quantity`` lots."""
    position = [0] * len(legs)
    left = [leg.asks[0][1] if leg.asks else Quantity(0) for leg in legs]
    bought: list[dict[int, int]] = [{} for _ in legs]
    total = spent = 0
    top: int | None = None
    while legs and all(at < len(leg.asks) for at, leg in zip(position, legs, strict=True)):
        cost = sum(leg.fees.all_in(leg.asks[at][0]) for at, leg in zip(position, legs, strict=True))
        lots = min(left) if max_quantity is None else min(*left, max_quantity - total)
        if cost >= payoff * FINE or (lots == 0 and total == max_quantity):
            break
        top = cost if top is None else top
        total, spent = total + lots, spent + cost * lots
        _advance(legs, position, left, bought, lots)
    return _result(legs, bought, total, spent, payoff, top)


def _advance(
    legs: Sequence[BasketLeg],
    position: list[int],
    left: list[Quantity],
    bought: list[dict[int, int]],
    lots: int,
) -> None:
    """Take ``lots`` from the current level of every leg and step past levels that are used up."""
    for index, leg in enumerate(legs):
        at = position[index]
        if lots:
            bought[index][at] = bought[index].get(at, 0) + lots
        left[index] = Quantity(left[index] - lots)
        if left[index] == 0:
            position[index] += 1
            if position[index] < len(leg.asks):
                left[index] = leg.asks[position[index]][1]


def _result(
    legs: Sequence[BasketLeg],
    bought: list[dict[int, int]],
    total: int,
    spent: int,
    payoff: int,
    top: int | None,
) -> BasketWalk:
    levels = tuple(
        tuple((leg.asks[at][0], Quantity(lots)) for at, lots in taken.items())
        for leg, taken in zip(legs, bought, strict=True)
    )
    notional = sum(price * lots for taken in levels for price, lots in taken) * FINE_PER_MICRO
    return BasketWalk(
        quantity=Quantity(total),
        levels=levels,
        notional=from_fine(notional) / LOTS,
        fees=from_fine(spent - notional) / LOTS,
        profit=from_fine(payoff * FINE * total - spent) / LOTS,
        top_cost=None if top is None else from_fine(top),
        budget=Usd(sum(leg.fees.budget(taken) for leg, taken in zip(legs, levels, strict=True))),
    )
