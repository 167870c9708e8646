"""What becomes of a delivered message: handled, known already, too old, poison, or asked for again.

One set of rules for every way a message arrives. What can never succeed is buried, whole and with its reason,
where a person can look at it and have it delivered again; what may succeed later is left to its redelivery.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from shared.clock import SECOND, Clock
from shared.errors import ArbError, QuarantineError
from shared.idempotence import Seen
from shared.messages import Message, Quarantined, decode, seal
from shared.ports import Bus, Handler
from shared.topology import MAX_AGE_S
from shared.trace import about

_log = logging.getLogger(__name__)

# Pub/Sub's own dead-letter policy counts to the same number, but it cannot say why.
ATTEMPTS = 5
_SAMPLE_CHARACTERS = 500
# Machines on the same network time differ by milliseconds; a minute is a wrong clock.
_SKEW = 60 * SECOND


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it arrived by one subscription. ``attempt`` counts from 1 where the carrier tells."""

    topic: str
    data: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    message_id: str = ""
    attempt: int = 1
    subscription: str = ""


class Graves(Protocol):
    """Keeps poison until a person decides."""

    async def bury(self, delivery: Delivery, reason: str) -> None:
        """Keep the whole message with the reason it cannot be used."""
        ...


class NoGraves:
    """One machine: the quarantine record in history is all that is kept."""

    async def bury(self, delivery: Delivery, reason: str) -> None:
        """Nothing more."""


@dataclass(slots=True)
class Intake:
    """The rules of one process, and its memory of what was handled. ``counts`` tells what became of them."""

    bus: Bus
    clock: Clock
    graves: Graves
    attempts: int = ATTEMPTS
    counts: Counter[str] = field(default_factory=Counter)
    _done: Seen[tuple[str, str]] = field(default_factory=Seen)

    async def take(self, delivery: Delivery, handle: Handler) -> None:
        """Run ``handle`` on the message; return when it is done with, raise when it must come again.

        A message too old for its topic (:data:`MAX_AGE_S`) is dropped, and a record says so.
        """
        try:
            message = decode(delivery.topic, delivery.data)
        except QuarantineError as exc:
            await self.refuse(delivery, exc)
            return
        key = (delivery.subscription or delivery.topic, message.event_id)
        if message.event_id and key in self._done:
            self.counts["repeated"] += 1
            return
        with about(message):
            if not await self._is_late(delivery, message):
                await self._handle(delivery, message, handle)
        self._done.add(key)

    async def _handle(self, delivery: Delivery, message: Message, handle: Handler) -> None:
        try:
            await handle(message)
            self.counts["handled"] += 1
        except Exception as exc:
            if isinstance(exc, QuarantineError) or delivery.attempt >= self.attempts:
                await self.refuse(delivery, exc, message.trace_id)
                return
            self.counts["again"] += 1
            text = f"{delivery.topic}: attempt {delivery.attempt} failed: {type(exc).__name__}: {exc}"
            _log.warning(text, exc_info=not isinstance(exc, ArbError))
            raise

    async def _is_late(self, delivery: Delivery, message: Message) -> bool:
        age = self.clock.now() - message.observed_at
        if age < -_SKEW:
            _log.warning("%s: seen %.0f s from now: a clock is wrong", delivery.topic, -age / SECOND)
        if age <= MAX_AGE_S.get(delivery.topic, math.inf) * SECOND:
            return False
        self.counts["late"] += 1
        await self._record(delivery, f"too_old: seen {age / SECOND:.0f} s ago", message.trace_id)
        return True

    async def refuse(self, delivery: Delivery, cause: Exception, trace_id: str = "") -> None:
        """Bury what can never be handled, then record it: a record of something lost would be a lie."""
        self.counts["buried"] += 1
        reason = f"{type(cause).__name__}: {cause}"
        await self.graves.bury(delivery, reason)
        await self._record(delivery, reason, trace_id)

    async def _record(self, delivery: Delivery, reason: str, trace_id: str) -> None:
        _log.warning("%s: a message is not used: %s", delivery.topic, reason)
        if delivery.topic == Quarantined.TOPIC:
            return  # a record about a record would go round for ever
        sample = delivery.data[:_SAMPLE_CHARACTERS].decode(errors="replace")
        record = Quarantined(
            observed_at=self.clock.now(),
            source=delivery.topic,
            reason=reason,
            sample=sample,
            trace_id=trace_id,
        )
        await self.bus.publish(record.TOPIC, [seal(record, trace_id)])
