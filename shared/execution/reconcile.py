"""Reconciliation: the book against the venue's own statement, for ever, and every difference kept.

The venue is right. A difference counts only when two statements in a row show it and nothing was on its way
meanwhile, for its reads lag behind its writes by seconds. A fill of ours that was missed is booked. Anything
that cannot be explained is told, opens the global breaker for cause, and stays until a person has looked. A
statement that agrees confirms the book; without that no order passes for long.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace

from shared.clock import MINUTE, SECOND, Clock, Instant
from shared.execution.gateway import Gateway, Statement, VenueFill
from shared.execution.journal import Journal, Kept, News
from shared.execution.safety import Safety
from shared.execution.stored_book import StoredBook
from shared.idempotence import Seen
from shared.ids import digest
from shared.messages import ReconciliationDifference, seal
from shared.money import Quantity, Usd, format_price, format_quantity, format_usd
from shared.ports import Bus
from shared.risk.book import Book

_log = logging.getLogger(__name__)

# How far back each statement lists fills and payouts: what came later than this would have been read before.
LOOK_BACK = 30 * MINUTE
# The venue's clock and ours may differ by this much.
_SKEW = 2 * SECOND
# The exchange states cash to a hundredth of a cent.
_CASH_STEP = 100


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing the venue says otherwise. ``gap`` is theirs less ours: lots, or micro-dollars for cash."""

    what: str
    subject: str
    ticker: str
    ours: str
    theirs: str
    gap: int

    def __str__(self) -> str:
        return f"{self.what} {self.subject}: ours {self.ours or 'none'}, the venue's {self.theirs or 'none'}"


def position_differences(book: Book, statement: Statement) -> Iterator[Difference]:
    """Positions that differ; not asked where an order is in flight, or a payout has reached only one side."""
    moving = _moving(book, statement)
    held = {ticker: one.position.quantity for ticker, one in book.holdings.items()}
    told = {ticker: position.quantity for ticker, position in statement.positions.items()}
    for ticker in sorted((held.keys() | told.keys()) - moving):
        ours, theirs = held.get(ticker, Quantity(0)), told.get(ticker, Quantity(0))
        if ours != theirs:
            said = format_quantity(ours), format_quantity(theirs)
            yield Difference("position", ticker, ticker, *said, theirs - ours)


def cash_differences(book: Book, statement: Statement) -> Iterator[Difference]:
    """Cash that differs; not asked while an order is in flight or a payout is due."""
    if _cash_moves(book, statement):
        return
    gap = statement.cash - book.cash
    if abs(gap) >= _CASH_STEP:
        yield Difference("cash", "all", "", format_usd(book.cash), format_usd(statement.cash), gap)


def is_asked(difference: Difference, book: Book, statement: Statement) -> bool:
    """Whether ``statement`` and ``book`` could show ``difference`` now, or something is on its way there."""
    if difference.what == "cash":
        return not _cash_moves(book, statement)
    return difference.ticker not in _moving(book, statement)


def _moving(book: Book, statement: Statement) -> frozenset[str]:
    """Markets with an order on its way, or with a payout that has not reached both sides."""
    half_paid = statement.paid & (book.holdings.keys() | statement.positions.keys())
    return half_paid.union(one.ticker for one in book.reserved.values())


def _cash_moves(book: Book, statement: Statement) -> bool:
    return bool(book.reserved or statement.paid & book.holdings.keys())


class Reconciler:
    """Compares one account with its venue; ``paid_out`` is called when the venue paid what is held here."""

    def __init__(
        self,
        stored: StoredBook,
        gateway: Gateway,
        journal: Journal,
        safety: Safety,
        bus: Bus,
        clock: Clock,
        paid_out: Callable[[], None] = lambda: None,
    ) -> None:
        self._stored, self._gateway, self._journal = stored, gateway, journal
        self._safety, self._bus, self._clock, self.paid_out = safety, bus, clock, paid_out
        self._suspects: frozenset[Difference] = frozenset()
        self._as_of = Instant(0)
        self._explained: Seen[str] = Seen()
        self.open: frozenset[Difference] = frozenset()
        self.agreed_at: Instant | None = None
        # Whether the last statement was as new as what we know; one that is not may be asked for again soon.
        self.was_current = True

    async def turn(self) -> bool:
        """Compare once; true if the venue agrees. Raises what kept statement or book from being read."""
        before = (await self._stored.read()).seq
        since = Instant(max(0, self._clock.now() - LOOK_BACK))
        statement = await self._gateway.statement(since)
        if statement is None:
            await self._agreed()
            return True
        found = [one async for one in self._fills(statement)] + [one async for one in self._orders(statement)]
        book = await self._stored.read()
        if statement.paid & book.holdings.keys():
            self.paid_out()
        # The statement may be older than what we know: then it says nothing about what we hold.
        is_current = book.seq == before and statement.as_of >= self._stored.moved_at + _SKEW
        self.was_current = is_current
        if is_current:
            found += [*position_differences(book, statement), *cash_differences(book, statement)]
        asked = {one for one in self.open if is_current and is_asked(one, book, statement)}
        if is_current or found:
            await self._judge(frozenset(found), self.open - asked, statement.as_of)
        if not is_current or found or self.open:
            return False
        await self._agreed()
        return True

    async def _agreed(self) -> None:
        await self._stored.confirm()
        self.agreed_at = self._clock.now()

    async def _judge(
        self, found: frozenset[Difference], unasked: frozenset[Difference], as_of: Instant
    ) -> None:
        """What two statements in a row show is a difference; what one shows may be the lag of its reads.

        What is open and ``unasked``, for something is on its way there, is neither shown nor over.
        """
        if as_of <= self._as_of:
            return
        confirmed, self._suspects, self._as_of = found & self._suspects, found, as_of
        is_open = self.open & (found | unasked)
        for difference in sorted(self.open - is_open, key=str):
            await self._tell(difference, "the venue agrees again")
        self.open = is_open
        for difference in sorted(confirmed - is_open, key=str):
            if await self._found(difference):
                self.open |= {difference}

    async def _found(self, difference: Difference) -> bool:
        """Act on a difference; whether it stays open."""
        if difference.what == "cash" and difference.gap > 0:
            await self._stored.deposit(Usd(difference.gap))
            await self._tell(difference, "taken for money put in")
            return False
        await self._safety.differ(str(difference))
        await self._tell(difference)
        return True

    async def _fills(self, statement: Statement) -> AsyncIterator[Difference]:
        """Fills that are not in our books. One of an order of ours that has ended is booked."""
        book = await self._stored.read()
        flying = {one.ticker for one in book.reserved.values()}
        for fill in statement.fills:
            is_old = fill.filled_at <= book.stated_at
            if is_old or fill.fill.fill_id in self._explained or fill.fill.ticker in flying:
                continue
            kept = await self._journal.by_venue_id(fill.order_id)
            if kept is None:
                yield _unknown_fill(fill)
                continue
            if all(one.fill_id != fill.fill.fill_id for one in kept.fills):
                await self._missed(kept, fill)
            self._explained.add(fill.fill.fill_id)

    async def _missed(self, kept: Kept, fill: VenueFill) -> None:
        """A fill that our order had and we did not: booked, told, and a reason to stop."""
        event_ticker = kept.proposal.event_ticker
        booked = replace(fill.fill, event_ticker=event_ticker)
        difference = _unknown_fill(fill)
        # Stopping comes first: what fails after it is done again with the next statement.
        await self._safety.differ(f"order {kept.order.order_id} had ended: {difference}")
        await self._journal.record(kept.order.order_id, News(kept.order.status, (booked,)))
        await self._tell(difference, f"booked to order {kept.order.order_id}")

    async def _orders(self, statement: Statement) -> AsyncIterator[Difference]:
        """Orders that rest at the venue and not here; one of ours is taken out of the book."""
        reserved = (await self._stored.read()).reserved
        for order in statement.resting:
            if order.client_order_id in reserved:
                continue
            yield Difference(
                "order", order.order_id, order.ticker, "", format_quantity(order.remaining), order.remaining
            )
            if order.client_order_id and await self._journal.kept(order.client_order_id) is not None:
                await self._gateway.cancel(order.order_id, order.ticker, order.shard)

    async def _tell(self, difference: Difference, resolution: str = "") -> None:
        now = self._clock.now()
        message = ReconciliationDifference(
            observed_at=now,
            difference_id=digest("difference", difference.what, difference.subject, difference.theirs),
            what=difference.what,
            subject=difference.subject,
            ticker=difference.ticker,
            ours=difference.ours,
            theirs=difference.theirs,
            gap=difference.gap,
            resolved=bool(resolution),
            resolution=resolution,
            mode=self._gateway.mode,
            actor="reconciliation",
        )
        _log.warning("%s %s", difference, resolution)
        await self._bus.publish(message.TOPIC, [seal(message)])


def _unknown_fill(fill: VenueFill) -> Difference:
    one = fill.fill
    theirs = f"{format_quantity(one.quantity)} {one.side} at {format_price(one.price)}, order {fill.order_id}"
    return Difference("fill", one.fill_id, one.ticker, "", theirs, one.quantity)
