from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.edges.confidence import ConfidenceInputs, confidence, tier
from shared.errors import MalformedError

GOOD = ConfidenceInputs(
    net_edge=0.08,
    effective_books=4.0,
    book_range=0.0,
    depth=400.0,
    order=100.0,
    spread=0.01,
    hours_to_start=2.0,
    quote_age_s=0.0,
)
FIELDS = [field.name for field in fields(ConfidenceInputs) if field.name != "half_life_s"]
maybe = st.none() | st.floats(-10, 1000)


def test_everything_at_its_best_scores_100() -> None:
    score = confidence(GOOD)
    assert (score.edge, score.consensus, score.liquidity, score.timing) == (30, 30, 20, 20)
    assert score.total == 100


@pytest.mark.parametrize("missing", FIELDS)
def test_missing_data_lowers_the_score(missing: str) -> None:
    change: dict[str, Any] = {missing: None}
    assert confidence(replace(GOOD, **change)).total < 100


def test_nothing_known_scores_nothing() -> None:
    nothing = ConfidenceInputs(None, None, None, None, None, None, None, None)
    assert confidence(nothing).total == 0


def test_a_game_that_has_begun_gets_no_timing_score() -> None:
    assert confidence(replace(GOOD, hours_to_start=-0.1)).timing == 0


def test_a_quote_one_half_life_old_gets_half_the_timing_score() -> None:
    assert confidence(replace(GOOD, quote_age_s=600.0)).timing == pytest.approx(10)


def test_one_book_alone_is_no_consensus() -> None:
    assert confidence(replace(GOOD, effective_books=1.0)).consensus == 0


@pytest.mark.parametrize("name", FIELDS)
def test_what_is_not_a_number_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        confidence(replace(GOOD, **{name: math.nan}))


@pytest.mark.parametrize(("score", "word"), [(70, "HIGH"), (69, "MEDIUM"), (40, "MEDIUM"), (39, "LOW")])
def test_the_tiers_begin_at_their_scores(score: float, word: str) -> None:
    assert tier(score) == word


@given(st.builds(ConfidenceInputs, maybe, maybe, maybe, maybe, maybe, maybe, maybe, maybe))
def test_every_score_is_a_whole_number_of_0_to_100(known: ConfidenceInputs) -> None:
    score = confidence(known)
    assert 0 <= score.total <= 100
    assert score.total == int(score.total)
