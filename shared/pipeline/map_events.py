"""Maps listed markets to sportsbook events as they appear, and keeps the decisions in the document store.

``odds_events/{sport_key}`` is the feed's slate, written by the odds scraper. ``mappings/{event_ticker}``
holds the decisions for one exchange event; its ``odds_event_id`` is the reverse index. A decision is kept
for an hour and made anew sooner when the text it was made from, or the slate, has changed.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from shared.cas import Change, update_each
from shared.clock import DAY, SECOND, Clock, Instant, age
from shared.errors import ArbError, ConflictError
from shared.ids import digest
from shared.mapping.cache import MappingCache
from shared.mapping.certificate import REFUSED
from shared.mapping.mapper import map_markets
from shared.mapping.series import Series, classify
from shared.mapping.tables import league_of_sport_key
from shared.messages import MappingDecided, MarketListed, Message, OddsEvent, seal
from shared.pipeline.places import MAPPINGS, SLATES
from shared.ports import Bus, Documents

_KEPT = 2 * DAY
# A slate is read anew every ten minutes; a document read for every listing would cost more than all else.
_SLATES_S = 60.0


class EventMapper:
    """All markets we have seen, by league; decisions come in batches so that one-to-one can be enforced."""

    def __init__(self, documents: Documents, bus: Bus, clock: Clock, rng: random.Random) -> None:
        self._documents, self._bus, self._clock, self._rng = documents, bus, clock, rng
        self.cache = MappingCache()
        self._markets: dict[str, dict[str, MarketListed]] = defaultdict(dict)
        self._refused: dict[str, str] = {}
        self._said: dict[str, MappingDecided] = {}
        self._slates: dict[str, dict[str, OddsEvent]] = defaultdict(dict)
        self._due: set[str] = set()
        self._listings = self._answered = 0
        self._flushing, self._refreshing = asyncio.Lock(), asyncio.Lock()
        self._refreshed_at: Instant | None = None

    @property
    def hit_rate(self) -> float:
        """Share of listings that were answered from memory; 0 before the first."""
        return self._answered / self._listings if self._listings else 0.0

    def decided(self) -> Iterator[tuple[MarketListed, MappingDecided]]:
        """Every market we know with the last decision about it."""
        for markets in self._markets.values():
            for ticker, market in markets.items():
                if ticker in self._said:
                    yield market, self._said[ticker]

    async def handle(self, market: Message) -> None:
        """Take note of a listing; :meth:`flush` decides when something about it is new."""
        if not isinstance(market, MarketListed):
            return
        self._listings += 1
        is_known = self.cache.get(market, self._clock.now()) is not None
        if is_known or self._refused.get(market.ticker) == text_digest(market):
            self._answered += 1
            return
        league = league_of(market.series_ticker)
        self._markets[league][market.ticker] = market
        self._due.add(league)

    def learn(self, sport_key: str, events: Iterable[OddsEvent]) -> bool:
        """A sport's slate as it is now; True if it differs and its leagues are due again."""
        slate = {event.id: event for event in events}
        if self._slates[sport_key] == slate:
            return False
        self._slates[sport_key] = slate
        self.cache.reconcile(sport_key, slate.values())
        self._make_due(sport_key)
        return True

    def invalidate(self, sport_key: str) -> int:
        """Forget what is mapped to a sport and decide its leagues anew; how many markets that were."""
        self._make_due(sport_key)
        return self.cache.invalidate_sport(sport_key)

    def _make_due(self, sport_key: str) -> None:
        self._due |= {league.name for league in league_of_sport_key(sport_key)} & self._markets.keys()

    async def flush(self) -> list[MappingDecided]:
        """Decide every league with something new; publish and keep the decisions that changed.

        What comes meanwhile waits for the next flush: many listings at once are one decision a league.
        """
        async with self._flushing:
            return await self._flush()

    async def _flush(self) -> list[MappingDecided]:
        due, self._due = self._due, set()
        changed = [decision for league in sorted(due) for decision in self._decide(league)]
        try:
            await self._keep(changed)
            if changed:
                await self._bus.publish(MappingDecided.TOPIC, changed)
        except ArbError:
            # Nobody has heard: a market that was withdrawn must not stay on the board.
            self._due |= due
            for decision in changed:
                self._said.pop(decision.ticker, None)
            raise
        return changed

    async def restore(self) -> None:
        """Learn the slates in the document store."""
        for document in await self._documents.query(SLATES):
            self.learn(document.path.partition("/")[2], slate_of(document.value))

    async def refresh(self, max_age_s: float = _SLATES_S) -> None:
        """Learn the slates in the document store, unless that was done within ``max_age_s`` seconds."""
        async with self._refreshing:
            now, last = self._clock.now(), self._refreshed_at
            if last is None or age(last, now) >= max_age_s * SECOND:
                await self.restore()
                self._refreshed_at = now

    def forget(self, tickers: Iterable[str]) -> None:
        """Drop markets that are over."""
        for ticker in tickers:
            self.cache.drop(ticker)
            self._refused.pop(ticker, None)
            self._said.pop(ticker, None)
            for markets in self._markets.values():
                markets.pop(ticker, None)

    async def purge(self) -> None:
        """Remove the documents of games that began more than two days ago."""
        before = self._clock.now() - _KEPT
        for document in await self._documents.query(MAPPINGS, limit=100_000):
            start = document.value["starts_at"]
            if start is not None and start < before:
                with suppress(ConflictError):
                    await self._documents.delete_if(document.path, document.version)

    def _keys_of(self, league: str) -> list[str]:
        """Feed keys with a slate that carry games of ``league``."""
        return [
            key for key in sorted(self._slates) if any(one.name == league for one in league_of_sport_key(key))
        ]

    def _decide(self, league: str) -> list[MappingDecided]:
        now, markets = self._clock.now(), self._markets[league]
        events = [event for key in self._keys_of(league) for event in self._slates[key].values()]
        ordered = [markets[ticker] for ticker in sorted(markets)]
        decided = map_markets(ordered, events, now)
        return [
            self._say(decision, now)
            for market, decision in zip(ordered, decided, strict=True)
            if self._is_news(market, decision, now)
        ]

    def _is_news(self, market: MarketListed, decision: MappingDecided, now: Instant) -> bool:
        self.cache.put(market, decision, now)
        if decision.odds_event_id:
            self._refused.pop(market.ticker, None)
        else:
            self._refused[market.ticker] = text_digest(market)
        said = self._said.get(market.ticker)
        return said is None or _content(said) != _content(decision)

    def _say(self, decision: MappingDecided, now: Instant) -> MappingDecided:
        sealed = seal(decision, digest("trace", decision.ticker, str(now)))
        self._said[decision.ticker] = sealed
        return sealed

    async def _keep(self, decided: Iterable[MappingDecided]) -> None:
        """Merge decisions into the documents of their events, by compare-and-set."""
        by_event = _by_event(decided).items()
        kept = {f"{MAPPINGS}/{event_ticker}": _merging(decisions) for event_ticker, decisions in by_event}
        await update_each(self._documents, kept, clock=self._clock, rng=self._rng)


def _merging(decisions: Iterable[MappingDecided]) -> Change:
    fresh = {decision.ticker: msgspec.to_builtins(decision) for decision in decisions}
    return lambda held: _document((held["markets"] if held else {}) | fresh)


def league_of(series_ticker: str) -> str:
    """League of a series, empty when it is not about a game."""
    found = classify(series_ticker)
    return found.league.name if isinstance(found, Series) else ""


def text_digest(market: MarketListed) -> str:
    """Digest of everything a mapping is made from; quotes are not part of it."""
    parts = (
        market.event_ticker, market.title, market.event_title, market.event_sub_title, market.yes_sub_title,
        market.rules_primary, market.rules_secondary, market.strike_type, str(market.floor_strike),
        str(market.cap_strike), market.shape, str(market.is_combo),
        repr(sorted(market.custom_strike.items())), str(market.starts_at), market.status,
    )  # fmt: skip
    return digest(*parts)


def slate_of(value: Mapping[str, Any]) -> list[OddsEvent]:
    """Events of a slate document."""
    return msgspec.convert(value["events"], list[OddsEvent])


def _content(decision: MappingDecided) -> MappingDecided:
    return msgspec.structs.replace(decision, observed_at=Instant(0), event_id="", trace_id="")


def _by_event(decisions: Iterable[MappingDecided]) -> dict[str, list[MappingDecided]]:
    grouped: dict[str, list[MappingDecided]] = defaultdict(list)
    for decision in decisions:
        grouped[decision.event_ticker].append(decision)
    return grouped


def _document(markets: dict[str, Any]) -> dict[str, Any]:
    """An event's document; it belongs to the odds event of its newest certified market, if it has one."""
    newest = sorted(markets.values(), key=lambda decision: decision["observed_at"])
    certified = [one for one in newest if one["odds_event_id"] and one["certificate"]["verdict"] != REFUSED]
    chosen = certified[-1] if certified else newest[-1]
    return {
        "sport_key": chosen["sport_key"],
        "odds_event_id": chosen["odds_event_id"] if certified else "",
        "starts_at": chosen["starts_at"],
        "league": chosen["league"],
        "markets": markets,
    }
