"""A long run: a day and more of virtual time, in which memory and tasks must stay as they are."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import tracemalloc
from dataclasses import dataclass, field

from tests.simulation.plan import Plan, drawn
from tests.simulation.programs import PROGRAMS
from tests.simulation.world import Run

_HOUR_S = 3600.0
_MIB = 1 << 20


@dataclass
class Soak(Run):
    """A run of many hours, looked at sixteen times and more."""

    heap: list[int] = field(default_factory=list)  # bytes of the tested code, at each look
    tasks: list[int] = field(default_factory=list)

    async def _course(self) -> None:
        self.exchange.pump()
        for machine in self.machines:
            machine.start()
        self.signals.go_on(self.plan.seconds)
        while self.loop.time() < self.plan.seconds:
            await asyncio.sleep(min(_HOUR_S, self.plan.seconds / 16))
            self._look()
        self.calm()
        await self._rest()
        self.referee.at_rest()
        await self._stop()

    def _look(self) -> None:
        gc.collect()
        self.heap.append(_tested_bytes())
        self.tasks.append(len(asyncio.all_tasks(self.loop)))
        self.close_breakers()
        print(
            f"{self.loop.time() / _HOUR_S:5.1f} h, {self.heap[-1] / _MIB:6.1f} MiB, {self.tasks[-1]} tasks, "
            f"{self.counts.get('filled', 0)} orders filled",
            flush=True,
        )


def _tested_bytes() -> int:
    """Memory allocated by the code under test, in bytes: not what exchange and store keep of every order."""
    ours = [
        tracemalloc.Filter(True, "*/shared/*"),
        tracemalloc.Filter(False, "*/shared/simulator/*"),
        tracemalloc.Filter(False, "*/shared/backends/memory/*"),
    ]
    found = tracemalloc.take_snapshot().filter_traces(ours).statistics("filename")
    return sum(one.size for one in found)


def main(program: str, hours: float) -> int:
    """Run for ``hours``; exit status 0 when memory and tasks stayed flat and the books agree."""
    plan = Plan(seed=drawn(1).seed, seconds=hours * _HOUR_S, skews=(0.2, -0.3), signals=2.0)
    began = time.monotonic()
    tracemalloc.start()
    soak = Soak(plan, PROGRAMS[program], steps=1 << 40)
    soak.go()
    found = verdict(soak)
    print(f"hash {soak.loop.record.digest}, {soak.loop.steps} steps in {time.monotonic() - began:.0f} s")
    print("; ".join(found) or "flat")
    return 1 if found else 0


def verdict(soak: Soak) -> list[str]:
    """What grew that must not: judged from the first quarter on, by what an order may leave behind."""
    warm = len(soak.heap) // 4
    orders = soak.counts.get("filled", 0) or 1
    growth = soak.heap[-1] - soak.heap[warm]
    found = []
    if growth > 2 * _MIB + 2_000 * orders:
        found.append(f"the heap of the tested code grew by {growth / _MIB:.1f} MiB after warming up")
    if soak.tasks[-1] > max(soak.tasks[: warm + 1]) + 5:
        found.append(f"tasks grew from {soak.tasks[warm]} to {soak.tasks[-1]}")
    return found


if __name__ == "__main__":
    sys.exit(main("service", float(sys.argv[1])))
