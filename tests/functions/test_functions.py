"""The deployed functions as the platform calls them, against the simulated venues over sockets."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import functions_framework
import pytest
from flask.testing import FlaskClient

from benchmarks.imports import PARTS
from shared import entry, worker
from shared.clock import SystemClock, from_datetime
from shared.messages import AlertRaised, MarketListed, Message, PropsScraped, decode, encode, seal
from shared.ports import Document
from shared.terms import MarketShape, MarketStatus
from shared.topology import BY_NAME
from tests.functions.venues import simulated_venues

ROOT = Path(__file__).parents[2]
PROP_TABLES = (
    "kalshi_player_props", "sportsbook_player_props", "prop_comparisons", "player_prop_predictions",
)  # fmt: skip
NAMES = tuple(sorted(BY_NAME))


@pytest.fixture
def venues(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Simulated venues in a thread of their own, and settings that point the functions at them."""
    monkeypatch.chdir(tmp_path)
    with simulated_venues() as settings:
        for name, value in (
            settings | {"LEAGUES": "nfl,nba,mlb,nhl,epl", "DATA_DIR": str(tmp_path / "var")}
        ).items():
            monkeypatch.setenv(name, value)
        yield


def client(name: str, kind: str) -> FlaskClient:
    source = str(ROOT / "functions" / name / "main.py")
    make: Any = functions_framework.create_app  # untyped
    made: FlaskClient = make("main", source, kind).test_client()
    return made


def documents(collection: str) -> list[Document]:
    async def query() -> list[Document]:
        async with worker.worker() as parts:
            return await parts.platform.documents.query(collection)

    return entry.run(query())


def rows(table: str) -> int:
    async def query() -> int:
        async with worker.worker() as parts:
            found = await parts.platform.warehouse.query(f"SELECT count(*) AS n FROM {table}")  # noqa: S608
            return int(found[0]["n"])

    return entry.run(query())


def push(message: Message) -> dict[str, object]:
    """A Pub/Sub push, as the emulator and the service send it."""
    data = base64.b64encode(encode(message)).decode()
    inner = {
        "data": data,
        "messageId": "1",
        "attributes": {"topic": message.TOPIC},
        "publishTime": "2026-01-01T00:00:00Z",
    }
    return {"message": inner, "subscription": "projects/p/subscriptions/s"}


def listing(**changes: object) -> MarketListed:
    given: dict[str, object] = {
        "observed_at": SystemClock().now(),
        "ticker": "KXNFLGAME-26SEP28PHICHI-PHI",
        "event_ticker": "KXNFLGAME-26SEP28PHICHI",
        "series_ticker": "KXNFLGAME",
        "shape": MarketShape.BINARY,
        "status": MarketStatus.ACTIVE,
        "title": "Philadelphia wins",
        "yes_sub_title": "Philadelphia",
        "rules_primary": "If Philadelphia wins the Philadelphia vs Chicago Pro Football game originally "
        "scheduled for Sep 28, 2026, then the market resolves to Yes.",
    }
    return seal(MarketListed(**(given | changes)))  # type: ignore[arg-type]


@pytest.mark.e2e
def test_a_scheduled_scrape_lists_the_exchange_into_history(venues: None) -> None:
    answer = client("kalshi_scraper", "http").get("/")
    assert answer.status_code == 200
    report = answer.get_json()
    assert report["markets"] > 20
    assert report["failed"] == {}
    assert rows("kalshi_markets") == report["published"]


@pytest.mark.e2e
def test_the_odds_scraper_keeps_slates_and_spends_nothing_on_unmapped_games(venues: None) -> None:
    answer = client("odds_scraper", "http").get("/")
    assert answer.get_json()["spent"] == 0
    assert len(documents("odds_events")) >= 3


@pytest.mark.e2e
def test_a_pushed_listing_is_mapped_or_refused_with_a_reason(venues: None) -> None:
    answer = client("event_mapper", "cloudevent").post("/", json=push(listing()))
    assert answer.status_code == 200
    kept = documents("mappings")
    assert [document.path for document in kept] == ["mappings/KXNFLGAME-26SEP28PHICHI"]
    (decision,) = kept[0].value["markets"].values()
    assert decision["reason"]


@pytest.mark.e2e
def test_the_same_push_twice_is_decided_once(venues: None) -> None:
    app = client("event_mapper", "cloudevent")
    for _ in range(2):
        assert app.post("/", json=push(listing())).status_code == 200
    assert rows("mappings") == 1


def scraped() -> PropsScraped:
    """The run announced last."""

    async def query() -> str:
        async with worker.worker() as parts:
            found = await parts.platform.warehouse.query(
                "SELECT run_id, CAST(game_date AS VARCHAR) AS day, prefix, markets, observed_at "
                "FROM player_props_runs ORDER BY observed_at DESC LIMIT 1"
            )
            row = found[0]
            message = PropsScraped(
                observed_at=from_datetime(row["observed_at"]), run_id=row["run_id"], game_date=row["day"],
                prefix=row["prefix"], markets=row["markets"],
            )  # fmt: skip
            return encode(seal(message)).decode()

    decoded = decode(PropsScraped.TOPIC, entry.run(query()).encode())
    assert isinstance(decoded, PropsScraped)
    return decoded


@pytest.mark.e2e
def test_a_scheduled_call_becomes_raw_pages_then_rows_and_a_repeated_push_nothing(venues: None) -> None:
    answer = client("props_scraper", "http").get("/?date=TODAY")
    assert answer.status_code == 200
    (report,) = answer.get_json()
    assert (report["failed"], report["kalshi_available"]) == ({}, True)
    assert report["markets"] >= 8
    assert report["games"] >= 1
    app, run = client("props_processor", "cloudevent"), scraped()
    assert app.post("/", json=push(run)).status_code == 200
    written = {table: rows(table) for table in PROP_TABLES}
    assert written["kalshi_player_props"] == report["markets"]
    assert all(written.values())
    assert app.post("/", json=push(run)).status_code == 200
    assert {table: rows(table) for table in PROP_TABLES} == written


@pytest.mark.e2e
def test_a_schedule_that_is_not_due_reads_nothing(venues: None) -> None:
    app = client("props_scraper", "http")
    first = [report["game_date"] for report in app.post("/").get_json()]
    assert len(first) == 2
    assert app.post("/").get_json() == []


@pytest.mark.e2e
def test_poison_is_acknowledged_and_quarantined(venues: None) -> None:
    body = push(listing())
    body["message"]["data"] = base64.b64encode(b"{not json").decode()  # type: ignore[index]
    assert client("edge_detector", "cloudevent").post("/", json=body).status_code == 200
    assert rows("quarantine") == 1


@pytest.mark.e2e
def test_a_bare_push_to_an_http_server_is_mapped_and_acknowledged(venues: None) -> None:
    answer = client("event_mapper", "http").post("/kalshi-markets", json=push(listing()))
    assert (answer.status_code, answer.data) == (204, b"")
    assert len(documents("mappings")) == 1


@pytest.mark.e2e
def test_a_schedules_call_of_the_mapper_is_upkeep(venues: None) -> None:
    app = client("event_mapper", "http")
    app.post("/kalshi-markets", json=push(listing()))
    answer = app.post("/", headers={"X-CloudScheduler-ScheduleTime": "2026-01-01T00:00:00Z"})
    assert answer.get_json() == {"decided": 0, "unknown": 0}
    assert rows("mapping_coverage") == 1
    assert rows("alerts") == 1  # that call was months late


@pytest.mark.e2e
def test_a_listing_of_an_unknown_league_is_refused_with_a_reason_and_lost_nowhere(venues: None) -> None:
    strange = listing(series_ticker="KXQUIDDITCHGAME", event_ticker="KXQUIDDITCHGAME-26SEP28AB")
    assert client("event_mapper", "http").post("/", json=push(strange)).status_code == 204
    [decision] = documents("mappings")[0].value["markets"].values()
    assert decision["reason"].startswith("unknown_series")


@pytest.mark.e2e
@pytest.mark.parametrize("body", [b"", b"{not json", b"{}", b"[1]"])
def test_a_call_that_is_no_push_is_recorded_and_not_asked_for_again(venues: None, body: bytes) -> None:
    assert client("edge_detector", "http").post("/", data=body).status_code == 204
    assert rows("quarantine") == 1


@pytest.mark.e2e
@pytest.mark.parametrize("name", ["settlement", "reconciler"])
def test_an_account_that_never_traded_has_nothing_to_settle_or_compare(venues: None, name: str) -> None:
    report = client(name, "http").post("/").get_json()
    assert "nothing was ever traded" in report["note"]


@pytest.mark.e2e
def test_an_alert_without_a_channel_is_logged(venues: None, caplog: pytest.LogCaptureFixture) -> None:
    alert = seal(
        AlertRaised(observed_at=SystemClock().now(), source="s", code="c", subject="x", text="look at it")
    )
    assert client("alerts", "http").post("/alerts", json=push(alert)).status_code == 204
    assert "look at it" in caplog.text


@pytest.mark.e2e
def test_a_missing_key_is_answered_logged_and_told_to_people(
    venues: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("ODDS_API_KEY")
    answer = client("odds_scraper", "http").post("/")
    assert (answer.status_code, answer.get_json()["retry"]) == (500, False)
    assert "ODDS_API_KEY is not set" in caplog.text
    assert rows("alerts") == 1


# Nothing of these may be loaded before a handler asks for it; a client of Google's only by its own adapter.
HEAVY = (
    "scipy duckdb pandas pyarrow numpy rich typer rapidfuzz zetasql sqlglot aiohttp grpc"
    " google.cloud.bigquery google.cloud.storage google.cloud.firestore_v1 google.pubsub_v1"
)
# Nor of these when all parts of a function are there, on Google Cloud.
NEVER = "scipy duckdb pandas pyarrow numpy rich typer rapidfuzz zetasql sqlglot google.cloud.bigquery"


# Nothing is called; the clients only must not look for credentials.
CLOUD = {
    "BACKEND": "gcp",
    "GOOGLE_CLOUD_PROJECT": "p",
    "ODDS_API_KEY": "k",
    "RAW_BUCKET": "b",
    "PUBSUB_EMULATOR_HOST": "127.0.0.1:9",
    "FIRESTORE_EMULATOR_HOST": "127.0.0.1:9",
    "STORAGE_EMULATOR_HOST": "http://127.0.0.1:9",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_function_starts_without_heavy_modules(name: str) -> None:
    code = f"import functions.{name}.main, sys; print(*({set(HEAVY.split())!r} & sys.modules.keys()))"
    assert printed(code) == ""


@pytest.mark.parametrize("name", NAMES)
def test_a_function_with_all_its_parts_has_loaded_nothing_it_does_not_use(name: str) -> None:
    lines = (
        "import os, sys",
        f"os.environ |= {CLOUD!r}",
        f"import functions.{name}.main",
        "from shared import entry, worker",
        "async def parts():",
        "    async with worker.worker() as made:",
        f"        made.platform.documents, made.platform.bus, made.{PARTS[name]}",
        "entry.run(parts())",
        f"print(*({set(NEVER.split())!r} & sys.modules.keys()))",
    )
    assert printed("\n".join(lines)) == ""


def printed(code: str) -> str:
    """What a program says in a fresh interpreter."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
