"""What the exchange says about our own account, in our own units: the same records by REST and by stream.

A side is the side bought and a price is the price of that side; a position is signed, YES positive. What the
exchange left out is ``None``, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from shared.clock import Instant
from shared.money import Price, Quantity, Usd
from shared.terms import OrderStatus, Outside, Result, Side


class FillSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One fill. Only the stream knows ``client_order_id`` and ``held``, the position afterwards."""

    at: Instant
    fill_id: str
    order_id: str
    ticker: str
    side: Side
    price: Price
    quantity: Quantity
    fee: Usd
    is_taker: bool
    filled_at: Instant
    exchange_index: int | None = None
    client_order_id: str = ""
    held: Quantity | None = None


class OrderSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One order as it stood at ``updated_at``. Reads lag behind writes by seconds.

    ``cost`` and ``fees`` are sums over its fills as the exchange keeps them; which side's price the cost of a
    NO order is in is not published, so take prices from fills.
    """

    at: Instant
    order_id: str
    client_order_id: str
    ticker: str
    side: Side
    price: Price
    initial: Quantity
    filled: Quantity
    remaining: Quantity
    status: OrderStatus
    exchange_index: int | None = None
    created_at: Instant | None = None
    updated_at: Instant | None = None
    expires_at: Instant | None = None
    reason: str = ""
    group_id: str = ""
    cost: Usd | None = None
    fees: Usd | None = None


class PositionSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Holding in one market. ``cost`` is what the open quantity cost, fees apart."""

    at: Instant
    ticker: str
    quantity: Quantity
    cost: Usd
    realized: Usd
    fees: Usd
    exchange_index: int | None = None


class SettlementSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What one market paid. ``fees`` are all fees ever paid in it, not fees of the settlement.

    ``revenue`` and ``payout_yes`` come in whole cents.
    """

    at: Instant
    ticker: str
    event_ticker: str
    result: Result
    yes_quantity: Quantity
    no_quantity: Quantity
    yes_cost: Usd
    no_cost: Usd
    revenue: Usd
    fees: Usd
    payout_yes: Price | None
    settled_at: Instant | None
    exchange_index: int | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """Cash, and where it lies: it backs orders on its own shard only.

    ``by_shard`` is ``None`` for keys that may not see it.
    """

    cash: Usd
    by_shard: Mapping[int, Usd] | None
    portfolio_value: Usd


class GroupKind(Outside):
    """What happened to an order group."""

    CREATED = "created"
    TRIGGERED = "triggered"
    RESET = "reset"
    DELETED = "deleted"
    LIMIT_UPDATED = "limit_updated"
    UNKNOWN = "unknown"


class GroupChanged(msgspec.Struct, frozen=True, kw_only=True):
    """An order group changed: its orders may have been canceled."""

    at: Instant
    group_id: str
    kind: GroupKind
    limit: Quantity | None = None
    source_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class OrderGroup:
    """Orders of one shard that are all canceled once ``limit`` contracts match within 15 seconds."""

    group_id: str
    limit: Quantity | None
    is_auto_cancel: bool
    exchange_index: int | None = None
    order_ids: tuple[str, ...] = ()
