"""The exchange's words into ours: wire structs in, messages out, one bad row never costing another.

A quote exists only where someone really bids: its size is above zero and its price strictly between 0 and 1.
The exchange fills an empty side with 0.0000 or 1.0000 (both were measured), which must never become a price.
Rows raise :class:`MalformedError`; :func:`each` turns that into a quarantine record and goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from shared.clock import Instant, parse_instant
from shared.errors import MalformedError
from shared.messages import BookLevel, BookSeen, MarketListed, PriceRange, Quarantined, TickSeen, TradeSeen
from shared.money import (
    MICROS,
    Price,
    Quantity,
    complement,
    parse_price,
    parse_quantity,
    parse_signed_quantity,
    price_from_cents,
)
from shared.terms import FeeType, MarketShape, MarketStatus, Result, Side, StrikeType
from shared.venues.kalshi import wire

# Longest recorded: ticker 64, rules 4,300. Longer is not the exchange speaking.
_MAX_TICKER = 200
_MAX_TEXT = 100_000
_MAX_SAMPLE = 300

_COMBO_PREFIX = "KXMVE"

W = TypeVar("W")
M = TypeVar("M")

# A page repeats a few hundred distinct prices thousands of times.
_price = lru_cache(maxsize=16_384)(parse_price)
_quantity = lru_cache(maxsize=16_384)(parse_quantity)
_signed_quantity = lru_cache(maxsize=16_384)(parse_signed_quantity)


def each(
    rows: Iterable[W], make: Callable[[W], M], source: str, sample: Callable[[W], object] = repr
) -> tuple[list[M], list[Quarantined]]:
    """``make`` of every row that allows it, and a quarantine record (without a time) for every other."""
    made: list[M] = []
    bad: list[Quarantined] = []
    for row in rows:
        try:
            made.append(make(row))
        except MalformedError as exc:
            bad.append(quarantined(source, str(exc), sample(row)))
    return made, bad


def quarantined(source: str, reason: str, sample: object = "", at: Instant = Instant(0)) -> Quarantined:
    """A quarantine record with reason and sample cut to a readable length."""
    return Quarantined(
        observed_at=at, source=source, reason=reason[:_MAX_SAMPLE], sample=str(sample)[:_MAX_SAMPLE]
    )


def market_listed(
    row: wire.Market,
    observed_at: Instant,
    *,
    event: wire.Event | None = None,
    series: wire.Series | None = None,
    starts_at: Instant | None = None,
) -> MarketListed:
    """One market as our message.

    ``event`` and ``series`` add what a market does not carry itself: titles, exclusivity, fee parameters
    (an event's override goes before its series). Raises :class:`MalformedError` for this row alone.
    """
    ticker = _ticker(row.ticker)
    event_ticker = _ticker(row.event_ticker) if row.event_ticker else ""
    yes_bid, yes_bid_size = _quote(row.yes_bid_dollars, row.yes_bid, row.yes_bid_size_fp)
    yes_ask, yes_ask_size = _quote(row.yes_ask_dollars, row.yes_ask, row.yes_ask_size_fp)
    fee_type, multiplier = _fees(event, series)
    return MarketListed(
        observed_at=observed_at,
        source_at=_time(row.updated_time),
        ticker=ticker,
        event_ticker=event_ticker,
        series_ticker=series_ticker(row, event),
        exchange_index=row.exchange_index if row.exchange_index is not None else _shard(event),
        shape=row.market_type or MarketShape.UNKNOWN,
        status=row.status or MarketStatus.UNKNOWN,
        is_combo=_is_combo(row),
        title=_text(row.title),
        event_title=_text(event.title if event and event.title else row.event_title),
        event_sub_title=_text(event.sub_title if event else None),
        yes_sub_title=_text(row.yes_sub_title),
        no_sub_title=_text(row.no_sub_title),
        rules_primary=_text(row.rules_primary),
        rules_secondary=_text(row.rules_secondary),
        strike_type=row.strike_type or StrikeType.NONE,
        floor_strike=row.floor_strike,
        cap_strike=row.cap_strike,
        custom_strike=_custom_strike(row.custom_strike),
        mutually_exclusive=event.mutually_exclusive if event else None,
        opens_at=_time(row.open_time),
        closes_at=_time(row.close_time),
        expected_expiration_at=_time(row.expected_expiration_time),
        occurs_at=_time(row.occurrence_datetime),
        starts_at=starts_at,
        yes_bid=yes_bid,
        yes_bid_size=yes_bid_size,
        yes_ask=yes_ask,
        yes_ask_size=yes_ask_size,
        last_price=_traded(row.last_price_dollars, row.last_price),
        volume=_count(row.volume_fp, row.volume),
        open_interest=_count(row.open_interest_fp, row.open_interest),
        price_ranges=price_ranges(row.price_ranges),
        fee_type=fee_type,
        fee_multiplier_micro=multiplier,
        fee_waived_until=_time(row.fee_waiver_expiration_time),
        result=row.result if row.result is not None else Result.PENDING,
        settlement_value=_optional_price(row.settlement_value_dollars),
        settled_at=_time(row.settlement_ts),
    )


def series_ticker(row: wire.Market, event: wire.Event | None) -> str:
    """Series of a market: the event's word (it may contain a hyphen), else the text before the first one."""
    stated = (event.series_ticker if event else "") or row.series_ticker
    return stated or (row.event_ticker or row.ticker).split("-", 1)[0]


def tick_seen(listed: MarketListed) -> TickSeen:
    """The quotes of a listing alone. The listing is cached for up to 15 s: never trade on them."""
    return TickSeen(
        observed_at=listed.observed_at,
        source_at=listed.source_at,
        ticker=listed.ticker,
        yes_bid=listed.yes_bid,
        yes_bid_size=listed.yes_bid_size,
        yes_ask=listed.yes_ask,
        yes_ask_size=listed.yes_ask_size,
        last_price=listed.last_price,
        volume=listed.volume,
        open_interest=listed.open_interest,
    )


def book_seen(ticker: str, answer: wire.BookAnswer, observed_at: Instant) -> BookSeen:
    """Full depth, best bid first. An unknown ticker answers with an empty book, not with an error."""
    book = answer.orderbook_fp or answer.orderbook
    if book is None:
        raise MalformedError(f"{ticker}: answer has no order book")
    return BookSeen(
        observed_at=observed_at,
        ticker=_ticker(ticker),
        yes_bids=levels(book.yes_dollars if book.yes_dollars is not None else book.yes),
        no_bids=levels(book.no_dollars if book.no_dollars is not None else book.no),
    )


def levels(rows: list[wire.Level] | None) -> tuple[BookLevel, ...]:
    """Bid levels, best first. Empty levels are dropped; a repeated price raises :class:`MalformedError`."""
    sizes: dict[Price, Quantity] = {}
    for price, size in rows or ():
        at = level_price(price)
        if at in sizes:
            raise MalformedError(f"order book: price {price!r} appears twice")
        sizes[at] = level_size(size)
    return tuple(BookLevel(price=at, size=sizes[at]) for at in sorted(sizes, reverse=True) if sizes[at])


def level_price(price: str | int) -> Price:
    """Price of a level: a dollar string, or whole cents in old books."""
    return _price(price) if isinstance(price, str) else price_from_cents(price)


def level_size(size: str | float) -> Quantity:
    """Size of a level: a count string, or a number in old books."""
    return _quantity(size) if isinstance(size, str) else parse_quantity(Decimal(repr(size)))


def trade_seen(row: wire.Trade, observed_at: Instant) -> TradeSeen:
    """One public trade. The side that took is taken from today's field first, then the deprecated one."""
    price = _first_price(row.yes_price_dollars, row.yes_price)
    size = _count(row.count_fp, row.count)
    if price is None or size is None:
        raise MalformedError(f"{row.ticker}: trade {row.trade_id} has no price or no size")
    return TradeSeen(
        observed_at=observed_at,
        source_at=_time(row.created_time),
        ticker=_ticker(row.ticker),
        trade_id=row.trade_id,
        yes_price=price,
        size=size,
        taker_side=_side(row.taker_outcome_side or row.taker_side),
        is_block=row.is_block_trade,
    )


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
        ends_at=Instant(row.end_period_ts * 1_000_000),
        yes_bid=_ohlc(row.yes_bid),
        yes_ask=_ohlc(row.yes_ask),
        traded=_ohlc(row.price),
        volume=_count(row.volume_fp, row.volume),
        open_interest=_count(row.open_interest_fp, row.open_interest),
    )


def starts_by_event(milestones: Iterable[wire.Milestone]) -> dict[str, Instant]:
    """True start time by event ticker. An event with two different starts is left out: we do not choose."""
    starts: dict[str, Instant] = {}
    torn: set[str] = set()
    for milestone in milestones:
        start = _time(milestone.start_date)
        if start is None:
            continue
        for ticker in (milestone.related_event_tickers or []) + (milestone.primary_event_tickers or []):
            if starts.setdefault(ticker, start) != start:
                torn.add(ticker)
    return {ticker: start for ticker, start in starts.items() if ticker not in torn}


def price_ranges(steps: list[wire.PriceStep] | None) -> tuple[PriceRange, ...]:
    """The price grid, in the exchange's order."""
    return tuple(
        PriceRange(start=_price(step.start), end=_price(step.end), step=_price(step.step))
        for step in steps or ()
    )


def bid_of_no(price: Price, *, yes_priced: bool) -> Price:
    """A NO bid at its own price. The stream sends it as the YES ask when ``use_yes_price`` is set."""
    return complement(price) if yes_priced else price


def _ticker(text: str) -> str:
    if not text or len(text) > _MAX_TICKER or not text.isprintable() or " " in text:
        raise MalformedError(f"ticker: {text[:40]!r} is not a ticker")
    return text


def _text(text: str | None) -> str:
    if text is None:
        return ""
    if len(text) > _MAX_TEXT:
        raise MalformedError(f"text of {len(text)} characters is not a contract")
    return text


def _time(text: str | None) -> Instant | None:
    return parse_instant(text) if text else None


def _quote(
    dollars: str | None, cents: int | None, size_fp: str | None
) -> tuple[Price | None, Quantity | None]:
    price = _traded(dollars, cents)
    # Settled markets were recorded with sizes below zero: nobody is there either.
    size = None if size_fp is None else _signed_quantity(size_fp)
    if price is None or (size is not None and size <= 0):
        return None, None
    return price, size


def _traded(dollars: str | None, cents: int | None) -> Price | None:
    """A price someone could trade at: 0 and 1 are the exchange's way of saying none."""
    price = _first_price(dollars, cents)
    return price if price is not None and 0 < price < MICROS else None


def _first_price(dollars: str | None, cents: int | None) -> Price | None:
    if dollars is not None:
        return _price(dollars)
    return None if cents is None else price_from_cents(cents)


def _optional_price(dollars: str | None) -> Price | None:
    return _price(dollars) if dollars else None


def _count(fixed: str | None, whole: str | int | None) -> Quantity | None:
    count = fixed if fixed is not None else whole
    return None if count is None else parse_quantity(count)


def _side(text: str | None) -> Side | None:
    return Side(text) if text in ("yes", "no") else None


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


def _shard(event: wire.Event | None) -> int | None:
    return event.exchange_index if event else None


def _is_combo(row: wire.Market) -> bool:
    return row.ticker.startswith(_COMBO_PREFIX) or bool(row.mve_collection_ticker or row.mve_selected_legs)


def _custom_strike(strike: dict[str, Any] | None) -> dict[str, str]:
    return {
        key: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for key, value in (strike or {}).items()
    }


def _fees(event: wire.Event | None, series: wire.Series | None) -> tuple[FeeType, int | None]:
    kind = event.fee_type_override if event else None
    multiplier = event.fee_multiplier_override if event else None
    if series:
        kind = kind if kind is not None else series.fee_type
        multiplier = multiplier if multiplier is not None else series.fee_multiplier
    return kind or FeeType.UNKNOWN, _micro(multiplier)


def _micro(multiplier: float | None) -> int | None:
    if multiplier is None:
        return None
    scaled = Decimal(repr(multiplier)) * 1_000_000
    if scaled != int(scaled) or scaled < 0:
        raise MalformedError(f"fee multiplier {multiplier!r} is not a count of millionths")
    return int(scaled)
