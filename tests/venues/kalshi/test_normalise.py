"""The exchange's rows into our messages: what is a quote, what is a price, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import Instant, parse_instant
from shared.errors import MalformedError
from shared.messages import BookLevel
from shared.money import Price, Quantity
from shared.terms import FeeType, MarketShape, MarketStatus, Result, Side, StrikeType
from shared.venues.kalshi import wire
from shared.venues.kalshi.candles import Ohlc, candle
from shared.venues.kalshi.normalise import (
    book_seen,
    event_rows,
    market_listed,
    market_rows,
    starts_by_event,
    tick_seen,
    trade_seen,
)
from tests.support.corpus import corpus_path
from tests.venues.kalshi.rows import MARKET, NOW, listed, raw


def test_a_market_of_today_is_read_in_exact_units() -> None:
    market = listed()
    assert (market.yes_bid, market.yes_bid_size) == (480_000, 200)
    assert (market.yes_ask, market.yes_ask_size) == (500_000, 64_611)
    assert (market.volume, market.last_price) == (109_677, 500_000)
    assert (market.shape, market.status, market.result) == (
        MarketShape.BINARY,
        MarketStatus.ACTIVE,
        Result.PENDING,
    )
    assert market.series_ticker == "KXNFLGAME"
    assert market.closes_at == parse_instant("2026-10-01T00:15:00Z")
    assert market.price_ranges[0].step == 10_000


@pytest.mark.parametrize(
    "sentinel",
    [
        {"yes_ask_dollars": "1.0000", "yes_ask_size_fp": "0.00"},
        {"yes_ask_dollars": "0.0000", "yes_ask_size_fp": "0.00"},
        {"yes_ask_dollars": "0.5000", "yes_ask_size_fp": "0.00"},
        {"yes_ask_dollars": "0.0100", "yes_ask_size_fp": "-1048538.00"},
        {"yes_ask_dollars": "0.0000", "yes_ask_size_fp": "5.00"},
        {"yes_ask_dollars": "1.0000", "yes_ask_size_fp": ...},
        {"yes_ask_dollars": ..., "yes_ask_size_fp": "5.00"},
        {"yes_ask_dollars": None, "yes_ask_size_fp": None},
    ],
)
def test_a_side_without_size_or_without_a_price_does_not_exist(sentinel: dict[str, Any]) -> None:
    market = listed(**sentinel)
    assert (market.yes_ask, market.yes_ask_size) == (None, None)
    assert market.yes_bid == 480_000


def test_old_cents_are_read_where_dollars_are_absent() -> None:
    gone = dict.fromkeys(("yes_bid_dollars", "yes_ask_dollars", "yes_bid_size_fp", "yes_ask_size_fp"), ...)
    market = listed(**gone, yes_bid=48, yes_ask=100, volume=12, volume_fp=...)
    assert (market.yes_bid, market.yes_bid_size, market.yes_ask) == (480_000, None, None)
    assert market.volume == 1200


def test_missing_numbers_stay_missing() -> None:
    market = market_listed(wire.Market(ticker="KXX-1"), NOW)
    assert (market.yes_bid, market.yes_ask, market.volume, market.last_price, market.closes_at) == (None,) * 5
    assert (market.status, market.shape, market.strike_type) == (
        MarketStatus.UNKNOWN,
        MarketShape.UNKNOWN,
        StrikeType.NONE,
    )


def test_the_exchanges_null_date_is_no_date() -> None:
    assert listed(open_time="0001-01-01T00:00:00Z", close_time="").opens_at is None
    assert listed(close_time="").closes_at is None


@pytest.mark.parametrize("field", ["status", "market_type", "result", "strike_type"])
def test_an_unknown_word_parses_to_unknown(field: str) -> None:
    market = listed(**{field: "brand_new_word"})
    assert "unknown" in {market.status, market.shape, market.result, market.strike_type}


def test_a_combo_is_known_by_ticker_collection_or_legs() -> None:
    assert listed(ticker="KXMVESPORTS-S1-A").is_combo
    assert listed(mve_collection_ticker="KXMVEX").is_combo
    assert listed(mve_selected_legs=[{"market_ticker": "A"}]).is_combo
    assert not listed().is_combo


def test_the_series_is_the_events_word_even_with_a_hyphen() -> None:
    event = wire.Event(event_ticker="KXNFLWINS-PIT-26", series_ticker="KXNFLWINS-PIT")
    row = wire.Market(ticker="KXNFLWINS-PIT-26-B9", event_ticker="KXNFLWINS-PIT-26")
    assert market_listed(row, NOW, event=event).series_ticker == "KXNFLWINS-PIT"
    assert market_listed(row, NOW).series_ticker == "KXNFLWINS"


def test_an_events_fee_override_goes_before_its_series() -> None:
    series = wire.Series(ticker="KXNFLGAME", fee_type=FeeType.QUADRATIC, fee_multiplier=0.5)
    event = wire.Event(event_ticker="E", fee_multiplier_override=1.5)
    row = wire.Market(ticker="KXNFLGAME-1-A", event_ticker="E")
    market = market_listed(row, NOW, event=event, series=series)
    assert (market.fee_type, market.fee_multiplier_micro) == (FeeType.QUADRATIC, 1_500_000)
    assert market_listed(row, NOW, series=series).fee_multiplier_micro == 500_000
    assert market_listed(row, NOW).fee_multiplier_micro is None


@pytest.mark.parametrize(
    "changes",
    [
        {"yes_bid_dollars": "NaN"},
        {"yes_bid_dollars": "Infinity"},
        {"yes_bid_dollars": "1.5"},
        {"yes_bid_dollars": "-0.10"},
        {"yes_bid_dollars": "0.48000001"},
        {"yes_bid_dollars": 0.48},
        {"yes_bid_dollars": "9" * 10_000_000},
        {"volume_fp": "-3.00"},
        {"close_time": "soon"},
        {"close_time": "2026-10-01T00:15:00"},
        {"ticker": ""},
        {"ticker": "KX " * 3},
        {"ticker": "KX\n1"},
        {"ticker": "K" * 10_000_000},
        {"ticker": 7},
        {"title": "x" * 10_000_000},
        {"price_ranges": [{"start": "0", "end": "2", "step": "x"}]},
        {"floor_strike": "44.5"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_an_impossible_row_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError) as caught:
        listed(**changes)
    assert len(str(caught.value)) < 500


def test_a_bad_row_costs_only_itself() -> None:
    rows = [raw(MARKET), raw(MARKET | {"yes_bid_dollars": "x"}), raw([1]), raw(MARKET | {"ticker": "KXB-1"})]
    good, bad = market_rows(rows, NOW, "/markets")
    assert [m.ticker for m in good] == [MARKET["ticker"], "KXB-1"]
    assert [b.source for b in bad] == ["/markets", "/markets"]
    assert bad[0].sample.startswith('{"ticker"')


def test_a_bad_market_inside_an_event_costs_only_itself() -> None:
    event = {"event_ticker": MARKET["event_ticker"], "series_ticker": "KXNFLGAME", "title": "A vs B"}
    nested = event | {"markets": [MARKET, MARKET | {"volume_fp": "x"}]}
    starts = {MARKET["event_ticker"]: Instant(5)}
    good, bad = event_rows([raw(nested), raw({"title": "no ticker"})], NOW, "/events", starts=starts)
    assert [(m.event_title, m.starts_at) for m in good] == [("A vs B", 5)]
    assert len(bad) == 2


def test_a_tick_carries_only_the_quotes_of_a_listing() -> None:
    tick = tick_seen(listed())
    assert (tick.ticker, tick.yes_bid, tick.yes_ask_size) == (MARKET["ticker"], 480_000, 64_611)


def _book(body: dict[str, Any]) -> Any:
    return book_seen("KXA-1", wire.decode(wire.BookAnswer, json.dumps(body).encode()), NOW)


def test_a_book_is_best_bid_first_whatever_the_order_on_the_wire() -> None:
    book = _book({"orderbook_fp": {"yes_dollars": [["0.10", "5.00"], ["0.47", "0.01"], ["0.30", "0.00"]]}})
    assert book.yes_bids == (
        BookLevel(price=Price(470_000), size=Quantity(1)),
        BookLevel(price=Price(100_000), size=Quantity(500)),
    )
    assert book.no_bids == ()


@pytest.mark.parametrize(
    "body",
    [
        {"orderbook": {"yes": [[48, 100]], "no": None}},
        {"orderbook": {"yes": [[48, 100]], "yes_dollars": [["0.4800", 100]], "no": None, "no_dollars": None}},
    ],
)
def test_an_old_book_in_cents_is_read(body: dict[str, Any]) -> None:
    assert _book(body).yes_bids == (BookLevel(price=Price(480_000), size=Quantity(10_000)),)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"orderbook_fp": {"yes_dollars": [["0.10", "-5.00"]]}},
        {"orderbook_fp": {"yes_dollars": [["0.10", "5"], ["0.1000", "6"]]}},
        {"orderbook_fp": {"yes_dollars": [["1.01", "5"]]}},
        {"orderbook_fp": {"yes_dollars": [["0.10"]]}},
        {"orderbook": {"yes": [[101, 1]]}},
        {"orderbook": {"yes": [[48, -1]]}},
    ],
)
def test_an_impossible_book_is_malformed(body: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        _book(body)


@given(st.dictionaries(st.integers(1, 99), st.integers(1, 10**6), max_size=30))
def test_every_level_of_a_book_survives_once(cents: dict[int, int]) -> None:
    rows = [[f"0.{price:02d}00", f"{size}.00"] for price, size in cents.items()]
    book = _book({"orderbook_fp": {"yes_dollars": rows, "no_dollars": []}})
    assert {level.price // 10_000: level.size // 100 for level in book.yes_bids} == cents
    assert [level.price for level in book.yes_bids] == sorted((p * 10_000 for p in cents), reverse=True)


def _trade(**changes: Any) -> Any:
    row = {"trade_id": "t", "ticker": "KXA-1", "created_time": "2026-06-15T15:48:42.609997Z"} | changes
    return trade_seen(wire.decode(wire.Trade, json.dumps(row).encode()), NOW)


def test_a_trade_names_the_side_that_took() -> None:
    trade = _trade(yes_price_dollars="0.0300", count_fp="7.77", taker_outcome_side="no", taker_side="yes")
    assert (trade.yes_price, trade.size, trade.taker_side) == (30_000, 777, Side.NO)
    assert _trade(yes_price=3, count=7, taker_side="yes").taker_side is Side.YES
    assert _trade(yes_price=3, count=7, taker_side="sideways").taker_side is None


def test_a_trade_without_a_price_is_malformed() -> None:
    with pytest.raises(MalformedError, match="no price"):
        _trade(count_fp="1.00")


def test_milestones_give_start_times_and_a_torn_event_gets_none() -> None:
    def milestone(identity: str, start: str | None, *tickers: str) -> wire.Milestone:
        return wire.Milestone(id=identity, start_date=start, related_event_tickers=list(tickers))

    starts = starts_by_event(
        [
            milestone("1", "2026-09-27T17:00:00Z", "A", "B"),
            milestone("2", "2026-09-27T18:00:00Z", "B"),
            milestone("3", None, "C"),
        ]
    )
    assert starts == {"A": parse_instant("2026-09-27T17:00:00Z")}


@pytest.mark.corpus
def test_recorded_candles_of_both_shapes_are_read() -> None:
    page = json.loads(corpus_path("orderbook", "kalshi_candlesticks_pregame_mlb.json").read_text())
    rows = wire.convert(wire.CandlesAnswer, page["candlesticks_response"]).candlesticks or []
    made = [candle(row) for row in rows]
    assert len(made) == len(page["candlesticks_response"]["candlesticks"])
    assert all(c.yes_bid.close is not None for c in made)


def test_a_historical_candle_without_suffixes_and_with_nulls_is_read() -> None:
    row = wire.convert(
        wire.Candle,
        {
            "end_period_ts": 60,
            "yes_bid": {"open": "0.42", "close": 43},
            "price": {"open": None},
            "volume": "1.50",
        },
    )
    made = candle(row)
    assert (made.ends_at, made.yes_bid, made.volume) == (
        60_000_000,
        Ohlc(open=Price(420_000), close=Price(430_000)),
        150,
    )
    assert made.traded == made.yes_ask == Ohlc()
