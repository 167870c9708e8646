from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import MalformedError
from shared.odds import convert


@pytest.mark.parametrize("american", [0, 99, -99, math.nan, math.inf])
def test_what_is_not_american_odds_is_refused(american: float) -> None:
    with pytest.raises(MalformedError):
        convert.american_to_decimal(american)


@pytest.mark.parametrize("decimal", [1.0, 0.5, -2.0, math.nan, math.inf])
def test_what_is_not_decimal_odds_is_refused(decimal: float) -> None:
    with pytest.raises(MalformedError):
        convert.decimal_to_probability(decimal)


@pytest.mark.parametrize("probability", [0.0, 1.0, -0.1, 1.1, math.nan])
def test_certainty_has_no_american_odds(probability: float) -> None:
    with pytest.raises(MalformedError):
        convert.probability_to_american(probability)


def test_even_money_is_always_shown_as_plus_100() -> None:
    assert convert.display_american(0.5) == 100
    assert convert.display_american(0.50001) == 100


def test_the_57_cent_favourite_rounds_to_133() -> None:
    assert convert.display_american(0.57) == -133


@given(st.floats(0.001, 0.999))
def test_american_odds_lead_back_to_the_probability(probability: float) -> None:
    american = convert.probability_to_american(probability)
    assert convert.american_to_probability(american) == pytest.approx(probability, abs=1e-12)


def test_the_margin_of_a_usual_pair() -> None:
    odds = [1.909090909090909, 1.909090909090909]
    assert convert.overround(odds) == pytest.approx(1 / 21)
    assert convert.hold(odds) == pytest.approx(1 / 22)
