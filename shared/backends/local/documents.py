"""Versioned documents in one SQLite file, shared safely by several processes.

Every write is a compare-and-set inside one immediate transaction. Each accepted state is also appended to a
change log: its row number is the document's version (so a version never comes back, even after a delete), and
watchers read the log, so they miss no state, whichever process wrote it.

Durability is WAL with ``synchronous=FULL``: an acknowledged intent survives a power cut, not only a crash.
Measured through this class on a local disk: 0.31 ms a write (p99 0.5), against 0.17 ms (p99 0.4) with NORMAL,
which may lose the last commits. An order's network round trip is a hundred times longer.

The log is written back into the file between two writes: inside one of them, as the engine does by itself,
it makes each hundredth commit ten times as slow, and whoever waits for that may be an order.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from shared.backends.local.errors import storage_error
from shared.errors import AlreadyExistsError, ConflictError, MalformedError
from shared.ports import Create, Delete, Document, Replace, Value, Write

_log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    path TEXT PRIMARY KEY, collection TEXT NOT NULL, value TEXT NOT NULL, version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS documents_by_collection ON documents (collection, path);
CREATE TABLE IF NOT EXISTS changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL, collection TEXT NOT NULL, value TEXT
);
"""

# A watcher further behind than this starts again from the present state of its collection.
_CHANGES_KEPT = 10_000
_PRUNE_EVERY = 1_000
# The log is written back after so many batches, of some ten pages each; if that fails, later, by the engine.
_WRITE_BACK_EVERY = 100
_LOG_PAGES = 20_000
# A write inside this process wakes watchers at once; other processes' writes are seen within this time.
_POLL_S = 0.05

T = TypeVar("T")
_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"), ensure_ascii=False)


class SqliteDocuments:
    """The ``Documents`` port on one file. Writes run in one thread, reads in another, each in order.

    A task cancelled while it waits for a write does not undo the write: read before trying again.
    Every method raises :class:`StorageError` when the file cannot be used.
    """

    def __init__(self, path: Path, busy_timeout_s: float = 5.0) -> None:
        self._path = path
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="documents-write")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="documents-read")
        self._watchers: dict[asyncio.Event, str] = {}
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = _prepared(path, busy_timeout_s)
            self._reads = _connect(path, busy_timeout_s)
        self._batches = 0

    async def get(self, path: str) -> Document | None:
        """The document, or ``None``."""
        return await self._run(self._reader, partial(self._get, path))

    async def create(self, path: str, value: Value) -> int:
        """First version of a new document; raises ``AlreadyExistsError``."""
        return (await self._write([Create(path, value)]))[0]

    async def replace_if(self, path: str, value: Value, version: int) -> int:
        """Next version of a document still at ``version``; raises ``ConflictError``."""
        return (await self._write([Replace(path, value, version)]))[0]

    async def delete_if(self, path: str, version: int) -> None:
        """Remove a document still at ``version``; raises ``ConflictError``."""
        await self._write([Delete(path, version)])

    async def batch(self, writes: Sequence[Write]) -> list[int]:
        """All writes or none, and their versions; raises ``ConflictError`` or ``AlreadyExistsError``."""
        return await self._write(writes)

    async def query(
        self, collection: str, where: Mapping[str, Any] | None = None, limit: int = 1000
    ) -> list[Document]:
        """Documents of ``collection`` whose top-level fields equal ``where``, ordered by id."""
        return await self._run(self._reader, partial(self._query, collection, dict(where or {}), limit))

    async def watch(self, collection: str) -> AsyncGenerator[Document, None]:
        """Each document of ``collection`` as it is now, then every later state; removals are not shown."""
        woken = asyncio.Event()
        self._watchers[woken] = collection
        try:
            documents, seen = await self._run(self._reader, partial(self._snapshot, collection))
            while True:
                for document in documents:
                    yield document
                woken.clear()
                documents, seen = await self._run(self._reader, partial(self._later, collection, seen))
                if not documents:
                    await _either(woken, _POLL_S)
        finally:
            del self._watchers[woken]

    async def close(self) -> None:
        """Finish what was handed over and close the file."""
        await self._run(self._reader, self._reads.close)
        await self._run(self._writer, self._db.close)
        self._reader.shutdown(wait=False)
        self._writer.shutdown(wait=False)

    # --- in the reading thread ----------------------------------------------------------------------

    def _get(self, path: str) -> Document | None:
        row = self._reads.execute(
            "SELECT path, value, version FROM documents WHERE path = ?", (path,)
        ).fetchone()
        return None if row is None else _document(row)

    def _query(self, collection: str, where: dict[str, Any], limit: int | None) -> list[Document]:
        rows = self._reads.execute(
            "SELECT path, value, version FROM documents WHERE collection = ? ORDER BY path", (collection,)
        )
        matching = (found for found in map(_document, rows) if _matches(found.value, where))
        return list(islice(matching, limit))

    def _snapshot(self, collection: str) -> tuple[list[Document], int]:
        with _transaction(self._reads, "DEFERRED"):
            (last,) = self._reads.execute("SELECT coalesce(max(seq), 0) FROM changes").fetchone()
            return self._query(collection, {}, None), last

    def _later(self, collection: str, after: int) -> tuple[list[Document], int]:
        """States of ``collection`` written after change ``after``, and the number of the last change."""
        with _transaction(self._reads, "DEFERRED"):
            first, last = self._reads.execute(
                "SELECT coalesce(min(seq), 0), coalesce(max(seq), 0) FROM changes"
            ).fetchone()
            if after + 1 >= first:
                rows = self._reads.execute(
                    "SELECT path, value, seq FROM changes"
                    " WHERE seq > ? AND collection = ? AND value IS NOT NULL ORDER BY seq",
                    (after, collection),
                )
                return [_document(row) for row in rows], last
        return self._snapshot(collection)

    # --- in the writing thread ----------------------------------------------------------------------

    def _apply(self, writes: Sequence[tuple[Write, str | None]]) -> list[int]:
        with _transaction(self._db, "IMMEDIATE"):
            versions = [self._apply_one(write, text) for write, text in writes]
            if versions and versions[-1] % _PRUNE_EVERY < len(versions):
                self._db.execute("DELETE FROM changes WHERE seq <= ?", (versions[-1] - _CHANGES_KEPT,))
        self._batches += 1
        if self._batches % _WRITE_BACK_EVERY == 0:
            self._writer.submit(self._write_back)
        return versions

    def _apply_one(self, write: Write, text: str | None) -> int:
        collection = _collection(write.path)
        (version,) = self._db.execute(
            "INSERT INTO changes (path, collection, value) VALUES (?, ?, ?) RETURNING seq",
            (write.path, collection, text),
        ).fetchone()
        if isinstance(write, Create):
            done = self._db.execute(
                "INSERT OR IGNORE INTO documents VALUES (?, ?, ?, ?)", (write.path, collection, text, version)
            )
        elif isinstance(write, Replace):
            done = self._db.execute(
                "UPDATE documents SET value = ?, version = ? WHERE path = ? AND version = ?",
                (text, version, write.path, write.version),
            )
        else:
            done = self._db.execute(
                "DELETE FROM documents WHERE path = ? AND version = ?", (write.path, write.version)
            )
        if done.rowcount != 1:
            raise _refusal(write)
        return int(version)

    def _write_back(self) -> None:
        try:
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as exc:  # what is in the log is safe there
            _log.warning("%s-wal could not be written back: %s", self._path, exc)

    # --- between the loop and the threads -----------------------------------------------------------

    async def _write(self, writes: Sequence[Write]) -> list[int]:
        prepared = [(write, _text(write)) for write in writes]
        versions = await self._run(self._writer, partial(self._apply, prepared))
        touched = {_collection(write.path) for write in writes}
        for woken, collection in self._watchers.items():
            if collection in touched:
                woken.set()
        return versions

    async def _run(self, thread: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        with self._translated():
            return await asyncio.get_running_loop().run_in_executor(thread, work)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as exc:
            raise storage_error(self._path, exc) from exc


def _prepared(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """The writing connection, its tables laid out; a file that cannot be used is not kept open."""
    db = _connect(path, busy_timeout_s)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")
        db.executescript(_SCHEMA)
    except sqlite3.Error:
        db.close()
        raise
    return db


def _connect(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False)


@contextmanager
def _transaction(db: sqlite3.Connection, kind: str) -> Iterator[None]:
    db.execute(f"BEGIN {kind}")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _collection(path: str) -> str:
    return path.rpartition("/")[0]


def _document(row: tuple[str, str, int]) -> Document:
    return Document(row[0], json.loads(row[1]), row[2])


def _matches(value: Value, where: dict[str, Any]) -> bool:
    """JSON equality of each field: ``true`` is not ``1``, and a missing field equals nothing."""
    return all(
        field in value
        and value[field] == wanted
        and isinstance(value[field], bool) == isinstance(wanted, bool)
        for field, wanted in where.items()
    )


def _text(write: Write) -> str | None:
    collection, _, name = write.path.rpartition("/")
    if not collection or not name:
        raise MalformedError(f"document path {write.path!r} is not collection/id")
    if isinstance(write, Delete):
        return None
    try:
        return _ENCODER.encode(write.value)
    except (TypeError, ValueError, RecursionError) as exc:
        raise MalformedError(f"{write.path}: not a JSON object: {exc}") from exc


def _refusal(write: Write) -> ConflictError | AlreadyExistsError:
    if isinstance(write, Create):
        return AlreadyExistsError(f"{write.path} exists")
    return ConflictError(f"{write.path} is not at version {write.version}")


async def _either(event: asyncio.Event, timeout_s: float) -> None:
    """Wait for ``event``, at most ``timeout_s``."""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()
