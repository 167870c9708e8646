"""Entry points of deployed functions: decode what the platform hands over, run one handler, answer.

Two shapes arrive. A schedule calls over HTTP; its answer is the handler's report. Pub/Sub pushes a CloudEvent
whose data holds the message; a handler that raises makes it come again, so what can never succeed is recorded
in quarantine and acknowledged instead.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import lru_cache
from typing import Any, Protocol, TypeVar

import msgspec

from shared.clock import Clock
from shared.errors import MalformedError, OperatorError, QuarantineError, RetryLaterError
from shared.messages import Message, Quarantined, decode, seal
from shared.ports import Bus

_log = logging.getLogger(__name__)

T = TypeVar("T")

# Body, status and headers, as functions-framework takes them.
Answer = tuple[bytes, int, dict[str, str]]

_SAMPLE_CHARACTERS = 500


class Event(Protocol):
    """What is used of a CloudEvent: the Pub/Sub message is in ``data``."""

    @property
    def data(self) -> Any:
        """Decoded body of the event."""
        ...


def message_of(topic: str, event: Event) -> Message:
    """The message in a pushed event; raises :class:`MalformedError` if there is none."""
    data = event.data
    inner = data.get("message") if isinstance(data, Mapping) else None
    raw = inner.get("data") if isinstance(inner, Mapping) else None
    if not isinstance(raw, str):
        raise MalformedError(f"{topic}: the event carries no message")
    try:
        return decode(topic, base64.b64decode(raw, validate=True))
    except binascii.Error as exc:
        raise MalformedError(f"{topic}: the message is not base64") from exc


def topic_of(event: Event, default: str) -> str:
    """Topic an event came from, by its ``topic`` attribute when one handler serves several topics."""
    data = event.data
    inner = data.get("message") if isinstance(data, Mapping) else None
    attributes = inner.get("attributes") if isinstance(inner, Mapping) else None
    named = attributes.get("topic") if isinstance(attributes, Mapping) else None
    return named if isinstance(named, str) else default


def argument(request: object, name: str) -> str:
    """One query argument of an HTTP call, empty when it is not there."""
    arguments = getattr(request, "args", None)
    value = arguments.get(name) if isinstance(arguments, Mapping) else None
    return value if isinstance(value, str) else ""


async def handled(
    topic: str, event: Event, handle: Callable[[Message], Awaitable[None]], bus: Bus, clock: Clock
) -> None:
    """Run ``handle`` on the event's message; poison is recorded and acknowledged."""
    try:
        await handle(message_of(topic, event))
    except QuarantineError as exc:
        sample = str(event.data)[:_SAMPLE_CHARACTERS]
        record = Quarantined(observed_at=clock.now(), source=topic, reason=str(exc), sample=sample)
        _log.warning("quarantined a message of %s: %s", topic, exc)
        await bus.publish(record.TOPIC, [seal(record)])


def answered(work: Callable[[], Coroutine[Any, Any, T]]) -> Answer:
    """Run scheduled work; its report as JSON with 200, 503 to be called again, 500 for a person to mend."""
    headers = {"content-type": "application/json"}
    try:
        return msgspec.json.encode(run(work())), 200, headers
    except RetryLaterError as exc:
        return msgspec.json.encode({"error": str(exc), "retry": True}), 503, headers
    except OperatorError as exc:
        _log.error("%s", exc)
        return msgspec.json.encode({"error": str(exc), "retry": False}), 500, headers


@lru_cache(maxsize=1)
def _loop() -> asyncio.AbstractEventLoop:
    """One event loop for the life of the process, in its own thread: connections and caches stay warm."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="functions", daemon=True).start()
    return loop


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end from a synchronous entry point, on any of the server's threads."""
    return asyncio.run_coroutine_threadsafe(work, _loop()).result()
