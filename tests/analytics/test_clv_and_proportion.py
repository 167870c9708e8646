from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.analytics.clv import closing_value
from shared.analytics.proportion import wilson
from shared.errors import MalformedError


def test_a_price_below_the_close_has_a_positive_value() -> None:
    value = closing_value(0.527493, 0.55)
    assert value.probability == pytest.approx(0.022507)
    assert value.roi > 0
    assert value.log_odds > 0


def test_paying_the_close_is_worth_nothing() -> None:
    value = closing_value(0.40, 0.40)
    assert (value.probability, value.roi, value.log_odds) == (0, 0, 0)


@pytest.mark.parametrize(("paid", "close"), [(0.0, 0.5), (1.0, 0.5), (0.5, 1.0), (math.nan, 0.5)])
def test_a_price_outside_the_dollar_is_refused(paid: float, close: float) -> None:
    with pytest.raises(MalformedError):
        closing_value(paid, close)


@pytest.mark.parametrize(
    ("successes", "trials", "level"), [(1, 0, 0.95), (-1, 5, 0.95), (6, 5, 0.95), (1, 5, 1.0)]
)
def test_a_senseless_count_is_refused(successes: int, trials: int, level: float) -> None:
    with pytest.raises(MalformedError):
        wilson(successes, trials, level)


def test_no_error_in_a_thousand_proves_more_than_99_6_per_cent() -> None:
    low, high = wilson(1000, 1000)
    assert low == pytest.approx(1000 / 1003.84, abs=1e-5)
    assert high == 1.0


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_and_stays_within_0_and_1(counts: tuple[int, int]) -> None:
    successes, trials = counts
    low, high = wilson(successes, trials)
    assert 0 <= low <= successes / trials <= high <= 1
