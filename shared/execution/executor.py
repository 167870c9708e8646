"""The executor: signal, live book, re-check, gate, durable intent, order, fills, ledger.

One order a market at a time. Nothing is sent before its intent is durable. An unknown outcome blocks its
market until the venue has been asked; it is never counted as zero fills. Every refusal is published with all
its reasons.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.books.book import OrderBook
from shared.books.firewall import QuoteLimits
from shared.clock import Clock
from shared.errors import AlreadyExistsError
from shared.execution.decide import decide, is_expired, limit_holds
from shared.execution.gateway import Accepted, Gateway, Outcome, Rejected, Unknown
from shared.execution.journal import Journal
from shared.fees.kalshi import FeeSchedule
from shared.idempotence import Seen
from shared.messages import OpportunityAssessed, SignalRaised
from shared.money import Quantity
from shared.orders.intent import client_order_id
from shared.risk.account import Account
from shared.risk.controls import Proposal
from shared.risk.gate import ApprovedOrder, Gate, Verdict
from shared.risk.limits import RiskLimits
from shared.terms import OrderStatus
from shared.trace import Ids, about

_log = logging.getLogger(__name__)

# A rate limit passes by itself; every other refusal would be repeated for as long as the signal lives.
_PASSING = frozenset({"order_rate"})
# Reasons that speak of the quote of the moment, not of what the contract is worth. Where nobody offers the
# side no worth is told, and a signal could outlive what it was raised on.
_OF_THE_QUOTE = frozenset(
    {"thin_edge", "stale_quote", "thin", "wide", "one_sided", "crossed", "off_grid", "sentinel"}
)


@dataclass(slots=True)
class Watch:
    """A signal being worked: what it still wants, and what has been tried."""

    signal: SignalRaised
    schedule: FeeSchedule
    wanted: Quantity
    attempt: int = 0
    last_reason: str = ""
    reported: set[str] = field(default_factory=set)


class Executor:
    """Works signals against live books through one gateway, for one account."""

    def __init__(
        self,
        book_of: Callable[[str], OrderBook | None],
        gateway: Gateway,
        gate: Gate,
        account: Account,
        journal: Journal,
        clock: Clock,
        quotes: QuoteLimits,
        stopwatch: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self._book_of, self._gateway, self._gate = book_of, gateway, gate
        self.account, self._journal = account, journal
        self._clock, self._quotes, self._stopwatch = clock, quotes, stopwatch
        self.watched: dict[str, Watch] = {}
        self.schedules: dict[str, FeeSchedule] = {}
        self.blocked: dict[str, str] = {}
        self._flying: set[str] = set()
        self._known: Seen[str] = Seen()

    @property
    def mode(self) -> str:
        """paper or live."""
        return self._gateway.mode

    @property
    def limits(self) -> RiskLimits:
        """Limits of the gate."""
        return self._gate.limits

    async def on_signal(self, signal: SignalRaised, schedule: FeeSchedule) -> None:
        """Start working a signal, once; a newer one for the same market takes the older one's place."""
        current, now = self.watched.get(signal.ticker), self._clock.now()
        if signal.signal_id in self._known:
            return
        self._known.add(signal.signal_id)
        if current is not None and signal.observed_at < current.signal.observed_at <= now:
            return
        self.watched[signal.ticker] = Watch(signal, schedule, signal.quantity)
        self.schedules[signal.ticker] = schedule
        await self.on_book(signal.ticker)

    def reconsider(self, opportunity: OpportunityAssessed) -> None:
        """Stop working a signal whose ground is gone: the books moved, the game began, the market closed.

        A rejection only because the price moved away keeps the signal, as long as its limit is still worth
        paying: the price may come back.
        """
        watch = self.watched.get(opportunity.ticker)
        if watch is None or watch.signal.side is not opportunity.side:
            return
        if opportunity.observed_at < watch.signal.observed_at <= self._clock.now():
            return
        if not _stands(watch, opportunity):
            self.watched.pop(opportunity.ticker, None)

    def forget(self, ticker: str) -> None:
        """Drop a market that is over; an order on its way, and what blocks the market, stay."""
        if ticker not in self._flying:
            self.watched.pop(ticker, None)
            self.schedules.pop(ticker, None)

    async def on_book(self, ticker: str) -> None:
        """Look at a watched market whose book has changed, and send if it is worth it."""
        watch = self.watched.get(ticker)
        if watch is None or ticker in self._flying or ticker in self.blocked:
            return
        started = self._stopwatch()
        order = await self._proposed(watch)
        if order is None:
            return
        self._flying.add(ticker)
        signal, order_id = watch.signal, order.proposal.client_order_id
        try:
            with about(Ids(signal.trace_id, order_id, signal.signal_id, ticker)):
                await self._send(watch, order, started)
        finally:
            self._flying.discard(ticker)

    async def _proposed(self, watch: Watch) -> ApprovedOrder | None:
        """An approved order for the book as it is, or ``None`` with the reason kept."""
        signal, book = watch.signal, self._book_of(watch.signal.ticker)
        now = self._clock.now()
        if book is None:
            watch.last_reason = "no live book: not seen yet, or the market is halted"
            return None
        order_id = client_order_id(signal.signal_id, 0, watch.attempt)
        limits, quotes = self._gate.limits, self._quotes
        found = decide(signal, book, watch.schedule, limits, quotes, watch.wanted, order_id, now)
        if isinstance(found, str):
            watch.last_reason = found
            if is_expired(signal, now):
                self._done(watch)
            return None
        view = self.account.view(found.event, found.sport, now)
        verdict = self._gate.judge(found, view)
        if verdict.approved:
            return self._gate.approve(verdict)
        await self._refused(watch, verdict)
        return None

    async def _refused(self, watch: Watch, verdict: Verdict) -> None:
        controls = {refusal.control for refusal in verdict.refusals}
        watch.last_reason = "; ".join(verdict.reasons)
        if not controls <= watch.reported:
            watch.reported |= controls
            await self._journal.refused(watch.signal, verdict, self._gateway.mode)
        if not controls <= _PASSING:
            self._done(watch)

    def _done(self, watch: Watch) -> None:
        """Stop working a signal; a newer one that took its place meanwhile stays."""
        if self.watched.get(watch.signal.ticker) is watch:
            del self.watched[watch.signal.ticker]

    async def _send(self, watch: Watch, order: ApprovedOrder, started: int) -> None:
        proposal = order.proposal
        watch.attempt += 1
        stamps = {"decided": self._stopwatch() - started}
        self.account.reserve(proposal)
        try:
            await self._journal.intend(watch.signal, order, self._gateway.mode)
        except AlreadyExistsError:
            self.account.release(proposal.client_order_id)
            self.blocked[proposal.ticker] = f"order {proposal.client_order_id} was sent by an earlier run"
            return
        stamps["durable"] = self._stopwatch() - started
        outcome = await self._place(order)
        stamps["answered"] = self._stopwatch() - started
        await self._follow(watch, order, outcome, stamps)

    async def _place(self, order: ApprovedOrder) -> Outcome:
        """Send; whatever goes wrong on the way leaves the outcome unknown, never rejected."""
        if self.account.halted:  # while the intent was being written
            return Rejected("halt", self.account.halted)
        try:
            return await self._gateway.place(order)
        except Exception as exc:  # a bug below must not be read as "nothing happened"
            _log.exception("an order was sent, and what became of it is not known")
            return Unknown(f"{type(exc).__name__} while sending")

    async def _follow(
        self, watch: Watch, order: ApprovedOrder, outcome: Outcome, stamps: dict[str, int]
    ) -> None:
        proposal = order.proposal
        match outcome:
            case Accepted():
                await self._booked(watch, proposal, outcome, stamps)
            case Rejected(code, reason):
                self.account.release(proposal.client_order_id)
                self._done(watch)
                reasons = (f"{code}: {reason}",)
                await self._journal.ended(proposal.client_order_id, OrderStatus.REJECTED, reasons, stamps)
            case Unknown(reason):
                # The reservation stays: the money may be spent.
                self.blocked[proposal.ticker] = reason
                await self._journal.ended(proposal.client_order_id, OrderStatus.UNKNOWN, (reason,), stamps)

    async def _booked(
        self, watch: Watch, proposal: Proposal, outcome: Accepted, stamps: dict[str, int]
    ) -> None:
        now = self._clock.now()
        fills = tuple(fill for fill in outcome.fills if self.account.filled(fill, now))
        self.account.release(proposal.client_order_id)
        filled = sum(fill.quantity for fill in fills)
        watch.wanted = Quantity(watch.wanted - filled)
        if watch.wanted <= 0:
            self._done(watch)
        status = OrderStatus.FILLED if filled == proposal.quantity else OrderStatus.CANCELED
        position = self.account.ledger.positions.get(proposal.ticker)
        await self._journal.filled(proposal.client_order_id, outcome, fills, status, position, stamps)


def _stands(watch: Watch, opportunity: OpportunityAssessed) -> bool:
    """Whether a newer assessment of its side leaves a signal's ground as it was."""
    signal, fair = watch.signal, opportunity.fair
    if fair is not None and not limit_holds(signal, watch.schedule, fair.probability):
        return False
    if opportunity.accepted:
        return True
    codes = {reason.partition(":")[0] for reason in opportunity.reasons}
    in_reach = opportunity.ask is not None and opportunity.ask <= signal.limit
    return not in_reach and codes <= _OF_THE_QUOTE
