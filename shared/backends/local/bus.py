"""In-process bus: at-least-once delivery with back pressure, bounded retries and a dead-letter record.

Each subscription has a bounded queue and one task. A publisher waits while a queue is full. A handler that
fails is tried again; a message that keeps failing becomes a ``Quarantined`` record on the quarantine topic.
:class:`Faults` makes delivery as bad as the cloud's may be, from a seed.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass

from shared.clock import Clock
from shared.errors import ConfigError, MalformedError, QuarantineError, RetryLaterError
from shared.messages import Message, Quarantined, encode, seal
from shared.ports import Handler
from shared.trace import about

_log = logging.getLogger(__name__)

_SAMPLE_CHARACTERS = 500
_MAX_BACKOFF_S = 5.0


@dataclass(frozen=True)
class Faults:
    """Bad delivery from a seed: each chance is a probability per message.

    ``duplicate`` delivers a copy as well, ``late`` holds a message back until others have passed (delay,
    reorder), ``lost_ack`` lets the handler finish and delivers again later as if it had not.
    """

    seed: int
    duplicate: float = 0.0
    late: float = 0.0
    lost_ack: float = 0.0


class _Disorder:
    """The faults of one subscription at work."""

    def __init__(self, faults: Faults, name: str) -> None:
        self._faults = faults
        self._random = random.Random(f"{faults.seed}/{name}")  # noqa: S311 - reproducible, not secret
        self._held: list[Message] = []

    def deliveries(self, message: Message, *, last: bool) -> list[Message]:
        """What to deliver now in place of ``message``; ``last`` says that nothing waits behind it."""
        faults, chance = self._faults, self._random.random
        now = [message] * (1 + (chance() < faults.duplicate))
        if chance() < faults.late:
            self._held += now
            now = []
        if chance() < faults.lost_ack:
            self._held.append(message)
        return now + self._released(everything=last)

    def _released(self, *, everything: bool) -> list[Message]:
        self._random.shuffle(self._held)
        count = len(self._held) if everything else self._random.randint(0, len(self._held))
        released, self._held = self._held[:count], self._held[count:]
        return released


@dataclass(slots=True, eq=False)
class _Subscription:
    name: str
    handler: Handler
    queue: asyncio.Queue[Message]
    disorder: _Disorder | None
    task: asyncio.Task[None] | None = None


class LocalBus:
    """The ``Bus`` port inside one process.

    ``capacity`` messages wait per subscription before publishers do. A handler is called ``attempts`` times
    before its message is quarantined, with ``backoff_s`` doubling in between. A cycle of topics whose queues
    are all full would wait for itself for ever: handlers publish downstream only.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        capacity: int = 10_000,
        attempts: int = 5,
        backoff_s: float = 0.05,
        faults: Faults | None = None,
    ) -> None:
        self._clock, self._faults = clock, faults
        self._capacity, self._attempts, self._backoff_s = capacity, attempts, backoff_s
        self._topics: dict[str, list[_Subscription]] = {}
        self._pending = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False

    def subscribe(self, topic: str, name: str, handler: Handler) -> None:
        """Call ``handler`` for each message on ``topic``; raises :class:`ConfigError` for a taken name."""
        subscriptions = self._topics.setdefault(topic, [])
        if any(other.name == name for other in subscriptions):
            raise ConfigError(f"subscription {name!r} on {topic!r} exists")
        disorder = _Disorder(self._faults, f"{topic}/{name}") if self._faults else None
        subscriptions.append(_Subscription(name, handler, asyncio.Queue(self._capacity), disorder))

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Hand over sealed messages; returns when every subscription has queued them.

        Raises :class:`MalformedError` for a message of another topic or without ``event_id`` (nothing is then
        published), :class:`RetryLaterError` after :meth:`close`.
        """
        if self._closed:
            raise RetryLaterError(f"{topic}: the bus is closed")
        for message in messages:
            if topic != message.TOPIC or not message.event_id:
                raise MalformedError(f"{topic}: {type(message).__name__} is unsealed or of another topic")
        for subscription in self._topics.get(topic, ()):
            if subscription.task is None:
                subscription.task = asyncio.create_task(self._work(subscription), name=subscription.name)
            for message in messages:
                await self._enqueue(subscription.queue, message)

    @property
    def backlog(self) -> int:
        """Deliveries queued or under way."""
        return self._pending

    async def drain(self) -> None:
        """Wait until everything published, and everything that led to, has been handled."""
        await self._idle.wait()

    async def close(self, timeout_s: float = 10.0) -> None:
        """Handle what is queued, for at most ``timeout_s``, then stop; leftovers are logged by count."""
        if self._closed:
            return
        try:
            async with asyncio.timeout(timeout_s):
                await self.drain()
        except TimeoutError:
            _log.error("bus closed with %d messages unhandled", self._pending)
        self._closed = True
        tasks = [sub.task for subs in self._topics.values() for sub in subs if sub.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _enqueue(self, queue: asyncio.Queue[Message], message: Message) -> None:
        self._pending += 1
        self._idle.clear()
        try:
            await queue.put(message)
        except asyncio.CancelledError:
            self._done()
            raise

    async def _work(self, subscription: _Subscription) -> None:
        queue, disorder = subscription.queue, subscription.disorder
        while True:
            message = await queue.get()
            if disorder is None:
                await self._deliver(subscription, message)
            else:
                for one in disorder.deliveries(message, last=queue.empty()):
                    await self._deliver(subscription, one)
            self._done()

    def _done(self) -> None:
        self._pending -= 1
        if not self._pending:
            self._idle.set()

    async def _deliver(self, subscription: _Subscription, message: Message) -> None:
        for attempt in range(1, self._attempts + 1):
            try:
                with about(message):
                    await subscription.handler(message)
            except Exception as exc:  # whatever a handler raises, the next message must be handled
                if attempt == self._attempts or isinstance(exc, QuarantineError):
                    await self._bury(subscription, message, exc)
                    return
            else:
                return
            await self._clock.sleep(min(_MAX_BACKOFF_S, self._backoff_s * 2 ** (attempt - 1)))

    async def _bury(self, subscription: _Subscription, message: Message, cause: Exception) -> None:
        reason = f"{subscription.name}: {type(cause).__name__}: {cause}"
        if isinstance(message, Quarantined):
            _log.error("a quarantine record was itself refused: %s", reason)
            return
        record = Quarantined(
            observed_at=self._clock.now(),
            source=message.TOPIC,
            reason=reason,
            sample=encode(message)[:_SAMPLE_CHARACTERS].decode(errors="replace"),
            trace_id=message.trace_id,
        )
        with about(message):
            _log.warning("quarantined a message of %s: %s", message.TOPIC, reason)
        await self.publish(record.TOPIC, [seal(record)])
