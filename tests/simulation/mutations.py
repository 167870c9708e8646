"""Deliberate mistakes in the execution code, each of which the simulation must notice.

A mutation replaces one public function or method while a run lasts. ``kinds`` are the faults under which it
shows; ``seeds`` is how many plans of them it may take.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from shared.books.book import OrderBook
from shared.clock import MINUTE, Instant
from shared.errors import ConflictError, OutcomeUnknownError, RefusedError
from shared.execution import decide, halt, live, watch
from shared.execution.executor import Executor
from shared.execution.gateway import Accepted, Outcome, Rejected, Unknown
from shared.execution.live import LiveGateway
from shared.execution.reservations import Refused, Reservations, Reserved
from shared.ids import as_uuid, digest
from shared.lease import DocumentLease
from shared.messages import MarketListed
from shared.money import LOTS, Price, Quantity, Usd
from shared.orders import intent
from shared.orders.ledger import Fill
from shared.pipeline.settle import Settler
from shared.ports import Term
from shared.risk import bookkeeping
from shared.risk.book import Book
from shared.risk.canary import Canary
from shared.risk.controls import Proposal
from shared.risk.gate import ApprovedOrder, Gate, Verdict
from shared.terms import OrderStatus
from shared.venues.kalshi.account import FillSeen
from shared.venues.kalshi.client import Rows
from shared.venues.kalshi.order_answers import Placed
from shared.venues.kalshi.order_wire import OrderTicket
from shared.venues.kalshi.portfolio import KalshiPortfolio
from shared.venues.kalshi.sign import Signer
from shared.venues.kalshi.trading import KalshiTrading
from tests.simulation.keys import QuickKey
from tests.simulation.plan import Fault, Plan, focused
from tests.simulation.process import Program
from tests.simulation.world import Result, run

# The program is under test too.
_TESTED = "tests.simulation.service"
_LOST = ("http_lost_answer", "http_done_but_500", "no_order_id")


@dataclass(frozen=True, slots=True)
class Mutation:
    """One mistake. ``make`` gives what to put in the place of ``name`` of ``where``."""

    title: str
    where: Any
    name: str
    make: Callable[[Any], Any]
    kinds: tuple[str, ...] = ()
    processes: int = 1
    tightness: int = 0
    seeds: int = 25
    here_only: bool = False
    plan: Callable[[int], Plan] | None = None

    def planned(self, seed: int) -> Plan:
        """The plan under which a seed looks for it."""
        if self.plan is not None:
            return self.plan(seed)
        return focused(seed, self.kinds, self.processes, tightness=self.tightness)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """The mistake is in the code while the block runs."""
        original = getattr(self.where, self.name)
        made = self.make(original)
        alone = self.here_only or isinstance(self.where, type)
        places = [self.where] if alone else _importers(self.name, original)
        for place in places:
            setattr(place, self.name, made)
        try:
            yield
        finally:
            for place in places:
                setattr(place, self.name, original)


def _importers(name: str, original: object) -> list[Any]:
    """Every module under test that holds a function under its name; the referee keeps the true one."""
    tested = [module for key, module in list(sys.modules.items()) if key.startswith(("shared.", _TESTED))]
    return [module for module in tested if vars(module).get(name) is original]


# --- the mistakes ------------------------------------------------------------------------------------------


def _not_stored(_: Any) -> Any:
    async def reserve(self: Reservations, proposal: Proposal, made: Any, epoch: int = 0) -> Reserved:
        gate = Gate(self._gate.limits, controls=())
        return Reserved(gate.approve(Verdict(proposal, (), ())))

    return reserve


def _not_reserved(_: Any) -> Any:
    def reserve(self: Book, order: Proposal, token: str, generation: str, epoch: int) -> Book:
        return replace(self, epoch=max(self.epoch, epoch), trades_today=self.trades_today + 1)

    return reserve


def _unknown_is_rejected(original: Any) -> Any:
    async def place(self: LiveGateway, order: ApprovedOrder) -> Outcome:
        outcome: Outcome = await original(self, order)
        return Rejected("no_answer", outcome.reason) if isinstance(outcome, Unknown) else outcome

    return place


def _sent_again_under_a_new_id(original: Any) -> Any:
    async def create(self: KalshiTrading, ticket: OrderTicket) -> Placed:
        try:
            placed: Placed = await original(self, ticket)
        except OutcomeUnknownError:
            fresh = as_uuid(digest("again", ticket.client_order_id))
            placed = await original(self, replace(ticket, client_order_id=fresh))
        return placed

    return create


def _missing_means_rejected(_: Any) -> Any:
    return lambda self, order_id, as_of, sent: Rejected("never_arrived", "it is not listed")


def _freed_while_unknown(original: Any) -> Any:
    return original | {OrderStatus.UNKNOWN}


def _lease_never_ends(original: Any) -> Any:
    async def acquire(self: DocumentLease) -> Term | None:
        term: Term | None = await original(self)
        if term is None:
            found = await self._documents.get(self._path)
            epoch = found.value["epoch"] if found else 1
            return Term(self._holder, epoch, Instant(self._clock.now() + MINUTE))
        return replace(term, expires_at=Instant(term.expires_at + MINUTE))

    return acquire


def _sent_as_approved(_: Any) -> Any:
    async def sent(self: Executor, order: ApprovedOrder, epoch: int) -> Outcome:
        return await self.gateway.place(order)

    return sent


def _counted_twice(original: Any) -> Any:
    def book_order(
        book: Book, order_id: str, marks: Any, status: Any, fills: Any, filled: Any, now: Any
    ) -> Any:
        again = [replace(fill, fill_id=f"{fill.fill_id}-again") for fill in fills]
        return original(book, order_id, marks, status, [*fills, *again], filled, now)

    return book_order


def _repeats_are_booked(_: Any) -> Any:
    return lambda marks, fills: tuple(fills)


def _gate_waves_through(original: Any) -> Any:
    def judge(self: Gate, proposal: Proposal, view: Any) -> Verdict:
        verdict: Verdict = original(self, proposal, view)
        names = tuple(refusal.control for refusal in verdict.refusals)
        return Verdict(proposal, (*verdict.passed, *names), ())

    return judge


def _one_control_is_left_out(original: Any) -> Any:
    def judge(self: Gate, proposal: Proposal, view: Any) -> Verdict:
        verdict: Verdict = original(self, proposal, view)
        left = tuple(one for one in verdict.refusals if one.control != "daily_loss")
        passed = verdict.passed if len(left) == len(verdict.refusals) else (*verdict.passed, "daily_loss")
        return Verdict(proposal, passed, left)

    return judge


def _never_halted(_: Any) -> Any:
    return lambda value: ""


def _gaps_are_ignored(_: Any) -> Any:
    return lambda self: None


def _nothing_is_blocked(_: Any) -> Any:
    return lambda self, proposal, reason: None


def _fees_are_forgotten(original: Any) -> Any:
    def booked(fill: Any, event_ticker: str) -> Fill:
        made: Fill = original(fill, event_ticker)
        return replace(made, fee=Usd(0))

    return booked


def _prices_are_rounded(original: Any) -> Any:
    def booked(fill: Any, event_ticker: str) -> Fill:
        made: Fill = original(fill, event_ticker)
        return replace(made, price=Price(made.price // 100_000 * 100_000))

    return booked


def _fills_are_not_read(_: Any) -> Any:
    async def fills(self: KalshiPortfolio, **_: Any) -> Rows[FillSeen]:
        return Rows([], [])

    return fills


def _what_filled_is_all(original: Any) -> Any:
    async def settle(self: Reservations, order_id: str, status: Any, fills: Any = (), **options: Any) -> Any:
        return await original(self, order_id, status, fills[:1], **options)

    return settle


def _a_lost_race_counts_as_won(original: Any) -> Any:
    async def reserve(self: Reservations, proposal: Proposal, made: Any, epoch: int = 0) -> Any:
        answer = await original(self, proposal, made, epoch)
        lost = isinstance(answer, Refused) and ConflictError.__name__ in "".join(answer.reasons)
        if not lost and not (isinstance(answer, Refused) and "risk_state" in "".join(answer.reasons)):
            return answer
        return Reserved(Gate(self._gate.limits, controls=()).approve(Verdict(proposal, (), ())))

    return reserve


def _ids_are_new_each_time(_: Any) -> Any:
    numbers = iter(range(10**9))
    return lambda signal_id, leg=0, attempt=0: as_uuid(digest("fresh", str(next(numbers))))


def _everything_stands(_: Any) -> Any:
    return lambda signal, schedule, opportunity: True


def _nothing_was_weighed_before(_: Any) -> Any:
    return lambda self, signal, schedule: ""


def _signals_never_expire(_: Any) -> Any:
    return lambda signal, now: ""


def _more_than_was_wanted(original: Any) -> Any:
    def decide_more(*given: Any) -> Any:
        found = original(*given)
        if isinstance(found, Proposal):
            extra = Quantity(found.quantity + 20 * LOTS)
            return replace(found, quantity=extra, risk=Usd(found.risk * extra // found.quantity + 1))
        return found

    return decide_more


def _a_cent_more(original: Any) -> Any:
    async def create(self: KalshiTrading, ticket: OrderTicket) -> Placed:
        placed: Placed = await original(
            self, replace(ticket, price=Price(min(ticket.price + 10_000, 990_000)))
        )
        return placed

    return create


def _the_other_side(original: Any) -> Any:
    async def create(self: KalshiTrading, ticket: OrderTicket) -> Placed:
        placed: Placed = await original(self, replace(ticket, side=ticket.side.other))
        return placed

    return create


def _sent_twice_as_two(original: Any) -> Any:
    async def create(self: KalshiTrading, ticket: OrderTicket) -> Placed:
        placed: Placed = await original(self, ticket)
        with suppress(RefusedError):
            await original(self, replace(ticket, client_order_id=as_uuid(digest(ticket.client_order_id))))
        return placed

    return create


def _the_key_is_logged(original: Any) -> Any:
    def headers(self: Signer, method: str, path: str, now: Instant) -> Any:
        logging.getLogger("mutation").warning("signing with %r", QuickKey.secret)
        return original(self, method, path, now)

    return headers


def _released_before_it_is_sent(original: Any) -> Any:
    async def reserve(self: Reservations, proposal: Proposal, made: Any, epoch: int = 0) -> Any:
        answer = await original(self, proposal, made, epoch)
        if isinstance(answer, Reserved):
            await self.release(proposal.client_order_id)
        return answer

    return reserve


def _no_limit_a_day(original: Any) -> Any:
    def rolled(self: Book, now: Instant) -> Book:
        made: Book = original(self, now)
        return replace(made, recent=(), trades_today=0, pnl_today=Usd(0))

    return rolled


def _nothing_is_paid(_: Any) -> Any:
    async def settle(self: Settler, markets: Sequence[MarketListed]) -> int:
        return 0

    return settle


def _what_rests_is_left(_: Any) -> Any:
    async def withdrawn(self: Executor, proposal: Proposal, venue_order_id: str) -> Outcome:
        return Accepted(venue_order_id, (), Quantity(0))

    return withdrawn


def _as_large_as_wanted(_: Any) -> Any:
    def cap(self: Canary, generation: str, needed: int) -> None:
        return None

    return cap


def _something_to_prove(seed: int) -> Plan:
    return msgspec.structs.replace(focused(seed, ()), canary=5)


def _resting(seed: int) -> Plan:
    return msgspec.structs.replace(focused(seed, ("market_settled",)), maker=True)


def _frozen_before_sending(seed: int) -> Plan:
    """Whoever has just reserved freezes for longer than a lease lasts."""
    stalls = [
        Fault(at=at, kind="stall_boundary", who=who, value=2.0, seconds=22.0, word="intent:after")
        for at in (5.0, 25.0, 45.0)
        for who in (0, 1)
    ]
    return msgspec.structs.replace(focused(seed, ()), seconds=90.0, faults=tuple(stalls))


MUTATIONS: tuple[Mutation, ...] = (
    Mutation("the intent is not written", Reservations, "reserve", _not_stored),
    Mutation("the intent is written without a reservation", Book, "reserve", _not_reserved),
    Mutation(
        "the reservation is released before sending", Reservations, "reserve", _released_before_it_is_sent
    ),
    Mutation("an unknown outcome counts as rejected", LiveGateway, "place", _unknown_is_rejected, _LOST),
    Mutation("a retry gets a new id", KalshiTrading, "create", _sent_again_under_a_new_id, _LOST),
    Mutation("every order is sent as two", KalshiTrading, "create", _sent_twice_as_two),
    Mutation(
        "an order that is not listed yet counts as rejected",
        LiveGateway,
        "_missing",
        _missing_means_rejected,
        ("http_late", "http_lost_answer", "read_lag"),
    ),
    Mutation(
        "the reservation of an unknown order is freed",
        bookkeeping,
        "TERMINAL",
        _freed_while_unknown,
        _LOST,
        here_only=True,
    ),
    Mutation(
        "the loss of the lease is ignored",
        DocumentLease,
        "acquire",
        _lease_never_ends,
        ("lease_taken", "stall", "stall_boundary"),
        processes=2,
    ),
    Mutation(
        "whoever wakes up sends what was approved before it froze",
        Executor,
        "_sent",
        _sent_as_approved,
        plan=_frozen_before_sending,
    ),
    Mutation("every fill counts twice", bookkeeping, "book_order", _counted_twice),
    Mutation(
        "a fill that is told again is booked again",
        bookkeeping,
        "_unseen",
        _repeats_are_booked,
        ("store_lost_answer", "crash_boundary", "store_conflict"),
        processes=2,
    ),
    Mutation("the gate waves everything through", Gate, "judge", _gate_waves_through, tightness=1),
    Mutation(
        "the daily loss is not looked at", Gate, "judge", _one_control_is_left_out, tightness=2, seeds=60
    ),
    Mutation("counts of the day start anew each time", Book, "rolled", _no_limit_a_day, tightness=1),
    Mutation("the halt is ignored", halt, "_text", _never_halted, ("halt",)),
    Mutation(
        "gaps in the book are ignored",
        OrderBook,
        "mark_gap",
        _gaps_are_ignored,
        ("stream_gap", "snapshots_lost"),
        seeds=40,
    ),
    Mutation(
        "what was under way at the start is not followed",
        Executor,
        "block",
        _nothing_is_blocked,
        ("crash_boundary", "crash_step"),
    ),
    Mutation("fees are not booked", live, "_booked", _fees_are_forgotten),
    Mutation("prices of fills are rounded to ten cents", live, "_booked", _prices_are_rounded),
    Mutation(
        "fills that the stream lost are not read",
        KalshiPortfolio,
        "fills",
        _fills_are_not_read,
        ("fills_lost",),
    ),
    Mutation("only the first fill is booked", Reservations, "settle", _what_filled_is_all, ("snatched",)),
    Mutation(
        "a lost race counts as won",
        Reservations,
        "reserve",
        _a_lost_race_counts_as_won,
        ("store_unreadable", "store_conflict", "store_lost_answer"),
    ),
    Mutation("ids are made anew each time", intent, "client_order_id", _ids_are_new_each_time),
    Mutation(
        "what was withdrawn is still worked", watch, "stands", _everything_stands, ("store_unreadable",)
    ),
    Mutation(
        "what was withdrawn before it was heard of is worked",
        watch.Ground,
        "gone",
        _nothing_was_weighed_before,
        ("bus_late", "watch_silent", "crash"),
        seeds=60,
    ),
    Mutation("signals do not expire", decide, "_too_late", _signals_never_expire, seeds=40),
    Mutation("orders are larger than was wanted", decide, "decide", _more_than_was_wanted),
    Mutation("a cent more is paid", KalshiTrading, "create", _a_cent_more),
    Mutation("the other side is bought", KalshiTrading, "create", _the_other_side),
    Mutation("what has ended is not paid out", Settler, "settle", _nothing_is_paid, ("market_settled",)),
    Mutation("what rests is left resting", Executor, "_withdrawn", _what_rests_is_left, plan=_resting),
    Mutation(
        "a new deploy has nothing to prove", Canary, "cap", _as_large_as_wanted, plan=_something_to_prove
    ),
    Mutation("the key is logged", Signer, "headers", _the_key_is_logged),
)


def caught(mutation: Mutation, program: Program, seeds: int | None = None) -> Result | None:
    """The first run in which ``mutation`` was noticed, or ``None``."""
    for seed in range(1, (seeds or mutation.seeds) + 1):
        result = run(mutation.planned(seed), program, mutation)
        if result.failure:
            return result
    return None
