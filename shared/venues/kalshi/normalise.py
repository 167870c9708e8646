"""The exchange's words into ours: wire structs in, messages out, one bad row never costing another.

A quote exists only where someone really bids: its size is above zero and its price strictly between 0 and 1.
The exchange fills an empty side with 0.0000 or 1.0000 (both were measured), which must never become a price.
A row that cannot be used raises :class:`MalformedError`; functions over many rows quarantine it and go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from shared.clock import Instant
from shared.errors import MalformedError
from shared.messages import BookLevel, BookSeen, MarketListed, PriceRange, Quarantined, TickSeen, TradeSeen
from shared.money import Price, Quantity
from shared.terms import FeeType, MarketShape, MarketStatus, Result, Side, StrikeType
from shared.venues.kalshi import wire
from shared.venues.kalshi.units import (
    count_of,
    level_price,
    level_size,
    millionths,
    optional_price,
    price_of,
    quote_of,
    text_of,
    ticker_of,
    time_of,
    tradable,
)

M = TypeVar("M")

_MAX_SAMPLE = 300
_COMBO_PREFIX = "KXMVE"


def each(
    rows: Iterable[msgspec.Raw], make: Callable[[msgspec.Raw], M], source: str, observed_at: Instant
) -> tuple[list[M], list[Quarantined]]:
    """``make`` of every row that allows it, and a quarantine record for every other."""
    made: list[M] = []
    bad: list[Quarantined] = []
    for row in rows:
        try:
            made.append(make(row))
        except MalformedError as exc:
            bad.append(quarantined(source, str(exc), sample_of(row), observed_at))
    return made, bad


def quarantined(source: str, reason: str, sample: object = "", at: Instant = Instant(0)) -> Quarantined:
    """A quarantine record with reason and sample cut to a readable length."""
    return Quarantined(
        observed_at=at, source=source, reason=reason[:_MAX_SAMPLE], sample=str(sample)[:_MAX_SAMPLE]
    )


def sample_of(raw: msgspec.Raw) -> str:
    """The first characters of an undecoded row."""
    return bytes(raw)[:_MAX_SAMPLE].decode(errors="replace")


def market_rows(
    rows: Iterable[msgspec.Raw],
    observed_at: Instant,
    source: str,
    *,
    event: wire.Event | None = None,
    series: Mapping[str, wire.Series] | None = None,
    starts: Mapping[str, Instant] | None = None,
) -> tuple[list[MarketListed], list[Quarantined]]:
    """Undecoded markets as messages. ``series`` and ``starts`` are by series and by event ticker."""

    def make(raw: msgspec.Raw) -> MarketListed:
        row = wire.decode(wire.Market, raw)
        return market_listed(
            row,
            observed_at,
            event=event,
            series=(series or {}).get(series_ticker(row, event)),
            starts_at=(starts or {}).get(row.event_ticker),
        )

    return each(rows, make, source, observed_at)


def event_rows(
    rows: Iterable[msgspec.Raw],
    observed_at: Instant,
    source: str,
    *,
    series: Mapping[str, wire.Series] | None = None,
    starts: Mapping[str, Instant] | None = None,
) -> tuple[list[MarketListed], list[Quarantined]]:
    """The markets nested in undecoded events, each with its event's titles and fee override."""
    made: list[MarketListed] = []
    bad: list[Quarantined] = []
    for raw in rows:
        try:
            event, nested = wire.decode(wire.Event, raw), wire.decode(wire.Nested, raw)
        except MalformedError as exc:
            bad.append(quarantined(source, str(exc), sample_of(raw), observed_at))
            continue
        good, refused = market_rows(
            nested.markets or (), observed_at, source, event=event, series=series, starts=starts
        )
        made += good
        bad += refused
    return made, bad


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
    ticker = ticker_of(row.ticker)
    event_ticker = ticker_of(row.event_ticker) if row.event_ticker else ""
    yes_bid, yes_bid_size = quote_of(row.yes_bid_dollars, row.yes_bid, row.yes_bid_size_fp)
    yes_ask, yes_ask_size = quote_of(row.yes_ask_dollars, row.yes_ask, row.yes_ask_size_fp)
    fee_type, multiplier = _fees(event, series)
    return MarketListed(
        observed_at=observed_at,
        source_at=time_of(row.updated_time),
        ticker=ticker,
        event_ticker=event_ticker,
        series_ticker=series_ticker(row, event),
        exchange_index=row.exchange_index if row.exchange_index is not None else _shard(event),
        shape=row.market_type or MarketShape.UNKNOWN,
        status=row.status or MarketStatus.UNKNOWN,
        is_combo=_is_combo(row),
        title=text_of(row.title),
        event_title=text_of(event.title if event and event.title else row.event_title),
        event_sub_title=text_of(event.sub_title if event else None),
        yes_sub_title=text_of(row.yes_sub_title),
        no_sub_title=text_of(row.no_sub_title),
        rules_primary=text_of(row.rules_primary),
        rules_secondary=text_of(row.rules_secondary),
        strike_type=row.strike_type or StrikeType.NONE,
        floor_strike=row.floor_strike,
        cap_strike=row.cap_strike,
        custom_strike=_custom_strike(row.custom_strike),
        mutually_exclusive=event.mutually_exclusive if event else None,
        opens_at=time_of(row.open_time),
        closes_at=time_of(row.close_time),
        expected_expiration_at=time_of(row.expected_expiration_time),
        occurs_at=time_of(row.occurrence_datetime),
        starts_at=starts_at,
        yes_bid=yes_bid,
        yes_bid_size=yes_bid_size,
        yes_ask=yes_ask,
        yes_ask_size=yes_ask_size,
        last_price=tradable(row.last_price_dollars, row.last_price),
        volume=count_of(row.volume_fp, row.volume),
        open_interest=count_of(row.open_interest_fp, row.open_interest),
        price_ranges=price_ranges(row.price_ranges),
        fee_type=fee_type,
        fee_multiplier_micro=multiplier,
        fee_waived_until=time_of(row.fee_waiver_expiration_time),
        result=row.result if row.result is not None else Result.PENDING,
        settlement_value=optional_price(row.settlement_value_dollars),
        settled_at=time_of(row.settlement_ts),
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
        ticker=ticker_of(ticker),
        yes_bids=levels(book.yes_dollars if book.yes_dollars is not None else book.yes),
        no_bids=levels(book.no_dollars if book.no_dollars is not None else book.no),
    )


def book_rows(
    rows: Iterable[msgspec.Raw], observed_at: Instant, source: str
) -> tuple[list[BookSeen], list[Quarantined]]:
    """Undecoded books that name their own ticker, as messages."""

    def make(raw: msgspec.Raw) -> BookSeen:
        answer = wire.decode(wire.BookAnswer, raw)
        return book_seen(answer.ticker, answer, observed_at)

    return each(rows, make, source, observed_at)


def levels(rows: list[wire.Level] | None) -> tuple[BookLevel, ...]:
    """Bid levels, best first. Empty levels are dropped; a repeated price raises :class:`MalformedError`."""
    sizes: dict[Price, Quantity] = {}
    for price, size in rows or ():
        at = level_price(price)
        if at in sizes:
            raise MalformedError(f"order book: price {price!r} appears twice")
        sizes[at] = level_size(size)
    return tuple(BookLevel(price=at, size=sizes[at]) for at in sorted(sizes, reverse=True) if sizes[at])


def trade_seen(row: wire.Trade, observed_at: Instant) -> TradeSeen:
    """One public trade. The side that took is taken from today's field first, then the deprecated one."""
    price = price_of(row.yes_price_dollars, row.yes_price)
    size = count_of(row.count_fp, row.count)
    if price is None or size is None:
        raise MalformedError(f"{row.ticker}: trade {row.trade_id} has no price or no size")
    return TradeSeen(
        observed_at=observed_at,
        source_at=time_of(row.created_time),
        ticker=ticker_of(row.ticker),
        trade_id=row.trade_id,
        yes_price=price,
        size=size,
        taker_side=taker_side(row.taker_outcome_side, row.taker_side),
        is_block=row.is_block_trade,
    )


def trade_rows(
    rows: Iterable[msgspec.Raw], observed_at: Instant, source: str
) -> tuple[list[TradeSeen], list[Quarantined]]:
    """Undecoded trades as messages."""
    return each(rows, lambda raw: trade_seen(wire.decode(wire.Trade, raw), observed_at), source, observed_at)


def starts_by_event(milestones: Iterable[wire.Milestone]) -> dict[str, Instant]:
    """True start time by event ticker. An event with two different starts is left out: we do not choose."""
    starts: dict[str, Instant] = {}
    torn: set[str] = set()
    for milestone in milestones:
        start = time_of(milestone.start_date)
        if start is None:
            continue
        for ticker in (milestone.related_event_tickers or []) + (milestone.primary_event_tickers or []):
            if starts.setdefault(ticker, start) != start:
                torn.add(ticker)
    return {ticker: start for ticker, start in starts.items() if ticker not in torn}


def price_ranges(steps: list[wire.PriceStep] | None) -> tuple[PriceRange, ...]:
    """The price grid, in the exchange's order."""
    return tuple(
        PriceRange(start=level_price(step.start), end=level_price(step.end), step=level_price(step.step))
        for step in steps or ()
    )


def taker_side(outcome: str | None, deprecated: str | None) -> Side | None:
    """The side that took: from today's field, else the deprecated one; neither is certain to be there."""
    text = outcome or deprecated
    return Side(text) if text in ("yes", "no") else None


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
    return kind or FeeType.UNKNOWN, millionths(multiplier)
