"""The simulation itself: seeds without a violation, and the same seed is the same run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.plan import drawn
from tests.simulation.programs import PROGRAMS
from tests.simulation.world import run

_ROOT = Path(__file__).parents[2]
# In parallel with everything else; make simulate runs as many as one likes.
SEEDS = range(1, 49)
BATCH = 6


@pytest.mark.parametrize("first", SEEDS[::BATCH])
def test_no_seed_breaks_an_invariant(first: int) -> None:
    for seed in range(first, first + BATCH):
        result = run(drawn(seed), PROGRAMS["service"])
        assert not result.failure, f"make simulate SEEDS=1 FIRST={seed}\n{result.text}"


def test_runs_trade_and_things_go_wrong() -> None:
    """A simulation in which nothing happens proves nothing."""
    total: dict[str, int] = {}
    for seed in range(1, 13):
        for name, count in run(drawn(seed), PROGRAMS["service"]).counts.items():
            total[name] = total.get(name, 0) + count
    assert total["filled"] > 50
    assert total["refused"] > 50
    assert total["unknown"] > 0
    assert total["starts"] > 24
    assert sum(name.startswith("fault ") for name in total) > 15


@pytest.mark.parametrize("seed", [3, 8, 21, 34])
def test_the_same_seed_is_the_same_run(seed: int) -> None:
    first, second = (run(drawn(seed), PROGRAMS["service"]) for _ in range(2))
    assert (first.digest, first.steps, first.counts) == (second.digest, second.steps, second.counts)


def test_another_seed_is_another_run() -> None:
    assert len({run(drawn(seed), PROGRAMS["service"]).digest for seed in range(1, 5)}) == 4


def test_another_process_makes_the_same_run() -> None:
    def printed() -> str:
        command = [sys.executable, "-m", "tests.simulation", "2", "--workers", "1"]
        answer = subprocess.run(  # noqa: S603 - ourselves
            command,
            cwd=_ROOT,
            env={**os.environ, "PYTHONHASHSEED": "random"},
            capture_output=True,
            check=True,
        )
        return next(line for line in answer.stdout.decode().splitlines() if line.startswith("hash "))

    assert printed() == printed()
