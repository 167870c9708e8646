"""What a platform hands over, in each of its shapes, and what it is answered."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from cloudevents.http import CloudEvent

from shared import entry
from shared.clock import parse_instant
from shared.delivery import Delivery
from shared.errors import CredentialsError, MalformedError, RefusedError, VenueDownError

DATA = b'{"ticker":"X"}'
INNER = {
    "data": base64.b64encode(DATA).decode(),
    "messageId": "17",
    "attributes": {"event_id": "e1", "trace_id": "t1"},
}


@dataclass
class Request:
    """What is used of a web request."""

    data: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = "/"


def raw(topic: str = "", **outer: Any) -> Request:
    attributes = INNER["attributes"] | ({"topic": topic} if topic else {})  # type: ignore[operator]
    message = INNER | {"attributes": attributes}
    return Request(json.dumps({"message": message, "subscription": "s", **outer}).encode())


def test_a_raw_push_is_understood() -> None:
    found = entry.delivery_of(raw("kalshi-ticks", deliveryAttempt=3), "fills")
    attributes = {"event_id": "e1", "trace_id": "t1", "topic": "kalshi-ticks"}
    assert found == Delivery("kalshi-ticks", DATA, attributes, "17", 3)


def test_a_cloud_event_in_binary_mode_is_understood() -> None:
    source = "//pubsub.googleapis.com/projects/p/topics/kalshi-trades"
    request = Request(json.dumps({"message": INNER}).encode(), {"ce-source": source, "ce-specversion": "1.0"})
    assert entry.delivery_of(request, "fills").topic == "kalshi-trades"


def test_a_cloud_event_in_one_piece_is_understood() -> None:
    body = {"specversion": "1.0", "type": "t", "source": "s", "id": "1", "data": {"message": INNER}}
    found = entry.delivery_of(Request(json.dumps(body).encode()), "fills")
    assert (found.topic, found.data) == ("fills", DATA)


def test_a_cloud_event_as_functions_framework_hands_it_over_is_understood() -> None:
    source = "//pubsub.googleapis.com/projects/p/topics/alerts"
    event = CloudEvent({"type": "t", "source": source}, {"message": INNER})
    found = entry.delivery_of(event, "fills")
    assert (found.topic, found.data, found.attributes["event_id"]) == ("alerts", DATA, "e1")


@pytest.mark.parametrize("path", ["/kalshi-markets", "/projects/p/topics/kalshi-markets", "kalshi-markets"])
def test_the_path_of_a_push_names_its_topic(path: str) -> None:
    request = raw()
    request.path = path
    assert entry.delivery_of(request, "fills").topic == "kalshi-markets"


def test_a_push_that_names_no_topic_is_of_the_functions_own() -> None:
    assert entry.delivery_of(raw(), "fills").topic == "fills"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"message": 1}', b"\xff"])
def test_a_body_without_a_message_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError, match="carries no message"):
        entry.delivery_of(Request(body), "fills")


def test_a_message_that_is_not_base64_is_malformed() -> None:
    with pytest.raises(MalformedError, match="base64"):
        entry.delivery_of(Request(b'{"message": {"data": "%%%"}}'), "kalshi-markets")


def test_a_schedules_call_is_no_push() -> None:
    assert not entry.is_push(Request(b""))
    assert not entry.is_push(Request(b"{}"))
    assert entry.is_push(raw())


def test_the_time_a_call_was_due_is_read() -> None:
    at = "2026-11-28T16:00:00Z"
    assert entry.scheduled_at(Request(b"", {"X-CloudScheduler-ScheduleTime": at})) == parse_instant(at)
    assert entry.scheduled_at(Request(b"")) is None
    assert entry.scheduled_at(Request(b"", {"X-CloudScheduler-ScheduleTime": "soon"})) is None


async def _raise(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (VenueDownError("paused"), 503),
        (CredentialsError("no key"), 500),
        (RefusedError("no"), 500),
        (MalformedError("what"), 500),
    ],
)
def test_an_error_of_scheduled_work_is_answered_and_told(
    error: Exception, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    body, answered, _ = entry.answered(lambda: _raise(error))
    assert (answered, json.loads(body)) == (status, {"error": str(error), "retry": status == 503})
    assert str(error) in caplog.text


def test_a_push_that_is_done_with_is_acknowledged() -> None:
    async def nothing() -> None:
        pass

    assert entry.pushed(raw(), nothing) == (b"", 204, {})


def test_a_push_that_failed_is_asked_for_again() -> None:
    assert entry.pushed(raw(), lambda: _raise(VenueDownError("x")))[1] == 503
    assert entry.pushed(raw(), lambda: _raise(ValueError("x")))[1] == 500


def test_a_cloud_event_that_failed_raises_for_nobody_looks_at_the_answer() -> None:
    event = CloudEvent({"type": "t", "source": "s"}, {"message": INNER})
    with pytest.raises(ValueError, match="x"):
        entry.pushed(event, lambda: _raise(ValueError("x")))
