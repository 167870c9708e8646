from __future__ import annotations

import math
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import MalformedError
from shared.mapping.assignment import assign
from shared.mapping.metrics import match_quality
from shared.mapping.similarity import pair_score, similarity

scores = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(0, 100).map(lambda n: n / 100), min_size=width, max_size=width),
        min_size=1,
        max_size=4,
    )
)


def best_total(matrix: list[list[float]], threshold: float) -> float:
    """Highest total over every way to match, each unmatched row worth the threshold."""
    rows, columns = len(matrix), len(matrix[0]) + len(matrix)
    return max(
        sum(
            threshold if column >= len(matrix[0]) or matrix[row][column] < threshold else matrix[row][column]
            for row, column in enumerate(choice)
        )
        for choice in permutations(range(columns), rows)
    )


def test_the_best_total_is_not_the_greedy_one() -> None:
    assert assign([[0.95, 0.9, 0.1], [0.93, 0.4, 0.2], [0.3, 0.2, 0.6]], 0.8) == [1, 0, None]


def test_below_the_threshold_a_row_abstains() -> None:
    assert assign([[0.79]], 0.8) == [None]
    assert assign([[0.80]], 0.8) == [0]


def test_a_second_candidate_within_the_margin_makes_a_row_abstain() -> None:
    assert assign([[0.95, 0.93]], 0.8, margin=0.05) == [None]
    assert assign([[0.95, 0.85]], 0.8, margin=0.05) == [0]


def test_a_candidate_that_another_row_holds_is_no_rival() -> None:
    assert assign([[0.95, 0.93], [0.2, 0.99]], 0.8, margin=0.05) == [0, 1]


def test_nothing_to_match_matches_nothing() -> None:
    assert assign([], 0.8) == []
    assert assign([[], []], 0.8) == [None, None]


@pytest.mark.parametrize("matrix", [[[0.5], [0.5, 0.6]], [[math.nan]], [[math.inf]]])
def test_a_broken_matrix_is_refused(matrix: list[list[float]]) -> None:
    with pytest.raises(MalformedError):
        assign(matrix, 0.8)


@given(scores, st.integers(0, 100).map(lambda n: n / 100))
def test_the_assignment_is_one_to_one_and_optimal(matrix: list[list[float]], threshold: float) -> None:
    chosen = assign(matrix, threshold)
    taken = [column for column in chosen if column is not None]
    assert len(taken) == len(set(taken))
    assert all(matrix[row][column] >= threshold for row, column in enumerate(chosen) if column is not None)
    total = sum(threshold if column is None else matrix[row][column] for row, column in enumerate(chosen))
    assert total == pytest.approx(best_total(matrix, threshold))


def test_a_wrong_match_is_both_a_false_and_a_missed_one() -> None:
    found = match_quality(["a"], ["b"])
    assert (found.true_positive, found.false_positive, found.false_negative) == (0, 1, 1)


def test_ratios_with_nothing_to_count_are_unknown() -> None:
    found = match_quality([None], [None])
    assert (found.precision, found.recall, found.coverage) == (None, None, 0.0)
    assert match_quality([], []).coverage is None


def test_lists_of_different_length_are_refused() -> None:
    with pytest.raises(MalformedError):
        match_quality(["a"], [])


def test_a_subset_of_words_fools_the_token_set_ratio() -> None:
    assert similarity("Michigan", "Michigan State").token_set == 100


def test_both_sides_of_a_game_must_match_in_either_orientation() -> None:
    same = pair_score(("Denver Nuggets", "Houston Rockets"), ("Houston Rockets", "Denver Nuggets"))
    half = pair_score(("Denver Nuggets", "Houston Rockets"), ("Denver Nuggets", "Utah Jazz"))
    assert same == 100
    assert half < 50
