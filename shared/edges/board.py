"""The board: the latest listing, mapping and odds of everything, and what each change makes of them.

Pure state. A message older than what the board holds changes nothing; only markets touched by a change are
assessed again; an assessment that says what was said before is not said twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.books.book import OrderBook
from shared.clock import DAY, Instant
from shared.edges.detector import DetectorSettings, Quotes, assess, listed_quotes, signal_of, start_of
from shared.edges.fair import FairPair, fair_pair, stands_until
from shared.edges.sweep import NEVER, Sweep, row_of
from shared.messages import (
    MappingDecided,
    MarketListed,
    Message,
    OddsSeen,
    OpportunityAssessed,
    Selection,
    SignalRaised,
    seal,
)
from shared.money import MICROS
from shared.terms import MarketKind, Side

_NOT_SEEN = "no_odds: no bookmaker prices seen yet"


@dataclass(slots=True)
class Found:
    """What one change brought to light."""

    opportunities: list[OpportunityAssessed] = field(default_factory=list)
    signals: list[SignalRaised] = field(default_factory=list)


@dataclass(slots=True)
class Board:
    """Everything the detector knows, by ticker and by sportsbook event."""

    settings: DetectorSettings
    markets: dict[str, MarketListed] = field(default_factory=dict)
    mappings: dict[str, MappingDecided] = field(default_factory=dict)
    odds: dict[str, OddsSeen] = field(default_factory=dict)
    quotes: dict[str, Quotes] = field(default_factory=dict)
    stale: int = 0
    _tickers: dict[str, set[str]] = field(default_factory=dict)
    _fair: dict[tuple[str, Selection, MarketKind], tuple[Instant, Instant, FairPair | str]] = field(
        default_factory=dict
    )
    _said: dict[tuple[str, Side], tuple[object, ...]] = field(default_factory=dict)
    _triggers: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    _signalled: dict[str, Instant] = field(default_factory=dict)
    _rows: Sweep | None = None

    def market(self, market: MarketListed, now: Instant) -> Found:
        """A listing was seen."""
        known = self.markets.get(market.ticker)
        if known is not None and _is_late(market, known, now):
            self.stale += 1
            return Found()
        self.markets[market.ticker] = market
        held = self.quotes.get(market.ticker)
        if held is None or held.seen_at <= market.observed_at or held.seen_at > now:
            self.quotes[market.ticker] = listed_quotes(market)
        return self.sweep((market.ticker,), now)

    def book(self, ticker: str, quotes: Quotes, now: Instant) -> Found:
        """A live book changed."""
        self.quotes[ticker] = quotes
        return self.sweep((ticker,), now)

    def mapping(self, mapping: MappingDecided, now: Instant) -> Found:
        """A market was mapped, or refused."""
        known = self.mappings.get(mapping.ticker)
        if known is not None and _is_late(mapping, known, now):
            self.stale += 1
            return Found()
        if known is not None:
            self._tickers.get(known.odds_event_id, set()).discard(mapping.ticker)
        self.mappings[mapping.ticker] = mapping
        if mapping.odds_event_id:
            self._tickers.setdefault(mapping.odds_event_id, set()).add(mapping.ticker)
        return self.sweep((mapping.ticker,), now)

    def new_odds(self, odds: OddsSeen, now: Instant) -> Found:
        """Bookmakers' prices of one event were seen."""
        known = self.odds.get(odds.odds_event_id)
        if known is not None and _is_late(odds, known, now):
            self.stale += 1
            return Found()
        self.odds[odds.odds_event_id] = odds
        for key in [key for key in self._fair if key[0] == odds.odds_event_id]:
            del self._fair[key]
        return self.sweep(sorted(self._tickers.get(odds.odds_event_id, ())), now)

    def sweep(self, tickers: tuple[str, ...] | list[str], now: Instant) -> Found:
        """Assess these markets as everything stands now."""
        found = Found()
        for ticker in tickers:
            market, mapping = self.markets.get(ticker), self.mappings.get(ticker)
            if market is not None and mapping is not None:
                self._assess(market, mapping, now, found)
        return found

    def cycle(self, moved: Mapping[str, Quotes], now: Instant) -> Found:
        """Assess whatever may have changed unsaid, of all markets: the same news as a sweep over them all.

        ``moved`` are live books that changed without tempting. Besides those whose best offers are not what
        was assessed, only markets that could be worth it, and those changed by time alone (a game starts, a
        quote or a bookmaker's price grows old), are assessed: see :mod:`shared.edges.sweep`.
        """
        if self._rows is None:
            self.quotes.update(moved)
            self._rows = Sweep()
            return self.sweep(list(self.mappings), now)
        tickers = [ticker for ticker, quotes in moved.items() if not self._confirms(ticker, quotes)]
        tickers += self._rows.select(self.settings.rule.min_net_edge, now)
        return self.sweep(list(dict.fromkeys(tickers)), now)

    def _confirms(self, ticker: str, quotes: Quotes) -> bool:
        """Take in a moved book; whether its best offers are those that were assessed, and still count."""
        held = self.quotes.get(ticker)
        self.quotes[ticker] = quotes
        return (
            held is not None
            and self._rows is not None
            and held.best == quotes.best
            and self._rows.refresh(ticker, quotes.seen_at + self.settings.max_quote_age + 1)
        )

    def fair_of(self, mapping: MappingDecided, now: Instant) -> FairPair | str:
        """The books' opinion of a mapped market, from cache while it stands."""
        odds = self.odds.get(mapping.odds_event_id)
        if odds is None or mapping.selection is None:
            return _NOT_SEEN
        key = (mapping.odds_event_id, mapping.selection, mapping.kind)
        held = self._fair.get(key)
        if held is None or not held[0] <= now < held[1]:
            age = self.settings.max_odds_age_s
            until = stands_until(odds, mapping.selection, now, age)
            held = self._fair[key] = (now, until, fair_pair(odds, mapping.selection, mapping.kind, now, age))
        return held[2]

    def tempted(self, book: OrderBook) -> bool:
        """Whether a book's best offers could be worth it: a comparison with prices worked out beforehand.

        Runs on every change of every book, so it must cost next to nothing.
        """
        trigger = self._triggers.get(book.ticker)
        if trigger is None or book.updated_at is None or book.updated_at >= trigger[2]:
            return False
        yes, no = book.best_asks()
        return (yes is not None and yes <= trigger[0]) or (no is not None and no <= trigger[1])

    def forget_ended(self, now: Instant, after: int) -> list[str]:
        """Drop games that started more than ``after`` microseconds ago; gives their markets."""
        ended = [
            ticker
            for ticker, mapping in self.mappings.items()
            if mapping.starts_at is not None and now - mapping.starts_at > after
        ]
        self.forget(ended)
        self._forget_odds(now, after)
        for signal_id in [one for one, at in self._signalled.items() if now - at > DAY]:
            del self._signalled[signal_id]
        return ended

    def _forget_odds(self, now: Instant, after: int) -> None:
        begun = {
            event
            for event, odds in self.odds.items()
            if odds.starts_at is not None and now - odds.starts_at > after
        }
        for event in begun:
            del self.odds[event]
            self._tickers.pop(event, None)
        for key in [key for key in self._fair if key[0] in begun]:
            del self._fair[key]

    def forget(self, tickers: Iterable[str]) -> None:
        """Drop everything about these markets."""
        for ticker in tickers:
            mapping = self.mappings.pop(ticker, None)
            if mapping is not None:
                self._tickers.get(mapping.odds_event_id, set()).discard(ticker)
            self.markets.pop(ticker, None)
            self.quotes.pop(ticker, None)
            self._triggers.pop(ticker, None)
            if self._rows is not None:
                self._rows.drop(ticker)
            for side in Side:
                self._said.pop((ticker, side), None)

    def _assess(self, market: MarketListed, mapping: MappingDecided, now: Instant, found: Found) -> None:
        fair = self.fair_of(mapping, now)
        self._triggers[market.ticker] = _trigger(fair, self.settings, start_of(market, mapping))
        quotes = self.quotes[market.ticker]
        if self._rows is not None:
            due, stale_at = self._due(market, mapping, now), quotes.seen_at + self.settings.max_quote_age + 1
            self._rows.put(market.ticker, row_of(market, mapping, fair, quotes, due, stale_at, now))
        for opportunity in assess(market, mapping, fair, quotes, self.settings, now):
            if not self._is_news(opportunity):
                continue
            sealed = seal(opportunity, mapping.trace_id)
            found.opportunities.append(sealed)
            if sealed.accepted:
                self._raise(sealed, market, mapping, now, found)

    def _due(self, market: MarketListed, mapping: MappingDecided, now: Instant) -> float:
        """When time alone next changes what there is to say, the age of the quote apart."""
        moments = [market.closes_at, start_of(market, mapping)]
        if mapping.selection is not None:
            held = self._fair.get((mapping.odds_event_id, mapping.selection, mapping.kind))
            moments.append(held[1] if held is not None else None)
        return min((moment for moment in moments if moment is not None and moment > now), default=NEVER)

    def _raise(
        self,
        opportunity: OpportunityAssessed,
        market: MarketListed,
        mapping: MappingDecided,
        now: Instant,
        found: Found,
    ) -> None:
        signal = signal_of(opportunity, market, mapping, self.settings, now)
        if signal is None or signal.signal_id in self._signalled:
            return
        self._signalled[signal.signal_id] = now
        found.signals.append(seal(signal, opportunity.trace_id))

    def _is_news(self, opportunity: OpportunityAssessed) -> bool:
        """Whether this side's assessment differs from the last one in anything a reader would act on."""
        codes = tuple(reason.partition(":")[0] for reason in opportunity.reasons)
        content: tuple[object, ...] = codes
        if opportunity.net_edge is not None:
            content = (codes, opportunity.ask, round(opportunity.net_edge, 3))
        if opportunity.accepted:
            content = (*content, opportunity.quantity)
        key = (opportunity.ticker, opportunity.side)
        if self._said.get(key) == content:
            return False
        self._said[key] = content
        return True


def _is_late(message: Message, known: Message, now: Instant) -> bool:
    """Older than what is held. What is held from the future does not count: then our clock was set back."""
    return message.observed_at < known.observed_at <= now


def _trigger(
    fair: FairPair | str, settings: DetectorSettings, starts_at: Instant | None
) -> tuple[int, int, int]:
    """Highest YES and NO prices, micro-dollars, that could be worth it without fees, and until when."""
    if isinstance(fair, str) or starts_at is None:
        return 0, 0, 0
    edge = settings.rule.min_net_edge
    yes, no = fair.yes.probability - edge, fair.no.probability - edge
    return int(yes * MICROS), int(no * MICROS), starts_at
