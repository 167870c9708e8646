from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import MalformedError
from shared.fees.kalshi import FeeSchedule
from shared.fees.polymarket import PolymarketFees
from shared.fees.protocol import FINE, Level
from shared.lanes.basket import BasketLeg, walk_basket
from shared.lanes.capital import capital_use
from shared.money import Price, Quantity, parse_price, parse_quantity
from shared.terms import FeeType

KALSHI = FeeSchedule(FeeType.QUADRATIC)
POLYMARKET = PolymarketFees(50_000)

ladders = st.dictionaries(st.integers(1, 60), st.integers(1, 5_000), min_size=1, max_size=5).map(
    lambda book: [(Price(cents * 10_000), Quantity(size)) for cents, size in sorted(book.items())]
)


def levels(*pairs: tuple[str, str]) -> list[Level]:
    return [(parse_price(price), parse_quantity(size)) for price, size in pairs]


def cross() -> list[BasketLeg]:
    return [
        BasketLeg(levels(("0.47", "100"), ("0.48", "200"), ("0.50", "300")), KALSHI),
        BasketLeg(levels(("0.46", "150"), ("0.47", "100"), ("0.49", "400")), POLYMARKET),
    ]


def test_a_pair_is_bought_while_its_marginal_cost_is_below_a_dollar() -> None:
    found = walk_basket(cross(), 1)
    assert found.quantity == parse_quantity("300")
    assert found.profit == pytest.approx(7.52865)


def test_a_largest_quantity_is_kept() -> None:
    assert walk_basket(cross(), 1, parse_quantity("120.5")).quantity == parse_quantity("120.5")


def test_a_leg_that_nobody_offers_makes_no_basket() -> None:
    found = walk_basket([cross()[0], BasketLeg([], POLYMARKET)], 1)
    assert found.quantity == 0
    assert found.top_cost is None


def test_no_legs_make_no_basket() -> None:
    assert walk_basket([], 1).quantity == 0


@given(ladders, ladders, st.none() | st.integers(0, 10_000).map(Quantity))
def test_every_leg_is_bought_in_the_same_quantity_and_earns(
    first: list[Level], second: list[Level], largest: Quantity | None
) -> None:
    found = walk_basket([BasketLeg(first, KALSHI), BasketLeg(second, POLYMARKET)], 1, largest)
    for taken in found.levels:
        assert sum(size for _, size in taken) == found.quantity
    assert found.profit >= 0
    assert largest is None or found.quantity <= largest
    if found.levels[0] and found.levels[1]:
        dearest = KALSHI.all_in(found.levels[0][-1][0]) + POLYMARKET.all_in(found.levels[1][-1][0])
        assert dearest < FINE


def test_locked_capital_is_charged_for_its_time() -> None:
    used = capital_use(4.20, 96.0, 21, hurdle=0.05, carry=0.0325)
    assert used.net_profit == pytest.approx(4.20 - 96 * 0.0175 * 21 / 365)


def test_capital_that_nets_at_once_costs_nothing_and_has_no_yearly_rate() -> None:
    used = capital_use(4.20, 96.0, 0, hurdle=0.05)
    assert used.charge == 0
    assert used.simple_annual is None
    assert used.compound_annual is None


def test_a_carry_above_the_hurdle_never_runs_out() -> None:
    assert math.isinf(capital_use(1.0, 100.0, 10, hurdle=0.03, carry=0.04).breakeven_days)


@pytest.mark.parametrize(
    ("profit", "capital", "days"),
    [(1.0, 0.0, 10), (1.0, -5.0, 10), (1.0, 10.0, -1), (math.nan, 10.0, 1), (1.0, math.inf, 1)],
)
def test_senseless_capital_is_refused(profit: float, capital: float, days: float) -> None:
    with pytest.raises(MalformedError):
        capital_use(profit, capital, days, hurdle=0.05)


def test_a_total_loss_compounds_to_nothing() -> None:
    assert capital_use(-10.0, 10.0, 5, hurdle=0.05).compound_annual == -1.0
