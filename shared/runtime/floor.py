"""The trading floor: books, detector and executor joined. Live, paper and replay run this same code.

What changes a book is handled in the caller's own step and costs microseconds; only an order about to be sent
becomes a task of its own, so that the stream never waits for a venue.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable

from shared.books.book import OrderBook
from shared.clock import Clock, Instant
from shared.edges.board import Found
from shared.edges.detector import Quotes
from shared.errors import MalformedError
from shared.execution.books import BookKeeper
from shared.execution.executor import Executor
from shared.execution.paper import PaperGateway
from shared.fees.kalshi import FeeSchedule, schedule_for
from shared.messages import Message, OpportunityAssessed, SignalRaised
from shared.pipeline.detect import EdgeDetector
from shared.terms import Side
from shared.venues.kalshi.events import StreamEvent

_log = logging.getLogger(__name__)

# Real seconds an end waits for orders: with the loops' grace less than a platform waits before it kills.
IDLE_S = 4.0


class TradingFloor:
    """One account's books, detector and executor."""

    def __init__(
        self,
        detector: EdgeDetector,
        keeper: BookKeeper,
        executor: Executor,
        clock: Clock,
        paper: PaperGateway | None = None,
        measure: Callable[[str, int], None] | None = None,
        stopwatch: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self.detector, self.keeper, self.executor = detector, keeper, executor
        self._clock, self._paper = clock, paper
        self._measure, self._stopwatch = measure, stopwatch
        self._tasks: set[asyncio.Task[None]] = set()
        self._moved: dict[str, None] = {}  # a set that keeps its order
        self._is_open = True
        self.book_changes = 0
        self.failure: BaseException | None = None
        self.on_failure: Callable[[BaseException], None] = lambda cause: None

    async def on_message(self, message: Message) -> None:
        """A listing, mapping, odds, assessment or signal from the bus."""
        if isinstance(message, SignalRaised):
            if self._is_open:
                self._work(self._signal(message))
        elif isinstance(message, OpportunityAssessed):
            self.executor.reconsider(message)
        else:
            await self.detector.handle(message)

    async def on_stream(self, event: StreamEvent) -> None:
        """Anything the exchange's stream says."""
        found = self.heard(event)
        if found is not None:
            await self.detector.publish(found)

    def heard(self, event: StreamEvent) -> Found | None:
        """What an event of the stream brings to light, for :meth:`EdgeDetector.publish`; mostly nothing."""
        if self._measure is None:
            book = self.keeper.apply(event)
            return None if book is None else self._changed(book)
        started = self._stopwatch()
        book = self.keeper.apply(event)
        if book is None:
            return None
        found = self._changed(book)
        self._measure("book change to decision", self._stopwatch() - started)
        return found

    async def sweep(self) -> None:
        """Weigh what moved without tempting, and what only time has changed; due every second or so."""
        now = self._clock.now()
        books = [book for ticker in self._moved if (book := self.keeper.book_of(ticker)) is not None]
        self._moved.clear()
        moved = {book.ticker: quotes_of(book, book.updated_at or now) for book in books}
        await self.detector.publish(self.detector.board.cycle(moved, now))

    def look(self) -> None:
        """Look at all that is worked: time alone ends a gap between orders, a cooldown, a signal."""
        if self._is_open:
            for ticker in list(self.executor.watched):
                self._work(self.executor.on_book(ticker))

    def close(self) -> None:
        """No new orders from now on; those on their way are not stopped."""
        self._is_open = False

    def forget(self, tickers: Iterable[str]) -> None:
        """Drop everything about markets that are over."""
        for ticker in tickers:
            self.keeper.forget((ticker,))
            self.executor.forget(ticker)
            self._moved.pop(ticker, None)
            if self._paper is not None:
                self._paper.forget(ticker)

    async def idle(self) -> None:
        """Wait until no order is on its way."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def ended(self, seconds: float = IDLE_S) -> None:
        """As :meth:`idle`, for so many real seconds; what is left is cut off, the next start asks for it."""
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=seconds)
        for task in list(self._tasks):
            _log.warning("an order was cut off on its way: the next start asks what became of it")
            task.cancel()
        await self.idle()

    @property
    def busy(self) -> bool:
        """Whether an order is on its way."""
        return bool(self._tasks)

    def _changed(self, book: OrderBook) -> Found | None:
        self.book_changes += 1
        if self._paper is not None:
            self._paper.book_changed(book.ticker)
        watch = self.executor.watched.get(book.ticker)
        if watch is not None and self._is_open and _concerns(watch.signal, book):
            self._work(self.executor.on_book(book.ticker))
        board = self.detector.board
        if not board.tempted(book):
            self._moved[book.ticker] = None
            return None
        now = self._clock.now()
        return board.book(book.ticker, quotes_of(book, book.updated_at or now), now)

    async def _signal(self, signal: SignalRaised) -> None:
        schedule = signal_schedule(signal, self._clock.now())
        if schedule is None:
            await self.executor.refuse(
                signal, f"fees: {signal.fee_type} is no fee rule we know; list it again"
            )
            return
        await self.executor.on_signal(signal, schedule)

    def _work(self, coroutine: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """An order's task that failed ends all trading: its state is not known to be durable."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.failure = self.failure or error
            self.close()
            self.on_failure(error)


def _concerns(signal: SignalRaised, book: OrderBook) -> bool:
    """Whether the executor has something to do: an offer within the limit, or a signal that is over."""
    if signal.expires_at is not None and (book.updated_at or 0) >= signal.expires_at:
        return True
    yes, no = book.best_asks()
    ask = yes if signal.side is Side.YES else no
    return ask is not None and ask <= signal.limit


def quotes_of(book: OrderBook, at: Instant) -> Quotes:
    """Both sides of a live book, full depth."""
    return Quotes({side: book.asks(side) for side in Side}, at)


def signal_schedule(signal: SignalRaised, now: Instant) -> FeeSchedule | None:
    """Fee schedule of a signal's market."""
    try:
        return schedule_for(signal.fee_type, signal.fee_multiplier_micro, now)
    except MalformedError:
        return None
