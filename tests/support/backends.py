"""Backends under the contract suite, and the messages it sends."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from shared import cas
from shared.backends.local.bus import LocalBus
from shared.backends.local.documents import SqliteDocuments
from shared.backends.memory.bus import DirectBus
from shared.backends.memory.documents import MemoryDocuments
from shared.clock import Instant, SystemClock
from shared.messages import TickSeen, seal
from shared.ports import Bus, Documents, Handler, Value

T = TypeVar("T")

DOCUMENTS = ("sqlite", "memory", "firestore")
BUSES = ("local", "memory", "pubsub")
# Backends that need the emulators.
CLOUD = frozenset({"firestore", "pubsub"})
_LOOK_S = 0.01


@asynccontextmanager
async def open_documents(name: str, folder: Path) -> AsyncIterator[Documents]:
    """The ``Documents`` backend called ``name``, empty, closed afterwards."""
    if name == "memory":
        yield MemoryDocuments()
        return
    documents = SqliteDocuments(folder / "documents.db") if name == "sqlite" else _firestore()
    try:
        yield documents
    finally:
        await documents.close()


def _firestore() -> SqliteDocuments:
    """Typed as any other: it is used through the port, and closed."""
    from shared.backends.gcp.documents import FirestoreDocuments
    from tests.support.emulators import project

    return FirestoreDocuments(project())  # type: ignore[return-value]


@dataclass
class BusBench:
    """A bus of any kind: subscribe, publish, then wait until something has come of it."""

    bus: Bus
    _open: Callable[[str, str], None]
    _run: Callable[[], asyncio.Task[None] | None]
    _task: asyncio.Task[None] | None = None

    def subscribe(self, topic: str, name: str, handler: Handler) -> None:
        """As the port, with the subscription made where it has to be."""
        self._open(topic, name)
        self.bus.subscribe(topic, name, handler)

    def start(self) -> None:
        """Begin to deliver; what was published before is not lost."""
        self._task = self._task or self._run()

    async def until(self, done: Callable[[], bool], seconds: float = 20) -> None:
        """Deliver until ``done``; fails when that never comes."""
        self.start()
        async with asyncio.timeout(seconds):
            while not done():
                if self._task is not None and self._task.done():
                    await self._task
                await asyncio.sleep(_LOOK_S)

    async def stop(self) -> None:
        """End deliveries."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task


@asynccontextmanager
async def open_bus(name: str) -> AsyncIterator[BusBench]:
    """The ``Bus`` backend called ``name``; the local one retries without waiting."""
    if name == "pubsub":
        async with _pubsub() as bench:
            yield bench
        return
    bus = LocalBus(SystemClock(), backoff_s=0) if name == "local" else DirectBus()
    yield BusBench(bus, lambda topic, name: None, lambda: None)
    if isinstance(bus, LocalBus):
        await bus.close()


@asynccontextmanager
async def _pubsub() -> AsyncIterator[BusBench]:
    from google.cloud.pubsub_v1 import SubscriberClient

    from shared.backends.gcp.bus import PubSubBus
    from tests.support.emulators import make_subscription, make_topics, project

    where = project()
    make_topics(where)
    bus = PubSubBus(where, SystemClock())
    with SubscriberClient() as subscriber:
        bench = BusBench(
            bus,
            lambda topic, name: make_subscription(subscriber, where, topic, name),
            lambda: asyncio.create_task(bus.run()),
        )
        try:
            yield bench
        finally:
            await bench.stop()
            await bus.close()


def tick(second: int, ticker: str = "KXTEST-1") -> TickSeen:
    """A sealed message; each ``second`` is another event."""
    return seal(TickSeen(observed_at=Instant(1_790_000_000_000_000 + second * 1_000_000), ticker=ticker))


def rng(seed: int) -> random.Random:
    """A seeded generator: the same jitter and the same chaos every time."""
    return random.Random(seed)  # noqa: S311 - reproducible, not secret


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits, without a loop: many a thousand in a second."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("it waits for something")


async def increment(documents: Documents, path: str, times: int = 1, seed: int = 0) -> None:
    """Add one to ``n`` of the document at ``path``, ``times`` times, by compare-and-set."""
    clock, generator = SystemClock(), rng(seed)
    for _ in range(times):
        await cas.update(documents, path, _plus_one, clock=clock, rng=generator)


def _plus_one(value: Value | None) -> Value:
    return {"n": (value or {"n": 0})["n"] + 1}
