"""Executors of one account over a store in memory, and a venue that answers what a test tells it."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from shared.backends.memory.bus import DirectBus
from shared.backends.memory.documents import MemoryDocuments
from shared.books.book import OrderBook
from shared.books.firewall import QuoteLimits
from shared.clock import Clock, Instant, ManualClock
from shared.execution.assemble import Execution, Rules, assemble
from shared.execution.gateway import Accepted, Gateway, Outcome, RestingOrder, Statement, Unknown, VenueFill
from shared.execution.safety import SafetyPolicy
from shared.execution.trader import Examine, nothing_to_examine
from shared.messages import BY_TOPIC, Message
from shared.money import Quantity, Usd
from shared.orders.ledger import Fill, Position
from shared.ports import Documents
from shared.risk.controls import Proposal
from shared.risk.gate import ApprovedOrder
from shared.risk.limits import RiskLimits
from tests.execution.conftest import EVENT, START, TICKER, cents, contracts
from tests.execution.desk import UNHURRIED
from tests.support.backends import rng
from tests.support.limits import DOLLAR

M = TypeVar("M", bound=Message)
CASH = Usd(10_000 * DOLLAR)


def fill_of(order: Proposal, name: str, price: int, size: int, fee: int = 0) -> Fill:
    """A fill of ``order`` at ``price`` cents."""
    return Fill(name, order.ticker, order.event_ticker, order.side, cents(price), contracts(size), Usd(fee))


class Venue:
    """Answers creates from ``answers``, then by ``otherwise``; questions from ``standing``, by order id."""

    mode = "live"

    def __init__(self, otherwise: Callable[[Proposal], Outcome] | None = None) -> None:
        self.otherwise = otherwise or (lambda _: Accepted("venue", (), Quantity(0)))
        self.answers: deque[Outcome | Exception | Callable[[Proposal], Outcome]] = deque()
        self.standing: dict[str, Outcome | Exception | Callable[[Proposal], Outcome]] = {}
        self.placed: list[Proposal] = []
        self.log: list[str] = []
        self.canceled: list[str] = []
        self.said: Statement | Exception | None = None
        self.on_cancel: Callable[[str], None] = lambda _: None
        self.while_placing: Callable[[], Awaitable[None]] | None = None
        self.while_stating: Callable[[], Awaitable[None]] | None = None

    async def place(self, order: ApprovedOrder) -> Outcome:
        """Take the next answer."""
        self.placed.append(order.proposal)
        self.log.append(f"place {order.proposal.client_order_id}")
        if self.while_placing is not None:
            await self.while_placing()
        return _said(self.answers.popleft() if self.answers else self.otherwise, order.proposal)

    async def resolve(self, proposal: Proposal) -> Outcome:
        """What stands for this order, or that nobody knows."""
        self.log.append(f"resolve {proposal.client_order_id}")
        return _said(self.standing.get(proposal.client_order_id, Unknown("no answer")), proposal)

    async def cancel(self, venue_order_id: str, ticker: str, shard: int | None = None) -> None:
        """Remember it."""
        self.log.append(f"cancel {venue_order_id}")
        self.canceled.append(venue_order_id)
        self.on_cancel(venue_order_id)

    def prepare(self) -> None:
        """Nothing takes time here."""

    async def cancel_all(self) -> None:
        """Remember it."""
        self.canceled.append("all")

    async def statement(self, since: Instant) -> Statement | None:
        """What was said."""
        if self.while_stating is not None:
            await self.while_stating()
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


def _said(answer: Outcome | Exception | Callable[[Proposal], Outcome], proposal: Proposal) -> Outcome:
    if isinstance(answer, Exception):
        raise answer
    return answer(proposal) if callable(answer) else answer


def leased(limits: RiskLimits = UNHURRIED, **changes: Any) -> Rules:
    """Rules of an executor among others, with nothing to prove."""
    given: dict[str, Any] = {"safety": SafetyPolicy("test", clean_fills=0)}
    return Rules(limits, QuoteLimits(), **(given | changes))


@dataclass
class House:
    """One account and its store; every :meth:`executor` is a process of its own."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    documents: Documents = field(default_factory=MemoryDocuments)
    heard: list[Message] = field(default_factory=list)
    books: dict[str, OrderBook] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bus = DirectBus()
        for topic in BY_TOPIC:
            self.bus.subscribe(topic, "test", self._hear)
        self.asks((50, 30), (52, 40), (53, 500))

    async def _hear(self, message: Message) -> None:
        self.heard.append(message)

    def executor(
        self,
        venue: Gateway,
        rules: Rules | None = None,
        clock: Clock | None = None,
        documents: Documents | None = None,
        examine: Examine = nothing_to_examine,
    ) -> Execution:
        """A new process over the same store."""
        given = rules or leased()
        return assemble(
            documents or self.documents,
            self.bus,
            clock or self.clock,
            rng(len(given.holder)),
            venue,
            self.books.get,
            given,
            examine,
        )

    async def opened(self, venue: Gateway, rules: Rules | None = None, **more: Any) -> Execution:
        """A new process that trades: the account is there, the lease taken, the venue agrees."""
        execution = self.executor(venue, rules, **more)
        await execution.stored.open(CASH)
        if isinstance(venue, Venue) and venue.said is None:
            await execution.begin(CASH)
            return execution
        self.tick(3)
        await execution.begin(CASH)
        return execution

    def tick(self, seconds: float) -> None:
        """Move the clock without waking anybody; books stay fresh."""
        self.clock.set(Instant(self.clock.now() + int(seconds * 1_000_000)))
        for book in self.books.values():
            book.touch(self.clock.now())

    def asks(self, *levels: tuple[int, int], ticker: str = TICKER) -> None:
        """Set the YES asks, (cents, contracts) each; a NO ask stands at 55c."""
        book = self.books.setdefault(ticker, OrderBook(ticker))
        no_bids = [(cents(100 - price), contracts(size)) for price, size in levels]
        book.apply_snapshot([(cents(45), contracts(50))], no_bids, self.clock.now())

    def said(self, kind: type[M]) -> list[M]:
        """Messages of one kind so far."""
        return [message for message in self.heard if isinstance(message, kind)]


def statement(
    as_of: Instant,
    cash: Usd = CASH,
    positions: Mapping[str, tuple[Quantity, Usd]] | None = None,
    resting: tuple[RestingOrder, ...] = (),
    fills: tuple[VenueFill, ...] = (),
    paid: frozenset[str] = frozenset(),
) -> Statement:
    """What a venue says; positions as lots and their cost."""
    held = {ticker: Position(ticker, EVENT, lots, cost) for ticker, (lots, cost) in (positions or {}).items()}
    return Statement(as_of, cash, held, resting, fills, paid)
