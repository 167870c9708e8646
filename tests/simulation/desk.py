"""An executor put together from today's parts, so that there is something real to break.

It stands where the execution service will stand: same host, same documents. One order a market; intent and
reservation in one batch; unknown outcomes block their market until the exchange has told; one executor acts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

import msgspec

from shared.books.firewall import QuoteLimits
from shared.clock import MINUTE, Instant
from shared.errors import AlreadyExistsError, ArbError, MalformedError
from shared.execution import halt
from shared.execution.books import BookKeeper
from shared.execution.breakers import Breakers
from shared.execution.decide import decide, is_expired
from shared.execution.gateway import Accepted, Outcome, Rejected, Unknown
from shared.execution.guard import OrderGuard
from shared.execution.live import LiveGateway
from shared.execution.reservations import Refused, Reservations
from shared.execution.stored_book import StoredBook
from shared.fees.kalshi import FeeSchedule, schedule_for
from shared.lease import DocumentLease
from shared.messages import Message, OrderUpdated, SignalRaised, seal
from shared.money import Quantity
from shared.orders.intent import client_order_id
from shared.orders.ledger import Fill
from shared.orders.state import TERMINAL
from shared.ports import Term, Value
from shared.risk.controls import CONTROLS, SAFEGUARDS, Proposal
from shared.risk.cooldown import Cooldowns
from shared.risk.gate import ApprovedOrder, Gate, Verdict
from shared.risk.safeguards import Safeguards
from shared.terms import OrderStatus
from shared.venues.kalshi.client import KalshiClient
from shared.venues.kalshi.events import Lifecycle, LifecycleKind, StreamEvent
from shared.venues.kalshi.portfolio import KalshiPortfolio
from shared.venues.kalshi.private import PrivateFeed
from shared.venues.kalshi.protocol import StreamProtocol
from shared.venues.kalshi.stream import KalshiStream
from shared.venues.kalshi.trading import KalshiTrading
from shared.venues.retry import Retry
from tests.simulation.process import Host

T = TypeVar("T")

_RENEW_S = 5.0
_RECONCILE_S = 3.0
_LOOK_AGAIN_S = 3.0
_TROUBLE = (ArbError, OSError)
# Refusals that pass by themselves: the signal goes on.
_PASSING = frozenset({"order_rate", "risk_state", "breaker", "canary"})


async def trade(host: Host) -> None:
    """Run an executor on ``host`` until cancelled."""
    desk = Desk(host)
    try:
        async with asyncio.TaskGroup() as tasks:
            for duty in (desk.lead, desk.follow, desk.breakers.follow, desk.reconcile, desk.sweep):
                tasks.create_task(duty())
    finally:
        await desk.close()


@dataclass(slots=True)
class Work:
    """A signal being worked."""

    signal: SignalRaised
    schedule: FeeSchedule
    wanted: Quantity
    attempt: int = 0


class Desk:
    """One executor."""

    def __init__(self, host: Host) -> None:
        self.host, self.clock = host, host.clock
        client = KalshiClient(
            host.transport,
            host.clock,
            Retry(host.clock, host.rng.random),
            base_url=host.base_url,
            signer=host.signer,
        )
        self.portfolio = KalshiPortfolio(client, host.clock)
        self.feed = PrivateFeed(host.clock, Instant(host.clock.now() - MINUTE))
        protocol = StreamProtocol(account=True)
        self.stream = KalshiStream(host.connect, host.clock, host.rng.random, protocol)
        self.keeper = BookKeeper()
        self.shards: dict[str, int] = {}
        trading = KalshiTrading(client, host.clock)
        self.gateway = LiveGateway(trading, self.portfolio, self.feed, self.shards.get, host.clock)
        self.breakers = Breakers(host.documents, host.clock, host.rng, host.holder)
        self.guard = OrderGuard(
            lambda: "", self.breakers, Cooldowns(), host.clock, ("orders",), "v1", clean_fills_needed=0
        )
        self.book = StoredBook(host.documents, "main", host.clock, host.rng)
        gate = Gate(host.limits, CONTROLS + SAFEGUARDS)
        self.reservations = Reservations(self.book, host.holder, gate, self.safeguards)
        self.lease = DocumentLease(host.documents, host.clock, host.holder)
        self.term: Term | None = None
        self.halted = "not read yet"
        self.works: dict[str, Work] = {}
        self.blocked: dict[str, str] = {}
        self.flying: set[str] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        host.bus.subscribe("signals", "execution", self.on_message)

    async def close(self) -> None:
        """End what is on its way, give up the lease."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self.term is not None:
            self.term = None
            try:
                await self.lease.release()
            except _TROUBLE:
                return

    # --- leading --------------------------------------------------------------------------------------------

    async def lead(self) -> None:
        """Hold the lease whenever possible; a new term begins with fencing and recovery."""
        while True:
            try:
                term = await self.lease.acquire()
                if term is not None and (self.term is None or term.epoch != self.term.epoch):
                    self.term = None
                    await self.book.fence(term.epoch)
                    await self.recover()
                self.term = term
            except _TROUBLE:
                pass  # the old term runs on until it expires by our clock
            await self.clock.sleep(_RENEW_S if self.leads() else 1.0)

    def leads(self) -> bool:
        """Whether we may act at this moment."""
        term = self.term
        return term is not None and self.clock.now() < term.expires_at

    async def recover(self) -> None:
        """Everything that may still spend blocks its market until the exchange has told what became of it."""
        self.blocked.clear()
        for order_id, held in (await self.book.unfinished()).items():
            self.blocked[held.ticker] = order_id
            self.start(self.resolve(order_id, held.ticker))

    # --- signals --------------------------------------------------------------------------------------------

    async def on_message(self, message: Message) -> None:
        """A signal: watch its market, and try at once."""
        if not isinstance(message, SignalRaised) or message.exchange_index is None:
            return
        try:
            schedule = schedule_for(message.fee_type, message.fee_multiplier_micro, self.clock.now())
        except MalformedError as exc:
            await self.tell(message, OrderStatus.REJECTED, (f"fees: {exc}",))
            return
        self.shards[message.ticker] = message.exchange_index
        held = self.works.get(message.ticker)
        if held is not None and held.signal.signal_id == message.signal_id:
            return
        self.works[message.ticker] = Work(message, schedule, message.quantity)
        await self.stream.watch([message.ticker])
        self.look(message.ticker)

    async def sweep(self) -> None:
        """Look at everything once a second: limits of rate pass, books come back."""
        while True:
            await self.clock.sleep(1.0)
            for ticker in list(self.works):
                self.look(ticker)

    async def follow(self) -> None:
        """Hear the stream, for ever."""
        await self.stream.run(self.hear)

    def hear(self, event: StreamEvent) -> None:
        """One event of the stream."""
        self.feed.note(event)
        if isinstance(event, Lifecycle):
            if event.kind is LifecycleKind.DEACTIVATED:
                self.keeper.halted.add(event.ticker)
            elif event.kind is LifecycleKind.ACTIVATED:
                self.keeper.halted.discard(event.ticker)
        if self.stream.alive_at is not None:
            self.keeper.heard(self.clock.now())
        book = self.keeper.apply(event)
        if book is not None:
            self.look(book.ticker)

    def look(self, ticker: str) -> None:
        """Work a market in a task of its own, unless it is being worked or blocked."""
        if ticker in self.works and ticker not in self.flying and ticker not in self.blocked and self.leads():
            self.flying.add(ticker)
            self.start(self.work(ticker))

    async def work(self, ticker: str) -> None:
        """One look at a market, and the order that comes of it."""
        try:
            work = self.works[ticker]
            proposal = self.proposal(work)
            if isinstance(proposal, Proposal):
                await self.order(work, proposal)
            elif is_expired(work.signal, self.clock.now()):
                self.done(work)
        finally:
            self.flying.discard(ticker)

    def proposal(self, work: Work) -> Proposal | str:
        """The order that the book of this moment calls for."""
        signal, book = work.signal, self.keeper.book_of(work.signal.ticker)
        if book is None:
            return "no live book"
        order_id = client_order_id(signal.signal_id, 0, work.attempt)
        return decide(
            signal,
            book,
            work.schedule,
            self.host.limits,
            QuoteLimits(),
            work.wanted,
            order_id,
            self.clock.now(),
        )

    def done(self, work: Work) -> None:
        """Stop working a signal."""
        if self.works.get(work.signal.ticker) is work:
            del self.works[work.signal.ticker]

    # --- orders ---------------------------------------------------------------------------------------------

    async def safeguards(self, order: Proposal) -> Safeguards:
        """Halt and breakers, the halt read anew."""
        self.halted = await halt.halted(self.host.documents)
        around = await self.guard(order)
        return replace(around, halted=self.halted)

    async def order(self, work: Work, proposal: Proposal) -> None:
        """Reserve, send, follow."""
        epoch = self.term.epoch if self.term else 0
        try:
            answer = await self.reservations.reserve(proposal, lambda o: _document(work.signal, o), epoch)
        except AlreadyExistsError:
            await self.earlier(work, proposal)
            return
        if isinstance(answer, Refused):
            await self.refused(work, answer.verdict)
            return
        work.attempt += 1
        outcome = await self.send(answer.order)
        await self.book_outcome(work, answer.order.proposal, outcome)

    async def send(self, order: ApprovedOrder) -> Outcome:
        """Send if we still may."""
        if not self.leads():
            return Rejected("lease", "the lease was lost before it was sent")
        return await self.gateway.place(order)

    async def earlier(self, work: Work, proposal: Proposal) -> None:
        """This attempt was made before, by an earlier run or a call whose answer was lost."""
        found = await self.insist(lambda: self.host.documents.get(f"orders/{proposal.client_order_id}"))
        if found is None:
            return
        if OrderStatus(found.value["order"]["status"]) in TERMINAL:
            filled = sum(fill["quantity"] for fill in found.value["fills"])
            work.attempt, work.wanted = work.attempt + 1, Quantity(work.wanted - filled)
            if work.wanted <= 0:
                self.done(work)
        else:
            self.blocked[proposal.ticker] = proposal.client_order_id
            self.start(self.resolve(proposal.client_order_id, proposal.ticker))

    async def refused(self, work: Work, verdict: Verdict) -> None:
        """Tell history every reason; give the signal up unless the reasons pass by themselves."""
        await self.tell(work.signal, OrderStatus.REJECTED, verdict.reasons, verdict.proposal)
        controls = {one.control for one in verdict.refusals}
        if "risk_state" in controls:
            # A write whose answer was lost may have landed.
            await self.earlier(work, verdict.proposal)
        if controls <= _PASSING:
            await self.clock.sleep(2.0)
        else:
            self.done(work)

    async def book_outcome(self, work: Work, proposal: Proposal, outcome: Outcome) -> None:
        """Make the outcome durable, whatever it takes."""
        if isinstance(outcome, Unknown):
            self.blocked[proposal.ticker] = proposal.client_order_id
            self.start(self.resolve(proposal.client_order_id, proposal.ticker))
            await self.settle(proposal.client_order_id, outcome, proposal)
            return
        await self.settle(proposal.client_order_id, outcome, proposal)
        self.took(work, outcome)

    def took(self, work: Work, outcome: Outcome) -> None:
        """What an order has taken of a signal's quantity."""
        if isinstance(outcome, Accepted):
            work.wanted = Quantity(work.wanted - sum(fill.quantity for fill in outcome.fills))
        if work.wanted <= 0 or isinstance(outcome, Rejected):
            self.done(work)

    async def resolve(self, order_id: str, ticker: str) -> None:
        """Ask the exchange until it tells what became of an order; its market is free then."""
        found = await self.insist(lambda: self.host.documents.get(f"orders/{order_id}"))
        if found is None:
            return
        proposal = msgspec.convert(found.value["proposal"], Proposal)
        self.shards.setdefault(ticker, 0)
        while True:
            outcome = await self.gateway.resolve(proposal)
            if not isinstance(outcome, Unknown):
                break
            await self.clock.sleep(_LOOK_AGAIN_S)
        await self.settle(order_id, outcome, proposal)
        work = self.works.get(ticker)
        if work is not None and work.signal.signal_id == found.value["order"]["signal_id"]:
            self.took(work, outcome)
        if self.blocked.get(ticker) == order_id:
            del self.blocked[ticker]

    async def settle(self, order_id: str, outcome: Outcome, proposal: Proposal) -> None:
        """Book an outcome; a store that cannot is asked until it can."""
        status, fills, reasons = _told(outcome, proposal)

        def change(value: Value, new: tuple[Fill, ...]) -> Value:
            order = value["order"] | {"status": status.value, "reasons": list(reasons)}
            return value | {"order": order, "fills": value["fills"] + [asdict(one) for one in new]}

        await self.insist(lambda: self.reservations.settle(order_id, status, fills, change=change))

    # --- reconciliation -------------------------------------------------------------------------------------

    async def reconcile(self) -> None:
        """Read fills that the stream lost, and confirm the book whenever the exchange agrees with it."""
        while True:
            try:
                await self.feed.catch_up(self.portfolio)
                if self.leads() and await self.agrees():
                    await self.book.confirm()
            except _TROUBLE:
                pass
            await self.clock.sleep(_RECONCILE_S)

    async def agrees(self) -> bool:
        """Whether positions and cash are those of the exchange, where nothing is open."""
        book = await self.book.read()
        seen = (await self.portfolio.positions()).rows
        balance = await self.portfolio.balance()
        again = await self.book.read()
        unsure = {one.ticker for one in (*book.reserved.values(), *again.reserved.values())}
        theirs = {one.ticker: one.quantity for one in seen if one.quantity}
        ours = {ticker: held.position.quantity for ticker, held in book.holdings.items()}
        tickers = (ours.keys() | theirs.keys()) - unsure
        if any(ours.get(ticker, 0) != theirs.get(ticker, 0) for ticker in tickers):
            return False
        # Balances are told in hundredths of a cent.
        return bool(unsure) or abs(balance.cash - book.cash) < 100

    # --- small ----------------------------------------------------------------------------------------------

    def start(self, coroutine: Any) -> None:
        """Run beside everything else; it ends with us."""
        task = asyncio.create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def insist(self, step: Callable[[], Awaitable[T]]) -> T:
        """Do it until it works."""
        while True:
            try:
                return await step()
            except _TROUBLE:
                await self.clock.sleep(0.5 + self.host.rng.random())

    async def tell(
        self,
        signal: SignalRaised,
        status: OrderStatus,
        reasons: tuple[str, ...],
        proposal: Proposal | None = None,
    ) -> None:
        """Publish what became of a signal."""
        order_id = proposal.client_order_id if proposal else client_order_id(signal.signal_id)
        update = _update(signal, order_id, status, self.clock.now(), reasons)
        await self.insist(lambda: self.host.bus.publish(update.TOPIC, [seal(update, signal.trace_id)]))


def _told(outcome: Outcome, proposal: Proposal) -> tuple[OrderStatus, tuple[Fill, ...], tuple[str, ...]]:
    match outcome:
        case Accepted(_, fills, _):
            filled = sum(fill.quantity for fill in fills)
            whole = filled == proposal.quantity
            return (OrderStatus.FILLED if whole else OrderStatus.CANCELED), fills, ()
        case Rejected(code, reason):
            return OrderStatus.REJECTED, (), (f"{code}: {reason}",)
        case Unknown(reason):
            return OrderStatus.UNKNOWN, (), (reason,)


def _document(signal: SignalRaised, order: ApprovedOrder) -> Value:
    proposal = order.proposal
    update = _update(signal, proposal.client_order_id, OrderStatus.PENDING, proposal.at, (), order.controls)
    return {"proposal": asdict(proposal), "order": msgspec.to_builtins(update), "fills": []}


def _update(
    signal: SignalRaised,
    order_id: str,
    status: OrderStatus,
    now: Instant,
    reasons: tuple[str, ...],
    controls: tuple[str, ...] = (),
) -> OrderUpdated:
    return OrderUpdated(
        observed_at=now,
        order_id=order_id,
        signal_id=signal.signal_id,
        ticker=signal.ticker,
        event_ticker=signal.event_ticker,
        side=signal.side,
        status=status,
        limit=signal.limit,
        quantity=signal.quantity,
        mode="live",
        controls=controls,
        reasons=reasons,
    )
