"""Pub/Sub topic schemas, as Protocol Buffers with JSON encoding.

Not Avro: Avro's JSON encoding wants every optional value wrapped in its type (``{"long": 5}``) and refuses
the plain JSON our messages are. Protocol Buffers' JSON mapping takes it as it is, ``null`` for what is absent
included, and a ``map`` field is a repeated record of key and value in BigQuery (``use_topic_schema``).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from shared.messages import Message
from shared.schema.columns import Column, Kind, columns, summary

_TYPES = {
    Kind.INSTANT: "int64",
    Kind.DAY: "string",  # canonical text, which a DATE column takes
    Kind.INTEGER: "int64",
    Kind.FLOAT: "double",
    Kind.STRING: "string",
    Kind.BOOLEAN: "bool",
}
# Field numbers below are reserved (19000-19999) or kept free for fields added by hand.
_FIRST_NUMBER = 20_000
_NUMBERS = 2**29 - _FIRST_NUMBER


def schema(kind: type[Message]) -> str:
    """Definition of one top-level message with its records nested inside, as Pub/Sub demands."""
    body = _message(kind.__name__, columns(kind), _records(columns(kind)), "")
    return "\n".join(['syntax = "proto2";', "", f"// {summary(kind)}", *body, ""])


def number(name: str) -> int:
    """Field number of a name: from its text, so that adding or moving a field renumbers nothing."""
    return _FIRST_NUMBER + zlib.crc32(name.encode()) % _NUMBERS


def _message(name: str, fields: Iterable[Column], nested: Iterable[Column], indent: str) -> list[str]:
    fields = tuple(fields)
    if len({number(column.name) for column in fields}) != len(fields):
        raise ValueError(f"{name}: two field names share a number; rename the newer one")
    lines = [f"{indent}message {name} {{"]
    for record in nested:
        lines += [*_message(record.type_name, record.fields, (), indent + "  "), ""]
    lines += [f"{indent}  {_type(column)} {column.name} = {number(column.name)};" for column in fields]
    return [*lines, indent + "}"]


def _type(column: Column) -> str:
    if column.mapping:
        key, value = column.fields
        return f"map<{_TYPES[key.kind]}, {_TYPES[value.kind]}>"
    name = column.type_name or _TYPES[column.kind]
    return f"{'repeated' if column.repeated else 'optional'} {name}"


def _records(fields: Iterable[Column]) -> list[Column]:
    """Every record used at any depth, once each, in the order of first use."""
    found: dict[str, Column] = {}
    for column in fields:
        if column.type_name:
            found.setdefault(column.type_name, column)
        found |= {inner.type_name: inner for inner in _records(column.fields) if inner.type_name not in found}
    return list(found.values())
