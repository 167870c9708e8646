"""Notices what a person should look at in a running system, and raises it on the alerts topic.

Messages tell of unknown outcomes, breakers, differences with the venue and quarantined input; the rest is
seen by looking once a second: a halt, a lost stream, a silent loop, used-up credits, a lease that moved, an
execution that failed.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator

from shared.clock import MINUTE, SECOND, Clock, Instant, age, format_instant
from shared.errors import ArbError, RetryLaterError, StorageError
from shared.messages import (
    AlertRaised,
    BreakerMoved,
    Message,
    OrderUpdated,
    Quarantined,
    ReconciliationDifference,
    seal,
)
from shared.ports import Term
from shared.service.facts import Running, connected, silent
from shared.service.metrics import lease_of
from shared.terms import OrderStatus

_log = logging.getLogger(__name__)

LOOK_S = 1.0
# A reconnect takes a second or two; half a minute without books is a loss.
_STREAM_GONE = 30 * SECOND
# A bad page is a handful of records; this many in five minutes is a venue that changed its words.
_BURST = 50
_BURST_WINDOW = 5 * MINUTE
# What the breaker writes as the actor of its halt.
_BREAKER = "breaker:"

Alarm = tuple[str, str, str]  # code, subject, text


class Watcher:
    """Looks after one system. ``clock`` is the readers' own; silence is measured by the run's clock."""

    TOPICS = (OrderUpdated.TOPIC, BreakerMoved.TOPIC, ReconciliationDifference.TOPIC, Quarantined.TOPIC)

    def __init__(self, system: Running, clock: Clock, raise_directly: Callable[[AlertRaised], None]) -> None:
        """``raise_directly`` takes alerts when the bus is closed: those of the end of a run."""
        self._system, self._clock, self._raise = system, clock, raise_directly
        self._parts = system.parts
        self._started_at = self._parts.clock.now()
        self._halted = ""
        self._connected_at = clock.now()
        self._standing: set[str] = set()  # what was raised and has not passed
        self._term: Term | None = None
        self._bad: deque[tuple[Instant, str, int]] = deque()

    async def hear(self, message: Message) -> None:
        """A handler for the bus."""
        if isinstance(message, OrderUpdated) and message.status is OrderStatus.UNKNOWN:
            why = "; ".join(message.reasons)
            text = f"order {message.order_id} has no known outcome ({why}); {message.ticker} is blocked"
            await self._emit("unknown_outcome", message.order_id, text)
        elif isinstance(message, BreakerMoved):
            await self._emit(*_moved(message))
        elif isinstance(message, ReconciliationDifference):
            await self._emit(*_differs(message))
        elif isinstance(message, Quarantined):
            for alarm in self._quarantined(message):
                await self._emit(*alarm)

    async def run(self) -> None:
        """Look until cancelled, or until the run begins to end: then its documents close."""
        while not self._system.stop.is_set():
            await self.look()
            await self._clock.sleep(LOOK_S)

    async def look(self) -> None:
        """Raise what has begun, or passed, since the last look. Never raises an error itself."""
        try:
            alarms = [*self._trading(), *self._stream(), *self._loops(), *await self._lease()]
            for alarm in alarms:
                await self._emit(*alarm)
        except Exception:  # neither the next look nor the run may end by this
            _log.exception("the watch failed to look")

    async def ended(self, cause: BaseException) -> None:
        """The run ends because of ``cause``."""
        code = "run_ended" if self._parts.floor.failure is None else "execution_failed"
        what = "the run has ended" if code == "run_ended" else "execution failed and the run has ended"
        detail = str(cause) if isinstance(cause, ArbError) else type(cause).__name__
        await self._emit(code, self._now(), f"{what}: {detail}")

    def _trading(self) -> Iterator[Alarm]:
        halted = self._parts.executor.account.halted
        if halted == self._halted:
            return
        self._halted = halted
        if halted:
            yield (
                "tripped" if halted.startswith(_BREAKER) else "halted",
                self._now(),
                f"trading stopped by {halted}",
            )
        else:
            yield "resumed", self._now(), "trading goes on"

    def _stream(self) -> Iterator[Alarm]:
        if self._parts.stream is None:
            return
        now = self._clock.now()
        if connected(self._parts):
            self._connected_at = now
            if "stream" in self._standing:
                self._standing.remove("stream")
                yield "stream_back", self._now(), "the exchange's stream is back"
        elif age(self._connected_at, now) >= _STREAM_GONE and "stream" not in self._standing:
            self._standing.add("stream")
            yield "stream_lost", self._now(), "no exchange stream for 30 s: no live books, nothing is bought"

    def _loops(self) -> Iterator[Alarm]:
        stats = self._parts.stats
        found = {f"silent/{loop}": why for loop, why in silent(self._parts, self._started_at).items()}
        found |= {f"exhausted/{loop}": stats.alerts.get(loop, "") for loop in stats.exhausted}
        for key in sorted(found.keys() | {key for key in self._standing if "/" in key}):
            what, loop = key.split("/")
            if key not in found:
                self._standing.remove(key)
                yield "recovered", f"{loop} {self._now()}", f"{loop} works again"
            elif key not in self._standing:
                self._standing.add(key)
                code = "silence" if what == "silent" else "quota_exhausted"
                yield code, f"{loop} {self._now()}", f"{loop}: {found[key]}"

    async def _lease(self) -> list[Alarm]:
        try:
            term = await lease_of(self._parts.documents)
        except StorageError as exc:
            _log.warning("the lease cannot be read: %s", exc)
            return []
        before, self._term = self._term, term
        if before is None or term is None or term.epoch == before.epoch:
            return []
        text = f"the executor lease went from {before.holder or 'nobody'} to {term.holder or 'nobody'}"
        return [("lease_moved", str(term.epoch), f"{text} (epoch {term.epoch})")]

    def _quarantined(self, message: Quarantined) -> Iterator[Alarm]:
        now = self._clock.now()
        self._bad.append((now, message.source, message.count))
        while self._bad and age(self._bad[0][0], now) >= _BURST_WINDOW:
            self._bad.popleft()
        count = sum(count for _, _, count in self._bad)
        if count >= _BURST:
            self._bad.clear()
            last = f"the last, of {message.source}: {message.reason}"
            text = f"{count} inputs could not be used within five minutes; {last}"
            yield "quarantine_burst", self._now(), text

    def _now(self) -> str:
        """A subject of its own for what happens again and must be told again."""
        return format_instant(self._clock.now())

    async def _emit(self, code: str, subject: str, text: str) -> None:
        at = self._parts.clock.now()
        alert = seal(AlertRaised(observed_at=at, source="system", code=code, subject=subject, text=text))
        try:
            await self._parts.bus.publish(alert.TOPIC, [alert])
        except RetryLaterError:
            self._raise(alert)


def _moved(message: BreakerMoved) -> Alarm:
    """An opened breaker stops orders; what it does next is told too, so that nobody waits in vain."""
    code = "tripped" if message.after == "open" else "recovered" if message.after == "closed" else "probing"
    text = (
        f"breaker {message.breaker}: {message.before} to {message.after} by {message.actor}: {message.reason}"
    )
    return code, f"{message.breaker} {format_instant(message.at)}", text


def _differs(message: ReconciliationDifference) -> Alarm:
    ours, theirs = message.ours or "none", message.theirs or "none"
    said = f"{message.what} {message.subject}: ours {ours}, the venue's {theirs}"
    if message.resolved:
        return "difference_resolved", message.difference_id, f"{said}: {message.resolution}"
    return "difference", message.difference_id, f"{said}: nothing is bought before a person has looked"
