"""A long run: a day and more of virtual time, in which memory and tasks must stay as they are."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, ModuleType

from tests.simulation.plan import Plan
from tests.simulation.programs import PROGRAMS
from tests.simulation.world import Run

_HOUR_S = 3600.0
_MIB = 1 << 20
_OTHERS = ("tests.", "shared.simulator.", "shared.backends.memory.")
_CODE = (ModuleType, type, CodeType, BuiltinFunctionType)


@dataclass
class Soak(Run):
    """A run of many hours, looked at sixteen times and more."""

    heap: list[int] = field(default_factory=list)  # bytes that the processes hold, at each look
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
        self.heap.append(held_bytes(machine.main for machine in self.machines))
        self.tasks.append(len(asyncio.all_tasks(self.loop)))
        self.close_breakers()
        print(
            f"{self.loop.time() / _HOUR_S:5.1f} h, {self.heap[-1] / _MIB:6.1f} MiB, {self.tasks[-1]} tasks, "
            f"{self.counts.get('filled', 0)} orders filled",
            flush=True,
        )


def held_bytes(roots: Iterable[object]) -> int:
    """Memory that can be reached from ``roots``, bytes, as far as it is the tested code's own.

    Where the reach ends: the loop, store, bus and exchange of the run, which keep every order; and code.
    """
    seen: set[int] = set()
    left, total = list(roots), 0
    while left:
        one = left.pop()
        if id(one) in seen or isinstance(one, _CODE) or _is_another(one):
            continue
        seen.add(id(one))
        total += sys.getsizeof(one)
        if isinstance(one, FunctionType):
            left += [cell.cell_contents for cell in one.__closure__ or () if _is_filled(cell)]
        else:
            left += gc.get_referents(one)
    return total


def _is_another(one: object) -> bool:
    return type(one).__module__.startswith(_OTHERS) and not isinstance(one, asyncio.Future)


def _is_filled(cell: CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - raises when there is nothing
    except ValueError:
        return False
    return True


def main(program: str, hours: float) -> int:
    """Run for ``hours``; exit status 0 when memory and tasks stayed flat and the books agree."""
    plan = Plan(seed=1, seconds=hours * _HOUR_S, skews=(0.2, -0.3), signals=2.0, tightness=4)
    began = time.monotonic()
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
        found.append(f"the processes hold more by {growth / _MIB:.1f} MiB after warming up")
    if soak.tasks[-1] > max(soak.tasks[: warm + 1]) + 5:
        found.append(f"tasks grew from {soak.tasks[warm]} to {soak.tasks[-1]}")
    return found


if __name__ == "__main__":
    sys.exit(main("service", float(sys.argv[1])))
