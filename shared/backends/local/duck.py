"""What the warehouse and its readers share: connections, rows, views, and errors in the operator's words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from shared.backends.local.errors import storage_error
from shared.errors import ConfigError, MalformedError

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


def register_views(connection: duckdb.DuckDBPyConnection, folder: Path) -> list[str]:
    """Create a view from every ``*.sql`` file in ``folder`` (a query; its name is the view's) and name them.

    Views may use each other in any order. Raises :class:`ConfigError` that names the file that fails.
    """
    waiting = {file.stem: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.sql"))}
    made: list[str] = []
    while waiting:
        failures = {name: _create(connection, name, query) for name, query in waiting.items()}
        if all(failures.values()):
            name, cause = next(iter(failures.items()))
            raise ConfigError(f"{folder / name}.sql: {cause}")
        made += [name for name, cause in failures.items() if cause is None]
        waiting = {name: waiting[name] for name, cause in failures.items() if cause is not None}
    return made


def _create(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> str | None:
    """The reason why the view cannot be made (yet)."""
    try:
        connection.execute(f'CREATE OR REPLACE VIEW "{name}" AS {query.rstrip().rstrip(";")}')
    except duckdb.ProgrammingError as exc:
        return str(exc)
    return None
