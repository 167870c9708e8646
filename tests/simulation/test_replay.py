"""A failure prints what is needed to have it again: its seed, a small plan and one command."""

from __future__ import annotations

import shlex

import pytest

from tests.simulation import __main__ as command
from tests.simulation.mutations import MUTATIONS
from tests.simulation.plan import decode, drawn
from tests.simulation.programs import PROGRAMS
from tests.simulation.world import Result, run

HALT_IGNORED = next(one for one in MUTATIONS if one.title == "the halt is ignored")


def failed() -> Result:
    return next(
        result
        for seed in range(1, 30)
        if (result := run(HALT_IGNORED.planned(seed), PROGRAMS["service"], HALT_IGNORED)).failure
    )


def test_a_failure_is_explained_by_a_small_plan_that_fails_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = failed()
    with HALT_IGNORED():
        command._explain("service", first)
    said = capsys.readouterr().out
    line = next(line for line in said.splitlines() if line.startswith("play it again: "))
    words = shlex.split(line.removeprefix("play it again: "))
    small = decode(words[words.index("--plan") + 1])
    assert len(small.faults) <= len(first.plan.faults)
    assert run(small, PROGRAMS["service"], HALT_IGNORED).failure == first.failure
    assert not run(small, PROGRAMS["service"]).failure


def test_a_clean_plan_is_said_to_be_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert command._replay("service", drawn(1), verbose=False) == 0
    assert "clean" in capsys.readouterr().out
