"""The simulation has teeth: every deliberate mistake is noticed within a few seeds."""

from __future__ import annotations

import pytest

from tests.simulation.mutations import MUTATIONS, Mutation, caught
from tests.simulation.plan import focused
from tests.simulation.programs import PROGRAMS
from tests.simulation.world import run


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.title)
def test_a_mistake_is_noticed(mutation: Mutation) -> None:
    result = caught(mutation, PROGRAMS["service"])
    assert result is not None, f"{mutation.title}: not noticed in {mutation.seeds} seeds"


def test_a_mutation_leaves_nothing_behind() -> None:
    for mutation in MUTATIONS:
        before = getattr(mutation.where, mutation.name)
        with mutation():
            assert getattr(mutation.where, mutation.name) is not before
        assert getattr(mutation.where, mutation.name) is before


def test_without_a_mistake_the_same_plans_are_clean() -> None:
    for mutation in MUTATIONS[::5]:
        for seed in range(1, 3):
            assert not run(mutation.planned(seed), PROGRAMS["service"]).failure, mutation.title


def test_there_are_enough_of_them() -> None:
    assert len({mutation.title for mutation in MUTATIONS}) >= 15
    assert focused(1, ()).faults == ()
