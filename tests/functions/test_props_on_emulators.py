"""Props in the cloud's own terms: a schedule's call, raw pages, a push, messages for BigQuery.

Pub/Sub and Firestore are the real emulators. There is no emulator of Cloud Storage: raw pages go to a folder.
"""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from google.cloud.pubsub_v1 import SubscriberClient
from werkzeug.test import TestResponse

from shared import entry, worker
from shared.backends.local.blobs import FileBlobs
from shared.clock import SystemClock
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
from shared.simulator.schedule import SMALL
from shared.simulator.server import serve
from shared.simulator.world import World
from tests.functions.test_functions import client
from tests.support.emulators import Emulators, make_topics, project

pytestmark = pytest.mark.e2e
HISTORY = "history"
KINDS: tuple[type[Message], ...] = (
    PropsScraped, PropListed, PropQuoted, PropCompared, PropPredicted, Quarantined,
)  # fmt: skip


@pytest.fixture
def cloud(emulators: Emulators, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The id of a project with every topic, and functions that run in it against simulated venues."""
    loop, ready, found = asyncio.new_event_loop(), threading.Event(), dict[str, str]()
    stop = asyncio.Event()

    async def run() -> None:
        start = SystemClock().now()
        async with serve(World(7, start, replace(SMALL, players=1)), SystemClock()) as urls:
            found.update(kalshi=urls.kalshi_base_url, odds=urls.odds_base_url, key=urls.odds_api_key)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    assert ready.wait(60)
    name = project()
    settings = {
        **emulators.environment,
        "BACKEND": "gcp",
        "GOOGLE_CLOUD_PROJECT": name,
        "KALSHI_BASE_URL": found["kalshi"],
        "ODDS_API_BASE_URL": found["odds"],
        "ODDS_API_KEY": found["key"],
        "ODDS_DAILY_CREDITS": "1000",
        "PROPS_DAILY_CREDITS": "500",
        "LEAGUES": "nfl,nba,mlb,nhl",
        "DATA_DIR": str(tmp_path),
    }
    for key, value in settings.items():
        monkeypatch.setenv(key, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(CloudPlatform, "raw", FileBlobs(tmp_path / "bucket"))
    make_topics(name, [(kind.TOPIC, HISTORY) for kind in KINDS])
    worker._workers.clear()
    yield name
    entry.run(_close())
    loop.call_soon_threadsafe(stop.set)
    thread.join(20)
    loop.close()


async def _close() -> None:
    for held in worker._workers.values():
        await held.close()
    worker._workers.clear()


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
