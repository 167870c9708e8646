"""What fills, endings and payouts do to the risk book. Pure; every function gives the next book.

Which fills of an order are booked already stands on the order's own document, and what a market has paid on
its settlement's, so that a repeat changes nothing however late it comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

from shared.clock import Instant
from shared.errors import MalformedError
from shared.money import LOTS, ZERO_USD, Price, Quantity, Usd, complement, format_quantity, format_usd
from shared.orders.ledger import Fill, Ledger, Position, Settlement
from shared.orders.state import TERMINAL
from shared.risk.book import Book, EventCount, Holding, Reservation
from shared.risk.controls import Proposal
from shared.terms import OrderStatus, Side

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Marks:
    """The book's marks on an order's document: whose it is and what of it is booked.

    ``budget`` is the most its fees were reckoned to be; ``fills`` are the ids of booked fills; ``step`` names
    the call that changed them last.
    """

    account: str
    token: str
    ticker: str
    event: str
    sport: str
    side: Side
    limit: Price
    quantity: Quantity
    budget: Usd
    filled: Quantity = Quantity(0)
    fees: Usd = ZERO_USD
    fills: tuple[str, ...] = ()
    step: str = ""


@dataclass(frozen=True, slots=True)
class Booked:
    """One step of an order: the next book and marks, the fills that were new, and what should not have been.

    ``differences`` are facts of reconciliation, in words: an order that filled beyond its size, its limit or
    its fee budget. They are booked all the same, because they are true, and a breaker should trip.
    """

    book: Book
    marks: Marks
    fills: tuple[Fill, ...]
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Paid:
    """What a market has paid so far. ``quantity`` is YES positive and NO negative; ``step`` as in marks."""

    payout_yes: Price
    quantity: Quantity
    revenue: Usd
    step: str = ""


def marks_of(order: Proposal, account: str, token: str) -> Marks:
    """The marks of an order that nothing has been booked of."""
    cost = order.limit * order.quantity // LOTS
    return Marks(
        account=account,
        token=token,
        ticker=order.ticker,
        event=order.event,
        sport=order.sport,
        side=order.side,
        limit=order.limit,
        quantity=order.quantity,
        budget=Usd(order.risk - cost),
    )


def book_order(
    book: Book,
    order_id: str,
    marks: Marks,
    status: OrderStatus,
    fills: Sequence[Fill],
    filled: Quantity | None,
    now: Instant,
) -> Booked:
    """Book what is new of an order, and free what it can no longer spend.

    The reservation shrinks with every fill and ends when nothing more can fill: only a terminal status says
    so, an unknown one never does. ``filled`` is how many contracts the venue says have filled in all; what is
    not among the booked fills yet stays reserved. Raises :class:`MalformedError` for another market's fill.
    """
    new = _unseen(marks, fills)
    for fill in new:
        book, marks = _book_fill(book, order_id, marks, fill, now)
    said = marks.quantity if status is OrderStatus.FILLED else filled
    differences = _differences(marks, new, said)
    before = book.reserved.get(order_id)
    if before is None:
        return Booked(book, marks, new, differences)
    after = replace(
        before, is_doubted=before.is_doubted or status is OrderStatus.UNKNOWN or bool(differences)
    )
    if status in TERMINAL:
        missing = max(0, (said or 0) - marks.filled)
        after = after.less(Quantity(max(0, after.remaining - missing)))
    return Booked(_kept(book, order_id, after, marks), marks, new, differences)


def pay(
    book: Book, ticker: str, payout_yes: Price, paid: Paid | None, now: Instant
) -> tuple[Book, Paid, Settlement] | None:
    """Pay out a market; ``None`` if there is nothing to pay.

    ``paid`` is what was paid before: a fill that became known later is paid now, and another payout than last
    time corrects what was paid. An amount that is not whole micro-dollars is rounded down.
    """
    held = book.holdings.get(ticker)
    correction = 0
    if paid is not None:
        correction = _revenue(payout_yes, paid.quantity) - _revenue(paid.payout_yes, paid.quantity)
    if held is None and (paid is None or payout_yes == paid.payout_yes):
        return None
    position = held.position if held else Position(ticker, "")
    settlement = _settlement(position, payout_yes, correction)
    result = Paid(
        payout_yes,
        Quantity((paid.quantity if paid else 0) + position.quantity),
        Usd((paid.revenue if paid else 0) + settlement.revenue),
    )
    holdings = {key: one for key, one in book.holdings.items() if key != ticker}
    book = replace(book, cash=Usd(book.cash + settlement.revenue), holdings=holdings)
    book = book.earned(settlement.revenue - settlement.cost, 0, now)
    if position.quantity and now > book.resumed_at:
        in_a_row = book.consecutive_losses + 1 if settlement.pnl < 0 else 0
        book = replace(book, consecutive_losses=in_a_row)
    return book, result, settlement


def decode_marks(value: object) -> Marks:
    """Marks from a document; raises :class:`MalformedError`."""
    return _decoded(value, Marks)


def decode_paid(value: object) -> Paid:
    """A payout from a document; raises :class:`MalformedError`."""
    return _decoded(value, Paid)


def _unseen(marks: Marks, fills: Sequence[Fill]) -> tuple[Fill, ...]:
    """Fills not booked yet, each once."""
    new = {fill.fill_id: fill for fill in fills if fill.fill_id not in marks.fills}
    for fill in new.values():
        if fill.ticker != marks.ticker or fill.side is not marks.side:
            raise MalformedError(
                f"fill {fill.fill_id}: {fill.ticker} {fill.side} for an order of {marks.ticker} {marks.side}"
            )
    return tuple(new.values())


def _book_fill(book: Book, order_id: str, marks: Marks, fill: Fill, now: Instant) -> tuple[Book, Marks]:
    held = book.holdings.get(fill.ticker)
    ledger = Ledger(book.cash)
    if held is not None:
        ledger.positions[fill.ticker] = held.position
    position = ledger.record(fill)
    assert position is not None  # noqa: S101 - a new ledger has seen no fill
    count = book.events.get(marks.event, EventCount(Quantity(0), now))
    count = EventCount(Quantity(count.quantity + fill.quantity), now)
    book = replace(
        book,
        cash=ledger.cash,
        holdings={**book.holdings, fill.ticker: Holding(marks.event, marks.sport, position)},
        events={**book.events, marks.event: count},
    ).earned(ledger.realized, ledger.fees, now)
    reservation = book.reserved.get(order_id)
    marks = replace(
        marks,
        filled=Quantity(marks.filled + fill.quantity),
        fees=Usd(marks.fees + fill.fee),
        fills=(*marks.fills, fill.fill_id),
    )
    if reservation is None:
        return book, marks
    return replace(
        book, reserved={**book.reserved, order_id: reservation.less(fill.quantity, fill.fee)}
    ), marks


def _kept(book: Book, order_id: str, after: Reservation, marks: Marks) -> Book:
    """The book with the reservation as it is now, or without it when nothing more can fill."""
    if after.remaining > 0:
        return replace(book, reserved={**book.reserved, order_id: after})
    reserved = {key: one for key, one in book.reserved.items() if key != order_id}
    canary = book.canary
    if marks.filled:
        canary = canary.counted(after.generation, clean=not after.is_doubted)
    return replace(book, reserved=reserved, canary=canary)


def _differences(marks: Marks, new: Sequence[Fill], said: Quantity | None) -> tuple[str, ...]:
    found = [f"fill {fill.fill_id} paid more than the limit" for fill in new if fill.price > marks.limit]
    if new and marks.filled > marks.quantity:
        of = f"{format_quantity(marks.filled)} of {format_quantity(marks.quantity)}"
        found.append(f"filled {of} contracts")
    if new and marks.fees > marks.budget:
        found.append(f"fees ${format_usd(marks.fees)}, budget ${format_usd(marks.budget)}")
    if said is not None and said < marks.filled:
        found.append(
            f"the venue says {format_quantity(said)} filled, its fills say {format_quantity(marks.filled)}"
        )
    return tuple(found)


def _settlement(position: Position, payout_yes: Price, correction: int) -> Settlement:
    revenue = _revenue(payout_yes, position.quantity)
    profit = position.realized + revenue - position.cost - position.fees
    return Settlement(
        ticker=position.ticker,
        event_ticker=position.event_ticker,
        payout_yes=payout_yes,
        yes_quantity=Quantity(max(position.quantity, 0)),
        no_quantity=Quantity(max(-position.quantity, 0)),
        revenue=Usd(revenue + correction),
        cost=position.cost,
        fees=position.fees,
        pnl=Usd(profit + correction),
    )


def _revenue(payout_yes: Price, quantity: Quantity) -> int:
    payout = payout_yes if quantity > 0 else complement(payout_yes)
    return payout * abs(quantity) // LOTS


def _decoded(value: object, kind: type[T]) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as exc:
        raise MalformedError(f"{kind.__name__.lower()}: {exc}") from exc
