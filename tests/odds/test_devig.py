from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.errors import MalformedError
from shared.odds import devig

METHODS = (
    devig.multiplicative,
    devig.additive,
    devig.power,
    devig.shin,
    devig.odds_ratio,
    devig.probit,
    devig.goto,
)
ALWAYS_VALID = (devig.multiplicative, devig.power, devig.shin, devig.odds_ratio, devig.probit)

Method = Callable[[Sequence[float]], devig.Probabilities]


@st.composite
def books(draw: st.DrawFn) -> list[float]:
    """Decimal odds of a full market with a margin of 0 to 24 per cent."""
    raw = draw(st.lists(st.floats(0.02, 1.0), min_size=2, max_size=8))
    margin = draw(st.floats(1.0, 1.24))
    implied = [value / sum(raw) * margin for value in raw]
    assume(max(implied) < 0.995)
    return [1 / value for value in implied]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("odds", "why"),
    [
        ([2.1, 2.1], "underround"),
        ([1.5, 1.5], "overround"),
        ([1.9], "full set"),
        ([], "full set"),
        ([1.0, 5.0], "above 1"),
        ([0.0, 5.0], "above 1"),
        ([-2.0, 5.0], "above 1"),
        ([math.nan, 1.9], "above 1"),
        ([math.inf, 1.9], "above 1"),
    ],
)
def test_unusable_odds_are_refused_with_the_reason(method: Method, odds: list[float], why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        method(odds)
    with pytest.raises(MalformedError, match=why):
        devig.devig_all(odds)


def test_a_missing_draw_shows_as_an_underround() -> None:
    with pytest.raises(MalformedError, match="outcome is missing"):
        devig.power([4.20, 1.95])


@pytest.mark.parametrize("method", [devig.additive, devig.goto])
def test_a_method_that_leaves_nothing_of_a_longshot_says_so(method: Method) -> None:
    odds = [1.1494252873563218, 5.0, 10.0, 20.0, 50.0, 100.0]
    with pytest.raises(MalformedError, match="invalid"):
        method(odds)


@pytest.mark.parametrize("method", ALWAYS_VALID)
def test_a_market_without_margin_is_left_as_it_is(method: Method) -> None:
    assert method([2.0, 4.0, 4.0]) == pytest.approx((0.5, 0.25, 0.25), abs=1e-12)


@given(books())
def test_probabilities_sum_to_one(odds: list[float]) -> None:
    for method in ALWAYS_VALID:
        assert math.fsum(method(odds)) == pytest.approx(1.0, abs=1e-14)


@given(books())
def test_the_order_of_the_outcomes_is_kept(odds: list[float]) -> None:
    by_odds = sorted(range(len(odds)), key=lambda index: odds[index], reverse=True)
    for method in ALWAYS_VALID:
        fair = [method(odds)[index] for index in by_odds]
        assert all(low <= high + 1e-12 for low, high in pairwise(fair))


@given(books())
def test_probabilities_stay_between_zero_and_one(odds: list[float]) -> None:
    for method in ALWAYS_VALID:
        assert all(0 < value < 1 for value in method(odds))


@given(books())
def test_the_solved_parameters_remove_the_margin_exactly(odds: list[float]) -> None:
    exponent, divisor = devig.power_exponent(odds), devig.odds_ratio_divisor(odds)
    implied = [1 / decimal for decimal in odds]
    assert math.fsum(value**exponent for value in implied) == pytest.approx(1.0, abs=1e-14)
    shifted = math.fsum(value / (divisor + value - divisor * value) for value in implied)
    assert shifted == pytest.approx(1.0, abs=1e-14)


@given(st.floats(1.05, 15.0), st.floats(1.0, 1.2))
def test_with_two_outcomes_shin_is_the_additive_method(first: float, margin: float) -> None:
    rest = margin - 1 / first
    assume(0.02 < rest < 0.98)
    assert devig.shin([first, 1 / rest]) == pytest.approx(devig.additive([first, 1 / rest]), abs=1e-12)


@given(books())
def test_the_fair_set_agrees_with_each_method(odds: list[float]) -> None:
    fair = devig.devig_all(odds)
    assert fair.multiplicative == pytest.approx(devig.multiplicative(odds), abs=1e-13)
    assert fair.power == pytest.approx(devig.power(odds), abs=1e-13)
    assert fair.odds_ratio == pytest.approx(devig.odds_ratio(odds), abs=1e-13)
    assert fair.shin == pytest.approx(devig.shin(odds), abs=1e-13)


@given(books())
def test_the_least_favourable_is_below_every_method(odds: list[float]) -> None:
    fair = devig.devig_all(odds)
    for index, least in enumerate(fair.least):
        values = [m[index] for m in (fair.multiplicative, fair.power, fair.odds_ratio, fair.shin)]
        assert least == min(values)
        assert fair.spread[index] == max(values) - least


def test_extreme_favourites_are_still_solved() -> None:
    fair = devig.devig_all([1.0001, 1001.0])
    assert math.fsum(fair.power) == pytest.approx(1.0)
    assert fair.least[1] < 0.001
