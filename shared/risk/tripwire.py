"""Tripwires: what one executor sees of an endpoint, and when that is enough to trip its breaker.

Counts are this process's own and forgotten with it; a breaker that trips is stored and shared.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from shared.clock import MINUTE, SECOND, Instant, age
from shared.money import Usd, format_usd
from shared.risk.breaker import Cause
from shared.risk.limits import RiskLimits


@dataclass(frozen=True, slots=True)
class Trip:
    """A breaker should trip: for what, and why in words."""

    cause: Cause
    reason: str


@dataclass(frozen=True, slots=True)
class TripPolicy:
    """How much is too much."""

    max_failures: int = 5
    # Two orders whose fate nobody knows: a third would be sent blind.
    max_unknown_outcomes: int = 2
    unknown_window_s: int = 600
    max_latency_ms: int = 1_000
    max_slow_answers: int = 5
    max_state_age_s: int = 30


@dataclass(slots=True)
class Tripwire:
    """One endpoint's answers as they come; each method gives a :class:`Trip` when its breaker should trip."""

    policy: TripPolicy = TripPolicy()
    _failures: int = 0
    _slow: int = 0
    _unknown: deque[Instant] = field(default_factory=deque)

    def succeeded(self, latency_us: int) -> Trip | None:
        """An answer that settles the question, whatever it says; a refusal by the venue is one too."""
        self._failures = 0
        limit_us = self.policy.max_latency_ms * 1_000
        self._slow = self._slow + 1 if latency_us > limit_us else 0
        if self._slow < self.policy.max_slow_answers:
            return None
        return Trip(
            Cause.LATENCY,
            f"{self._slow} answers in a row took longer than {self.policy.max_latency_ms} ms",
        )

    def failed(self, reason: str) -> Trip | None:
        """The request was certainly not executed, or it only read."""
        self._failures += 1
        if self._failures < self.policy.max_failures:
            return None
        return Trip(Cause.FAILURES, f"{self._failures} failures in a row, the last: {reason}")

    def unknown(self, reason: str, now: Instant) -> Trip | None:
        """An order whose outcome nobody knows."""
        self._unknown.append(now)
        window = self.policy.unknown_window_s * SECOND
        # A clock set back must not hide what happened before it.
        while len(self._unknown) > self.policy.max_unknown_outcomes or (
            now >= self._unknown[0] and now - self._unknown[0] >= window
        ):
            self._unknown.popleft()
        if len(self._unknown) < self.policy.max_unknown_outcomes:
            return None
        return Trip(
            Cause.UNKNOWN_OUTCOMES,
            f"{len(self._unknown)} orders of unknown outcome within {self.policy.unknown_window_s} s,"
            f" the last: {reason}",
        )

    def state_seen(self, at: Instant, now: Instant) -> Trip | None:
        """The state that orders are judged by is as of ``at``."""
        old = age(at, now)
        if old <= self.policy.max_state_age_s * SECOND:
            return None
        said = f"{old // SECOND} s old" if old < 60 * MINUTE else "over an hour old, or from the future"
        return Trip(Cause.STALE_STATE, f"state is {said}, limit {self.policy.max_state_age_s} s")


def difference(what: str) -> Trip:
    """Reconciliation found something the books do not have: always for cause."""
    return Trip(Cause.RECONCILIATION, what)


def losses(lost_today: Usd, lost_this_week: Usd, in_a_row: int, limits: RiskLimits) -> Trip | None:
    """Realised losses have reached a limit; amounts are positive micro-dollars."""
    reached = [
        f"${format_usd(lost)} lost {when}, limit ${format_usd(limit)}"
        for lost, limit, when in (
            (lost_today, limits.max_daily_loss, "today"),
            (lost_this_week, limits.max_weekly_loss, "this week"),
        )
        if lost > 0 and lost >= limit
    ]
    if in_a_row >= limits.max_consecutive_losses:
        reached.append(f"{in_a_row} losses in a row, limit {limits.max_consecutive_losses}")
    return Trip(Cause.LOSS_LIMIT, "; ".join(reached)) if reached else None
