"""The API's routes, each with what it takes and answers, and the OpenAPI document made from them.

A route that is not in :data:`ROUTES` does not exist: the server and ``/openapi.json`` read the same table.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from shared.errors import MalformedError, RefusedError
from shared.service.answers import (
    Answer,
    Body,
    Halt,
    Health,
    Limits,
    Orders,
    Positions,
    Problem,
    Readiness,
    Refusal,
    Resume,
    Risk,
    Signals,
    State,
    Trading,
)
from shared.service.desk import Desk
from shared.service.exposition import CONTENT_TYPE, render
from shared.terms import OrderStatus

_log = logging.getLogger(__name__)

JSON = "application/json"
_SCHEMAS = "#/components/schemas/{name}"


@dataclass(frozen=True, slots=True)
class Call:
    """One request that has passed the guard: known parameters, decoded body."""

    query: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What to send back."""

    body: bytes
    status: int = 200
    content_type: str = JSON


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter; ``schema`` is JSON Schema, ``pattern`` what its text must match as a whole."""

    name: str
    pattern: str
    schema: Mapping[str, Any]
    description: str


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint. ``answer`` is the type of its 200; text when there is none."""

    method: str
    path: str
    summary: str
    handler: Callable[[Desk, Call], Awaitable[Reply]]
    answer: type[Answer] | None
    body: type[Body] | None = None
    parameters: tuple[Parameter, ...] = ()
    others: Mapping[int, str] = field(default_factory=dict)  # statuses of its own, and when
    is_open: bool = False


def reply(answer: Answer, status: int = 200) -> Reply:
    """An answer as JSON."""
    return Reply(msgspec.json.encode(answer), status)


def refusal(status: int, code: str, message: str) -> Reply:
    """An error as JSON."""
    return reply(Refusal(error=Problem(code=code, message=message)), status)


async def _health(desk: Desk, call: Call) -> Reply:
    return reply(Health())


async def _ready(desk: Desk, call: Call) -> Reply:
    found = desk.readiness()
    return reply(found, 200 if found.ready else 503)


async def _state(desk: Desk, call: Call) -> Reply:
    return reply(await desk.state())


async def _positions(desk: Desk, call: Call) -> Reply:
    return reply(desk.positions())


async def _orders(desk: Desk, call: Call) -> Reply:
    return reply(await desk.orders(_limit(call), call.query.get("status", "")))


async def _signals(desk: Desk, call: Call) -> Reply:
    return reply(await desk.signals(_limit(call)))


async def _risk(desk: Desk, call: Call) -> Reply:
    return reply(desk.risk())


async def _limits(desk: Desk, call: Call) -> Reply:
    return reply(desk.limits())


async def _halt(desk: Desk, call: Call) -> Reply:
    if not isinstance(call.body, Halt):
        raise MalformedError("a body with reason and actor is needed")
    reason, actor = _plain(call.body.reason), _plain(call.body.actor)
    _log.warning("halted by %s: %s", actor, reason)
    return reply(await desk.halt(reason, actor))


async def _resume(desk: Desk, call: Call) -> Reply:
    if not isinstance(call.body, Resume):
        raise MalformedError("a body with reason, actor and confirm is needed")
    reason, actor = _plain(call.body.reason), _plain(call.body.actor)
    try:
        answer = await desk.resume(call.body.confirm, actor)
    except RefusedError as exc:
        hint = "" if exc.code == "not_halted" else ": look into it, then send that text as confirm"
        return refusal(409, exc.code, f"{exc}{hint}")
    _log.warning("resumed by %s: %s", actor, reason)
    return reply(answer)


async def _metrics(desk: Desk, call: Call) -> Reply:
    return Reply(render(await desk.metrics()).encode(), content_type=CONTENT_TYPE)


async def _openapi(desk: Desk, call: Call) -> Reply:
    return Reply(msgspec.json.encode(document(ROUTES)))


def _limit(call: Call) -> int:
    return int(call.query.get("limit", 100))


def _plain(text: str) -> str:
    """Text of one line: it goes into logs, alerts and terminals."""
    if not text.isprintable() or not text.strip():
        raise MalformedError("reason and actor are one line of printable text")
    return text.strip()


_STATUSES = [status.value for status in OrderStatus]
_LIMIT = Parameter(
    "limit",
    r"[1-9][0-9]?|[1-4][0-9]{2}|500",
    {"type": "integer", "minimum": 1, "maximum": 500, "default": 100},
    "how many, newest first",
)
_STATUS = Parameter(
    "status", "|".join(_STATUSES), {"type": "string", "enum": _STATUSES}, "only orders in this status"
)
_NOT_READY = {503: "an edge found now would not be traded; the body says why"}
_NOT_RESUMED = {409: "trading is not halted, or halted for something else than confirm says"}

ROUTES: tuple[Route, ...] = (
    Route("GET", "/health", "The process is alive; needs no token", _health, Health, is_open=True),
    Route("GET", "/ready", "Would an edge found now be traded?", _ready, Readiness, others=_NOT_READY),
    Route("GET", "/state", "Everything at one glance", _state, State),
    Route("GET", "/positions", "What is held", _positions, Positions),
    Route("GET", "/orders", "Newest orders", _orders, Orders, parameters=(_LIMIT, _STATUS)),
    Route("GET", "/signals", "Newest signals and what they filled", _signals, Signals, parameters=(_LIMIT,)),
    Route("GET", "/risk", "The account as the controls see it", _risk, Risk),
    Route("GET", "/limits", "The limits in force", _limits, Limits),
    Route("POST", "/halt", "Stop all trading", _halt, Trading, body=Halt),
    Route("POST", "/resume", "Lift the halt that is named", _resume, Trading, Resume, others=_NOT_RESUMED),
    Route("GET", "/metrics", "Prometheus metrics", _metrics, None),
    Route("GET", "/openapi.json", "This description", _openapi, None),
)


def document(routes: tuple[Route, ...]) -> dict[str, Any]:
    """OpenAPI 3.1 of ``routes``."""
    types = [kind for route in routes for kind in (route.answer, route.body) if kind is not None]
    _, schemas = msgspec.json.schema_components([*types, Refusal], ref_template=_SCHEMAS)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "arb",
            "version": "1",
            "description": "A running trading system. Money and contracts are exact decimal strings.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _operation(route: Route) -> dict[str, Any]:
    made: dict[str, Any] = {"summary": route.summary, "responses": _responses(route)}
    if route.is_open:
        made["security"] = []
    if route.parameters:
        made["parameters"] = [
            {"name": one.name, "in": "query", "description": one.description, "schema": one.schema}
            for one in route.parameters
        ]
    if route.body is not None:
        made["requestBody"] = {"required": True, "content": _json(route.body)}
    return made


def _responses(route: Route) -> dict[str, Any]:
    refused = {"description": "refused: the body says why and what to do", "content": _json(Refusal)}
    content = _json(route.answer) if route.answer else _untyped(route)
    made = {"200": {"description": route.summary, "content": content}, "default": refused}
    # Not being ready is an answer of the same shape; every other status is a refusal.
    for status, when in route.others.items():
        shape = route.answer if status == 503 and route.answer else Refusal
        made[str(status)] = {"description": when, "content": _json(shape)}
    return made


def _untyped(route: Route) -> dict[str, Any]:
    if route.path == "/metrics":
        return {"text/plain": {"schema": {"type": "string"}}}
    return {JSON: {"schema": {"type": "object"}}}


def _json(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {JSON: {"schema": {"$ref": _SCHEMAS.format(name=kind.__name__)}}}
