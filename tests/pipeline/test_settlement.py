"""Results to profit and loss from a scheduled call, beside the process that trades."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from shared.backends.memory.bus import DirectBus
from shared.backends.memory.documents import MemoryDocuments
from shared.bootstrap import settlement
from shared.clock import HOUR, Instant, ManualClock
from shared.config import load
from shared.errors import RetryLaterError
from shared.execution.stored_book import ACCOUNT, StoredBook
from shared.messages import MarketListed, MarketResolved, MarketSettled, Message, PositionChanged
from shared.money import Price, Quantity, Usd
from shared.orders.ledger import Position
from shared.pipeline.places import MAPPINGS
from shared.pipeline.settlement import SettlementReport
from shared.risk.book import Holding
from shared.terms import MarketStatus, Result
from shared.venues.kalshi.client import Rows
from tests.support.backends import rng

TICKER = "KXNFLGAME-26SEP28PHICHI-PHI"


class Exchange:
    """Says how markets stand."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock, self.status, self.result = clock, MarketStatus.ACTIVE, Result.PENDING

    async def markets(self, tickers: Sequence[str]) -> Rows[MarketListed]:
        rows = [
            MarketListed(
                observed_at=self.clock.now(),
                ticker=ticker,
                event_ticker="E",
                series_ticker="S",
                status=self.status,
                result=self.result,
            )
            for ticker in tickers
        ]
        return Rows(rows, [])

    def ended(self) -> None:
        self.status, self.result = MarketStatus.FINALIZED, Result.YES


class Desk:
    """An account that holds ten contracts at 40 cents, and a settlement that shares its book."""

    def __init__(self, given: dict[str, str] | None = None) -> None:
        self.clock = ManualClock(Instant(1_790_000_000_000_000))
        self.documents, self.bus, self.exchange = MemoryDocuments(), DirectBus(), Exchange(self.clock)
        self.heard: list[Message] = []
        self.deaf = False
        for topic in (MarketSettled.TOPIC, PositionChanged.TOPIC, MarketResolved.TOPIC):
            self.bus.subscribe(topic, "test", self._hear)
        settings = load(given or {}, dotenv=None)
        self.settlement = settlement(
            self.documents,
            self.bus,
            self.clock,
            self.exchange,  # type: ignore[arg-type]  # all that is asked of a client
            settings,
        )

    async def _hear(self, message: Message) -> None:
        if self.deaf:
            raise RetryLaterError("nobody listens")
        self.heard.append(message)

    async def opened(self) -> Desk:
        position = Position(TICKER, "E", Quantity(1_000), Usd(4_000_000), Usd(170_000))
        stored = StoredBook(self.documents, ACCOUNT, self.clock, rng(1))
        await stored.open(Usd(95_830_000), {TICKER: Holding("E", "nfl", position)})
        return self

    @property
    def paid(self) -> list[tuple[Usd, Price]]:
        return [(one.pnl, one.payout_yes) for one in self.heard if isinstance(one, MarketSettled)]


@pytest.fixture
async def desk() -> Desk:
    return await Desk().opened()


async def test_an_account_that_never_traded_has_nothing_to_settle() -> None:
    report = await Desk().settlement.turn()
    assert (report.held, report.paid) == (0, 0)
    assert "nothing was ever traded" in report.note


async def test_a_market_that_is_open_is_left_alone(desk: Desk) -> None:
    assert await desk.settlement.turn() == SettlementReport(held=1, paid=0)
    assert desk.heard == []


async def test_a_result_is_paid_once_and_told_with_its_profit(desk: Desk) -> None:
    desk.exchange.ended()
    assert await desk.settlement.turn() == SettlementReport(held=1, paid=1)
    assert await desk.settlement.turn() == SettlementReport(held=0, paid=0)
    assert desk.paid == [(Usd(5_830_000), Price(1_000_000))]


async def test_a_payout_that_could_not_be_told_is_told_by_the_next_call(desk: Desk) -> None:
    desk.exchange.ended()
    desk.deaf = True
    assert (await desk.settlement.turn()).paid == 1
    assert desk.heard == []
    desk.deaf = False
    assert await desk.settlement.turn() == SettlementReport(held=0, paid=0)
    assert len(desk.paid) == 1


async def test_a_game_that_is_mapped_is_told_of_though_nothing_is_held(desk: Desk) -> None:
    started = desk.clock.now() - 3 * HOUR
    mapping = {"odds_event_id": "game", "starts_at": started, "markets": {"OTHER": {}}}
    await desk.documents.create(f"{MAPPINGS}/game", mapping)
    desk.exchange.ended()
    assert (await desk.settlement.turn()).results == 1
    assert [one.ticker for one in desk.heard if isinstance(one, MarketResolved)] == ["OTHER"]


async def test_what_is_booked_says_how_it_was_traded() -> None:
    for live in ("true", "false"):
        desk = await Desk({"LIVE_ORDERS": live}).opened()
        assert desk.settlement._journal.mode == ("live" if live == "true" else "paper")


async def test_what_another_process_has_paid_is_not_paid_again(desk: Desk) -> None:
    desk.exchange.ended()
    await desk.settlement.turn()
    other = settlement(
        desk.documents,
        desk.bus,
        desk.clock,
        desk.exchange,  # type: ignore[arg-type]
        load({}, dotenv=None),
    )
    assert await other.turn() == SettlementReport(held=0, paid=0)
    assert len(desk.paid) == 1
