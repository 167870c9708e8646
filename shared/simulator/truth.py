"""The exchange's own books about one member: what is true, whatever requests failed and reads lagged.

For checks from outside: money in micro-dollars, quantities in hundredths of a contract, YES positive, prices
of YES, instants in microseconds.
"""

from __future__ import annotations

import msgspec

from shared.clock import Instant, parse_instant
from shared.money import parse_price, parse_quantity, parse_usd
from shared.simulator.accounts import Account, Json
from shared.simulator.exchange import Exchange
from shared.simulator.tickets import MemberOrder


class OrderTruth(msgspec.Struct, frozen=True, kw_only=True):
    """One order that was accepted, and what became of it."""

    order_id: str
    client_order_id: str
    ticker: str
    shard: int
    bid: bool
    price: int
    time_in_force: str
    initial: int
    filled: int
    remaining: int
    status: str
    reason: str
    cost: int  # of the side bought
    fees: int
    created: Instant


class FillTruth(msgspec.Struct, frozen=True, kw_only=True):
    """One fill."""

    fill_id: str
    order_id: str
    client_order_id: str
    ticker: str
    bid: bool
    price: int
    lots: int
    fee: int
    taker: bool
    at: Instant


class PositionTruth(msgspec.Struct, frozen=True, kw_only=True):
    """One holding; ``realized`` before fees, payouts and corrections included."""

    lots: int
    cost: int
    realized: int
    fees: int


class SettlementTruth(msgspec.Struct, frozen=True, kw_only=True):
    """One payout, or what it became by a correction."""

    ticker: str
    result: str
    lots: int
    revenue: int
    at: Instant


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one member at ``at``. ``spent_ids`` are client order ids that can never be used again.

    What was deposited is cash now, less what trades paid and earned, plus fees.
    """

    at: Instant
    user_id: str
    deposited: dict[int, int]
    cash: dict[int, int]
    available: dict[int, int]
    orders: tuple[OrderTruth, ...]
    fills: tuple[FillTruth, ...]
    positions: dict[str, PositionTruth]
    settlements: tuple[SettlementTruth, ...]
    spent_ids: tuple[str, ...]


def truth(exchange: Exchange, account: Account) -> Truth:
    """What the exchange knows of a member now."""
    return Truth(
        at=exchange.now,
        user_id=account.user_id,
        deposited=dict(account.deposited),
        cash=dict(account.cash),
        available={shard: account.available(shard) for shard in account.cash},
        orders=tuple(_order(order) for order in account.orders.values()),
        fills=tuple(_fill(account, at, row) for at, row in account.fills),
        positions={
            ticker: PositionTruth(lots=p.lots, cost=p.cost, realized=p.realized, fees=p.fees)
            for ticker, p in account.positions.items()
        },
        settlements=tuple(_settlement(row) for _, row in account.settlements),
        spent_ids=tuple(sorted(account.client_ids)),
    )


def _order(order: MemberOrder) -> OrderTruth:
    return OrderTruth(
        order_id=order.id,
        client_order_id=order.client_order_id,
        ticker=order.ticker,
        shard=order.shard,
        bid=order.bid,
        price=order.price,
        time_in_force=order.ticket.time_in_force,
        initial=order.initial,
        filled=order.filled,
        remaining=order.remaining,
        status=order.status,
        reason=order.reason,
        cost=order.taker_cost + order.maker_cost,
        fees=order.taker_fees + order.maker_fees,
        created=order.created,
    )


def _fill(account: Account, at: Instant, row: Json) -> FillTruth:
    return FillTruth(
        fill_id=row["fill_id"],
        order_id=row["order_id"],
        client_order_id=account.orders[row["order_id"]].client_order_id,
        ticker=row["ticker"],
        bid=row["book_side"] == "bid",
        price=parse_price(row["yes_price_dollars"]),
        lots=parse_quantity(row["count_fp"]),
        fee=parse_usd(row["fee_cost"]),
        taker=row["is_taker"],
        at=at,
    )


def _settlement(row: Json) -> SettlementTruth:
    return SettlementTruth(
        ticker=row["ticker"],
        result=row["market_result"],
        lots=parse_quantity(row["yes_count_fp"]) - parse_quantity(row["no_count_fp"]),
        revenue=row["revenue"] * 10_000,
        at=parse_instant(row["settled_time"]) or Instant(0),
    )
