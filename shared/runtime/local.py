"""One process runs every function: loops in place of schedules, the in-process bus in place of Pub/Sub.

Each loop goes on after anything that may pass by itself, and says so in ``alerts``; what a person must mend
ends the run with its message, wherever it happened. Turns under way are finished, and nothing queued is lost,
when the run ends. What trades is in :mod:`shared.runtime.trading`.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.backends.local.bus import LocalBus
from shared.backends.local.documents import SqliteDocuments
from shared.clock import DAY, HOUR, MINUTE, SECOND, Instant, eastern_day, first
from shared.errors import StorageError
from shared.messages import (
    BY_TOPIC,
    MappingDecided,
    MarketListed,
    Message,
    OpportunityAssessed,
    PropsScraped,
    SignalRaised,
)
from shared.pipeline.coverage import CoverageWatch
from shared.pipeline.detect import EdgeDetector
from shared.pipeline.kalshi_scrape import KalshiScraper, ScrapeReport
from shared.pipeline.map_events import EventMapper
from shared.pipeline.odds_scrape import OddsReport, OddsScraper
from shared.pipeline.props_books import PropsReport
from shared.pipeline.props_process import PropsProcessor
from shared.pipeline.props_scrape import PropsScraper
from shared.pipeline.results import ResultWatch
from shared.runtime.loops import Loop, Loops
from shared.runtime.trading import TradingParts, TradingSide

if TYPE_CHECKING:
    from shared.backends.local.warehouse import DuckWarehouse

_log = logging.getLogger(__name__)

# After this much of a game its markets hold nothing for a pre-game strategy.
_FORGET_AFTER = 30 * MINUTE
_PURGE_S = HOUR / SECOND
_PROPS_KEPT = 3 * DAY
# Real seconds: how long a turn waits for the bus to be quiet.
_QUIET_S = 5.0


@dataclass(slots=True, kw_only=True)
class Parts(TradingParts):
    """Everything a run is made of, chosen in one place: :mod:`shared.bootstrap`."""

    documents: SqliteDocuments
    bus: LocalBus
    warehouse: DuckWarehouse
    scraper: KalshiScraper
    odds: OddsScraper | None
    mapper: EventMapper
    results: ResultWatch
    props: PropsScraper
    props_rows: PropsProcessor

    @property
    def backlog(self) -> int:
        """Deliveries queued or under way."""
        return self.bus.backlog


@dataclass(frozen=True, slots=True)
class Handlers:
    """The deployed functions' own handlers: here loops call them, in the cloud schedules and topics do."""

    kalshi_scraper: Callable[[KalshiScraper], Awaitable[ScrapeReport]]
    odds_scraper: Callable[[OddsScraper], Awaitable[OddsReport]]
    event_mapper: Callable[[EventMapper, Message], Awaitable[None]]
    edge_detector: Callable[[EdgeDetector, Message], Awaitable[None]]
    props_scraper: Callable[[PropsScraper], Awaitable[list[PropsReport]]] | None = None
    props_processor: Callable[[PropsProcessor, Message], Awaitable[None]] | None = None


class LocalSystem(Loops):
    """The whole system. :meth:`run` returns when ``stop`` is set, or raises what ended it."""

    def __init__(self, parts: Parts, handlers: Handlers, rng: random.Random) -> None:
        super().__init__(parts.clock, parts.stats)
        self.parts, self._handlers = parts, handlers
        self.trading = TradingSide(parts, self, rng)
        self._unkept: list[Message] = []
        self._has_odds = asyncio.Event()
        self._coverage = CoverageWatch(parts.mapper, parts.bus, parts.clock)
        self._subscribe()

    async def run(self) -> None:
        """Recover, start every loop, wait for the stop, then let everything under way arrive and be kept."""
        p = self.parts
        async with AsyncExitStack() as closing:
            # What is pushed last happens first, and each happens whatever becomes of the others.
            closing.push_async_callback(p.documents.close)
            closing.push_async_callback(p.resources.aclose)
            closing.push_async_callback(p.warehouse.close)
            closing.push_async_callback(self._keep_the_rest)
            closing.push_async_callback(p.bus.close)
            await self._recover()
            closing.push_async_callback(self.trading.account)
            closing.push_async_callback(p.execution.trader.resign)
            closing.push_async_callback(p.floor.ended)
            tasks = self.start(self._all_loops())
            try:
                await self.stop.wait()
            finally:
                self.trading.end()
                await self.finish(tasks, TradingSide.LISTENING)
        if self.failure is not None:
            raise self.failure

    @property
    def finds_edges(self) -> bool:
        """It lists, maps and prices."""
        return True

    def _all_loops(self) -> list[Loop]:
        p, pace = self.parts, self.parts.pace
        loops: list[Loop] = [
            ("listing", self.every("listing", pace.listing, self._listing)),
            ("housekeeping", self.every("housekeeping", pace.housekeeping, self._tidy)),
            ("purge", self.every("purge", _PURGE_S, self._purge)),
            ("results", self.every("results", pace.results, p.results.poll)),
            *self.trading.loops(),
        ]
        if p.odds is not None:
            loops.append(("odds", self.every("odds", pace.odds, self._odds)))
        if self._handlers.props_scraper is not None:
            loops.append(("props", self.every("props", pace.props, self._props)))
        return loops

    def _subscribe(self) -> None:
        p = self.parts
        for topic in BY_TOPIC:
            p.bus.subscribe(topic, "history", self._keep)
            p.bus.subscribe(topic, "stats", p.stats.hear)
        p.bus.subscribe(MarketListed.TOPIC, "mapper", self._map)
        p.bus.subscribe(MappingDecided.TOPIC, "watch", self._mapped)
        for topic in p.floor.detector.TOPICS:
            p.bus.subscribe(topic, "detector", self._detect)
        if self._handlers.props_processor is not None:
            p.bus.subscribe(PropsScraped.TOPIC, "props", self._props_rows)
        for topic in (OpportunityAssessed.TOPIC, SignalRaised.TOPIC):
            p.bus.subscribe(topic, "execution", p.floor.on_message)

    async def _recover(self) -> None:
        """Everything as it was left; history is told what a crash kept from it."""
        p = self.parts
        await p.mapper.restore()
        await self.trading.begin()
        tables = ("orders", "fills", "settlements")
        kept = await p.warehouse.query(" UNION ALL ".join(f"SELECT event_id FROM {t}" for t in tables))  # noqa: S608
        await p.execution.journal.retell(frozenset(row["event_id"] for row in kept))

    # --- turns --------------------------------------------------------------------------------------------

    async def _listing(self) -> None:
        p = self.parts
        report = await self._handlers.kalshi_scraper(p.scraper)
        self.tell("series", report.failed)
        # What is still on its way is decided in the next turn: under a flood the bus is never quiet.
        with suppress(TimeoutError):
            async with asyncio.timeout(_QUIET_S):
                await p.bus.drain()
        await p.mapper.flush()

    async def _odds(self) -> None:
        odds = self.parts.odds
        if odds is None:
            return
        try:
            for sport_key, events in (await odds.slates()).items():
                self.parts.mapper.learn(sport_key, events)
            await self.parts.mapper.flush()
            report = await self._handlers.odds_scraper(odds)
        finally:
            self._has_odds.set()
        self.tell("sports", report.failed)
        self.parts.stats.note = report.skipped

    async def _props(self) -> None:
        if self.parts.odds is not None:
            # Games are what is traded: at the start props wait until they have their first odds.
            await first(self._has_odds.wait(), self.stop.wait())
        if self._handlers.props_scraper is not None and not self.stop.is_set():
            for report in await self._handlers.props_scraper(self.parts.props):
                self.tell("props read", report.failed)

    async def _purge(self) -> None:
        p = self.parts
        await p.mapper.purge()
        await p.props_rows.purge(eastern_day(Instant(p.clock.now() - _PROPS_KEPT)))

    async def _tidy(self) -> None:
        p = self.parts
        now = p.clock.now()
        board, unlisted = p.floor.detector.board, p.scraper.forget_unlisted(now)
        board.forget(unlisted)
        gone = [*board.forget_ended(now, _FORGET_AFTER), *unlisted]
        # A game in play is still listed: a mapper that forgot it would map it again at every turn.
        p.mapper.forget(unlisted)
        p.floor.forget(gone)
        if p.stream is not None:
            await p.stream.unwatch(gone)
        unknown = await self._coverage.turn()
        p.stats.alerts.pop("mapping", None)
        if unknown:
            p.stats.alerts["mapping"] = f"{unknown} series, codes or texts are unknown: arb mapping report"

    # --- handlers -----------------------------------------------------------------------------------------

    async def _keep(self, message: Message) -> None:
        """A message for history. One that the disk refuses ends the run, and is tried once more then."""
        try:
            await self.parts.warehouse.append([message])
        except StorageError as exc:
            self._unkept.append(message)
            self.fail(exc)

    async def _keep_the_rest(self) -> None:
        if self._unkept:
            await self.parts.warehouse.append(self._unkept)

    async def _map(self, message: Message) -> None:
        await self._handlers.event_mapper(self.parts.mapper, message)

    async def _props_rows(self, message: Message) -> None:
        if self._handlers.props_processor is not None:
            await self._handlers.props_processor(self.parts.props_rows, message)

    async def _detect(self, message: Message) -> None:
        await self._handlers.edge_detector(self.parts.floor.detector, message)

    async def _mapped(self, message: Message) -> None:
        if (
            isinstance(message, MappingDecided)
            and message.odds_event_id
            and self._is_ahead(message.starts_at)
        ):
            self.trading.want([message.ticker])

    def _is_ahead(self, starts_at: Instant | None) -> bool:
        return starts_at is not None and starts_at > self.parts.clock.now()
