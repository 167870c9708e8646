"""One process runs every function: loops in place of schedules, the in-process bus in place of Pub/Sub.

Each loop goes on after anything that may pass by itself, and says so in ``alerts``; what a person must mend
ends the run with its message. Nothing queued is lost when the run ends.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.backends.local.bus import LocalBus
from shared.backends.local.documents import SqliteDocuments
from shared.books.book import BookState
from shared.clock import MINUTE, Clock, Instant
from shared.errors import ArbError, CredentialsError, OperatorError, QuotaExhaustedError, StorageError
from shared.execution import halt
from shared.execution.books import book_seen
from shared.execution.executor import Executor
from shared.execution.journal import Journal
from shared.messages import (
    BY_TOPIC,
    AccountSeen,
    BookSeen,
    MappingDecided,
    MarketListed,
    Message,
    OpportunityAssessed,
    SignalRaised,
    TickSeen,
    TradeSeen,
    seal,
)
from shared.pipeline.detect import EdgeDetector
from shared.pipeline.kalshi_scrape import KalshiScraper, ScrapeReport
from shared.pipeline.map_events import EventMapper
from shared.pipeline.odds_scrape import OddsReport, OddsScraper
from shared.pipeline.settle import Settler
from shared.runtime.floor import TradingFloor
from shared.runtime.stats import Stats
from shared.terms import OrderStatus
from shared.venues.kalshi.events import Lifecycle, LifecycleKind, StreamEvent
from shared.venues.kalshi.stream import KalshiStream

if TYPE_CHECKING:
    from shared.backends.local.warehouse import DuckWarehouse

_log = logging.getLogger(__name__)

# After this much of a game its markets hold nothing for a pre-game strategy.
_FORGET_AFTER = 30 * MINUTE
_QUOTA_WAIT_S = 3600.0


@dataclass(slots=True)
class Pace:
    """Seconds of the clock between turns of each loop."""

    listing: float = 30.0
    odds: float = 60.0
    settle: float = 30.0
    account: float = 60.0
    books: float = 1.0
    depth: float = 60.0
    housekeeping: float = 60.0


@dataclass(slots=True)
class Parts:
    """Everything a run is made of, chosen in one place: :mod:`shared.bootstrap`."""

    clock: Clock
    pace: Pace
    documents: SqliteDocuments
    bus: LocalBus
    warehouse: DuckWarehouse
    scraper: KalshiScraper
    odds: OddsScraper | None
    mapper: EventMapper
    floor: TradingFloor
    executor: Executor
    journal: Journal
    settler: Settler
    stream: KalshiStream | None
    stats: Stats
    resources: AsyncExitStack


@dataclass(frozen=True, slots=True)
class Handlers:
    """The deployed functions' own handlers: here loops call them, in the cloud schedules and topics do."""

    kalshi_scraper: Callable[[KalshiScraper], Awaitable[ScrapeReport]]
    odds_scraper: Callable[[OddsScraper], Awaitable[OddsReport]]
    event_mapper: Callable[[EventMapper, Message], Awaitable[None]]
    edge_detector: Callable[[EdgeDetector, Message], Awaitable[None]]


class LocalSystem:
    """The whole system. :meth:`run` returns when ``stop`` is set, or raises what ended it."""

    def __init__(self, parts: Parts, handlers: Handlers) -> None:
        self.parts, self._handlers = parts, handlers
        self.stop = asyncio.Event()
        self._frames: asyncio.Queue[StreamEvent] = asyncio.Queue()
        self._new: set[str] = set()
        self._depth_at = Instant(0)
        self._subscribe()

    async def run(self) -> None:
        """Start every loop, wait for the stop, then let everything under way arrive and be kept."""
        p = self.parts
        await self._recover()
        tasks = [asyncio.create_task(loop, name=name) for name, loop in self._loops()]
        stopped = asyncio.create_task(self.stop.wait())
        try:
            done, _ = await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopped}:
                task.result()
        finally:
            for task in (stopped, *tasks):
                task.cancel()
            await asyncio.gather(stopped, *tasks, return_exceptions=True)
            await p.floor.idle()
            await self._account()
            await p.bus.close()
            await p.warehouse.close()
            await p.resources.aclose()
            await p.documents.close()

    def _loops(self) -> list[tuple[str, Coroutine[None, None, None]]]:
        p, pace = self.parts, self.parts.pace
        loops: list[tuple[str, Coroutine[None, None, None]]] = [
            ("listing", self._every("listing", pace.listing, self._listing)),
            ("settle", self._every("settle", pace.settle, self._settle)),
            ("account", self._every("account", pace.account, self._account)),
            ("housekeeping", self._every("housekeeping", pace.housekeeping, self._tidy)),
            ("halt", halt.follow(p.documents, p.executor.account)),
        ]
        if p.odds is not None:
            loops.append(("odds", self._every("odds", pace.odds, self._odds)))
        if p.stream is not None:
            loops.append(("stream", p.stream.run(self._frames.put_nowait)))
            loops.append(("books", self._books()))
            loops.append(("watch", self._every("watch", pace.books, self._watch)))
            loops.append(("depth", self._every("depth", pace.depth, self._depth)))
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
        for topic in (OpportunityAssessed.TOPIC, SignalRaised.TOPIC):
            p.bus.subscribe(topic, "execution", p.floor.on_message)

    async def _every(self, name: str, seconds: float, turn: Callable[[], Awaitable[None]]) -> None:
        """Take turns for ever; only what a person must mend ends the loop."""
        stats = self.parts.stats
        while True:
            wait = seconds
            try:
                await turn()
                stats.alerts.pop(name, None)
            except QuotaExhaustedError as exc:
                stats.alerts[name] = str(exc)
                wait = _QUOTA_WAIT_S
            except (CredentialsError, StorageError):
                raise
            except (ArbError, OSError) as exc:
                stats.alerts[name] = str(exc)
                _log.warning("%s: %s", name, exc)
                if isinstance(exc, OperatorError):
                    raise
            await self.parts.clock.sleep(wait)

    async def _recover(self) -> None:
        """Rebuild the account; a paper order cut off in flight has filled nothing and never will."""
        p = self.parts
        await p.mapper.restore()
        for order in await p.journal.restore(p.executor.account):
            if order.mode == "paper":
                reasons = ("the process ended before the paper match",)
                await p.journal.ended(order.order_id, OrderStatus.CANCELED, reasons, {})
            else:
                p.executor.blocked[order.ticker] = f"order {order.order_id}: outcome unknown"

    # --- turns --------------------------------------------------------------------------------------------

    async def _listing(self) -> None:
        report = await self._handlers.kalshi_scraper(self.parts.scraper)
        self.parts.stats.failed |= report.failed
        await self.parts.bus.drain()
        await self.parts.mapper.flush()

    async def _odds(self) -> None:
        odds = self.parts.odds
        if odds is None:
            return
        for sport_key, events in (await odds.slates()).items():
            self.parts.mapper.learn(sport_key, events)
        await self.parts.mapper.flush()
        report = await self._handlers.odds_scraper(odds)
        self.parts.stats.failed |= report.failed
        self.parts.stats.note = report.skipped

    async def _settle(self) -> None:
        await self.parts.settler.poll()

    async def _account(self) -> None:
        p = self.parts
        account, ledger = p.executor.account, p.executor.account.ledger
        seen = AccountSeen(
            observed_at=p.clock.now(),
            mode=p.executor.mode,
            cash=ledger.cash,
            reserved=account.reserved,
            portfolio_value=ledger.open_cost,
            realized=ledger.realized,
            fees=ledger.fees,
        )
        await p.bus.publish(seen.TOPIC, [seal(seen)])

    async def _tidy(self) -> None:
        p = self.parts
        gone = p.floor.detector.board.forget_ended(p.clock.now(), _FORGET_AFTER)
        p.mapper.forget(gone)
        p.floor.keeper.forget(gone)
        if p.stream is not None:
            await p.stream.unwatch(gone)

    async def _watch(self) -> None:
        """Ask for the books of newly mapped markets; note that quiet books still stand."""
        p = self.parts
        if p.stream is None:
            return
        new, self._new = self._new, set()
        if new:
            await p.stream.watch(sorted(new))
        if p.stream.alive_at is not None:
            p.floor.keeper.heard(p.stream.alive_at)

    async def _books(self) -> None:
        while True:
            event = await self._frames.get()
            with suppress(ArbError):
                await self._heard(event)

    async def _heard(self, event: StreamEvent) -> None:
        if isinstance(event, (TradeSeen, TickSeen)):
            await self.parts.bus.publish(event.TOPIC, [seal(event)])
        elif isinstance(event, Lifecycle):
            await self._lived(event)
        else:
            await self.parts.floor.on_stream(event)

    async def _lived(self, event: Lifecycle) -> None:
        """A halted market's book looks healthy, so only this says that it must not be traded."""
        keeper = self.parts.floor.keeper
        match event.kind:
            case LifecycleKind.DEACTIVATED:
                keeper.halted.add(event.ticker)
            case LifecycleKind.ACTIVATED:
                keeper.halted.discard(event.ticker)
            case LifecycleKind.DETERMINED if event.ticker in self.parts.settler.held():
                await self._settle()
            case _:
                pass

    async def _depth(self) -> None:
        """Full depth of every book that changed since the last turn, for history."""
        p, now = self.parts, self.parts.clock.now()
        news = [book for book in p.floor.keeper.books.values() if (book.updated_at or 0) > self._depth_at]
        self._depth_at = now
        seen = [seal(book_seen(book, now)) for book in news if book.state is BookState.LIVE]
        if seen:
            await p.bus.publish(BookSeen.TOPIC, seen)

    # --- handlers -----------------------------------------------------------------------------------------

    async def _keep(self, message: Message) -> None:
        await self.parts.warehouse.append([message])

    async def _map(self, message: Message) -> None:
        await self._handlers.event_mapper(self.parts.mapper, message)

    async def _detect(self, message: Message) -> None:
        await self._handlers.edge_detector(self.parts.floor.detector, message)

    async def _mapped(self, message: Message) -> None:
        if (
            isinstance(message, MappingDecided)
            and message.odds_event_id
            and self._is_ahead(message.starts_at)
        ):
            self._new.add(message.ticker)

    def _is_ahead(self, starts_at: Instant | None) -> bool:
        return starts_at is not None and starts_at > self.parts.clock.now()
