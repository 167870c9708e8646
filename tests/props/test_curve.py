from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import MINUTE, Instant
from shared.props.curve import (
    DIRECT,
    EXTRAPOLATED,
    INTERPOLATED,
    MODELLED,
    NONE,
    BookLine,
    Curve,
    curve_of,
    estimate,
)
from shared.props.statistics import STATISTICS, Model, Statistic, by_name
from tests.props.build import NOW

POINTS = by_name()["basketball", "points"]
THREES = by_name()["basketball", "threes"]
FIRST_GOAL = by_name()["hockey", "first goal"]
BOOKS = ("draftkings", "fanduel", "betmgm", "pinnacle")


def line(
    at: float, over: float | None, under: float | None, book: str = "draftkings", seen: Instant | None = NOW
) -> BookLine:
    return BookLine(book, at, over, under, seen)


def curve(*lines: tuple[float, float, float]) -> Curve:
    """Four books that agree on every line."""
    return curve_of([line(*one, book) for one in lines for book in BOOKS], NOW, 600)


def test_an_equal_line_is_read_directly_after_the_margin_is_removed() -> None:
    found = estimate(curve((24.5, 1.91, 1.91)), POINTS, 25)
    assert found.method == DIRECT
    assert found.centre == pytest.approx(0.5)
    assert (found.model_error, found.books, found.lines) == (0.0, 4, (24.5,))


def test_a_threshold_between_two_lines_lies_between_their_values() -> None:
    found = estimate(curve((24.5, 1.91, 1.91), (29.5, 3.4, 1.33)), POINTS, 27)
    assert found.method == INTERPOLATED
    assert found.centre is not None
    assert 0.28 < found.centre < 0.5
    assert found.lines == (24.5, 29.5)
    assert found.yes is not None
    assert found.yes < found.centre


def test_beyond_two_lines_the_second_shows_the_error() -> None:
    found = estimate(curve((19.5, 1.4, 3.0), (24.5, 1.91, 1.91)), POINTS, 30)
    assert found.method == MODELLED
    assert found.model_error >= 0.02
    assert found.centre is not None
    assert found.centre < 0.5


def test_one_line_alone_is_extrapolated_and_its_error_is_stated() -> None:
    found = estimate(curve((24.5, 1.91, 1.91)), POINTS, 30)
    assert (found.method, found.model) == (EXTRAPOLATED, "negative_binomial")
    assert found.model_error >= 0.05


def test_lines_that_contradict_each_other_give_nothing() -> None:
    found = estimate(curve((24.5, 3.0, 1.4), (29.5, 1.4, 3.0)), POINTS, 27)
    assert (found.method, found.centre) == (NONE, None)
    assert "contradict" in found.problem


def test_a_first_goal_is_carried_nowhere() -> None:
    found = estimate(curve((0.5, 7.0, 1.1)), FIRST_GOAL, 2)
    assert found.problem.startswith("no_model")


@pytest.mark.parametrize(
    "quotes",
    [
        [],
        [line(24.5, 1.9, None)],
        [line(24.5, None, 1.9)],
        [line(25.0, 1.9, 1.9)],
        [line(24.5, 1.9, 1.9, "prizepicks")],
        [line(24.5, 1.9, 1.9, "kalshi")],
        [line(24.5, 1.9, 1.9, seen=None)],
        [line(24.5, 1.9, 1.9, seen=Instant(NOW - 11 * MINUTE))],
        [line(24.5, 1.9, 1.9, seen=Instant(NOW + 2 * MINUTE))],
        [line(24.5, 1.01, 1.01)],
        [line(24.5, 5.0, 5.0)],
    ],
)
def test_what_is_no_evidence_makes_no_curve(quotes: list[BookLine]) -> None:
    found = curve_of(quotes, NOW, 600)
    assert found.lines == ()
    assert estimate(found, POINTS, 25).problem


def test_one_sided_lines_are_counted_and_not_used() -> None:
    found = curve_of([line(24.5, 1.9, None), line(29.5, 3.0, None)], NOW, 600)
    assert found.one_sided == 2


def test_a_book_counts_once_a_line_with_its_freshest_price() -> None:
    old = line(24.5, 1.5, 2.6, seen=Instant(NOW - 5 * MINUTE))
    found = curve_of([old, line(24.5, 1.91, 1.91)], NOW, 600)
    assert found.lines[0].over.books == 1
    assert found.lines[0].centre == pytest.approx(0.5)


chances = st.floats(0.08, 0.92)


@given(
    st.sampled_from([one for one in STATISTICS if one.model is not Model.NONE]), st.integers(1, 25), chances
)
def test_a_higher_threshold_is_never_likelier(statistic: Statistic, whole: int, p_over: float) -> None:
    over, under = 0.96 / p_over, 0.96 / (1 - p_over)
    known = curve((whole + 0.5, over, under))
    values = [estimate(known, statistic, threshold).centre for threshold in range(1, whole + 8)]
    told = [value for value in values if value is not None]
    assert all(low >= high - 1e-9 for low, high in pairwise(told))


@given(st.integers(1, 8), chances, st.floats(0.05, 0.9))
def test_an_interpolated_value_stays_between_its_lines(whole: int, p_low: float, fall: float) -> None:
    p_high = p_low * fall
    known = curve(
        (whole + 0.5, 0.97 / p_low, 0.97 / (1 - p_low)), (whole + 3.5, 0.97 / p_high, 0.97 / (1 - p_high))
    )
    if len(known.lines) < 2:
        return
    found = estimate(known, THREES, whole + 2)
    if found.method == INTERPOLATED:
        low, high = known.lines
        assert found.centre is not None
        assert high.centre - 1e-9 <= found.centre <= low.centre + 1e-9
