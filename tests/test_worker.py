"""Scheduled calls: one at a time, on time, and with a word to people when a person must act."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from shared.backends.memory.bus import DirectBus
from shared.backends.memory.documents import MemoryDocuments
from shared.clock import Instant, ManualClock, format_instant
from shared.config import Secret, load
from shared.errors import CredentialsError, RetryLaterError
from shared.messages import AlertRaised, Message
from shared.platforms import Platform, open_platform, with_secrets
from shared.worker import Skipped, Worker


@dataclass
class Request:
    """What is used of a call."""

    headers: Mapping[str, str] = field(default_factory=dict)


class Desk:
    """A worker on stores in memory, and the alerts it raised."""

    def __init__(self) -> None:
        self.clock = ManualClock(Instant(1_790_000_000_000_000))
        self.documents, self.bus = MemoryDocuments(), DirectBus()
        self.alerts: list[AlertRaised] = []
        self.bus.subscribe(AlertRaised.TOPIC, "test", self._hear)
        settings = load({"ODDS_API_KEY": "a-secret-key"}, dotenv=None)
        self.worker = Worker(settings, self.clock, cast("Platform", self))

    async def _hear(self, message: Message) -> None:
        assert isinstance(message, AlertRaised)
        self.alerts.append(message)

    def due(self, seconds: float) -> Request:
        """A call that was due so many seconds ago."""
        at = Instant(self.clock.now() - int(seconds * 1_000_000))
        return Request({"X-CloudScheduler-ScheduleTime": format_instant(at)})


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def _done() -> str:
    return "done"


async def test_a_call_does_its_work(desk: Desk) -> None:
    assert await desk.worker.scheduled("scraper", desk.due(1), _done) == "done"
    assert desk.alerts == []


async def test_of_two_calls_at_once_one_works(desk: Desk) -> None:
    gate = asyncio.Event()

    async def work() -> str:
        await gate.wait()
        return "done"

    first = asyncio.create_task(desk.worker.scheduled("scraper", Request(), work))
    await asyncio.sleep(0)
    assert await desk.worker.scheduled("scraper", Request(), _done) == Skipped("another call is under way")
    gate.set()
    assert await first == "done"


async def test_calls_of_different_functions_do_not_wait_for_each_other(desk: Desk) -> None:
    async def work() -> object:
        return await desk.worker.scheduled("other", Request(), _done)

    assert await desk.worker.scheduled("scraper", Request(), work) == "done"


async def test_after_a_call_that_failed_the_next_works(desk: Desk) -> None:
    async def fail() -> str:
        raise RetryLaterError("paused")

    with pytest.raises(RetryLaterError):
        await desk.worker.scheduled("scraper", Request(), fail)
    assert await desk.worker.scheduled("scraper", Request(), _done) == "done"
    assert desk.alerts == []


async def test_a_call_that_died_is_forgotten_before_the_next_is_due(desk: Desk) -> None:
    stuck = asyncio.create_task(desk.worker.scheduled("scraper", Request(), asyncio.Event().wait))
    await asyncio.sleep(0)
    await desk.clock.advance(60)
    assert await desk.worker.scheduled("scraper", Request(), _done) == "done"
    stuck.cancel()


async def test_what_a_person_must_mend_is_told_to_people_without_secrets(desk: Desk) -> None:
    async def fail() -> str:
        raise CredentialsError("the key a-secret-key is not accepted")

    with pytest.raises(CredentialsError):
        await desk.worker.scheduled("odds_scraper", Request(), fail)
    [alert] = desk.alerts
    assert (alert.source, alert.code) == ("odds_scraper", "credentials")
    assert "a-secret-key" not in alert.text


@pytest.mark.parametrize(("seconds", "says"), [(300, "300 s late"), (-300, "300 s early")])
async def test_a_call_by_another_clock_works_and_is_told(desk: Desk, seconds: float, says: str) -> None:
    assert await desk.worker.scheduled("scraper", desk.due(seconds), _done) == "done"
    [alert] = desk.alerts
    assert alert.code == "clock_skew"
    assert says in alert.text


class Pinned:
    """A platform whose secrets are in a manager."""

    def __init__(self) -> None:
        self.secrets = self

    async def get(self, name: str) -> bytes:
        return f"value of {name}\n".encode()


async def test_pinned_secrets_fill_the_settings_that_are_empty() -> None:
    given = {"SECRET_VERSIONS": "odds-api-key=2,smtp-password=1/2,leagues=3", "ODDS_API_KEY": "set"}
    settings = await with_secrets(load(given, dotenv=None), cast(Any, Pinned()))
    assert settings.odds_api_key == Secret("set")
    assert settings.smtp_password == Secret("value of smtp_password")
    assert settings.leagues == load({}, dotenv=None).leagues


@pytest.mark.parametrize("backend", ["local", "gcp"])
async def test_a_platform_that_was_never_used_has_opened_nothing(backend: str, tmp_path: Path) -> None:
    settings = load({"BACKEND": backend, "GOOGLE_CLOUD_PROJECT": "p"}, dotenv=None)
    await open_platform(settings, ManualClock(), tmp_path / "state").close()
    assert not await asyncio.to_thread((tmp_path / "state").exists)
