"""Loops: turn after turn, what may pass is told and passes, what a person must mend ends all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from shared.clock import Instant, ManualClock
from shared.errors import ConfigError, QuotaExhaustedError, RetryLaterError, VenueDownError
from shared.runtime import loops
from shared.runtime.loops import Loop, Loops
from shared.runtime.stats import Stats


class Bench:
    """Loops on a clock moved by hand."""

    def __init__(self) -> None:
        self.clock, self.stats = ManualClock(Instant(0)), Stats()
        self.loops = Loops(self.clock, self.stats)
        self.tasks: list[asyncio.Task[None]] = []
        self.taken = 0
        self.fails: Exception | None = None

    async def turn(self) -> None:
        """Counts itself, and fails as it is told."""
        self.taken += 1
        if self.fails is not None:
            raise self.fails

    def start(self, *more: Loop, early: asyncio.Event | None = None) -> None:
        """One turn every ten seconds, and whatever else."""
        self.tasks = self.loops.start([("work", self.loops.every("work", 10, self.turn, early)), *more])

    async def passes(self, seconds: float) -> None:
        """Time passes, and who waits for it runs."""
        for _ in range(10):
            await asyncio.sleep(0)
        await self.clock.advance(seconds)
        for _ in range(10):
            await asyncio.sleep(0)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    for task in made.tasks:
        task.cancel()
    await asyncio.gather(*made.tasks, return_exceptions=True)


async def test_a_turn_is_taken_at_once_and_again_after_its_time(bench: Bench) -> None:
    bench.start()
    await bench.passes(9)
    assert bench.taken == 1
    await bench.passes(1)
    assert bench.taken == 2


async def test_news_call_for_a_turn_before_its_time_and_once(bench: Bench) -> None:
    early = asyncio.Event()
    bench.start(early=early)
    await bench.passes(1)
    early.set()
    await bench.passes(1)
    assert (bench.taken, early.is_set()) == (2, False)
    await bench.passes(5)
    assert bench.taken == 2


@pytest.mark.parametrize("error", [VenueDownError("paused"), RetryLaterError("later"), OSError("no route")])
async def test_what_may_pass_by_itself_is_told_until_it_has_passed(bench: Bench, error: Exception) -> None:
    bench.fails = error
    bench.start()
    await bench.passes(1)
    assert bench.stats.alerts == {"work": str(error)}
    assert "work" not in bench.stats.turns
    bench.fails = None
    await bench.passes(10)
    assert bench.stats.alerts == {}
    assert bench.stats.turns["work"] == bench.clock.now() - 1_000_000


async def test_used_up_credits_make_a_loop_wait_for_an_hour(bench: Bench) -> None:
    bench.fails = QuotaExhaustedError("credits renew on the first of the month")
    bench.start()
    await bench.passes(3599)
    assert (bench.taken, bench.stats.exhausted) == (1, {"work"})
    bench.fails = None
    await bench.passes(1)
    assert (bench.taken, bench.stats.exhausted) == (2, set())


@pytest.mark.parametrize("error", [ConfigError("set KALSHI_KEY_ID"), ZeroDivisionError("a fault")])
async def test_what_a_person_must_mend_and_our_own_faults_end_all(bench: Bench, error: Exception) -> None:
    bench.fails = error
    bench.start()
    await bench.passes(1)
    assert bench.loops.stop.is_set()
    assert bench.loops.failure is error


async def test_the_first_cause_is_kept(bench: Bench) -> None:
    bench.loops.fail(ConfigError("first"))
    bench.loops.fail(ConfigError("second"))
    assert str(bench.loops.failure) == "first"


async def test_what_could_not_be_read_is_an_alert_that_names_one_and_counts_all(bench: Bench) -> None:
    bench.loops.tell("series", {"KXB": "html", "KXA": "503"})
    assert bench.stats.alerts == {"series": "2 not read; KXA: 503"}
    bench.loops.tell("series", {})
    assert bench.stats.alerts == {}


async def test_at_the_end_listeners_end_at_once_and_a_turn_under_way_is_finished(bench: Bench) -> None:
    may_end, ended = asyncio.Event(), list[str]()

    async def slow() -> None:
        await may_end.wait()
        ended.append("slow")

    bench.start(
        ("slow", bench.loops.every("slow", 10, slow)),
        ("listens", _forever(lambda: ended.append("listens"))),
    )
    await bench.passes(1)
    finishing = asyncio.ensure_future(bench.loops.finish(bench.tasks, ["listens"]))
    await bench.passes(1)
    assert ended == ["listens"]
    may_end.set()
    await asyncio.wait_for(finishing, 1)
    assert ended == ["listens", "slow"]


async def test_a_turn_that_never_ends_is_cut_off_after_its_grace(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "GRACE_S", 0.01)
    bench.start(("stuck", _forever(lambda: None)))
    await bench.passes(1)
    await asyncio.wait_for(bench.loops.finish(bench.tasks, []), 1)
    assert all(task.done() for task in bench.tasks)


async def test_a_stop_before_the_first_step_leaves_nothing_behind(bench: Bench) -> None:
    bench.start(("listens", _forever(lambda: None)))
    await asyncio.wait_for(bench.loops.finish(bench.tasks, ["listens"]), 1)
    assert all(task.done() for task in bench.tasks)
    # A coroutine that was never awaited would be a warning, and a warning is an error here.


async def _forever(at_the_end: Callable[[], Awaitable[None] | None]) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        at_the_end()
