"""Short ways to write a market and an odds event in a test."""

from __future__ import annotations

from typing import Any

from shared.clock import Instant, parse_instant
from shared.mapping.mapper import map_markets
from shared.messages import MappingDecided, MarketListed, OddsEvent
from shared.terms import MarketShape, StrikeType


def listed(ticker: str, event: str = "", **fields: Any) -> MarketListed:
    """A market; the event ticker is the ticker without its last part unless given."""
    base: dict[str, Any] = {
        "observed_at": Instant(7),
        "ticker": ticker,
        "event_ticker": event or ticker.rpartition("-")[0],
        "series_ticker": ticker.partition("-")[0],
        "shape": MarketShape.BINARY,
    }
    return MarketListed(**{**base, **fields})


def over(ticker: str, floor: float, **fields: Any) -> MarketListed:
    """A market with a half-point strike."""
    return listed(ticker, strike_type=StrikeType.GREATER, floor_strike=floor, **fields)


def odds(sport_key: str, away: str, home: str, start: str, identity: str = "e1") -> OddsEvent:
    """An odds event; ``start`` is RFC 3339."""
    return OddsEvent(id=identity, sport_key=sport_key, starts_at=parse_instant(start), home=home, away=away)


def decide(market: MarketListed, *events: OddsEvent) -> MappingDecided:
    """The decision for one market."""
    return map_markets([market], events)[0]


def code(decision: MappingDecided) -> str:
    """``mapped``, or the short code of the refusal."""
    return "mapped" if decision.odds_event_id else decision.reason.partition(":")[0]
