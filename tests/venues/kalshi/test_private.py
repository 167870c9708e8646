"""Our own channels of the stream, and the feed that knows since when fills must be read again."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clock import SECOND, Instant, ManualClock
from shared.errors import VenueDownError
from shared.money import Price, Quantity, Usd
from shared.simulator.market import Market
from shared.terms import OrderStatus, Side
from shared.venues.kalshi.account import FillSeen, GroupChanged, GroupKind, OrderSeen, PositionSeen
from shared.venues.kalshi.events import Disconnected, Gap, Listening, Problem
from shared.venues.kalshi.order_wire import TimeInForce
from shared.venues.kalshi.private import PrivateFeed
from shared.venues.kalshi.protocol import StreamProtocol
from tests.simulator.bench import quoted
from tests.venues.kalshi.desk import Line, TradingDesk, contracts

NOW = Instant(1_790_000_000_000_000)
IOC = TimeInForce.IOC
CHANNELS = ["fill", "user_orders", "market_positions", "order_group_updates"]


@pytest.fixture
def desk() -> TradingDesk:
    return TradingDesk(quoted(read_lag_s=0.5))


async def _buy(desk: TradingDesk, market: Market, count: int = 1) -> str:
    """Take ``count`` from another member at 60 cents; gives the order's id."""
    desk.other(market, "ask", "0.6000", f"{count}.00")
    placed = await desk.trading.create(desk.ticket(market, Side.YES, 60, count, time_in_force=IOC))
    assert placed.filled == contracts(count)
    return placed.order_id


# --- protocol ---------------------------------------------------------------------------------------------


def test_the_account_s_channels_are_asked_for_one_by_one_and_for_every_market() -> None:
    out = StreamProtocol(lifecycle=False, account=True).connected(NOW)
    commands = [json.loads(command)["params"] for command in out.commands]
    assert commands == [{"channels": [channel]} for channel in CHANNELS]


def test_without_the_wish_nothing_private_is_asked_for() -> None:
    assert StreamProtocol(lifecycle=False).connected(NOW).commands == []


def test_a_channel_that_is_not_confirmed_is_asked_for_again() -> None:
    protocol = StreamProtocol(lifecycle=False, account=True)
    protocol.connected(NOW)
    again = protocol.tick(Instant(NOW + 11 * SECOND))
    assert [json.loads(command)["params"]["channels"] for command in again.commands] == [
        [channel] for channel in CHANNELS
    ]


def _open(channel: str) -> StreamProtocol:
    """A protocol that hears ``channel`` as sid 7."""
    protocol = StreamProtocol(lifecycle=False, account=True)
    protocol.connected(NOW)
    number = CHANNELS.index(channel) + 1
    frame = {"type": "subscribed", "id": number, "msg": {"channel": channel, "sid": 7}}
    assert protocol.received(json.dumps(frame), NOW).events == [Listening(at=NOW, channel=channel)]
    return protocol


def test_an_unreadable_fill_is_a_lost_fill() -> None:
    frame = {"type": "fill", "sid": 7, "msg": {"trade_id": "t", "count_fp": "x"}}
    events = _open("fill").received(json.dumps(frame), NOW).events
    assert [type(event) for event in events] == [Problem, Gap]


def test_an_ended_subscription_is_asked_for_again() -> None:
    frame = {"type": "error", "sid": 7, "msg": {"code": 25, "msg": "Subscription buffer overflow"}}
    out = _open("fill").received(json.dumps(frame), NOW)
    assert [type(event) for event in out.events] == [Problem, Gap]
    assert json.loads(out.commands[0])["params"]["channels"] == ["fill"]


def test_order_groups_are_numbered_and_a_gap_is_told() -> None:
    protocol = _open("order_group_updates")
    msg = {"event_type": "triggered", "order_group_id": "og_1", "ts_ms": 1733047200000}
    first = protocol.received(
        json.dumps({"type": "order_group_updates", "sid": 7, "seq": 1, "msg": msg}), NOW
    )
    assert [event.kind for event in first.events if isinstance(event, GroupChanged)] == [GroupKind.TRIGGERED]
    third = protocol.received(
        json.dumps({"type": "order_group_updates", "sid": 7, "seq": 3, "msg": msg}), NOW
    )
    assert [type(event) for event in third.events] == [Gap, GroupChanged]


# --- the stream of the simulated exchange -----------------------------------------------------------------


async def test_an_order_its_fill_and_its_position_arrive_in_our_units(desk: TradingDesk) -> None:
    line, market = Line(desk), desk.bench.empty()
    line.open()
    desk.other(market, "bid", "0.5500", "2.00")
    ticket = desk.ticket(market, Side.NO, 45, 2, time_in_force=IOC)
    placed = await desk.trading.create(ticket)
    line.pump()
    [fill] = line.of(FillSeen)
    assert (fill.ticker, fill.side, fill.price, fill.quantity) == (market.ticker, Side.NO, 450_000, 200)
    assert (fill.client_order_id, fill.order_id) == (ticket.client_order_id, placed.order_id)
    assert (fill.held, fill.is_taker) == (-200, True)
    [order] = line.of(OrderSeen)
    assert (order.status, order.side, order.price) == (OrderStatus.FILLED, Side.NO, 450_000)
    [position] = line.of(PositionSeen)
    assert (position.quantity, position.cost) == (-200, 900_000)


async def test_the_stream_tells_why_an_order_ended(desk: TradingDesk) -> None:
    line, market = Line(desk), desk.bench.empty()
    line.open()
    await desk.trading.create(desk.ticket(market, expires_at=Instant(desk.clock.now() + 5 * SECOND)))
    desk.bench.wait(10)
    line.pump()
    assert [order.status for order in line.of(OrderSeen)] == [OrderStatus.RESTING, OrderStatus.EXPIRED]


async def test_a_fill_is_the_same_by_stream_and_by_rest(desk: TradingDesk) -> None:
    line, market = Line(desk), desk.bench.empty()
    line.open()
    order_id = await _buy(desk, market)
    line.pump()
    desk.bench.wait(1)
    [told] = line.of(FillSeen)
    [read] = (await desk.portfolio.fills(order_id=order_id)).rows
    same = ("fill_id", "order_id", "ticker", "side", "price", "quantity", "fee", "is_taker", "exchange_index")
    assert [getattr(told, name) for name in same] == [getattr(read, name) for name in same]
    assert not desk.feed.add(read)


def _whole(desk: TradingDesk) -> bool:
    return desk.feed.is_whole


# --- the feed ---------------------------------------------------------------------------------------------


async def test_before_anything_was_read_everything_since_the_start_is_due(desk: TradingDesk) -> None:
    start = desk.bench.clock.now()
    assert desk.feed.unread_since(start) == start - 5 * SECOND


async def test_a_whole_stream_is_checked_every_quarter_of_a_minute(desk: TradingDesk) -> None:
    Line(desk).open()
    for _ in range(8):
        await desk.feed.catch_up(desk.portfolio)
        desk.bench.wait(1)
    assert _whole(desk)
    assert desk.feed.unread_since(desk.clock.now()) is None
    desk.bench.wait(15)
    assert desk.feed.unread_since(desk.clock.now()) is not None


async def test_a_fill_lost_on_the_way_is_found_by_the_next_look(desk: TradingDesk) -> None:
    line = Line(desk)
    line.open()
    desk.bench.faults.ws_lost_private_share = 1.0
    order_id = await _buy(desk, desk.bench.empty())
    line.pump()
    assert line.of(FillSeen) == []
    desk.bench.wait(1)
    [found] = await desk.feed.catch_up(desk.portfolio)
    assert found.order_id == order_id
    assert desk.feed.filled(order_id) == contracts(1)


async def test_after_a_break_rest_is_read_until_it_has_passed_the_new_beginning(desk: TradingDesk) -> None:
    desk.bench.faults.read_lag_s = 3.0
    line = Line(desk)
    line.open()
    for _ in range(12):
        await desk.feed.catch_up(desk.portfolio)
        desk.bench.wait(1)
    assert _whole(desk)
    line.drop()
    assert not _whole(desk)
    order_id = await _buy(desk, desk.bench.empty())
    line.open()
    found: list[FillSeen] = []
    looks = 0
    while not _whole(desk):
        desk.bench.wait(1)
        found += await desk.feed.catch_up(desk.portfolio)
        looks += 1
    assert [fill.order_id for fill in found] == [order_id]
    assert 8 <= looks <= 10  # five seconds of possible skew and three of lag


async def test_while_the_stream_is_down_rest_is_read_every_second(desk: TradingDesk) -> None:
    order_id = await _buy(desk, desk.bench.empty())
    await desk.feed.catch_up(desk.portfolio)
    assert desk.feed.unread_since(desk.clock.now()) is None
    desk.bench.wait(1)
    [found] = await desk.feed.catch_up(desk.portfolio)
    assert found.order_id == order_id


async def test_a_gap_of_another_channel_says_nothing_about_fills(desk: TradingDesk) -> None:
    Line(desk).open()
    for _ in range(8):
        await desk.feed.catch_up(desk.portfolio)
        desk.bench.wait(1)
    desk.feed.note(Gap(at=desk.clock.now(), channel="orderbook_delta", tickers=(), reason="x"))
    assert _whole(desk)
    desk.feed.note(Gap(at=desk.clock.now(), channel="fill", tickers=(), reason="x"))
    assert not _whole(desk)


async def test_a_read_that_fails_is_due_again(desk: TradingDesk) -> None:
    desk.bench.faults.error_share = 1.0
    with pytest.raises(VenueDownError):
        await desk.feed.catch_up(desk.portfolio)
    desk.bench.faults.error_share = 0.0
    since = desk.feed.unread_since(Instant(desk.clock.now() + SECOND))
    assert since is not None
    assert since < desk.clock.now()


def _seen(number: int, order: str, at: Instant = NOW) -> FillSeen:
    return FillSeen(
        at=at, fill_id=f"t{number}", order_id=order, ticker="KXA-1", side=Side.YES, price=Price(500_000),
        quantity=Quantity(100), fee=Usd(0), is_taker=True, filled_at=at, client_order_id=f"c-{order}",
    )  # fmt: skip


def _feed() -> PrivateFeed:
    return PrivateFeed(ManualClock(NOW), NOW)


async def test_who_waits_for_fills_is_woken_when_there_are_enough() -> None:
    feed = _feed()
    waiting = asyncio.ensure_future(feed.wait_for("o", Quantity(200)))
    for number in (1, 2):
        await asyncio.sleep(0)
        assert not waiting.done()
        feed.add(_seen(number, "o"))
        feed.add(_seen(9, "another"))
    await waiting


def test_the_stream_s_fills_tell_our_own_id() -> None:
    feed = _feed()
    feed.add(_seen(1, "o"))
    assert feed.has_filled("c-o")
    assert not feed.has_filled("c-p")


@settings(deadline=None)
@given(order=st.permutations([*range(6), *range(6)]), broken=st.booleans())
def test_fills_count_once_in_whatever_order_and_however_often_they_come(
    order: list[int], broken: bool
) -> None:
    feed = _feed()
    for number in order:
        feed.note(_seen(number, f"o{number % 2}", Instant(NOW + number)))
        if broken:
            feed.note(Disconnected(at=NOW, reason="x", tickers=()))
    assert feed.filled("o0") == feed.filled("o1") == 300
    assert [fill.fill_id for fill in feed.fills_of("o0")] == ["t0", "t2", "t4"]


async def test_old_fills_are_forgotten_so_that_memory_stays_flat(desk: TradingDesk) -> None:
    market = desk.bench.empty()
    order_id = await _buy(desk, market)
    desk.bench.wait(1)
    await desk.feed.catch_up(desk.portfolio)
    assert desk.feed.filled(order_id) == contracts(1)
    desk.bench.wait(3700)
    await desk.feed.catch_up(desk.portfolio)
    assert desk.feed.filled(order_id) == 0


# --- whatever happens -------------------------------------------------------------------------------------

_ACTIONS = st.lists(st.sampled_from(["buy", "drop", "open", "wait", "look", "pump"]), max_size=25)


@settings(max_examples=30, deadline=None)
@given(actions=_ACTIONS, lost=st.sampled_from([0.0, 0.3, 1.0]), seed=st.integers(0, 5))
def test_whatever_the_stream_loses_the_feed_ends_with_the_exchange_s_fills(
    actions: list[str], lost: float, seed: int
) -> None:
    asyncio.run(_survive(actions, lost, seed))


async def _survive(actions: list[str], lost: float, seed: int) -> None:
    desk = TradingDesk(quoted(seed, read_lag_s=2.0))
    desk.bench.faults.ws_lost_private_share = lost
    line, market, orders = Line(desk), desk.bench.empty(), []
    is_open = False
    for action in [*actions, *["wait", "look"] * 6]:
        if action == "buy":
            orders.append(await _buy(desk, market))
        elif action == "open" and not is_open:
            line.open()
        elif action == "drop":
            line.drop()
        elif action == "wait":
            desk.bench.wait(3)
        elif action == "look":
            await desk.feed.catch_up(desk.portfolio)
        elif action == "pump":
            line.pump()
        is_open = action == "open" or (is_open and action != "drop")
    desk.bench.wait(16)
    await desk.feed.catch_up(desk.portfolio)
    assert all(desk.feed.filled(order_id) == contracts(1) for order_id in orders)
    assert sum(desk.feed.filled(order_id) for order_id in orders) == len(desk.bench.account.fills) * 100
