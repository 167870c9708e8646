"""Backends under the contract suite, and the messages it sends."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from shared import cas
from shared.backends.local.documents import SqliteDocuments
from shared.backends.memory.documents import MemoryDocuments
from shared.clock import Instant, SystemClock
from shared.messages import TickSeen, seal
from shared.ports import Documents, Value

DOCUMENTS = ("sqlite", "memory")


@asynccontextmanager
async def open_documents(name: str, folder: Path) -> AsyncIterator[Documents]:
    """The ``Documents`` backend called ``name``, empty, closed afterwards."""
    if name == "memory":
        yield MemoryDocuments()
        return
    documents = SqliteDocuments(folder / "documents.db")
    try:
        yield documents
    finally:
        await documents.close()


def tick(second: int, ticker: str = "KXTEST-1") -> TickSeen:
    """A sealed message; each ``second`` is another event."""
    return seal(TickSeen(observed_at=Instant(1_790_000_000_000_000 + second * 1_000_000), ticker=ticker))


def rng(seed: int) -> random.Random:
    """A seeded generator: the same jitter and the same chaos every time."""
    return random.Random(seed)  # noqa: S311 - reproducible, not secret


async def increment(documents: Documents, path: str, times: int = 1, seed: int = 0) -> None:
    """Add one to ``n`` of the document at ``path``, ``times`` times, by compare-and-set."""
    clock, generator = SystemClock(), rng(seed)
    for _ in range(times):
        await cas.update(documents, path, _plus_one, clock=clock, rng=generator)


def _plus_one(value: Value | None) -> Value:
    return {"n": (value or {"n": 0})["n"] + 1}
