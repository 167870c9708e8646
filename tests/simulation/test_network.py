"""Requests and streams under faults: what has left arrives, answers are lost, frames go missing."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from shared.errors import OutcomeUnknownError, VenueDownError
from shared.simulator.kalshi_orders import ticket
from tests.simulation.bench import Bench
from tests.simulation.network import ORDERS_PATH
from tests.simulation.process import Host

ORDERS = "https://exchange.example" + ORDERS_PATH


def body_of(bench: Bench, order_id: str = "0-1") -> bytes:
    """An order that rests."""
    market = next(iter(bench.exchange.api.world.exchange.markets.values()))
    return msgspec.json.encode(
        {
            "ticker": market.ticker,
            "side": "bid",
            "count": "1.00",
            "price": "0.0100",
            "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "taker_at_cross",
            "client_order_id": order_id,
        }
    )


async def post(host: Host, body: bytes) -> int:
    headers = host.signer.headers("POST", ORDERS_PATH, host.clock.now())
    return (await host.transport.request("POST", ORDERS, headers=headers, body=body)).status


def orders(bench: Bench) -> int:
    return len(bench.exchange.account.orders)


def test_an_order_reaches_the_exchange_and_its_answer_comes_back() -> None:
    bench = Bench()
    assert bench.alone(lambda host: post(host, body_of(bench))) == 201
    assert orders(bench) == 1


def test_a_lost_answer_leaves_the_order_and_an_unknown_outcome() -> None:
    bench = Bench()
    bench.begin("http_lost_answer")

    async def program(host: Host) -> None:
        with pytest.raises(OutcomeUnknownError):
            await post(host, body_of(bench))

    bench.alone(program)
    assert orders(bench) == 1


def test_a_dropped_order_never_arrives() -> None:
    bench = Bench()
    bench.begin("http_dropped")

    async def program(host: Host) -> None:
        with pytest.raises((OutcomeUnknownError, VenueDownError)):
            await post(host, body_of(bench))

    bench.alone(program)
    assert orders(bench) == 0


def test_an_order_that_was_done_may_be_answered_with_an_error() -> None:
    bench = Bench()
    bench.begin("http_done_but_500")
    assert bench.alone(lambda host: post(host, body_of(bench))) == 500
    assert orders(bench) == 1


@pytest.mark.parametrize(
    ("word", "status"), [("401", 401), ("404", 404), ("409", 409), ("429", 429), ("503", 503), ("html", 502)]
)
def test_an_edge_answer_means_that_nothing_arrived(word: str, status: int) -> None:
    bench = Bench()
    bench.begin("http_status", word=word)
    assert bench.alone(lambda host: post(host, body_of(bench))) == status
    assert orders(bench) == 0


def test_a_request_that_has_left_arrives_although_its_sender_dies() -> None:
    bench = Bench()

    async def main() -> None:
        async def program(host: Host) -> None:
            await post(host, body_of(bench))

        machine = bench.machine(program)
        machine.set_trap("send:after", 1, lambda: machine.kill("a test"))
        machine.start()
        await asyncio.sleep(5)

    bench.run(main())
    assert orders(bench) == 1


def test_a_sender_that_dies_before_sends_nothing() -> None:
    bench = Bench()

    async def main() -> None:
        async def program(host: Host) -> None:
            await post(host, body_of(bench))

        machine = bench.machine(program)
        machine.set_trap("send:before", 1, lambda: machine.kill("a test"))
        machine.start()
        await asyncio.sleep(5)

    bench.run(main())
    assert orders(bench) == 0


# --- the stream --------------------------------------------------------------------------------------------


def frames(bench: Bench, seconds: float = 30.0, channel: str = "orderbook_delta") -> list[Any]:
    """Frames of one connection that watches every market."""
    found: list[Any] = []
    tickers = list(bench.exchange.api.world.exchange.markets)

    async def program(host: Host) -> None:
        line = await host.connect()
        params = {"channels": [channel], "market_tickers": tickers}
        await line.send(msgspec.json.encode({"id": 1, "cmd": "subscribe", "params": params}))
        while (frame := await line.receive()) is not None:
            found.append(msgspec.json.decode(frame) if frame else "ping")
        found.append("closed")

    async def main() -> None:
        bench.exchange.pump()
        machine = bench.machine(program)
        machine.start()
        await asyncio.sleep(seconds)
        machine.kill("a test")

    bench.run(main())
    return found


def numbers(found: list[Any]) -> list[int]:
    return [frame["seq"] for frame in found if isinstance(frame, dict) and "seq" in frame]


def test_a_stream_arrives_whole_and_in_order_with_pings() -> None:
    found = frames(Bench())
    seen = numbers(found)
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) > 20
    assert found.count("ping") >= 2


def test_a_gap_uses_up_its_number() -> None:
    bench = Bench()
    bench.begin("stream_gap", share=0.3)
    seen = numbers(frames(bench))
    assert seen != list(range(1, len(seen) + 1))
    assert seen == sorted(seen)


def test_a_silent_stream_says_nothing_at_all() -> None:
    bench = Bench()
    bench.begin("stream_silent")
    assert frames(bench) == []


def test_a_stream_may_be_refused() -> None:
    bench = Bench()
    bench.begin("stream_refused")

    async def program(host: Host) -> None:
        with pytest.raises(VenueDownError):
            await host.connect()

    bench.alone(program)


def test_a_dropped_line_is_closed_and_can_be_noticed() -> None:
    bench = Bench()
    bench.loop.call_later(5, lambda: bench.exchange.lines[0].drop())
    assert frames(bench)[-1] == "closed"


@pytest.mark.parametrize(("fault", "expected"), [("", 1), ("fills_lost", 0), ("fills_twice", 2)])
def test_fills_are_lost_or_told_twice(fault: str, expected: int) -> None:
    bench = Bench()
    if fault:
        bench.begin(fault)

    def trade() -> None:
        world = bench.exchange.api.world
        market = next(m for m in world.exchange.markets.values() if m.quote.ask_size)
        body = msgspec.json.decode(body_of(bench))
        body |= {"ticker": market.ticker, "price": "0.9900", "time_in_force": "immediate_or_cancel"}
        world.orders.create(bench.exchange.account, ticket(body))

    bench.loop.call_later(3, trade)
    found = frames(bench, 10, "fill")
    fills = [
        frame["msg"]["trade_id"] for frame in found if isinstance(frame, dict) and frame["type"] == "fill"
    ]
    assert len(fills) == expected
    assert len(set(fills)) == min(1, expected)
