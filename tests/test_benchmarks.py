"""The table of benchmarks says what was measured; nothing here is timed."""

from __future__ import annotations

import importlib

import pytest

from benchmarks.__main__ import NAMES, main
from benchmarks.replay import synthetic
from benchmarks.report import Figure, Goal, Skipped, as_data, cells


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_gives_figures(name: str) -> None:
    assert callable(importlib.import_module(f"benchmarks.{name}").figures)


def test_an_unknown_benchmark_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["nothing"])
    assert "no such benchmark: nothing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("goal", "met"),
    [
        (Goal("figure", 3.0), True),
        (Goal("figure", 2.0), False),
        (Goal("p99", 9.0), False),
        (Goal("ratio", 4.0, at_least=True), True),
        (None, None),
    ],
)
def test_a_goal_is_met_or_not(goal: Goal | None, met: bool | None) -> None:
    figure = Figure("g", "w", 2.0, "ms", p99=9.0, ratio=4.0, goal=goal)
    assert figure.met is met
    assert as_data([figure])[0]["met"] is met


def test_a_line_reads_as_a_sentence() -> None:
    figure = Figure("g", "w", 1234.5, "us", 0.5, 2.0, "ours is", Goal("p99", 100.0))
    assert cells(figure) == ("g", "w", "1,234 us", "0.5 us", "ours is: 2x", "p99 < 100", "met")


def test_what_could_not_be_measured_says_why() -> None:
    assert cells(Skipped("g", "w", "not here"))[2:6] == ("skipped", "", "", "not here")


def test_the_made_up_tape_is_the_same_every_time() -> None:
    one, two = synthetic(2_000), synthetic(2_000)
    assert one.events == two.events
    assert [at for at, _ in one.events] == sorted(at for at, _ in one.events)
