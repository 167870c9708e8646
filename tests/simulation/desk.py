"""The execution parts of one account joined to a host, as the always-on service joins them.

Everything that decides, sends and books is the product's own; here are only the loops around it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from shared.books.firewall import QuoteLimits
from shared.clock import MINUTE, Instant
from shared.errors import ArbError, MalformedError
from shared.execution import halt
from shared.execution.assemble import Rules, assemble
from shared.execution.books import BookKeeper
from shared.execution.live import LiveGateway
from shared.execution.safety import SafetyPolicy
from shared.fees.kalshi import schedule_for
from shared.messages import Message, SignalRaised
from shared.venues.kalshi.client import KalshiClient
from shared.venues.kalshi.events import Lifecycle, LifecycleKind, StreamEvent
from shared.venues.kalshi.portfolio import KalshiPortfolio
from shared.venues.kalshi.private import PrivateFeed
from shared.venues.kalshi.protocol import StreamProtocol
from shared.venues.kalshi.stream import KalshiStream
from shared.venues.kalshi.trading import KalshiTrading
from shared.venues.retry import Retry
from tests.simulation.process import Host

_log = logging.getLogger(__name__)

_RENEW_S, _TURN_S, _RECONCILE_S, _SWEEP_S = 5.0, 1.0, 5.0, 1.0


async def trade(host: Host) -> None:
    """Run an executor on ``host`` until cancelled."""
    desk = Desk(host)
    try:
        async with asyncio.TaskGroup() as tasks:
            desk.tasks = tasks
            for duty in desk.duties():
                tasks.create_task(duty)
    finally:
        desk.executor.end()
        await desk.resign()


class Desk:
    """One executor and what feeds it."""

    def __init__(self, host: Host) -> None:
        self.host, self.clock = host, host.clock
        client = KalshiClient(
            host.transport,
            host.clock,
            Retry(host.clock, host.rng.random),
            base_url=host.base_url,
            signer=host.signer,
        )
        portfolio = KalshiPortfolio(client, host.clock)
        self.feed = PrivateFeed(host.clock, Instant(host.clock.now() - MINUTE))
        self.stream = KalshiStream(host.connect, host.clock, host.rng.random, StreamProtocol(account=True))
        self.keeper, self.shards = BookKeeper(), dict[str, int]()
        trading = KalshiTrading(client, host.clock)
        gateway = LiveGateway(trading, portfolio, self.feed, self.shards.get, host.clock)
        rules = Rules(host.limits, QuoteLimits(), SafetyPolicy("v1", clean_fills=0), holder=host.holder)
        self.parts = assemble(
            host.documents, host.bus, host.clock, host.rng, gateway, self.keeper.book_of, rules,
            stopwatch=host.stopwatch,
        )  # fmt: skip
        self.executor, self.trader = self.parts.executor, self.parts.trader
        self.tasks: asyncio.TaskGroup | None = None
        host.bus.subscribe("signals", "execution", self.on_message)

    def duties(self) -> tuple[Any, ...]:
        """Everything that goes on for ever."""
        return (
            self.every(_RENEW_S, self.trader.renew),
            self.every(_TURN_S, self.trader.turn),
            self.every(_RECONCILE_S, self.trader.reconcile),
            self.every(_SWEEP_S, self.sweep),
            halt.follow(self.host.documents, self.parts.account, self.clock),
            self.parts.safety.breakers.follow(),
            self.stream.run(self.hear),
        )

    async def every(self, seconds: float, turn: Callable[[], Awaitable[object]]) -> None:
        """Take a turn again and again; one that fails for the moment is taken again."""
        while True:
            try:
                await turn()
            except (ArbError, OSError) as exc:
                _log.warning("a turn failed: %s", exc)
            await self.clock.sleep(seconds)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do some work beside everything else, unless all ends."""
        try:
            if self.tasks is not None:
                self.tasks.create_task(work)
        except RuntimeError:  # the group is ending
            work.close()

    async def resign(self) -> None:
        """Give up the lease, if the store lets us."""
        try:
            await self.trader.resign()
        except (ArbError, OSError) as exc:
            _log.warning("the lease could not be given up: %s", exc)

    async def on_message(self, message: Message) -> None:
        """A signal: watch its market, and work it."""
        if not isinstance(message, SignalRaised) or message.exchange_index is None:
            return
        try:
            schedule = schedule_for(message.fee_type, message.fee_multiplier_micro, self.clock.now())
        except MalformedError:
            return
        self.shards[message.ticker] = message.exchange_index
        await self.stream.watch([message.ticker])
        self.start(self.executor.on_signal(message, schedule))

    async def sweep(self) -> None:
        """Look at every market once more: what kept an order back may have passed."""
        for ticker in list(self.executor.watched):
            self.start(self.executor.on_book(ticker))

    def hear(self, event: StreamEvent) -> None:
        """One event of the stream."""
        self.feed.note(event)
        if isinstance(event, Lifecycle):
            if event.kind is LifecycleKind.DEACTIVATED:
                self.keeper.halted.add(event.ticker)
            elif event.kind is LifecycleKind.ACTIVATED:
                self.keeper.halted.discard(event.ticker)
        if self.stream.alive_at is not None:
            self.keeper.heard(self.clock.now())
        book = self.keeper.apply(event)
        if book is not None and book.ticker in self.executor.watched:
            self.start(self.executor.on_book(book.ticker))
