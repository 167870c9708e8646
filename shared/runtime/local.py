"""One process runs every function: loops in place of schedules, the in-process bus in place of Pub/Sub.

Each loop goes on after anything that may pass by itself, and says so in ``alerts``; what a person must mend
ends the run with its message, wherever it happened. Turns under way are finished, and nothing queued is lost,
when the run ends.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.backends.local.bus import LocalBus
from shared.backends.local.documents import SqliteDocuments
from shared.clock import HOUR, MINUTE, SECOND, Clock, Instant
from shared.errors import ArbError, OperatorError, QuotaExhaustedError, StorageError
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
from shared.pipeline.coverage import CoverageWatch
from shared.pipeline.detect import EdgeDetector
from shared.pipeline.kalshi_scrape import KalshiScraper, ScrapeReport
from shared.pipeline.map_events import EventMapper
from shared.pipeline.odds_scrape import OddsReport, OddsScraper
from shared.pipeline.results import ResultWatch
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
_PURGE_S = HOUR / SECOND
# Real seconds: how long a run that ends waits for a turn under way, and a turn for the bus to be quiet.
_GRACE_S = 5.0
_QUIET_S = 5.0


@dataclass(slots=True)
class Pace:
    """Seconds of the clock between turns of each loop."""

    listing: float = 30.0
    odds: float = 60.0
    settle: float = 30.0
    results: float = 600.0
    account: float = 60.0
    books: float = 1.0
    sweep: float = 1.0
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
    results: ResultWatch
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

    def __init__(self, parts: Parts, handlers: Handlers, rng: random.Random) -> None:
        self.parts, self._handlers, self._rng = parts, handlers, rng
        self.stop = asyncio.Event()
        self._failure: BaseException | None = None
        self._frames: asyncio.Queue[StreamEvent | None] = asyncio.Queue()
        self._new: set[str] = set()
        self._paid_out = asyncio.Event()
        self._unkept: list[Message] = []
        self._coverage = CoverageWatch(parts.mapper, parts.bus, parts.clock)
        parts.floor.on_failure = self._fail
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
            closing.push_async_callback(self._account)
            closing.push_async_callback(p.floor.idle)
            tasks = [asyncio.create_task(self._guarded(loop), name=name) for name, loop in self._loops()]
            try:
                await self.stop.wait()
            finally:
                await self._finish(tasks)
        if self._failure is not None:
            raise self._failure

    def _fail(self, cause: BaseException) -> None:
        """End the run because of ``cause``; the first cause is the one that is told."""
        self._failure = self._failure or cause
        self.stop.set()

    async def _guarded(self, loop: Coroutine[None, None, None]) -> None:
        """A loop ends at the stop; if it ends by an error, so does the run."""
        try:
            await loop
        except Exception as exc:
            self._fail(exc)

    async def _finish(self, tasks: list[asyncio.Task[None]]) -> None:
        """No new orders; the stream and the halt are dropped, every other loop ends its turn."""
        self.stop.set()
        self.parts.floor.close()
        self._frames.put_nowait(None)
        for task in tasks:
            if task.get_name() in ("halt", "stream"):
                task.cancel()
        _, late = await asyncio.wait(tasks, timeout=_GRACE_S)
        for task in late:
            _log.warning("%s did not end by itself", task.get_name())
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _loops(self) -> list[tuple[str, Coroutine[None, None, None]]]:
        p, pace = self.parts, self.parts.pace
        loops: list[tuple[str, Coroutine[None, None, None]]] = [
            ("listing", self._every("listing", pace.listing, self._listing)),
            ("settle", self._every("settle", pace.settle, self._settle, self._paid_out)),
            ("results", self._every("results", pace.results, self._results)),
            ("account", self._every("account", pace.account, self._account)),
            ("housekeeping", self._every("housekeeping", pace.housekeeping, self._tidy)),
            ("purge", self._every("purge", _PURGE_S, p.mapper.purge)),
            ("halt", halt.follow(p.documents, p.executor.account)),
        ]
        if p.odds is not None:
            loops.append(("odds", self._every("odds", pace.odds, self._odds)))
        if p.stream is not None:
            loops.append(("stream", p.stream.run(self._frames.put_nowait)))
            loops.append(("books", self._books()))
            loops.append(("watch", self._every("watch", pace.books, self._watch)))
            loops.append(("sweep", self._every("sweep", pace.sweep, p.floor.sweep)))
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

    async def _every(
        self,
        name: str,
        seconds: float,
        turn: Callable[[], Awaitable[None]],
        early: asyncio.Event | None = None,
    ) -> None:
        """Take turns until the stop, also when ``early`` is set; what a person must mend ends the run."""
        stats = self.parts.stats
        while not self.stop.is_set():
            wait = seconds
            try:
                await turn()
                stats.alerts.pop(name, None)
                stats.exhausted.discard(name)
                stats.turns[name] = self.parts.clock.now()
            except QuotaExhaustedError as exc:
                stats.alerts[name] = str(exc)
                stats.exhausted.add(name)
                wait = _QUOTA_WAIT_S
            except OperatorError:
                raise
            except (ArbError, OSError) as exc:
                stats.alerts[name] = str(exc)
                _log.warning("%s: %s", name, exc)
            await self._pause(wait, early)

    async def _pause(self, seconds: float, early: asyncio.Event | None) -> None:
        """Sleep on the clock until the time, the stop or ``early`` comes."""
        waits = [self.parts.clock.sleep(seconds), self.stop.wait(), *([early.wait()] if early else [])]
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if early is not None:
            early.clear()

    async def _recover(self) -> None:
        """Rebuild the account, as halted as it was, and tell history what a crash kept from it.

        A paper order cut off in flight has filled nothing and never will.
        """
        p = self.parts
        account = p.executor.account
        await p.mapper.restore()
        await halt.restore(p.documents, account)
        for order in await p.journal.restore(account):
            if order.mode == "paper":
                reasons = ("the process ended before the paper match",)
                await p.journal.ended(order.order_id, OrderStatus.CANCELED, reasons, {})
                account.release(order.order_id)
            else:
                p.executor.blocked[order.ticker] = f"order {order.order_id}: outcome unknown"
        tables = ("orders", "fills", "settlements")
        kept = await p.warehouse.query(" UNION ALL ".join(f"SELECT event_id FROM {t}" for t in tables))  # noqa: S608
        await p.journal.retell(frozenset(row["event_id"] for row in kept), account)

    # --- turns --------------------------------------------------------------------------------------------

    async def _listing(self) -> None:
        p = self.parts
        report = await self._handlers.kalshi_scraper(p.scraper)
        self._tell("series", report.failed)
        # What is still on its way is decided in the next turn: under a flood the bus is never quiet.
        with suppress(TimeoutError):
            async with asyncio.timeout(_QUIET_S):
                await p.bus.drain()
        await p.mapper.flush()

    async def _odds(self) -> None:
        odds = self.parts.odds
        if odds is None:
            return
        for sport_key, events in (await odds.slates()).items():
            self.parts.mapper.learn(sport_key, events)
        await self.parts.mapper.flush()
        report = await self._handlers.odds_scraper(odds)
        self._tell("sports", report.failed)
        self.parts.stats.note = report.skipped

    def _tell(self, what: str, failed: Mapping[str, str]) -> None:
        """An alert that names what could not be read this time; none when all was read."""
        alerts = self.parts.stats.alerts
        alerts.pop(what, None)
        for name, reason in sorted(failed.items())[:1]:
            alerts[what] = f"{len(failed)} not read; {name}: {reason}"

    async def _settle(self) -> None:
        p = self.parts
        await p.settler.poll()
        account, limit = p.executor.account, p.executor.limits.max_consecutive_losses
        if account.consecutive_losses >= limit and not account.halted:
            reason = f"{account.consecutive_losses} losses in a row; look, then: arb resume"
            await halt.halt(p.documents, p.clock, self._rng, reason, "breaker")

    async def _results(self) -> None:
        await self.parts.results.poll()

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

    async def _watch(self) -> None:
        """Ask for the books of newly mapped markets and of broken ones; note that quiet books still stand."""
        p, keeper = self.parts, self.parts.floor.keeper
        if p.stream is None:
            return
        broken = keeper.broken()
        keeper.forget(broken)
        await p.stream.unwatch(broken)
        new, self._new = self._new | set(broken), set()
        if new:
            await p.stream.watch(sorted(new))
        # A book whose changes still wait here is not as fresh as the line they came by.
        if p.stream.alive_at is not None and self._frames.empty():
            keeper.heard(p.stream.alive_at)

    async def _books(self) -> None:
        alerts = self.parts.stats.alerts
        while (event := await self._frames.get()) is not None:
            try:
                await self._heard(event)
            except OperatorError:
                raise
            except ArbError as exc:
                alerts["books"] = str(exc)

    async def _heard(self, event: StreamEvent) -> None:
        if isinstance(event, (TradeSeen, TickSeen)):
            await self.parts.bus.publish(event.TOPIC, [seal(event)])
        elif isinstance(event, Lifecycle):
            self._lived(event)
        else:
            await self.parts.floor.on_stream(event)

    def _lived(self, event: Lifecycle) -> None:
        """A halted market's book looks healthy, so only this says that it must not be traded."""
        keeper = self.parts.floor.keeper
        match event.kind:
            case LifecycleKind.DEACTIVATED:
                keeper.halted.add(event.ticker)
            case LifecycleKind.ACTIVATED:
                keeper.halted.discard(event.ticker)
            case LifecycleKind.SETTLED if event.ticker in self.parts.settler.held():
                self._paid_out.set()
            case _:
                pass

    async def _depth(self) -> None:
        """Full depth of every book that changed since the last turn, for history."""
        p, now = self.parts, self.parts.clock.now()
        seen = [seal(book_seen(book, now)) for book in p.floor.keeper.news()]
        if seen:
            await p.bus.publish(BookSeen.TOPIC, seen)

    # --- handlers -----------------------------------------------------------------------------------------

    async def _keep(self, message: Message) -> None:
        """A message for history. One that the disk refuses ends the run, and is tried once more then."""
        try:
            await self.parts.warehouse.append([message])
        except StorageError as exc:
            self._unkept.append(message)
            self._fail(exc)

    async def _keep_the_rest(self) -> None:
        if self._unkept:
            await self.parts.warehouse.append(self._unkept)

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
