"""The store as a process sees it: late, conflicting, unreadable, forgetful of answers; never wrong itself."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from shared.errors import (
    AlreadyExistsError,
    ConflictError,
    OutcomeUnknownError,
    RetryLaterError,
    StorageError,
)
from shared.ports import Create, Replace
from tests.simulation.bench import Bench
from tests.simulation.plan import Fault
from tests.simulation.process import Host

TROUBLE = (StorageError, RetryLaterError, OSError)


def test_a_write_is_read_again_and_takes_a_while() -> None:
    async def program(host: Host) -> tuple[object, int]:
        version = await host.documents.create("a/1", {"n": 1})
        found = await host.documents.get("a/1")
        assert found is not None
        return found.value, found.version - version

    bench = Bench()
    assert bench.alone(program) == ({"n": 1}, 0)
    assert bench.loop.time() > 0


def test_a_batch_is_all_or_nothing() -> None:
    async def program(host: Host) -> None:
        await host.documents.create("a/1", {})
        with pytest.raises(AlreadyExistsError):
            await host.documents.batch([Create("a/2", {}), Create("a/1", {})])
        with pytest.raises(ConflictError):
            await host.documents.batch([Create("a/2", {}), Replace("a/1", {}, 99)])
        assert await host.documents.get("a/2") is None

    Bench().alone(program)


def test_a_lost_answer_leaves_the_write_and_an_error() -> None:
    async def program(host: Host) -> None:
        with pytest.raises((AlreadyExistsError, ConflictError, OutcomeUnknownError, StorageError, OSError)):
            await host.documents.create("a/1", {})

    bench = Bench()
    bench.begin("store_lost_answer")
    bench.alone(program)
    assert bench.store.value("a/1") == {}


def test_a_conflict_that_was_none_leaves_nothing() -> None:
    async def program(host: Host) -> None:
        with pytest.raises(ConflictError):
            await host.documents.create("a/1", {})

    bench = Bench()
    bench.begin("store_conflict")
    bench.alone(program)
    assert bench.store.value("a/1") is None


def test_an_unreadable_store_answers_neither_reads_nor_writes() -> None:
    async def program(host: Host) -> None:
        for call in (host.documents.get("a/1"), host.documents.create("a/1", {})):
            with pytest.raises(TROUBLE):
                await call

    bench = Bench()
    bench.begin("store_unreadable")
    bench.alone(program)
    assert bench.store.value("a/1") is None


def test_a_write_under_way_lands_although_its_process_dies() -> None:
    async def program(host: Host) -> None:
        await host.documents.create("a/1", {})
        await host.documents.create("a/2", {})

    bench = Bench()

    async def main() -> None:
        machine = bench.machine(program)
        machine.start()
        await asyncio.sleep(0.0005)  # it has left and not arrived
        machine.kill("a test")
        await asyncio.sleep(5)

    bench.run(main())
    assert bench.store.value("a/1") == {}
    assert bench.store.value("a/2") is None


def watched(bench: Bench, seconds: float) -> list[int]:
    """Versions of ``n`` that a watch told while somebody counted to three."""
    heard: list[int] = []

    async def program(host: Host) -> None:
        with suppress(RetryLaterError):
            async for document in host.documents.watch("a"):
                heard.extend([document.value["n"]])
        heard.append(-1)

    async def main() -> None:
        machine = bench.machine(program)
        machine.start()
        for number in range(3):
            bench.store.commit("somebody", [Create(f"a/{number}", {"n": number})])
            await asyncio.sleep(1)
        bench.store.poke()
        await asyncio.sleep(seconds)
        machine.kill("a test")

    bench.run(main())
    return heard


def test_a_watch_tells_what_is_and_what_comes() -> None:
    assert watched(Bench(), 1) == [0, 1, 2]


def test_a_silent_watch_tells_nothing_until_it_speaks_again() -> None:
    bench = Bench()
    fault = Fault(at=0.0, kind="watch_silent")
    bench.weather.begin(fault)
    bench.loop.call_later(4.5, bench.weather.end, fault)
    assert watched(bench, 0.5) == []
    bench = Bench()
    bench.weather.begin(fault)
    bench.loop.call_later(4.5, bench.weather.end, fault)
    assert sorted(watched(bench, 5)) == [0, 1, 2]


def test_a_dying_watch_raises() -> None:
    bench = Bench()
    bench.begin("watch_dies")
    assert watched(bench, 1) == [-1]


def test_whoever_asks_hears_of_every_commit() -> None:
    bench, heard = Bench(), list[tuple[str, str]]()
    bench.store.on_commit = lambda who, writes: heard.extend((who, write.path) for write in writes)

    async def program(host: Host) -> None:
        await host.documents.create("a/1", {})

    bench.alone(program)
    assert heard == [("p0.1", "a/1")]
