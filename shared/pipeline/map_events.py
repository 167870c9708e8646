"""Maps listed markets to sportsbook events as they appear, and keeps the decisions in the document store.

``odds_events/{sport_key}`` is the feed's slate, written by the odds scraper. ``mappings/{event_ticker}``
holds the decisions for one exchange event; its ``odds_event_id`` is the reverse index. A decision is kept
for an hour and made anew sooner when the text, the times or the slate it was made from change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from shared.clock import HOUR, Clock, Instant
from shared.errors import AlreadyExistsError, ConflictError
from shared.ids import digest
from shared.mapping.mapper import map_markets
from shared.mapping.series import Series, classify
from shared.messages import MappingDecided, MarketListed, OddsEvent, seal
from shared.ports import Bus, Documents

TTL = HOUR
MAPPINGS, SLATES = "mappings", "odds_events"


@dataclass(slots=True)
class Kept:
    """A decision and what it was made from."""

    market: MarketListed
    text: str
    decision: MappingDecided | None = None
    decided_at: Instant = Instant(0)


@dataclass(slots=True)
class MapperCounts:
    """How often the cache answered."""

    hits: int = 0
    misses: int = 0
    decided: int = 0


class EventMapper:
    """All markets we have seen, by league; decisions come in batches so that one-to-one can be enforced."""

    def __init__(self, documents: Documents, bus: Bus, clock: Clock) -> None:
        self._documents, self._bus, self._clock = documents, bus, clock
        self._kept: dict[str, dict[str, Kept]] = defaultdict(dict)
        self._slates: dict[str, dict[str, OddsEvent]] = defaultdict(dict)
        self._due: set[str] = set()
        self.counts = MapperCounts()

    async def handle(self, market: MarketListed) -> None:
        """Take note of a listing; :meth:`flush` decides when something about it is new."""
        league = league_of(market.series_ticker)
        text = text_digest(market)
        kept = self._kept[league].get(market.ticker)
        if kept is not None and kept.text == text and self._fresh(kept):
            self.counts.hits += 1
            return
        self.counts.misses += 1
        self._kept[league][market.ticker] = Kept(market, text, kept.decision if kept else None)
        self._due.add(league)

    def learn(self, sport_key: str, events: Iterable[OddsEvent]) -> bool:
        """A sport's slate as it is now; True if it differs and its leagues are due again."""
        slate = {event.id: event for event in events}
        if self._slates[sport_key] == slate:
            return False
        self._slates[sport_key] = slate
        self._due |= {league for league in self._kept if sport_key in _sport_keys(self._kept[league])}
        return True

    async def flush(self) -> list[MappingDecided]:
        """Decide every league with something new; publish and keep the decisions that changed."""
        due, self._due = self._due, set()
        changed: list[MappingDecided] = []
        for league in sorted(due):
            changed += self._decide(self._kept[league])
        for event_ticker, decisions in _by_event(changed).items():
            await self._keep(event_ticker, decisions)
        if changed:
            await self._bus.publish(MappingDecided.TOPIC, changed)
        return changed

    async def restore(self) -> None:
        """Learn the slates in the document store."""
        for document in await self._documents.query(SLATES, limit=1000):
            self.learn(document.path.partition("/")[2], slate_of(document.value))

    def forget(self, tickers: Iterable[str]) -> None:
        """Drop markets that are over."""
        gone = set(tickers)
        for kept in self._kept.values():
            for ticker in gone & kept.keys():
                del kept[ticker]

    def _fresh(self, kept: Kept) -> bool:
        return kept.decision is not None and self._clock.now() - kept.decided_at < TTL

    def _decide(self, kept: dict[str, Kept]) -> list[MappingDecided]:
        now = self._clock.now()
        keys = _sport_keys(kept)
        events = [event for key in sorted(keys) for event in self._slates[key].values()]
        ordered = [kept[ticker] for ticker in sorted(kept)]
        changed = []
        decisions = map_markets([one.market for one in ordered], events, now)
        for one, decision in zip(ordered, decisions, strict=True):
            self.counts.decided += 1
            if one.decision is None or _content(one.decision) != _content(decision):
                one.decision = seal(decision, digest("trace", decision.ticker, str(now)))
                changed.append(one.decision)
            one.decided_at = now
        return changed

    async def _keep(self, event_ticker: str, decisions: list[MappingDecided]) -> None:
        """Merge decisions into the event's document, by compare-and-set."""
        path = f"{MAPPINGS}/{event_ticker}"
        while True:
            found = await self._documents.get(path)
            held = found.value["markets"] if found else {}
            value = _document(held | {d.ticker: msgspec.to_builtins(d) for d in decisions}, decisions)
            try:
                if found is None:
                    await self._documents.create(path, value)
                else:
                    await self._documents.replace_if(path, value, found.version)
            except (AlreadyExistsError, ConflictError):
                continue
            return


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
        repr(sorted(market.custom_strike.items())), str(market.starts_at), str(market.closes_at), str(market.occurs_at),
    )  # fmt: skip
    return digest(*parts)


def slate_of(value: Mapping[str, Any]) -> list[OddsEvent]:
    """Events of a slate document."""
    return msgspec.convert(value["events"], list[OddsEvent])


def _sport_keys(kept: Mapping[str, Kept]) -> set[str]:
    """Odds feed keys that may carry these markets' games; all markets of one league share them."""
    for one in kept.values():
        found = classify(one.market.series_ticker)
        if isinstance(found, Series):
            return set(found.league.odds_keys)
    return set()


def _content(decision: MappingDecided) -> MappingDecided:
    return msgspec.structs.replace(decision, observed_at=Instant(0), event_id="", trace_id="")


def _by_event(decisions: Iterable[MappingDecided]) -> dict[str, list[MappingDecided]]:
    grouped: dict[str, list[MappingDecided]] = defaultdict(list)
    for decision in decisions:
        grouped[decision.event_ticker].append(decision)
    return grouped


def _document(markets: dict[str, Any], decisions: list[MappingDecided]) -> dict[str, Any]:
    last = decisions[-1]
    return {
        "sport_key": last.sport_key,
        "odds_event_id": last.odds_event_id,
        "starts_at": last.starts_at,
        "league": last.league,
        "expires_at": last.observed_at + TTL,
        "markets": markets,
    }
