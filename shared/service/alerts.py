"""Carries alerts to people without ever being in the way of trading.

:meth:`Alerter.hear` only appends to a queue. Each channel has a task of its own that retries for as long as
the channel is down; a queue that overflows drops its oldest and says later how many there were.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from shared.clock import Clock
from shared.errors import RefusedError
from shared.messages import AlertRaised, Message
from shared.service.channels import Channel
from shared.service.sieve import Notice, Severity, Sieve

_log = logging.getLogger(__name__)

_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 300.0
_DIGEST_S = 30.0
_CAPACITY = 200
_LEVELS = {
    Severity.CRITICAL: logging.ERROR,
    Severity.WARNING: logging.WARNING,
    Severity.INFO: logging.INFO,
}


@dataclass(slots=True)
class Line:
    """The queue of one channel, and what became of it."""

    channel: Channel
    waiting: deque[Notice] = field(default_factory=deque)
    sent: int = 0
    failures: int = 0
    dropped: int = 0
    untold: int = 0  # dropped since the last delivery
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class Alerter:
    """Subscribe :meth:`hear` to the alerts topic, run :meth:`run` beside the system."""

    def __init__(
        self,
        channels: Iterable[Channel],
        clock: Clock,
        jitter: Callable[[], float],
        redact: Callable[[str], str],
        sieve: Sieve | None = None,
        capacity: int = _CAPACITY,
    ) -> None:
        """``clock`` is the readers' own, not a demo's; ``jitter`` gives numbers in [0, 1)."""
        self.lines: Sequence[Line] = [Line(channel) for channel in channels]
        self.raised: dict[str, int] = {}
        self._clock, self._jitter, self._redact = clock, jitter, redact
        self._sieve, self._capacity = sieve or Sieve(), capacity
        self._delivered = asyncio.Event()

    async def hear(self, message: Message) -> None:
        """A handler for the bus."""
        if isinstance(message, AlertRaised):
            self.take(message)

    def take(self, alert: AlertRaised) -> None:
        """Queue what is to be told about ``alert``; never waits, never raises."""
        self.raised[alert.code] = self.raised.get(alert.code, 0) + 1
        notice = self._sieve.take(alert, self._clock.now())
        if notice is not None:
            self._tell(notice)

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._digest())
            for line in self.lines:
                tasks.create_task(self._deliver(line), name=f"alerts-{line.channel.name}")

    async def flushed(self) -> None:
        """Wait until nothing waits: for the end of a run, under a time limit of the caller."""
        while any(line.waiting for line in self.lines):
            self._delivered.clear()
            await self._delivered.wait()

    def _tell(self, notice: Notice) -> None:
        clean = replace(notice, text=self._redact(notice.text))
        _log.log(_LEVELS[clean.severity], "alert %s: %s", clean.code, clean.text)
        for line in self.lines:
            if len(line.waiting) >= self._capacity:
                line.waiting.popleft()
                line.dropped += 1
                line.untold += 1
            line.waiting.append(clean)
            line.wake.set()

    async def _digest(self) -> None:
        while True:
            await self._clock.sleep(_DIGEST_S)
            for notice in self._sieve.due(self._clock.now()):
                self._tell(notice)

    async def _deliver(self, line: Line) -> None:
        failures = 0
        while True:
            if not line.waiting:
                line.wake.clear()
                await line.wake.wait()
                continue
            failures = 0 if await self._sent(line) else failures + 1
            if failures:
                await self._clock.sleep(self._wait(failures))

    async def _sent(self, line: Line) -> bool:
        """Try the oldest once; whatever a channel raises is counted and logged, and trading goes on."""
        notice, untold = line.waiting[0], line.untold
        text = f"{notice.text} ({untold} earlier alerts were dropped)" if untold else notice.text
        try:
            await line.channel.send(replace(notice, text=text))
        except RefusedError as exc:
            _log.error("%s: an alert is given up: %s", line.channel.name, exc)
        except Exception as exc:
            line.failures += 1
            _log.warning("%s: %s; %d alerts wait", line.channel.name, exc, len(line.waiting))
            return False
        else:
            line.sent += 1
            line.untold -= untold
        # It may have been dropped meanwhile to make room.
        with suppress(ValueError):
            line.waiting.remove(notice)
        self._delivered.set()
        return True

    def _wait(self, failures: int) -> float:
        """Doubling to five minutes, with full jitter on its upper half."""
        longest = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(failures - 1, 20))
        return longest * (0.5 + self._jitter() / 2)
