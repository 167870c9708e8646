"""A small trading floor: one market, one live book, a paper gateway and an executor on virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import TypeVar

import pytest

from shared.backends.local.bus import LocalBus
from shared.backends.local.documents import SqliteDocuments
from shared.books.book import OrderBook
from shared.books.firewall import QuoteLimits
from shared.clock import HOUR, MINUTE, SECOND, Instant, ManualClock
from shared.execution.account import Account
from shared.execution.assemble import Execution, Rules, assemble
from shared.execution.executor import Executor
from shared.execution.gateway import Gateway
from shared.execution.paper import PaperGateway
from shared.execution.safety import SafetyPolicy
from shared.fees.kalshi import FeeSchedule
from shared.messages import (
    Certificate,
    FillRecorded,
    Message,
    OpportunityAssessed,
    OrderUpdated,
    SignalRaised,
    seal,
)
from shared.money import Price, Quantity, Usd
from shared.risk.limits import RiskLimits
from shared.terms import FeeType, MarketKind, OrderStatus, Period, Profile, Side
from tests.support.backends import rng
from tests.support.limits import DOLLAR, LIMITS

START = Instant(1_790_000_000 * SECOND)
TICKER, EVENT = "KXNFLGAME-26SEP28PHICHI-PHI", "KXNFLGAME-26SEP28PHICHI"
SCHEDULE = FeeSchedule(FeeType.QUADRATIC)
M = TypeVar("M", bound=Message)


def cents(value: int) -> Price:
    return Price(value * 10_000)


def contracts(value: int) -> Quantity:
    return Quantity(value * 100)


def assessed(**changes: object) -> OpportunityAssessed:
    """A side weighed again and found not worth its price any more."""
    given: dict[str, object] = {
        "observed_at": START,
        "opportunity_id": "o",
        "ticker": TICKER,
        "event_ticker": "E",
        "side": Side.YES,
        "profile": Profile.STANDARD,
        "accepted": False,
        "ask": cents(50),
        "reasons": ("thin_edge: net 1.00c, needs 5c",),
    }
    return OpportunityAssessed(**(given | changes))  # type: ignore[arg-type]


def signal(**changes: object) -> SignalRaised:
    """Buy YES at 52c or better, up to 100 contracts, good for five minutes."""
    given: dict[str, object] = {
        "observed_at": START,
        "signal_id": "signal-1",
        "opportunity_id": "opportunity-1",
        "ticker": TICKER,
        "event_ticker": EVENT,
        "side": Side.YES,
        "profile": Profile.STANDARD,
        "limit": cents(52),
        "quantity": contracts(100),
        "fair_probability": 0.60,
        "required_edge": 0.05,
        "net_edge": 0.06,
        "confidence": 70.0,
        "league": "NFL",
        "kind": MarketKind.WINNER,
        "odds_event_id": "0" * 32,
        "certificate": Certificate(
            verdict="identical",
            odds_event_id="0" * 32,
            league="NFL",
            kind=MarketKind.WINNER,
            period=Period.FULL_GAME,
            subject="Philadelphia Eagles",
        ),
        "starts_at": Instant(START + HOUR),
        "expires_at": Instant(START + 5 * MINUTE),
    }
    return seal(SignalRaised(**(given | changes)))  # type: ignore[arg-type]


def rules(limits: RiskLimits = LIMITS, **changes: object) -> Rules:
    """One executor alone, which needs no lease, no venue's word and no proof."""
    given: dict[str, object] = {
        "is_alone": True,
        "max_age_s": inf,
        "safety": SafetyPolicy("test", clean_fills=0),
    }
    return Rules(limits, QuoteLimits(), **(given | changes))  # type: ignore[arg-type]


@dataclass
class Floor:
    """Everything a test needs to move the market and look at what happened."""

    clock: ManualClock
    bus: LocalBus
    documents: SqliteDocuments
    book: OrderBook = field(default_factory=lambda: OrderBook(TICKER))
    rules: Rules = field(default_factory=rules)
    heard: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.paper = PaperGateway(
            lambda ticker: self.book if ticker == TICKER else None,
            lambda ticker: SCHEDULE,
            self.clock,
            latency_s=0,
        )
        self.use(self.paper)

    def use(self, gateway: Gateway, rules: Rules | None = None) -> Execution:
        """Execution through ``gateway`` from here on, as after a restart."""
        given = rules or self.rules
        self.execution = assemble(
            self.documents, self.bus, self.clock, rng(1), gateway, self.paper.book_of, given
        )
        return self.execution

    def make_executor(self, gateway: Gateway) -> Executor:
        return self.use(gateway).executor

    async def open(self, dollars: int = 10_000) -> None:
        """Put the money in, or find it there."""
        await self.execution.stored.open(Usd(dollars * DOLLAR))

    @property
    def executor(self) -> Executor:
        return self.execution.executor

    @property
    def account(self) -> Account:
        return self.execution.account

    def asks(self, *levels: tuple[int, int]) -> None:
        """Set the YES asks, (cents, contracts) each; a NO ask stands at 55c."""
        no_bids = [(cents(100 - price), contracts(size)) for price, size in levels]
        self.book.apply_snapshot([(cents(45), contracts(50))], no_bids, self.clock.now())

    async def said(self, kind: type[M]) -> list[M]:
        await self.bus.drain()
        return [message for message in self.heard if isinstance(message, kind)]

    async def last_status(self) -> OrderStatus:
        return (await self.said(OrderUpdated))[-1].status

    async def filled(self) -> int:
        return sum(fill.quantity for fill in await self.said(FillRecorded))


@pytest.fixture
async def floor(tmp_path: Path) -> AsyncIterator[Floor]:
    clock = ManualClock(START)
    bus = LocalBus(clock)
    documents = SqliteDocuments(tmp_path / "documents.sqlite")
    made = Floor(clock, bus, documents)
    await made.open()

    async def hear(message: Message) -> None:
        made.heard.append(message)

    for topic in (OrderUpdated.TOPIC, FillRecorded.TOPIC):
        bus.subscribe(topic, f"test-{topic}", hear)
    made.asks((50, 30), (52, 40), (53, 500))
    yield made
    await bus.close()
    await documents.close()
