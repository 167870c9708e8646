"""Scrapes the exchange: every series that prices a game of our leagues, its events and markets, once a poll.

A listing goes out when it changed, and again after a minute if it did not: the detector must know that a
quote still stands, and history must not grow by what stands still.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from shared.clock import DAY, HOUR, MINUTE, Clock, Instant, age, format_instant
from shared.errors import ArbError, OperatorError
from shared.ids import digest
from shared.mapping.series import Series, classify
from shared.messages import MarketListed, Message, Quarantined, TickSeen, encode, seal
from shared.pipeline.places import HEARTBEAT
from shared.ports import Bus
from shared.terms import MarketKind, Period
from shared.venues.kalshi import wire
from shared.venues.kalshi.client import KalshiClient, Rows
from shared.venues.kalshi.normalise import starts_by_event, tick_seen

# Kinds that bookmakers quote on the featured markets of one call; the others need a call per event.
FEATURED = frozenset({MarketKind.WINNER, MarketKind.THREE_WAY, MarketKind.SPREAD, MarketKind.TOTAL})

_CATALOGUE_TTL = HOUR
_MILESTONES_TTL = 10 * MINUTE
_UNLISTED = 2 * HOUR
_CONCURRENCY = 4


@dataclass(slots=True)
class ScrapeReport:
    """What one poll found. ``failed`` names each series that could not be read, with the reason."""

    series: int = 0
    markets: int = 0
    published: int = 0
    quarantined: int = 0
    failed: dict[str, str] = field(default_factory=dict)


class KalshiScraper:
    """Polls one exchange for ``leagues`` (lower-case league names; empty means every league we know)."""

    def __init__(self, client: KalshiClient, bus: Bus, clock: Clock, leagues: Sequence[str] = ()) -> None:
        self._client, self._bus, self._clock = client, bus, clock
        self._leagues = frozenset(leagues)
        self._series: dict[str, wire.Series] = {}
        self._starts: dict[str, Instant] = {}
        self._read_at = {"series": Instant(0), "starts": Instant(0)}
        self._said: dict[str, tuple[str, Instant]] = {}
        self._quoted: dict[str, tuple[object, ...]] = {}

    async def scrape(self) -> ScrapeReport:
        """One poll.

        A series that fails is reported and the others go on; an error a person must fix raises.
        """
        await self._catalogue()
        report = ScrapeReport(series=len(self._series))
        turn = asyncio.Semaphore(_CONCURRENCY)

        async def one(ticker: str) -> None:
            async with turn:
                try:
                    rows = await self._client.events(ticker, series=self._series, starts=self._starts)
                except OperatorError:
                    raise
                except ArbError as exc:
                    report.failed[ticker] = str(exc)
                    return
            await self._publish(rows, report)

        await asyncio.gather(*(one(ticker) for ticker in self._series))
        return report

    def wanted(self, ticker: str) -> bool:
        """Whether a series prices a whole game of one of our leagues in a way bookmakers quote."""
        found = classify(ticker)
        return (
            isinstance(found, Series)
            and found.row.kind in FEATURED
            and found.row.period in (Period.FULL_GAME, Period.REGULATION)
            and (not self._leagues or found.league.name.lower() in self._leagues)
        )

    def forget_unlisted(self, now: Instant) -> list[str]:
        """Drop markets that were not listed for two hours, closed ones most of all; gives which."""
        gone = [ticker for ticker, (_, said_at) in self._said.items() if age(said_at, now) > _UNLISTED]
        for ticker in gone:
            del self._said[ticker]
            self._quoted.pop(ticker, None)
        return gone

    async def _catalogue(self) -> None:
        """Series with their fee parameters, and true starts, each read again when old."""
        now = self._clock.now()
        if age(self._read_at["series"], now) >= _CATALOGUE_TTL:
            listed = await self._client.series_list(category="Sports")
            self._series = {series.ticker: series for series in listed if self.wanted(series.ticker)}
            self._read_at["series"] = now
        if age(self._read_at["starts"], now) >= _MILESTONES_TTL:
            since = format_instant(Instant((now - DAY) // 1_000_000 * 1_000_000))
            milestones = await self._client.milestones(category="Sports", min_start=since)
            self._starts = starts_by_event(milestones.rows)
            self._read_at["starts"] = now

    async def _publish(self, rows: Rows[MarketListed], report: ScrapeReport) -> None:
        report.markets += len(rows.rows)
        report.quarantined += len(rows.quarantined)
        news = [seal(market) for market in rows.rows if self._is_news(market)]
        report.published += len(news)
        await self._send(MarketListed.TOPIC, news)
        await self._send(TickSeen.TOPIC, [seal(tick_seen(market)) for market in news if self._moved(market)])
        await self._send(Quarantined.TOPIC, [seal(record) for record in rows.quarantined])

    async def _send(self, topic: str, messages: Sequence[Message]) -> None:
        if messages:
            await self._bus.publish(topic, messages)

    def _is_news(self, market: MarketListed) -> bool:
        bare = msgspec.structs.replace(market, observed_at=Instant(0), source_at=None)
        content = digest(encode(bare))
        said = self._said.get(market.ticker)
        if said is not None and said[0] == content and age(said[1], market.observed_at) < HEARTBEAT:
            return False
        self._said[market.ticker] = (content, market.observed_at)
        return True

    def _moved(self, market: MarketListed) -> bool:
        """Whether the quotes differ from the last tick of this market."""
        quote = (market.yes_bid, market.yes_bid_size, market.yes_ask, market.yes_ask_size, market.volume)
        if self._quoted.get(market.ticker) == quote:
            return False
        self._quoted[market.ticker] = quote
        return True
