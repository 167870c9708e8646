"""What the props tables answer: movement, the books beside the exchange, contradictions, results."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from shared.messages import PropListed
from shared.money import Price, Quantity
from shared.terms import MarketStatus, Result
from tests.support.lake import Lake, when
from tests.views.make import cents, contracts
from tests.views.make_props import DAY, compared, ended, listed, predicted, quoted

# --- now ---------------------------------------------------------------------------------------------------


def test_the_newest_state_of_a_rung_stands_for_it(lake: Lake) -> None:
    lake.tell(listed(25, 40, 44, 0), listed(25, 48, 50, 60, findings=("range: far", "crossed: much")))
    found = lake.row("prop_rungs_current")
    assert (found["yes_bid"], found["middle"], found["spread"]) == (cents(48), 0.49, pytest.approx(0.02))
    assert (found["findings"], found["observed_at"]) == ("range: far; crossed: much", when(60))


def test_a_side_without_a_quote_has_no_middle(lake: Lake) -> None:
    lake.tell(listed(25, None, 50))
    found = lake.row("prop_rungs_current")
    assert (found["middle"], found["spread"], found["yes_ask"]) == (None, None, cents(50))


def test_a_row_delivered_twice_counts_once(lake: Lake) -> None:
    lake.tell(listed(), listed())
    assert len(lake.rows("prop_rungs_current")) == 1
    assert len(lake.rows("prop_line_movement")) == 1


# --- movement ----------------------------------------------------------------------------------------------


def test_each_change_says_how_far_it_moved_and_since_the_opening(lake: Lake) -> None:
    lake.tell(
        listed(25, 48, 50, 0), listed(25, 50, 54, 60), listed(25, None, 54, 120), listed(25, 46, 48, 3_600)
    )  # fmt: skip
    rows = lake.rows("prop_line_movement", "nth_change", "middle", "moved", "since_opening", "hours_to_start")
    assert [row["nth_change"] for row in rows] == [1, 2, 3, 4]
    assert [row["middle"] for row in rows] == [0.49, 0.52, None, 0.47]
    assert [row["moved"] for row in rows] == [None, pytest.approx(0.03), None, None]
    assert rows[3]["since_opening"] == pytest.approx(-0.02)
    assert [row["hours_to_start"] for row in rows][::3] == [2.0, 1.0]


def test_a_books_line_moves_apart_from_its_price_and_from_its_alternates(lake: Lake) -> None:
    lake.tell(
        quoted(24.5, 0.50, 0), quoted(25.5, 0.48, 60), quoted(29.5, 0.2, 60, is_alternate=True),
        quoted(23.5, 0.5, 30, bookmaker="fd"),
    )  # fmt: skip
    rows = lake.rows("prop_book_movement", "bookmaker", "line", "line_moved", "fair_moved")
    assert [(row["bookmaker"], row["line"], row["line_moved"]) for row in rows] == [
        ("dk", 24.5, None), ("dk", 25.5, 1.0), ("fd", 23.5, None),
    ]  # fmt: skip
    assert rows[1]["fair_moved"] == pytest.approx(-0.02)


# --- beside the books --------------------------------------------------------------------------------------


def test_a_comparison_stands_beside_the_newest_price(lake: Lake) -> None:
    lake.tell(listed(25, 48, 50), compared(0.60, 0), compared(0.56, 60, tradable=False, reasons=("a", "b")))
    found = lake.row("prop_kalshi_versus_books")
    assert (found["fair"], found["middle"], found["gap"]) == (0.56, 0.49, pytest.approx(-0.07))
    assert (found["tradable"], found["reasons"], found["threshold"]) == (False, "a; b", 25)
    assert found["best_net_edge"] == pytest.approx(0.03)


def test_discrepancies_are_counted_once_a_day_and_without_the_exchanges_own_lines(lake: Lake) -> None:
    lake.tell(
        predicted(5.0, seconds=0), predicted(1.0, seconds=60), predicted(-2.0, "2026-11-09"),
        predicted(0.0, "2026-11-08"), predicted(None, "2026-11-07"),
        predicted(9.0, "2026-11-06", line_source="kalshi"),
    )  # fmt: skip
    found = lake.row("prop_discrepancies")
    assert (found["days"], found["widest"]) == (3, 2.0)
    assert found["mean_discrepancy"] == pytest.approx(-1 / 3)
    assert (found["mean_distance"], found["share_apart"]) == (1.0, pytest.approx(2 / 3))
    assert str(found["last_day"]) == DAY


# --- contradictions ----------------------------------------------------------------------------------------


def pairs(lake: Lake, rows: Sequence[PropListed]) -> list[dict[str, object]]:
    lake.tell(*rows)
    return lake.rows("prop_ladder_arbitrage")


def test_a_higher_rung_bid_over_a_lower_ones_offer_is_found_for_as_long_as_both_hold(lake: Lake) -> None:
    (found,) = pairs(
        lake, [listed(20, 60, 62, 0), listed(25, 65, 68, 30), listed(20, 70, 72, 90), listed(25, 40, 42, 300)]
    )
    assert (found["low_ask"], found["high_bid"], found["gap"]) == (cents(62), cents(65), 30_000)
    assert (found["size"], found["began_at"], found["ended_at"]) == (contracts(50), when(30), when(90))
    assert found["seconds"] == 60.0
    # 7 % of p(1-p) on both legs.
    assert found["pair_charge"] == pytest.approx(0.07 * (0.62 * 0.38 + 0.65 * 0.35))
    assert found["net_gap"] == pytest.approx(0.03 - 0.07 * (0.62 * 0.38 + 0.65 * 0.35))


def test_a_contradiction_that_still_holds_has_no_end(lake: Lake) -> None:
    (found,) = pairs(lake, [listed(20, 60, 62), listed(25, 65, 68)])
    assert (found["ended_at"], found["seconds"]) == (None, None)


def test_states_that_never_held_together_are_no_contradiction(lake: Lake) -> None:
    assert pairs(lake, [listed(20, 60, 62, 0), listed(20, 70, 72, 30), listed(25, 65, 68, 30)]) == []


def test_rungs_of_two_players_or_closed_ones_are_no_ladder(lake: Lake) -> None:
    other = listed(25, 65, 68, player_lookup="jaylenbrown", ticker="KXNBAPTS-G-BOSJBROWN7-25")
    closed = listed(30, 65, 68, status=MarketStatus.CLOSED)
    assert pairs(lake, [listed(20, 60, 62), other, closed]) == []


# --- liquidity ---------------------------------------------------------------------------------------------


def test_liquidity_is_told_by_series_and_eastern_hour(lake: Lake) -> None:
    lake.tell(
        listed(25, 48, 50, 0, round_trip_cost=0.06), listed(30, None, 30, 60, depth=Quantity(5_000)),
        listed(25, 48, 52, 3_600, liquidity="HIGH"), listed(35, 10, 12, 60, status=MarketStatus.CLOSED),
    )  # fmt: skip
    first, second = lake.rows("prop_liquidity_by_hour")
    assert (first["eastern_hour"], first["states"], first["markets"]) == (7, 2, 2)  # noon UTC in November
    assert (first["share_two_sided"], first["mean_depth"]) == (0.5, 10_000.0)
    assert (first["share_round_trip"], first["round_trip_cost"]) == (0.5, 0.06)
    assert (second["eastern_hour"], second["spread"], second["share_high"]) == (8, pytest.approx(0.04), 1.0)


# --- results -----------------------------------------------------------------------------------------------


def test_a_result_stands_beside_the_last_price_before_the_start(lake: Lake) -> None:
    late = 2.5 * 3_600
    lake.tell(
        listed(25, 40, 44, 0), listed(25, 48, 50, 60), listed(25, 90, 92, late), ended(25, Result.YES, 100)
    )  # fmt: skip
    found = lake.row("prop_results")
    assert (found["before_start"], found["quoted_at"], found["hit"]) == (0.49, when(60), 1)
    assert (found["result"], found["settlement_value"]) == ("yes", Price(1_000_000))


def test_a_fair_price_is_a_result_and_no_hit(lake: Lake) -> None:
    lake.tell(listed(25), ended(25, Result.SCALAR, 49))
    found = lake.row("prop_results")
    assert (found["hit"], found["settlement_value"]) == (None, cents(49))


def test_calibration_and_hit_rates_count_what_was_decided(lake: Lake) -> None:
    rungs = [listed(20, 62, 66), listed(25, 60, 64), listed(30, 20, 24), listed(35, 8, 10)]
    results = [
        ended(20, Result.YES, 100),
        ended(25, Result.NO, 0),
        ended(30, Result.NO, 0),
        ended(35, Result.SCALAR, 9),
    ]
    lake.tell(*rungs, *results)
    low, high = lake.rows("prop_calibration", "tenth", "n", "priced", "hit_rate", "brier", "low", "high")
    assert (low["tenth"], low["n"], low["hit_rate"]) == (2, 1, 0.0)
    assert (high["tenth"], high["n"], high["hit_rate"], high["priced"]) == (6, 2, 0.5, pytest.approx(0.63))
    assert high["brier"] == pytest.approx((0.36**2 + 0.62**2) / 2)
    assert 0.0 < high["low"] < 0.5 < high["high"] < 1.0
    rates = lake.rows("prop_hit_rates", "threshold", "decided", "fair_prices", "hits", "hit_rate", "priced")
    assert [(row["threshold"], row["decided"], row["fair_prices"], row["hits"]) for row in rates] == [
        (20, 1, 0, 1), (25, 1, 0, 0), (30, 1, 0, 0), (35, 0, 1, None),
    ]  # fmt: skip
    assert rates[0]["priced"] == pytest.approx(0.64)
