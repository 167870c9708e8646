"""Failures on demand: off by default, each does what its name says."""

from __future__ import annotations

import msgspec

from tests.simulator.bench import Bench, quoted


def test_without_switches_nothing_fails() -> None:
    bench = quoted()
    assert {bench.raw("GET", "/markets", query=f"limit={n}").status for n in range(1, 100)} == {200}


def test_faults_come_in_the_same_order_for_the_same_seed() -> None:
    def statuses() -> list[int]:
        bench = Bench(3)
        bench.faults.error_share = 0.3
        return [bench.raw("GET", "/exchange/status").status for _ in range(50)]

    assert statuses() == statuses()
    assert set(statuses()) == {200, 503}


def test_a_lost_reply_leaves_the_order_in_the_book() -> None:
    bench = quoted()
    market = bench.empty()
    bench.faults.lost_reply_share = 1.0
    answer = bench.raw("POST", "/portfolio/events/orders", {
        "ticker": market.ticker, "side": "bid", "price": "0.0100", "count": "1.00", "client_order_id": "lost",
        "time_in_force": "good_till_canceled", "self_trade_prevention_type": "maker",
    }, signed=True)  # fmt: skip
    assert (answer.status, answer.body) == (503, b"")
    bench.faults.lost_reply_share = 0.0
    rows = bench.get("/portfolio/orders", signed=True)["orders"]
    assert [(row["client_order_id"], row["status"]) for row in rows] == [("lost", "resting")]


def test_an_accepted_order_may_come_back_without_its_id() -> None:
    bench = quoted()
    bench.faults.no_order_id_share = 1.0
    status, body = bench.order(bench.empty().ticker, "bid", "0.0100", "1.00")
    assert (status, "order_id" in body) == (200, False)


def test_html_throttling_and_truncation() -> None:
    bench = quoted()
    bench.faults.html_share = 1.0
    answer = bench.raw("GET", "/markets")
    assert (answer.status, answer.headers["content-type"]) == (502, "text/html")
    bench.faults.html_share, bench.faults.throttle_share = 0.0, 1.0
    assert bench.raw("GET", "/markets").status == 429
    bench.faults.throttle_share, bench.faults.truncate_share = 0.0, 1.0
    answer = bench.raw("GET", "/markets")
    assert answer.status == 200
    assert not answer.body.endswith(b"}")


def test_unknown_fields_and_values_appear() -> None:
    bench = quoted()
    bench.faults.extra_fields = bench.faults.unknown_enums = True
    row = msgspec.json.decode(bench.raw("GET", f"/markets/{bench.market().ticker}").body)["market"]
    assert (row["status"], row["strike_type"]) == ("hibernating", "fuzzy")
    assert "x_new_field" in row


def test_faults_can_be_aimed_at_one_endpoint() -> None:
    bench = quoted()
    bench.faults.only, bench.faults.error_share = "orderbook", 1.0
    assert bench.raw("GET", "/exchange/status").status == 200
    assert bench.raw("GET", f"/markets/{bench.market().ticker}/orderbook").status == 503
