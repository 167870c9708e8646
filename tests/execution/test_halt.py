"""The halt: one document, seen by every process, closed only by a person."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from shared.backends.local.documents import SqliteDocuments
from shared.backends.memory.documents import MemoryDocuments
from shared.clock import HOUR, Clock, Instant, ManualClock, SystemClock
from shared.errors import RefusedError, StorageError
from shared.execution import halt
from shared.execution.account import Account
from shared.execution.stored_book import StoredBook
from shared.money import Usd
from shared.ports import Document, Documents
from tests.execution.conftest import START
from tests.support.limits import DOLLAR

RNG = random.Random(0)  # noqa: S311 - reproducible, not secret


@pytest.fixture
async def account() -> Account:
    stored = StoredBook(MemoryDocuments(), "main", ManualClock(START), RNG)
    await stored.open(Usd(1_000 * DOLLAR))
    return Account(stored)


@asynccontextmanager
async def followed(documents: Documents, account: Account, clock: Clock | None = None) -> AsyncIterator[None]:
    task = asyncio.create_task(halt.follow(documents, account, clock or SystemClock()))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen")


async def test_a_halt_says_who_and_why_until_a_person_resumes() -> None:
    documents, clock = MemoryDocuments(), ManualClock(START)
    await halt.halt(documents, clock, RNG, "odd prices", "ann")
    assert await halt.halted(documents) == "ann: odd prices"
    await halt.resume(documents, clock, RNG, "ann")
    assert await halt.halted(documents) == ""


async def test_a_halt_without_a_reason_is_still_a_halt(account: Account) -> None:
    documents = MemoryDocuments()
    await halt.halt(documents, ManualClock(START), RNG, "", "ann")
    await halt.restore(documents, account)
    assert account.halted == "ann: no reason given"


async def test_an_account_nobody_halted_may_trade(account: Account) -> None:
    await halt.restore(MemoryDocuments(), account)
    assert account.halted == ""


async def test_a_follower_sees_a_halt_and_a_resume_of_another_process(
    tmp_path: Path, account: Account
) -> None:
    here, there = SqliteDocuments(tmp_path / "d.sqlite"), SqliteDocuments(tmp_path / "d.sqlite")
    clock = ManualClock(START)
    try:
        async with followed(here, account):
            await halt.halt(there, clock, RNG, "stop", "bob")
            await until(lambda: account.halted == "bob: stop")
            await halt.resume(there, clock, RNG, "bob")
            await until(lambda: account.halted == "")
    finally:
        await here.close()
        await there.close()


async def test_a_state_that_cannot_be_read_stops_trading(account: Account) -> None:
    class Unreadable(MemoryDocuments):
        async def get(self, path: str) -> Document | None:
            raise StorageError("gone")

    async with followed(Unreadable(), account):
        await until(lambda: bool(account.halted))
        assert account.halted == "the halt state cannot be read: StorageError"


async def test_a_halt_is_seen_although_the_watch_died_in_silence(account: Account) -> None:
    class Deaf(MemoryDocuments):
        async def watch(self, collection: str) -> AsyncIterator[Document]:
            await asyncio.get_running_loop().create_future()
            yield Document("", {}, 0)

    documents, clock = Deaf(), ManualClock(START)
    async with followed(documents, account, clock):
        await halt.halt(documents, clock, RNG, "stop", "bob")
        await clock.advance(3)
        await until(lambda: account.halted == "bob: stop")


async def test_a_read_without_an_answer_stops_trading(account: Account) -> None:
    class Silent(MemoryDocuments):
        async def get(self, path: str) -> Document | None:
            never: asyncio.Future[Document] = asyncio.get_running_loop().create_future()
            return await never

    clock = ManualClock(START)
    async with followed(Silent(), account, clock):
        for _ in range(20):
            await clock.advance(1)
        assert "no answer" in account.halted


async def test_an_old_read_does_not_lift_a_newer_halt(account: Account) -> None:
    class Late(MemoryDocuments):
        old: Document | None = None

        async def get(self, path: str) -> Document | None:
            return self.old or await super().get(path)

    documents, clock = Late(), ManualClock(START)
    await halt.resume(documents, clock, RNG, "ann")
    old = await documents.get(halt.PATH)
    async with followed(documents, account, clock):
        await halt.halt(documents, clock, RNG, "stop", "bob")
        await until(lambda: account.halted == "bob: stop")
        documents.old = old
        for _ in range(5):
            await clock.advance(1)
        assert account.halted == "bob: stop"


async def test_a_document_that_makes_no_sense_stops_trading(account: Account) -> None:
    documents = MemoryDocuments()
    await documents.create(halt.PATH, {"halted": "perhaps"})
    async with followed(documents, account):
        await until(lambda: bool(account.halted))


async def test_resuming_forgets_the_run_of_losses_and_only_that(account: Account) -> None:
    documents, clock = MemoryDocuments(), ManualClock(Instant(START + HOUR))
    stored = account._stored
    book, found = await stored.found()
    lost = replace(book.earned(-5 * DOLLAR, 0, START), cash=Usd(995 * DOLLAR), consecutive_losses=1)
    await stored.batch([stored.write(lost, found)], lost)
    await halt.resume(documents, clock, RNG, "ann")
    await halt.restore(documents, account)
    view = account.view("A", "NFL", START)
    assert (view.consecutive_losses, view.lost_today) == (0, 5 * DOLLAR)


@pytest.mark.parametrize("confirm", ["a storm", "ann: a storm"])
async def test_a_confirmed_resume_lifts_the_halt_it_names(confirm: str) -> None:
    documents, clock = MemoryDocuments(), ManualClock(START)
    await halt.halt(documents, clock, RNG, "a storm", "ann")
    await halt.resume(documents, clock, RNG, "bob", confirm)
    assert await halt.halted(documents) == ""


async def test_a_confirmed_resume_does_not_lift_a_halt_that_came_meanwhile() -> None:
    documents, clock = MemoryDocuments(), ManualClock(START)
    await halt.halt(documents, clock, RNG, "5 losses in a row", "breaker")
    with pytest.raises(RefusedError, match="breaker: 5 losses in a row") as refused:
        await halt.resume(documents, clock, RNG, "bob", "a storm")
    assert refused.value.code == "not_confirmed"
    assert await halt.halted(documents) == "breaker: 5 losses in a row"


async def test_a_confirmed_resume_of_nothing_is_refused() -> None:
    with pytest.raises(RefusedError) as refused:
        await halt.resume(MemoryDocuments(), ManualClock(START), RNG, "bob", "a storm")
    assert refused.value.code == "not_halted"
