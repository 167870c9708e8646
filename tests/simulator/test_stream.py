"""The WebSocket conversation: replies, sequence numbers, books, private messages, lifecycle."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest

from shared.clock import SECOND
from shared.money import MICROS, format_price, parse_price, parse_signed_quantity
from shared.simulator.kalshi_ws import Session
from tests.simulator.bench import ONE_GAME, Bench, Json, quoted


class Line:
    """A session and everything it has sent."""

    def __init__(self, bench: Bench) -> None:
        self.frames: list[Json] = []
        self.dropped = 0
        self.session = Session(bench.api, bench.account, self._frame, self._drop)

    def _frame(self, data: bytes) -> None:
        self.frames.append(msgspec.json.decode(data))

    def _drop(self) -> None:
        self.dropped += 1

    def say(self, number: int, cmd: str, **params: Any) -> list[Json]:
        """Send a command; returns the frames it caused at once."""
        before = len(self.frames)
        self.session.receive(msgspec.json.encode({"id": number, "cmd": cmd, "params": params}))
        return self.frames[before:]

    def of(self, kind: str) -> list[Json]:
        """Bodies of frames of a type."""
        return [frame["msg"] for frame in self.frames if frame["type"] == kind]


@pytest.fixture
def bench() -> Bench:
    return quoted()


@pytest.fixture
def line(bench: Bench) -> Line:
    return Line(bench)


class Mirror:
    """A book kept from snapshot and deltas, as a client would."""

    def __init__(self) -> None:
        self.sides: dict[str, Counter[int]] = {"yes": Counter(), "no": Counter()}

    def hear(self, frame: Json) -> None:
        body = frame["msg"]
        if frame["type"] == "orderbook_snapshot":
            for side in self.sides:
                rows = body.get(f"{side}_dollars_fp", [])
                self.sides[side] = Counter({parse_price(p): parse_signed_quantity(s) for p, s in rows})
        elif frame["type"] == "orderbook_delta":
            levels = self.sides[body["side"]]
            levels[parse_price(body["price_dollars"])] += parse_signed_quantity(body["delta_fp"])

    def levels(self, side: str) -> dict[int, int]:
        return {price: size for price, size in self.sides[side].items() if size}


def _rest_levels(bench: Bench, ticker: str, side: str) -> dict[int, int]:
    rows = bench.get(f"/markets/{ticker}/orderbook")["orderbook_fp"][f"{side}_dollars"]
    return {parse_price(price): parse_signed_quantity(size) for price, size in rows}


def test_snapshot_and_deltas_give_the_rest_book(bench: Bench, line: Line) -> None:
    ticker = bench.market().ticker
    line.say(1, "subscribe", channels=["orderbook_delta"], market_tickers=[ticker], use_yes_price=False)
    bench.wait(300)
    mirror = Mirror()
    for frame in line.frames:
        mirror.hear(frame)
    assert len(line.frames) > 20
    for side in ("yes", "no"):
        assert mirror.levels(side) == _rest_levels(bench, ticker, side)


def test_with_yes_prices_a_no_bid_arrives_as_the_yes_ask(bench: Bench, line: Line) -> None:
    ticker = bench.market().ticker
    line.say(1, "subscribe", channels=["orderbook_delta"], market_tickers=[ticker], use_yes_price=True)
    bench.wait(120)
    mirror = Mirror()
    for frame in line.frames:
        mirror.hear(frame)
    asks = {MICROS - price: size for price, size in _rest_levels(bench, ticker, "no").items()}
    assert mirror.levels("no") == asks


def test_an_empty_side_is_absent_from_a_snapshot(bench: Bench, line: Line) -> None:
    frames = line.say(1, "subscribe", channels=["orderbook_delta"], market_ticker=bench.empty().ticker)
    assert frames[1]["msg"].keys() == {"market_ticker", "market_id"}


def test_several_channels_get_one_reply_and_one_sid_each(line: Line) -> None:
    frames = line.say(5, "subscribe", channels=["fill", "user_orders", "market_positions"])
    assert [frame["msg"] for frame in frames] == [
        {"channel": "fill", "sid": 1},
        {"channel": "user_orders", "sid": 2},
        {"channel": "market_positions", "sid": 3},
    ]
    assert {frame["id"] for frame in frames} == {5}


def test_replies_on_a_sequenced_channel_use_up_a_number(bench: Bench, line: Line) -> None:
    first, second = (bench.market(league).ticker for league in ("NFL", "NBA"))
    line.say(1, "subscribe", channels=["orderbook_delta"], market_tickers=[first])
    added = line.say(2, "update_subscription", sids=[1], action="add_markets", market_tickers=[second])
    assert [(frame["type"], frame["seq"]) for frame in added] == [("ok", 2), ("orderbook_snapshot", 3)]
    assert added[0]["msg"] == {"market_tickers": [first, second]}
    again = line.say(3, "update_subscription", sid=1, action="get_snapshot", market_ticker=first)
    assert [(frame["type"], frame["id"], frame["seq"]) for frame in again] == [("orderbook_snapshot", 3, 4)]
    gone = line.say(4, "unsubscribe", sids=[1])
    assert (gone[0]["type"], gone[0]["seq"]) == ("unsubscribed", 5)
    assert line.say(5, "list_subscriptions")[0]["msg"] == []


def test_numbers_have_no_gap_and_private_channels_have_none(bench: Bench, line: Line) -> None:
    line.say(1, "subscribe", channels=["trade", "fill", "ticker"])
    line.say(2, "subscribe", channels=["orderbook_delta"], market_tickers=list(bench.world.exchange.markets))
    bench.order(bench.market().ticker, "bid", "0.9900", "1.00", time_in_force="immediate_or_cancel")
    bench.wait(60)
    for sid in (1, 4):
        numbers = [frame["seq"] for frame in line.frames if frame.get("sid") == sid]
        assert numbers == list(range(1, len(numbers) + 1))
    assert not any("seq" in frame for frame in line.frames if frame["type"] in ("fill", "ticker"))


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (b"{", 1),
        (b"[1]", 1),
        (b'{"id":1,"cmd":"dance"}', 5),
        (b'{"id":1,"cmd":[]}', 5),
        (b'{"id":1,"cmd":"subscribe"}', 2),
        (b'{"id":1,"cmd":"subscribe","params":{}}', 3),
        (b'{"id":1,"cmd":"subscribe","params":{"channels":["nope"]}}', 8),
        (b'{"id":1,"cmd":"subscribe","params":{"channels":[[]]}}', 8),
        (b'{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta"]}}', 14),
        (b'{"id":1,"cmd":"subscribe","params":{"channels":["trade"],"market_tickers":[1]}}', 11),
        (b'{"id":1,"cmd":"unsubscribe","params":{}}', 4),
        (b'{"id":1,"cmd":"unsubscribe","params":{"sids":[99]}}', 7),
        (b'{"id":1,"cmd":"unsubscribe","params":{"sids":[[]]}}', 7),
        (b'{"id":1,"cmd":"update_subscription","params":{"sids":[1,2]}}', 12),
        (b'{"id":1,"cmd":"update_subscription","params":{"sid":{}}}', 7),
        (b"[" * 5000, 1),
    ],
)
def test_bad_commands_are_answered_with_their_number(line: Line, command: bytes, code: int) -> None:
    line.session.receive(command)
    assert line.frames[-1]["type"] == "error"
    assert line.frames[-1]["msg"]["code"] == code


def test_an_own_order_names_itself_in_the_book_and_only_to_its_owner(bench: Bench, line: Line) -> None:
    market = bench.empty()
    line.say(1, "subscribe", channels=["orderbook_delta"], market_ticker=market.ticker)
    other = Session(bench.api, bench.api.add_member("b", bench.key.public_key(), bench.account.available(0)),
                    line._frame, line._drop)  # fmt: skip
    bench.order(market.ticker, "bid", "0.0500", "2.00", client_order_id="mine")
    body = line.of("orderbook_delta")[-1]
    assert (body["client_order_id"], body["delta_fp"], body["side"]) == ("mine", "2.00", "yes")
    before = len(line.frames)
    other.receive(b'{"id":1,"cmd":"subscribe","params":{"channels":["fill"]}}')
    bench.order(market.ticker, "bid", "0.0500", "2.00")
    assert [f["type"] for f in line.frames[before:]] == ["subscribed", "orderbook_delta"]


def test_a_fill_tells_price_fee_and_position(bench: Bench, line: Line) -> None:
    line.say(1, "subscribe", channels=["fill", "user_orders", "market_positions"])
    market = bench.market()
    _, body = bench.order(market.ticker, "ask", "0.0100", "3.00", time_in_force="immediate_or_cancel",
                          client_order_id="sell")  # fmt: skip
    fill = line.of("fill")[0]
    assert (fill["client_order_id"], fill["market_ticker"], fill["outcome_side"]) == (
        "sell",
        market.ticker,
        "no",
    )
    assert fill["post_position_fp"] == line.of("market_position")[-1]["position_fp"] == "-3.00"
    assert fill["yes_price_dollars"] == body["average_fill_price"]
    order = line.of("user_order")[-1]
    assert (order["ticker"], order["status"], order["last_update_reason"]) == (
        market.ticker,
        "executed",
        "Trade",
    )


def test_ticker_frames_carry_the_quotes_of_the_listing(bench: Bench, line: Line) -> None:
    market = bench.market()
    line.say(1, "subscribe", channels=["ticker"], market_ticker=market.ticker, send_initial_snapshot=True)
    bench.wait(60)
    body = line.of("ticker")[-1]
    row = bench.get(f"/markets/{market.ticker}")["market"]
    for name in ("yes_bid_dollars", "yes_ask_dollars", "yes_bid_size_fp", "yes_ask_size_fp"):
        assert body[name] == row[name]


def test_trade_frames_match_the_tape(bench: Bench, line: Line) -> None:
    line.say(1, "subscribe", channels=["trade"])
    before = len(bench.world.exchange.tape)
    bench.wait(120)
    tape = list(bench.world.exchange.tape)[before:]
    assert [body["trade_id"] for body in line.of("trade")] == [trade.id for trade in tape] != []


def test_lifecycle_tells_of_results_and_settlement_but_not_of_the_close() -> None:
    bench = quoted(preset=ONE_GAME)
    line = Line(bench)
    line.say(1, "subscribe", channels=["market_lifecycle_v2"])
    contest = bench.contest()
    bench.until(contest.game.start + contest.game.length + 200 * SECOND)
    ticker = contest.markets[0].ticker
    bodies = [body for body in line.of("market_lifecycle_v2") if body["market_ticker"] == ticker]
    assert [body["event_type"] for body in bodies] == ["determined", "settled"]
    payout = contest.markets[0].payout
    assert payout is not None
    assert bodies[0]["settlement_value"] == format_price(payout)


def test_a_halt_is_announced_and_lifted(bench: Bench, line: Line) -> None:
    line.say(1, "subscribe", channels=["market_lifecycle_v2"])
    ticker = bench.market().ticker
    bench.world.halt(ticker)
    bench.world.resume(ticker)
    assert [body["event_type"] for body in line.of("market_lifecycle_v2")] == ["deactivated", "activated"]


def test_a_closed_session_hears_nothing_more(bench: Bench, line: Line) -> None:
    line.say(1, "subscribe", channels=["trade", "ticker"])
    line.session.close()
    count = len(line.frames)
    bench.wait(60)
    assert len(line.frames) == count
    assert bench.world.exchange.listeners == []


def test_an_injected_gap_uses_a_number_and_sends_nothing(bench: Bench, line: Line) -> None:
    line.say(1, "subscribe", channels=["orderbook_delta"], market_ticker=bench.market().ticker)
    bench.faults.ws_gap_share = 0.2
    bench.wait(300)
    numbers = [frame["seq"] for frame in line.frames if "seq" in frame]
    missing = set(range(1, numbers[-1] + 1)) - set(numbers)
    assert numbers == sorted(numbers)
    assert 0.05 < len(missing) / numbers[-1] < 0.4


def test_private_frames_can_be_lost_and_connections_dropped(bench: Bench, line: Line) -> None:
    line.say(1, "subscribe", channels=["fill"])
    bench.faults.ws_lost_private_share = 1.0
    bench.order(bench.market().ticker, "bid", "0.9900", "1.00", time_in_force="immediate_or_cancel")
    assert line.of("fill") == []
    bench.faults.ws_drop_share = 1.0
    line.say(2, "list_subscriptions")
    assert line.dropped == 1
