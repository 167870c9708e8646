"""Orders on their way out: tickets, bodies of the second order interface, and the one side conversion.

The exchange keeps one book per market, in YES terms: ``bid`` buys YES, ``ask`` sells YES, which is how NO is
bought, at one dollar less its price. Everything numeric travels as text. (API reference, "Create Order V2".)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from shared.clock import SECOND, Instant
from shared.errors import MalformedError, RefusedError
from shared.money import MICROS, Price, Quantity, complement, format_price, format_quantity
from shared.terms import Side
from shared.venues.kalshi import wire
from shared.venues.kalshi.units import ticker_of

# Requests take at most four decimals.
_FINEST = MICROS // 10_000
# Other characters were refused (a dot was); identifiers of ours are UUIDs.
_CLIENT_ID = re.compile(r"[0-9a-f-]{1,64}")
# An empty id would make the path of one cancel the path of cancel-all, and "batched" that of a batch.
_ORDER_ID = re.compile(r"[0-9A-Za-z-]{16,64}")


class BookSide(StrEnum):
    """Side of the YES book."""

    BID = "bid"
    ASK = "ask"


class TimeInForce(StrEnum):
    """How long an order lives."""

    GTC = "good_till_canceled"
    IOC = "immediate_or_cancel"
    FOK = "fill_or_kill"


class SelfTrade(StrEnum):
    """Which order dies when one would trade with another of ours: the incoming or the resting one."""

    TAKER = "taker_at_cross"
    MAKER = "maker"


def to_book(side: Side, price: Price) -> tuple[BookSide, Price]:
    """Book side and YES price of buying ``side`` at its own ``price``."""
    return (BookSide.BID, price) if side is Side.YES else (BookSide.ASK, complement(price))


def from_book(book_side: BookSide, yes_price: Price) -> tuple[Side, Price]:
    """Side bought and its own price, of a YES-book side and price: undoes :func:`to_book`."""
    return (Side.YES, yes_price) if book_side is BookSide.BID else (Side.NO, complement(yes_price))


@dataclass(frozen=True, slots=True)
class OrderTicket:
    """An order to be sent, in our terms: ``side`` is bought at ``price`` of that side or better.

    ``exchange_index`` is the market's own shard: never guessed, never left to the exchange's routing, which
    is slower and billed on every shard. ``cancel_on_pause`` is sent for resting orders only.
    """

    ticker: str
    exchange_index: int
    side: Side
    price: Price
    quantity: Quantity
    client_order_id: str
    time_in_force: TimeInForce = TimeInForce.IOC
    self_trade: SelfTrade = SelfTrade.TAKER
    post_only: bool = False
    reduce_only: bool = False
    cancel_on_pause: bool = True
    expires_at: Instant | None = None
    group_id: str = ""


@dataclass(frozen=True, slots=True)
class OrderRef:
    """A live order: its id, and where it is. Without the place a cancel looks on shard 0 only."""

    order_id: str
    ticker: str
    exchange_index: int

    def __post_init__(self) -> None:
        if not _ORDER_ID.fullmatch(self.order_id):
            raise MalformedError(f"order id: {self.order_id[:70]!r} is not one of the exchange's")
        ticker_of(self.ticker)


class _Create(wire.Wire, frozen=True, kw_only=True, omit_defaults=True):
    ticker: str
    client_order_id: str
    side: BookSide
    count: str
    price: str
    time_in_force: TimeInForce
    self_trade_prevention_type: SelfTrade
    exchange_index: int
    post_only: bool = False
    reduce_only: bool = False
    cancel_order_on_pause: bool = False
    expiration_time: int | None = None
    order_group_id: str = ""


class _Batch(wire.Wire, frozen=True, kw_only=True):
    orders: list[_Create]


class _Amend(wire.Wire, frozen=True, kw_only=True, omit_defaults=True):
    ticker: str
    side: BookSide
    price: str
    count: str
    exchange_index: int
    updated_client_order_id: str = ""
    expiration_time: int | None = None


class _Decrease(wire.Wire, frozen=True, kw_only=True, omit_defaults=True):
    market_ticker: str
    exchange_index: int
    reduce_by: str = ""
    reduce_to: str = ""


class _CancelItem(wire.Wire, frozen=True, kw_only=True):
    order_id: str
    market_ticker: str
    exchange_index: int


class _CancelBatch(wire.Wire, frozen=True, kw_only=True):
    orders: list[_CancelItem]


def create_body(ticket: OrderTicket) -> bytes:
    """Body of a create; raises :class:`RefusedError` for what the exchange is known to refuse."""
    return msgspec.json.encode(_create(ticket))


def batch_body(tickets: list[OrderTicket]) -> bytes:
    """Body of a batch create; ids must differ, for the answers are told apart by them."""
    if len({ticket.client_order_id for ticket in tickets}) < len(tickets):
        raise RefusedError("batch not sent: a client order id occurs twice", "invalid_order")
    return msgspec.json.encode(_Batch(orders=[_create(ticket) for ticket in tickets]))


def amend_body(
    order: OrderRef, side: Side, price: Price, total: Quantity, new_id: str, expires_at: Instant | None
) -> bytes:
    """Body of an amend. ``total`` is what has filled plus what shall rest."""
    _check_price(price)
    book_side, yes_price = to_book(side, price)
    return msgspec.json.encode(
        _Amend(
            ticker=order.ticker,
            side=book_side,
            price=format_price(yes_price),
            count=format_quantity(total),
            exchange_index=order.exchange_index,
            updated_client_order_id=new_id,
            expiration_time=_seconds(expires_at),
        )
    )


def decrease_body(order: OrderRef, by: Quantity | None, to: Quantity | None) -> bytes:
    """Body of a decrease; exactly one of ``by`` and ``to``."""
    if (by is None) == (to is None):
        raise RefusedError("a decrease needs exactly one of by and to", "invalid_parameters")
    return msgspec.json.encode(
        _Decrease(
            market_ticker=order.ticker,
            exchange_index=order.exchange_index,
            reduce_by="" if by is None else format_quantity(by),
            reduce_to="" if to is None else format_quantity(to),
        )
    )


def cancel_batch_body(orders: list[OrderRef]) -> bytes:
    """Body of a batch cancel."""
    items = [
        _CancelItem(order_id=o.order_id, market_ticker=o.ticker, exchange_index=o.exchange_index)
        for o in orders
    ]
    return msgspec.json.encode(_CancelBatch(orders=items))


def _create(ticket: OrderTicket) -> _Create:
    _check(ticket)
    book_side, yes_price = to_book(ticket.side, ticket.price)
    return _Create(
        ticker=ticket.ticker,
        client_order_id=ticket.client_order_id,
        side=book_side,
        count=format_quantity(ticket.quantity),
        price=format_price(yes_price),
        time_in_force=ticket.time_in_force,
        self_trade_prevention_type=ticket.self_trade,
        exchange_index=ticket.exchange_index,
        post_only=ticket.post_only,
        reduce_only=ticket.reduce_only,
        cancel_order_on_pause=ticket.cancel_on_pause and ticket.time_in_force is TimeInForce.GTC,
        expiration_time=_seconds(ticket.expires_at),
        order_group_id=ticket.group_id,
    )


def _check(ticket: OrderTicket) -> None:
    """Refuse here what the exchange refuses anyway: it costs neither tokens nor the client order id."""
    ticker_of(ticket.ticker)
    _check_price(ticket.price)
    resting = ticket.time_in_force is TimeInForce.GTC
    for wrong, why in (
        (ticket.quantity <= 0, "quantity must be at least 0.01"),
        (ticket.exchange_index < 0, "the market's shard is not known"),
        (not _CLIENT_ID.fullmatch(ticket.client_order_id), "client order id must be of 0-9, a-f and -"),
        (ticket.post_only and not resting, "post only needs good till canceled"),
        (ticket.expires_at is not None and not resting, "an expiry needs good till canceled"),
        (ticket.reduce_only and ticket.time_in_force is not TimeInForce.IOC, "reduce only needs immediate"),
    ):
        if wrong:
            raise RefusedError(f"order {ticket.client_order_id} not sent: {why}", "invalid_order")


def _check_price(price: Price) -> None:
    if not 0 < price < MICROS or price % _FINEST:
        raise RefusedError(f"not sent: {format_price(price)} is no price to trade at", "invalid_price")


def _seconds(at: Instant | None) -> int | None:
    return None if at is None else at // SECOND
