"""Plans: drawn by their seed alone, whole after a journey through JSON, and shrunk to what matters."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from tests.simulation.plan import SORTS, Fault, Plan, decode, drawn, encode, focused
from tests.simulation.shrink import shrunk
from tests.simulation.weather import Weather


def test_a_seed_draws_one_plan() -> None:
    assert drawn(7) == drawn(7)
    assert len({encode(drawn(seed)) for seed in range(100)}) == 100


def test_every_sort_of_fault_is_drawn_by_some_seed() -> None:
    kinds = {fault.kind for seed in range(500) for fault in drawn(seed).faults}
    assert kinds == set(SORTS)


@pytest.mark.parametrize("seed", range(20))
def test_a_plan_is_whole_after_a_journey_through_json(seed: int) -> None:
    assert decode(encode(drawn(seed))) == drawn(seed)


def test_a_focused_plan_has_only_the_faults_it_was_asked_for() -> None:
    assert {fault.kind for fault in focused(3, ("halt", "stall")).faults} <= {"halt", "stall"}


def plan_of(*kinds: str) -> Plan:
    faults = tuple(Fault(at=float(place), kind=kind, seconds=20.0) for place, kind in enumerate(kinds))
    return Plan(seed=1, seconds=60.0, skews=(0.0, 0.0), faults=faults)


def fails_with(*kinds: str) -> Callable[[Plan], bool]:
    return lambda plan: set(kinds) <= {fault.kind for fault in plan.faults}


def test_shrinking_keeps_exactly_the_faults_that_matter() -> None:
    plan = plan_of("a", "b", "c", "d", "e", "f", "g", "h")
    small = shrunk(plan, fails_with("b", "g"))
    assert [fault.kind for fault in small.faults] == ["b", "g"]


def test_shrinking_needs_no_fault_when_none_matters() -> None:
    assert shrunk(plan_of("a", "b", "c"), lambda plan: True).faults == ()


def test_shrinking_shortens_what_it_keeps_and_the_run() -> None:
    small = shrunk(plan_of("a", "b"), fails_with("a"))
    assert small.faults[0].seconds == 2.0
    assert small.processes == 1
    assert small.seconds < 60


def test_shrinking_never_gives_a_plan_that_does_not_fail() -> None:
    def fails(plan: Plan) -> bool:
        return sum(fault.seconds for fault in plan.faults) > 50

    small = shrunk(plan_of("a", "b", "c", "d", "e"), fails)
    assert fails(small)


def test_shrinking_stays_within_its_budget() -> None:
    tries = 0

    def fails(plan: Plan) -> bool:
        nonlocal tries
        tries += 1
        return len(plan.faults) > 3

    shrunk(plan_of(*"abcdefghijklmnop"), fails, budget=10)
    assert tries == 10


def test_a_fault_strikes_its_share_of_its_victims_while_it_lasts() -> None:
    weather, fault = Weather(1), Fault(at=0.0, kind="x", who=1, share=0.5)
    weather.begin(fault)
    struck = sum(weather.strikes("x", 1) is not None for _ in range(1_000))
    assert 400 < struck < 600
    assert weather.strikes("x", 0) is None
    weather.end(fault)
    assert all(weather.strikes("x", 1) is None for _ in range(100))


def test_a_plan_of_the_future_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode('{"seed":1,"seconds":"long","skews":[]}')
