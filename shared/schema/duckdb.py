"""DuckDB tables of the same shape as BigQuery's, and the statement that loads a batch of messages."""

from __future__ import annotations

import json
from typing import Any

from shared.messages import Message
from shared.schema.columns import Column, Kind, columns

_TYPES = {
    Kind.INSTANT: "TIMESTAMP WITH TIME ZONE",
    Kind.DAY: "DATE",
    Kind.INTEGER: "BIGINT",
    Kind.FLOAT: "DOUBLE",
    Kind.STRING: "VARCHAR",
    Kind.BOOLEAN: "BOOLEAN",
}


def create_table(kind: type[Message]) -> str:
    """``CREATE TABLE`` of a message."""
    body = ",\n".join(f"  {_quoted(column.name)} {type_of(column)}" for column in columns(kind))
    return f"CREATE TABLE IF NOT EXISTS {kind.TABLE} (\n{body}\n);\n"


def create_view(kind: type[Message]) -> str:
    """``CREATE VIEW <table>_latest``, which keeps one row of each ``event_id``."""
    return f"CREATE OR REPLACE VIEW {kind.TABLE}_latest AS\n{latest(kind.TABLE)};\n"


def latest(source: str) -> str:
    """Query that keeps one row of each event: copies are equal but for ``trace_id``."""
    return (
        f"  SELECT * FROM {source}\n"  # noqa: S608 - names of our own tables
        "  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY observed_at, trace_id) = 1"
    )


def load(kind: type[Message]) -> str:
    """``INSERT`` whose one parameter is a JSON array of wire-form messages.

    Strict: a value that does not fit its column is an error, never a NULL.
    """
    fields = columns(kind)
    names = ", ".join(_quoted(column.name) for column in fields)
    values = ", ".join(_value(column, f"m.{_quoted(column.name)}") for column in fields)
    wire = json.dumps([{column.name: _wire(column) for column in fields}])
    return (
        f"INSERT INTO {kind.TABLE} ({names}) SELECT {values} "  # noqa: S608 - names of our own fields
        f"FROM (SELECT unnest(from_json_strict(?::JSON, '{wire}')) AS m)"
    )


def type_of(column: Column) -> str:
    """Column type in a table, spelt as ``information_schema`` spells it."""
    parts = ", ".join(f"{_quoted(field.name)} {type_of(field)}" for field in column.fields)
    return _TYPES.get(column.kind, f"STRUCT({parts})") + "[]" * column.repeated


def _wire(column: Column) -> Any:
    """Structure of the value in JSON, for ``from_json``: instants are integers, mappings are objects."""
    if column.mapping:
        key, value = column.fields
        return f"MAP({_wire(key)}, {_wire(value)})"
    if column.kind is Kind.INSTANT:
        return "BIGINT"
    inner = _TYPES.get(column.kind) or {field.name: _wire(field) for field in column.fields}
    return [inner] if column.repeated else inner


def _value(column: Column, source: str, depth: int = 0) -> str:
    """Expression that turns the wire's value into the table's; most columns are taken as they are."""
    if column.mapping:
        return f"map_entries({source})"
    if not _differs(column):
        return source
    if column.repeated:
        item = Column(column.name, column.kind, fields=column.fields)
        return f"list_transform({source}, lambda x{depth}: {_value(item, f'x{depth}', depth + 1)})"
    if column.kind is Kind.INSTANT:
        return f"make_timestamptz({source})"
    parts = ", ".join(
        f"{_quoted(field.name)} := {_value(field, f'{source}.{_quoted(field.name)}', depth)}"
        for field in column.fields
    )
    return f"CASE WHEN {source} IS NULL THEN NULL ELSE struct_pack({parts}) END"


def _differs(column: Column) -> bool:
    """True where the wire's form is not the table's."""
    return column.mapping or column.kind is Kind.INSTANT or any(map(_differs, column.fields))


def _quoted(name: str) -> str:
    return f'"{name}"'
