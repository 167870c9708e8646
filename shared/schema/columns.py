"""Columns read from a message's annotations: the form every schema dialect is rendered from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache

import msgspec.inspect as inspect

from shared.messages import Message
from shared.schema.glossary import WORDS


class Kind(StrEnum):
    """What a column holds, before any dialect."""

    INSTANT = "instant"
    DAY = "day"
    INTEGER = "integer"
    FLOAT = "float"
    STRING = "string"
    BOOLEAN = "boolean"
    RECORD = "record"


_BY_UNIT = {"instant": Kind.INSTANT, "day": Kind.DAY}
_UNITS = {
    "price": "micro-dollars per contract",
    "quantity": "hundredths of a contract",
    "usd": "micro-dollars",
}

# What a type alone says: better than nothing, not as good as what the name means.
_SAYS_NOTHING = ("", "UTC, microseconds")


@dataclass(frozen=True)
class Column:
    """One column. A ``record`` has ``fields`` and ``type_name``; an amount has a ``unit``.

    A ``mapping`` is an object with free keys in JSON. Tables keep it as a repeated record of key and value:
    the one form BigQuery, Protocol Buffers (``map``) and DuckDB share, and one that SQL can unnest.
    """

    name: str
    kind: Kind
    description: str = ""
    repeated: bool = False
    mapping: bool = False
    type_name: str = ""
    unit: str = ""
    fields: tuple[Column, ...] = ()


@cache
def columns(kind: type[Message]) -> tuple[Column, ...]:
    """Columns of a message's table, in the order of its fields."""
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)  # noqa: S101 - narrows the type; messages are structs
    return _fields(info)


def summary(kind: type) -> str:
    """First line of a message's or record's docstring."""
    return (kind.__doc__ or "").strip().splitlines()[0]


def _fields(info: inspect.StructType) -> tuple[Column, ...]:
    return tuple(_described(_column(field.encode_name, field.type)) for field in info.fields)


def _described(column: Column) -> Column:
    """With the words its name has everywhere, where the field has none of its own."""
    if column.description not in _SAYS_NOTHING:
        return column
    return replace(column, description=WORDS.get(column.name, column.description))


def _column(name: str, info: inspect.Type) -> Column:
    bare, description, unit = _unwrapped(info)
    if isinstance(bare, inspect.VarTupleType):
        item = _column(name, bare.item_type)
        if item.repeated:
            raise TypeError(f"{name}: a list of lists has no table form; wrap the inner one in a Record")
        return replace(item, description=description or item.description, repeated=True)
    if isinstance(bare, inspect.DictType):
        pair = (_described(_column("key", bare.key_type)), _described(_column("value", bare.value_type)))
        return Column(name, Kind.RECORD, description, repeated=True, mapping=True, fields=pair)
    if isinstance(bare, inspect.StructType):
        words = description or summary(bare.cls).rstrip(".")
        return Column(name, Kind.RECORD, words, type_name=bare.cls.__name__, fields=_fields(bare))
    if isinstance(bare, inspect.EnumType):
        values = " | ".join(str(member.value) or "(empty)" for member in bare.cls)
        return Column(name, Kind.STRING, description or values)
    kind = _BY_UNIT.get(unit) or _scalar(name, bare)
    return Column(name, kind, description, unit=unit)


def _unwrapped(info: inspect.Type) -> tuple[inspect.Type, str, str]:
    """The type without annotations and ``None``, the description with the unit, the unit."""
    description = unit = ""
    while True:
        if isinstance(info, inspect.Metadata):
            unit = unit or (info.extra or {}).get("unit", "")
            description = description or (info.extra_json_schema or {}).get("description", "")
            info = info.type
        elif isinstance(info, inspect.UnionType):
            (info,) = (one for one in info.types if not isinstance(one, inspect.NoneType))
        else:
            return info, _with_unit(description, _UNITS.get(unit, "")), unit


def _with_unit(description: str, unit: str) -> str:
    """A field's own words hide its type's, which name the unit: say it again."""
    if not unit or unit in description:
        return description
    return f"{description} ({unit})" if description else unit


def _scalar(name: str, info: inspect.Type) -> Kind:
    kinds = {
        inspect.IntType: Kind.INTEGER,
        inspect.FloatType: Kind.FLOAT,
        inspect.StrType: Kind.STRING,
        inspect.BoolType: Kind.BOOLEAN,
    }
    try:
        return kinds[type(info)]
    except KeyError:
        raise TypeError(f"{name}: {info} has no table form") from None
