"""The sportsbook feed's events into ours: decimal odds, one record per bookmaker and market, real times.

Prices at or below 1.0 are the feed's placeholders and are dropped; a price that is not a number at all makes
the event malformed. ``h2h_lay`` stays its own market, so that no lay price is ever read as a bet.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import StrEnum

from shared.clock import SECOND, Instant, parse_instant
from shared.errors import MalformedError
from shared.messages import BookmakerMarket, OddsEvent, OddsOutcome, OddsSeen
from shared.venues.odds_api import wire

_MAX_ID = 64
_MAX_NAME = 300


class PriceFormat(StrEnum):
    """How prices are written."""

    DECIMAL = "decimal"
    AMERICAN = "american"


def odds_seen(
    event: wire.Event,
    observed_at: Instant,
    price_format: PriceFormat = PriceFormat.DECIMAL,
    *,
    credits_used: int | None = None,
    credits_remaining: int | None = None,
) -> OddsSeen:
    """Every usable quote of one event. ``source_at`` is the newest time any market was seen by the feed."""
    quotes = tuple(_quotes(event.bookmakers or (), price_format))
    return OddsSeen(
        observed_at=observed_at,
        source_at=max((q.last_update for q in quotes if q.last_update is not None), default=None),
        odds_event_id=_identity(event.id),
        sport_key=_name(event.sport_key),
        sport_title=_name(event.sport_title),
        home=_name(event.home_team),
        away=_name(event.away_team),
        starts_at=instant(event.commence_time),
        quotes=quotes,
        credits_used=credits_used,
        credits_remaining=credits_remaining,
    )


def odds_event(event: wire.Event) -> OddsEvent:
    """Who plays whom and when, without prices."""
    return OddsEvent(
        id=_identity(event.id),
        sport_key=_name(event.sport_key),
        sport_title=_name(event.sport_title),
        starts_at=instant(event.commence_time),
        home=_name(event.home_team),
        away=_name(event.away_team),
    )


def guess_format(event: wire.Event) -> PriceFormat:
    """Which format an event of unknown origin uses, for recordings only: a live call knows what it asked for.

    American prices are never inside (-100, 100), and a decimal page always has some price below 100.
    """
    prices = [
        outcome.price
        for bookmaker in event.bookmakers or ()
        for market in bookmaker.markets or ()
        for outcome in market.outcomes or ()
        if outcome.price is not None
    ]
    if prices and all(abs(price) >= 100 for price in prices):
        return PriceFormat.AMERICAN
    return PriceFormat.DECIMAL


def decimal_price(price: float, price_format: PriceFormat) -> float:
    """Decimal odds of a quoted price; raises :class:`MalformedError` for what no bookmaker quotes."""
    if not math.isfinite(price):
        raise MalformedError(f"price {price!r} is not a number")
    if price_format is PriceFormat.DECIMAL:
        if price < 0:
            raise MalformedError(f"decimal price {price!r} is negative")
        return float(price)
    if abs(price) < 100:
        raise MalformedError(f"american price {price!r} is inside (-100, 100)")
    return 1 + (price / 100 if price > 0 else 100 / -price)


def instant(value: str | int | None) -> Instant | None:
    """Time from RFC 3339 text or Unix seconds, the feed's two date formats."""
    if value is None or value == "":
        return None
    return Instant(value * SECOND) if isinstance(value, int) else parse_instant(value)


def _quotes(bookmakers: Iterable[wire.Bookmaker], price_format: PriceFormat) -> Iterable[BookmakerMarket]:
    for bookmaker in bookmakers:
        seen = instant(bookmaker.last_update)
        for market in bookmaker.markets or ():
            outcomes = tuple(_outcomes(market.outcomes or (), price_format))
            if outcomes:
                yield BookmakerMarket(
                    bookmaker=_name(bookmaker.key),
                    market=_name(market.key),
                    last_update=instant(market.last_update) or seen,
                    outcomes=outcomes,
                )


def _outcomes(outcomes: Iterable[wire.Outcome], price_format: PriceFormat) -> Iterable[OddsOutcome]:
    for outcome in outcomes:
        if outcome.price is None:
            continue
        price = decimal_price(outcome.price, price_format)
        if price <= 1.0:
            continue
        if outcome.point is not None and not math.isfinite(outcome.point):
            raise MalformedError(f"point {outcome.point!r} is not a number")
        yield OddsOutcome(
            name=_name(outcome.name),
            price=price,
            point=outcome.point,
            description=_name(outcome.description),
        )


def _identity(text: str) -> str:
    if not text or len(text) > _MAX_ID or not text.isprintable():
        raise MalformedError(f"event id {text[:40]!r} is not an id")
    return text


def _name(text: str | None) -> str:
    if text is None:
        return ""
    if len(text) > _MAX_NAME:
        raise MalformedError(f"name of {len(text)} characters")
    return text
