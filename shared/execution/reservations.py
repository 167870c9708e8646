"""Reservations: the risk book in the document store, changed only together with the order that changes it.

Reserving writes the intent and the book in one batch, under the version of the book that all controls were
just judged by; so the limits hold with any number of executors, and a crash leaves either nothing or an
intent with its reservation. Every later step is one batch too, and a repeat of any step changes nothing.

A store may say that a write lost a race when it has landed and only the answer was lost. So each call writes
its own name, and one that meets its own write answers as if it had been told at once.

Documents: ``risk/{account}`` is the book, ``orders/{client_order_id}`` the intent with the book's marks under
``risk``, ``settlements/{ticker}`` a payout with what was paid under ``risk``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count

import msgspec

from shared import cas
from shared.errors import AlreadyExistsError, ArbError, ConflictError, MalformedError
from shared.execution.decide import overdue
from shared.execution.stored_book import StoredBook
from shared.money import Price, Quantity, notional_up
from shared.orders.ledger import Fill, Settlement
from shared.ports import Create, Document, Replace, Value, Write
from shared.risk.book import Book, Reservation
from shared.risk.bookkeeping import Booked, book_order, decode_marks, decode_paid, marks_of, pay
from shared.risk.controls import Proposal
from shared.risk.gate import ApprovedOrder, Gate, Refusal, Verdict
from shared.risk.safeguards import Safeguards
from shared.terms import OrderStatus

# Key of the book's own part in an order's and a settlement's document; the rest is its owner's.
MARKS = "risk"
# Three rounds of reconciliation: one may be late, none may be missing for long.
MAX_AGE_S = 30.0

Guard = Callable[[Proposal], Awaitable[Safeguards]]
Intent = Callable[[ApprovedOrder], Value]
OrderChange = Callable[[Value, tuple[Fill, ...]], Value]
Payout = Callable[[Settlement], Value]


@dataclass(frozen=True, slots=True)
class Reserved:
    """The intent and its reservation are durable. Send ``order``: it was approved at that moment."""

    order: ApprovedOrder


@dataclass(frozen=True, slots=True)
class Refused:
    """Do not send. ``verdict`` names every control that failed, or why none could be asked.

    After a write whose answer was lost the reservation may stand; recovery asks and frees it.
    """

    verdict: Verdict

    @property
    def reasons(self) -> tuple[str, ...]:
        """Every refusal in words."""
        return self.verdict.reasons


@dataclass(slots=True)
class _Attempt:
    """One call of :meth:`Reservations.reserve`; ``approved`` is what its last write carried."""

    proposal: Proposal
    intent: Intent
    epoch: int
    token: str
    approved: ApprovedOrder | None = None

    def repeated(self, held: Reservation) -> Reserved:
        """What this very call reserved before its answer was lost; raises for anybody else's."""
        if self.approved is None or held.token != self.token:
            raise AlreadyExistsError(f"order {self.proposal.client_order_id} was reserved by {held.token}")
        return Reserved(self.approved)


@dataclass(slots=True)
class _News:
    """One call of :meth:`Reservations.settle`; ``booked`` is what its last write carried."""

    order_id: str
    status: OrderStatus
    fills: Sequence[Fill]
    filled: Quantity | None
    change: OrderChange
    token: str
    booked: Booked | None = None


@dataclass(slots=True)
class _Bill:
    """One call of :meth:`Reservations.pay`; ``settlement`` is what its last write carried."""

    ticker: str
    payout_yes: Price
    record: Payout
    token: str
    settlement: Settlement | None = None


class Reservations:
    """The reservation ledger of one account.

    Args:
        book: the account's stored book.
        holder: names this executor among all that ever run, as in its lease.
        gate: the controls and limits; judged on the book as it is when the reservation is written.
        guard: what stands around the account for a proposal; an error it raises refuses the order.
        max_age_s: how long ago the book may last have been confirmed, seconds.
        one_a_market: refuse an order for a market in which another may still fill.
    """

    def __init__(
        self,
        book: StoredBook,
        holder: str,
        gate: Gate,
        guard: Guard,
        max_age_s: float = MAX_AGE_S,
        *,
        one_a_market: bool = False,
    ) -> None:
        self.book, self._documents, self._clock = book, book.documents, book.clock
        self._gate, self._guard, self._max_age_s = gate, guard, max_age_s
        self._holder, self._calls, self._one_a_market = holder, count(1), one_a_market

    async def reserve(self, proposal: Proposal, intent: Intent, epoch: int = 0) -> Reserved | Refused:
        """Judge ``proposal`` on the book as it is now and, if all pass, store intent and reservation at once.

        ``intent`` gives the order's document from the order as approved in that moment, whose time and
        controls are this moment's. Never raises for a store that cannot be read: that is a refusal. Raises
        :class:`AlreadyExistsError` if this client order id was reserved before, by whomever: ask the venue.
        """
        attempt = _Attempt(proposal, intent, epoch, self._token())
        try:
            return await self.book.retried(lambda: self._reserve(attempt), cas.ATTEMPTS)
        except AlreadyExistsError:
            raise
        except (ArbError, OSError) as exc:
            return Refused(Verdict(proposal, (), (_unanswered(exc),)))

    async def settle(
        self,
        client_order_id: str,
        status: OrderStatus,
        fills: Sequence[Fill] = (),
        *,
        filled: Quantity | None = None,
        change: OrderChange = lambda value, _: value,
    ) -> Booked:
        """Book what is known of an order: new fills become positions, a terminal ``status`` frees the rest.

        ``filled`` is the venue's own count of filled contracts, if it gave one: contracts whose fills are not
        here yet stay reserved. ``change`` gives the order's next document from the present one and the fills
        that were new; it may run several times. Look at ``differences`` of the answer: they should trip.

        Raises :class:`MalformedError` for an order or fill that is not this account's, and
        :class:`ConflictError` when too many races were lost: nothing is lost by doing it again.
        """
        news = _News(client_order_id, status, fills, filled, change, self._token())
        return await self.book.retried(lambda: self._settle(news))

    async def release(self, client_order_id: str, change: OrderChange = lambda value, _: value) -> Booked:
        """Free an order that certainly does not exist at the venue: rejected, or never sent."""
        return await self.settle(client_order_id, OrderStatus.REJECTED, change=change)

    async def pay(self, ticker: str, payout_yes: Price, payout: Payout) -> Settlement | None:
        """Pay out a market; ``None`` if all that was ever held in it was paid so before.

        ``payout`` gives the settlement's document. A late fill in a paid market is paid by another call;
        another payout than before corrects what was paid.
        """
        bill = _Bill(ticker, payout_yes, payout, self._token())
        return await self.book.retried(lambda: self._pay(bill))

    # --- steps of the compare-and-set loops -----------------------------------------------------------------

    async def _reserve(self, attempt: _Attempt) -> Reserved | Refused:
        """Judge by the book as this process last wrote it; only what it grants need not be read again.

        Another writer's change makes the write lose its race, so that nothing is granted by an old book; and
        nothing is refused by one, for then the store is asked. If it does not answer, both are reasons.
        """
        latest = self.book.latest
        if latest is None or attempt.proposal.client_order_id in latest[0].reserved:
            return await self._judge(attempt, *await self.book.found())
        answer = await self._judge(attempt, *latest)
        if isinstance(answer, Reserved):
            return answer
        try:
            return await self._judge(attempt, *await self.book.found())
        except (AlreadyExistsError, ConflictError):
            raise
        except (ArbError, OSError) as exc:
            return Refused(answer.verdict.also(_unanswered(exc)))

    async def _judge(self, attempt: _Attempt, book: Book, found: Document) -> Reserved | Refused:
        held = book.reserved.get(attempt.proposal.client_order_id)
        if held is not None:
            return attempt.repeated(held)
        proposal = replace(attempt.proposal, at=self._clock.now())
        guards = await self._guard(proposal)
        refusal = self._unfit(book, proposal, attempt.epoch)
        if refusal is not None:
            return refusal
        if waited := overdue(attempt.proposal.at, self._clock):
            return _refused(proposal, "decision", f"decided {waited} ago: look again")
        view = guards.over(book.view(proposal.event, proposal.sport, proposal.at), book.canary)
        verdict = self._gate.judge(proposal, view)
        if not verdict.approved:
            return Refused(verdict)
        attempt.approved = self._gate.approve(verdict)
        after = book.reserve(proposal, attempt.token, guards.generation, attempt.epoch)
        return await self._store(attempt, attempt.approved, after, found)

    async def _store(self, attempt: _Attempt, order: ApprovedOrder, after: Book, found: Document) -> Reserved:
        """Intent and book in one batch."""
        order_id = order.proposal.client_order_id
        marks = marks_of(order.proposal, self.book.account, attempt.token)
        value = attempt.intent(order) | {MARKS: msgspec.to_builtins(marks)}
        try:
            create = Create(f"orders/{order_id}", value)
            await self.book.batch([create, self.book.write(after, found)], after)
        except AlreadyExistsError:
            # A store that repeats a commit whose answer was lost meets its own document.
            held = (await self.book.read()).reserved.get(order_id)
            if held is None:
                raise
            return attempt.repeated(held)
        return Reserved(order)

    def _unfit(self, book: Book, proposal: Proposal, epoch: int) -> Refused | None:
        """Why no control need be asked: the book, the lease or the proposal itself cannot stand."""
        unfit = book.unfit(proposal.at, self._max_age_s)
        if unfit is not None:
            return _refused(proposal, "risk_state", f"{self.book.path}: {unfit}")
        if epoch < book.epoch:
            return _refused(proposal, "lease", f"epoch {epoch} is over, {book.epoch} acts now")
        if self._one_a_market:
            for order_id, held in book.reserved.items():
                if held.ticker == proposal.ticker:
                    return _refused(proposal, "market", f"order {order_id} may still fill in {held.ticker}")
        if proposal.risk < notional_up(proposal.limit, proposal.quantity):
            return _refused(proposal, "proposal", "its risk is less than its cost")
        return None

    async def _settle(self, news: _News) -> Booked:
        path = f"orders/{news.order_id}"
        order = await self._documents.get(path)
        if order is None:
            raise MalformedError(f"{path}: this system has sent no such order")
        marks = decode_marks(order.value.get(MARKS))
        if marks.account != self.book.account:
            raise MalformedError(f"{path} belongs to account {marks.account!r}, not {self.book.account!r}")
        if news.booked is not None and marks.step == news.token:
            return news.booked
        book, found = await self.book.found()
        booked = book_order(
            book, news.order_id, marks, news.status, news.fills, news.filled, self._clock.now()
        )
        value = news.change(order.value, booked.fills)
        if (booked.book, booked.marks, value) == (book, marks, order.value):
            return booked
        news.booked = booked = replace(booked, marks=replace(booked.marks, step=news.token))
        value = value | {MARKS: msgspec.to_builtins(booked.marks)}
        writes: list[Write] = [Replace(path, value, order.version)]
        if booked.book != book:
            writes.append(self.book.write(booked.book, found))
            await self.book.batch(writes, booked.book)
        else:
            await self._documents.batch(writes)
        return booked

    async def _pay(self, bill: _Bill) -> Settlement | None:
        path = f"settlements/{bill.ticker}"
        known = await self._documents.get(path)
        paid = None if known is None else decode_paid(known.value.get(MARKS))
        if paid is not None and bill.settlement is not None and paid.step == bill.token:
            return bill.settlement
        book, found = await self.book.found()
        step = pay(book, bill.ticker, bill.payout_yes, paid, self._clock.now())
        if step is None:
            return None
        after, paid, bill.settlement = step
        value = bill.record(bill.settlement) | {MARKS: msgspec.to_builtins(replace(paid, step=bill.token))}
        write = Create(path, value) if known is None else Replace(path, value, known.version)
        try:
            await self.book.batch([write, self.book.write(after, found)], after)
        except AlreadyExistsError as exc:
            raise ConflictError(f"{path} was created by another writer") from exc
        return bill.settlement

    def _token(self) -> str:
        """Names one call among all that any executor ever makes."""
        return f"{self._holder}/{next(self._calls)}"


def _unanswered(exc: Exception) -> Refusal:
    return Refusal("risk_state", f"{type(exc).__name__}: {exc}")


def _refused(proposal: Proposal, control: str, reason: str) -> Refused:
    return Refused(Verdict(proposal, (), (Refusal(control, reason),)))
