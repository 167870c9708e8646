"""Decisions kept for an hour: found again by ticker if the text is unchanged, dropped by sport or by event.

A pure structure: time comes in as an argument. Only mapped decisions are kept; a refusal for want of an
event may be answered by the next poll of the feed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from shared.clock import HOUR, Instant
from shared.messages import MappingDecided, MarketListed, OddsEvent

_Text = tuple[object, ...]


class MappingCache:
    """Least-recently-used decisions with a time to live and a reverse index by odds event.

    The content a decision depends on is compared field by field: unchanged strings are the same objects or
    compare at memory speed, which is cheaper than any digest and never collides.
    """

    def __init__(self, capacity: int = 50_000, ttl: int = HOUR) -> None:
        self._capacity, self._ttl = capacity, ttl
        self._entries: OrderedDict[str, tuple[_Text, Instant, MappingDecided]] = OrderedDict()
        self._by_event: dict[str, set[str]] = {}
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def hit_rate(self) -> float:
        """Hits over look-ups; 0 before the first."""
        looked_up = self.hits + self.misses
        return self.hits / looked_up if looked_up else 0.0

    def get(self, market: MarketListed, now: Instant) -> MappingDecided | None:
        """The decision made for exactly this text less than the time to live ago."""
        entry = self._entries.get(market.ticker)
        if entry is None or entry[1] <= now or entry[0] != _text(market):
            self.misses += 1
            return None
        self.hits += 1
        self._entries.move_to_end(market.ticker)
        return entry[2]

    def put(self, market: MarketListed, decision: MappingDecided, now: Instant) -> None:
        """Keep a mapped decision; a refused one only removes what was known."""
        self.drop(market.ticker)
        if not decision.odds_event_id:
            return
        self._entries[market.ticker] = (_text(market), Instant(now + self._ttl), decision)
        self._by_event.setdefault(decision.odds_event_id, set()).add(market.ticker)
        if len(self._entries) > self._capacity:
            self.drop(next(iter(self._entries)))

    def drop(self, ticker: str) -> None:
        """Forget one market."""
        entry = self._entries.pop(ticker, None)
        if entry is not None:
            event_id = entry[2].odds_event_id
            tickers = self._by_event[event_id]
            tickers.discard(ticker)
            if not tickers:
                del self._by_event[event_id]

    def tickers_of(self, odds_event_id: str) -> frozenset[str]:
        """Markets mapped to an odds event."""
        return frozenset(self._by_event.get(odds_event_id, ()))

    def invalidate_sport(self, sport_key: str) -> int:
        """Forget every market mapped to the feed's sport; returns how many."""
        gone = [t for t, (_, _, decision) in self._entries.items() if decision.sport_key == sport_key]
        for ticker in gone:
            self.drop(ticker)
        return len(gone)

    def reconcile(self, sport_key: str, events: Iterable[OddsEvent]) -> int:
        """Forget markets of a sport whose event is gone, moved or renamed in the feed; returns how many."""
        now = {event.id: (event.starts_at, event.away, event.home) for event in events}
        gone = [
            ticker
            for ticker, (_, _, decision) in self._entries.items()
            if decision.sport_key == sport_key and now.get(decision.odds_event_id) != _listing(decision)
        ]
        for ticker in gone:
            self.drop(ticker)
        return len(gone)


def _listing(decision: MappingDecided) -> tuple[Instant | None, str, str] | None:
    if decision.certificate is None:
        return None
    away, home = decision.certificate.sides
    return (decision.starts_at, away, home)


def _text(market: MarketListed) -> _Text:
    """All a decision can depend on, except the feed; a new start or status asks for a new decision too."""
    return (
        market.rules_primary,
        market.title,
        market.event_ticker,
        market.event_title,
        market.yes_sub_title,
        market.floor_strike,
        market.cap_strike,
        market.strike_type,
        market.shape,
        market.is_combo,
        market.event_sub_title,
        market.rules_secondary,
        market.custom_strike,
        market.starts_at,
        market.status,
    )
