"""The execution service on a host: the product's own, with the host's ports where the cloud's would be.

Nothing here decides anything. It joins the same parts as :func:`shared.bootstrap.execution_service`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

from shared.books.firewall import QuoteLimits
from shared.clock import HOUR, Instant
from shared.edges.board import Board
from shared.edges.detector import DetectorSettings
from shared.execution.assemble import Execution, Rules, assemble
from shared.execution.books import BookKeeper
from shared.execution.live import LiveGateway
from shared.execution.safety import SafetyPolicy
from shared.money import ZERO_USD
from shared.pipeline.detect import EdgeDetector
from shared.pipeline.settle import Settler
from shared.runtime.feed import LiveFeed
from shared.runtime.floor import TradingFloor
from shared.runtime.service import ExecutionService
from shared.runtime.stats import Stats
from shared.runtime.trading import Pace, TradingParts
from shared.terms import Profile
from shared.venues.kalshi.client import KalshiClient
from shared.venues.kalshi.examine import Examination, examine
from shared.venues.kalshi.portfolio import KalshiPortfolio
from shared.venues.kalshi.private import PrivateFeed
from shared.venues.kalshi.protocol import StreamProtocol
from shared.venues.kalshi.stream import KalshiStream
from shared.venues.kalshi.trading import KalshiTrading
from shared.venues.retry import Retry
from tests.simulation.keys import KEY_ID, QuickKey
from tests.simulation.process import Host

# Slower than in production where that costs steps and proves nothing.
PACE = Pace(
    trader=1.5, signature=8.0, books=2.0, sweep=3.0, fills=4.0, reconcile=5.0, depth=3600.0, account=300.0
)
_SERIES = ("KXEPLGAME", "KXNBAGAME")


async def trade(host: Host) -> None:
    """Run the service until it is cancelled, which asks it to stop as a signal of the system would."""
    service = _service(host)
    running = asyncio.ensure_future(service.run())
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        service.stop.set()
        await running


def _service(host: Host) -> ExecutionService:
    """As the composition root makes it, live."""
    clock, documents, bus = host.clock, host.documents, host.bus
    client = KalshiClient(
        host.transport, clock, Retry(clock, host.rng.random), base_url=host.base_url, signer=host.signer
    )
    portfolio, trading = KalshiPortfolio(client, clock), KalshiTrading(client, clock)
    fills = PrivateFeed(clock, Instant(max(0, clock.now() - HOUR)))
    keeper, stats = BookKeeper(), Stats()
    gateway = LiveGateway(trading, portfolio, fills, lambda _: None, clock)
    execution = _execution(host, client, gateway, keeper)
    detector = EdgeDetector(Board(DetectorSettings(profile=Profile.STANDARD)), documents, bus, clock)
    parts = TradingParts(
        clock=clock,
        pace=PACE,
        documents=documents,
        bus=bus,
        floor=TradingFloor(detector, keeper, execution.executor, clock, None, None, host.stopwatch),
        execution=execution,
        settler=Settler(client, execution.account, execution.journal),
        stream=KalshiStream(host.connect, clock, host.rng.random, StreamProtocol(account=True)),
        stats=stats,
        resources=AsyncExitStack(),
        bankroll=ZERO_USD,
        live=LiveFeed(fills, portfolio, trading, clock),
    )
    return ExecutionService(parts, host.rng, host.transport.close)


def _execution(host: Host, client: KalshiClient, gateway: LiveGateway, keeper: BookKeeper) -> Execution:
    examination = Examination(client, host.clock, KEY_ID, QuickKey(), host.connect, _SERIES)

    async def gate() -> Sequence[str]:
        return (await examine(examination)).reasons

    rules = Rules(
        host.limits,
        QuoteLimits(),
        SafetyPolicy("v1", clean_fills=host.clean_fills),
        host.orders,
        holder=host.holder,
        lease_s=3 * PACE.lease,
    )
    return assemble(
        host.documents,
        host.bus,
        host.clock,
        host.rng,
        gateway,
        keeper.book_of,
        rules,
        gate,
        stopwatch=host.stopwatch,
    )
