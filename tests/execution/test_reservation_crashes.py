"""A process dies before or after any write: there is nothing, or a whole reservation for recovery to see."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from shared.backends.memory.documents import MemoryDocuments
from shared.errors import AlreadyExistsError
from shared.execution.reservations import Reservations
from shared.money import ONE, Price
from shared.ports import Value
from shared.risk.book import Book
from shared.terms import OrderStatus
from tests.execution.desk import Desk, intent, kept, spent
from tests.risk.orders import TICKER, fill, proposal
from tests.support.limits import DOLLAR
from tests.support.stores import Dead, DyingDocuments

Step = Callable[[Reservations], Awaitable[object]]


def settled(order_id: str, status: OrderStatus, *news: tuple[str, int]) -> Step:
    fills = [fill(fill_id, size=size) for fill_id, size in news]
    return lambda executor: executor.settle(order_id, status, fills, change=kept)


def reserved(order_id: str) -> Step:
    return lambda executor: executor.reserve(proposal(order_id), intent)


def paid(payout: Price) -> Step:
    return lambda executor: executor.pay(TICKER, payout, lambda settlement: {"payout": settlement.payout_yes})


# Every kind of write once, with the repeats and late news that recovery brings.
STORY: tuple[Step, ...] = (
    reserved("a"),
    settled("a", OrderStatus.PARTIAL, ("a-1", 4)),
    settled("a", OrderStatus.CANCELED, ("a-1", 4), ("a-2", 3)),
    reserved("b"),
    settled("b", OrderStatus.UNKNOWN),
    settled("b", OrderStatus.FILLED, ("b-1", 10)),
    reserved("c"),
    lambda executor: executor.release("c"),
    paid(ONE),
    settled("a", OrderStatus.CANCELED, ("a-3", 1)),
    paid(ONE),
    paid(Price(0)),
)


async def tell(executor: Reservations) -> None:
    """The story from the beginning; what was reserved by an earlier run is found and gone on with."""
    for step in STORY:
        with suppress(AlreadyExistsError):
            await step(executor)


def lasting(book: Book) -> Book:
    """The book without the number of its writes."""
    return replace(book, seq=0)


async def undisturbed() -> Book:
    desk = await Desk().open()
    await tell(desk.executor())
    return lasting(await desk.read())


async def orders(desk: Desk) -> dict[str, Value]:
    return {one.path.partition("/")[2]: one.value for one in await desk.documents.query("orders")}


async def died(writes: int, *, after: bool) -> Desk | None:
    """A desk whose executor died at that write; ``None`` when the story has fewer."""
    held = MemoryDocuments()
    desk = await Desk(held).open()
    try:
        await tell(desk.executor(documents=DyingDocuments(held, writes, after=after)))
    except Dead:
        return desk
    return None


CRASHES = [(writes, after) for writes in range(len(STORY)) for after in (False, True)]


@pytest.mark.parametrize(("writes", "after"), CRASHES)
async def test_a_crash_leaves_nothing_or_everything(writes: int, after: bool) -> None:
    desk = await died(writes, after=after)
    assert desk is not None
    book, found = await desk.read(), await orders(desk)
    assert book.trades_today == len(found)
    assert set(book.reserved) <= set(found)
    for order_id, value in found.items():
        fills = {one["fill_id"] for one in value["fills"]}
        assert fills == set(value["risk"]["fills"])
        assert (order_id in book.reserved) or value["risk"]["step"]
    payouts = await desk.documents.query("settlements")
    received = sum(one.value["risk"]["revenue"] for one in payouts)
    assert book.cash == 10_000 * DOLLAR - spent([*found.values()]) + received


@pytest.mark.parametrize(("writes", "after"), CRASHES)
async def test_telling_it_all_again_after_a_crash_ends_as_if_nothing_had_happened(
    writes: int, after: bool
) -> None:
    desk = await died(writes, after=after)
    assert desk is not None
    await tell(desk.executor("executor-2"))
    book, expected = lasting(await desk.read()), await undisturbed()
    tokens = {key: replace(one, token="") for key, one in book.reserved.items()}
    assert replace(book, reserved=tokens) == expected


async def test_the_story_has_no_further_write() -> None:
    assert await died(len(STORY), after=False) is None


async def test_recovery_sees_an_order_that_was_reserved_and_perhaps_never_sent() -> None:
    desk = await died(0, after=True)
    assert desk is not None
    assert set(await desk.book.unfinished()) == {"a"}
    await desk.executor("executor-2").release("a")
    book = await desk.read()
    assert (book.reserved_risk, book.trades_today) == (0, 1)


async def test_a_cancelled_task_leaves_nothing_or_everything() -> None:
    for moments in range(6):
        desk = await Desk().open()
        task = asyncio.ensure_future(desk.executor().reserve(proposal("a"), intent))
        for _ in range(moments):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert set(await orders(desk)) == set((await desk.read()).reserved)
