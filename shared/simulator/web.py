"""HTTP without sockets: requests, replies, query strings and routes, so that answers are tested as bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl

import msgspec

Json = dict[str, Any]
_JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``path`` has no query; header names are lower case; ``peer`` is the caller's address."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    peer: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Reply:
    """One response. ``lost``: it never comes, and the connection ends instead."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: dict(_JSON))
    lost: bool = False


def reply(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON response."""
    return Reply(status, msgspec.json.encode(body), _JSON | dict(headers or {}))


class Query:
    """Parameters of one request."""

    def __init__(self, text: str) -> None:
        self._pairs = parse_qsl(text, keep_blank_values=True)

    def one(self, name: str) -> str | None:
        """First value, ``None`` if absent or empty."""
        return next((value for key, value in self._pairs if key == name and value), None)

    def all(self, name: str) -> list[str]:
        """Every value of a repeated parameter."""
        return [value for key, value in self._pairs if key == name and value]

    def csv(self, name: str) -> list[str]:
        """Values of a comma list."""
        return [part for value in self.all(name) for part in value.split(",") if part]

    def flag(self, name: str) -> bool:
        """Whether a boolean parameter is true."""
        return (self.one(name) or "").lower() in ("true", "1")


R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Route(Generic[R]):
    """One endpoint. ``pattern`` has ``{name}`` for parts handed to the handler in order."""

    method: str
    pattern: str
    handler: Callable[..., R]
    private: bool = False
    cost: int = 10
    write: bool = False


class Router(Generic[R]):
    """Finds the route of a request; literal parts win over named ones."""

    def __init__(self, routes: list[Route[R]]) -> None:
        self._routes = [(route, route.pattern.split("/")) for route in routes]
        self._routes.sort(key=lambda item: [part.startswith("{") for part in item[1]])

    def find(self, method: str, path: str) -> tuple[Route[R], list[str]] | None:
        """The route and the values of its named parts."""
        parts = path.split("/")
        for route, pattern in self._routes:
            if route.method == method and len(pattern) == len(parts):
                values = _values(pattern, parts)
                if values is not None:
                    return route, values
        return None


def _values(pattern: list[str], parts: list[str]) -> list[str] | None:
    values = []
    for want, have in zip(pattern, parts, strict=True):
        if want.startswith("{"):
            values.append(have)
        elif want != have:
            return None
    return values
