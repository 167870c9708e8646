"""States in which the two venues pay differently: each counts once, on the side it belongs to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.edges.states import contract_worth
from shared.messages import PayoffDifference
from shared.money import ONE, Price
from shared.terms import Side

HALF = Price(500_000)


def state(book_pays: str, probability: float = 0.04, pays: Price | None = None) -> PayoffDifference:
    return PayoffDifference(state="any", exchange_pays=pays, book_pays=book_pays, probability=probability)


@pytest.mark.parametrize("book_pays", ["void", "push"])
def test_where_the_stake_is_returned_the_state_is_taken_from_both_sides(book_pays: str) -> None:
    tie = state(book_pays, pays=HALF)
    assert contract_worth(0.7, (tie,), Side.YES, HALF) == pytest.approx(0.96 * 0.7 + 0.04 * 0.5)
    assert contract_worth(0.3, (tie,), Side.NO, HALF) == pytest.approx(0.96 * 0.3 + 0.04 * 0.5)


def test_a_state_the_bookmaker_counts_as_lost_is_taken_from_no_alone() -> None:
    draw = state("lose", pays=HALF)
    assert contract_worth(0.7, (draw,), Side.YES, HALF) == pytest.approx(0.7 + 0.04 * 0.5)
    assert contract_worth(0.3, (draw,), Side.NO, HALF) == pytest.approx(0.3 - 0.04 + 0.04 * 0.5)


def test_a_state_the_bookmaker_counts_as_won_is_taken_from_yes_alone() -> None:
    draw = state("win", pays=Price(0))
    assert contract_worth(0.7, (draw,), Side.YES, HALF) == pytest.approx(0.7 - 0.04)
    assert contract_worth(0.3, (draw,), Side.NO, HALF) == pytest.approx(0.3 + 0.04)


@given(
    st.floats(0.05, 0.95),
    st.sampled_from(["void", "push", "lose", "win"]),
    st.integers(0, int(ONE)).map(Price),
    st.floats(0.0, 0.05),
)
def test_both_sides_together_are_worth_a_dollar(
    yes: float, book_pays: str, pays: Price, probability: float
) -> None:
    states = (state(book_pays, probability, pays),)
    total = contract_worth(yes, states, Side.YES, HALF) + contract_worth(1 - yes, states, Side.NO, HALF)
    assert total == pytest.approx(1.0)
