"""Answers from history: profit that equals the ledger, signals with what they filled, and why."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from shared.analytics import history
from shared.backends.local import duck
from shared.backends.local.warehouse import DuckWarehouse
from shared.backends.memory.bus import DirectBus
from shared.backends.memory.documents import MemoryDocuments
from shared.books.book import OrderBook
from shared.clock import DAY, MINUTE, Instant, ManualClock
from shared.errors import ConfigError
from shared.execution.assemble import assemble
from shared.execution.paper import PaperGateway
from shared.messages import BY_TOPIC, Message, OpportunityAssessed, SignalRaised, seal
from shared.money import ONE, Price, Quantity, Usd
from shared.terms import Profile, Result, Side
from tests.execution.conftest import SCHEDULE, START, cents, contracts, rules, signal
from tests.support.backends import rng
from tests.support.limits import DOLLAR


@dataclass
class Desk:
    """An account that trades on paper into a history."""

    warehouse: DuckWarehouse
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    bus: DirectBus = field(default_factory=DirectBus)
    books: dict[str, OrderBook] = field(default_factory=dict)

    def __post_init__(self) -> None:
        async def keep(message: Message) -> None:
            await self.warehouse.append([message])

        for topic in BY_TOPIC:
            self.bus.subscribe(topic, "history", keep)
        paper = PaperGateway(self.books.get, lambda ticker: SCHEDULE, self.clock, latency_s=0)
        self.execution = assemble(
            MemoryDocuments(), self.bus, self.clock, rng(1), paper, self.books.get, rules()
        )
        self.account, self.executor = self.execution.account, self.execution.executor

    async def buy(self, ticker: str, side: Side, price: int, size: int, league: str = "NFL") -> SignalRaised:
        """Raise a signal on a book that offers ``size`` at ``price``, and let it fill."""
        await self.clock.advance(7)
        now = self.clock.now()
        book = self.books[ticker] = OrderBook(ticker)
        bid, ask = [(cents(price - 2), contracts(500))], [(cents(100 - price), contracts(size))]
        book.apply_snapshot(*((bid, ask) if side is Side.YES else (ask, bid)), now)
        event = ticker.rpartition("-")[0]
        given = signal(
            signal_id=f"{len(self.executor.schedules)}-{ticker}-{now}", ticker=ticker, event_ticker=event,
            side=side, limit=cents(price), quantity=contracts(size), observed_at=now, league=league,
            starts_at=Instant(now + DAY), expires_at=Instant(now + MINUTE), event_id="",
            odds_event_id=event, fair_probability=price / 100 + 0.06,
        )  # fmt: skip
        given = seal(given)
        await self.bus.publish(given.TOPIC, [given])
        await self.executor.on_signal(given, SCHEDULE)
        return given

    async def settle(self, ticker: str, payout: Price) -> None:
        result = {ONE: Result.YES, 0: Result.NO}.get(payout, Result.SCALAR)
        assert await self.execution.journal.settled(ticker, payout, result) is not None

    async def rows(self) -> history.Query:
        await self.warehouse.flush()

        def query(statement: str, parameters: Sequence[Any]) -> history.Rows:
            return duck.rows(self.warehouse._reads, statement, parameters)

        return query


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Desk]:
    clock = ManualClock(START)
    warehouse = DuckWarehouse(folder, clock)
    try:
        desk = Desk(warehouse, clock)
        await desk.execution.stored.open(Usd(100_000 * DOLLAR))
        yield desk
    finally:
        await warehouse.close()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as made:
        yield made


async def sums(desk: Desk) -> dict[str, int]:
    query = await desk.rows()
    return history.totals(history.daily(query), history.unsettled(query))


async def test_an_empty_history_has_nothing_to_say(desk: Desk) -> None:
    query = await desk.rows()
    assert history.daily(query) == history.unsettled(query) == history.signals(query) == []
    assert set((await sums(desk)).values()) == {0}


async def test_fees_of_an_open_market_are_already_a_loss(desk: Desk) -> None:
    await desk.buy("A-1-X", Side.YES, 50, 10)
    totals = await sums(desk)
    assert totals["pnl"] == totals["open_pnl"] == -totals["fees"] == desk.account.pnl < 0
    assert totals["settled_pnl"] == 0


async def test_a_clock_set_back_hides_no_later_fill(desk: Desk) -> None:
    await desk.buy("A-1-X", Side.YES, 50, 10)
    desk.clock.set(Instant(START - 60 * MINUTE))
    await desk.execution.stored.confirm()
    await desk.buy("A-1-X", Side.YES, 52, 10)
    [held] = history.unsettled(await desk.rows())
    position = desk.account.positions["A-1-X"]
    assert (held["quantity"], held["cost"], held["fees"]) == (contracts(20), position.cost, position.fees)


async def test_a_settled_market_counts_on_its_day_and_in_its_league(desk: Desk) -> None:
    await desk.buy("A-1-X", Side.YES, 50, 10, league="NBA")
    desk.clock.set(Instant(START + DAY))
    await desk.settle("A-1-X", ONE)
    traded, paid = history.daily(await desk.rows())
    assert (traded["orders"], traded["pnl"], traded["league"]) == (1, 0, "NBA")
    assert (paid["settled"], paid["won"], paid["pnl"]) == (1, 1, desk.account.pnl)
    assert history.unsettled(await desk.rows()) == []


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_was_traded_history_equals_the_ledger(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    async with opened(tmp_path) as desk:
        tickers = [f"E-{index // 2}-{index}" for index in range(6)]
        for _ in range(12):
            side, price = chance.choice(list(Side)), chance.randint(10, 60)
            await desk.buy(chance.choice(tickers), side, price, chance.randint(1, 90))
        for ticker in sorted(desk.account.positions)[::2]:
            await desk.settle(ticker, chance.choice((ONE, Price(0), Price(500_000))))
        totals, ledger = await sums(desk), desk.account
    assert (totals["pnl"], totals["fees"]) == (ledger.pnl, ledger.fees)
    assert totals["open_cost"] == ledger.open_cost


async def test_a_message_told_twice_counts_once(desk: Desk) -> None:
    await desk.buy("A-1-X", Side.YES, 50, 10)
    before = await sums(desk)
    await desk.execution.journal.retell(frozenset())
    assert await sums(desk) == before


async def test_signals_come_newest_first_with_what_they_filled(desk: Desk) -> None:
    await desk.buy("A-1-X", Side.YES, 50, 10)
    newest = await desk.buy("B-1-X", Side.NO, 30, 25)
    first, second = history.signals(await desk.rows())
    assert (first["signal_id"], first["filled_lots"]) == (newest.signal_id, contracts(25))
    assert second["filled_lots"] == contracts(10)
    assert len(history.signals(await desk.rows(), limit=1)) == 1


async def test_every_reason_of_every_refusal_is_counted(desk: Desk) -> None:
    refused = OpportunityAssessed(
        observed_at=START,
        opportunity_id="o",
        ticker="A-1-X",
        event_ticker="A-1",
        side=Side.YES,
        profile=Profile.STANDARD,
        accepted=False,
        reasons=("thin_edge: net 1.00c", "wide: spread 0.20"),
    )
    await desk.bus.publish(refused.TOPIC, [seal(refused)])
    found = history.rejections(await desk.rows())
    assert found == [{"reason": "thin_edge", "times": 1}, {"reason": "wide", "times": 1}]


def weighed(ticker: str, net_edge: float | None, minute: int, *reasons: str) -> OpportunityAssessed:
    return OpportunityAssessed(
        observed_at=Instant(START + minute * MINUTE),
        opportunity_id=f"{ticker}-{minute}",
        ticker=ticker,
        event_ticker="A-1",
        side=Side.YES,
        profile=Profile.STANDARD,
        accepted=not reasons,
        net_edge=net_edge,
        reasons=reasons,
    )


async def test_the_nearest_refusal_comes_first_with_every_reason(desk: Desk) -> None:
    reasons = ("thin_edge: net 2.00c", "confidence: 30")
    for message in (
        weighed("A-1-X", 0.01, 0, "thin_edge: net 1.00c"),
        weighed("A-1-Y", 0.02, 0, *reasons),
        weighed("A-1-Z", None, 0, "no_quote"),
    ):
        await desk.bus.publish(message.TOPIC, [seal(message)])
    found = history.nearest(await desk.rows())
    assert [row["ticker"] for row in found] == ["A-1-Y", "A-1-X"]
    assert tuple(found[0]["reasons"]) == reasons


async def test_what_was_refused_and_then_taken_is_no_refusal_now(desk: Desk) -> None:
    for message in (weighed("A-1-X", 0.01, 0, "thin_edge: net 1.00c"), weighed("A-1-X", 0.06, 1)):
        await desk.bus.publish(message.TOPIC, [seal(message)])
    assert history.nearest(await desk.rows()) == []


# --- why ----------------------------------------------------------------------------------------------------


async def test_the_story_of_an_order_is_found_by_the_start_of_its_id(desk: Desk) -> None:
    given = await desk.buy("A-1-X", Side.YES, 50, 10)
    query = await desk.rows()
    by_signal = history.why(query, given.signal_id)
    assert by_signal is not None
    order_id = by_signal["orders"][0]["order_id"]
    by_order = history.why(query, order_id[:8])
    assert by_order == by_signal
    assert [order["status"] for order in by_order["orders"]] == ["pending", "filled"]
    assert sum(fill["quantity"] for fill in by_order["fills"]) == contracts(10)


async def test_a_signal_that_never_became_an_order_still_has_a_story(desk: Desk) -> None:
    desk.account.halted = "stopped"
    given = await desk.buy("A-1-X", Side.YES, 50, 10)
    story = history.why(await desk.rows(), given.signal_id)
    assert story is not None
    assert story["fills"] == []
    assert story["orders"][0]["reasons"] == ["halt: stopped"]


@pytest.mark.parametrize("identity", ["zzz", "%", "_", "' OR 1=1 --"])
async def test_what_nothing_starts_with_has_no_story(desk: Desk, identity: str) -> None:
    await desk.buy("A-1-X", Side.YES, 50, 10)
    assert history.why(await desk.rows(), identity) is None


async def test_a_start_that_several_share_is_refused_with_some_of_them(desk: Desk) -> None:
    await desk.buy("A-1-X", Side.YES, 50, 10)
    await desk.buy("B-1-X", Side.YES, 50, 10)
    query = await desk.rows()
    with pytest.raises(ConfigError, match="several ids start with ''"):
        history.why(query, "")


async def test_a_fill_counts_its_own_lots(desk: Desk) -> None:
    await desk.buy("A-1-X", Side.YES, 50, 10)
    (day,) = history.daily(await desk.rows())
    assert (Quantity(day["lots"]), day["staked"]) == (contracts(10), 5 * DOLLAR)
