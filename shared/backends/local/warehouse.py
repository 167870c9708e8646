"""History in one DuckDB file: rows are buffered, written in batches, and copied to Parquet day by day.

One process owns the file (DuckDB lets no other in, not even to read), so the owner also keeps a Parquet copy:
``history/<table>/<UTC day>.parquet``, zstd, replaced by rename. Readers in other processes use
:mod:`shared.backends.local.history`. A kill loses at most what was not yet flushed: a second, or 1,000 rows.

Batches go in as one JSON parameter. Measured with 1,000-row batches: 130,000 rows/s from append to commit,
against 1,100 for single inserts; numpy columns are faster still but cannot hold nested records.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import msgspec

from shared.backends.local import duck
from shared.clock import SECOND, Clock, Instant, utc_day
from shared.errors import StorageError
from shared.messages import BY_TABLE, MESSAGES, Message, Quarantined, seal
from shared.schema.columns import columns
from shared.schema.duckdb import create_table, create_view, load, type_of

_log = logging.getLogger(__name__)

DATABASE = "history.duckdb"
PARQUET = "history"
SNAPSHOT = "snapshot"  # when the Parquet copy was last complete, in microseconds

T = TypeVar("T")
Day = tuple[str, str]  # table, UTC day

# A row that cannot be encoded, has no date, or does not fit its column.
_ROW_FAULTS = (duckdb.Error, ValueError, TypeError, OverflowError)


class DuckWarehouse:
    """The ``Warehouse`` port. Call :meth:`close` to flush and to finish the Parquet copy.

    Every method raises :class:`StorageError` while the disk or the file refuses; rows already accepted stay
    queued and are written when it recovers, and no new ones are accepted before.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        *,
        batch_rows: int = 1_000,
        flush_s: float = 1.0,
        snapshot_s: float = 30.0,
    ) -> None:
        self._folder, self._clock = folder, clock
        self._batch_rows, self._flush_s = batch_rows, flush_s
        self._snapshot_us = int(snapshot_s * SECOND)
        self._queued: list[Message] = []
        self._writing = asyncio.Lock()
        self._broken = False
        self._flusher: asyncio.Task[None] | None = None
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="warehouse-write")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="warehouse-read")
        with duck.translated(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / DATABASE
        self._db = duck.connect(self._path)
        self._reads = self._db.cursor()
        with duck.translated(self._path):
            _create_tables(self._db)
            self._unexported = _days_to_export(self._db, folder / PARQUET)
        self._snapshot_due = clock.now()

    async def append(self, rows: Sequence[Message]) -> None:
        """Queue rows for their tables; a repeated ``event_id`` is kept once by the ``_latest`` views."""
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush_often(), name="warehouse-flush")
        if self._broken:
            await self.flush()
        self._queued.extend(rows)
        if len(self._queued) >= self._batch_rows:
            await self._try_flush()

    async def flush(self) -> None:
        """Write everything queued."""
        async with self._writing:
            batch = self._queued[:]
            if not batch:
                return
            try:
                await self._run(self._writer, partial(self._write, batch))
            except StorageError:
                self._broken = True
                raise
            # Only now: a caller cancelled above leaves the rows queued, and views drop the second copy.
            del self._queued[: len(batch)]
            self._broken = False

    async def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Rows of a query as dictionaries; raises ``MalformedError`` for a wrong statement."""
        return await self._run(self._reader, partial(duck.rows, self._reads, sql, parameters))

    async def export(self) -> int:
        """Copy every day that has changed to Parquet; returns how many files were written."""
        async with self._writing:
            return await self._run(self._writer, self._export)

    async def close(self) -> None:
        """Flush, finish the Parquet copy, close the file."""
        if self._flusher is not None:
            async with self._writing:  # never cancelled in the middle of a write
                self._flusher.cancel()
        try:
            await self.flush()
            await self.export()
        finally:
            await self._run(self._reader, self._reads.close)
            await self._run(self._writer, self._db.close)
            self._reader.shutdown(wait=False)
            self._writer.shutdown(wait=False)

    async def _flush_often(self) -> None:
        while True:
            await self._clock.sleep(self._flush_s)
            await self._try_flush()
            if self._clock.now() >= self._snapshot_due:
                await self._try_export()

    async def _try_flush(self) -> None:
        try:
            await self.flush()
        except StorageError as exc:  # the rows are kept; the next append says so to its caller
            _log.error("history is not being written: %s", exc)

    async def _try_export(self) -> None:
        started = self._clock.now()
        try:
            await self.export()
        except StorageError as exc:
            _log.error("the Parquet copy is not being written: %s", exc)
        # A day that has grown slow to copy is copied less often: at most a twentieth of the time.
        wait = max(self._snapshot_us, 20 * (self._clock.now() - started))
        self._snapshot_due = Instant(self._clock.now() + wait)

    async def _run(self, thread: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        with duck.translated(self._path):
            return await asyncio.get_running_loop().run_in_executor(thread, work)

    # --- in the writing thread ----------------------------------------------------------------------

    def _write(self, batch: Sequence[Message]) -> None:
        by_table: dict[str, list[Message]] = {}
        for row in batch:
            by_table.setdefault(row.TABLE, []).append(row)
        try:
            self._load(by_table)
        except duck.STORAGE_FAULTS:
            raise
        except _ROW_FAULTS:
            for row in batch:
                self._load_alone(row)

    def _load(self, by_table: dict[str, list[Message]]) -> None:
        days = {(row.TABLE, utc_day(row.observed_at)) for rows in by_table.values() for row in rows}
        encoded = {table: msgspec.json.encode(found).decode() for table, found in by_table.items()}
        self._db.begin()
        try:
            for table, text in encoded.items():
                self._db.execute(load(BY_TABLE[table]), [text])
            self._db.commit()
        except BaseException:
            self._rollback()
            raise
        self._unexported |= days

    def _load_alone(self, row: Message) -> None:
        """A row no table takes (an integer beyond 64 bits, broken text) becomes a quarantine record."""
        try:
            self._load({row.TABLE: [row]})
        except duck.STORAGE_FAULTS:
            raise
        except _ROW_FAULTS as exc:
            source, reason = f"warehouse/{row.TABLE}", f"{type(exc).__name__}: {exc}"[:300]
            record = Quarantined(
                observed_at=self._clock.now(), source=source, reason=reason, sample=ascii(row)[:500]
            )
            self._load({Quarantined.TABLE: [seal(record)]})

    def _rollback(self) -> None:
        try:
            self._db.rollback()
        except duckdb.Error as exc:  # already rolled back, or the database is beyond it
            _log.debug("rollback: %s", exc)

    def _export(self) -> int:
        days = sorted(self._unexported)
        for table, day in days:
            _export_day(self._db, self._folder / PARQUET, table, day)
            self._unexported.discard((table, day))
        marker = self._folder / PARQUET / SNAPSHOT
        marker.parent.mkdir(exist_ok=True)
        _replace_text(marker, str(self._clock.now()))
        return len(days)


def _create_tables(db: duckdb.DuckDBPyConnection) -> None:
    """Create what is missing; columns that a newer version added or widened are added to older files.

    All at once: asked and committed table by table it was most of a process's start.
    """
    db.begin()
    try:
        present = _types(db)
        for kind in MESSAGES:
            if kind.TABLE in present:
                _widen(db, kind, present[kind.TABLE])
            else:
                db.execute(create_table(kind))
            db.execute(create_view(kind))
        db.commit()
    except BaseException:
        with suppress(duckdb.Error):
            db.rollback()
        raise


def _widen(db: duckdb.DuckDBPyConnection, kind: type[Message], present: dict[str, str]) -> None:
    for column in columns(kind):
        wanted = type_of(column)
        if column.name not in present:
            db.execute(f'ALTER TABLE {kind.TABLE} ADD COLUMN "{column.name}" {wanted}')
        elif present[column.name] != _unquoted(wanted):
            db.execute(f'ALTER TABLE {kind.TABLE} ALTER "{column.name}" TYPE {wanted}')


def _types(db: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Type of each column of each table that is there."""
    found: dict[str, dict[str, str]] = {}
    asked = db.execute("SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal")
    for table, column, kind in asked.fetchall():
        found.setdefault(table, {})[column] = _unquoted(kind)
    return found


def _unquoted(kind: str) -> str:
    # DuckDB quotes only those field names that are words of its own.
    return kind.replace('"', "")


def _days_to_export(db: duckdb.DuckDBPyConnection, folder: Path) -> set[Day]:
    """Days whose Parquet file is missing or has another number of rows: what a crash left behind."""
    found: set[Day] = set()
    for kind in MESSAGES:
        days = db.execute(
            f"SELECT strftime(observed_at, '%Y-%m-%d') AS day, count(*) FROM {kind.TABLE} GROUP BY day"  # noqa: S608
        ).fetchall()
        found |= {
            (kind.TABLE, day) for day, count in days if _rows_in(db, _file(folder, kind.TABLE, day)) != count
        }
    return found


def _rows_in(db: duckdb.DuckDBPyConnection, file: Path) -> int:
    try:
        found = db.execute("SELECT count(*) FROM read_parquet(?)", [str(file)]).fetchone()
    except duckdb.Error:  # absent or torn: it will be written again
        return -1
    return int(found[0]) if found else -1


def _export_day(db: duckdb.DuckDBPyConnection, folder: Path, table: str, day: str) -> None:
    file = _file(folder, table, day)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    # COPY takes no parameters; the values are a table's name, a day and a path of our own.
    midnight = f"TIMESTAMPTZ '{day} 00:00:00+00'"
    where = f"observed_at >= {midnight} AND observed_at < {midnight} + INTERVAL 1 DAY"
    target = str(part).replace("'", "''")
    db.execute(
        f"COPY (SELECT * FROM {table} WHERE {where}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"  # noqa: S608
    )
    part.replace(file)


def _file(folder: Path, table: str, day: str) -> Path:
    return folder / table / f"{day}.parquet"


def _replace_text(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(text, encoding="ascii")
    part.replace(path)
