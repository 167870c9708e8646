"""A long run stays flat: memory, tasks, and the books at its end."""

from __future__ import annotations

import tracemalloc

from tests.simulation.plan import Plan
from tests.simulation.programs import PROGRAMS
from tests.simulation.soak import Soak, verdict


def test_an_hour_leaves_nothing_behind() -> None:
    plan = Plan(seed=1, seconds=3600.0, skews=(0.2,), signals=4.0)
    tracemalloc.start()
    try:
        soak = Soak(plan, PROGRAMS["service"], steps=1 << 40)
        soak.go()
    finally:
        tracemalloc.stop()
    assert verdict(soak) == []
    assert soak.counts["filled"] > 20


def test_growth_is_noticed() -> None:
    soak = Soak(Plan(seed=1, seconds=1.0, skews=(0.0,)), PROGRAMS["service"])
    soak.heap, soak.tasks = [10 << 20, 20 << 20, 200 << 20, 400 << 20], [10, 10, 20, 40]
    assert len(verdict(soak)) == 2
    soak.loop.close()
