"""The stream's frames into events: typed structs per message type, and the one place that turns NO prices.

Shapes follow the published AsyncAPI 2.0 and recorded frames. The envelope is decoded first and its ``msg``
only for types somebody wants, so that a busy stream costs little.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from shared.clock import SECOND, Instant
from shared.messages import TickSeen, TradeSeen
from shared.money import Price, complement
from shared.terms import FeeType, Result, Side
from shared.venues.kalshi import account_rows, wire
from shared.venues.kalshi.events import (
    BookDelta,
    BookSnapshot,
    EventFees,
    Level,
    Lifecycle,
    LifecycleKind,
    StreamEvent,
)
from shared.venues.kalshi.normalise import price_ranges, taker_side
from shared.venues.kalshi.units import (
    change_of,
    count_of,
    level_price,
    level_size,
    millionths,
    optional_price,
    quote_of,
    ticker_of,
    time_of,
    tradable,
)

T = TypeVar("T")


class Frame(wire.Wire, frozen=True, kw_only=True):
    """Envelope of every frame."""

    type: str
    sid: int | None = None
    seq: int | None = None
    id: int | None = None
    msg: msgspec.Raw = msgspec.Raw(b"{}")


class Subscribed(wire.Wire, frozen=True, kw_only=True):
    """Answer to a subscribe command: one per channel."""

    channel: str
    sid: int


class Refused(wire.Wire, frozen=True, kw_only=True):
    """An error, by number."""

    code: int = 0
    msg: str = ""


class _Snapshot(wire.Wire, frozen=True, kw_only=True):
    market_ticker: str
    yes_dollars_fp: list[wire.Level] | None = None
    no_dollars_fp: list[wire.Level] | None = None


class _Delta(wire.Wire, frozen=True, kw_only=True):
    market_ticker: str
    price_dollars: str
    delta_fp: str
    side: Side
    ts_ms: int | None = None
    ts: str | None = None
    clock: int | None = None
    client_order_id: str | None = None


class _Ticker(wire.Wire, frozen=True, kw_only=True):
    market_ticker: str
    price_dollars: str | None = None
    yes_bid_dollars: str | None = None
    yes_bid_size_fp: str | None = None
    yes_ask_dollars: str | None = None
    yes_ask_size_fp: str | None = None
    volume_fp: str | None = None
    open_interest_fp: str | None = None
    ts_ms: int | None = None


class _Trade(wire.Wire, frozen=True, kw_only=True):
    trade_id: str
    market_ticker: str
    yes_price_dollars: str
    count_fp: str
    taker_outcome_side: str | None = None
    taker_side: str | None = None
    is_block_trade: bool = False
    ts_ms: int | None = None
    ts: int | None = None


class _MarketMetadata(wire.Wire, frozen=True, kw_only=True):
    event_ticker: str | None = None


class _Lifecycle(wire.Wire, frozen=True, kw_only=True):
    market_ticker: str
    event_type: LifecycleKind
    exchange_index: int | None = None
    open_ts: int | None = None
    close_ts: int | None = None
    result: Result | None = None
    settlement_value: str | None = None
    price_ranges: list[wire.PriceStep] | None = None
    additional_metadata: _MarketMetadata | None = None


class _EventFees(wire.Wire, frozen=True, kw_only=True):
    event_ticker: str
    fee_type_override: FeeType | None = None
    fee_multiplier_override: float | None = None


def body(frame: Frame, kind: type[T]) -> T:
    """The frame's ``msg`` as ``kind``; raises :class:`MalformedError`."""
    return wire.decode(kind, frame.msg)


def event_of(frame: Frame, now: Instant, *, yes_priced: bool) -> StreamEvent | None:
    """The event a frame carries, or ``None`` for types nobody wants.

    ``yes_priced``: the subscription asked for ``use_yes_price``, so NO bids arrive as YES asks. Raises
    :class:`MalformedError`.
    """
    if frame.type == "orderbook_delta":
        return _delta(frame, now, yes_priced)
    if frame.type == "orderbook_snapshot":
        return _snapshot(frame, now, yes_priced)
    make = _EVENTS.get(frame.type)
    return make(frame, now) if make else None


def _own_price(price: Price, side: Side, yes_priced: bool) -> Price:
    """The price in the side's own terms: the only place where the stream's NO prices are turned."""
    return complement(price) if yes_priced and side is Side.NO else price


def _snapshot(frame: Frame, now: Instant, yes_priced: bool) -> BookSnapshot:
    msg = body(frame, _Snapshot)
    return BookSnapshot(
        at=now,
        ticker=ticker_of(msg.market_ticker),
        sid=frame.sid or 0,
        seq=frame.seq,
        yes_bids=_levels(msg.yes_dollars_fp or (), Side.YES, yes_priced),
        no_bids=_levels(msg.no_dollars_fp or (), Side.NO, yes_priced),
    )


def _levels(rows: Iterable[wire.Level], side: Side, yes_priced: bool) -> tuple[Level, ...]:
    return tuple((_own_price(level_price(price), side, yes_priced), level_size(size)) for price, size in rows)


def _delta(frame: Frame, now: Instant, yes_priced: bool) -> BookDelta:
    msg = body(frame, _Delta)
    return BookDelta(
        at=now,
        ticker=ticker_of(msg.market_ticker),
        sid=frame.sid or 0,
        seq=frame.seq,
        side=msg.side,
        price=_own_price(level_price(msg.price_dollars), msg.side, yes_priced),
        delta=change_of(msg.delta_fp),
        source_at=_millis(msg.ts_ms) or time_of(msg.ts),
        clock=msg.clock,
        client_order_id=msg.client_order_id or "",
    )


def _ticker(frame: Frame, now: Instant) -> TickSeen:
    msg = body(frame, _Ticker)
    yes_bid, yes_bid_size = quote_of(msg.yes_bid_dollars, None, msg.yes_bid_size_fp)
    yes_ask, yes_ask_size = quote_of(msg.yes_ask_dollars, None, msg.yes_ask_size_fp)
    return TickSeen(
        observed_at=now,
        source_at=_millis(msg.ts_ms),
        ticker=ticker_of(msg.market_ticker),
        yes_bid=yes_bid,
        yes_bid_size=yes_bid_size,
        yes_ask=yes_ask,
        yes_ask_size=yes_ask_size,
        last_price=tradable(msg.price_dollars, None),
        volume=count_of(msg.volume_fp, None),
        open_interest=count_of(msg.open_interest_fp, None),
    )


def _trade(frame: Frame, now: Instant) -> TradeSeen:
    msg = body(frame, _Trade)
    size = level_size(msg.count_fp)
    return TradeSeen(
        observed_at=now,
        source_at=_millis(msg.ts_ms) or _seconds(msg.ts),
        ticker=ticker_of(msg.market_ticker),
        trade_id=msg.trade_id,
        yes_price=level_price(msg.yes_price_dollars),
        size=size,
        taker_side=taker_side(msg.taker_outcome_side, msg.taker_side),
        is_block=msg.is_block_trade,
    )


def _lifecycle(frame: Frame, now: Instant) -> Lifecycle:
    msg = body(frame, _Lifecycle)
    metadata = msg.additional_metadata or _MarketMetadata()
    return Lifecycle(
        at=now,
        ticker=ticker_of(msg.market_ticker),
        kind=msg.event_type,
        exchange_index=msg.exchange_index,
        event_ticker=metadata.event_ticker or "",
        opens_at=_seconds(msg.open_ts),
        closes_at=_seconds(msg.close_ts),
        result=msg.result if msg.result is not None else Result.PENDING,
        settlement_value=optional_price(msg.settlement_value),
        price_ranges=price_ranges(msg.price_ranges),
    )


def _event_fees(frame: Frame, now: Instant) -> EventFees:
    msg = body(frame, _EventFees)
    return EventFees(
        at=now,
        event_ticker=ticker_of(msg.event_ticker),
        fee_type=msg.fee_type_override,
        fee_multiplier_micro=millionths(msg.fee_multiplier_override),
    )


_EVENTS: dict[str, Callable[[Frame, Instant], StreamEvent]] = {
    "ticker": _ticker,
    "trade": _trade,
    "market_lifecycle_v2": _lifecycle,
    "event_fee_update": _event_fees,
    # Our own account. Types are in the singular where their channels are in the plural.
    "fill": lambda frame, now: account_rows.fill_seen(frame.msg, now),
    "user_order": lambda frame, now: account_rows.order_seen(frame.msg, now),
    "market_position": lambda frame, now: account_rows.position_seen(frame.msg, now),
    "order_group_updates": lambda frame, now: account_rows.group_changed(frame.msg, now),
}


def _millis(value: int | None) -> Instant | None:
    return None if value is None else Instant(value * 1000)


def _seconds(value: int | None) -> Instant | None:
    return None if value is None else Instant(value * SECOND)
