"""The book that an executor remembers: it spares a read on an order's way out, and decides nothing alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from shared.backends.memory.documents import MemoryDocuments
from shared.errors import RetryLaterError
from shared.execution.watch import passes
from shared.money import Usd
from shared.ports import Document
from tests.execution.desk import UNHURRIED, Desk, granted, intent, refusals
from tests.risk.orders import MONDAY, proposal
from tests.support.limits import DOLLAR
from tests.support.stores import RestlessClock

ONE_ORDER = replace(UNHURRIED, max_daily_loss=Usd(8 * DOLLAR))


class CountingDocuments(MemoryDocuments):
    """Counts how often each document is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: Counter[str] = Counter()

    async def get(self, path: str) -> Document | None:
        self.reads[path] += 1
        return await super().get(path)


async def test_an_order_is_granted_without_reading_the_book_again() -> None:
    documents = CountingDocuments()
    desk = await Desk(documents).open()
    executor = desk.executor()
    granted(await executor.reserve(proposal("first"), intent))
    documents.reads.clear()
    granted(await executor.reserve(proposal("second"), intent))
    assert documents.reads["risk/main"] == 0
    assert set((await desk.read()).reserved) == {"first", "second"}


async def test_a_book_that_another_has_changed_costs_a_race_and_grants_nothing_by_itself() -> None:
    desk = await Desk(clock=RestlessClock(MONDAY)).open()
    one, other = desk.executor("one", ONE_ORDER), desk.executor("other", ONE_ORDER)
    await one.book.read()
    granted(await other.reserve(proposal("theirs"), intent))
    assert refusals(await one.reserve(proposal("ours"), intent)) == {"daily_loss"}
    assert await desk.order("ours") is None


async def test_nothing_is_refused_by_an_old_book() -> None:
    desk = await Desk(clock=RestlessClock(MONDAY)).open()
    one, other = desk.executor("one", ONE_ORDER), desk.executor("other", ONE_ORDER)
    granted(await one.reserve(proposal("first"), intent))
    await other.release("first")
    granted(await one.reserve(proposal("second"), intent))


async def test_an_executor_that_was_fenced_off_meanwhile_reserves_nothing() -> None:
    desk = await Desk(clock=RestlessClock(MONDAY)).open()
    late, next_one = desk.executor("late"), desk.executor("next")
    granted(await late.reserve(proposal("first"), intent, 1))
    await next_one.book.fence(2)
    assert refusals(await late.reserve(proposal("second"), intent, 1)) == {"lease"}


async def test_after_a_write_whose_answer_was_lost_the_store_is_asked() -> None:
    class Forgetful(CountingDocuments):
        async def batch(self, writes: object) -> list[int]:
            await super().batch(writes)  # type: ignore[arg-type]
            raise OSError("no answer")

    documents = Forgetful()
    desk = await Desk(documents).open()
    executor = desk.executor()
    await executor.book.read()
    assert refusals(await executor.reserve(proposal("first"), intent)) == {"risk_state"}
    assert executor.book.latest is None


class GoneAway(MemoryDocuments):
    """Can be read until it is gone."""

    gone = False

    async def get(self, path: str) -> Document | None:
        if self.gone:
            raise RetryLaterError("store is away")
        return await super().get(path)


async def test_what_the_remembered_book_refuses_is_told_where_the_store_does_not_answer() -> None:
    documents = GoneAway()
    desk = await Desk(documents).open()
    executor = desk.executor(limits=ONE_ORDER)
    granted(await executor.reserve(proposal("first"), intent))
    documents.gone = True
    assert refusals(await executor.reserve(proposal("second"), intent)) == {"daily_loss", "risk_state"}


async def test_a_refusal_by_a_book_that_may_be_old_passes_by_itself() -> None:
    assert passes({"daily_loss", "risk_state"})
    assert not passes({"daily_loss"})
