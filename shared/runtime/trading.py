"""The side of a run that trades: live books, our fills, lease, reconciliation, settlement, halt, breakers.

It is the same beside scrapers and mapper in one process, and alone as the execution service.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from shared.clock import Clock
from shared.errors import ArbError, OperatorError
from shared.execution import halt
from shared.execution.assemble import Execution
from shared.execution.books import book_seen
from shared.execution.executor import Executor
from shared.messages import AccountSeen, BookSeen, TickSeen, TradeSeen, seal
from shared.money import Usd
from shared.pipeline.map_events import EventMapper
from shared.pipeline.odds_scrape import OddsScraper
from shared.pipeline.settle import Settler
from shared.ports import Bus, Documents, Warehouse
from shared.risk.tripwire import losses
from shared.runtime.feed import LiveFeed, Mode
from shared.runtime.floor import TradingFloor
from shared.runtime.loops import Loop, Loops
from shared.runtime.stats import Stats
from shared.venues.kalshi.account import FillSeen
from shared.venues.kalshi.events import Lifecycle, LifecycleKind, StreamEvent
from shared.venues.kalshi.stream import KalshiStream

# Until a first statement of the venue is as new as what we know.
_SOON_S = 2.5


@dataclass(slots=True)
class Pace:
    """Seconds of the clock between turns of each loop."""

    listing: float = 30.0
    odds: float = 60.0
    settle: float = 30.0
    account: float = 60.0
    lease: float = 5.0
    trader: float = 1.0
    reconcile: float = 10.0
    look: float = 1.0
    fills: float = 1.0
    signature: float = 0.5
    results: float = 600.0
    books: float = 1.0
    sweep: float = 1.0
    depth: float = 60.0
    housekeeping: float = 60.0
    props: float = 60.0


@dataclass(slots=True, kw_only=True)
class TradingParts:
    """What the trading side is made of, chosen in one place: :mod:`shared.bootstrap`.

    ``live`` reads our own fills, and books while the stream is down; paper has none. ``bankroll`` is the cash
    that a new account starts with. An executor of its own has neither ``odds`` nor ``mapper`` nor history.
    """

    clock: Clock
    pace: Pace
    documents: Documents
    bus: Bus
    floor: TradingFloor
    execution: Execution
    settler: Settler
    stream: KalshiStream | None
    stats: Stats
    resources: AsyncExitStack
    bankroll: Usd
    live: LiveFeed | None = None
    odds: OddsScraper | None = None
    mapper: EventMapper | None = None
    warehouse: Warehouse | None = None

    @property
    def backlog(self) -> int:
        """Deliveries of the bus queued or under way, where it can tell."""
        return 0

    @property
    def executor(self) -> Executor:
        """What works the signals."""
        return self.execution.executor


class TradingSide:
    """Turns and handlers of one account's trading, for :class:`Loops` to run."""

    # Loops that only wait for news: they end at once.
    LISTENING = ("halt", "breakers", "stream")

    def __init__(self, parts: TradingParts, loops: Loops, rng: random.Random) -> None:
        self.parts, self._loops, self._rng = parts, loops, rng
        self.frames: asyncio.Queue[StreamEvent | None] = asyncio.Queue()
        self._new: set[str] = set()
        self._paid_out = asyncio.Event()
        parts.execution.reconciler.paid_out = self._paid_out.set
        parts.floor.on_failure = loops.fail

    def loops(self) -> list[Loop]:
        """Every loop of this side."""
        p, pace, every = self.parts, self.parts.pace, self._loops.every
        trader = p.execution.trader
        loops: list[Loop] = [
            ("settle", every("settle", pace.settle, self.settle, self._paid_out)),
            ("account", every("account", pace.account, self.account)),
            ("lease", every("lease", pace.lease, trader.renew)),
            ("trader", every("trader", pace.trader, trader.turn)),
            ("reconcile", every("reconcile", self._until_reconciled, trader.reconcile)),
            ("look", every("look", pace.look, self.look)),
            ("halt", halt.follow(p.documents, p.executor.account, p.clock)),
            ("breakers", p.execution.safety.breakers.follow()),
        ]
        if p.live is not None:
            loops.append(("fills", every("fills", pace.fills, p.live.catch_up)))
            loops.append(("signature", every("signature", pace.signature, p.live.warm)))
        if p.stream is not None:
            loops += [
                ("stream", p.stream.run(self.frames.put_nowait)),
                ("books", self._books()),
                ("watch", every("watch", pace.books, self.watch_books)),
                ("sweep", every("sweep", pace.sweep, p.floor.sweep)),
                ("depth", every("depth", pace.depth, self.depth)),
            ]
        return loops

    def _until_reconciled(self) -> float:
        """A start waits for the venue's first word that is as new as itself."""
        pace, reconciler = self.parts.pace, self.parts.execution.reconciler
        is_waiting = reconciler.agreed_at is None and not reconciler.was_current
        return min(_SOON_S, pace.reconcile) if is_waiting else pace.reconcile

    async def begin(self) -> None:
        """As halted as it was left, open the account, take the lease and recover."""
        p = self.parts
        await halt.restore(p.documents, p.executor.account)
        await p.execution.begin(p.bankroll)

    def end(self) -> None:
        """No new orders; what rests is withdrawn."""
        self.parts.floor.close()
        self.parts.executor.end()
        self.frames.put_nowait(None)

    def want(self, tickers: Iterable[str]) -> None:
        """Markets whose live books are to be held, from the next turn on."""
        self._new.update(tickers)

    # --- turns --------------------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Pay out what has ended; losses that reach a limit stop trading until a person resumes."""
        p = self.parts
        await p.settler.poll()
        account = p.executor.account
        book = account.book.rolled(p.clock.now())
        lost_today, lost_this_week = Usd(-book.pnl_today), Usd(-book.pnl_week)
        trip = losses(lost_today, lost_this_week, book.consecutive_losses, p.executor.limits)
        if trip is not None and not account.halted:
            reason = f"{trip.reason}; look, then: arb resume"
            await halt.halt(p.documents, p.clock, self._rng, reason, "breaker")

    async def look(self) -> None:
        """Look at everything that is worked, whether its book has moved or not."""
        self.parts.floor.look()

    async def account(self) -> None:
        """A snapshot of the account for history."""
        p = self.parts
        account = p.executor.account
        seen = AccountSeen(
            observed_at=p.clock.now(),
            mode=p.executor.mode,
            cash=account.cash,
            reserved=account.reserved,
            portfolio_value=account.open_cost,
            realized=account.realized,
            fees=account.fees,
        )
        await p.bus.publish(seen.TOPIC, [seal(seen)])

    async def watch_books(self) -> None:
        """Ask for the books of new markets and of broken ones; note that quiet books still stand."""
        p, keeper = self.parts, self.parts.floor.keeper
        if p.stream is None:
            return
        broken = keeper.broken()
        keeper.forget(broken)
        # Wanted until it has been asked for: a line that breaks now must not cost a market its book.
        self._new.update(broken)
        await p.stream.unwatch(broken)
        if new := set(self._new):
            await p.stream.watch(sorted(new))
            self._new -= new
        # A book whose changes still wait here is not as fresh as the line they came by.
        if p.stream.alive_at is not None and self.frames.empty():
            keeper.heard(p.stream.alive_at)
        await self._poll(p.stream)

    async def _poll(self, stream: KalshiStream) -> None:
        """While the stream is down, read the books of what is worked by REST."""
        p = self.parts
        if p.live is None:
            return
        p.stats.alerts.pop("stream", None)
        for snapshot in await p.live.poll(stream.alive_at, p.executor.watched):
            await p.floor.on_stream(snapshot)
        if p.live.mode is not Mode.STREAM:
            p.stats.alerts["stream"] = "the stream is down: books are read by REST, slower"

    async def depth(self) -> None:
        """Full depth of every book that changed since the last turn, for history."""
        p, now = self.parts, self.parts.clock.now()
        seen = [seal(book_seen(book, now)) for book in p.floor.keeper.news()]
        if seen:
            await p.bus.publish(BookSeen.TOPIC, seen)

    # --- the stream ---------------------------------------------------------------------------------------

    async def _books(self) -> None:
        alerts = self.parts.stats.alerts
        while (event := await self.frames.get()) is not None:
            try:
                await self._heard(event)
            except OperatorError:
                raise
            except ArbError as exc:
                alerts["books"] = str(exc)

    async def _heard(self, event: StreamEvent) -> None:
        live = self.parts.live
        if live is not None:
            live.note(event)
        if isinstance(event, (TradeSeen, TickSeen)):
            await self.parts.bus.publish(event.TOPIC, [seal(event)])
        elif isinstance(event, Lifecycle):
            self.lived(event)
        elif not isinstance(event, FillSeen):
            await self.parts.floor.on_stream(event)

    def lived(self, event: Lifecycle) -> None:
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
