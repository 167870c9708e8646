"""A clock that all processes of a trial share and that runs faster than the machine's.

What a system waits for (a lease to end, ninety seconds until an order counts as never arrived) would be most
of a trial's time. Sockets, disks and the processor are as slow as ever, which makes them look slower.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from shared.clock import Instant, SystemClock


@dataclass(frozen=True, slots=True)
class QuickClock:
    """Reads the machine's time at ``origin_us`` and runs ``speed`` times as fast from there."""

    origin_us: int
    speed: float

    @staticmethod
    def starting_now(speed: float) -> QuickClock:
        """A clock that agrees with the machine's for the last time now."""
        return QuickClock(time.time_ns() // 1000, speed)

    @property
    def text(self) -> str:
        """As :func:`install` takes it."""
        return f"{self.origin_us}:{self.speed:g}"

    def now(self) -> Instant:
        """The time of the trial."""
        return Instant(self.origin_us + int((time.time_ns() // 1000 - self.origin_us) * self.speed))

    async def sleep(self, seconds: float) -> None:
        """Sleep ``seconds`` of the trial."""
        await asyncio.sleep(seconds / self.speed)


def install(text: str) -> None:
    """Make every system clock of this process the one in ``text``."""
    origin, speed = text.split(":")
    clock = QuickClock(int(origin), float(speed))
    SystemClock.now = lambda self: clock.now()  # type: ignore[method-assign]
    SystemClock.sleep = lambda self, seconds: clock.sleep(seconds)  # type: ignore[method-assign]
