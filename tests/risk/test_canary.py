"""Canary mode: one contract an order until a generation has proved itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ConfigError
from shared.money import Quantity
from shared.risk.canary import ONE_CONTRACT, Canary, capped, generation
from tests.support.limits import LIMITS

V1 = generation("v1", 0)


def proved(times: int, name: str = V1) -> Canary:
    made = Canary().of(name)
    for _ in range(times):
        made = made.counted(name, clean=True)
    return made


def test_a_first_deploy_starts_with_one_contract() -> None:
    assert Canary().cap(V1, 3) == ONE_CONTRACT


def test_enough_clean_fills_end_it() -> None:
    assert proved(2).cap(V1, 3) == ONE_CONTRACT
    assert proved(3).cap(V1, 3) is None


@pytest.mark.parametrize("changed", [generation("v2", 0), generation("v1", 1)])
def test_a_deploy_and_a_trip_start_it_again(changed: str) -> None:
    assert proved(3).cap(changed, 3) == ONE_CONTRACT


def test_a_fill_that_went_wrong_starts_the_proof_again() -> None:
    assert proved(2).counted(V1, clean=False).clean == 0


def test_an_order_of_another_generation_proves_nothing() -> None:
    assert proved(2).counted("v0/0", clean=True) == proved(2)


def test_sizing_gets_limits_that_the_gate_will_not_refuse() -> None:
    assert capped(LIMITS, ONE_CONTRACT) == replace(LIMITS, max_quantity_per_trade=ONE_CONTRACT)
    assert capped(LIMITS, None) is LIMITS


def test_a_cap_never_raises_a_limit() -> None:
    assert capped(LIMITS, Quantity(10**6)).max_quantity_per_trade == LIMITS.max_quantity_per_trade


def test_a_cap_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="halt"):
        capped(LIMITS, Quantity(0))


@given(st.lists(st.tuples(st.sampled_from(("a/0", "a/1", "b/1")), st.booleans())))
def test_it_ends_only_after_enough_clean_fills_in_a_row_of_the_same_generation(
    fills: list[tuple[str, bool]],
) -> None:
    canary, in_a_row = Canary(), 0
    for name, clean in fills:
        in_a_row = 0 if name != canary.generation else in_a_row
        canary = canary.of(name).counted(name, clean=clean)
        in_a_row = in_a_row + 1 if clean else 0
        assert (canary.cap(name, 3) is None) == (in_a_row >= 3)
