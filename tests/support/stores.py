"""Document stores that fail: a process that dies between writes, and a store that answers wrongly."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from shared.backends.memory.documents import MemoryDocuments
from shared.clock import SECOND, Instant
from shared.errors import ConflictError
from shared.ports import Document, Documents, Value, Write


class Dead(BaseException):
    """The process is gone. Not an ``Exception``: nothing may catch it and go on."""


class DyingDocuments(MemoryDocuments):
    """Allows ``writes`` writes; at the next the process dies, before the write or just ``after`` it."""

    def __init__(self, held: MemoryDocuments, writes: int, *, after: bool) -> None:
        super().__init__()
        self._real, self._left, self._after = held, writes, after

    async def get(self, path: str) -> Document | None:
        """As the real store."""
        return await self._real.get(path)

    async def create(self, path: str, value: Value) -> int:
        """As the real store, until the end."""
        raise NotImplementedError("the code under test writes in batches")

    async def batch(self, writes: Sequence[Write]) -> list[int]:
        """As the real store, until the end."""
        if self._left == 0 and not self._after:
            raise Dead
        versions = await self._real.batch(writes)
        if self._left == 0:
            raise Dead
        self._left -= 1
        return versions

    async def query(
        self, collection: str, where: Mapping[str, Any] | None = None, limit: int = 1000
    ) -> list[Document]:
        """As the real store."""
        return await self._real.query(collection, where, limit)


class ShakyDocuments:
    """Every call lets others run; some writes lose a race that was none, or land and say they lost."""

    def __init__(self, held: Documents, rng: random.Random, share: float = 0.2) -> None:
        self._real, self._rng, self._share = held, rng, share

    async def get(self, path: str) -> Document | None:
        """As the real store, with others before and after."""
        await self._others()
        found = await self._real.get(path)
        await self._others()
        return found

    async def create(self, path: str, value: Value) -> int:
        """As the real store."""
        await self._others()
        return await self._real.create(path, value)

    async def replace_if(self, path: str, value: Value, version: int) -> int:
        """As the real store."""
        await self._others()
        return await self._real.replace_if(path, value, version)

    async def delete_if(self, path: str, version: int) -> None:
        """As the real store."""
        await self._real.delete_if(path, version)

    async def batch(self, writes: Sequence[Write]) -> list[int]:
        """As the real store, or a conflict before or after it."""
        await self._others()
        fate = self._rng.random()
        if fate < self._share:
            raise ConflictError("somebody else was faster")
        versions = await self._real.batch(writes)
        await self._others()
        if fate > 1 - self._share:
            raise ConflictError("the answer was lost, and the repeated commit met its own write")
        return versions

    async def query(
        self, collection: str, where: Mapping[str, Any] | None = None, limit: int = 1000
    ) -> list[Document]:
        """As the real store."""
        return await self._real.query(collection, where, limit)

    def watch(self, collection: str) -> AsyncIterator[Document]:
        """As the real store."""
        return self._real.watch(collection)

    async def _others(self) -> None:
        for _ in range(self._rng.randrange(4)):
            await asyncio.sleep(0)


class RestlessClock:
    """A clock that moves a millisecond with every look, and whose sleepers only let others run."""

    def __init__(self, start: Instant) -> None:
        self._now = start

    def now(self) -> Instant:
        """A millisecond later than the last time."""
        self._now = Instant(self._now + SECOND // 1_000)
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Move on by ``seconds``."""
        self._now = Instant(self._now + int(seconds * SECOND))
        await asyncio.sleep(0)
