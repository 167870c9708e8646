"""P&L from fills and results, worked out by hand: dollars, days, profiles, buckets, and where it is open."""

from __future__ import annotations

from datetime import date

import pytest

from shared.messages import AccountSeen, TickSeen
from shared.money import ONE, Usd
from shared.terms import OrderStatus, Profile, Side
from tests.support.lake import Lake, at, when
from tests.views.make import cents, contracts, fill, order, settled

YES, NO = Side.YES, Side.NO
DOLLAR = 1_000_000


def test_a_fill_told_twice_costs_once(lake: Lake) -> None:
    first = fill("f", "G-1-A", YES, 45, 10, fee=173_250, seconds=1)
    again = fill("f", "G-1-A", YES, 45, 10, fee=173_250, seconds=9)  # another message, the same fill
    lake.tell(again, first, first)
    found = lake.row("fills_once")
    assert (found["cost"], found["fee"], found["filled_at"]) == (4_500_000, 173_250, when(1))
    assert found["all_in_usd"] == pytest.approx(0.467325)


def test_a_market_that_won_pays_a_dollar_less_cost_and_fees(lake: Lake) -> None:
    lake.tell(fill("f", "G-1-A", YES, 45, 10, fee=173_250), settled("G-1-A"))
    found = lake.row("pnl_by_market")
    assert (found["cost"], found["fees"], found["revenue"]) == (4_500_000, 173_250, 10 * DOLLAR)
    assert (found["pnl"], found["pnl_usd"]) == (5_326_750, 5.32675)


def test_the_no_side_gets_the_rest_of_the_dollar(lake: Lake) -> None:
    lake.tell(fill("f", "G-1-A", NO, 30, 10), settled("G-1-A", payout=250_000))
    assert lake.row("pnl_by_market", "revenue", "pnl") == {"revenue": 7_500_000, "pnl": 4_500_000}


def test_both_sides_of_a_market_net_to_a_dollar(lake: Lake) -> None:
    lake.tell(fill("y", "G-1-A", YES, 40, 10), fill("n", "G-1-A", NO, 55, 4, seconds=5), settled("G-1-A", 0))
    found = lake.row("pnl_by_market")
    assert (found["netted_quantity"], found["revenue"]) == (400, 4 * DOLLAR)  # six YES lost
    assert found["pnl"] == 4 * DOLLAR - 4 * DOLLAR - 2_200_000


def test_a_scalar_payout_is_rounded_down_once_a_market_and_the_fills_add_up(lake: Lake) -> None:
    lake.tell(
        fill("a", "G-1-A", YES, 40, 0.01), fill("b", "G-1-A", YES, 40, 0.01, seconds=1),
        fill("c", "G-1-A", YES, 40, 0.01, seconds=2), settled("G-1-A", payout=333_350),
    )  # fmt: skip
    assert lake.row("pnl_by_market")["revenue"] == 10_000  # of 10,000.5
    revenues = [row["revenue"] for row in lake.rows("pnl_by_fill", "fill_id", "revenue")]
    assert revenues == [3_334, 3_333, 3_333]  # each 3,333.5; what is left over is on the first


def test_an_open_market_has_no_profit_yet(lake: Lake) -> None:
    lake.tell(fill("f", "G-1-A", YES, 45, 10))
    assert lake.row("pnl_by_market")["pnl"] is None
    assert lake.rows("pnl_cube") == []


def test_paper_and_live_are_kept_apart(lake: Lake) -> None:
    lake.tell(
        fill("p", "G-1-A", YES, 40, 10), fill("l", "G-1-A", YES, 50, 1, mode="live"), settled("G-1-A"),
    )  # fmt: skip
    assert lake.rows("pnl_by_market", "mode", "pnl") == [
        {"mode": "live", "pnl": 500_000},
        {"mode": "paper", "pnl": 6 * DOLLAR},
    ]


def test_a_settlement_told_again_with_another_payout_replaces_the_first(lake: Lake) -> None:
    lake.tell(fill("f", "G-1-A", YES, 40, 10), settled("G-1-A", 0, seconds=10), settled("G-1-A", seconds=20))
    assert lake.row("pnl_by_market", "result", "pnl") == {"result": "yes", "pnl": 6 * DOLLAR}


def _two_days(lake: Lake) -> None:
    """Day one: two fills, one market lost. Day two: the other won."""
    lake.tell(
        order("order-a", expected_edge=0.015, profile=Profile.SCALP),
        order("order-b", expected_edge=0.06),
        fill("a", "G-1-A", YES, 45, 10, fee=100_000, profile=Profile.SCALP),
        fill("b", "H-1-B", NO, 30, 20, fee=200_000, league="NFL"),
        settled("G-1-A", 0, seconds=60),
        settled("H-1-B", 0, days=1),
    )


def test_days_count_fills_when_filled_and_profit_when_settled(lake: Lake) -> None:
    _two_days(lake)
    first, second = lake.rows("pnl_by_day")
    assert (first["day"], first["orders"], first["quantity"], first["staked"]) == (
        date(2026, 11, 10), 2, 3_000, 10_500_000,
    )  # fmt: skip
    assert (first["fees"], first["settled_markets"], first["won_markets"], first["pnl"]) == (
        300_000,
        1,
        0,
        -4_600_000,
    )
    assert (second["orders"], second["settled_markets"], second["won_markets"]) == (0, 1, 1)
    assert (second["pnl"], second["cumulative_pnl"]) == (13_800_000, 9_200_000)


@pytest.mark.parametrize(
    ("view", "column", "values"),
    [
        ("pnl_by_sport", "league", {"NBA": -4_600_000, "NFL": 13_800_000}),
        ("pnl_by_profile", "profile", {"scalp": -4_600_000, "standard": 13_800_000}),
        ("pnl_by_edge_bucket", "edge_bucket", {"1c-2c": -4_600_000, "5c-8c": 13_800_000}),
    ],
)
def test_profit_is_cut_by(lake: Lake, view: str, column: str, values: dict[str, int]) -> None:
    _two_days(lake)
    assert {row[column]: row["pnl"] for row in lake.rows(view)} == values


def test_the_cube_carries_what_was_expected(lake: Lake) -> None:
    _two_days(lake)
    cells = {row["edge_bucket"]: row for row in lake.rows("pnl_cube")}
    assert cells["1c-2c"]["expected_usd"] == pytest.approx(0.15)  # ten contracts at 1.5 cents
    assert (cells["5c-8c"]["day"], cells["5c-8c"]["fees"]) == (date(2026, 11, 11), 200_000)


@pytest.mark.parametrize(
    ("edge", "bucket"),
    [(-0.01, "0c-1c"), (0.0099, "0c-1c"), (0.01, "1c-2c"), (0.02, "2c-3c"), (0.03, "3c-5c"), (0.05, "5c-8c"),
     (0.08, "8c+"), (None, "unknown")],
)  # fmt: skip
def test_an_expected_edge_falls_into_its_bucket(lake: Lake, edge: float | None, bucket: str) -> None:
    lake.tell(order("order-f", expected_edge=edge), fill("f", "G-1-A", YES, 40, 1))
    assert lake.row("pnl_by_fill")["edge_bucket"] == bucket


def test_a_fill_without_its_order_is_counted_in_the_unknown_bucket(lake: Lake) -> None:
    lake.tell(fill("f", "G-1-A", YES, 40, 1), settled("G-1-A"))
    assert lake.row("pnl_by_edge_bucket", "edge_bucket", "pnl") == {"edge_bucket": "unknown", "pnl": 600_000}


def test_the_ledger_is_contradicted_only_where_it_differs(lake: Lake) -> None:
    lake.tell(
        fill("a", "G-1-A", YES, 40, 10), settled("G-1-A", pnl=6 * DOLLAR),
        fill("b", "H-1-B", YES, 40, 10), settled("H-1-B", pnl=5 * DOLLAR),
    )  # fmt: skip
    found = lake.row("pnl_versus_ledger")
    assert (found["ticker"], found["difference"]) == ("H-1-B", DOLLAR)


def test_an_open_position_is_worth_its_bid_and_knows_both_ends(lake: Lake) -> None:
    lake.tell(
        fill("f", "G-1-A", YES, 45, 10, fee=100_000),
        TickSeen(observed_at=at(10), ticker="G-1-A", yes_bid=cents(50), yes_ask=cents(52)),
        TickSeen(observed_at=at(5), ticker="G-1-A", yes_bid=cents(10), yes_ask=cents(12)),
    )
    found = lake.row("open_positions")
    assert (found["side"], found["quantity"], found["value_at_bid"]) == ("yes", 1_000, 5 * DOLLAR)
    assert (found["unrealized"], found["pnl_if_yes"], found["pnl_if_no"]) == (400_000, 5_400_000, -4_600_000)


def test_an_open_no_is_worth_what_yes_asks_short_of_a_dollar(lake: Lake) -> None:
    lake.tell(
        fill("f", "G-1-A", NO, 45, 10),
        TickSeen(observed_at=at(5), ticker="G-1-A", yes_bid=cents(50), yes_ask=cents(52)),
    )
    found = lake.row("open_positions")
    assert (found["side"], found["value_at_bid"]) == ("no", 4_800_000)
    assert (found["pnl_if_yes"], found["pnl_if_no"]) == (-4_500_000, 5_500_000)


def test_a_netted_pair_is_neither_open_nor_at_risk(lake: Lake) -> None:
    lake.tell(fill("y", "G-1-A", YES, 40, 10), fill("n", "G-1-A", NO, 55, 10))
    assert lake.rows("open_positions") == []


def test_a_quote_older_than_a_week_is_no_mark(lake: Lake) -> None:
    lake.tell(
        fill("f", "G-1-A", YES, 45, 10),
        TickSeen(observed_at=at(days=-7), ticker="G-1-A", yes_bid=cents(50), yes_ask=cents(52)),
    )
    assert lake.row("open_positions", "value_at_bid", "unrealized") == {
        "value_at_bid": None,
        "unrealized": None,
    }


def test_exposure_adds_up_each_markets_own_worst(lake: Lake) -> None:
    lake.tell(
        fill("a", "G-1-A", YES, 40, 10),
        fill("b", "G-1-B", YES, 50, 10),
        fill("c", "H-1-A", NO, 20, 10, league="NFL"),
    )
    events = {row["event_ticker"]: row for row in lake.rows("exposure_by_event")}
    assert (events["G-1"]["markets"], events["G-1"]["at_risk"], events["G-1"]["best_case"]) == (
        2, 9 * DOLLAR, 11 * DOLLAR,
    )  # fmt: skip
    sports = {row["league"]: row for row in lake.rows("exposure_by_sport")}
    assert (sports["NFL"]["at_risk"], sports["NBA"]["largest_event"]) == (2 * DOLLAR, 9 * DOLLAR)
    assert sports["NBA"]["share_of_risk"] == pytest.approx(9 / 11)


def test_equity_is_the_days_last_word_and_falls_from_its_best(lake: Lake) -> None:
    def account(cash: int, worth: int, seconds: float = 0, days: int = 0) -> AccountSeen:
        return AccountSeen(
            observed_at=at(seconds, days), mode="paper", cash=Usd(cash), portfolio_value=Usd(worth)
        )

    lake.tell(account(1, 0), account(90, 20, 60), account(70, 10, days=1), account(95, 25, days=2))
    rows = lake.rows("equity_by_day", "day", "equity", "change", "drawdown")
    assert [(row["equity"], row["change"], row["drawdown"]) for row in rows] == [
        (110, None, 0), (80, -30, 30), (120, 40, 0),
    ]  # fmt: skip


def test_a_position_follows_the_ledgers_newest_word(lake: Lake) -> None:
    from shared.messages import PositionChanged

    def position(lots: float, fees: int, seconds: float) -> PositionChanged:
        return PositionChanged(
            observed_at=at(seconds), ticker="G-1-A", event_ticker="G-1", quantity=contracts(lots),
            cost=Usd(5), fees=Usd(fees), realized=Usd(3),
        )  # fmt: skip

    # The clock was set back between the two: the fees tell which is the newer.
    lake.tell(position(10, 100, seconds=60), position(20, 200, seconds=0))
    assert lake.row("positions_current", "quantity", "pnl") == {"quantity": 2_000, "pnl": -197}


def test_an_order_is_known_by_its_newest_state(lake: Lake) -> None:
    lake.tell(
        order("o", OrderStatus.FILLED, seconds=1, filled=contracts(10)),
        order("o", OrderStatus.PENDING, seconds=0),
        order("p", OrderStatus.CANCELED, seconds=3, filled=contracts(4)),
        order("p", OrderStatus.PENDING, seconds=3),
        order("r", OrderStatus.REJECTED, reasons=("halt: stopped",)),
    )
    found = {row["order_id"]: row for row in lake.rows("orders_current")}
    assert {name: (row["status"], row["was_sent"]) for name, row in found.items()} == {
        "o": ("filled", True), "p": ("canceled", True), "r": ("rejected", False),
    }  # fmt: skip
    assert (found["o"]["created_at"], found["o"]["changed_at"]) == (when(0), when(1))


def test_the_whole_dollar_is_one_million(lake: Lake) -> None:
    assert ONE == DOLLAR
    lake.tell(fill("f", "G-1-A", YES, 45, 10, fee=173_250))
    found = lake.row("usd_fills")
    assert (found["price_usd"], found["quantity_contracts"], found["fee_usd"]) == (0.45, 10.0, 0.17325)
