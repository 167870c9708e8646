"""Candles of the exchange in our units, from the live and the historical shape."""

from __future__ import annotations

import msgspec

from shared.clock import SECOND, Instant
from shared.money import Price, Quantity
from shared.venues.kalshi import wire
from shared.venues.kalshi.units import count_of, level_price


class Ohlc(msgspec.Struct, frozen=True):
    """Open, low, high and close of one period; ``None`` where nothing was quoted or traded."""

    open: Price | None = None
    low: Price | None = None
    high: Price | None = None
    close: Price | None = None


class Candle(msgspec.Struct, frozen=True, kw_only=True):
    """One period of one market: YES bid, YES ask and trade prices."""

    ends_at: Instant
    yes_bid: Ohlc
    yes_ask: Ohlc
    traded: Ohlc
    volume: Quantity | None = None
    open_interest: Quantity | None = None


def candle(row: wire.Candle) -> Candle:
    """One candle in our units, from either the live or the historical shape."""
    return Candle(
        ends_at=Instant(row.end_period_ts * SECOND),
        yes_bid=_ohlc(row.yes_bid),
        yes_ask=_ohlc(row.yes_ask),
        traded=_ohlc(row.price),
        volume=count_of(row.volume_fp, row.volume),
        open_interest=count_of(row.open_interest_fp, row.open_interest),
    )


def _ohlc(side: wire.CandleSide | None) -> Ohlc:
    if side is None:
        return Ohlc()
    pairs = (
        (side.open_dollars, side.open),
        (side.low_dollars, side.low),
        (side.high_dollars, side.high),
        (side.close_dollars, side.close),
    )
    return Ohlc(*(_candle_price(dollars, old) for dollars, old in pairs))


def _candle_price(dollars: str | None, old: str | int | None) -> Price | None:
    value = dollars if dollars is not None else old
    return None if value is None else level_price(value)
