"""The loop of the simulation: virtual time, seeded order, no way out, and the dead stay dead."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.simulation.loop import (
    OWNER,
    DeadlockError,
    SimulationLoop,
    StepLimitError,
    owned,
)


@dataclass
class Somebody:
    """An owner whose life a test decides."""

    name: str = "somebody"
    is_alive: bool = True
    stalled_until: float = 0.0
    steps: int = field(default=0)

    def stepped(self) -> bool:
        self.steps += 1
        return True


def ran(coroutine: Coroutine[Any, Any, Any], seed: int = 1, **options: Any) -> SimulationLoop:
    loop = SimulationLoop(seed, **options)
    try:
        loop.run_until_complete(coroutine)
    finally:
        loop.close()
    return loop


def test_a_day_passes_without_waiting() -> None:
    began = time.monotonic()
    loop = ran(asyncio.sleep(86_400))
    assert loop.time() == 86_400
    assert time.monotonic() - began < 5


def order_of(seed: int) -> list[int]:
    said: list[int] = []

    async def say(number: int) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
            said.append(number)

    async def all_of_them() -> None:
        await asyncio.gather(*(say(number) for number in range(5)))

    ran(all_of_them(), seed)
    return said


def test_the_seed_decides_who_is_next() -> None:
    assert order_of(1) == order_of(1)
    assert len({tuple(order_of(seed)) for seed in range(20)}) > 15


def test_the_record_of_a_run_is_its_seed_s_alone() -> None:
    def digest(seed: int) -> str:
        return ran(asyncio.sleep(1), seed).record.digest

    async def busy() -> None:
        await asyncio.gather(*(asyncio.sleep(number % 3) for number in range(50)))

    assert digest(1) == digest(1)
    assert ran(busy(), 1).record.digest == ran(busy(), 1).record.digest != ran(busy(), 2).record.digest


def test_a_time_out_follows_virtual_time() -> None:
    async def waits() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.get_running_loop().create_future()
        return asyncio.get_running_loop().time()

    loop = SimulationLoop(1)
    assert loop.run_until_complete(waits()) == 30
    loop.close()


def test_when_nothing_can_happen_the_waiting_tasks_are_named() -> None:
    async def stuck() -> None:
        lock = asyncio.Lock()
        await lock.acquire()
        await lock.acquire()

    with pytest.raises(DeadlockError, match="stuck"):
        ran(stuck())


def test_spinning_ends_at_the_step_limit() -> None:
    async def spin() -> None:
        for _ in range(10**9):
            await asyncio.sleep(0)

    with pytest.raises(StepLimitError):
        ran(spin(), max_steps=1_000)


def test_work_for_a_thread_is_a_step_like_any_other() -> None:
    async def main() -> tuple[int, bool]:
        here = threading.get_ident()
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(divmod, 1, 0)
        return len(await asyncio.to_thread("abc".upper)), await asyncio.to_thread(threading.get_ident) == here

    loop = SimulationLoop(1)
    assert loop.run_until_complete(main()) == (3, True)
    loop.close()


def test_an_error_that_nobody_took_is_kept() -> None:
    async def main() -> None:
        task = asyncio.create_task(fails())
        await asyncio.wait([task])
        del task
        await asyncio.sleep(1)

    async def fails() -> None:
        raise ValueError("lost")

    assert any("lost" in text for text in ran(main()).failures)


def test_sets_of_tasks_have_the_same_order_in_every_run() -> None:
    async def main() -> list[str]:
        tasks = {asyncio.create_task(asyncio.sleep(1)) for _ in range(30)}
        done, _ = await asyncio.wait(tasks)
        return [task.get_name() for task in done]

    first, second = SimulationLoop(1), SimulationLoop(1)
    assert first.run_until_complete(main()) == second.run_until_complete(main())
    first.close()
    second.close()


# --- owners ------------------------------------------------------------------------------------------------


def test_a_dead_owner_takes_no_further_step_not_even_to_clean_up() -> None:
    owner, said = Somebody(), list[str]()

    async def lives() -> None:
        try:
            await asyncio.sleep(1)
            said.append("woke")
        finally:
            said.append("cleaned up")

    async def main() -> None:
        with owned(owner):
            task = asyncio.create_task(lives())
        await asyncio.sleep(0.5)
        owner.is_alive = False
        asyncio.get_running_loop().bury(owner)  # type: ignore[attr-defined]
        await asyncio.sleep(10)
        assert not task.done()
        assert said == []

    ran(main())


def test_what_an_owner_starts_is_its_own() -> None:
    owner = Somebody()

    async def inner() -> object:
        return OWNER.get()

    async def outer() -> object:
        return await asyncio.create_task(inner())

    async def main() -> object:
        with owned(owner):
            task = asyncio.create_task(outer())
        return await task

    loop = SimulationLoop(1)
    assert loop.run_until_complete(main()) is owner
    assert owner.steps > 0
    loop.close()


def test_a_stalled_owner_goes_on_where_it_was() -> None:
    owner = Somebody()

    async def works() -> float:
        await asyncio.sleep(1)
        return asyncio.get_running_loop().time()

    async def main() -> float:
        with owned(owner):
            task = asyncio.create_task(works())
        await asyncio.sleep(0.5)
        owner.stalled_until = 7.0
        return await task

    loop = SimulationLoop(1)
    assert loop.run_until_complete(main()) == 7.0
    loop.close()


def test_a_stalled_owner_s_canceled_timer_stays_canceled() -> None:
    owner, said = Somebody(), list[str]()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        with owned(owner):
            timer = loop.call_later(1, said.append, "rang")
        owner.stalled_until = 5.0
        await asyncio.sleep(2)
        timer.cancel()
        await asyncio.sleep(10)

    ran(main())
    assert said == []
