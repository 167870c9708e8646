"""Compares what the system believes of its account with its own records, outside the process that trades.

The trading key stays with the always-on service, which compares the book with the venue; this asks whether it
still does: is the lease held, did the venue agree lately, is an order stuck, can the book be trusted, and is
every position the sum of its fills? What two looks in a row show is told, once, until it has passed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import SystemRandom
from typing import Protocol

import msgspec

from shared.clock import MINUTE, SECOND, Clock, Instant, age
from shared.errors import ConfigError, QuarantineError
from shared.execution.stored_book import ACCOUNT, StoredBook
from shared.ids import digest
from shared.messages import AlertRaised, ReconciliationDifference, seal
from shared.money import Quantity, format_quantity
from shared.orders.ledger import Fill
from shared.ports import Bus, Documents
from shared.risk.book import Book
from shared.terms import Side

LEASE = "leases/executor"
_SILENT = 2 * MINUTE
_UNCONFIRMED = 5 * MINUTE
_STUCK = 10 * MINUTE
_SOURCE = "reconciler"


class Turn(Protocol):
    """One comparison with the venue: :class:`shared.execution.reconcile.Reconciler` where there is a key."""

    async def turn(self) -> bool:
        """Whether the venue agrees."""
        ...


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that should not be. ``code`` is its kind; ``ours`` and ``records`` say what differs."""

    code: str
    subject: str
    text: str
    ours: str = ""
    records: str = ""
    gap: int | None = None


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What one look found; ``venue`` says whether the venue agreed, ``None`` where it was not asked."""

    holdings: int = 0
    problems: list[str] = field(default_factory=list)
    venue: bool | None = None
    note: str = ""


class Auditor:
    """Looks after one account."""

    def __init__(
        self, documents: Documents, bus: Bus, clock: Clock, venue: Turn | None = None, account: str = ACCOUNT
    ) -> None:
        self._documents, self._bus, self._clock, self._venue = documents, bus, clock, venue
        self._stored = StoredBook(documents, account, clock, SystemRandom())
        self._suspects: frozenset[tuple[str, str]] = frozenset()
        self._open: dict[tuple[str, str], Problem] = {}

    async def turn(self) -> AuditReport:
        """Look once; raises what kept the book from being read."""
        holdings = 0
        try:
            book = await self._stored.read()
        except ConfigError:
            return AuditReport(note="there is no book: nothing was ever traded")
        except QuarantineError as exc:
            # Its money does not add up, or another version wrote it: no order passes on such a book either.
            seen = [Problem("book_unusable", self._stored.path, str(exc))]
        else:
            seen, holdings = [*self._book(book), *await self._positions(book)], len(book.holdings)
        found = {(one.code, one.subject): one for one in [*await self._executor(), *seen]}
        confirmed = {key: one for key, one in found.items() if key in self._suspects or key in self._open}
        self._suspects = frozenset(found)
        await self._tell(confirmed)
        agreed = None if self._venue is None else await self._venue.turn()
        return AuditReport(holdings, [one.text for one in confirmed.values()], agreed)

    async def _executor(self) -> list[Problem]:
        lease = await self._documents.get(LEASE)
        until = Instant(int(lease.value["expires_at"])) if lease is not None else Instant(0)
        silent = self._clock.now() - until
        if silent < _SILENT:
            return []
        since = f"for {silent / SECOND:.0f} s" if until else "since it was given up"
        return [Problem("executor_silent", LEASE, f"nobody trades: the lease is free {since}")]

    def _book(self, book: Book) -> Iterator[Problem]:
        now = self._clock.now()
        unconfirmed = age(book.confirmed_at, now)
        if unconfirmed > _UNCONFIRMED:
            text = f"the venue has not agreed with the book for {unconfirmed / SECOND:.0f} s"
            yield Problem("unconfirmed", self._stored.path, text)
        for order_id, one in book.reserved.items():
            if age(one.at, now) > _STUCK and one.is_doubted:
                text = f"order {order_id} in {one.ticker} has had no known outcome for {_STUCK // MINUTE} min"
                yield Problem("order_stuck", order_id, text)

    async def _positions(self, book: Book) -> list[Problem]:
        """Holdings that are not the sum of their fills. One that was opened with them cannot be told."""
        if book.stated_at:
            return []
        problems = []
        for ticker, holding in book.holdings.items():
            filled = sum([_signed(fill) for fill in await self._fills(ticker)])
            ours = holding.position.quantity
            if filled != ours:
                told = format_quantity(ours), format_quantity(Quantity(filled))
                text = f"{ticker}: the book holds {told[0]}, its fills make {told[1]}"
                problems.append(Problem("difference", ticker, text, *told, gap=filled - ours))
        return problems

    async def _fills(self, ticker: str) -> list[Fill]:
        orders = await self._documents.query("orders", {"ticker": ticker}, limit=10_000)
        return [fill for order in orders for fill in msgspec.convert(order.value["fills"], list[Fill])]

    async def _tell(self, confirmed: dict[tuple[str, str], Problem]) -> None:
        now = self._clock.now()
        for key in confirmed.keys() - self._open.keys():
            one = confirmed[key]
            alert = AlertRaised(
                observed_at=now, source=_SOURCE, code=one.code, subject=one.subject, text=one.text
            )
            await self._bus.publish(alert.TOPIC, [seal(alert)])
            await self._record(one, now)
        for key in self._open.keys() - confirmed.keys():
            await self._record(self._open[key], now, "the records agree again")
        self._open = dict(confirmed)

    async def _record(self, one: Problem, now: Instant, resolution: str = "") -> None:
        if one.code != "difference":
            return
        record = ReconciliationDifference(
            observed_at=now,
            difference_id=digest("audit", one.subject, one.records),
            what="position",
            subject=one.subject,
            ticker=one.subject,
            ours=one.ours,
            theirs=one.records,
            gap=one.gap,
            resolved=bool(resolution),
            resolution=resolution,
            actor=_SOURCE,
        )
        await self._bus.publish(record.TOPIC, [seal(record)])


def _signed(fill: Fill) -> int:
    """YES positive, NO negative, as positions are."""
    return fill.quantity if fill.side is Side.YES else -fill.quantity
