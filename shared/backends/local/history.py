"""History for readers: the DuckDB file if it is free, else the Parquet copy its owner keeps beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from shared.backends.local import duck
from shared.backends.local.errors import refusal
from shared.backends.local.warehouse import DATABASE, PARQUET, SNAPSHOT
from shared.clock import SECOND, Clock, Instant
from shared.errors import StorageError
from shared.messages import MESSAGES
from shared.schema.duckdb import create_table, create_view
from shared.schema.views import View, needed


class History:
    """A read-only view of history: one view per table, and ``<table>_latest`` without duplicates.

    ``notice`` says what a reader must know about its age; empty when it is complete.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path, notice: str, now: Instant) -> None:
        self._db, self._path, self._now = connection, path, now
        self.notice = notice

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Rows as dictionaries; raises ``MalformedError`` for a wrong statement, ``StorageError``."""
        with duck.translated(self._path):
            return duck.rows(self._db, sql, parameters)

    def ask(
        self, name: str, views: Iterable[View], since: datetime | None = None, limit: int = 1_000_000
    ) -> list[dict[str, Any]]:
        """Rows of the view ``name`` of ``views``; raises ``ConfigError`` as :mod:`.views` says."""
        # The translator takes a third of a second to import; nothing else here needs it.
        from shared.backends.local import views as made

        wanted = needed(views, name)
        with duck.translated(self._path):
            made.create(self._db, wanted, made.newest(self._db, self._now))
            return made.read(self._db, wanted[-1], since, limit)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


def open_history(folder: Path, clock: Clock) -> History:
    """History kept in ``folder`` (``DATA_DIR``); raises :class:`StorageError` if there is none."""
    path = folder / DATABASE
    if not path.exists():
        raise StorageError(f"no history in {folder}: run arb first, or set DATA_DIR to where it ran")
    connection = duck.connect(":memory:")
    try:
        sources, notice = _attached(connection, path), ""
    except duckdb.IOException as exc:
        if "lock" not in str(exc).lower():
            raise refusal(path, "open", exc) from exc
        sources, notice = _copied(folder / PARQUET), _age(folder, clock)
    with duck.translated(path):
        _create_views(connection, sources)
    return History(connection, path, notice, clock.now())


def _attached(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    """Source of each table in the file itself; one that an older version wrote does not have them all."""
    target = str(path).replace("'", "''")
    connection.execute(f"ATTACH '{target}' AS live (READ_ONLY)")
    found = duck.rows(connection, "SELECT table_name FROM duckdb_tables() WHERE database_name = 'live'", ())
    present = {row["table_name"] for row in found}
    return {kind.TABLE: f"live.{kind.TABLE}" for kind in MESSAGES if kind.TABLE in present}


def _copied(folder: Path) -> dict[str, str]:
    """Source of each table that has a Parquet copy."""
    found = {}
    for kind in MESSAGES:
        if any((folder / kind.TABLE).glob("*.parquet")):
            files = str(folder / kind.TABLE / "*.parquet").replace("'", "''")
            found[kind.TABLE] = f"read_parquet('{files}', union_by_name = true)"
    return found


def _age(folder: Path, clock: Clock) -> str:
    marker = folder / PARQUET / SNAPSHOT
    try:
        written = int(marker.read_text(encoding="ascii"))
        if written > clock.now():  # on a season's own clock; the file system knows ours
            written = marker.stat().st_mtime_ns // 1_000
    except (OSError, ValueError):
        return "arb is running and has not copied any history yet: try again in half a minute"
    seconds = max(0, (clock.now() - written) // SECOND)
    return f"arb is running: this is its copy of {seconds} s ago"


def _create_views(connection: duckdb.DuckDBPyConnection, sources: dict[str, str]) -> None:
    """Views with every column of today's schema, whatever version wrote the source."""
    connection.execute("CREATE SCHEMA shape")
    connection.execute("USE shape")
    for kind in MESSAGES:
        connection.execute(create_table(kind))
    connection.execute("USE main")
    for kind in MESSAGES:
        query = f"SELECT * FROM shape.{kind.TABLE}"  # noqa: S608 - names of our own tables
        if kind.TABLE in sources:
            query += f" UNION ALL BY NAME SELECT * FROM {sources[kind.TABLE]}"  # noqa: S608
        connection.execute(f"CREATE VIEW {kind.TABLE} AS {query}")
        connection.execute(create_view(kind))
