"""Joins the execution of one account: the same parts for live, paper, replay and every test of them."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from shared.books.book import OrderBook
from shared.books.firewall import QuoteLimits
from shared.clock import Clock
from shared.errors import ArbError, OperatorError
from shared.execution.account import Account
from shared.execution.breakers import Breakers
from shared.execution.executor import Executor
from shared.execution.gateway import Gateway
from shared.execution.journal import Journal
from shared.execution.policy import OrderPolicy
from shared.execution.reconcile import Reconciler
from shared.execution.reservations import MAX_AGE_S, Reservations
from shared.execution.safety import Safety, SafetyPolicy
from shared.execution.stored_book import ACCOUNT, StoredBook
from shared.execution.trader import Authority, Examine, Trader, nothing_to_examine
from shared.lease import LIFE_S, DocumentLease
from shared.money import Usd
from shared.ports import Bus, Documents
from shared.risk.book import Holding
from shared.risk.controls import CONTROLS, SAFEGUARDS
from shared.risk.gate import Gate
from shared.risk.limits import RiskLimits

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rules:
    """How one account trades. Seconds of the clock.

    ``holder`` names this executor among all that ever act for the account. ``is_alone`` says that no other
    can exist, so that no lease is needed. ``max_age_s`` is how long ago the venue may last have agreed.
    """

    limits: RiskLimits
    quotes: QuoteLimits
    safety: SafetyPolicy
    orders: OrderPolicy = field(default_factory=OrderPolicy)
    account: str = ACCOUNT
    holder: str = "executor"
    is_alone: bool = False
    max_age_s: float = MAX_AGE_S
    lease_s: float = LIFE_S


@dataclass(frozen=True, slots=True)
class Execution:
    """The parts of one account's execution."""

    stored: StoredBook
    account: Account
    safety: Safety
    journal: Journal
    executor: Executor
    reconciler: Reconciler
    trader: Trader

    async def begin(self, cash: Usd) -> None:
        """Open the account, with ``cash`` if it is new; take the lease if it is free; be ready if possible.

        A venue that does not answer now leaves the executor waiting: the turns to come ask again.
        """
        if not await self.stored.exists():
            await self._open(cash)
        await self.trader.renew()
        for turn in (self.trader.turn, self.trader.reconcile, self.trader.turn):
            await _if_possible(turn)

    async def _open(self, cash: Usd) -> None:
        """A new book starts with what the venue says the account has, where there is a venue to say it."""
        statement = await self.executor.gateway.statement(self.stored.clock.now())
        if statement is None:
            await self.stored.open(cash)
            return
        held = {
            ticker: Holding(position.event_ticker, "", position)
            for ticker, position in statement.positions.items()
        }
        await self.stored.open(statement.cash, held, statement.as_of)


async def _if_possible(turn: Callable[[], Awaitable[object]]) -> None:
    try:
        await turn()
    except OperatorError:
        raise
    except (ArbError, OSError) as exc:
        _log.warning("not ready yet: %s", exc)


def assemble(
    documents: Documents,
    bus: Bus,
    clock: Clock,
    rng: random.Random,
    gateway: Gateway,
    book_of: Callable[[str], OrderBook | None],
    rules: Rules,
    examine: Examine = nothing_to_examine,
    stopwatch: Callable[[], int] = time.perf_counter_ns,
) -> Execution:
    """Everything between a signal and its fills, over the given store, bus and venue."""
    stored = StoredBook(documents, rules.account, clock, rng)
    account = Account(stored)
    safety = Safety(account, Breakers(documents, clock, rng, rules.holder), bus, clock, rules.safety)
    gate = Gate(rules.limits, CONTROLS + SAFEGUARDS)
    reservations = Reservations(stored, rules.holder, gate, safety.guard, rules.max_age_s, one_a_market=True)
    journal = Journal(reservations, bus, clock, gateway.mode)
    authority = Authority(clock)
    executor = Executor(
        book_of,
        gateway,
        rules.limits,
        account,
        journal,
        safety,
        clock,
        rules.quotes,
        (lambda: 0) if rules.is_alone else authority.epoch,
        rules.orders,
        stopwatch,
    )
    reconciler = Reconciler(stored, gateway, journal, safety, bus, clock)
    lease = DocumentLease(documents, clock, rules.holder, life_s=rules.lease_s)
    trader = Trader(authority, lease, stored, account, journal, executor, reconciler, clock, examine)
    return Execution(stored, account, safety, journal, executor, reconciler, trader)
