"""Reconciliation with the simulated exchange: our books agree with its own; what is done by hand shows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from shared.backends.memory.bus import DirectBus
from shared.backends.memory.documents import MemoryDocuments
from shared.books.book import OrderBook
from shared.clock import HOUR, Instant
from shared.errors import MalformedError
from shared.execution.assemble import Execution, Rules, assemble
from shared.execution.live import LiveGateway
from shared.messages import Message, ReconciliationDifference, SignalRaised
from shared.money import ONE, Price, Usd
from shared.risk.board import GLOBAL
from shared.risk.breaker import State
from shared.terms import Result, Side
from tests.execution.conftest import SCHEDULE, cents, contracts, signal
from tests.execution.house import leased
from tests.simulator.bench import ONE_GAME, quoted
from tests.support.backends import rng
from tests.support.limits import DOLLAR
from tests.venues.kalshi.desk import TradingDesk


@dataclass
class Floor:
    """One executor that trades live at the simulated exchange."""

    desk: TradingDesk = field(default_factory=lambda: TradingDesk(quoted(preset=ONE_GAME, read_lag_s=0.5)))
    told: list[ReconciliationDifference] = field(default_factory=list)
    executions: int = 0
    rules: Rules = field(default_factory=leased)

    def __post_init__(self) -> None:
        self.documents, self.bus = MemoryDocuments(), DirectBus()
        self.bus.subscribe(ReconciliationDifference.TOPIC, "test", self._hear)
        self.market = self.desk.bench.empty()
        self.book = OrderBook(self.market.ticker)
        self.execution: Execution

    async def _hear(self, message: Message) -> None:
        assert isinstance(message, ReconciliationDifference)
        self.told.append(message)

    async def start(self) -> Floor:
        """A process that has come to agree with the exchange."""
        self.executions += 1
        gateway = LiveGateway(
            self.desk.trading, self.desk.portfolio, self.desk.feed, lambda _: None, self.desk.clock
        )
        rules = replace(self.rules, holder=f"executor-{self.executions}")
        self.execution = assemble(
            self.documents,
            self.bus,
            self.desk.clock,
            rng(1),
            gateway,
            {self.book.ticker: self.book}.get,
            rules,
        )
        await self.execution.begin(Usd(0))
        assert await self.agrees()
        return self

    async def agrees(self) -> bool:
        """Compare until a statement is new enough to say something, and twice."""
        for _ in range(2):
            self.desk.bench.wait(4)
            await self.execution.trader.renew()
            agreed = await self.execution.reconciler.turn()
            await self.execution.trader.turn()
        return agreed

    def signal(self, **changes: object) -> SignalRaised:
        now = self.desk.clock.now()
        given: dict[str, object] = {
            "observed_at": now,
            "ticker": self.market.ticker,
            "event_ticker": self.market.contract.event_ticker,
            "exchange_index": self.market.contract.shard,
            "quantity": contracts(2),
            "starts_at": Instant(now + HOUR),
            "expires_at": Instant(now + HOUR),
        }
        return signal(**(given | changes))

    async def buy(self, size: int = 2) -> None:
        """Two contracts at 50c from another member."""
        self.desk.other(self.market, "ask", "0.5000", f"{size}.00")
        self.book.apply_snapshot(
            [(cents(45), contracts(9))], [(cents(50), contracts(size))], self.desk.clock.now()
        )
        await self.execution.executor.on_signal(self.signal(), SCHEDULE)

    def moved_by_hand(self, amount: int) -> None:
        """Cash that comes or goes at the exchange, in micro-dollars."""
        self.desk.bench.account.deposit(0, amount)
        self.desk.bench.account.note(self.desk.clock.now())

    @property
    def cash(self) -> int:
        """What the exchange has of us, on all shards."""
        return sum(self.desk.bench.account.cash.values())

    @property
    def position(self) -> int:
        held = self.execution.account.positions.get(self.market.ticker)
        return held.quantity if held else 0

    async def is_stopped(self) -> bool:
        board = await self.execution.safety.breakers.board()
        return board.of(GLOBAL).state is State.OPEN


@pytest.fixture
async def floor() -> Floor:
    return await Floor().start()


async def test_a_new_account_is_opened_with_what_the_exchange_holds(floor: Floor) -> None:
    assert floor.execution.account.cash == floor.cash > 0
    assert floor.told == []


async def test_after_our_own_orders_cash_and_positions_agree_to_the_micro_dollar(floor: Floor) -> None:
    await floor.buy()
    assert floor.position == contracts(2)
    assert await floor.agrees()
    assert floor.execution.account.cash == floor.cash
    assert (floor.told, await floor.is_stopped()) == ([], False)


async def test_a_statement_read_too_soon_after_a_fill_is_no_difference(floor: Floor) -> None:
    floor.desk.bench.faults.read_lag_s = 8.0
    await floor.buy()
    for _ in range(3):
        floor.desk.bench.wait(1)
        assert not await floor.execution.reconciler.turn()
    assert floor.told == []


async def test_an_order_by_hand_shows_as_its_fill_its_position_and_its_cash(floor: Floor) -> None:
    floor.desk.other(floor.market, "ask", "0.5000", "3.00")
    await floor.desk.rest(floor.market, Side.YES, 50, 3)
    assert not await floor.agrees()
    assert {one.what for one in floor.told} == {"fill", "position", "cash"}
    assert [one.gap for one in floor.told if one.what == "position"] == [contracts(3)]
    assert await floor.is_stopped()


async def test_an_order_by_hand_that_rests_is_told_with_the_cash_it_ties_up_and_stays(floor: Floor) -> None:
    ref = await floor.desk.rest(floor.market, Side.YES, 1, 3)
    assert not await floor.agrees()
    assert [(one.what, one.subject) for one in floor.told] == [("cash", "all"), ("order", ref.order_id)]
    assert len(floor.desk.bench.account.resting()) == 1


async def test_money_put_in_is_taken_for_that(floor: Floor) -> None:
    before = floor.execution.account.cash
    floor.moved_by_hand(100 * DOLLAR)
    await floor.agrees()
    assert await floor.agrees()
    assert floor.execution.account.cash == before + 100 * DOLLAR
    assert not await floor.is_stopped()


async def test_money_that_is_missing_stops_all_trading(floor: Floor) -> None:
    floor.moved_by_hand(-DOLLAR)
    assert not await floor.agrees()
    assert await floor.is_stopped()
    await floor.buy()
    assert floor.position == 0


async def test_a_restart_agrees_with_what_was_traded_before_it(floor: Floor) -> None:
    await floor.buy()
    await floor.execution.trader.resign()
    await floor.start()
    assert (floor.position, floor.told) == (contracts(2), [])


async def test_a_payout_of_the_exchange_is_asked_to_be_settled_and_then_agrees(floor: Floor) -> None:
    await floor.buy()
    called: list[bool] = []
    floor.execution.reconciler.paid_out = lambda: called.append(True)
    bench = floor.desk.bench
    while floor.market.ticker in {
        p.ticker for p in (await floor.desk.portfolio.positions()).rows if p.quantity
    }:
        bench.wait(60)
    await floor.agrees()
    assert called
    assert floor.told == []
    [paid] = (await floor.desk.portfolio.settlements()).rows
    payout = ONE if paid.result is Result.YES else Price(0)
    await floor.execution.journal.settled(floor.market.ticker, payout, paid.result)
    assert await floor.agrees()
    assert floor.execution.account.cash == floor.cash


async def test_a_statement_with_a_row_nobody_can_read_proves_nothing(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = floor.desk.portfolio.fills

    async def torn(**asked: object) -> object:
        found = await whole(**asked)  # type: ignore[arg-type]
        found.quarantined.append(type("Row", (), {"reason": "a price that is a word"})())
        return found

    monkeypatch.setattr(floor.desk.portfolio, "fills", torn)
    with pytest.raises(MalformedError, match="the fills cannot be read whole: a price that is a word"):
        await floor.execution.reconciler.turn()
