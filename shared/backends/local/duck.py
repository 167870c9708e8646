"""What the warehouse and its readers share: connections, rows, and errors in the operator's words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from shared.backends.local.errors import storage_error
from shared.errors import MalformedError

# The warehouse shares the machine with a trading loop: it may not take every core and most of the memory.
# And a query never fetches an extension from the network: json, parquet and icu are in the wheel.
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 2,
    "memory_limit": "2GB",
    "autoinstall_known_extensions": False,
}

# Faults of the file or the disk; every other error is the statement's or the row's.
STORAGE_FAULTS = (duckdb.OperationalError, duckdb.InternalError, duckdb.FatalException)


def connect(database: Path | str, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection in UTC; raises :class:`StorageError`."""
    with translated(Path(database)):
        connection = duckdb.connect(str(database), read_only=read_only, config=_SETTINGS)
        connection.execute("SET timezone = 'UTC'")
        return connection


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns faults of file and disk into :class:`StorageError`, other errors into ``MalformedError``."""
    try:
        yield
    except (*STORAGE_FAULTS, OSError) as exc:
        raise storage_error(path, exc) from exc
    except duckdb.Error as exc:
        raise MalformedError(f"{path.name}: {exc}") from exc


def rows(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any]) -> list[dict[str, Any]]:
    """Rows of a query as dictionaries; times are aware datetimes."""
    found = connection.execute(sql, list(parameters))
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
