"""Documents in a dictionary. No threads and no waiting: every call is complete when it returns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec

from shared.errors import AlreadyExistsError, ConflictError
from shared.ports import Create, Delete, Document, Replace, Value, Write


class MemoryDocuments:
    """The ``Documents`` port for one process and one run."""

    def __init__(self) -> None:
        self._held: dict[str, Document] = {}
        self._version = 0
        self._watchers: dict[asyncio.Queue[Document], str] = {}

    async def get(self, path: str) -> Document | None:
        """The document, or ``None``."""
        return self._held.get(path)

    async def create(self, path: str, value: Value) -> int:
        """First version of a new document; raises ``AlreadyExistsError``."""
        self._apply([Create(path, value)])
        return self._version

    async def replace_if(self, path: str, value: Value, version: int) -> int:
        """Next version of a document still at ``version``; raises ``ConflictError``."""
        self._apply([Replace(path, value, version)])
        return self._version

    async def delete_if(self, path: str, version: int) -> None:
        """Remove a document still at ``version``; raises ``ConflictError``."""
        self._apply([Delete(path, version)])

    async def batch(self, writes: Sequence[Write]) -> list[int]:
        """All writes or none, and their versions; raises ``ConflictError`` or ``AlreadyExistsError``."""
        before = self._version
        self._apply(writes)
        return list(range(before + 1, self._version + 1))

    async def query(
        self, collection: str, where: Mapping[str, Any] | None = None, limit: int = 1000
    ) -> list[Document]:
        """Documents of ``collection`` whose top-level fields equal ``where``, ordered by id."""
        wanted = dict(where or {})
        found = [
            document
            for path, document in sorted(self._held.items())
            if _collection(path) == collection
            and all(key in document.value and document.value[key] == wanted[key] for key in wanted)
        ]
        return found[:limit]

    async def watch(self, collection: str) -> AsyncIterator[Document]:
        """Each document of ``collection`` as it is now, then every later state; removals are not shown."""
        queue: asyncio.Queue[Document] = asyncio.Queue()
        self._watchers[queue] = collection
        try:
            for document in await self.query(collection, limit=len(self._held)):
                yield document
            while True:
                yield await queue.get()
        finally:
            del self._watchers[queue]

    def _apply(self, writes: Sequence[Write]) -> None:
        for write in writes:
            self._check(write)
        for write in writes:
            self._version += 1
            if isinstance(write, Delete):
                del self._held[write.path]
                continue
            # A stored value must not change when the writer's object does.
            value = msgspec.json.decode(msgspec.json.encode(write.value))
            document = self._held[write.path] = Document(write.path, value, self._version)
            for queue, collection in self._watchers.items():
                if collection == _collection(write.path):
                    queue.put_nowait(document)

    def _check(self, write: Write) -> None:
        held = self._held.get(write.path)
        if isinstance(write, Create):
            if held is not None:
                raise AlreadyExistsError(f"{write.path} exists")
        elif held is None or held.version != write.version:
            raise ConflictError(f"{write.path} is not at version {write.version}")


def _collection(path: str) -> str:
    return path.partition("/")[0]
