"""Orders, the private stream and the live gateway over real sockets, against the simulated exchange."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import pytest

from shared.clock import ManualClock
from shared.errors import ArbError, OutcomeUnknownError
from shared.execution.gateway import Accepted, Unknown
from shared.execution.live import LiveGateway
from shared.money import Usd
from shared.risk.controls import Proposal
from shared.risk.gate import ApprovedOrder, Gate, Verdict
from shared.simulator.market import Market
from shared.simulator.schedule import SMALL
from shared.simulator.server import Urls, serve
from shared.simulator.world import World
from shared.terms import OrderStatus, Side
from shared.venues.http import AiohttpTransport
from shared.venues.kalshi.client import KalshiClient
from shared.venues.kalshi.events import Listening, StreamEvent
from shared.venues.kalshi.order_wire import OrderRef, OrderTicket, TimeInForce
from shared.venues.kalshi.portfolio import KalshiPortfolio
from shared.venues.kalshi.private import PrivateFeed
from shared.venues.kalshi.protocol import StreamProtocol
from shared.venues.kalshi.sign import Signer, load_private_key
from shared.venues.kalshi.stream import AiohttpConnect, KalshiStream
from shared.venues.kalshi.trading import KalshiTrading
from shared.venues.retry import Retry
from tests.simulator.bench import QUOTED, START
from tests.support.limits import LIMITS
from tests.venues.kalshi.desk import cents, contracts

pytestmark = pytest.mark.e2e

T = TypeVar("T")


@dataclass
class Member:
    """A member of the exchange on the other end of a socket."""

    urls: Urls
    world: World
    clock: ManualClock
    trading: KalshiTrading
    portfolio: KalshiPortfolio
    feed: PrivateFeed
    stream: KalshiStream
    connect: AiohttpConnect

    @cached_property
    def market(self) -> Market:
        """A market with offers on both sides."""
        return next(
            market
            for contest in self.world.contests
            for market in contest.markets
            if market.quote.bid_size and market.quote.ask_size
        )

    def ticket(self, price: int, number: int, lives: TimeInForce = TimeInForce.GTC) -> OrderTicket:
        """One YES at ``price`` cents."""
        market = self.market
        return OrderTicket(
            market.ticker, market.contract.shard, Side.YES, cents(price), contracts(1), f"0-{number}", lives
        )

    async def soon(self, doing: Awaitable[T]) -> T:
        """The result, with virtual time passing until it is there; both ends run in this loop."""
        task = asyncio.ensure_future(doing)
        for _ in range(5000):
            if task.done():
                break
            await self.clock.advance(0.02)
        return await task


@asynccontextmanager
async def _member() -> AsyncIterator[Member]:
    clock = ManualClock(START)
    world = World(7, START, SMALL)
    async with serve(world, clock) as urls:
        await clock.advance(QUOTED)
        signer = Signer(urls.key_id, load_private_key(urls.private_key_pem))
        transport, connect = AiohttpTransport(), AiohttpConnect(urls.kalshi_ws_url, signer, clock)
        client = KalshiClient(
            transport, clock, Retry(clock, lambda: 0.5), base_url=urls.kalshi_base_url, signer=signer
        )
        stream = KalshiStream(connect, clock, lambda: 0.5, StreamProtocol(account=True, lifecycle=False))
        try:
            yield Member(
                urls, world, clock, KalshiTrading(client, clock), KalshiPortfolio(client, clock),
                PrivateFeed(clock, clock.now()), stream, connect,
            )  # fmt: skip
        finally:
            await transport.close()
            await connect.close()


@asynccontextmanager
async def _listening(member: Member) -> AsyncIterator[list[StreamEvent]]:
    events: list[StreamEvent] = []

    def hear(event: StreamEvent) -> None:
        events.append(event)
        member.feed.note(event)

    running = asyncio.create_task(member.stream.run(hear))
    try:
        await member.soon(_count(member, events, 4))
        yield events
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _count(member: Member, events: list[StreamEvent], channels: int) -> None:
    while sum(isinstance(event, Listening) for event in events) < channels:
        await member.clock.sleep(0.02)


async def test_every_order_write_works_over_a_socket() -> None:
    async with _member() as member:
        trading, market = member.trading, member.market
        placed = await member.soon(trading.create(member.ticket(1, 1)))
        ref = OrderRef(placed.order_id, market.ticker, market.contract.shard)
        await member.soon(trading.amend(ref, Side.YES, cents(2), contracts(3)))
        assert await member.soon(trading.decrease(ref, by=contracts(1))) == contracts(2)
        assert await member.soon(trading.cancel(ref)) == contracts(2)
        batch = await member.soon(trading.create_batch([member.ticket(1, 2), member.ticket(1, 3)]))
        refs = [
            OrderRef(one.order_id, market.ticker, market.contract.shard)
            for one in batch
            if not isinstance(one, ArbError)
        ]
        assert await member.soon(trading.cancel_batch(refs)) == [contracts(1)] * 2
        await member.soon(trading.cancel_all())
        await member.clock.advance(2)
        rows = (await member.soon(member.portfolio.orders())).rows
        assert {row.status for row in rows} == {OrderStatus.CANCELED}
        assert len(rows) == 3


async def test_a_lost_answer_over_a_socket_is_an_unknown_outcome() -> None:
    async with _member() as member:
        member.urls.kalshi.faults.lost_reply_share = 1.0
        with pytest.raises(OutcomeUnknownError):
            await member.soon(member.trading.create(member.ticket(1, 1)))
        assert len(member.urls.account.resting()) == 1


async def test_a_placed_order_is_filled_by_the_stream_or_found_again_by_rest() -> None:
    async with _member() as member, _listening(member):
        gateway = LiveGateway(
            member.trading,
            member.portfolio,
            member.feed,
            lambda _: member.market.contract.shard,
            member.clock,
        )
        seen = await member.soon(gateway.place(_order(member, "0-1")))
        assert isinstance(seen, Accepted)
        assert sum(fill.quantity for fill in seen.fills) == contracts(1)
        member.urls.kalshi.faults.lost_reply_share = 1.0
        order = _order(member, "0-2")
        assert isinstance(await member.soon(gateway.place(order)), Unknown)
        member.urls.kalshi.faults.lost_reply_share = 0.0
        await member.clock.advance(2)
        found = await member.soon(gateway.resolve(order.proposal))
        assert isinstance(found, Accepted)
        total = sum(fill.quantity for outcome in (seen, found) for fill in outcome.fills)
        assert total == member.urls.account.position(member.market.ticker).lots == contracts(2)


def _order(member: Member, client_order_id: str) -> ApprovedOrder:
    market = member.market
    proposal = Proposal(
        client_order_id=client_order_id,
        ticker=market.ticker,
        event_ticker=market.contract.event_ticker,
        sport="",
        side=Side.YES,
        limit=cents(99),
        quantity=contracts(1),
        risk=Usd(0),
        at=member.clock.now(),
    )
    return Gate(LIMITS, controls=()).approve(Verdict(proposal, (), ()))
