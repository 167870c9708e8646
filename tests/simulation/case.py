"""The case before the referee: what the store says, what the exchange itself says, and what was seen happen.

Documents are read here and nowhere else, so that another shape of them is a change of this module.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from shared.clock import Instant
from shared.messages import OpportunityAssessed, OrderUpdated, SignalRaised
from shared.money import LOTS, Usd
from shared.orders.intent import client_order_id
from shared.orders.state import TERMINAL
from shared.ports import Value
from shared.risk.book import Book, decode_book
from shared.risk.controls import Proposal
from shared.risk.gate import Verdict
from shared.risk.limits import RiskLimits
from shared.simulator.accounts import Account
from shared.simulator.tickets import MemberOrder
from shared.terms import OrderStatus
from tests.simulation.loop import SimulationLoop
from tests.simulation.network import Exchange
from tests.simulation.plan import Plan
from tests.simulation.process import Incarnation, Machine
from tests.simulation.store import Store

BOOK = "risk/main"
LEASE = "leases/executor"
# More than any policy makes of one signal.
_ATTEMPTS = 12


@dataclass(frozen=True, slots=True)
class Intent:
    """An order's document, as far as the referee asks."""

    order_id: str
    proposal: Proposal
    signal_id: str
    status: OrderStatus
    controls: frozenset[str]
    filled: int  # lots of fills on the document
    fills: tuple[str, ...]

    @property
    def is_over(self) -> bool:
        """Whether nothing more is expected of it."""
        return self.status in TERMINAL


def intent_of(value: Value) -> Intent:
    """The order of a document."""
    order = value["order"]
    proposal: Proposal = msgspec.convert(value["proposal"], Proposal)
    fills = value["fills"]
    return Intent(
        proposal.client_order_id,
        proposal,
        order["signal_id"],
        OrderStatus(order["status"]),
        frozenset(order["controls"]),
        sum(fill["quantity"] for fill in fills),
        tuple(fill["fill_id"] for fill in fills),
    )


@dataclass(frozen=True, slots=True)
class Sent:
    """An order that left a process at ``at``; from ``asked`` on it was in the network's hands."""

    order_id: str
    ticker: str
    by: Incarnation
    asked: float
    at: float
    epoch: int


@dataclass(frozen=True, slots=True)
class Doubted:
    """An order refused, as it was answered inside a process."""

    verdict: Verdict
    by: Incarnation
    at: float


@dataclass(frozen=True, slots=True)
class Weighed:
    """A side that was weighed anew, as one process took it in."""

    by: Incarnation
    assessed: OpportunityAssessed
    at: float

    def concerns(self, signal: SignalRaised) -> bool:
        """Whether it was weighed after ``signal`` was raised on that side."""
        of = (self.assessed.ticker, self.assessed.side)
        return of == (signal.ticker, signal.side) and self.assessed.observed_at > signal.observed_at


@dataclass
class Case:
    """Everything there is to judge by."""

    plan: Plan
    loop: SimulationLoop
    store: Store
    exchange: Exchange
    machines: list[Machine]
    limits: RiskLimits
    deposits: Usd
    start: Instant
    signals: dict[str, SignalRaised] = field(default_factory=dict)
    bad_signals: dict[str, str] = field(default_factory=dict)
    intents: dict[str, Intent] = field(default_factory=dict)
    leases: dict[str, int] = field(default_factory=dict)  # last epoch of every holder
    epochs: dict[str, int] = field(default_factory=dict)  # of who stored an intent, by the lease
    opened_by: dict[str, Incarnation | None] = field(default_factory=dict)
    paid: dict[str, int] = field(default_factory=dict)  # markets, by how many orders were stored before
    booked: list[str] = field(default_factory=list)  # fills, in the order in which they were booked
    sent: list[Sent] = field(default_factory=list)
    refusals: list[Doubted] = field(default_factory=list)
    told: list[OrderUpdated] = field(default_factory=list)  # refusals that were published
    weighed: list[Weighed] = field(default_factory=list)
    halts: list[tuple[float, bool]] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    _attempts: dict[str, str] = field(default_factory=dict)
    _derived: int = 0

    @property
    def account(self) -> Account:
        """The exchange's own books about us."""
        return self.exchange.account

    @property
    def orders(self) -> Mapping[str, MemberOrder]:
        """The exchange's own orders of ours."""
        return self.account.orders

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return self.loop.time()

    def count(self, what: str) -> None:
        """Keep statistics."""
        self.counts[what] = self.counts.get(what, 0) + 1

    def book(self) -> Book:
        """The stored risk book, whole."""
        value = self.store.value(BOOK)
        assert value is not None
        return decode_book(value)

    def raw_book(self) -> Value:
        """The stored risk book as it lies there: quicker."""
        value = self.store.value(BOOK)
        assert value is not None
        return value

    def signal_of(self, order_id: str) -> str:
        """The signal of which an order is an attempt, empty if there is none."""
        for signal_id in list(self.signals)[self._derived :]:
            self._attempts |= {client_order_id(signal_id, 0, one): signal_id for one in range(_ATTEMPTS)}
        self._derived = len(self.signals)
        return self._attempts.get(order_id, "")

    def open_intents(self) -> list[Intent]:
        """Orders whose end is not stored."""
        return [one for one in self.intents.values() if not one.is_over]

    def at_exchange(self, order_id: str) -> list[MemberOrder]:
        """The exchange's orders that carry our id."""
        return [one for one in self.orders.values() if one.client_order_id == order_id]

    def halted_since(self) -> float | None:
        """Since when a halt stands in the store; ``None`` while there is none."""
        if not self.halts or not self.halts[-1][1]:
            return None
        since = self.halts[-1][0]
        for at, halted in reversed(self.halts):
            if not halted:
                break
            since = at
        return since


def halted_by(value: Mapping[str, Any]) -> bool:
    """Whether a halt's document says stop."""
    return bool(value["halted"])


def realized(account: Account, unpaid: Collection[str] = ()) -> int:
    """What the exchange says was earned, fees paid, micro-dollars; nothing of the ``unpaid`` markets."""
    known = [one for ticker, one in account.positions.items() if ticker not in unpaid]
    return sum(position.realized - position.fees for position in known)


def open_cost(account: Account) -> int:
    """What the exchange says that the open positions cost."""
    return sum(position.cost for position in account.positions.values())


def cost_of(order: MemberOrder) -> Usd:
    """Most that an order can cost without fees, micro-dollars."""
    return Usd(order.unit * order.initial // LOTS)
