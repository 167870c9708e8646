"""A long run stays flat: memory, tasks, and the books at its end."""

from __future__ import annotations

from tests.simulation.plan import Plan
from tests.simulation.programs import PROGRAMS
from tests.simulation.soak import Soak, held_bytes, verdict


def test_an_hour_leaves_nothing_behind() -> None:
    plan = Plan(seed=1, seconds=3600.0, skews=(0.2,), signals=4.0)
    soak = Soak(plan, PROGRAMS["service"], steps=1 << 40)
    soak.go()
    assert verdict(soak) == []
    assert soak.counts["filled"] > 20


def test_what_a_process_holds_is_counted_wherever_it_hides() -> None:
    class Thing:
        def __init__(self) -> None:
            self.kept: list[bytes] = []

    thing = Thing()
    Thing.__module__ = "shared.somewhere"

    def remembers() -> Thing:
        return thing

    before = held_bytes([remembers])
    thing.kept.append(bytes(1_000_000))
    assert 1_000_000 <= held_bytes([remembers]) - before < 1_001_000


def test_growth_is_noticed() -> None:
    soak = Soak(Plan(seed=1, seconds=1.0, skews=(0.0,)), PROGRAMS["service"])
    soak.heap, soak.tasks = [10 << 20, 20 << 20, 200 << 20, 400 << 20], [10, 10, 20, 40]
    assert len(verdict(soak)) == 2
    soak.loop.close()
