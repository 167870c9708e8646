"""Decides which alerts reach a person: repeats are held back, floods become one line. Pure.

The same alert (source, code, subject) passes once in ``repeat_after``; of one kind (source, code) ``burst``
pass in ``window``, and how many more there were is told when it ends. History keeps every one of them.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum

from shared.clock import HOUR, MINUTE, Instant, age
from shared.messages import AlertRaised

Kind = tuple[str, str]


class Severity(StrEnum):
    """What is asked of the reader."""

    CRITICAL = "critical"  # look now: trading has stopped, or money may be at stake
    WARNING = "warning"
    INFO = "info"


SEVERITIES = {
    "halted": Severity.CRITICAL,
    "tripped": Severity.CRITICAL,
    "unknown_outcome": Severity.CRITICAL,
    "execution_failed": Severity.CRITICAL,
    "run_ended": Severity.CRITICAL,
    "difference": Severity.CRITICAL,
    "lease_moved": Severity.CRITICAL,
    "resumed": Severity.INFO,
    "stream_back": Severity.INFO,
    "recovered": Severity.INFO,
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell."""

    severity: Severity
    code: str
    text: str
    at: Instant


@dataclass(frozen=True, slots=True)
class SieveLimits:
    """Times in microseconds; ``remembered`` bounds the memory."""

    repeat_after: int = HOUR
    window: int = 10 * MINUTE
    burst: int = 5
    remembered: int = 10_000


@dataclass(slots=True)
class _Window:
    began_at: Instant
    passed: int = 0
    held: int = 0
    last: str = ""


@dataclass(slots=True)
class Sieve:
    """Memory of what was told. Ask :meth:`take` with each alert and :meth:`due` now and then."""

    limits: SieveLimits = field(default_factory=SieveLimits)
    _told: OrderedDict[tuple[str, str, str], Instant] = field(default_factory=OrderedDict)
    _windows: dict[Kind, _Window] = field(default_factory=dict)

    def take(self, alert: AlertRaised, now: Instant) -> Notice | None:
        """The notice to send, ``None`` when it is a repeat or one too many of its kind."""
        key = (alert.source, alert.code, alert.subject)
        told = self._told.get(key)
        if told is not None and age(told, now) < self.limits.repeat_after:
            return None
        window = self._window((alert.source, alert.code), now)
        self._remember(key, now)
        if window.passed >= self.limits.burst:
            window.held += 1
            window.last = alert.text
            return None
        window.passed += 1
        return Notice(severity_of(alert.code), alert.code, f"{alert.source}: {alert.text}", now)

    def due(self, now: Instant) -> list[Notice]:
        """What was held back in windows that have ended, one notice for each kind."""
        found = []
        for kind in [kind for kind, window in self._windows.items() if self._is_over(window, now)]:
            window = self._windows.pop(kind)
            if window.held:
                source, code = kind
                text = f"{source}: {window.held} more of {code} were held back; the last: {window.last}"
                found.append(Notice(severity_of(code), code, text, now))
        return found

    def _window(self, kind: Kind, now: Instant) -> _Window:
        """The running window; one that is over and held something back goes on until it was told."""
        window = self._windows.get(kind)
        if window is None or (self._is_over(window, now) and not window.held):
            window = self._windows[kind] = _Window(now)
        return window

    def _is_over(self, window: _Window, now: Instant) -> bool:
        return age(window.began_at, now) >= self.limits.window

    def _remember(self, key: tuple[str, str, str], now: Instant) -> None:
        self._told[key] = now
        self._told.move_to_end(key)
        while len(self._told) > self.limits.remembered:
            self._told.popitem(last=False)


def severity_of(code: str) -> Severity:
    """How urgent an alert's code is; a code nobody knows is a warning."""
    return SEVERITIES.get(code, Severity.WARNING)
