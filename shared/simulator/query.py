"""Reading what clients send: bounded numbers, pages, JSON bodies, refused in the exchange's own words."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from shared.simulator.tickets import Refusal
from shared.simulator.web import Json, Query

T = TypeVar("T")
_GO_TYPES = {str: "string", int: "number", float: "number", bool: "bool", list: "array", dict: "object"}


class BadQuery(Exception):  # noqa: N818 - a 400 with its own body shape
    """Query validation failed; ``body`` is the whole response."""

    def __init__(self, body: Json) -> None:
        super().__init__(str(body))
        self.body = body


def number(query: Query, name: str, operation: str, default: int, low: int, high: int) -> int:
    """Integer parameter within bounds; raises :class:`BadQuery` with the validator's words."""
    text = query.one(name)
    if text is None:
        return default
    field = name.title().replace("_", "")
    try:
        value = int(text)
    except ValueError:
        raise BadQuery(
            {"msg": f'Invalid parameter {name}: strconv.ParseInt: parsing "{text[:40]}"'}
        ) from None
    if low <= value <= high:
        return value
    tag = "lte" if value > high else "gte"
    key = f"{operation}Params.{field}"
    raise BadQuery(
        {
            "msg": f"Parameter validation failed for {operation}: Key: '{key}' "
            f"Error:Field validation for '{field}' failed on the '{tag}' tag"
        }
    )


def page(
    rows: Iterable[T], key: Callable[[T], tuple[int, str]], limit: int, cursor: str | None
) -> tuple[list[T], str]:
    """One page in the order of ``key``. A cursor names the last row seen; an unreadable one is ignored."""
    ordered = sorted(rows, key=key)
    after = _read_cursor(cursor)
    if after is not None:
        ordered = [row for row in ordered if key(row) > after]
    taken = ordered[:limit]
    more = len(ordered) > len(taken) and bool(taken)
    return taken, _write_cursor(key(taken[-1])) if more else ""


def _write_cursor(after: tuple[int, str]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(after)).decode().rstrip("=")


def _read_cursor(cursor: str | None) -> tuple[int, str] | None:
    if not cursor:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(raw, type=tuple[int, str])
    except ValueError:
        return None


def read_json(body: bytes, fields: dict[str, type], name: str) -> Json:
    """A JSON object with members of the types in ``fields``; :class:`BadQuery` in the decoder's words."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise _undecodable(f"json: {exc}") from None
    if not isinstance(value, dict):
        raise _undecodable(f"json: cannot unmarshal into Go value of type {name}")
    for key, kind in fields.items():
        given = value.get(key)
        if given is not None and (not isinstance(given, kind) or (kind is int and isinstance(given, bool))):
            raise _undecodable(
                f"json: cannot unmarshal {_GO_TYPES.get(type(given), 'value')} into Go struct field "
                f"{name}.{key} of type {_GO_TYPES[kind]}"
            )
    return value


def _undecodable(details: str) -> BadQuery:
    return BadQuery({"code": "bad_request", "message": "bad request", "details": details})


def require(body: Json, names: tuple[str, ...]) -> None:
    """Raise :class:`Refusal` 400 for the first of ``names`` that is missing."""
    missing = [name for name in names if body.get(name) in (None, "")]
    if missing:
        raise Refusal(400, "invalid_parameters", f"{missing[0]} is required")


def shard_of(query: Query) -> int | None:
    """The parameter ``exchange_index``; ``None`` if absent or -1."""
    shard = number(query, "exchange_index", "Request", -1, -1, 99)
    return None if shard == -1 else shard
