"""Props in the cloud's own terms: a schedule's call, raw pages, a push, messages for BigQuery.

Pub/Sub and Firestore are the real emulators. There is no emulator of Cloud Storage: raw pages go to a folder.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.cloud.pubsub_v1 import SubscriberClient
from werkzeug.test import TestResponse

from shared.backends.local.blobs import FileBlobs
from shared.messages import (
    Message,
    PropCompared,
    PropListed,
    PropPredicted,
    PropQuoted,
    PropsScraped,
    Quarantined,
    decode,
    encode,
)
from shared.platforms import CloudPlatform
from tests.functions.test_functions import client
from tests.functions.venues import simulated_venues
from tests.support.emulators import Emulators, make_topics, project

pytestmark = pytest.mark.e2e
HISTORY = "history"
KINDS: tuple[type[Message], ...] = (
    PropsScraped, PropListed, PropQuoted, PropCompared, PropPredicted, Quarantined,
)  # fmt: skip


@pytest.fixture
def cloud(emulators: Emulators, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The id of a project with every topic, and functions that run in it against simulated venues."""
    name = project()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(CloudPlatform, "raw", FileBlobs(tmp_path / "bucket"))
    make_topics(name, [(kind.TOPIC, HISTORY) for kind in KINDS])
    with simulated_venues() as venues:
        settings = venues | {
            **emulators.environment,
            "BACKEND": "gcp",
            "GOOGLE_CLOUD_PROJECT": name,
            "LEAGUES": "nfl,nba,mlb,nhl",
            "DATA_DIR": str(tmp_path),
        }
        for key, value in settings.items():
            monkeypatch.setenv(key, value)
        yield name


def pulled(name: str, kind: type[Message]) -> list[Message]:
    """Everything that waits for BigQuery on one topic."""
    path = f"projects/{name}/subscriptions/{kind.TOPIC}-{HISTORY}"
    found: dict[str, Message] = {}
    with SubscriberClient() as subscriber:
        while True:
            answer = subscriber.pull(
                request={"subscription": path, "max_messages": 1000, "return_immediately": True}, timeout=20
            )
            if not answer.received_messages:
                return list(found.values())
            for one in answer.received_messages:
                found[one.message.message_id] = decode(kind.TOPIC, one.message.data)
            ids = [one.ack_id for one in answer.received_messages]
            subscriber.acknowledge(request={"subscription": path, "ack_ids": ids})


def push(message: Message, data: bytes) -> dict[str, object]:
    """The push that Pub/Sub makes of a message."""
    inner = {
        "data": base64.b64encode(data).decode(),
        "messageId": "1",
        "attributes": {"topic": message.TOPIC},
    }
    return {"message": inner, "subscription": "projects/p/subscriptions/s"}


def answered(call: Callable[[], TestResponse]) -> TestResponse:
    """What comes of a call: 503 means that it is made again, as schedules and Pub/Sub do."""
    found = call()
    for _ in range(5):
        if found.status_code != 503:
            break
        found = call()
    return found


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_schedules_call_ends_in_messages_for_bigquery_and_a_second_push_in_none(
    cloud: str, tmp_path: Path
) -> None:
    scraper, processor = client("props_scraper", "http"), client("props_processor", "http")
    called = answered(lambda: scraper.get("/?date=TODAY"))
    assert called.status_code == 200, called.data
    (report,) = called.get_json()
    assert report["failed"] == {}
    raw = list((tmp_path / "bucket" / "raw" / "props").rglob("*.json.gz"))
    assert len(raw) >= 10
    (run,) = pulled(cloud, PropsScraped)
    assert answered(lambda: processor.post("/", json=push(run, encode(run)))).status_code in (200, 204)
    said = {kind.TABLE: pulled(cloud, kind) for kind in KINDS[1:]}
    assert len(said["kalshi_player_props"]) == report["markets"]
    assert all(said[kind.TABLE] for kind in (PropQuoted, PropCompared, PropPredicted))
    assert said[Quarantined.TABLE] == []
    assert answered(lambda: processor.post("/", json=push(run, encode(run)))).status_code in (200, 204)
    assert [pulled(cloud, kind) for kind in KINDS[1:]] == [[], [], [], [], []]
