"""Entry points of deployed functions: decode what the platform hands over, run one handler, answer.

Three shapes arrive. A schedule calls over HTTP; its answer is the handler's report. Pub/Sub pushes its own
envelope, or a CloudEvent whose data holds the same; an answer other than 2xx makes the message come again.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import re
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, TypeVar

import msgspec

from shared.clock import Instant, parse_instant
from shared.delivery import Delivery
from shared.errors import ArbError, MalformedError, OperatorError, RetryLaterError

_log = logging.getLogger(__name__)

T = TypeVar("T")

# Body, status and headers, as functions-framework takes them.
Answer = tuple[bytes, int, dict[str, str]]

_JSON = {"content-type": "application/json"}
_SCHEDULED_AT = "X-CloudScheduler-ScheduleTime"
_TOPIC = re.compile(r"(?:topics/|^/?)([a-z][a-z0-9-]+)/?$")


class Event(Protocol):
    """What is used of a CloudEvent, whose ``data`` is decoded, and of a request, whose ``data`` is bytes."""

    @property
    def data(self) -> Any:
        """Decoded body of the event, or the bytes of the request."""
        ...


def is_push(event: Event) -> bool:
    """Whether this carries a message; a schedule's call does not."""
    if isinstance(event.data, Mapping):
        return True
    return "message" in _envelope(event)


def delivery_of(event: Event, default: str) -> Delivery:
    """The message in a push, raw or as a CloudEvent of either mode, of topic ``default`` if it does not say.

    Raises :class:`MalformedError` if there is none.
    """
    envelope = _envelope(event)
    inner = envelope.get("message")
    if not isinstance(inner, Mapping):
        raise MalformedError(f"{default}: the event carries no message")
    attributes = _texts(inner.get("attributes"))
    attempt = envelope.get("deliveryAttempt")
    return Delivery(
        topic=attributes.get("topic") or _topic_of(event) or default,
        data=_decoded(inner.get("data"), default),
        attributes=attributes,
        message_id=str(inner.get("messageId") or inner.get("message_id") or ""),
        attempt=attempt if isinstance(attempt, int) else 1,
    )


def body_of(event: Event) -> bytes:
    """What arrived, as bytes: for a record of what could not be used."""
    return event.data if isinstance(event.data, bytes) else msgspec.json.encode(event.data)


def scheduled_at(request: object) -> Instant | None:
    """For when a schedule made this call, if it says so."""
    text = _headers(request).get(_SCHEDULED_AT)
    try:
        return parse_instant(text) if text else None
    except MalformedError:
        return None


def argument(request: object, name: str) -> str:
    """One query argument of an HTTP call, empty when it is not there."""
    arguments = getattr(request, "args", None)
    value = arguments.get(name) if isinstance(arguments, Mapping) else None
    return value if isinstance(value, str) else ""


def answered(work: Callable[[], Coroutine[Any, Any, T]]) -> Answer:
    """Run scheduled work; its report as JSON with 200, 503 to be called again, 500 for a person to mend."""
    try:
        return msgspec.json.encode(run(work())), 200, _JSON
    except RetryLaterError as exc:
        _log.warning("%s", exc)
        return _refusal(exc, 503)
    except OperatorError as exc:
        _log.error("%s", exc)
        return _refusal(exc, 500)
    except ArbError as exc:
        _log.error("%s: %s", type(exc).__name__, exc)
        return _refusal(exc, 500)


def pushed(event: Event, work: Callable[[], Coroutine[Any, Any, None]]) -> Answer:
    """Run what a push brought: 204 when it is done with, else an error, for it to come again.

    A CloudEvent's caller does not look at the answer, so there the error is raised.
    """
    try:
        run(work())
    except Exception as exc:
        if isinstance(exc, OperatorError):
            _log.error("%s", exc)
        if isinstance(event.data, Mapping):
            raise
        return _refusal(exc, 503 if isinstance(exc, RetryLaterError) else 500)
    return b"", 204, {}


class _Loop:
    """One event loop for the life of the process, in its own thread: connections and caches stay warm."""

    def __init__(self) -> None:
        self._starting = threading.Lock()
        self._running: asyncio.AbstractEventLoop | None = None

    def get(self) -> asyncio.AbstractEventLoop:
        """The loop; the first calls of a process may come on several threads at once."""
        with self._starting:
            if self._running is None:
                self._running = asyncio.new_event_loop()
                threading.Thread(target=self._running.run_forever, name="functions", daemon=True).start()
            return self._running


_loop = _Loop()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end from a synchronous entry point, on any of the server's threads."""
    return asyncio.run_coroutine_threadsafe(work, _loop.get()).result()


def _refusal(cause: Exception, status: int) -> Answer:
    retry = status == 503
    return msgspec.json.encode({"error": str(cause), "retry": retry}), status, _JSON


def _envelope(event: Event) -> Mapping[str, Any]:
    """The part that holds ``message``: of a CloudEvent in one piece it is the ``data``."""
    body = event.data
    if isinstance(body, bytes):
        try:
            body = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError):
            return {}
    if not isinstance(body, Mapping):
        return {}
    inside = body.get("data")
    return inside if "specversion" in body and isinstance(inside, Mapping) else body


def _topic_of(event: Event) -> str:
    """The topic that a CloudEvent's source, or the path of a push, names."""
    source = _headers(event).get("ce-source") or getattr(event, "path", "") or ""
    if isinstance(event.data, Mapping):
        try:
            source = str(event["source"])  # type: ignore[index]  # a CloudEvent's attributes
        except (KeyError, TypeError):
            source = ""
    found = _TOPIC.search(source)
    return found.group(1) if found else ""


def _headers(request: object) -> Mapping[str, str]:
    found: Mapping[str, str] = getattr(request, "headers", None) or {}
    return found


def _texts(given: object) -> dict[str, str]:
    if not isinstance(given, Mapping):
        return {}
    return {name: value for name, value in given.items() if isinstance(value, str)}


def _decoded(data: object, topic: str) -> bytes:
    if data is None:
        return b""
    try:
        if isinstance(data, str):
            return base64.b64decode(data, validate=True)
    except binascii.Error:
        pass
    raise MalformedError(f"{topic}: the message is not base64")
