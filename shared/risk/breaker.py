"""Circuit breakers: closed lets orders through, open stops them, half-open lets one smallest order probe.

::

             trip                      cool-down over, every cause transient
    CLOSED ────────► OPEN ─────────────────────────────────────────► HALF_OPEN
      ▲               │ ▲                                              │   │
      ├── a person ◄──┘ └──────────── a probe failed or was lost ──────┘   │
      └────────────────────────── enough probes in a row succeeded ────────┘

There is one breaker for each venue endpoint and one for everything. A breaker tripped for cause, that is for
anything but a transient fault, has no cool-down at all: neither time nor midnight nor a success closes it,
only a :class:`Person`. Every change of state gives one :class:`Transition` with its reason and actor.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from shared.clock import SECOND, Instant
from shared.errors import MalformedError


class State(StrEnum):
    """What a breaker lets through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Cause(StrEnum):
    """Why a breaker trips."""

    FAILURES = "failures"
    LATENCY = "latency"
    STALE_STATE = "stale_state"
    UNKNOWN_OUTCOMES = "unknown_outcomes"
    RECONCILIATION = "reconciliation"
    LOSS_LIMIT = "loss_limit"
    PERSON = "person"


# Faults that pass by themselves and cost nothing. Whatever is not named here may be about money.
TRANSIENT = frozenset({Cause.FAILURES, Cause.LATENCY, Cause.STALE_STATE})


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who takes the responsibility: the only one who closes a breaker tripped for cause."""

    name: str

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise MalformedError("a person needs a name: it is written beside what they close")


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """How a breaker comes back from transient faults; each reopening doubles the wait up to the longest."""

    cooldown_s: int = 30
    max_cooldown_s: int = 900
    probes_to_close: int = 3
    # Longer than any answer takes: a probe not heard of by then was lost with its process.
    probe_timeout_s: int = 60


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of one breaker. ``actor`` is the part or the person that made it."""

    breaker: str
    before: State
    after: State
    causes: tuple[Cause, ...]
    reason: str
    actor: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Breaker:
    """One breaker at one moment.

    ``causes`` are all causes since it was last closed, oldest first. ``retry_at`` is when a probe may be
    sent, ``None`` for never. ``probe`` is the order in flight that probes, or empty.
    """

    name: str
    state: State = State.CLOSED
    causes: tuple[Cause, ...] = ()
    reason: str = ""
    actor: str = ""
    changed_at: Instant = Instant(0)
    retry_at: Instant | None = None
    openings: int = 0
    probe: str = ""
    probe_at: Instant = Instant(0)
    passed: int = 0

    @property
    def for_cause(self) -> bool:
        """Whether only a person may close it."""
        return not TRANSIENT.issuperset(self.causes)

    def refusal(self, order_id: str, now: Instant) -> str | None:
        """Why an order may not be sent, or ``None``. In half-open only the claimed probe passes."""
        if self.state is State.CLOSED or (self.state is State.HALF_OPEN and self.probe == order_id):
            return None
        said = f"{self.name} is {self.state}: {self.actor}: {self.reason}"
        if self.state is State.HALF_OPEN:
            return f"{said}; one probe at a time, and this order is not it"
        if self.for_cause:
            return f"{said}; a person must close it"
        return f"{said}; a probe is due" if self._is_due(now) else said

    def trip(
        self, cause: Cause, reason: str, actor: str, now: Instant, policy: BreakerPolicy
    ) -> tuple[Breaker, Transition | None]:
        """Open for ``cause``. On an open breaker only a cause that is new changes anything."""
        _check(reason, actor)
        if self.state is State.OPEN and (cause in self.causes or cause in TRANSIENT):
            return self, None
        causes = self.causes if cause in self.causes else (*self.causes, cause)
        return self._opened(causes, reason, actor, now, policy)

    def claim(self, order_id: str, now: Instant, policy: BreakerPolicy) -> tuple[Breaker, Transition | None]:
        """Make ``order_id`` the probe if one is due; else unchanged. A probe that was lost opens it again."""
        if not order_id:
            raise MalformedError("a probe is an order with an id")
        if self.state is State.HALF_OPEN and self.probe:
            if now - self.probe_at < policy.probe_timeout_s * SECOND:
                return self, None
            return self._reopened(f"probe {self.probe} was never heard of again", "probe", now, policy)
        claimed = replace(self, probe=order_id, probe_at=now)
        if self.state is State.HALF_OPEN:
            return claimed, None
        if self.state is State.OPEN and self._is_due(now):
            return claimed._moved(State.HALF_OPEN, "the cool-down is over", "cool-down", now)
        return self, None

    def succeeded(
        self, order_id: str, now: Instant, policy: BreakerPolicy
    ) -> tuple[Breaker, Transition | None]:
        """The probe did what it should; the last one needed closes. Any other order changes nothing."""
        if not self._is_probe(order_id):
            return self, None
        passed = self.passed + 1
        if passed < policy.probes_to_close:
            return replace(self, probe="", passed=passed), None
        return self._closed(f"{passed} probes in a row succeeded", "probe", now)

    def failed(
        self, order_id: str, reason: str, now: Instant, policy: BreakerPolicy
    ) -> tuple[Breaker, Transition | None]:
        """The probe went wrong: open again, for twice as long. Any other order changes nothing."""
        if not self._is_probe(order_id):
            return self, None
        return self._reopened(reason or "the probe failed", "probe", now, policy)

    def unclaimed(self, order_id: str) -> Breaker:
        """Give back a probe that was never sent."""
        return replace(self, probe="") if self._is_probe(order_id) else self

    def close(self, by: Person, reason: str, now: Instant) -> tuple[Breaker, Transition | None]:
        """A person closes it, whatever the causes."""
        _check(reason, by.name)
        return (self, None) if self.state is State.CLOSED else self._closed(reason, by.name, now)

    def _is_due(self, now: Instant) -> bool:
        return not self.for_cause and self.retry_at is not None and now >= self.retry_at

    def _is_probe(self, order_id: str) -> bool:
        return self.state is State.HALF_OPEN and bool(order_id) and self.probe == order_id

    def _reopened(
        self, reason: str, actor: str, now: Instant, policy: BreakerPolicy
    ) -> tuple[Breaker, Transition]:
        return self._opened(self.causes, reason, actor, now, policy)

    def _opened(
        self, causes: tuple[Cause, ...], reason: str, actor: str, now: Instant, policy: BreakerPolicy
    ) -> tuple[Breaker, Transition]:
        wait = min(policy.cooldown_s * 2 ** min(self.openings, 30), policy.max_cooldown_s)
        transient = TRANSIENT.issuperset(causes)
        changed = replace(
            self,
            causes=causes,
            retry_at=Instant(now + wait * SECOND) if transient else None,
            openings=self.openings + 1,
            probe="",
            passed=0,
        )
        return changed._moved(State.OPEN, reason, actor, now)

    def _closed(self, reason: str, actor: str, now: Instant) -> tuple[Breaker, Transition]:
        moved, transition = self._moved(State.CLOSED, reason, actor, now)
        fresh = Breaker(self.name, reason=reason, actor=actor, changed_at=moved.changed_at)
        return fresh, transition

    def _moved(self, after: State, reason: str, actor: str, now: Instant) -> tuple[Breaker, Transition]:
        transition = Transition(self.name, self.state, after, self.causes, reason, actor, now)
        return replace(self, state=after, reason=reason, actor=actor, changed_at=now), transition


def _check(reason: str, actor: str) -> None:
    if not reason.strip() or not actor.strip():
        raise MalformedError("a breaker moves only with a reason and an actor")
