"""Many executors on one account over a store that loses races: every state ever stored keeps the limits."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field, replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.backends.memory.documents import MemoryDocuments
from shared.clock import MINUTE
from shared.errors import AlreadyExistsError, ConflictError
from shared.execution.reservations import Reservations, Reserved
from shared.money import LOTS, ONE, Price, Quantity, Usd
from shared.orders.ledger import Fill
from shared.ports import Value
from shared.risk.book import Book, decode_book
from shared.terms import OrderStatus, Side
from tests.execution.desk import UNHURRIED, Desk, intent, kept, spent
from tests.risk.orders import MONDAY, contracts, proposal
from tests.support.backends import rng
from tests.support.limits import DOLLAR
from tests.support.stores import RestlessClock, ShakyDocuments

LIMITS = replace(
    UNHURRIED,
    max_daily_loss=Usd(60 * DOLLAR),
    max_trades_per_day=40,
    max_quantity_per_event=contracts(90),
    max_orders_per_minute=12,
)
TICKERS = ("A-1-X", "A-1-Y", "B-1-X")


@dataclass
class Trial:
    """Some executors, what they did, and every book that was ever stored."""

    seed: int
    held: MemoryDocuments = field(default_factory=MemoryDocuments)
    books: list[Book] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    async def run(self, executors: int, attempts: int) -> Desk:
        desk = await Desk(self.held, RestlessClock(MONDAY)).open(1_000)
        watching = asyncio.ensure_future(self._watch())
        shaky = [ShakyDocuments(self.held, rng(self.seed * 100 + n)) for n in range(executors)]
        made = [desk.executor(f"e{n}", LIMITS, documents) for n, documents in enumerate(shaky)]
        works = [self._work(one, n, attempts) for n, one in enumerate(made)]
        await asyncio.gather(*works)
        for _ in range(3):
            await asyncio.sleep(0)
        watching.cancel()
        return desk

    async def _watch(self) -> None:
        async for document in self.held.watch("risk"):
            self.books.append(decode_book(document.value))

    async def _work(self, executor: Reservations, number: int, attempts: int) -> None:
        generator = rng(self.seed * 1_000 + number)
        for attempt in range(attempts):
            # Every second order has an identity that another executor may take as well.
            order_id = f"{attempt}" if attempt % 2 else f"{number}-{attempt}"
            ticker = generator.choice(TICKERS)
            price, size = generator.randint(10, 90), generator.randint(1, 20)
            side = generator.choice(list(Side))
            order = proposal(order_id, price, size, ticker=ticker, event_ticker=ticker[:3], side=side)
            try:
                answer = await executor.reserve(order, intent)
            except AlreadyExistsError:
                continue
            if isinstance(answer, Reserved):
                self.told.append(order_id)
                await self._live(executor, answer, generator)

    async def _live(self, executor: Reservations, answer: Reserved, generator: random.Random) -> None:
        order = answer.order.proposal
        left: int = order.quantity
        for number in range(generator.randrange(3)):
            size = Quantity(generator.randint(1, max(1, left // 200)) * 100)
            if size > left:
                break
            left -= size
            price = Price(order.limit - generator.randint(0, 5) * 10_000)
            fee = Usd(size // 100 * generator.randint(0, 20_000))
            fill_id, event = f"{order.client_order_id}-{number}", order.event_ticker
            made = Fill(fill_id, order.ticker, event, order.side, price, size, fee)
            await self._settle(executor, order.client_order_id, OrderStatus.PARTIAL, [made])
        ending = generator.choice((OrderStatus.CANCELED, OrderStatus.UNKNOWN, OrderStatus.CANCELED))
        await self._settle(executor, order.client_order_id, ending, [])
        if generator.random() < 0.2:
            payout = generator.choice((Price(0), ONE))
            await executor.pay(order.ticker, payout, lambda _: {})

    async def _settle(
        self, executor: Reservations, order_id: str, status: OrderStatus, fills: list[Fill]
    ) -> None:
        """Until it is booked, as reconciliation does."""
        while True:
            try:
                step = await executor.settle(order_id, status, fills, change=kept)
            except ConflictError:
                continue
            assert list(step.fills) == fills
            assert not step.differences
            return


@dataclass(frozen=True)
class End:
    """What is stored when all executors have finished."""

    orders: list[Value]
    payouts: dict[str, int]
    book: Book


def run(seed: int, executors: int = 4, attempts: int = 10) -> tuple[Trial, End]:
    """One trial from beginning to end."""

    async def whole() -> tuple[Trial, End]:
        trial = Trial(seed)
        desk = await trial.run(executors, attempts)
        orders = [one.value for one in await desk.documents.query("orders")]
        paid = await desk.documents.query("settlements")
        payouts = {one.path.partition("/")[2]: int(one.value["risk"]["payout_yes"]) for one in paid}
        return trial, End(orders, payouts, await desk.read())

    return asyncio.run(whole())


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_no_state_ever_stored_passes_a_limit(seed: int) -> None:
    trial, end = run(seed)
    assert [book.seq for book in trial.books] == list(range(end.book.seq + 1))
    for before, book in pairwise(trial.books):
        added = set(book.reserved) - set(before.reserved)
        if not added:
            continue
        assert len(added) == 1
        lost = max(0, -book.pnl_today) + book.reserved_risk
        assert lost <= LIMITS.max_daily_loss
        assert book.trades_today <= LIMITS.max_trades_per_day
        latest = book.recent[-1]
        assert sum(latest - at < MINUTE for at in book.recent) <= LIMITS.max_orders_per_minute
        for event in ("A-1", "B-1"):
            assert book.view(event, "NFL", latest).event_quantity <= LIMITS.max_quantity_per_event


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_every_reservation_was_granted_to_one_executor_and_every_micro_dollar_is_accounted_for(
    seed: int,
) -> None:
    trial, end = run(seed)
    orders, payouts, last = end.orders, end.payouts, end.book
    assert sorted(trial.told) == sorted({one["proposal"]["client_order_id"] for one in orders})
    assert last.trades_today == len(orders)
    assert {one["risk"]["token"] for one in orders} >= {one.token for one in last.reserved.values()}
    assert last.cash == 1_000 * DOLLAR - spent(orders) + sum(
        _received(ticker, orders, payouts.get(ticker), last) for ticker in TICKERS
    )


def _received(ticker: str, orders: list[Value], payout: int | None, last: Book) -> int:
    """A dollar for each pair, or the latest payout of everything but what is held again since."""
    fills = [one for value in orders for one in value["fills"] if one["ticker"] == ticker]
    yes, no = (sum(int(one["quantity"]) for one in fills if one["side"] == side) for side in ("yes", "no"))
    if payout is None:
        return min(yes, no) * ONE // LOTS
    held = last.holdings.get(ticker)
    unpaid = held.position.quantity if held else 0
    return (payout * (yes - max(unpaid, 0)) + (ONE - payout) * (no - max(-unpaid, 0))) // LOTS
