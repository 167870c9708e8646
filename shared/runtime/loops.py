"""Loops that take turns until a stop: what may pass by itself is told, what a person must mend ends all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping

from shared.clock import Clock, first
from shared.errors import ArbError, OperatorError, QuotaExhaustedError
from shared.runtime.stats import Stats

_log = logging.getLogger(__name__)

_QUOTA_WAIT_S = 3600.0
# Real seconds: how long a run that ends waits for a turn under way.
GRACE_S = 5.0

Turn = Callable[[], Awaitable[object]]
Loop = tuple[str, Coroutine[None, None, None]]


class Loops:
    """The turns of one process, what they say of themselves, and why they all end."""

    def __init__(self, clock: Clock, stats: Stats) -> None:
        self.stop = asyncio.Event()
        self.failure: BaseException | None = None
        self._clock, self._stats = clock, stats

    def fail(self, cause: BaseException) -> None:
        """End the run because of ``cause``; the first cause is the one that is told."""
        self.failure = self.failure or cause
        self.stop.set()

    def start(self, loops: Iterable[Loop]) -> list[asyncio.Task[None]]:
        """Run each loop in a task of its own; one that ends by an error ends them all."""
        return [asyncio.create_task(self._guarded(loop), name=name) for name, loop in loops]

    async def every(
        self,
        name: str,
        seconds: float | Callable[[], float],
        turn: Turn,
        early: asyncio.Event | None = None,
    ) -> None:
        """Take turns until the stop, also when ``early`` is set; what a person must mend ends the run.

        ``seconds`` are between two turns, asked for after each where they are not always the same.
        """
        stats = self._stats
        while not self.stop.is_set():
            wait: float | None = None
            try:
                await turn()
                stats.alerts.pop(name, None)
                stats.exhausted.discard(name)
                stats.turns[name] = self._clock.now()
            except QuotaExhaustedError as exc:
                stats.alerts[name] = str(exc)
                stats.exhausted.add(name)
                wait = _QUOTA_WAIT_S
            except OperatorError:
                raise
            except (ArbError, OSError) as exc:
                stats.alerts[name] = str(exc)
                _log.warning("%s: %s", name, exc)
            if wait is None:
                wait = seconds() if callable(seconds) else seconds
            await self._pause(wait, early)

    def tell(self, what: str, failed: Mapping[str, str]) -> None:
        """An alert that names what could not be read this time; none when all was read."""
        alerts = self._stats.alerts
        alerts.pop(what, None)
        for name, reason in sorted(failed.items())[:1]:
            alerts[what] = f"{len(failed)} not read; {name}: {reason}"

    async def finish(self, tasks: list[asyncio.Task[None]], dropped: Iterable[str]) -> None:
        """End at the stop: loops named in ``dropped`` at once, every other after its turn."""
        self.stop.set()
        # A loop that was cancelled before its first step would never have been awaited.
        await asyncio.sleep(0)
        for task in tasks:
            if task.get_name() in dropped:
                task.cancel()
        _, late = await asyncio.wait(tasks, timeout=GRACE_S)
        for task in late:
            _log.warning("%s did not end by itself", task.get_name())
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _guarded(self, loop: Coroutine[None, None, None]) -> None:
        try:
            await loop
        except Exception as exc:
            self.fail(exc)

    async def _pause(self, seconds: float, early: asyncio.Event | None) -> None:
        """Sleep on the clock until the time, the stop or ``early`` comes."""
        await first(self._clock.sleep(seconds), self.stop.wait(), *([early.wait()] if early else []))
        if early is not None:
            early.clear()
