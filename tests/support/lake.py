"""A history in memory for tests of the views: messages in, rows of a view out, by DuckDB or by GoogleSQL."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import msgspec

from shared.backends.local import duck, views
from shared.backends.local.dialect import to_duckdb
from shared.clock import DAY, Instant, parse_instant
from shared.messages import MESSAGES, Message, seal
from shared.schema import duckdb as tables
from shared.schema.columns import Column, Kind, columns
from shared.schema.views import View, load, needed

NOON = Instant(parse_instant("2026-11-10T12:00:00Z") or 0)
Rows = list[dict[str, Any]]


@cache
def all_views() -> tuple[View, ...]:
    """Every view, in order."""
    return load()


def at(seconds: float = 0, days: int = 0) -> Instant:
    """A moment after noon of the tests' first day, 2026-11-10 UTC."""
    return Instant(NOON + int(seconds * 1_000_000) + days * DAY)


def when(seconds: float = 0, days: int = 0) -> datetime:
    """The same moment as a view shows it."""
    return datetime.fromtimestamp(at(seconds, days) / 1_000_000, UTC)


class Lake:
    """Tables in memory. Messages are sealed and loaded as the warehouse loads them."""

    def __init__(self, now: Instant = at(days=1)) -> None:
        self._db = duck.connect(":memory:")
        self._now = now
        self._made: set[str] = set()
        for kind in MESSAGES:
            self._db.execute(tables.create_table(kind))

    def tell(self, *messages: Message) -> None:
        """Keep messages, in this order; told twice they are there twice."""
        for kind in MESSAGES:
            batch = [
                message if message.event_id else seal(message)
                for message in messages
                if type(message) is kind
            ]
            if batch:
                self._db.execute(tables.load(kind), [msgspec.json.encode(batch).decode()])

    def forget(self) -> None:
        """Empty every table."""
        for kind in MESSAGES:
            self._db.execute(f"DELETE FROM {kind.TABLE}")  # noqa: S608 - our own tables

    def rows(self, view: str, *keep: str) -> Rows:
        """Rows of a view in the order of their values, with the columns named, or all of them."""
        self._make(view)
        chosen = ", ".join(f'"{column}"' for column in keep) or "*"
        return duck.rows(self._db, f'SELECT {chosen} FROM "{view}" ORDER BY ALL', ())  # noqa: S608 - our names

    def row(self, view: str, *keep: str) -> dict[str, Any]:
        """The only row of a view."""
        (found,) = self.rows(view, *keep)
        return found

    def evaluate(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query in BigQuery's dialect, through the shim."""
        return self._db.execute(to_duckdb(query, self._now)).fetchall()

    def column_types(self, view: str) -> dict[str, str]:
        """Type of each column of a view, as DuckDB spells it."""
        self._make(view)
        described = duck.rows(self._db, f'DESCRIBE "{view}"', ())
        return {row["column_name"]: row["column_type"] for row in described}

    def googlesql(self, view: str) -> str:
        """One query for another engine: the tables this view comes from as literals, each view as a WITH."""
        wanted = needed(all_views(), view)
        names = {name for one in wanted for name in one.reads} - {one.name for one in wanted}
        parts = [f"`{kind.TABLE}` AS ({self._literal(kind)})" for kind in MESSAGES if kind.TABLE in names]
        parts += [f"`{one.name}` AS ({one.query})" for one in wanted]
        # As JSON: the evaluator's own values lose their times on the way to Python.
        return f"WITH {', '.join(parts)} SELECT TO_JSON_STRING(found) FROM `{view}` AS found"  # noqa: S608

    def _literal(self, kind: type[Message]) -> str:
        found = duck.rows(self._db, f"SELECT * FROM {kind.TABLE}", ())  # noqa: S608 - our own table
        shape = columns(kind)
        kinds = ", ".join(f"`{column.name}` {_type(column)}" for column in shape)
        rows = ", ".join(
            "(" + ", ".join(_value(row[column.name], column) for column in shape) + ")" for row in found
        )
        return f"SELECT * FROM UNNEST(ARRAY<STRUCT<{kinds}>>[{rows}])"  # noqa: S608 - our own values

    def _make(self, view: str) -> None:
        if view not in self._made:
            wanted = [one for one in needed(all_views(), view) if one.name not in self._made]
            views.create(self._db, wanted, self._now)
            self._made |= {one.name for one in wanted}


_SPELT = {
    Kind.INSTANT: "TIMESTAMP",
    Kind.DAY: "DATE",
    Kind.INTEGER: "INT64",
    Kind.FLOAT: "FLOAT64",
    Kind.STRING: "STRING",
    Kind.BOOLEAN: "BOOL",
}


def _type(column: Column) -> str:
    inner = ", ".join(f"`{field.name}` {_type(field)}" for field in column.fields)
    bare = f"STRUCT<{inner}>" if column.fields else _SPELT.get(column.kind, column.kind.upper())
    return f"ARRAY<{bare}>" if column.repeated else bare


def _value(value: Any, column: Column) -> str:
    if value is None:
        return "NULL"
    if column.repeated:
        one = Column(column.name, column.kind, fields=column.fields)
        return f"ARRAY<{_type(one)}>[{', '.join(_value(item, one) for item in value)}]"
    if column.fields:
        inner = ", ".join(_value(value[field.name], field) for field in column.fields)
        return f"STRUCT<{', '.join(f'`{f.name}` {_type(f)}' for f in column.fields)}>({inner})"
    match value:
        case datetime():
            return f"TIMESTAMP '{value:%Y-%m-%d %H:%M:%S.%f}+00'"
        case date():
            return f"DATE '{value:%Y-%m-%d}'"
        case str():
            return msgspec.json.encode(value).decode()
        case float():
            return f"CAST('{value!r}' AS FLOAT64)"
        case _:
            return str(value)
