"""The bus of the simulation: at least once, late, twice, and again after a failure or a death."""

from __future__ import annotations

import asyncio

import pytest

from shared.errors import RetryLaterError
from shared.messages import Message
from tests.simulation.bench import Bench
from tests.simulation.process import Host
from tests.support.backends import tick


def heard(bench: Bench, seconds: float = 20, fail: int = 0) -> list[str]:
    """Ids that a subscriber was handed of three published messages; it fails ``fail`` times first."""
    found: list[str] = []
    failures = iter(range(fail))

    async def program(host: Host) -> None:
        async def handle(message: Message) -> None:
            found.append(message.event_id)
            if next(failures, None) is not None:
                raise RetryLaterError("not now")

        host.bus.subscribe("kalshi-ticks", "test", handle)
        await asyncio.sleep(1_000)

    async def main() -> None:
        machine = bench.machine(program)
        machine.start()
        await asyncio.sleep(0.1)
        for second in range(3):
            bench.bus.publish("somebody", tick(second))
        await asyncio.sleep(seconds)
        machine.kill("a test")

    bench.run(main())
    return found


WANTED = {tick(second).event_id for second in range(3)}


def test_every_message_arrives() -> None:
    assert sorted(heard(Bench())) == sorted(WANTED)


def test_order_is_not_kept() -> None:
    assert len({tuple(heard(Bench(seed))) for seed in range(8)}) > 1


def test_duplicates_arrive_when_they_must() -> None:
    bench = Bench()
    bench.begin("bus_duplicate")
    assert sorted(heard(bench)) == sorted([*WANTED, *WANTED])


def test_a_failed_delivery_is_made_again() -> None:
    found = heard(Bench(), fail=2)
    assert set(found) == WANTED
    assert len(found) == 5


def test_a_message_to_the_dead_comes_when_they_rise() -> None:
    bench, found = Bench(), list[str]()

    async def program(host: Host) -> None:
        async def handle(message: Message) -> None:
            found.append(host.holder)

        host.bus.subscribe("kalshi-ticks", "test", handle)
        await asyncio.sleep(1_000)

    async def main() -> None:
        machine = bench.machine(program)
        machine.start()
        await asyncio.sleep(0.1)
        machine.kill_for(5, "a test")
        bench.bus.publish("somebody", tick(1))
        await asyncio.sleep(10)
        machine.kill("a test")

    bench.run(main())
    assert found == ["p0.2"]


def test_a_bus_that_is_down_says_so() -> None:
    async def program(host: Host) -> None:
        with pytest.raises(RetryLaterError):
            await host.bus.publish("kalshi-ticks", [tick(1)])

    bench = Bench()
    bench.begin("bus_down")
    bench.alone(program)
