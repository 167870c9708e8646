"""Time, injected. Nothing in the core reads a wall clock; it is handed one of these.

An :data:`Instant` is an integer: microseconds since 1970-01-01 UTC, the resolution of the warehouse.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from itertools import count
from typing import NewType, Protocol
from zoneinfo import ZoneInfo

from shared.errors import MalformedError

Instant = NewType("Instant", int)

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# Ticker dates and the exchange's trading day are Eastern.
EASTERN = ZoneInfo("America/New_York")

# How often a sleeper looks whether a clock that stood still runs again, real seconds.
_STALLED_S = 0.005

_NULL_YEAR = 1900  # the exchange writes year 1 where it means "none"


# Longer than any run: what a clock that was set back makes of every age.
FOREVER = 100 * 366 * DAY


def pace_of(clock: Clock) -> float:
    """Seconds of ``clock`` in one of the machine's: a disk is as slow as it is, however fast a run goes."""
    return clock.speed if isinstance(clock, ScaledClock) else 1.0


def age(since: Instant, now: Instant) -> int:
    """Microseconds from ``since`` to ``now``; for ever if the clock was set back behind ``since``.

    For deciding what is due: after a clock jumped back, everything is.
    """
    return now - since if now >= since else FOREVER


class Clock(Protocol):
    """What the system knows of time."""

    def now(self) -> Instant:
        """Current time in microseconds since the epoch, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds`` of this clock's time."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> Instant:
        return Instant(time.time_ns() // 1000)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ScaledClock:
    """A clock that starts at ``start`` and runs ``speed`` times as fast as the machine's monotonic clock.

    With a ``stride_s`` it stands still when it has run that many of its own seconds since the last
    :meth:`beat`: a machine that cannot keep up with the world gets a slower clock, not a growing backlog.
    """

    def __init__(self, start: Instant, speed: float, stride_s: float | None = None) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be positive, not {speed}")
        self._start, self.speed = start, speed
        self._stride = None if stride_s is None else int(stride_s * SECOND)
        self._origin_ns = time.monotonic_ns()

    def now(self) -> Instant:
        elapsed = int((time.monotonic_ns() - self._origin_ns) / 1000 * self.speed)
        return Instant(self._start + (elapsed if self._stride is None else min(elapsed, self._stride)))

    def beat(self) -> None:
        """The world has come as far as this clock: it may run on."""
        if self._stride is not None:
            self._start, self._origin_ns = self.now(), time.monotonic_ns()

    async def sleep(self, seconds: float) -> None:
        due = self.now() + int(seconds * SECOND)
        await asyncio.sleep(seconds / self.speed)
        if self._stride is None:
            return
        # Nobody else ends this wait: the clock itself is late.
        while (left := due - self.now()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(max(_STALLED_S, left / SECOND / self.speed))


class ManualClock:
    """Virtual time: it moves only when told to, and wakes sleepers in order."""

    def __init__(self, start: Instant = Instant(0)) -> None:
        self._now = start
        self._order = count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now(self) -> Instant:
        return self._now

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + int(seconds * SECOND), next(self._order), future))
        await future

    def set(self, instant: Instant) -> None:
        """Jump to ``instant`` without waking anyone (a clock jump, or a replay's next event)."""
        self._now = instant

    def is_due(self, instant: Instant) -> bool:
        """Whether anyone sleeps that should be awake at ``instant``."""
        return bool(self._sleepers) and self._sleepers[0][0] <= instant

    async def advance(self, seconds: float) -> None:
        """Move forward by ``seconds``, waking each sleeper at its own time."""
        await self.advance_to(Instant(self._now + int(seconds * SECOND)))

    async def advance_to(self, target: Instant) -> None:
        """Move forward to ``target``, waking each sleeper at its own time."""
        while self._sleepers and self._sleepers[0][0] <= target:
            due, _, future = heapq.heappop(self._sleepers)
            self._now = Instant(max(self._now, due))
            if not future.done():
                future.set_result(None)
            await asyncio.sleep(0)
        self._now = Instant(max(self._now, target))
        await asyncio.sleep(0)


async def first(*waits: Awaitable[object]) -> None:
    """Return when one of ``waits`` is over; the others are dropped. What they raise is not looked at."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def parse_instant(text: str) -> Instant | None:
    """Instant from RFC 3339 text, ``None`` for the exchange's null dates; raises :class:`MalformedError`."""
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError) as exc:
        raise MalformedError(f"time: {text!r} is not RFC 3339") from exc
    if moment.year < _NULL_YEAR:
        return None
    if moment.tzinfo is None:
        raise MalformedError(f"time: {text!r} has no zone")
    return from_datetime(moment)


def from_datetime(moment: datetime) -> Instant:
    """Instant of an aware datetime."""
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return Instant(delta.days * DAY + delta.seconds * SECOND + delta.microseconds)


def to_datetime(instant: Instant) -> datetime:
    """Aware UTC datetime of an instant."""
    return datetime.fromtimestamp(instant // SECOND, tz=UTC).replace(microsecond=instant % SECOND)


def format_instant(instant: Instant) -> str:
    """RFC 3339 in UTC, seconds if whole, else microseconds: ``2026-09-29T00:15:00Z``."""
    return to_datetime(instant).isoformat().replace("+00:00", "Z")


def eastern_day(instant: Instant) -> str:
    """Calendar day in US Eastern time, ``YYYY-MM-DD``: the day a ticker date means."""
    return to_datetime(instant).astimezone(EASTERN).date().isoformat()


def utc_day(instant: Instant) -> str:
    """Calendar day in UTC, ``YYYY-MM-DD``: the day a partition means."""
    return to_datetime(instant).date().isoformat()
