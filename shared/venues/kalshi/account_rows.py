"""The exchange's words about our own account into ours: rows of its listings and frames of its stream.

The two name the same things differently: a stream fill has ``trade_id`` and ``market_ticker`` and no
``fill_id``, a stream order has ``ticker``. A trade has one id everywhere, so that is what a fill is known by.
Everything here raises :class:`MalformedError` for what cannot be meant.
"""

from __future__ import annotations

import msgspec

from shared.clock import SECOND, Instant
from shared.errors import MalformedError
from shared.money import (
    Price,
    Quantity,
    Usd,
    parse_price,
    parse_quantity,
    parse_signed_quantity,
    parse_usd,
    price_from_cents,
)
from shared.terms import OrderStatus, Outside, Result
from shared.venues.kalshi import wire
from shared.venues.kalshi.account import (
    Balance,
    FillSeen,
    GroupChanged,
    GroupKind,
    OrderSeen,
    PositionSeen,
    SettlementSeen,
)
from shared.venues.kalshi.order_wire import BookSide, from_book
from shared.venues.kalshi.units import ticker_of, time_of

_CENT = 10_000
_EXPIRED = "ExpiryCancel"
# What was sold of one side was bought of the other.
_BOOK_SIDES: dict[tuple[str | None, str | None], BookSide] = {
    ("yes", "buy"): BookSide.BID,
    ("no", "sell"): BookSide.BID,
    ("no", "buy"): BookSide.ASK,
    ("yes", "sell"): BookSide.ASK,
}
_WORDS: dict[str | None, BookSide] = {"bid": BookSide.BID, "ask": BookSide.ASK}


class _Status(Outside):
    RESTING = "resting"
    CANCELED = "canceled"
    EXECUTED = "executed"
    UNKNOWN = "unknown"


class _Directed(wire.Wire, frozen=True, kw_only=True):
    """How a row says which way it goes: ``book_side`` today, ``side`` with ``action`` before May 2026."""

    book_side: str | None = None
    outcome_side: str | None = None
    side: str | None = None
    action: str | None = None


class _Fill(_Directed, frozen=True, kw_only=True):
    trade_id: str
    order_id: str
    market_ticker: str = ""
    ticker: str = ""
    count_fp: str
    yes_price_dollars: str
    fee_cost: str
    is_taker: bool
    exchange_index: int | None = None
    client_order_id: str | None = None
    post_position_fp: str | None = None
    created_time: str | None = None
    ts_ms: int | None = None
    ts: int | None = None


class _Order(_Directed, frozen=True, kw_only=True):
    order_id: str
    client_order_id: str | None = None
    ticker: str
    status: _Status
    yes_price_dollars: str
    initial_count_fp: str
    fill_count_fp: str
    remaining_count_fp: str
    exchange_index: int | None = None
    created_time: str | None = None
    last_update_time: str | None = None
    last_updated_ts_ms: int | None = None
    expiration_time: str | None = None
    last_update_reason: str | None = None
    order_group_id: str | None = None
    taker_fill_cost_dollars: str | None = None
    maker_fill_cost_dollars: str | None = None
    taker_fees_dollars: str | None = None
    maker_fees_dollars: str | None = None


class OrderRow(wire.Wire, frozen=True, kw_only=True):
    """``GET /portfolio/orders/{id}``."""

    order: msgspec.Raw


class _Position(wire.Wire, frozen=True, kw_only=True):
    ticker: str = ""
    market_ticker: str = ""
    position_fp: str
    market_exposure_dollars: str | None = None
    position_cost_dollars: str | None = None
    realized_pnl_dollars: str
    fees_paid_dollars: str
    exchange_index: int | None = None


class _Settlement(wire.Wire, frozen=True, kw_only=True):
    ticker: str
    event_ticker: str = ""
    market_result: Result
    yes_count_fp: str
    no_count_fp: str
    yes_total_cost_dollars: str
    no_total_cost_dollars: str
    revenue: int
    fee_cost: str
    value: int | None = None
    settled_time: str | None = None
    exchange_index: int | None = None


class _ShardBalance(wire.Wire, frozen=True, kw_only=True):
    exchange_index: int
    balance: str


class BalanceAnswer(wire.Wire, frozen=True, kw_only=True):
    """``GET /portfolio/balance``. ``balance`` is cut to whole cents: the dollars are the amount."""

    balance_dollars: str
    portfolio_value: int
    balance_breakdown: list[_ShardBalance] | None = None


class _GroupChanged(wire.Wire, frozen=True, kw_only=True):
    order_group_id: str
    event_type: GroupKind
    contracts_limit_fp: str | None = None
    ts_ms: int | None = None


def fill_seen(raw: msgspec.Raw, now: Instant) -> FillSeen:
    """A fill, of a listing or of the stream's ``fill``."""
    row = wire.decode(_Fill, raw)
    side, price = from_book(_book_side(row), parse_price(row.yes_price_dollars))
    filled_at = _millis(row.ts_ms) or time_of(row.created_time) or _seconds(row.ts)
    quantity = parse_quantity(row.count_fp)
    if not (row.trade_id and row.order_id) or filled_at is None or not quantity:
        raise MalformedError(f"fill {row.trade_id!r}: an id, the time or the count is missing")
    return FillSeen(
        at=now,
        fill_id=row.trade_id,
        order_id=row.order_id,
        ticker=ticker_of(row.market_ticker or row.ticker),
        side=side,
        price=price,
        quantity=quantity,
        fee=parse_usd(row.fee_cost),
        is_taker=row.is_taker,
        filled_at=filled_at,
        exchange_index=row.exchange_index,
        client_order_id=row.client_order_id or "",
        held=None if row.post_position_fp is None else parse_signed_quantity(row.post_position_fp),
    )


def order_seen(raw: msgspec.Raw, now: Instant) -> OrderSeen:
    """An order, of a listing or of the stream's ``user_order``."""
    row = wire.decode(_Order, raw)
    side, price = from_book(_book_side(row), parse_price(row.yes_price_dollars))
    filled = parse_quantity(row.fill_count_fp)
    return OrderSeen(
        at=now,
        order_id=row.order_id,
        client_order_id=row.client_order_id or "",
        ticker=ticker_of(row.ticker),
        side=side,
        price=price,
        initial=parse_quantity(row.initial_count_fp),
        filled=filled,
        remaining=parse_quantity(row.remaining_count_fp),
        status=_status(row, filled),
        exchange_index=row.exchange_index,
        created_at=time_of(row.created_time),
        updated_at=_millis(row.last_updated_ts_ms) or time_of(row.last_update_time),
        expires_at=time_of(row.expiration_time),
        reason=row.last_update_reason or "",
        group_id=row.order_group_id or "",
        cost=_sum(row.taker_fill_cost_dollars, row.maker_fill_cost_dollars),
        fees=_sum(row.taker_fees_dollars, row.maker_fees_dollars),
    )


def position_seen(raw: msgspec.Raw, now: Instant) -> PositionSeen:
    """A holding, of a listing or of the stream's ``market_position``."""
    row = wire.decode(_Position, raw)
    cost = row.market_exposure_dollars or row.position_cost_dollars
    if cost is None:
        raise MalformedError(f"position in {row.ticker or row.market_ticker}: its cost is missing")
    return PositionSeen(
        at=now,
        ticker=ticker_of(row.market_ticker or row.ticker),
        quantity=parse_signed_quantity(row.position_fp),
        cost=parse_usd(cost),
        realized=parse_usd(row.realized_pnl_dollars),
        fees=parse_usd(row.fees_paid_dollars),
        exchange_index=row.exchange_index,
    )


def settlement_seen(raw: msgspec.Raw, now: Instant) -> SettlementSeen:
    """A payout."""
    row = wire.decode(_Settlement, raw)
    return SettlementSeen(
        at=now,
        ticker=ticker_of(row.ticker),
        event_ticker=row.event_ticker,
        result=row.market_result,
        yes_quantity=parse_quantity(row.yes_count_fp),
        no_quantity=parse_quantity(row.no_count_fp),
        yes_cost=parse_usd(row.yes_total_cost_dollars),
        no_cost=parse_usd(row.no_total_cost_dollars),
        revenue=Usd(row.revenue * _CENT),
        fees=parse_usd(row.fee_cost),
        payout_yes=_payout(row.value),
        settled_at=time_of(row.settled_time),
        exchange_index=row.exchange_index,
    )


def balance_of(answer: BalanceAnswer) -> Balance:
    """Cash, in all and by shard."""
    rows = answer.balance_breakdown
    return Balance(
        cash=parse_usd(answer.balance_dollars),
        by_shard=None if rows is None else {row.exchange_index: parse_usd(row.balance) for row in rows},
        portfolio_value=Usd(answer.portfolio_value * _CENT),
    )


def group_changed(raw: msgspec.Raw, now: Instant) -> GroupChanged:
    """The stream's ``order_group_updates``."""
    row = wire.decode(_GroupChanged, raw)
    return GroupChanged(
        at=now,
        group_id=row.order_group_id,
        kind=row.event_type,
        limit=parse_quantity(row.contracts_limit_fp) if row.contracts_limit_fp else None,
        source_at=_millis(row.ts_ms),
    )


def _book_side(row: _Directed) -> BookSide:
    """Which way a row goes; what contradicts itself is refused."""
    said = {_BOOK_SIDES.get((row.outcome_side, "buy")), _WORDS.get(row.book_side)} - {None}
    if not said:
        said = {_BOOK_SIDES.get((row.side, row.action))}
    side = said.pop()
    if side is None or said:
        words = f"{row.book_side}/{row.outcome_side}/{row.action} {row.side}"
        raise MalformedError(f"direction {words} is unclear")
    return side


def _status(row: _Order, filled: Quantity) -> OrderStatus:
    if row.status is _Status.RESTING:
        return OrderStatus.PARTIAL if filled else OrderStatus.RESTING
    if row.status is _Status.EXECUTED:
        return OrderStatus.FILLED
    if row.status is _Status.CANCELED:
        return OrderStatus.EXPIRED if row.last_update_reason == _EXPIRED else OrderStatus.CANCELED
    return OrderStatus.UNKNOWN


def _payout(cents: int | None) -> Price | None:
    return None if cents is None else price_from_cents(cents)


def _sum(*amounts: str | None) -> Usd | None:
    """Sum of amounts, unknown as soon as one is: old rows leave them empty."""
    return Usd(sum(parse_usd(amount or "") for amount in amounts)) if all(amounts) else None


def _millis(value: int | None) -> Instant | None:
    return None if value is None else Instant(value * 1000)


def _seconds(value: int | None) -> Instant | None:
    return None if value is None else Instant(value * SECOND)
