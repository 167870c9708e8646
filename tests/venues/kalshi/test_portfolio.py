"""Account reads against the simulated exchange: pages, filters, shards, the lag of reads."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest

from shared.clock import SECOND, Instant
from shared.errors import MalformedError, RefusedError
from shared.simulator.web import Request
from shared.terms import OrderStatus, Result, Side
from shared.venues.http import Response
from shared.venues.kalshi import portfolio
from shared.venues.kalshi.order_wire import OrderRef, TimeInForce
from tests.simulator.bench import DEPOSIT, ONE_GAME, quoted
from tests.venues.kalshi.desk import BenchTransport, TradingDesk, cents, contracts

IOC = TimeInForce.IOC


@pytest.fixture
def desk() -> TradingDesk:
    return TradingDesk()


async def _taken(desk: TradingDesk, league: str, side: Side = Side.YES, count: int = 2) -> str:
    """Buy ``count`` at 60 cents from another member; gives the market's ticker."""
    market = desk.bench.empty(league)
    desk.other(
        market, "ask" if side is Side.YES else "bid", "0.6000" if side is Side.YES else "0.4000", "9.00"
    )
    await desk.trading.create(desk.ticket(market, side, 60, count, time_in_force=IOC))
    return market.ticker


async def test_orders_of_every_shard_are_listed_over_all_pages(
    desk: TradingDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portfolio, "_PAGE", 2)
    for league in ("NFL", "MLB", "NFL", "MLB", "NFL"):
        await desk.rest(desk.bench.empty(league))
    found = await desk.portfolio.orders(status="resting")
    assert (len({order.order_id for order in found.rows}), found.quarantined) == (5, [])
    assert {order.exchange_index for order in found.rows} == {0, 3}
    assert sum("cursor" in parse_qs(request.query) for request in desk.transport.sent) == 2


async def test_orders_are_filtered_by_market_and_time(desk: TradingDesk) -> None:
    market = desk.bench.empty("NFL")
    await desk.rest(market)
    await desk.rest(desk.bench.empty("MLB"))
    desk.bench.wait(100)
    late = await desk.rest(market)
    since = Instant(desk.clock.now() - 50 * SECOND)
    assert [order.order_id for order in (await desk.portfolio.orders(since=since)).rows] == [late.order_id]
    assert len((await desk.portfolio.orders(ticker=market.ticker)).rows) == 2
    assert len((await desk.portfolio.orders(ticker=market.ticker, until=since)).rows) == 1


async def test_an_order_is_found_by_our_own_id(desk: TradingDesk) -> None:
    market, start = desk.bench.empty(), desk.clock.now()
    ticket = desk.ticket(market)
    assert await desk.portfolio.find(ticket.client_order_id, market.ticker, start) is None
    placed = await desk.trading.create(ticket)
    found = await desk.portfolio.find(ticket.client_order_id, market.ticker, start)
    assert found is not None
    assert (found.order_id, found.status) == (placed.order_id, OrderStatus.RESTING)


async def test_an_order_is_not_missing_from_a_list_that_cannot_be_read(desk: TradingDesk) -> None:
    class Torn(BenchTransport):
        async def request(self, *args: Any, **named: Any) -> Response:
            answer = await super().request(*args, **named)
            return Response(answer.status, answer.headers, answer.body.replace(b"initial_count_fp", b"x"))

    ref = await desk.rest(desk.bench.empty())
    desk.client._transport = Torn(desk.bench)
    with pytest.raises(MalformedError, match="cannot be read"):
        await desk.portfolio.find("0-0", ref.ticker, desk.clock.now())


async def test_reads_lag_behind_writes(desk: TradingDesk) -> None:
    desk.bench.faults.read_lag_s = 1.5
    ref = await desk.rest(desk.bench.empty())
    with pytest.raises(RefusedError, match="not_found"):
        await desk.portfolio.order(ref)
    assert await desk.client.user_data_as_of() == desk.clock.now() - 1_500_000
    desk.bench.wait(2)
    assert (await desk.portfolio.order(ref)).order_id == ref.order_id


async def test_fills_hold_what_a_create_only_averages(desk: TradingDesk) -> None:
    market = desk.bench.empty()
    for price in ("0.5000", "0.5500"):
        desk.other(market, "ask", price, "1.00")
    placed = await desk.trading.create(desk.ticket(market, Side.YES, 60, 2, time_in_force=IOC))
    fills = (await desk.portfolio.fills(order_id=placed.order_id)).rows
    assert sorted(fill.price for fill in fills) == [cents(50), cents(55)]
    assert all(fill.client_order_id == "" for fill in fills)  # since March 2026 only the stream tells it


async def test_positions_are_signed_and_exact(desk: TradingDesk) -> None:
    yes, no = await _taken(desk, "NFL"), await _taken(desk, "MLB", Side.NO)
    rows = {row.ticker: row for row in (await desk.portfolio.positions()).rows}
    assert (rows[yes].quantity, rows[no].quantity) == (contracts(2), -contracts(2))
    assert rows[yes].cost == rows[no].cost == 1_200_000
    assert rows[yes].fees == desk.bench.account.position(yes).fees > 0
    assert [row.ticker for row in (await desk.portfolio.positions(ticker=no)).rows] == [no]


async def test_cash_is_told_by_shard(desk: TradingDesk) -> None:
    await desk.rest(desk.bench.empty("MLB"), price=50, count=10)
    balance = await desk.portfolio.balance()
    assert balance.by_shard is not None
    assert balance.by_shard[0] == DEPOSIT
    assert DEPOSIT - 5_200_000 < balance.by_shard[3] < DEPOSIT - 5_000_000
    assert balance.cash == sum(balance.by_shard.values())


async def test_balance_is_asked_for_once_a_second_at_most(desk: TradingDesk) -> None:
    before = desk.clock.now()
    await desk.portfolio.balance()
    await desk.portfolio.balance()
    assert desk.clock.now() - before >= SECOND


async def test_a_settlement_pays_what_the_ledger_of_the_exchange_paid() -> None:
    desk = TradingDesk(quoted(preset=ONE_GAME))
    ticker = await _taken(desk, "NFL")
    before = desk.bench.account.cash[0]
    desk.bench.wait(24 * 3600)
    [settled] = (await desk.portfolio.settlements(ticker=ticker)).rows
    assert settled.revenue == desk.bench.account.cash[0] - before
    assert (settled.yes_quantity, settled.no_quantity) == (contracts(2), 0)
    assert settled.payout_yes == (1_000_000 if settled.result is Result.YES else 0)
    assert [row.ticker for row in (await desk.portfolio.positions()).rows] == []
    assert len((await desk.portfolio.positions(settlement_status="all")).rows) == 1


async def test_every_read_of_the_account_is_signed(desk: TradingDesk) -> None:
    await desk.portfolio.orders()
    await desk.portfolio.fills()
    await desk.portfolio.positions()
    await desk.portfolio.settlements()
    await desk.portfolio.balance()
    assert all(_is_signed(request) for request in desk.transport.sent)


def _is_signed(request: Request) -> bool:
    return "kalshi-access-signature" in request.headers


async def test_one_order_costs_two_tokens(desk: TradingDesk) -> None:
    ref = await desk.rest(desk.bench.empty())
    await desk.portfolio.order(OrderRef(ref.order_id, ref.ticker, 0))
    assert not desk.buckets.read.try_take(199)
    assert desk.buckets.read.try_take(198)


async def test_orders_of_others_are_not_shown(desk: TradingDesk) -> None:
    desk.other(desk.bench.empty(), "bid", "0.1000", "1.00")
    assert (await desk.portfolio.orders()).rows == []
