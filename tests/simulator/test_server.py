"""Over real sockets: the servers answer, the stream speaks, and the project's own clients read it all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from websockets.asyncio.client import connect as ws_connect
from websockets.exceptions import InvalidStatus

from shared.clock import SECOND, ManualClock
from shared.config import Secret
from shared.errors import OutcomeUnknownError
from shared.messages import BookSeen
from shared.money import Price, Quantity
from shared.simulator.scenario import Fault, Kind, Scenario, dumps
from shared.simulator.schedule import SMALL
from shared.simulator.server import Urls, serve
from shared.simulator.world import World
from shared.terms import Side
from shared.venues.http import AiohttpTransport
from shared.venues.kalshi.client import KalshiClient
from shared.venues.kalshi.events import BookDelta, BookSnapshot, StreamEvent
from shared.venues.kalshi.order_wire import OrderTicket, TimeInForce
from shared.venues.kalshi.protocol import StreamProtocol
from shared.venues.kalshi.sign import Signer, load_private_key
from shared.venues.kalshi.stream import AiohttpConnect, KalshiStream
from shared.venues.kalshi.trading import KalshiTrading
from shared.venues.odds_api.client import OddsApiClient
from shared.venues.retry import Retry
from tests.simulator.bench import QUOTED, START

pytestmark = pytest.mark.e2e


@asynccontextmanager
async def _running() -> AsyncIterator[tuple[Urls, World, ManualClock]]:
    clock = ManualClock(START)
    world = World(7, START, SMALL)
    async with serve(world, clock) as urls:
        await clock.advance(QUOTED)
        yield urls, world, clock


def _signer(urls: Urls) -> Signer:
    return Signer(urls.key_id, load_private_key(urls.private_key_pem))


async def _until(clock: ManualClock, done: Callable[[], bool]) -> None:
    """Let virtual time pass until ``done``; both ends of the sockets run in this loop."""
    for _ in range(5000):
        if done():
            return
        await clock.advance(0.02)
    raise AssertionError("it did not happen")


async def test_the_key_that_is_handed_out_works_and_the_date_is_simulated() -> None:
    async with _running() as (urls, _, clock), aiohttp.ClientSession() as session:
        signer = _signer(urls)
        headers = signer.headers("GET", "/trade-api/v2/portfolio/balance", clock.now())
        async with session.get(f"{urls.kalshi_base_url}/portfolio/balance", headers=headers) as answer:
            assert (answer.status, (await answer.json())["balance_dollars"]) == (200, "15000.0000")
            assert answer.headers["date"] == "Sun, 22 Nov 2026 15:02:00 GMT"
        params = {"apiKey": urls.odds_api_key}
        async with session.get(f"{urls.odds_base_url}/sports", params=params) as answer:
            assert answer.status == 200


async def test_an_unsigned_handshake_is_refused_with_a_401() -> None:
    async with _running() as (urls, _, _):
        with pytest.raises(InvalidStatus) as refused:
            await ws_connect(urls.kalshi_ws_url)
        assert refused.value.response.status_code == 401


async def test_the_server_pings_every_ten_seconds_with_heartbeat() -> None:
    async with _running() as (urls, _, clock), aiohttp.ClientSession() as session:
        signer = _signer(urls)
        headers = signer.headers("GET", "/trade-api/ws/v2", clock.now())
        async with session.ws_connect(urls.kalshi_ws_url, headers=headers, autoping=False) as line:
            await line.send_str('{"id":1,"cmd":"list_subscriptions"}')
            assert (await line.receive_json())["type"] == "ok"
            await clock.advance(10)
            message = await line.receive()
            assert (message.type, message.data) == (aiohttp.WSMsgType.PING, b"heartbeat")


async def test_the_projects_clients_read_everything_without_a_quarantine() -> None:
    async with _running() as (urls, world, clock):
        transport = AiohttpTransport()
        retry = Retry(clock, lambda: 0.5)
        client = KalshiClient(transport, clock, retry, base_url=urls.kalshi_base_url, signer=_signer(urls))
        feed = OddsApiClient(
            transport, clock, retry, base_url=urls.odds_base_url, key=Secret(urls.odds_api_key)
        )
        try:
            series = {row.ticker: row for row in await client.series_list("Sports")}
            listed = await client.markets(combos=True)
            assert {row.ticker for row in listed.rows} == set(world.exchange.markets)
            assert listed.quarantined == []
            for ticker in ("KXNFLGAME", "KXMLBTOTAL", "KXEPLGAME", "KXNBASPREAD"):
                events = await client.events(ticker, series=series)
                assert events.rows
                assert events.quarantined == []
            books = await client.books([row.ticker for row in listed.rows])
            assert (len(books.rows), books.quarantined) == (len(listed.rows), [])
            assert all(isinstance(book, BookSeen) for book in books.rows)
            assert (await client.trades()).quarantined == []
            assert len((await client.milestones(category="Sports")).rows) == len(world.contests)
            assert (await client.status()).trading_active
            assert (await client.account_limits()).usage_tier == "basic"
            assert await client.user_data_as_of() is not None
            for sport in await feed.sports():
                page = await feed.odds(sport.key, ["h2h", "spreads", "totals"], regions=["us", "eu"])
                assert page.quarantined == []
                assert (await feed.events(sport.key))[1] == []
        finally:
            await transport.close()


async def test_the_projects_stream_mirrors_every_book() -> None:
    async with _running() as (urls, world, clock):
        tickers = [m.ticker for m in world.exchange.listing if m.quote.bid_size][:20]
        connect = AiohttpConnect(urls.kalshi_ws_url, _signer(urls), clock)
        stream = KalshiStream(connect, clock, lambda: 0.5, StreamProtocol(tickers))
        heard: list[StreamEvent] = []
        task = asyncio.create_task(stream.run(heard.append))

        def snapshots() -> set[str]:
            return {event.ticker for event in heard if isinstance(event, BookSnapshot)}

        try:
            await _until(clock, lambda: snapshots() == set(tickers))
            await _until(clock, lambda: any(isinstance(event, BookDelta) for event in heard))
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await connect.close()
        assert not [event for event in heard if type(event).__name__ in ("Gap", "Problem")]


async def test_an_answer_that_is_lost_ends_the_connection_and_the_order_rests() -> None:
    async with _running() as (urls, world, clock):
        urls.kalshi.play(Scenario(faults=(Fault(kind=Kind.TIMEOUT, on="create", seconds=2),)))
        transport = AiohttpTransport()
        client = KalshiClient(
            transport, clock, Retry(clock, lambda: 0.5), base_url=urls.kalshi_base_url, signer=_signer(urls)
        )
        market = next(m for m in world.exchange.listing if m.quote.bid_size)
        ticket = OrderTicket(
            market.ticker, market.contract.shard, Side.YES, Price(10_000), Quantity(100), "0-1",
            TimeInForce.GTC,
        )  # fmt: skip
        asking = asyncio.create_task(KalshiTrading(client, clock).create(ticket))
        try:
            await _until(clock, asking.done)
            with pytest.raises(OutcomeUnknownError, match="no answer"):
                await asking
        finally:
            await transport.close()
        assert len(urls.account.resting()) == 1


async def test_a_scenario_is_set_and_the_truth_read_over_the_socket() -> None:
    async with _running() as (urls, _, _), aiohttp.ClientSession() as session:
        faults = (Fault(kind=Kind.REFUSE, on="handshake", status=503),)
        async with session.put(f"{urls.control_url}/scenario", data=dumps(Scenario(faults=faults))) as answer:
            assert answer.status == 200
        with pytest.raises(InvalidStatus) as refused:
            await ws_connect(urls.kalshi_ws_url)
        assert refused.value.response.status_code == 503
        async with session.get(f"{urls.control_url}/truth") as answer:
            assert (await answer.json())["cash"] == {"0": 5e9, "1": 0, "2": 5e9, "3": 5e9}


async def test_a_held_back_frame_is_sent_while_nobody_asks() -> None:
    async with _running() as (urls, world, clock), aiohttp.ClientSession() as session:
        urls.kalshi.play(Scenario(faults=(Fault(kind=Kind.LATE, on="orderbook_snapshot", seconds=3),)))
        headers = _signer(urls).headers("GET", "/trade-api/ws/v2", clock.now())
        async with session.ws_connect(urls.kalshi_ws_url, headers=headers) as line:
            params = {"channels": ["orderbook_delta"], "market_tickers": [world.exchange.listing[0].ticker]}
            await line.send_json({"id": 1, "cmd": "subscribe", "params": params})
            assert (await line.receive_json())["type"] == "subscribed"

            async def snapshot() -> None:
                while (await line.receive_json())["type"] != "orderbook_snapshot":
                    pass

            reading, since = asyncio.create_task(snapshot()), clock.now()
            await _until(clock, reading.done)
            await reading
            assert 2.9 <= (clock.now() - since) / SECOND < 4.5
