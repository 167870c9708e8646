"""How orders, fills, positions and settlements of a member are written, by REST and on the stream."""

from __future__ import annotations

from shared.clock import SECOND, Instant, format_instant
from shared.money import LOTS, MICROS, Price, Quantity, complement, format_price, format_quantity
from shared.simulator.accounts import Position
from shared.simulator.market import Market, Trade
from shared.simulator.tickets import Json, MemberOrder

_FILL_KEYS = (
    "trade_id", "order_id", "market_ticker", "exchange_index", "is_taker", "side", "yes_price_dollars",
    "count_fp", "fee_cost", "action", "ts", "outcome_side", "book_side",
)  # fmt: skip


def dollars6(micros: int) -> str:
    """Dollars with six decimals, as costs and fees are written: ``"0.017500"``."""
    sign = "-" if micros < 0 else ""
    return f"{sign}{abs(micros) // MICROS}.{abs(micros) % MICROS:06d}"


def _direction(bid: bool) -> Json:
    outcome = "yes" if bid else "no"
    return {"side": outcome, "action": "buy", "outcome_side": outcome, "book_side": "bid" if bid else "ask"}


def averages(order: MemberOrder) -> Json:
    """Average price (YES) and fee per contract so far; empty before the first fill."""
    if not order.filled:
        return {}
    spent = (order.taker_cost + order.maker_cost) * LOTS // order.filled
    yes = spent if order.bid else MICROS - spent
    fee = (order.taker_fees + order.maker_fees) * LOTS // order.filled
    return {
        "average_fill_price": format_price(Price(yes)),
        "average_fee_paid": format_price(Price(fee)),
    }


def order_row(order: MemberOrder, now: Instant) -> Json:
    """An order as ``GET /portfolio/orders`` writes it."""
    row: Json = {
        "order_id": order.id,
        "client_order_id": order.client_order_id,
        "user_id": order.owner.user_id,
        "ticker": order.ticker,
        "exchange_index": order.shard,
        "status": order.status,
        "type": "limit",
        **_direction(order.bid),
        "yes_price_dollars": format_price(order.price),
        "no_price_dollars": format_price(complement(order.price)),
        "initial_count_fp": format_quantity(Quantity(order.initial)),
        "fill_count_fp": format_quantity(Quantity(order.filled)),
        "remaining_count_fp": format_quantity(order.remaining),
        "taker_fill_cost_dollars": dollars6(order.taker_cost),
        "maker_fill_cost_dollars": dollars6(order.maker_cost),
        "taker_fees_dollars": dollars6(order.taker_fees),
        "maker_fees_dollars": dollars6(order.maker_fees),
        "self_trade_prevention_type": order.ticket.self_trade,
        "cancel_order_on_pause": order.ticket.cancel_on_pause,
        "created_time": format_instant(order.created),
        "last_update_time": format_instant(now),
        "subaccount_number": 0,
    }
    if order.expires is not None:
        row["expiration_time"] = format_instant(order.expires)
    if order.ticket.group:
        row["order_group_id"] = order.ticket.group
    return row


def user_order(order: MemberOrder, now: Instant) -> Json:
    """The same as the stream's ``user_order`` writes it."""
    row = order_row(order, now)
    dropped = ("type", "action", "no_price_dollars", "last_update_time", "cancel_order_on_pause")
    body = {key: value for key, value in row.items() if key not in dropped}
    body |= {
        "is_yes": order.bid,
        "created_ts_ms": order.created // 1000,
        "last_updated_ts_ms": now // 1000,
    }
    if order.expires is not None:
        body["expiration_ts_ms"] = order.expires // 1000
    if order.reason:
        body["last_update_reason"] = order.reason
    return body


def fill_row(order: MemberOrder, lots: int, fee: int, taker: bool, trade: Trade) -> Json:
    """A fill as ``GET /portfolio/fills`` writes it: without the client order id."""
    return {
        "fill_id": trade.id,
        "trade_id": trade.id,
        "order_id": order.id,
        "ticker": order.ticker,
        "market_ticker": order.ticker,
        "exchange_index": order.shard,
        "count_fp": format_quantity(Quantity(lots)),
        "yes_price_dollars": format_price(trade.price),
        "no_price_dollars": format_price(complement(trade.price)),
        "fee_cost": dollars6(fee),
        "is_taker": taker,
        **_direction(order.bid),
        "created_time": format_instant(trade.at),
        "ts": trade.at // SECOND,
        "subaccount_number": 0,
    }


def fill_body(order: MemberOrder, row: Json, trade: Trade, held: int) -> Json:
    """The same as the stream's ``fill`` writes it; ``held`` is the position afterwards, lots."""
    return {key: row[key] for key in _FILL_KEYS} | {
        "client_order_id": order.client_order_id,
        "ts_ms": trade.at // 1000,
        "post_position_fp": format_quantity(Quantity(held)),
        "purchased_side": row["outcome_side"],
    }


def position_row(market: Market, position: Position, now: Instant) -> Json:
    """A position as ``GET /portfolio/positions`` writes it."""
    return {
        "ticker": market.ticker,
        "exchange_index": market.contract.shard,
        "position_fp": format_quantity(Quantity(position.lots)),
        "market_exposure_dollars": dollars6(position.cost),
        "total_traded_dollars": dollars6(position.traded),
        "realized_pnl_dollars": dollars6(position.realized),
        "fees_paid_dollars": dollars6(position.fees),
        "last_updated_ts": format_instant(now),
    }


def position_body(user_id: str, position: Position, row: Json) -> Json:
    """The same as the stream's ``market_position`` writes it."""
    return {
        "user_id": user_id,
        "market_ticker": row["ticker"],
        "position_fp": row["position_fp"],
        "position_cost_dollars": row["market_exposure_dollars"],
        "realized_pnl_dollars": row["realized_pnl_dollars"],
        "fees_paid_dollars": row["fees_paid_dollars"],
        "position_fee_cost_dollars": row["fees_paid_dollars"],
        "volume_fp": format_quantity(Quantity(position.volume)),
    }


def settlement_row(market: Market, position: Position, lots: int, revenue: int, now: Instant) -> Json:
    """A row of ``GET /portfolio/settlements``; ``lots`` is what was held, ``revenue`` micro-dollars."""
    return {
        "ticker": market.ticker,
        "exchange_index": market.contract.shard,
        "event_ticker": market.contract.event_ticker,
        "market_result": market.result.value,
        "yes_count_fp": format_quantity(Quantity(max(0, lots))),
        "yes_total_cost_dollars": dollars6(position.yes_cost),
        "no_count_fp": format_quantity(Quantity(max(0, -lots))),
        "no_total_cost_dollars": dollars6(position.no_cost),
        "revenue": revenue // 10_000,
        "settled_time": format_instant(now),
        "fee_cost": dollars6(position.fees),
        "value": (market.payout or 0) // 10_000,
    }
