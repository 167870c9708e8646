"""Public endpoints of the exchange: shapes, filters, pages and the recorded error bodies."""

from __future__ import annotations

from typing import Any

import pytest

from shared.clock import SECOND, parse_instant
from shared.money import MICROS, parse_price
from shared.simulator.schedule import DEMO
from tests.simulator.bench import Bench, Json, quoted

_REQUIRED = set(
    """ticker event_ticker market_type yes_sub_title no_sub_title created_time updated_time open_time
    close_time latest_expiration_time settlement_timer_seconds status yes_bid_dollars yes_bid_size_fp
    yes_ask_dollars yes_ask_size_fp no_bid_dollars no_ask_dollars last_price_dollars volume_fp
    volume_24h_fp open_interest_fp notional_value_dollars previous_yes_bid_dollars
    previous_yes_ask_dollars previous_price_dollars result can_close_early settlement_bounds_type
    expiration_value rules_primary rules_secondary price_level_structure price_ranges
    exchange_index""".split()  # noqa: SIM905 - a table
)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return quoted()


def _pages(bench: Bench, path: str, name: str, **query: Any) -> list[Json]:
    rows, cursor = [], ""
    while True:
        body = bench.get(path, cursor=cursor, **query)
        rows += body[name]
        cursor = body["cursor"]
        if not cursor:
            return rows


def test_a_market_has_every_required_field_and_no_removed_one(bench: Bench) -> None:
    row = bench.get("/markets", limit=1)["markets"][0]
    assert row.keys() >= _REQUIRED
    assert not {"yes_bid", "no_ask", "volume", "liquidity_dollars", "series_ticker", "category"} & row.keys()


def test_pages_cover_every_market_exactly_once(bench: Bench) -> None:
    rows = [row["ticker"] for row in _pages(bench, "/markets", "markets", limit=7)]
    assert sorted(rows) == sorted(bench.world.exchange.markets)


def test_an_unreadable_cursor_is_silently_the_first_page(bench: Bench) -> None:
    assert bench.get("/markets", limit=3, cursor="garbage!") == bench.get("/markets", limit=3)


def test_pages_of_events_trades_milestones_and_targets_end(bench: Bench) -> None:
    assert len(_pages(bench, "/events", "events", limit=2)) == 3 * len(bench.world.contests)
    trades = [row["trade_id"] for row in _pages(bench, "/markets/trades", "trades", limit=10)]
    assert len(trades) == len(set(trades)) == len(bench.world.exchange.tape)
    assert len(_pages(bench, "/milestones", "milestones", limit=3)) == len(bench.world.contests)
    query = {"page_size": 50, "type": "football_team"}
    assert len(_pages(bench, "/structured_targets", "structured_targets", **query)) == 50


def test_a_limit_above_the_maximum_is_refused_in_the_validators_words(bench: Bench) -> None:
    answer = bench.raw("GET", "/markets", query="limit=1001")
    assert answer.status == 400
    assert answer.body == (
        b'{"msg":"Parameter validation failed for GetMarkets: Key: \'GetMarketsParams.Limit\' '
        b"Error:Field validation for 'Limit' failed on the 'lte' tag\"}"
    )


def test_an_unknown_market_is_a_404_and_its_book_is_empty(bench: Bench) -> None:
    answer = bench.raw("GET", "/markets/KXNOPE")
    assert (answer.status, answer.body) == (404, b'{"error":{"code":"not_found","message":"not found"}}')
    assert bench.get("/markets/KXNOPE/orderbook") == {"orderbook_fp": {"no_dollars": [], "yes_dollars": []}}


def test_books_are_bids_only_and_ascending_and_agree_with_the_listing(bench: Bench) -> None:
    for market in bench.world.exchange.listing:
        row = bench.get(f"/markets/{market.ticker}")["market"]
        book = bench.get(f"/markets/{market.ticker}/orderbook")["orderbook_fp"]
        for side in book.values():
            assert side == sorted(side)
        if book["no_dollars"]:
            price, size = book["no_dollars"][-1]
            assert parse_price(row["yes_ask_dollars"]) == MICROS - parse_price(price)
            assert row["yes_ask_size_fp"] == size
        else:
            assert (row["yes_ask_dollars"], row["yes_ask_size_fp"]) == ("1.0000", "0.00")
        assert (row["yes_bid_size_fp"] == "0.00") == (not book["yes_dollars"])


def test_depth_keeps_the_best_levels_last(bench: Bench) -> None:
    ticker = bench.market().ticker
    whole = bench.get(f"/markets/{ticker}/orderbook")["orderbook_fp"]["yes_dollars"]
    assert bench.get(f"/markets/{ticker}/orderbook", depth=1)["orderbook_fp"]["yes_dollars"] == whole[-1:]


def test_many_books_need_repeated_tickers_and_a_comma_list_is_one_bogus_ticker(bench: Bench) -> None:
    tickers = [market.ticker for market in bench.world.exchange.listing[:2]]
    assert [
        row["ticker"] for row in bench.get("/markets/orderbooks", tickers=tickers)["orderbooks"]
    ] == tickers
    rows = bench.get("/markets/orderbooks", tickers=",".join(tickers))["orderbooks"]
    assert rows == [{"ticker": ",".join(tickers), "orderbook_fp": {"no_dollars": [], "yes_dollars": []}}]


def test_filters_narrow_the_listing(bench: Bench) -> None:
    assert {row["status"] for row in bench.get("/markets", status="open", limit=1000)["markets"]} == {
        "active"
    }
    assert bench.get("/markets", status="settled")["markets"] == []
    combos = bench.get("/markets", mve_filter="only")["markets"]
    assert len(combos) == 3
    assert all(row["ticker"].startswith("KXMVE") for row in combos)
    rows = bench.get("/markets", series_ticker="KXNFLSPREAD")["markets"]
    assert {row["ticker"].split("-")[0] for row in rows} == {"KXNFLSPREAD"}
    event = rows[0]["event_ticker"]
    assert {row["event_ticker"] for row in bench.get("/markets", event_ticker=event)["markets"]} == {event}


def test_an_unknown_status_word_is_refused(bench: Bench) -> None:
    answer = bench.raw("GET", "/markets", query="status=active")
    assert answer.status == 400
    assert b"invalid_status_filter" in answer.body


def test_nested_markets_leave_the_top_level_array_empty(bench: Bench) -> None:
    ticker = bench.contest().events[0].ticker
    nested = bench.get(f"/events/{ticker}", with_nested_markets="true")
    assert nested["markets"] == []
    assert len(nested["event"]["markets"]) == 2
    assert len(bench.get(f"/events/{ticker}")["markets"]) == 2


def test_categories_and_tags_exist_only_on_series(bench: Bench) -> None:
    rows = bench.get("/series", category="Sports", tags="Soccer")["series"]
    assert [row["ticker"] for row in rows] == ["KXEPLGAME", "KXEPLSPREAD", "KXEPLTOTAL"]
    assert bench.get("/series/KXMLBTOTAL")["series"]["fee_multiplier"] == 0.5


def test_fee_overrides_are_on_events_and_in_the_scheduled_changes() -> None:
    bench = Bench(preset=DEMO)
    changes = bench.get("/events/fee_changes")["event_fee_changes"]
    assert changes
    event = bench.get(f"/events/{changes[0]['event_ticker']}")["event"]
    assert event["fee_multiplier_override"] == changes[0]["fee_multiplier_override"] == 1


def test_a_milestone_is_the_only_place_with_the_start(bench: Bench) -> None:
    contest = bench.contest()
    rows = bench.get("/milestones", related_event_ticker=contest.events[1].ticker)["milestones"]
    assert [parse_instant(row["start_date"]) for row in rows] == [contest.game.start]
    market = bench.get(f"/markets/{contest.markets[0].ticker}")["market"]
    times = [market["close_time"], market["expected_expiration_time"], market["occurrence_datetime"]]
    assert contest.game.start not in [parse_instant(text) for text in times]


def test_a_structured_target_names_the_team_behind_an_id(bench: Bench) -> None:
    market = bench.contest().markets[0].contract.fields
    target = market["custom_strike"]["football_team"]
    assert (
        market["yes_sub_title"].split()[0]
        in bench.get(f"/structured_targets/{target}")["structured_target"]["name"]
    )


def test_listings_may_be_fifteen_seconds_old_and_books_never_are() -> None:
    bench = quoted()
    market = bench.empty()
    bench.get("/markets", limit=1000)
    bench.order(market.ticker, "bid", "0.0100", "5.00")
    row = next(r for r in bench.get("/markets", limit=1000)["markets"] if r["ticker"] == market.ticker)
    assert row["yes_bid_size_fp"] != "5.00"
    assert bench.get(f"/markets/{market.ticker}/orderbook")["orderbook_fp"]["yes_dollars"] == [
        ["0.0100", "5.00"]
    ]
    bench.wait(15)
    row = next(r for r in bench.get("/markets", limit=1000)["markets"] if r["ticker"] == market.ticker)
    assert (row["yes_bid_dollars"], row["yes_bid_size_fp"]) == ("0.0100", "5.00")


def test_candles_hold_the_prices_of_their_period(bench: Bench) -> None:
    market, now = bench.market(), bench.clock.now() // SECOND
    body = bench.get(
        f"/series/KXNFLGAME/markets/{market.ticker}/candlesticks",
        start_ts=now - 3600, end_ts=now + 3600, period_interval=60,
    )  # fmt: skip
    candle = body["candlesticks"][-1]
    assert (
        candle["yes_bid"]["close_dollars"]
        == bench.get(f"/markets/{market.ticker}")["market"]["yes_bid_dollars"]
    )
    many = bench.get(
        "/markets/candlesticks",
        market_tickers=f"{market.ticker},KXNOPE", start_ts=now - 3600, end_ts=now + 3600, period_interval=60,
    )  # fmt: skip
    assert many["markets"] == [{"market_ticker": market.ticker, "candlesticks": body["candlesticks"]}]


def test_baseball_and_basketball_live_on_shard_three(bench: Bench) -> None:
    shards = {m.ticker[2:5]: m.contract.shard for m in bench.world.exchange.listing}
    assert shards == {"NFL": 0, "NHL": 0, "EPL": 0, "NBA": 3, "MLB": 3, "MVE": 1}


def test_exchange_status_names_each_shard(bench: Bench) -> None:
    bench.world.orders.pause(3)
    rows = bench.get("/exchange/status")["exchange_index_statuses"]
    assert {row["exchange_index"]: row["trading_active"] for row in rows} == {
        0: True,
        1: True,
        2: True,
        3: False,
    }
    bench.world.orders.resume(3)
