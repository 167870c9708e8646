"""The executor: signal, live book, re-check, gate, durable intent, order, fills.

One order a market at a time. Nothing is sent before intent and reservation are durable, and nothing without
authority to act: see :mod:`shared.execution.trader`. An unknown outcome blocks its market until the venue has
been asked; it is never counted as zero fills. Every refusal is published with all its reasons.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from shared.books.book import OrderBook
from shared.books.firewall import QuoteLimits
from shared.books.grid import floor_to_grid
from shared.books.walk import take
from shared.clock import SECOND, Clock, Instant, first
from shared.errors import AlreadyExistsError, ArbError
from shared.execution.account import Account
from shared.execution.decide import decide, overdue, too_late, unusable
from shared.execution.gateway import CROSSED, Accepted, Gateway, Outcome, Rejected, Unknown
from shared.execution.journal import Journal, News
from shared.execution.policy import OrderPolicy
from shared.execution.reservations import Refused
from shared.execution.safety import Safety
from shared.execution.watch import Ground, Watch, passes, stands
from shared.fees.kalshi import FeeSchedule
from shared.idempotence import Seen
from shared.messages import OpportunityAssessed, SignalRaised
from shared.money import Price, Quantity, format_price
from shared.orders.intent import client_order_id
from shared.orders.state import TERMINAL
from shared.risk.canary import capped
from shared.risk.controls import Proposal
from shared.risk.gate import ApprovedOrder, Verdict
from shared.risk.limits import RiskLimits
from shared.terms import OrderStatus
from shared.trace import Ids, about

_log = logging.getLogger(__name__)

# Seconds between looks for a cancel: a venue's reads lag behind its writes by up to two.
_SHOWN_AFTER_S = (0.5, 1.0, 2.0)
# How soon after a halt, or a lost lease, what rests is withdrawn.
_REST_LOOK_S = 1.0
# Turns of the loop from the call to the socket: history is told after them.
_TURNS_TO_THE_SOCKET = 3


class Executor:
    """Works signals against live books through one gateway, for one account.

    Args:
        authority: the lease epoch under which this process may send right now, ``None`` when it may not.
    """

    def __init__(
        self,
        book_of: Callable[[str], OrderBook | None],
        gateway: Gateway,
        limits: RiskLimits,
        account: Account,
        journal: Journal,
        safety: Safety,
        clock: Clock,
        quotes: QuoteLimits,
        authority: Callable[[], int | None] = lambda: 0,
        policy: OrderPolicy = OrderPolicy(),  # noqa: B008 - immutable
        stopwatch: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self._book_of, self.gateway, self.limits = book_of, gateway, limits
        self.account, self.journal, self.safety = account, journal, safety
        self._clock, self._quotes, self._stopwatch = clock, quotes, stopwatch
        self._authority, self._policy = authority, policy
        self.watched: dict[str, Watch] = {}
        self.schedules: dict[str, FeeSchedule] = {}
        self.blocked: dict[str, str] = {}
        self.unresolved: dict[str, Proposal] = {}
        self._flying: set[str] = set()
        self._known: Seen[str] = Seen()
        self._ground = Ground()
        self._ending = asyncio.Event()

    @property
    def mode(self) -> str:
        """paper or live."""
        return self.gateway.mode

    # --- what to work ---------------------------------------------------------------------------------------

    async def on_signal(self, signal: SignalRaised, schedule: FeeSchedule) -> None:
        """Start working a signal, once; a newer one for the same market takes the older one's place."""
        current, now = self.watched.get(signal.ticker), self._clock.now()
        if signal.signal_id in self._known:
            return
        self._known.add(signal.signal_id)
        if current is not None and signal.observed_at < current.signal.observed_at <= now:
            return
        if faults := unusable(signal):
            await self.refuse(signal, *faults)
            return
        if reason := self._ground.gone(signal, schedule):
            await self.refuse(signal, reason)
            return
        self.watched[signal.ticker] = Watch(signal, schedule, signal.quantity)
        self.schedules[signal.ticker] = schedule
        await self.on_book(signal.ticker)

    async def refuse(self, signal: SignalRaised, *reasons: str) -> None:
        """Keep why a signal is not worked; whoever does not act now has nothing to say about it."""
        if self._authority() is None:
            return
        try:
            await self.journal.unworked(signal, reasons)
        except (ArbError, OSError) as exc:  # nothing was sent: it costs a line of history
            _log.warning("why signal %s is not worked could not be kept: %s", signal.signal_id, exc)

    def reconsider(self, opportunity: OpportunityAssessed) -> None:
        """Stop working a signal whose ground is gone: the books moved, the game began, the market closed.

        A rejection only because the price moved away keeps the signal, as long as its limit is still worth
        paying: the price may come back.
        """
        self._ground.weighed(opportunity)
        watch = self.watched.get(opportunity.ticker)
        if watch is None or watch.signal.side is not opportunity.side:
            return
        if opportunity.observed_at < watch.signal.observed_at <= self._clock.now():
            return
        if not stands(watch.signal, watch.schedule, opportunity):
            self.watched.pop(opportunity.ticker, None)

    def forget(self, ticker: str) -> None:
        """Drop a market that is over; an order on its way, and what blocks the market, stay."""
        if ticker not in self._flying:
            self.watched.pop(ticker, None)
            self.schedules.pop(ticker, None)

    def drop_all(self) -> None:
        """Work nothing any more; orders on their way are followed to their end."""
        self.watched.clear()

    def block(self, proposal: Proposal, reason: str) -> None:
        """An order whose outcome is not known: nothing is sent to its market until it is."""
        self.blocked[proposal.ticker] = reason
        self.unresolved[proposal.client_order_id] = proposal

    # --- one look, and perhaps one order --------------------------------------------------------------------

    async def on_book(self, ticker: str) -> None:
        """Look at a watched market whose book has changed, and send if it is worth it."""
        watch = self.watched.get(ticker)
        if watch is None or ticker in self._flying or ticker in self.blocked:
            return
        epoch = self._authority()
        if epoch is None:
            watch.last_reason = self.account.waiting or "another executor acts"
            if too_late(watch.signal, self._clock.now()):
                self._done(watch)
            return
        self._flying.add(ticker)
        try:
            attempt = -1
            # Attempts that an earlier run made are passed over at once.
            while watch.attempt != attempt and self.watched.get(ticker) is watch:
                if ticker in self.blocked:
                    return
                attempt = watch.attempt
                if await self._look(watch, epoch):
                    return
        finally:
            self._flying.discard(ticker)

    async def _look(self, watch: Watch, epoch: int) -> bool:
        """Send an order if it is worth it; true if one was sent."""
        started, signal = self._stopwatch(), watch.signal
        proposal = await self._proposed(watch)
        if proposal is None:
            return False
        order_id = proposal.client_order_id
        with about(Ids(signal.trace_id, order_id, signal.signal_id, signal.ticker)):
            stamps = {"decided": self._stopwatch() - started}
            order = await self._durable(watch, proposal, epoch)
            if order is None:
                return False
            stamps["durable"] = self._stopwatch() - started
            # History is told beside the sending, not before it.
            telling = asyncio.ensure_future(self._told(signal, order))
            outcome = await self._sent(order, epoch)
            stamps["answered"] = self._stopwatch() - started
            if not telling.done():
                await asyncio.wait([telling])
            await self._follow(watch, order.proposal, outcome, stamps)
        return True

    async def _told(self, signal: SignalRaised, order: ApprovedOrder) -> None:
        """Tell history of an intent once the order is out: a request reaches the socket some turns late."""
        for _ in range(_TURNS_TO_THE_SOCKET):
            await asyncio.sleep(0)
        await self.journal.intended(signal, order)

    async def _proposed(self, watch: Watch) -> Proposal | None:
        """An order for the book as it is, or ``None`` with the reason kept."""
        signal, book, now = watch.signal, self._book_of(watch.signal.ticker), self._clock.now()
        if reason := too_late(signal, now):
            await self._over(watch, reason)
            return None
        if book is None:
            watch.last_reason = "no live book: not seen yet, or the market is halted"
            return None
        if now < watch.next_at:
            watch.last_reason = "waiting between two orders"
            return None
        watch.offers = take(book.asks(signal.side), signal.limit).levels
        if watch.offers == watch.tried:
            watch.last_reason = "the offers are those that the last order was sent to take"
            return None
        order_id = client_order_id(signal.signal_id, 0, watch.attempt)
        limits, quotes = capped(self.limits, await self.safety.cap()), self._quotes
        found = decide(signal, book, watch.schedule, limits, quotes, watch.wanted, order_id, now)
        if isinstance(found, str):
            watch.last_reason = found
            return None
        if reason := self._slipped(watch, book):
            await self._over(watch, reason)
            return None
        return self._styled(watch, found, book)

    def _styled(self, watch: Watch, order: Proposal, book: OrderBook) -> Proposal:
        """The order as the policy wants it: the first one may rest one tick below the offer."""
        ask = book.best_ask(order.side)
        if not self._policy.rests_first or watch.attempt > 0 or ask is None:
            return order
        below = floor_to_grid(Price(ask[0] - 1), watch.signal.price_ranges)
        return order if below is None else replace(order, limit=below, rests=True)

    def _slipped(self, watch: Watch, book: OrderBook) -> str:
        """Why the offer is too far from where it was, or empty."""
        ask = book.best_ask(watch.signal.side)
        if ask is None:
            return ""
        if watch.first_ask is None:
            watch.first_ask = ask[0]
        if ask[0] - watch.first_ask <= self._policy.max_slippage:
            return ""
        return f"slippage: {format_price(ask[0])} is offered, it was {format_price(watch.first_ask)}"

    async def _durable(self, watch: Watch, proposal: Proposal, epoch: int) -> ApprovedOrder | None:
        """The approved order once intent and reservation are durable, or ``None``."""
        order_id = proposal.client_order_id
        is_probe = await self.safety.claim(order_id, watch.signal.opportunity_id)
        # It is called when this waits for the disk: signing takes as long as that.
        asyncio.get_running_loop().call_soon(self.gateway.prepare)
        try:
            answer = await self.journal.intend(watch.signal, proposal, epoch)
        except AlreadyExistsError:
            await self.safety.unclaim(order_id, is_probe)
            await self._made_before(watch, proposal)
            return None
        watch.next_at = Instant(self._clock.now() + int(self._policy.retry_gap_s * SECOND))
        if isinstance(answer, Refused):
            await self.safety.unclaim(order_id, is_probe)
            await self._refused(watch, answer.verdict)
            return None
        watch.attempt += 1
        if not proposal.rests:
            watch.tried = watch.offers
        return answer.order

    async def _made_before(self, watch: Watch, proposal: Proposal) -> None:
        """This attempt was made by an earlier run, or by another executor: go on from where it ended."""
        kept = await self.journal.kept(proposal.client_order_id)
        if kept is None or kept.order.status not in TERMINAL:
            sent = proposal if kept is None else kept.proposal
            self.block(sent, f"order {sent.client_order_id} was sent before; the venue is asked")
            return
        watch.attempt += 1
        self._count(watch, kept.order.filled)

    async def _refused(self, watch: Watch, verdict: Verdict) -> None:
        controls = {refusal.control for refusal in verdict.refusals}
        watch.last_reason = "; ".join(verdict.reasons)
        if not controls <= watch.reported:
            watch.reported |= controls
            await self.journal.refused(watch.signal, verdict)
        if not passes(controls):
            self._done(watch)

    async def _sent(self, order: ApprovedOrder, epoch: int) -> Outcome:
        """Send; whatever goes wrong on the way leaves the outcome unknown, never rejected."""
        if self.account.halted:  # while the intent was being written
            return await self._unsent(order, Rejected("halt", self.account.halted))
        if self._authority() != epoch:
            return await self._unsent(
                order, Rejected("lease", "the lease was lost before the order was sent")
            )
        if waited := overdue(order.proposal.at, self._clock):
            return await self._unsent(order, Rejected("late", f"approved {waited} before it could be sent"))
        started = self._stopwatch()
        try:
            outcome = await self.gateway.place(order)
        except Exception as exc:  # a bug below must not be read as "nothing happened"
            _log.exception("an order was sent, and what became of it is not known")
            outcome = Unknown(f"{type(exc).__name__} while sending")
        latency_us = (self._stopwatch() - started) // 1_000
        await self._counted(self.safety.happened(order.proposal, outcome, latency_us))
        return outcome

    async def _unsent(self, order: ApprovedOrder, outcome: Rejected) -> Rejected:
        """An order that must not go out after all: what it was to probe is free for another."""
        await self._counted(self.safety.unclaim(order.proposal.client_order_id, was_probe=True))
        return outcome

    async def _counted(self, telling: Awaitable[None]) -> None:
        """Tell the safeguards; that they cannot be written takes nothing from the outcome."""
        try:
            await telling
        except (ArbError, OSError) as exc:
            _log.warning("the breakers could not be told of an outcome: %s", exc)

    # --- what became of it ----------------------------------------------------------------------------------

    async def _follow(
        self, watch: Watch, proposal: Proposal, outcome: Outcome, stamps: dict[str, int]
    ) -> None:
        """Book an outcome. What cannot be booked now is asked for and booked again: nothing is lost."""
        try:
            if isinstance(outcome, Accepted) and outcome.remaining:
                outcome = await self._rest(watch, proposal, outcome, stamps)
            filled = await self._booked(proposal, outcome, stamps)
        except (ArbError, OSError) as exc:
            _log.warning("an outcome could not be booked: %s", exc)
            self.block(proposal, f"its outcome could not be booked: {exc}")
            return
        if isinstance(outcome, Rejected) and outcome.code != CROSSED:
            self._done(watch)
        self._count(watch, filled)

    async def _booked(self, proposal: Proposal, outcome: Outcome, stamps: dict[str, int] | None) -> Quantity:
        """Make an outcome durable; gives how much of it was new. An unknown one blocks its market first."""
        order_id = proposal.client_order_id
        match outcome:
            case Accepted(venue_order_id, fills, _):
                total = Quantity(sum(fill.quantity for fill in fills))
                status = OrderStatus.FILLED if total == proposal.quantity else OrderStatus.CANCELED
                news = News(status, fills, total, (), venue_order_id, stamps)
            case Rejected(code, reason):
                news = News(OrderStatus.REJECTED, reasons=(f"{code}: {reason}",), stamps=stamps)
            case Unknown(reason):
                # The reservation stays: the money may be spent.
                self.block(proposal, reason)
                news = News(OrderStatus.UNKNOWN, reasons=(reason,), stamps=stamps)
        return await self._recorded(order_id, news)

    async def _recorded(self, order_id: str, news: News) -> Quantity:
        """Book news of an order; gives how much was new. What should not have been stops all trading."""
        told = await self.journal.record(order_id, news)
        for difference in told.differences:
            await self.safety.differ(f"order {order_id}: {difference}")
        return Quantity(sum(fill.quantity for fill in told.fills))

    async def _rest(
        self, watch: Watch, proposal: Proposal, accepted: Accepted, stamps: dict[str, int]
    ) -> Outcome:
        """Leave an order in the book for a while, then take it out; gives how it ended."""
        await self._rested(watch, proposal, accepted, stamps)
        await self._wait(self._policy.rest_s)
        outcome = await self.gateway.resolve(proposal)
        if isinstance(outcome, Accepted) and outcome.remaining and outcome.fills:
            await self._rested(watch, proposal, outcome, stamps)
            await self._wait(self._policy.partial_rest_s)
        return await self._withdrawn(proposal, accepted.venue_order_id)

    async def _rested(
        self, watch: Watch, proposal: Proposal, accepted: Accepted, stamps: dict[str, int]
    ) -> None:
        status = OrderStatus.PARTIAL if accepted.fills else OrderStatus.RESTING
        news = News(status, accepted.fills, venue_order_id=accepted.venue_order_id, stamps=stamps)
        filled = await self._recorded(proposal.client_order_id, news)
        # Here and not at the end: what is booked now is not new then.
        watch.wanted = Quantity(watch.wanted - filled)

    async def _withdrawn(self, proposal: Proposal, venue_order_id: str) -> Outcome:
        """Cancel what rests and ask how it ended; an order still listed as resting has no known outcome."""
        await self.gateway.cancel(venue_order_id, proposal.ticker, proposal.shard)
        for seconds in (*_SHOWN_AFTER_S, None):
            outcome = await self.gateway.resolve(proposal)
            if not isinstance(outcome, Accepted) or not outcome.remaining:
                return outcome
            if seconds is not None:
                await self._clock.sleep(seconds)
        return Unknown(f"order {venue_order_id} was canceled and is still listed as resting")

    # --- outcomes that nobody knew --------------------------------------------------------------------------

    async def resolve(self) -> None:
        """Ask once about every order whose outcome is not known; what is known now unblocks its market."""
        await self._adopt()
        for order_id, proposal in list(self.unresolved.items()):
            with about(Ids(order_id=order_id, ticker=proposal.ticker)):
                await self._resolve(proposal)

    async def _adopt(self) -> None:
        """Block for orders that are reserved and nobody follows: the answer to their reservation was lost."""
        for order_id, held in list(self.account.book.reserved.items()):
            if order_id in self.unresolved or held.ticker in self._flying:
                continue
            kept = await self.journal.kept(order_id)
            if kept is None or kept.order.status in TERMINAL or held.ticker in self._flying:
                continue
            self.block(
                kept.proposal, f"order {order_id} is reserved, and it is not known whether it was sent"
            )

    async def _resolve(self, proposal: Proposal) -> None:
        order_id = proposal.client_order_id
        try:
            outcome = await self._asked(proposal)
            if isinstance(outcome, Accepted) and outcome.remaining:
                outcome = await self._withdrawn(proposal, outcome.venue_order_id)
            if isinstance(outcome, Unknown):
                self.blocked[proposal.ticker] = outcome.reason
                return
            await self._booked(proposal, outcome, None)
        except (ArbError, OSError) as exc:
            self.blocked[proposal.ticker] = f"its outcome cannot be asked for: {exc}"
            return
        self.unresolved.pop(order_id, None)
        if all(one.ticker != proposal.ticker for one in self.unresolved.values()):
            self.blocked.pop(proposal.ticker, None)
        self._resume_watch(proposal.ticker)

    async def _asked(self, proposal: Proposal) -> Outcome:
        """The venue's word on an order; that it never had one which it had taken is not believed."""
        outcome = await self.gateway.resolve(proposal)
        if not isinstance(outcome, Rejected):
            return outcome
        kept = await self.journal.kept(proposal.client_order_id)
        if kept is None or not kept.order.venue_order_id:
            return outcome
        if self.mode == "paper":  # it ends with its process; what it filled stands in our book alone
            return Accepted(kept.order.venue_order_id, kept.fills, Quantity(0))
        return Unknown(f"the venue had taken it, and now says {outcome.code}: {outcome.reason}")

    def _resume_watch(self, ticker: str) -> None:
        """A signal whose order's fate was unknown counts anew: the store says what its orders filled."""
        watch = self.watched.get(ticker)
        if watch is not None:
            watch.attempt, watch.wanted, watch.tried = 0, watch.signal.quantity, None

    def end(self) -> None:
        """Work nothing any more; what rests is taken out of the book now, by whoever waits for it."""
        self.drop_all()
        self._ending.set()

    async def _wait(self, seconds: float) -> None:
        """Let an order rest for ``seconds``, and no longer than one might still be sent."""
        until = self._clock.now() + int(seconds * SECOND)
        while self._may_rest() and (left := until - self._clock.now()) > 0:
            await first(self._clock.sleep(min(left / SECOND, _REST_LOOK_S)), self._ending.wait())

    def _may_rest(self) -> bool:
        return not self._ending.is_set() and not self.account.halted and self._authority() is not None

    # --- small steps ----------------------------------------------------------------------------------------

    def _count(self, watch: Watch, filled: int) -> None:
        """What an order of a signal has filled; a signal that has enough, or tried enough, is done."""
        watch.wanted = Quantity(watch.wanted - filled)
        if watch.wanted <= 0 or watch.attempt >= self._policy.max_attempts:
            self._done(watch)

    async def _over(self, watch: Watch, reason: str) -> None:
        """A signal's time is over; where nothing was tried and nothing told yet, history is told why."""
        before, watch.last_reason = watch.last_reason, reason
        self._done(watch)
        if not watch.attempt and not watch.reported:
            await self.refuse(watch.signal, *dict.fromkeys(one for one in (reason, before) if one))

    def _done(self, watch: Watch) -> None:
        """Stop working a signal; a newer one that took its place meanwhile stays."""
        if self.watched.get(watch.signal.ticker) is watch:
            del self.watched[watch.signal.ticker]
