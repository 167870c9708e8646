"""One game, its listing, mapping and bookmakers, to be bent one field at a time."""

from __future__ import annotations

import msgspec

from shared.clock import HOUR, SECOND, Instant
from shared.edges.detector import DetectorSettings
from shared.messages import (
    BookmakerMarket,
    Certificate,
    MappingDecided,
    MarketListed,
    OddsOutcome,
    OddsSeen,
    PayoffDifference,
    PriceRange,
    Selection,
)
from shared.money import ONE, Price, Quantity
from shared.terms import FeeType, MarketKind, MarketShape, MarketStatus, Period, Profile

NOW = Instant(1_790_000_000 * SECOND)
START = Instant(NOW + 2 * HOUR)
TICKER, EVENT, ODDS_ID = "KXNFLGAME-26SEP28PHICHI-PHI", "KXNFLGAME-26SEP28PHICHI", "ab" * 16
HOME, AWAY = "Chicago Bears", "Philadelphia Eagles"
CENTS = (PriceRange(start=Price(0), end=ONE, step=Price(10_000)),)
SETTINGS = DetectorSettings(profile=Profile.ANY_EDGE)
BOOKS = ("pinnacle", "draftkings", "fanduel", "betmgm", "betrivers")


def price(cents: int) -> Price:
    return Price(cents * 10_000)


def market(**changes: object) -> MarketListed:
    """An active market quoted 44 bid, 46 ask, 200 contracts each."""
    listed = MarketListed(
        observed_at=NOW,
        ticker=TICKER,
        event_ticker=EVENT,
        series_ticker="KXNFLGAME",
        shape=MarketShape.BINARY,
        status=MarketStatus.ACTIVE,
        yes_bid=price(44),
        yes_bid_size=Quantity(20_000),
        yes_ask=price(46),
        yes_ask_size=Quantity(20_000),
        price_ranges=CENTS,
        fee_type=FeeType.QUADRATIC,
        fee_multiplier_micro=1_000_000,
    )
    return msgspec.structs.replace(listed, **changes)


def mapping(*differences: PayoffDifference, **changes: object) -> MappingDecided:
    """PHI to win is Philadelphia on the moneyline."""
    decided = MappingDecided(
        observed_at=NOW,
        ticker=TICKER,
        event_ticker=EVENT,
        league="NFL",
        kind=MarketKind.WINNER,
        sport_key="americanfootball_nfl",
        odds_event_id=ODDS_ID,
        starts_at=START,
        confidence=1.0,
        selection=Selection(market="h2h", outcome=AWAY),
        certificate=Certificate(
            verdict="different" if differences else "identical",
            odds_event_id=ODDS_ID,
            league="NFL",
            kind=MarketKind.WINNER,
            period=Period.FULL_GAME,
            subject=AWAY,
            differences=differences,
        ),
        reason="certified",
        trace_id="trace",
    )
    return msgspec.structs.replace(decided, **changes)


def quote(book: str, *outcomes: OddsOutcome, market_key: str = "h2h", age_s: int = 10) -> BookmakerMarket:
    return BookmakerMarket(
        bookmaker=book, market=market_key, last_update=Instant(NOW - age_s * SECOND), outcomes=outcomes
    )


def moneyline(book: str, away: float = 1.95, home: float = 1.95, age_s: int = 10) -> BookmakerMarket:
    return quote(book, OddsOutcome(name=AWAY, price=away), OddsOutcome(name=HOME, price=home), age_s=age_s)


def odds(*quotes: BookmakerMarket, **changes: object) -> OddsSeen:
    """Five books at even money unless told otherwise."""
    seen = OddsSeen(
        observed_at=NOW,
        odds_event_id=ODDS_ID,
        sport_key="americanfootball_nfl",
        home=HOME,
        away=AWAY,
        starts_at=START,
        quotes=quotes or tuple(moneyline(book) for book in BOOKS),
    )
    return msgspec.structs.replace(seen, **changes)
