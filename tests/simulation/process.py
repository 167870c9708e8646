"""A process of the simulation: a machine with its own clock on which one program runs, dies and runs again.

What a program can reach of the outside is its :class:`Host`, made anew at every start. A killed program takes
no further step and nothing it would still have done reaches the outside; memory starts afresh.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from shared.clock import SECOND, Clock, Instant
from shared.errors import ArbError
from shared.execution.policy import OrderPolicy
from shared.ports import Bus, Documents
from shared.risk.limits import RiskLimits
from shared.venues.http import Transport
from shared.venues.kalshi.sign import Signer
from shared.venues.kalshi.stream import Connect
from tests.simulation.loop import SimulationLoop, owned

# As a service manager: what has not ended by then is killed.
GRACE_S = 10.0
# Name of the tasks in which messages are handled.
DELIVERY = "delivery"


@dataclass(frozen=True, slots=True)
class Host:
    """All that a program may know of the world outside it."""

    holder: str
    documents: Documents
    bus: Bus
    clock: Clock
    rng: random.Random
    stopwatch: Callable[[], int]
    transport: Transport
    connect: Connect
    signer: Signer
    base_url: str
    limits: RiskLimits
    orders: OrderPolicy = field(default_factory=OrderPolicy)
    clean_fills: int = 0


Program = Callable[[Host], Coroutine[Any, Any, None]]


class SkewedClock:
    """A machine's idea of the time: the loop's, off by a little, and now and then set."""

    def __init__(self, loop: SimulationLoop, start: Instant, skew_s: float = 0.0) -> None:
        self._loop, self._start = loop, start
        self.offset_us = int(skew_s * SECOND)

    def now(self) -> Instant:
        """What this machine believes."""
        return Instant(self._start + int(self._loop.time() * SECOND) + self.offset_us)

    async def sleep(self, seconds: float) -> None:
        """Wait by a monotonic clock, as the real one does."""
        await asyncio.sleep(seconds)

    def jump(self, seconds: float) -> None:
        """Somebody sets it."""
        self.offset_us += int(seconds * SECOND)


class Incarnation:
    """One run of a program, from a start to its death."""

    def __init__(self, machine: Machine, number: int) -> None:
        self.machine, self.number = machine, number
        self.name = f"{machine.name}.{number}"
        self.stalled_until = 0.0
        self.steps_left: int | None = None
        self.down_s = 0.0
        self._is_alive = True
        self.on_death: list[Callable[[], None]] = []

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._is_alive

    @property
    def who(self) -> int:
        """Number of its machine."""
        return self.machine.number

    def stepped(self) -> bool:
        """Count down to a death that was announced for a step."""
        if self.steps_left is None:
            return True
        self.steps_left -= 1
        if self.steps_left > 0:
            return True
        self.machine.kill_for(self.down_s, "at a step")
        return False

    async def passes(self, boundary: str) -> None:
        """It is at a named boundary; perhaps it does not come past it."""
        trap = self.machine.trap(boundary)
        if trap is not None:
            trap()
            await asyncio.sleep(0)
        await self.lives()

    async def lives(self) -> None:
        """Returns at once to the living, never to the dead."""
        if not self._is_alive:
            await asyncio.get_running_loop().create_future()

    def die(self) -> None:
        """No further step."""
        self._is_alive = False
        for told in self.on_death:
            told()
        self.on_death.clear()


@dataclass(eq=False)
class _Trap:
    """What happens at the ``left``-th passing of a boundary."""

    boundary: str
    left: int
    spring: Callable[[], None]


@dataclass(eq=False)
class Machine:
    """Where one executor lives. ``host_of`` gives each incarnation its outside."""

    number: int
    loop: SimulationLoop
    clock: SkewedClock
    program: Program
    host_of: Callable[[Incarnation], Host]
    rises: int = 0
    running: Incarnation | None = None
    ends: list[str] = field(default_factory=list)
    gave_up: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    _main: asyncio.Task[None] | None = None
    _asked: Incarnation | None = None  # to end
    _traps: list[_Trap] = field(default_factory=list)

    @property
    def main(self) -> asyncio.Task[None] | None:
        """The program's task, while it runs."""
        return self._main

    @property
    def name(self) -> str:
        """``p0``, ``p1``, …"""
        return f"p{self.number}"

    def start(self) -> None:
        """Start the program, unless it runs."""
        if self.running is not None:
            return
        self.rises += 1
        born = self.running = Incarnation(self, self.rises)
        self.loop.record.effect(born.name, "starts")
        with owned(born):
            host = self.host_of(born)
            main = self._main = self.loop.create_task(self.program(host), name=f"{born.name}/main")
        with owned(None):
            main.add_done_callback(lambda task: self._ended(born, task))

    def kill(self, why: str) -> None:
        """The process is gone, in the middle of whatever it did."""
        gone, self.running, self._main = self.running, None, None
        if gone is not None:
            self.loop.record.effect(gone.name, "dies", why)
            gone.die()
            self.loop.bury(gone)

    def kill_for(self, seconds: float, why: str) -> None:
        """Kill it, and start it again after a while."""
        self.kill(why)
        self.rise_in(seconds)

    def rise_in(self, seconds: float) -> None:
        """Start it after ``seconds``."""
        with owned(None):
            self.loop.call_later(seconds, self.start)

    def stall(self, seconds: float) -> None:
        """Let it take no step for a while: a garbage collection, a moved virtual machine."""
        if self.running is not None:
            self.loop.record.effect(self.running.name, "stalls", f"{seconds:g} s")
            self.running.stalled_until = self.loop.time() + seconds

    async def stop(self) -> None:
        """Ask it to end; kill it when it does not."""
        asked, main = self.running, self._main
        if asked is None or main is None:
            return
        # Being asked twice is as being asked once: a signal of the system sets what is set.
        if self._asked is not asked:
            self._asked = asked
            self.loop.record.effect(asked.name, "is asked to stop")
            main.cancel()
        await asyncio.wait([main], timeout=GRACE_S)
        if self.running is asked:
            self.kill("did not stop in time")

    def set_trap(self, boundary: str, passing: int, spring: Callable[[], None]) -> None:
        """Do ``spring`` at the ``passing``-th passing of a boundary from now on."""
        self._traps.append(_Trap(boundary, passing, spring))

    def clear_traps(self) -> None:
        """No more of them."""
        self._traps.clear()
        if self.running is not None:
            self.running.steps_left, self.running.stalled_until = None, 0.0

    def trap(self, boundary: str) -> Callable[[], None] | None:
        """What springs now at ``boundary``."""
        for trap in self._traps:
            if trap.boundary == boundary:
                trap.left -= 1
                if trap.left <= 0:
                    self._traps.remove(trap)
                    return trap.spring
        return None

    def _ended(self, born: Incarnation, task: asyncio.Task[None]) -> None:
        """The program ended by itself: stopped in order, or broken. A service manager starts it again."""
        if self.running is not born:
            return
        error = None if task.cancelled() else task.exception()
        if error is not None:
            # Ending for a reason that has a name, to be started again, is a way to go on; a bug is not.
            kept = self.gave_up if isinstance(error, (ArbError, OSError)) else self.ends
            kept.append(f"{born.name}: {type(error).__name__}: {error}")
        # Deliveries are the bus's own: a service that has ended is simply not called any more.
        left = [one for one in self.loop.tasks_of(born) if one.get_name() != DELIVERY]
        self.loop.record.effect(
            born.name, "ends", type(error).__name__ if error else f"{len(left)} tasks left"
        )
        self.leaked += [f"{born.name}: {one.get_coro()!r}" for one in left]
        self.kill("ended")
        if error is not None:
            self.rise_in(1.0)
