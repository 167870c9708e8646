"""JSON values in Firestore's typed form, and back, with nothing lost on the way.

Written on the plain protobuf messages: their wrappers take ten times as long for a document of some depth.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from shared.errors import MalformedError
from shared.ports import Value

_INT64 = 2**63
# Firestore refuses deeper maps, and keeps names like __this__ for itself.
_MAX_DEPTH = 20
_RESERVED = re.compile(r"__.*__")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")


def fill(fields: Any, value: Mapping[str, Any], path: str) -> None:
    """Put a JSON object into the ``fields`` of a document or map; ``path`` names it in errors.

    Raises :class:`MalformedError` for what is not JSON, and for what Firestore cannot hold: a list directly
    inside a list, an integer beyond 64 bits, a reserved or empty name, more than 20 levels.
    """
    try:
        _fill_map(fields, value, 1)
    except (TypeError, ValueError) as exc:
        raise MalformedError(f"{path}: not a document: {exc}") from exc


def plain(fields: Mapping[str, Any]) -> Value:
    """The JSON object that ``fields`` hold."""
    return {name: _plain(held) for name, held in fields.items()}


def put(held: Any, value: Any, depth: int = 1) -> None:
    """Put one JSON value into a typed one."""
    match value:
        case None:
            held.null_value = 0
        case bool():
            held.boolean_value = value
        case int():
            if not -_INT64 <= value < _INT64:
                raise ValueError(f"{value} does not fit in 64 bits")
            held.integer_value = value
        case float():
            if not math.isfinite(value):
                raise ValueError(f"{value} is not JSON")
            held.double_value = value
        case str():
            held.string_value = value
        case list() | tuple():
            _fill_list(held.array_value, value, depth)
        case Mapping():
            held.map_value.SetInParent()
            _fill_map(held.map_value.fields, value, depth + 1)
        case _:
            raise TypeError(f"{type(value).__name__} is not JSON")


def field_path(name: str) -> str:
    """A top-level field's name as queries write it."""
    if _PLAIN.fullmatch(name):
        return name
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _fill_map(fields: Any, value: Mapping[str, Any], depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise ValueError(f"more than {_MAX_DEPTH} levels")
    for name, item in value.items():
        if not name or _RESERVED.fullmatch(name):
            raise ValueError(f"{name!r} cannot be a field's name")
        put(fields[name], item, depth)


def _fill_list(array: Any, items: list[Any] | tuple[Any, ...], depth: int) -> None:
    array.SetInParent()
    for item in items:
        if isinstance(item, list | tuple):
            raise TypeError("a list directly inside a list")
        put(array.values.add(), item, depth)


def _plain(held: Any) -> Any:
    kind = held.WhichOneof("value_type")
    if kind == "map_value":
        return plain(held.map_value.fields)
    if kind == "array_value":
        return [_plain(item) for item in held.array_value.values]
    if kind == "null_value":
        return None
    if kind in ("boolean_value", "integer_value", "double_value", "string_value"):
        return getattr(held, kind)
    # A person may have written another type in the console; times come out as our instants.
    if kind == "timestamp_value":
        return held.timestamp_value.ToMicroseconds()
    raise MalformedError(f"a field holds a {kind}, which no JSON value is")
