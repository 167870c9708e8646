"""The one document store of a run, as each process sees it: far away, and not always well.

A call is on its way for a while, takes effect at one moment, and its answer is on its way back; a caller that
dies meanwhile changes nothing about that. Reads and writes themselves are those of the store in memory.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from shared.backends.memory.documents import MemoryDocuments
from shared.errors import (
    AlreadyExistsError,
    ConflictError,
    OutcomeUnknownError,
    RetryLaterError,
    StorageError,
)
from shared.ports import Create, Delete, Document, Replace, Value, Write
from tests.simulation.loop import SimulationLoop, owned
from tests.simulation.process import Incarnation
from tests.simulation.weather import Weather

T = TypeVar("T")

_NEAR_S = (0.001, 0.004)
_WATCH_S = (0.005, 0.05)
# What the cloud's and the local store raise; the last one asks for a person, and ends a process.
_UNREACHABLE = (*(RetryLaterError,) * 6, OSError, StorageError)
_UNANSWERED = (*(OutcomeUnknownError,) * 6, OSError, StorageError)

# Told after every commit: who wrote, and what.
OnCommit = Callable[[str, Sequence[Write]], None]


class Store:
    """What is stored, and who must hear of it. People and the referee use it directly."""

    def __init__(self, loop: SimulationLoop, weather: Weather, seed: int | str) -> None:
        self.held = MemoryDocuments()
        self.loop, self.weather = loop, weather
        self.rng = random.Random(f"{seed}/store")  # noqa: S311 - reproducible
        self.on_commit: OnCommit = lambda who, writes: None
        self._watches: list[_Watch] = []

    def seen_by(self, incarnation: Incarnation) -> ProcessDocuments:
        """The store as one process sees it."""
        return ProcessDocuments(self, incarnation)

    def value(self, path: str) -> Value | None:
        """What is stored at ``path``, at once."""
        found = at_once(self.held.get(path))
        return None if found is None else found.value

    def version(self, path: str) -> int | None:
        """Version of what is stored at ``path``, at once."""
        found = at_once(self.held.get(path))
        return None if found is None else found.version

    def all(self, collection: str) -> list[Document]:
        """Everything of a collection, at once."""
        return at_once(self.held.query(collection, limit=1_000_000))

    def commit(self, who: str, writes: Sequence[Write]) -> list[int]:
        """Take effect, or raise; whoever watches will hear of it."""
        # Values of its own: what a store keeps is not memory of the process that wrote it.
        writes = [_copied(write) for write in writes]
        versions = at_once(self.held.batch(writes))
        self.loop.record.effect(who, "commits", " ".join(f"{type(w).__name__} {w.path}" for w in writes))
        self.on_commit(who, writes)
        for write in writes:
            if not isinstance(write, Delete):
                document = at_once(self.held.get(write.path))
                for watch in list(self._watches):
                    watch.saw(document)
        return versions

    def watch(self, watch: _Watch) -> None:
        """Tell ``watch`` from now on."""
        self._watches.append(watch)

    def poke(self) -> None:
        """Let every watch look whether it still lives."""
        for watch in list(self._watches):
            watch.poke()

    def unwatch(self, watch: _Watch) -> None:
        """Tell it no more."""
        if watch in self._watches:
            self._watches.remove(watch)


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """Result of a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("the store in memory has waited")


class ProcessDocuments:
    """The ``Documents`` port of one process."""

    def __init__(self, store: Store, incarnation: Incarnation) -> None:
        self._store, self._owner = store, incarnation
        self._loop, self._weather, self._rng = store.loop, store.weather, store.rng

    async def get(self, path: str) -> Document | None:
        """See the port."""
        return await self._call(lambda: at_once(self._store.held.get(path)))

    async def query(
        self, collection: str, where: Mapping[str, Any] | None = None, limit: int = 1000
    ) -> list[Document]:
        """See the port."""
        return await self._call(lambda: at_once(self._store.held.query(collection, where, limit)))

    async def create(self, path: str, value: Value) -> int:
        """See the port."""
        return (await self._write([Create(path, value)]))[0]

    async def replace_if(self, path: str, value: Value, version: int) -> int:
        """See the port."""
        return (await self._write([Replace(path, value, version)]))[0]

    async def delete_if(self, path: str, version: int) -> None:
        """See the port."""
        await self._write([Delete(path, version)])

    async def batch(self, writes: Sequence[Write]) -> list[int]:
        """See the port."""
        return await self._write(writes)

    def watch(self, collection: str) -> AsyncIterator[Document]:
        """See the port."""
        return _Watch(self._store, self._owner, collection)

    async def _write(self, writes: Sequence[Write]) -> list[int]:
        name = _boundary_of(writes)
        if name:
            await self._owner.passes(f"{name}:before")
        who = self._owner.name

        def commit() -> list[int] | Exception:
            if self._weather.strikes("store_conflict", self._owner.who):
                return ConflictError("somebody else was faster")
            versions = self._store.commit(who, writes)
            if self._weather.strikes("store_lost_answer", self._owner.who):
                return self._lost(writes)
            return versions

        answer = await self._call(commit)
        if isinstance(answer, Exception):
            raise answer
        if name:
            await self._owner.passes(f"{name}:after")
        return answer

    def _lost(self, writes: Sequence[Write]) -> Exception:
        """What a client says that repeats a commit whose answer was lost, or that gives up."""
        if self._rng.random() < 0.4:
            return self._rng.choice(_UNANSWERED)("the store did not answer")
        if any(isinstance(write, Create) for write in writes):
            return AlreadyExistsError("the repeated commit met its own document")
        return ConflictError("the repeated commit met its own write")

    async def _call(self, effect: Callable[[], T]) -> T:
        await self._owner.lives()
        answer: asyncio.Future[T] = self._loop.create_future()
        with owned(None):
            self._loop.call_later(self._way(), self._arrive, effect, answer)
        result = await answer
        await self._owner.lives()
        return result

    def _arrive(self, effect: Callable[[], T], answer: asyncio.Future[T]) -> None:
        """The call has reached the store."""
        try:
            if self._weather.strikes("store_unreadable", self._owner.who):
                raise self._rng.choice(_UNREACHABLE)("the store cannot be reached")
            result = effect()
        except Exception as error:
            self._loop.call_later(self._way(), _fail, answer, error)
        else:
            self._loop.call_later(self._way(), _give, answer, result)

    def _way(self) -> float:
        slow = self._weather.strikes("store_slow", self._owner.who)
        near = self._rng.uniform(*_NEAR_S)
        return near if slow is None else near + self._rng.random() * slow.value


def _give(answer: asyncio.Future[T], result: T) -> None:
    if not answer.done():
        answer.set_result(result)


def _copied(write: Write) -> Write:
    if isinstance(write, Delete):
        return write
    return replace(write, value=msgspec.json.decode(msgspec.json.encode(write.value)))


def _fail(answer: asyncio.Future[Any], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)


def _boundary_of(writes: Sequence[Write]) -> str:
    for write in writes:
        if write.path.startswith("orders/"):
            return "intent" if isinstance(write, Create) else "booking"
        if write.path.startswith("leases/"):
            return "lease"
    return ""


class _Watch:
    """Each document as it is, then every later state, late; silent for a while, or dying, when it must."""

    def __init__(self, store: Store, owner: Incarnation, collection: str) -> None:
        self._store, self._owner, self._collection = store, owner, collection
        self._news: list[Document] = []
        self._waiter: asyncio.Future[None] | None = None
        self._is_open = False

    def __aiter__(self) -> _Watch:
        return self

    async def __anext__(self) -> Document:
        await self._owner.lives()
        if not self._is_open:
            self._open()
        while not self._news:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            except asyncio.CancelledError:
                self._close()
                raise
            self._check()
        return self._news.pop(0)

    async def aclose(self) -> None:
        """Stop watching."""
        self._close()

    def saw(self, document: Document | None) -> None:
        """Something was stored."""
        if document is not None and document.path.partition("/")[0] == self._collection:
            self._hear_later(document)

    def _open(self) -> None:
        self._check()
        self._is_open = True
        self._store.watch(self)
        self._owner.on_death.append(self._close)
        for document in self._store.all(self._collection):
            self._hear_later(document)

    def poke(self) -> None:
        """Look whether it dies now: a quiet collection never tells."""
        if self._store.weather.strikes("watch_dies", self._owner.who):
            self._wake()

    def _hear_later(self, document: Document) -> None:
        with owned(None):
            self._store.loop.call_later(self._store.rng.uniform(*_WATCH_S), self._hear, document)

    def _hear(self, document: Document) -> None:
        if not self._is_open:
            return
        if self._store.weather.strikes("watch_silent", self._owner.who):
            with owned(None):
                self._store.loop.call_later(1.0, self._hear, document)
            return
        self._news.append(document)
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _check(self) -> None:
        if self._store.weather.strikes("watch_dies", self._owner.who):
            self._close()
            raise RetryLaterError("the watch broke off")

    def _close(self) -> None:
        self._is_open = False
        self._store.unwatch(self)
