"""The views of BigQuery on a DuckDB connection: translated by the shim and made in their order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import duckdb

from shared.backends.local import duck
from shared.backends.local.dialect import to_duckdb
from shared.clock import Instant, from_datetime
from shared.errors import ConfigError, MalformedError
from shared.schema.views import View

# Tables that grow while anything runs: their newest row says what time it was there.
_CLOCKS = ("account_snapshots", "kalshi_markets", "kalshi_ticks")


def create(connection: duckdb.DuckDBPyConnection, views: Iterable[View], now: Instant) -> None:
    """Make ``views``, each after all it reads, as of ``now``; raises :class:`ConfigError` naming the file."""
    for view in views:
        try:
            connection.execute(f'CREATE OR REPLACE VIEW "{view.name}" AS {to_duckdb(view.query, now)}')
        except (duckdb.Error, MalformedError) as exc:
            raise ConfigError(f"{view.path}: {exc}") from exc


def newest(connection: duckdb.DuckDBPyConnection, otherwise: Instant) -> Instant:
    """The moment this history reaches to: a simulated season has a clock of its own."""
    each = " UNION ALL ".join(f"SELECT max(observed_at) AS seen FROM {table}" for table in _CLOCKS)  # noqa: S608
    (row,) = duck.rows(connection, f"SELECT max(seen) AS seen FROM ({each})", ())  # noqa: S608 - our own tables
    return from_datetime(row["seen"]) if row["seen"] is not None else otherwise


def read(
    connection: duckdb.DuckDBPyConnection, view: View, since: datetime | None, limit: int
) -> list[dict[str, Any]]:
    """Rows of a view that was made, newest first where it has a time; at most ``limit`` of them.

    With ``since``, rows whose day (else whose first time) is not before it; raises :class:`ConfigError` for
    a view without a time.
    """
    time = _time_column(connection, view.name)
    if since is not None and time is None:
        raise ConfigError(f"{view.name} has no day and no time: it cannot be asked for what is since one")
    where = f'WHERE "{time}" >= ?' if since is not None else ""
    order = f'ORDER BY "{time}" DESC NULLS LAST' if time else "ORDER BY ALL"
    parameters = [limit] if since is None else [since, limit]
    return duck.rows(connection, f'SELECT * FROM "{view.name}" {where} {order} LIMIT ?', parameters)  # noqa: S608


def _time_column(connection: duckdb.DuckDBPyConnection, name: str) -> str | None:
    described = duck.rows(connection, f'DESCRIBE "{name}"', ())
    kinds = {row["column_name"]: row["column_type"] for row in described}
    times = [column for column, kind in kinds.items() if kind in ("DATE", "TIMESTAMP WITH TIME ZONE")]
    return "day" if "day" in times else next(iter(times), None)
