from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import MalformedError
from shared.money import parse_quantity
from shared.props import pricing

half_lines = st.integers(0, 60).map(lambda whole: whole + 0.5)
chances = st.floats(0.05, 0.95)


def test_25_or_more_is_over_24_and_a_half() -> None:
    made = pricing.threshold_at_least("25")
    assert (made.at_least, made.over_line, made.push_possible) == (25, 24.5, False)


def test_over_a_whole_line_needs_one_more_and_can_push() -> None:
    made = pricing.threshold_over("25")
    assert (made.at_least, made.push_possible) == (26, True)


@pytest.mark.parametrize("text", ["", "abc", "nan", "inf", "-1", "24.5", "9" * 400])
def test_what_is_no_threshold_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        pricing.threshold_at_least(text)


@pytest.mark.parametrize("text", ["24.25", "nan", "-0.5", "1e400", "9" * 400])
def test_what_is_no_line_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        pricing.threshold_over(text)


@given(half_lines, chances)
def test_a_model_gives_back_the_line_it_was_solved_from(line: float, p_over: float) -> None:
    same = math.ceil(line)
    for made in (
        pricing.poisson(line, p_over, same),
        pricing.negative_binomial(line, p_over, same, 12.0),
        pricing.normal(line, p_over, same, 7.5),
    ):
        assert made.at_least == pytest.approx(p_over, abs=1e-9)


@given(st.integers(1, 60), chances)
def test_a_whole_line_is_solved_without_its_push(line: int, p_over: float) -> None:
    over = pricing.poisson(line, p_over, line + 1).at_least
    under = 1 - pricing.poisson(line, p_over, line).at_least
    assert over / (over + under) == pytest.approx(p_over, abs=1e-9)


@given(half_lines, chances, st.integers(0, 80))
def test_a_higher_threshold_is_never_likelier(line: float, p_over: float, threshold: int) -> None:
    lower = pricing.negative_binomial(line, p_over, threshold, 12.0).at_least
    higher = pricing.negative_binomial(line, p_over, threshold + 1, 12.0).at_least
    assert higher <= lower + 1e-12


def test_a_normal_on_a_whole_line_is_centred_by_an_even_chance() -> None:
    assert pricing.normal(25.0, 0.5, 26, 7.5).centre == pytest.approx(25.0)


@pytest.mark.parametrize("p_over", [0.0, 1.0, math.nan, -0.1])
def test_a_certain_line_is_refused(p_over: float) -> None:
    with pytest.raises(MalformedError):
        pricing.poisson(24.5, p_over, 25)
    with pytest.raises(MalformedError):
        pricing.normal(24.5, p_over, 25, 7.5)


@pytest.mark.parametrize("line", [-1.0, 501.0, math.nan])
def test_a_line_beyond_any_count_is_refused(line: float) -> None:
    with pytest.raises(MalformedError):
        pricing.negative_binomial(line, 0.5, 25, 12.0)


def test_a_threshold_beyond_any_count_is_refused_at_once() -> None:
    with pytest.raises(MalformedError, match="threshold"):
        pricing.poisson(24.5, 0.5, 10**12)


def test_a_scale_that_is_not_positive_is_refused() -> None:
    with pytest.raises(MalformedError):
        pricing.negative_binomial(24.5, 0.5, 25, 0.0)
    with pytest.raises(MalformedError):
        pricing.normal(24.5, 0.5, 25, -1.0)


@pytest.mark.parametrize("second", [(24.5, 0.5), (29.5, 0.60)])
def test_lines_that_contradict_each_other_are_refused(second: tuple[float, float]) -> None:
    with pytest.raises(MalformedError, match="contradict"):
        pricing.normal_two_lines((24.5, 0.52), second, 27)
    with pytest.raises(MalformedError, match="contradict"):
        pricing.interpolate((24.5, 0.52), second, 26.5)


def test_interpolation_stays_between_its_lines() -> None:
    with pytest.raises(MalformedError, match="outside"):
        pricing.interpolate((24.5, 0.52), (29.5, 0.31), 30.5)


@given(st.integers(20, 35))
def test_two_quoted_lines_bound_every_threshold(threshold: int) -> None:
    low, high = pricing.monotone_bounds(threshold, [(24.5, 0.52), (29.5, 0.31)])
    modelled = pricing.normal_two_lines((24.5, 0.52), (29.5, 0.31), threshold).at_least
    assert low - 1e-12 <= modelled <= high + 1e-12


@pytest.mark.parametrize(("threshold", "tradable"), [(25, True), (27, True), (28, False), (22, False)])
def test_only_two_units_beyond_one_line_are_tradable(threshold: int, tradable: bool) -> None:
    assert pricing.is_tradable(threshold, [24.5]) is tradable


def test_between_two_lines_everything_is_tradable_and_without_lines_nothing() -> None:
    assert pricing.is_tradable(27, [20.5, 34.5])
    assert not pricing.is_tradable(27, [])


@pytest.mark.parametrize(
    ("contracts", "tier"), [("99.99", "LOW"), ("100", "MEDIUM"), ("1000", "MEDIUM"), ("1000.01", "HIGH")]
)
def test_liquidity_has_three_tiers(contracts: str, tier: str) -> None:
    assert pricing.liquidity_tier(parse_quantity(contracts)) == tier
