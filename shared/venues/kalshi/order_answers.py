"""What the exchange answers to order writes: flat, without a status, and not always about the right order.

The state of an order is derived from its counts. An answer that does not fit what was asked raises
:class:`MalformedError`: the order may or may not be there. (API reference, "Create Order V2"; recorded.)
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.clock import Instant
from shared.errors import MalformedError
from shared.money import Price, Quantity, complement, parse_price, parse_quantity
from shared.terms import OrderStatus, Side
from shared.venues.kalshi import wire
from shared.venues.kalshi.answers import Refusal, refusal_of
from shared.venues.kalshi.order_wire import OrderRef, OrderTicket, TimeInForce


@dataclass(frozen=True, slots=True)
class Placed:
    """An accepted create. An immediate order is accepted also when nothing filled.

    ``status`` is derived; the exchange sends none. The averages are of the side bought and rounded by the
    exchange: exact sums need the fills.
    """

    order_id: str
    client_order_id: str
    status: OrderStatus
    filled: Quantity
    remaining: Quantity
    average_price: Price | None = None
    average_fee: Price | None = None
    source_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Amended:
    """An accepted amend; counts are ``None`` where the exchange says they did not change."""

    order_id: str
    client_order_id: str
    filled: Quantity | None
    remaining: Quantity | None


class OrderAnswer(wire.Wire, frozen=True, kw_only=True):
    """Every flat answer about one order: create, cancel, decrease, amend, and an item of a batch."""

    order_id: str = ""
    client_order_id: str | None = None
    fill_count: str | None = None
    remaining_count: str | None = None
    reduced_by: str | None = None
    average_fill_price: str | None = None
    average_fee_paid: str | None = None
    ts_ms: int | None = None
    error: object = None
    code: str | None = None
    message: str | None = None

    @property
    def refusal(self) -> Refusal:
        """What it says against the order; without a code if nothing."""
        if self.error is not None:
            return refusal_of({"error": self.error})
        return Refusal(self.code or "", self.message or "", is_json=True)


class BatchAnswer(wire.Wire, frozen=True, kw_only=True):
    """Answer to a batch: items succeed and fail one by one."""

    orders: list[OrderAnswer]


def placed_of(ticket: OrderTicket, answer: OrderAnswer) -> Placed:
    """A create's answer, checked against what was sent; raises :class:`MalformedError` if they do not fit."""
    if answer.client_order_id not in (None, "", ticket.client_order_id):
        raise MalformedError(f"the answer is about order {answer.client_order_id!r}, not the one sent")
    filled, remaining = counted(answer.fill_count), counted(answer.remaining_count)
    if filled + remaining > ticket.quantity or (remaining and ticket.time_in_force is not TimeInForce.GTC):
        raise MalformedError(f"{filled} filled and {remaining} resting do not fit {ticket.quantity} wanted")
    return Placed(
        order_id=OrderRef(answer.order_id, ticket.ticker, ticket.exchange_index).order_id,
        client_order_id=ticket.client_order_id,
        status=derive(ticket.quantity, filled, remaining),
        filled=filled,
        remaining=remaining,
        average_price=_average(ticket.side, answer.average_fill_price),
        average_fee=None if answer.average_fee_paid is None else parse_price(answer.average_fee_paid),
        source_at=None if answer.ts_ms is None else Instant(answer.ts_ms * 1000),
    )


def amended_of(answer: OrderAnswer) -> Amended:
    """An amend's answer."""
    return Amended(
        order_id=answer.order_id,
        client_order_id=answer.client_order_id or "",
        filled=None if answer.fill_count is None else parse_quantity(answer.fill_count),
        remaining=None if answer.remaining_count is None else parse_quantity(answer.remaining_count),
    )


def derive(quantity: Quantity, filled: Quantity, remaining: Quantity) -> OrderStatus:
    """State of an accepted order from its counts: nothing left and not all filled means it was canceled."""
    if remaining:
        return OrderStatus.PARTIAL if filled else OrderStatus.RESTING
    return OrderStatus.FILLED if filled == quantity else OrderStatus.CANCELED


def counted(count: str | None) -> Quantity:
    """A count that must be there."""
    if count is None:
        raise MalformedError("a count is missing")
    return parse_quantity(count)


def _average(side: Side, yes_price: str | None) -> Price | None:
    if yes_price is None:
        return None
    price = parse_price(yes_price)
    return price if side is Side.YES else complement(price)
