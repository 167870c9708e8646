"""Fill quality, how orders end, and how long everything takes, worked out by hand."""

from __future__ import annotations

from datetime import date

import pytest

from shared.clock import Instant
from shared.messages import TickSeen, TradeSeen
from shared.money import Quantity
from shared.terms import OrderStatus, Side
from tests.support.lake import Lake, at
from tests.views.make import cents, contracts, fill, odds, opportunity, order, quote, signal

YES = Side.YES


def _filled(lake: Lake) -> None:
    """Ten contracts wanted at 50 or better, offered at 47 when signalled; eight filled at 46 and 48."""
    lake.tell(
        opportunity("opp", "G-1-A", YES, ask=cents(47)),
        signal("signal-o", "opp", "G-1-A", seconds=1),
        order("o", OrderStatus.PENDING, seconds=1.25),
        order("o", OrderStatus.CANCELED, seconds=1.5, filled=contracts(8)),
        fill("a", "G-1-A", YES, 46, 6, fee=60_000, seconds=1.5, order_id="o"),
        fill("b", "G-1-A", YES, 48, 2, fee=20_000, seconds=1.5, order_id="o", is_taker=False),
    )


def test_a_fill_is_compared_with_its_limit_and_with_the_offer_it_was_raised_on(lake: Lake) -> None:
    _filled(lake)
    found = lake.row("fill_quality")
    assert found["average_price"] == pytest.approx(465_000)  # (6 * 46 + 2 * 48) / 8
    assert (found["improvement"], found["slippage"]) == (pytest.approx(35_000), pytest.approx(-5_000))
    assert (found["saved"], found["fees"], found["taker_share"]) == (280_000, 80_000, 0.75)
    assert (found["fill_ratio"], found["fills"]) == (0.8, 2)
    assert (found["signal_to_order_ms"], found["order_to_fill_ms"]) == (250.0, 250.0)


def test_an_order_that_filled_nothing_has_no_price(lake: Lake) -> None:
    lake.tell(order("o", OrderStatus.PENDING), order("o", OrderStatus.CANCELED, seconds=1))
    found = lake.row("fill_quality")
    assert (found["filled_quantity"], found["fill_ratio"]) == (0, 0.0)
    assert found["average_price"] is found["improvement"] is found["slippage"] is found["saved"] is None


def test_an_order_the_gate_refused_is_not_in_fill_quality(lake: Lake) -> None:
    lake.tell(order("o", OrderStatus.REJECTED, reasons=("halt: stopped",)))
    assert lake.rows("fill_quality") == []


def test_a_day_of_fills_is_weighted_by_contracts(lake: Lake) -> None:
    _filled(lake)
    lake.tell(
        order("p", OrderStatus.PENDING, seconds=5),
        order("p", seconds=6, filled=contracts(10)),
        fill("c", "G-1-A", YES, 50, 10, seconds=6, order_id="p"),
        order("q", OrderStatus.PENDING, seconds=7),
        order("q", OrderStatus.CANCELED, seconds=8),
    )
    found = lake.row("fill_quality_by_day")
    counts = (
        found["orders"],
        found["filled_orders"],
        found["partly_filled_orders"],
        found["unfilled_orders"],
    )
    assert counts == (3, 1, 1, 1)
    assert found["fill_ratio"] == pytest.approx(18 / 30)
    assert found["improvement"] == pytest.approx(35_000 * 8 / 18)
    assert found["slippage"] == pytest.approx(-5_000)  # only one order had a known offer
    assert (found["saved"], found["day"]) == (280_000, date(2026, 11, 10))


def test_an_order_with_several_reasons_is_counted_in_each(lake: Lake) -> None:
    lake.tell(
        order("a", OrderStatus.REJECTED, reasons=("halt: stopped", "balance: $3 short")),
        order("b", OrderStatus.REJECTED, reasons=("halt: stopped",)),
        order("c", OrderStatus.PENDING),
        order("c", seconds=1, filled=contracts(10)),
    )
    found = {(row["status"], row["reason_code"]): row["orders"] for row in lake.rows("order_outcomes")}
    assert found == {("rejected", "halt"): 2, ("rejected", "balance"): 1, ("filled", ""): 1}


def test_percentiles_are_times_that_were_really_taken(lake: Lake) -> None:
    for number in range(1, 101):
        lake.tell(order(f"o{number}", seconds=number, latency_ns={"decided": number * 1_000_000}))
    (found,) = (row for row in lake.rows("latency_by_stage") if row["stage"] == "decided")
    assert (found["samples"], found["p50_ms"], found["p95_ms"], found["p99_ms"], found["max_ms"]) == (
        100, 50.0, 95.0, 99.0, 100.0,
    )  # fmt: skip


def test_one_sample_is_every_percentile(lake: Lake) -> None:
    lake.tell(order("o", latency_ns={"durable": 2_500_000}))
    (found,) = (row for row in lake.rows("latency_by_stage") if row["stage"] == "durable")
    assert found["p50_ms"] == found["p95_ms"] == found["p99_ms"] == 2.5


def test_stages_between_messages_are_measured_by_our_clock(lake: Lake) -> None:
    _filled(lake)
    found = {row["stage"]: row["p50_ms"] for row in lake.rows("latency_by_stage")}
    assert found == {"signal_to_order": 250.0, "order_to_outcome": 250.0}


def test_an_order_still_open_has_no_outcome_to_wait_for(lake: Lake) -> None:
    lake.tell(order("o", OrderStatus.PENDING), order("o", OrderStatus.UNKNOWN, seconds=9))
    assert lake.rows("latency_by_stage") == []


def test_a_feeds_delay_is_from_its_time_to_ours(lake: Lake) -> None:
    lake.tell(
        TickSeen(observed_at=at(1), source_at=at(0.75), ticker="T"),
        TickSeen(observed_at=at(2), ticker="T"),  # does not say
        TradeSeen(
            observed_at=at(3),
            source_at=at(3.5),
            ticker="T",
            trade_id="t",
            yes_price=cents(5),
            size=Quantity(1),
        ),
        odds(quote("dk", {"Boston": 2.0, "Miami": 2.0}, seconds=0), seconds=30),
    )
    assert {row["feed"]: (row["samples"], row["p50_ms"]) for row in lake.rows("feed_delay")} == {
        "kalshi_ticks": (1, 250.0), "kalshi_trades": (1, -500.0), "sportsbook_odds": (1, 30_000.0),
    }  # fmt: skip


def test_delays_older_than_thirty_days_are_left_out(lake: Lake) -> None:
    old = at(days=-40)
    lake.tell(TickSeen(observed_at=old, source_at=Instant(old - 5), ticker="T"))
    assert lake.rows("feed_delay") == []


def test_the_funnel_counts_each_market_side_once_a_day(lake: Lake) -> None:
    lake.tell(
        opportunity("1", "G-1-A", YES, ["thin_edge: 1c"]),
        opportunity("2", "G-1-A", YES, ["thin_edge: 1c"], seconds=1),
        opportunity("3", "G-1-A", YES, seconds=2),
        signal("signal-o", "3", "G-1-A", seconds=2),
        order("o", OrderStatus.PENDING, seconds=3),
        order("o", seconds=4, filled=contracts(10)),
        order("r", OrderStatus.REJECTED, seconds=5),
        fill("f", "G-1-A", YES, 50, 10, seconds=4, order_id="o"),
    )
    found = lake.row("funnel_by_day")
    del found["day"], found["league"]
    assert found == {
        "market_sides_assessed": 1, "assessments": 3, "market_sides_accepted": 1, "signals": 1,
        "orders_refused": 1, "orders_sent": 1, "orders_filled": 1,
    }  # fmt: skip
