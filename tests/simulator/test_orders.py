"""Order entry: every rule of the second order interface that a client can run into."""

from __future__ import annotations

from typing import Any

import pytest

from shared.clock import SECOND
from shared.money import MICROS, Usd
from shared.simulator.kalshi_http import PREFIX
from shared.simulator.web import Request
from tests.simulator.bench import Bench, Json, quoted

IOC: dict[str, Any] = {"time_in_force": "immediate_or_cancel"}
FOK: dict[str, Any] = {"time_in_force": "fill_or_kill"}
_ORDERS = "/portfolio/events/orders"
_HOSTILE = [b"", b"[]", b"{", b'"x"', b"\xff\xfe", b'{"ticker":{"a":1}}', b"[" * 5000]


@pytest.fixture
def bench() -> Bench:
    return quoted()


def _code(body: Json) -> tuple[str, str]:
    return body["error"]["code"], body["error"].get("details", "")


def test_a_resting_order_answers_flat_without_status(bench: Bench) -> None:
    status, body = bench.order(bench.empty().ticker, "bid", "0.0100", "1.00", client_order_id="abc")
    assert status == 201
    assert body.keys() == {"client_order_id", "fill_count", "order_id", "remaining_count", "ts_ms"}
    assert (body["client_order_id"], body["fill_count"], body["remaining_count"]) == ("abc", "0.00", "1.00")


def test_a_taker_gets_the_resting_price_and_the_exact_fee(bench: Bench) -> None:
    market = bench.empty()
    bench.order(market.ticker, "ask", "0.5200", "1.00")
    bench.api.add_member("other", bench.key.public_key(), Usd(MICROS))
    bench.key_id = "other"
    status, body = bench.order(market.ticker, "bid", "0.9900", "1.00", **IOC)
    assert (status, body.get("error", {}).get("code")) == (201, None)
    assert (body["average_fill_price"], body["average_fee_paid"]) == ("0.5200", "0.0175")
    row = bench.get("/portfolio/fills", signed=True)["fills"][0]
    assert (row["fee_cost"], row["is_taker"], row["yes_price_dollars"]) == ("0.017500", True, "0.5200")
    assert "client_order_id" not in row


def test_an_immediate_order_without_counterpart_is_accepted_and_filled_zero(bench: Bench) -> None:
    status, body = bench.order(bench.empty().ticker, "bid", "0.9900", "5.00", **IOC)
    assert (status, body["fill_count"], body["remaining_count"]) == (201, "0.00", "0.00")


def test_an_immediate_order_takes_what_is_there_over_several_levels(bench: Bench) -> None:
    market = bench.market()
    bench.quiet(market)
    there = market.book.fillable(True, max(market.book.asks))
    status, body = bench.order(market.ticker, "bid", "0.9900", f"{there // 100 + 1}.00", **IOC)
    if status == 400:  # a deep book can cost more than the member has
        pytest.skip("the book is deeper than the deposit")
    assert body["remaining_count"] == "0.00"
    fills = bench.get("/portfolio/fills", signed=True)["fills"]
    assert len({row["yes_price_dollars"] for row in fills}) > 1
    assert len({row["fill_id"] for row in fills}) == len(fills)


def test_fill_or_kill_that_cannot_fill_is_a_409_and_spends_its_id(bench: Bench) -> None:
    ticker = bench.empty().ticker
    status, body = bench.order(ticker, "bid", "0.9900", "5.00", client_order_id="once", **FOK)
    assert (status, body["error"]["code"]) == (409, "fill_or_kill_insufficient_resting_volume")
    status, body = bench.order(ticker, "bid", "0.0100", "5.00", client_order_id="once")
    assert (status, body["error"]["code"]) == (409, "order_already_exists")


def test_a_client_order_id_is_spent_for_ever_also_after_a_cancel(bench: Bench) -> None:
    ticker = bench.empty().ticker
    _, body = bench.order(ticker, "bid", "0.0100", "5.00", client_order_id="x")
    assert bench.send("DELETE", f"{_ORDERS}/{body['order_id']}")[0] == 200
    status, body = bench.order(ticker, "bid", "0.0200", "1.00", client_order_id="x")
    assert (status, body) == (
        409,
        {"error": {"code": "order_already_exists", "message": "order already exists"}},
    )


def test_numbers_instead_of_strings_are_refused_in_the_decoders_words(bench: Bench) -> None:
    status, body = bench.order(bench.market().ticker, "bid", "0.5000", 1)  # type: ignore[arg-type]  # on purpose
    assert status == 400
    assert body == {
        "code": "bad_request",
        "message": "bad request",
        "details": "json: cannot unmarshal number into Go struct field "
        "CreateOrderV2Request.count of type string",
    }


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"price": "0.5050"}, "invalid_price"),
        ({"price": "1.0000"}, "invalid_price"),
        ({"price": "0"}, "invalid_price"),
        ({"price": "NaN"}, "invalid_price"),
        ({"count": "0.001"}, "invalid_order"),
        ({"count": "0"}, "invalid_order"),
        ({"count": "1e400"}, "invalid_order"),
        ({"side": "yes"}, "invalid_parameters"),
        ({"time_in_force": None}, "invalid_parameters"),
        ({"self_trade_prevention_type": "whatever"}, "invalid_parameters"),
        ({"client_order_id": "a.b"}, "invalid_parameters"),
        ({"reduce_only": True}, "invalid_order"),
        ({"expiration_time": 1}, "invalid_order"),
        ({"ticker": "KXNOPE"}, "market_not_found"),
        ({"exchange_index": 3}, "market_not_found"),
        ({"count": "99999.00"}, "insufficient_balance"),
    ],
)
def test_bad_orders_are_refused_with_their_code(bench: Bench, change: Json, code: str) -> None:
    status, body = bench.order(bench.market().ticker, "bid", "0.5000", "1.00", **change)
    assert (status in (400, 404), body["error"]["code"]) == (True, code)
    assert bench.account.orders == {}


@pytest.mark.parametrize("body", _HOSTILE)
def test_hostile_bodies_are_refused(bench: Bench, body: bytes) -> None:
    answer = bench.api.handle(Request("POST", PREFIX + _ORDERS, "", bench.sign("POST", _ORDERS), body))
    assert answer.status == 400


def test_a_post_only_order_that_would_cross_is_refused(bench: Bench) -> None:
    status, body = bench.order(bench.market().ticker, "bid", "0.9900", "1.00", post_only=True)
    assert (status, _code(body)) == (400, ("invalid_order", "post only cross"))


def test_reduce_only_never_turns_a_position_around(bench: Bench) -> None:
    market = bench.market()
    bench.order(market.ticker, "bid", "0.9900", "2.00", **IOC)
    status, body = bench.order(market.ticker, "ask", "0.0100", "10.00", reduce_only=True, **IOC)
    assert (status, body["fill_count"]) == (201, "2.00")
    assert bench.account.positions[market.ticker].lots == 0


def test_crossing_oneself_cancels_the_taker_or_the_maker(bench: Bench) -> None:
    market = bench.empty()
    _, first = bench.order(market.ticker, "bid", "0.3000", "1.00")
    status, body = bench.order(market.ticker, "ask", "0.3000", "1.00")
    assert (status, body["fill_count"], body["remaining_count"]) == (201, "0.00", "0.00")
    assert bench.account.orders[first["order_id"]].is_resting
    _, body = bench.order(market.ticker, "ask", "0.3000", "1.00", self_trade_prevention_type="maker")
    assert body["remaining_count"] == "1.00"
    row = bench.get(f"/portfolio/orders/{first['order_id']}", signed=True)["order"]
    assert row["status"] == "canceled"


def test_buying_no_is_selling_yes_and_needs_the_complement(bench: Bench) -> None:
    market = bench.empty()
    before = bench.account.available(0)
    bench.order(market.ticker, "ask", "0.5500", "100.00")
    reserved = before - bench.account.available(0)
    assert 45 * MICROS <= reserved < 46 * MICROS
    row = bench.get("/portfolio/orders", signed=True)["orders"][0]
    assert (row["outcome_side"], row["book_side"], row["no_price_dollars"]) == ("no", "ask", "0.4500")


def test_cash_of_one_shard_does_not_back_orders_of_another(bench: Bench) -> None:
    bench.account.cash[3] = 0
    status, body = bench.order(bench.market("NBA").ticker, "bid", "0.0100", "10.00")
    assert (status, body["error"]["code"]) == (400, "insufficient_balance")
    assert bench.order(bench.market("NFL").ticker, "bid", "0.0100", "10.00")[0] == 201


def test_a_transfer_moves_cash_between_shards_once(bench: Bench) -> None:
    body = {
        "client_transfer_id": "t1",
        "amount": 1_000_000,
        "source_exchange_shard": 0,
        "destination_exchange_shard": 3,
    }
    path = "/portfolio/intra_exchange_instance_transfer"
    status, answer = bench.send("POST", path, body)
    assert status == 200
    assert bench.get(f"{path}s/{answer['transfer_id']}", signed=True)["status"] == "complete"
    assert bench.send("POST", path, body)[0] == 409
    rows = bench.get("/portfolio/balance", signed=True)["balance_breakdown"]
    assert {row["exchange_index"]: row["balance"] for row in rows} == {
        0: "4900.0000", 1: "0.0000", 2: "5000.0000", 3: "5100.0000",
    }  # fmt: skip


def test_cancel_without_market_or_shard_does_not_see_shard_three(bench: Bench) -> None:
    market = bench.empty("NBA")
    _, body = bench.order(market.ticker, "bid", "0.0100", "5.00")
    path = f"{_ORDERS}/{body['order_id']}"
    assert bench.send("DELETE", path)[0] == 404
    status, answer = bench.send("DELETE", path, market_ticker=market.ticker)
    assert (status, answer["reduced_by"]) == (200, "5.00")
    assert bench.send("DELETE", path, exchange_index=3)[0] == 404


def test_decrease_keeps_the_place_and_amend_to_a_new_price_loses_it(bench: Bench) -> None:
    market = bench.empty()
    ids = [bench.order(market.ticker, "bid", "0.0500", "5.00")[1]["order_id"] for _ in range(2)]
    status, body = bench.send("POST", f"{_ORDERS}/{ids[0]}/decrease", {"reduce_to": "3.00"})
    assert (status, body["remaining_count"]) == (200, "3.00")

    def ahead(order_id: str) -> str:
        return str(
            bench.get(f"/portfolio/orders/{order_id}/queue_position", signed=True)["queue_position_fp"]
        )

    assert (ahead(ids[0]), ahead(ids[1])) == ("0.00", "3.00")
    for price in ("0.0600", "0.0500"):
        change = {"ticker": market.ticker, "side": "bid", "price": price, "count": "3.00"}
        assert bench.send("POST", f"{_ORDERS}/{ids[0]}/amend", change)[0] == 200
    assert (ahead(ids[0]), ahead(ids[1])) == ("5.00", "0.00")


def test_an_amend_that_cannot_be_paid_changes_nothing(bench: Bench) -> None:
    market = bench.empty()
    _, body = bench.order(market.ticker, "bid", "0.0500", "5.00", client_order_id="first")
    change = {"ticker": market.ticker, "side": "bid", "price": "0.9000", "count": "99999.00"}
    path = f"{_ORDERS}/{body['order_id']}/amend"
    status, refusal = bench.send("POST", path, change | {"updated_client_order_id": "second"})
    assert (status, refusal["error"]["code"]) == (400, "insufficient_balance")
    row = bench.get(f"/portfolio/orders/{body['order_id']}", signed=True)["order"]
    assert (row["client_order_id"], row["yes_price_dollars"], row["remaining_count_fp"]) == (
        "first",
        "0.0500",
        "5.00",
    )


def test_cancel_all_reaches_every_shard(bench: Bench) -> None:
    for league in ("NFL", "NBA"):
        bench.order(bench.empty(league).ticker, "bid", "0.0100", "1.00")
    assert bench.send("DELETE", _ORDERS) == (204, None)
    assert not any(order.is_resting for order in bench.account.orders.values())


def test_a_batch_item_succeeds_or_fails_by_itself(bench: Bench) -> None:
    market = bench.empty()
    common = {"ticker": market.ticker, "side": "bid", "count": "1.00", "time_in_force": "good_till_canceled",
              "self_trade_prevention_type": "maker"}  # fmt: skip
    orders = [common | {"price": "0.0100"}, common | {"price": "0.0101"}, common | {"price": 5}]
    status, body = bench.send("POST", f"{_ORDERS}/batched", {"orders": orders})
    assert status == 201
    assert ["order_id" in row for row in body["orders"]] == [True, False, False]
    assert body["orders"][1]["error"]["code"] == "invalid_price"


def test_an_order_expires_at_its_time(bench: Bench) -> None:
    market, now = bench.empty(), bench.clock.now() // SECOND
    _, body = bench.order(market.ticker, "bid", "0.0100", "1.00", expiration_time=now + 30)
    bench.wait(29)
    assert bench.account.orders[body["order_id"]].is_resting
    bench.wait(2)
    assert bench.account.orders[body["order_id"]].reason == "ExpiryCancel"


def test_a_halted_market_and_a_paused_shard_refuse_orders(bench: Bench) -> None:
    market = bench.market()
    bench.world.halt(market.ticker)
    status, body = bench.order(market.ticker, "bid", "0.0100", "1.00")
    assert (status, body) == (409, {"error": {"code": "trading_is_paused", "message": "trading is paused"}})
    bench.world.resume(market.ticker)
    _, kept = bench.order(market.ticker, "bid", "0.0100", "1.00")
    _, gone = bench.order(market.ticker, "bid", "0.0100", "1.00", cancel_order_on_pause=True)
    bench.world.orders.pause(0)
    assert bench.order(market.ticker, "bid", "0.0100", "1.00")[1]["error"]["code"] == "exchange_is_paused"
    assert bench.account.orders[kept["order_id"]].is_resting
    assert not bench.account.orders[gone["order_id"]].is_resting


def test_reads_of_the_account_lag_behind_writes() -> None:
    bench = quoted(read_lag_s=0.5)
    _, body = bench.order(bench.empty().ticker, "bid", "0.0100", "1.00")
    path = f"/portfolio/orders/{body['order_id']}"
    assert bench.send("GET", path)[0] == 404
    bench.wait(0.5)
    assert bench.get(path, signed=True)["order"]["status"] == "resting"
    bench.send("DELETE", f"{_ORDERS}/{body['order_id']}")
    assert bench.get(path, signed=True)["order"]["status"] == "resting"
    bench.wait(0.5)
    assert bench.get(path, signed=True)["order"]["status"] == "canceled"


def test_positions_are_signed_and_net(bench: Bench) -> None:
    market = bench.market()
    bench.order(market.ticker, "ask", "0.0100", "3.00", **IOC)
    row = bench.get("/portfolio/positions", signed=True)["market_positions"][0]
    assert (row["ticker"], row["position_fp"]) == (market.ticker, "-3.00")
    bench.order(market.ticker, "bid", "0.9900", "5.00", **IOC)
    row = bench.get("/portfolio/positions", signed=True)["market_positions"][0]
    assert row["position_fp"] == "2.00"
