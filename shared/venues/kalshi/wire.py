"""The exchange's public JSON as typed structs: today's ``*_dollars``/``*_fp`` strings and the older cents.

Decoding is lenient where the exchange grows (unknown fields are skipped, unknown enum values become
``UNKNOWN``) and strict where a mistake costs money: prices and sizes stay strings until
:mod:`shared.venues.kalshi.normalise` turns them into exact integers, and nothing missing becomes zero.
Field names follow the published OpenAPI 3.34; fields nobody reads are left out.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from shared.errors import MalformedError
from shared.terms import FeeType, MarketShape, MarketStatus, Result, StrikeType


class Wire(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A piece of the exchange's JSON. ``gc=False``: trees only, never a cycle."""


# --- exchange ---------------------------------------------------------------------------------------------


class ShardStatus(Wire, frozen=True, kw_only=True):
    """One matching engine: whether it is up and trading."""

    exchange_index: int
    description: str = ""
    exchange_active: bool | None = None
    trading_active: bool | None = None
    intra_exchange_transfers_active: bool | None = None


class ExchangeStatus(Wire, frozen=True, kw_only=True):
    """``GET /exchange/status``. The top-level flags describe shard 0 only."""

    exchange_active: bool
    trading_active: bool
    intra_exchange_transfers_active: bool | None = None
    exchange_estimated_resume_time: str | None = None
    exchange_index_statuses: list[ShardStatus] | None = None


class Session(Wire, frozen=True, kw_only=True):
    """Opening and closing time of a session, ``HH:MM`` Eastern."""

    open_time: str
    close_time: str


class WeeklyHours(Wire, frozen=True, kw_only=True):
    """Sessions by weekday, valid between two instants."""

    start_time: str | None = None
    end_time: str | None = None
    monday: list[Session] | None = None
    tuesday: list[Session] | None = None
    wednesday: list[Session] | None = None
    thursday: list[Session] | None = None
    friday: list[Session] | None = None
    saturday: list[Session] | None = None
    sunday: list[Session] | None = None


class Maintenance(Wire, frozen=True, kw_only=True):
    """A planned window in which the exchange is down."""

    start_datetime: str
    end_datetime: str


class Schedule(Wire, frozen=True, kw_only=True):
    """``GET /exchange/schedule``."""

    standard_hours: list[WeeklyHours] | None = None
    maintenance_windows: list[Maintenance] | None = None


class ScheduleAnswer(Wire, frozen=True, kw_only=True):
    """Envelope of the schedule."""

    schedule: Schedule


# --- series, events, markets ------------------------------------------------------------------------------


class Series(Wire, frozen=True, kw_only=True):
    """A family of events. Category, tags and the fee formula live only here."""

    ticker: str
    title: str = ""
    category: str = ""
    tags: list[str] | None = None
    frequency: str = ""
    fee_type: FeeType | None = None
    fee_multiplier: float | None = None
    exchange_index: int | None = None
    last_updated_ts: str | None = None


class PriceStep(Wire, frozen=True, kw_only=True):
    """A stretch of the price grid, dollar strings."""

    start: str
    end: str
    step: str


class ComboLeg(Wire, frozen=True, kw_only=True):
    """One leg of a combo market."""

    market_ticker: str = ""
    event_ticker: str = ""
    side: str = ""


class Market(Wire, frozen=True, kw_only=True):
    """One market. Only the ticker is certain: old and trimmed recordings lack nearly everything else."""

    ticker: str
    event_ticker: str = ""
    series_ticker: str = ""
    market_type: MarketShape | None = None
    status: MarketStatus | None = None
    result: Result | None = None
    exchange_index: int | None = None
    title: str | None = None
    event_title: str | None = None
    yes_sub_title: str | None = None
    no_sub_title: str | None = None
    rules_primary: str | None = None
    rules_secondary: str | None = None
    strike_type: StrikeType | None = None
    floor_strike: float | None = None
    cap_strike: float | None = None
    custom_strike: dict[str, Any] | None = None
    mve_collection_ticker: str | None = None
    mve_selected_legs: list[ComboLeg] | None = None
    updated_time: str | None = None
    open_time: str | None = None
    close_time: str | None = None
    expected_expiration_time: str | None = None
    occurrence_datetime: str | None = None
    settlement_ts: str | None = None
    fee_waiver_expiration_time: str | None = None
    price_ranges: list[PriceStep] | None = None
    yes_bid_dollars: str | None = None
    yes_bid_size_fp: str | None = None
    yes_ask_dollars: str | None = None
    yes_ask_size_fp: str | None = None
    last_price_dollars: str | None = None
    volume_fp: str | None = None
    open_interest_fp: str | None = None
    settlement_value_dollars: str | None = None
    # Whole cents and whole contracts: all there was until late 2025, absent since March 2026.
    yes_bid: int | None = None
    yes_ask: int | None = None
    last_price: int | None = None
    volume: int | None = None
    open_interest: int | None = None


class Event(Wire, frozen=True, kw_only=True):
    """One event. The markets nested in it are read by :class:`Nested`, so that a bad one spoils no other."""

    event_ticker: str
    series_ticker: str = ""
    title: str = ""
    sub_title: str = ""
    mutually_exclusive: bool | None = None
    fee_type_override: FeeType | None = None
    fee_multiplier_override: float | None = None
    exchange_index: int | None = None
    last_updated_ts: str | None = None


class SeriesAnswer(Wire, frozen=True, kw_only=True):
    """``GET /series/{ticker}``."""

    series: Series


class SeriesList(Wire, frozen=True, kw_only=True):
    """``GET /series``: the whole list, not paged."""

    series: list[Series] | None = None


class MarketAnswer(Wire, frozen=True, kw_only=True):
    """``GET /markets/{ticker}``."""

    market: Market


class Nested(Wire, frozen=True, kw_only=True):
    """The markets inside an event, still undecoded."""

    markets: list[msgspec.Raw] | None = None


class EventAnswer(Wire, frozen=True, kw_only=True):
    """``GET /events/{ticker}``: markets beside the event, or inside it when nested."""

    event: msgspec.Raw
    markets: list[msgspec.Raw] | None = None


class RowsPage(Wire, frozen=True, kw_only=True):
    """A page whose rows are still undecoded, so that one bad row costs one row."""

    cursor: str | None = None
    markets: list[msgspec.Raw] | None = None
    events: list[msgspec.Raw] | None = None
    trades: list[msgspec.Raw] | None = None
    milestones: list[msgspec.Raw] | None = None
    event_fee_changes: list[msgspec.Raw] | None = None
    orders: list[msgspec.Raw] | None = None
    fills: list[msgspec.Raw] | None = None
    market_positions: list[msgspec.Raw] | None = None
    settlements: list[msgspec.Raw] | None = None


# --- books, trades, candles -------------------------------------------------------------------------------

# A level is [price, size]: dollar and count strings today, whole cents and whole contracts before 2026.
Level = tuple[str | int, str | int | float]


class Book(Wire, frozen=True, kw_only=True):
    """Bids of both sides, in no order to rely on. ``yes``/``no`` are the old whole-cent names."""

    yes_dollars: list[Level] | None = None
    no_dollars: list[Level] | None = None
    yes: list[Level] | None = None
    no: list[Level] | None = None


class BookAnswer(Wire, frozen=True, kw_only=True):
    """``GET /markets/{ticker}/orderbook``: ``orderbook_fp`` today, ``orderbook`` before."""

    orderbook_fp: Book | None = None
    orderbook: Book | None = None
    ticker: str = ""


class BooksAnswer(Wire, frozen=True, kw_only=True):
    """``GET /markets/orderbooks``, each book still undecoded."""

    orderbooks: list[msgspec.Raw] | None = None


class Trade(Wire, frozen=True, kw_only=True):
    """One public trade. ``yes_price`` (cents) and ``count`` are the old names."""

    trade_id: str
    ticker: str
    created_time: str | None = None
    yes_price_dollars: str | None = None
    count_fp: str | None = None
    taker_outcome_side: str | None = None
    taker_side: str | None = None
    is_block_trade: bool = False
    yes_price: int | None = None
    count: int | None = None


class CandleSide(Wire, frozen=True, kw_only=True):
    """Open, low, high, close. Live names end in ``_dollars``; historical candles drop the suffix."""

    open_dollars: str | None = None
    low_dollars: str | None = None
    high_dollars: str | None = None
    close_dollars: str | None = None
    open: str | int | None = None
    low: str | int | None = None
    high: str | int | None = None
    close: str | int | None = None


class Candle(Wire, frozen=True, kw_only=True):
    """One period of one market, ending at ``end_period_ts`` (Unix seconds)."""

    end_period_ts: int
    yes_bid: CandleSide | None = None
    yes_ask: CandleSide | None = None
    price: CandleSide | None = None
    volume_fp: str | None = None
    open_interest_fp: str | None = None
    volume: str | int | None = None
    open_interest: str | int | None = None


class CandlesAnswer(Wire, frozen=True, kw_only=True):
    """``GET /series/{s}/markets/{t}/candlesticks``."""

    ticker: str = ""
    candlesticks: list[Candle] | None = None


# --- milestones, fees, account ----------------------------------------------------------------------------


class Milestone(Wire, frozen=True, kw_only=True):
    """A real-world game. ``start_date`` is the only official machine-readable start time."""

    id: str
    category: str = ""
    type: str = ""
    title: str = ""
    start_date: str | None = None
    end_date: str | None = None
    related_event_tickers: list[str] | None = None
    primary_event_tickers: list[str] | None = None
    details: dict[str, Any] | None = None
    last_updated_ts: str | None = None


class SeriesFeeChange(Wire, frozen=True, kw_only=True):
    """A scheduled change of a series' fee formula."""

    id: str
    series_ticker: str
    fee_type: FeeType | None = None
    fee_multiplier: float | None = None
    scheduled_ts: str | None = None


class SeriesFeeChanges(Wire, frozen=True, kw_only=True):
    """``GET /series/fee_changes``."""

    series_fee_change_arr: list[SeriesFeeChange] | None = None


class EventFeeChange(Wire, frozen=True, kw_only=True):
    """A scheduled fee override of one event; a missing override falls back to the series."""

    id: str
    event_ticker: str
    series_ticker: str = ""
    fee_type_override: FeeType | None = None
    fee_multiplier_override: float | None = None
    scheduled_ts: str | None = None


class Bucket(Wire, frozen=True, kw_only=True):
    """A token bucket: tokens a second, and how many it holds."""

    refill_rate: int
    bucket_capacity: int


class AccountLimits(Wire, frozen=True, kw_only=True):
    """``GET /account/limits``."""

    usage_tier: str = ""
    read: Bucket
    write: Bucket


class UserDataTimestamp(Wire, frozen=True, kw_only=True):
    """``GET /exchange/user_data_timestamp``: balance, orders, fills and positions are valid up to here."""

    as_of_time: str


T = TypeVar("T")

_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def decode(kind: type[T], data: bytes | msgspec.Raw) -> T:
    """``data`` as ``kind``; raises :class:`MalformedError` for anything that does not fit."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    try:
        decoded: T = decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise MalformedError(f"{kind.__name__}: {exc}") from exc
    return decoded


def convert(kind: type[T], value: object) -> T:
    """A decoded JSON value as ``kind``, reading numbers and booleans out of CSV text where needed."""
    try:
        return msgspec.convert(value, kind, strict=False)
    except (msgspec.ValidationError, RecursionError) as exc:
        raise MalformedError(f"{kind.__name__}: {exc}") from exc
