"""Machines: they die at a step or a boundary, stall, stop in order, and start again with nothing in mind."""

from __future__ import annotations

import asyncio

import pytest

from shared.clock import SECOND
from shared.ports import Create
from tests.simulation.bench import Bench
from tests.simulation.plan import BOUNDARIES
from tests.simulation.process import Host, Machine


async def counts(host: Host) -> None:
    """Stores one document after another."""
    for number in range(1_000):
        await host.documents.create(f"orders/{host.holder}-{number}", {})


def after(bench: Bench, machine: Machine, seconds: float) -> None:
    async def main() -> None:
        machine.start()
        await asyncio.sleep(seconds)

    bench.run(main())


def stored(bench: Bench, name: str) -> int:
    return sum(one.path.startswith(f"orders/{name}-") for one in bench.store.all("orders"))


def test_a_killed_program_stores_nothing_more_and_the_next_starts_anew() -> None:
    bench = Bench()
    machine = bench.machine(counts)
    bench.loop.call_later(0.1, machine.kill_for, 1.0, "a test")
    after(bench, machine, 1.2)
    assert 0 < stored(bench, "p0.1") < 40
    assert 0 < stored(bench, "p0.2") < 60
    assert machine.rises == 2


def test_a_program_dies_at_the_step_it_was_told() -> None:
    def at(steps: int) -> int:
        bench = Bench()
        machine = bench.machine(counts)

        def tell() -> None:
            assert machine.running is not None
            machine.running.steps_left, machine.running.down_s = steps, 100.0

        bench.loop.call_later(0.0005, tell)
        after(bench, machine, 3)
        return stored(bench, "p0.1")

    assert at(1) <= at(10) < at(200)


@pytest.mark.parametrize(("boundary", "expected"), [("intent:before", 2), ("intent:after", 3)])
def test_a_program_dies_at_a_boundary(boundary: str, expected: int) -> None:
    bench = Bench()
    machine = bench.machine(counts)
    machine.set_trap(boundary, 3, lambda: machine.kill("at a boundary"))
    after(bench, machine, 2)
    assert stored(bench, "p0.1") == expected
    assert boundary in BOUNDARIES


def test_a_stalled_program_goes_on_later() -> None:
    bench = Bench()
    machine = bench.machine(counts)
    bench.loop.call_later(0.1, machine.stall, 5.0)
    bench.loop.call_later(4.9, lambda: kept.append(stored(bench, "p0.1")))
    kept: list[int] = []
    after(bench, machine, 6)
    assert stored(bench, "p0.1") > kept[0]
    assert machine.rises == 1


def test_a_program_that_ends_by_an_error_is_started_again_and_remembered() -> None:
    async def fails(host: Host) -> None:
        await asyncio.sleep(1)
        raise ValueError("broken")

    bench = Bench()
    machine = bench.machine(fails)
    after(bench, machine, 2.5)
    assert machine.ends == ["p0.1: ValueError: broken"]
    assert machine.rises == 2


def test_a_program_is_asked_to_stop_and_may_say_farewell() -> None:
    async def polite(host: Host) -> None:
        try:
            await asyncio.sleep(1_000)
        finally:
            await host.documents.create("farewells/1", {})

    bench = Bench()
    machine = bench.machine(polite)

    async def main() -> None:
        machine.start()
        await asyncio.sleep(1)
        await machine.stop()

    bench.run(main())
    assert bench.store.value("farewells/1") == {}
    assert (machine.running, machine.leaked, bench.loop.time() < 2) == (None, [], True)


def test_a_program_that_does_not_stop_is_killed_after_its_grace() -> None:
    async def stubborn(host: Host) -> None:
        try:
            await asyncio.sleep(1_000)
        finally:
            await asyncio.sleep(1_000)

    bench = Bench()
    machine = bench.machine(stubborn)

    async def main() -> None:
        machine.start()
        await asyncio.sleep(1)
        await machine.stop()

    bench.run(main())
    assert machine.running is None
    assert 10 < bench.loop.time() < 13


def test_tasks_left_behind_are_noticed() -> None:
    left: list[asyncio.Task[None]] = []

    async def untidy(host: Host) -> None:
        left.append(asyncio.create_task(asyncio.sleep(1_000)))

    bench = Bench()
    machine = bench.machine(untidy)
    after(bench, machine, 1)
    assert len(machine.leaked) == 1


def test_a_clock_that_is_set_moves_no_sleeper() -> None:
    async def sleeps(host: Host) -> tuple[int, int]:
        before = host.clock.now()
        await host.clock.sleep(10)
        return before, host.clock.now()

    bench = Bench()
    bench.loop.call_later(5, lambda: bench.hosts[0].clock.jump(-60))  # type: ignore[attr-defined]
    before, now = bench.alone(sleeps)
    assert (now - before) // SECOND == -50
    assert bench.loop.time() < 11


def test_the_dead_change_nothing_while_they_are_put_away() -> None:
    async def tidy(host: Host) -> None:
        try:
            await asyncio.sleep(1_000)
        finally:
            await host.documents.batch([Create("late/1", {})])

    bench = Bench()
    machine = bench.machine(tidy)
    bench.loop.call_later(1, machine.kill, "a test")
    after(bench, machine, 2)
    assert bench.store.value("late/1") is None
