"""The stream's state machine: subscriptions, gaps, what is believed, and recorded frames."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.books.book import BookState, OrderBook
from shared.clock import SECOND, Instant
from shared.messages import TickSeen, TradeSeen
from shared.money import complement
from shared.terms import FeeType, Result, Side
from shared.venues.kalshi.events import (
    BookDelta,
    BookSnapshot,
    Connected,
    Disconnected,
    EventFees,
    Gap,
    Lifecycle,
    LifecycleKind,
    Problem,
    StreamEvent,
)
from shared.venues.kalshi.protocol import Output, StreamProtocol
from tests.support.corpus import corpus_path

NOW = Instant(1_789_000_000_000_000)
A, B = "KXA-1", "KXB-1"
BOOKS = 7


class Line:
    """A protocol with its books subscribed as sid 7, and a running sequence number."""

    def __init__(self, *tickers: str, yes_priced: bool = False) -> None:
        self.protocol = StreamProtocol(tickers or (A, B), lifecycle=False, yes_priced=yes_priced)
        self.opened = self.protocol.connected(NOW)
        self.seq = 0
        self.frame(type="subscribed", id=1, msg={"channel": "orderbook_delta", "sid": BOOKS})

    def frame(self, now: Instant = NOW, **fields: Any) -> Output:
        return self.protocol.received(json.dumps(fields), now)

    def book_frame(self, kind: str, msg: dict[str, Any], *, seq: int | None = None) -> Output:
        self.seq = self.seq + 1 if seq is None else seq
        return self.frame(type=kind, sid=BOOKS, seq=self.seq, msg=msg)

    def snapshot(self, ticker: str = A, *, seq: int | None = None, **sides: Any) -> Output:
        return self.book_frame("orderbook_snapshot", {"market_ticker": ticker} | sides, seq=seq)

    def delta(self, ticker: str = A, *, seq: int | None = None, **changes: Any) -> Output:
        msg = {"market_ticker": ticker, "price_dollars": "0.4700", "delta_fp": "-3.00", "side": "yes",
               "ts_ms": 1_781_159_489_957}  # fmt: skip
        return self.book_frame("orderbook_delta", msg | changes, seq=seq)


def _commands(out: Output) -> list[dict[str, Any]]:
    return [json.loads(command) for command in out.commands]


def _kinds(out: Output) -> list[type[StreamEvent]]:
    return [type(event) for event in out.events]


# --- commands ---------------------------------------------------------------------------------------------


def test_connecting_subscribes_to_every_channel_and_always_states_the_price_side() -> None:
    out = StreamProtocol([A]).connected(NOW)
    commands = _commands(out)
    assert _kinds(out) == [Connected]
    assert [c["params"]["channels"][0] for c in commands] == [
        "orderbook_delta",
        "ticker",
        "trade",
        "market_lifecycle_v2",
    ]
    assert commands[0]["params"] == {
        "channels": ["orderbook_delta"],
        "market_tickers": [A],
        "use_yes_price": True,
    }
    assert "market_tickers" not in commands[3]["params"]
    assert [c["id"] for c in commands] == [1, 2, 3, 4]


def test_many_markets_are_split_over_subscriptions() -> None:
    commands = _commands(StreamProtocol([f"T-{n}" for n in range(250)], lifecycle=False).connected(NOW))
    books = [c for c in commands if c["params"]["channels"] == ["orderbook_delta"]]
    assert [len(c["params"]["market_tickers"]) for c in books] == [100, 100, 50]


def test_watching_twice_subscribes_once() -> None:
    line = Line(A)
    assert len(_commands(line.protocol.watch([B, A, B], NOW))) == 3
    assert _commands(line.protocol.watch([B], NOW)) == []


def test_watching_before_the_connection_waits_for_it() -> None:
    protocol = StreamProtocol(lifecycle=False)
    assert protocol.watch([A], NOW).commands == []
    assert len(protocol.connected(NOW).commands) == 3


def test_unwatching_removes_the_market_and_then_the_empty_subscription() -> None:
    line = Line(A, B)
    first = _commands(line.protocol.unwatch([A, "KX-NEVER"]))
    assert first[0]["params"] == {"sids": [BOOKS], "market_tickers": [A], "action": "delete_markets"}
    assert _commands(line.protocol.unwatch([B]))[0]["cmd"] == "unsubscribe"
    assert line.protocol.tickers == ()


def test_what_is_not_answered_in_time_is_asked_for_again() -> None:
    line = Line(A)
    assert line.protocol.tick(Instant(NOW + 5 * SECOND)).commands == []
    again = _commands(line.protocol.tick(Instant(NOW + 11 * SECOND)))
    assert [c["params"].get("action") or c["params"]["channels"][0] for c in again] == [
        "ticker",
        "trade",
        "get_snapshot",
    ]
    assert line.protocol.tick(Instant(NOW + 12 * SECOND)).commands == []


# --- books ------------------------------------------------------------------------------------------------


def test_a_book_is_stale_until_its_snapshot() -> None:
    line = Line()
    assert line.protocol.stale == {A, B}
    assert _kinds(line.delta()) == []
    assert _kinds(line.snapshot(yes_dollars_fp=[["0.4700", "3.00"]])) == [BookSnapshot]
    assert line.protocol.stale == {B}


def test_an_absent_side_of_a_snapshot_is_empty() -> None:
    (event,) = Line().snapshot(yes_dollars_fp=[["0.4700", "3.00"]]).events
    assert isinstance(event, BookSnapshot)
    assert (event.yes_bids, event.no_bids) == (((470_000, 300),), ())


@pytest.mark.parametrize("yes_priced", [True, False])
def test_a_no_bid_has_its_own_price_in_both_modes(yes_priced: bool) -> None:
    line = Line(yes_priced=yes_priced)
    wire_price = "0.5200" if yes_priced else "0.4800"
    (snapshot,) = line.snapshot(
        no_dollars_fp=[[wire_price, "2.00"]], yes_dollars_fp=[["0.4700", "1.00"]]
    ).events
    (delta,) = line.delta(side="no", price_dollars=wire_price, delta_fp="1.00").events
    assert isinstance(snapshot, BookSnapshot)
    assert isinstance(delta, BookDelta)
    assert snapshot.no_bids == ((480_000, 200),)
    assert snapshot.yes_bids == ((470_000, 100),)
    assert (delta.side, delta.price) == (Side.NO, 480_000)


def test_a_delta_is_signed_and_carries_the_exchanges_time() -> None:
    line = Line()
    line.snapshot()
    (event,) = line.delta(client_order_id="mine", clock=5).events
    assert isinstance(event, BookDelta)
    assert (event.delta, event.source_at, event.clock) == (-300, 1_781_159_489_957_000, 5)
    assert event.client_order_id == "mine"


def test_replies_consume_numbers_of_the_subscription() -> None:
    line = Line()
    line.snapshot()
    assert line.book_frame("ok", {"market_tickers": [A]}).events == []
    assert _kinds(line.delta()) == [BookDelta]


def test_a_gap_makes_every_book_of_the_subscription_stale_and_reads_them_again() -> None:
    line = Line()
    line.snapshot(A)
    line.snapshot(B)
    out = line.delta(A, seq=9)
    assert _kinds(out) == [Gap]
    assert isinstance(out.events[0], Gap)
    assert out.events[0].tickers == (A, B)
    (command,) = _commands(out)
    assert command["params"] == {"sids": [BOOKS], "market_tickers": [A, B], "action": "get_snapshot"}
    assert _kinds(line.delta(B)) == []
    assert _kinds(line.snapshot(B)) == [BookSnapshot]
    assert _kinds(line.delta(B)) == [BookDelta]
    assert line.protocol.stale == {A}


def test_a_repeated_message_changes_nothing() -> None:
    line = Line()
    line.snapshot()
    line.delta()
    assert line.delta(seq=2).events == []
    assert line.delta(seq=1).events == []
    assert _kinds(line.delta(seq=3)) == [BookDelta]


def test_the_first_message_after_subscribing_must_be_number_one() -> None:
    assert Gap in _kinds(Line().snapshot(seq=2))


def test_a_change_that_cannot_be_read_counts_as_lost() -> None:
    line = Line()
    line.snapshot()
    out = line.delta(delta_fp="NaN")
    assert _kinds(out) == [Problem, Gap]
    assert A in line.protocol.stale
    assert _commands(out)[0]["params"]["action"] == "get_snapshot"


@pytest.mark.parametrize("code", [10, 25])
def test_a_subscription_the_exchange_has_ended_is_made_anew(code: int) -> None:
    line = Line()
    line.snapshot()
    out = line.frame(type="error", sid=BOOKS, msg={"code": code, "msg": "overflow"})
    assert _kinds(out) == [Problem, Gap]
    (command,) = _commands(out)
    assert (command["cmd"], command["params"]["market_tickers"]) == ("subscribe", [A, B])
    assert line.snapshot().events == []  # the old sid is not listened to any more
    line.frame(type="subscribed", id=command["id"], msg={"channel": "orderbook_delta", "sid": 8})
    fresh = line.frame(type="orderbook_snapshot", sid=8, seq=1, msg={"market_ticker": A})
    assert _kinds(fresh) == [BookSnapshot]


def test_another_error_is_reported_and_ends_nothing() -> None:
    line = Line()
    line.snapshot()
    out = line.frame(type="error", id=99, sid=BOOKS, msg={"code": 7, "msg": "Unknown subscription ID"})
    assert [(type(e), getattr(e, "code", None)) for e in out.events] == [(Problem, 7)]
    assert _kinds(line.delta()) == [BookDelta]


def test_after_a_disconnect_nothing_survives() -> None:
    line = Line()
    line.snapshot()
    (event,) = line.protocol.disconnected("gone", NOW).events
    assert isinstance(event, Disconnected)
    assert event.tickers == (A, B)
    assert line.protocol.stale == {A, B}
    assert line.delta().events == []
    assert len(line.protocol.connected(NOW).commands) == 3


def test_a_market_no_longer_watched_is_not_heard() -> None:
    line = Line()
    line.snapshot(A)
    line.protocol.unwatch([A])
    assert line.delta(A).events == []
    assert line.snapshot(A).events == []


# --- other channels ---------------------------------------------------------------------------------------


def _one(frame: dict[str, Any], channel: str) -> StreamEvent:
    protocol = StreamProtocol([A])
    commands = _commands(protocol.connected(NOW))
    identity = next(c["id"] for c in commands if c["params"]["channels"] == [channel])
    protocol.received(
        json.dumps({"type": "subscribed", "id": identity, "msg": {"channel": channel, "sid": 11}}), NOW
    )
    (event,) = protocol.received(json.dumps(frame | {"sid": 11}), NOW).events
    return event


def test_a_ticker_is_a_tick() -> None:
    msg = {"market_ticker": A, "price_dollars": "0.4800", "yes_bid_dollars": "0.4500",
           "yes_ask_dollars": "1.0000", "yes_bid_size_fp": "300.00", "yes_ask_size_fp": "0.00",
           "volume_fp": "33896.00", "ts_ms": 1_669_149_841_000}  # fmt: skip
    tick = _one({"type": "ticker", "msg": msg}, "ticker")
    assert isinstance(tick, TickSeen)
    assert (tick.yes_bid, tick.yes_ask, tick.volume, tick.source_at) == (
        450_000,
        None,
        3_389_600,
        1_669_149_841_000_000,
    )


def test_a_trade_is_a_trade() -> None:
    msg = {"trade_id": "t", "market_ticker": A, "yes_price_dollars": "0.3600", "count_fp": "136.00",
           "taker_side": "yes", "taker_outcome_side": "no", "is_block_trade": True,
           "ts": 1_669_149_841}  # fmt: skip
    trade = _one({"type": "trade", "seq": 1, "msg": msg}, "trade")
    assert isinstance(trade, TradeSeen)
    assert (trade.size, trade.taker_side, trade.is_block) == (13_600, Side.NO, True)
    assert trade.source_at == 1_669_149_841_000_000


@pytest.mark.parametrize(
    ("msg", "expected"),
    [
        ({"event_type": "deactivated"}, {"kind": LifecycleKind.DEACTIVATED}),
        (
            {"event_type": "determined", "result": "scalar", "settlement_value": "0.5000"},
            {"kind": LifecycleKind.DETERMINED, "result": Result.SCALAR, "settlement_value": 500_000},
        ),
        ({"event_type": "close_date_updated", "close_ts": 5}, {"closes_at": 5 * SECOND}),
        (
            {"event_type": "created", "exchange_index": 3, "additional_metadata": {"event_ticker": "KXA"}},
            {"exchange_index": 3, "event_ticker": "KXA"},
        ),
        ({"event_type": "something_new"}, {"kind": LifecycleKind.UNKNOWN}),
    ],
)
def test_a_change_of_a_markets_life_is_told(msg: dict[str, Any], expected: dict[str, Any]) -> None:
    frame = {"type": "market_lifecycle_v2", "seq": 1, "msg": {"market_ticker": A} | msg}
    event = _one(frame, "market_lifecycle_v2")
    assert isinstance(event, Lifecycle)
    assert {name: getattr(event, name) for name in expected} == expected


def test_a_change_of_a_price_grid_carries_the_new_grid() -> None:
    msg = {"market_ticker": A, "event_type": "price_level_structure_updated",
           "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0010"}]}  # fmt: skip
    event = _one({"type": "market_lifecycle_v2", "seq": 1, "msg": msg}, "market_lifecycle_v2")
    assert isinstance(event, Lifecycle)
    assert event.price_ranges[0].step == 1000


def test_a_change_of_an_events_fees_is_told() -> None:
    msg = {"event_ticker": "KXA", "fee_type_override": "quadratic", "fee_multiplier_override": 0.5}
    event = _one({"type": "event_fee_update", "seq": 1, "msg": msg}, "market_lifecycle_v2")
    assert isinstance(event, EventFees)
    assert (event.fee_type, event.fee_multiplier_micro) == (FeeType.QUADRATIC, 500_000)


# --- hostile and recorded ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        "",
        "null",
        "[]",
        "{",
        "NaN",
        '{"type":5}',
        '{"type":"subscribed"}',
        '{"type":"error","msg":[]}',
        '{"type":"orderbook_delta","sid":7,"seq":-5,"msg":{}}',
        "[" * 100_000,
        '{"type":"' + "x" * 10_000_000 + '"}',
        b"\xff\xfe\x00",
    ],
    ids=range(12),
)
def test_a_hostile_frame_never_raises(data: str | bytes) -> None:
    line = Line()
    line.snapshot()
    for event in line.protocol.received(data, NOW).events:
        assert isinstance(event, (Problem, Gap))
        assert len(event.reason) <= 300


@given(st.lists(st.tuples(st.sampled_from([A, B]), st.integers(0, 3), st.booleans()), max_size=40))
@settings(deadline=None)
def test_a_delta_is_only_handed_on_for_a_book_that_missed_nothing(steps: list[tuple[str, int, bool]]) -> None:
    line = Line()
    whole: set[str] = set()
    for ticker, lost, is_snapshot in steps:
        if lost:
            whole.clear()
        seq = line.seq + 1 + lost
        out = line.snapshot(ticker, seq=seq) if is_snapshot else line.delta(ticker, seq=seq)
        if is_snapshot:
            whole.add(ticker)
        handed_on = BookDelta in _kinds(out)
        assert handed_on == (not is_snapshot and ticker in whole)
        assert line.protocol.stale == {A, B} - whole


@pytest.mark.corpus
def test_a_recorded_stream_of_twelve_books_goes_through_whole() -> None:
    path = corpus_path("orderbook", "kalshi_ws_orderbook_stream_mlb_20260807.json.gz")
    recording = json.loads(gzip.decompress(path.read_bytes()))
    protocol = StreamProtocol(recording["tickers"], lifecycle=False, yes_priced=False)
    protocol.connected(NOW)
    books = {ticker: OrderBook(ticker) for ticker in recording["tickers"]}
    events: list[StreamEvent] = []
    for entry in recording["frames"]:
        frame = entry["frame"] | ({"id": 1} if entry["frame"]["type"] == "subscribed" else {})
        events += protocol.received(json.dumps(frame), Instant(entry["received_ms"] * 1000)).events
    for event in events:
        _apply(books, event)
    assert [sum(isinstance(e, kind) for e in events) for kind in (BookSnapshot, BookDelta, Gap, Problem)] == [
        12,
        245,
        0,
        0,
    ]
    assert protocol.stale == frozenset()
    assert {book.state for book in books.values()} == {BookState.LIVE}


def _apply(books: dict[str, OrderBook], event: StreamEvent) -> None:
    if isinstance(event, BookSnapshot):
        books[event.ticker].apply_snapshot(event.yes_bids, event.no_bids, event.at, event.seq)
    elif isinstance(event, BookDelta):
        assert books[event.ticker].apply_delta(event.side, event.price, event.delta, event.at, event.seq)


@pytest.mark.corpus
def test_both_recorded_price_modes_give_the_same_no_bids() -> None:
    recorded = json.loads(
        corpus_path("account", "kalshi_demo_api_recorded_responses_202606.json").read_text()
    )
    ticker = "KXWTACHALLENGERMATCH-26JUN11JIMLEP-LEP"
    first: dict[bool, BookSnapshot] = {}
    for name, yes_priced in (("ws__orderbook_trade_noleg", False), ("ws__orderbook_trade_yes", True)):
        protocol = StreamProtocol([ticker], lifecycle=False, yes_priced=yes_priced)
        protocol.connected(NOW)
        events = [e for f in recorded[name] for e in protocol.received(json.dumps(f), NOW).events]
        assert not any(isinstance(e, (Gap, Problem)) for e in events)
        first[yes_priced] = next(e for e in events if isinstance(e, BookSnapshot))
    (no_leg,), (yes_leg,) = first[False].no_bids, first[True].no_bids
    assert no_leg[0] == yes_leg[0] == complement(yes_leg[0]) - 40_000
