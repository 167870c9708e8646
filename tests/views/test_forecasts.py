"""Forecasts against results, refused prices against what they would have made: worked out by hand."""

from __future__ import annotations

import math

import pytest

from shared.analytics.proportion import wilson
from shared.messages import OpportunityAssessed
from shared.money import ONE, Usd
from shared.terms import OrderStatus, Profile, Side
from tests.support.lake import Lake, when
from tests.views.make import cents, contracts, fair, fill, opportunity, order, resolved, settled, signal

YES, NO = Side.YES, Side.NO


def test_the_last_view_before_the_start_is_the_books_forecast(lake: Lake) -> None:
    lake.tell(
        opportunity("1", "G-1-A", YES, ["x"], seconds=0, fair=fair(0.3, multiplicative=0.4)),
        opportunity("2", "G-1-A", YES, ["x"], seconds=60, fair=fair(0.5, multiplicative=0.55)),
        opportunity("3", "G-1-A", YES, ["x"], seconds=8_000, fair=fair(0.9)),  # in play
        resolved("G-1-A"),
    )
    found = lake.row("forecasts", "source", "probability", "won", "made_at")
    assert found == {"source": "books", "probability": 0.55, "won": 1, "made_at": when(60)}


def test_the_exchanges_forecast_is_the_middle_of_its_two_offers(lake: Lake) -> None:
    lake.tell(
        opportunity("y", "G-1-A", YES, ["x"], ask=cents(52), fair=fair(0.5)),
        opportunity("n", "G-1-A", NO, ["x"], ask=cents(50), fair=fair(0.5)),
        resolved("G-1-A", 0),
    )
    (found,) = (row for row in lake.rows("forecasts") if row["source"] == "exchange")
    assert (found["probability"], found["won"]) == (0.51, 0)


def test_an_order_that_filled_is_a_forecast_of_the_side_bought(lake: Lake) -> None:
    lake.tell(
        order("o", side=NO, fair_probability=0.7, seconds=2), fill("f", "G-1-A", NO, 60, 1, order_id="o"),
        order("u", OrderStatus.CANCELED, fair_probability=0.9), resolved("G-1-A", 0),
    )  # fmt: skip
    found = lake.row("forecasts", "source", "side", "probability", "won")
    assert found == {"source": "traded", "side": "no", "probability": 0.7, "won": 1}


def test_a_market_that_ended_neither_way_judges_no_forecast(lake: Lake) -> None:
    lake.tell(opportunity("1", "G-1-A", YES, ["x"], fair=fair(0.3)), resolved("G-1-A", 500_000))
    assert lake.rows("forecasts") == []


def _forecast(lake: Lake, number: int, probability: float, won: bool) -> None:
    ticker = f"G-{number}-A"
    lake.tell(
        opportunity(str(number), ticker, YES, ["x"], fair=fair(probability)),
        resolved(ticker, ONE if won else 0),
    )


def test_each_tenth_has_its_hit_rate_and_wilson_interval(lake: Lake) -> None:
    for number in range(5):
        _forecast(lake, number, 0.6 + number / 100, won=number < 3)
    _forecast(lake, 9, 1.0, won=True)
    low, high = wilson(3, 5)
    six, nine = lake.rows("calibration")
    assert (six["tenth"], six["n"], six["hit_rate"]) == (6, 5, 0.6)
    assert six["forecast"] == pytest.approx(0.62)
    assert (six["low"], six["high"]) == (pytest.approx(low), pytest.approx(high))
    assert (nine["tenth"], nine["n"], nine["high"]) == (9, 1, pytest.approx(1.0))


def test_scores_are_brier_and_log_loss(lake: Lake) -> None:
    _forecast(lake, 1, 0.8, won=True)
    _forecast(lake, 2, 0.6, won=False)
    _forecast(lake, 3, 0.0, won=False)
    found = lake.row("forecast_scores")
    assert found["brier"] == pytest.approx((0.04 + 0.36 + 0) / 3)
    assert found["log_loss"] == pytest.approx(-(math.log(0.8) + math.log(0.4) + math.log(1 - 1e-6)) / 3)
    assert (found["n"], found["clipped"], found["bias"]) == (3, 1, pytest.approx(1.4 / 3 - 1 / 3))
    p = 1e-6
    deviation = 0.2 * -0.6 + -0.6 * -0.2 + -p * (1 - 2 * p)
    spread = 0.36 * 0.16 + 0.04 * 0.24 + (1 - 2 * p) ** 2 * p * (1 - p)
    assert found["z"] == pytest.approx(deviation / math.sqrt(spread))


def test_realised_edge_stands_beside_what_was_expected(lake: Lake) -> None:
    lake.tell(
        order("order-a", expected_edge=0.04, fair_probability=0.6),
        fill("a", "G-1-A", YES, 55, 10, fee=100_000),
        order("order-b", expected_edge=0.04, fair_probability=0.6),
        fill("b", "H-1-A", YES, 55, 10, fee=100_000),
        settled("G-1-A"),
        settled("H-1-A", 0),
    )
    found = lake.row("edge_realised")
    assert (found["edge_bucket"], found["fills"], found["events"], found["contracts"]) == (
        "3c-5c",
        2,
        2,
        20.0,
    )
    assert (found["expected_usd"], found["realised_usd"]) == (pytest.approx(0.8), pytest.approx(-1.2))
    assert (found["expected_per_contract"], found["realised_per_contract"]) == (
        pytest.approx(0.04),
        pytest.approx(-0.06),
    )
    assert found["z"] == pytest.approx((0.4 * 10 - 0.6 * 10) / math.sqrt(2 * 0.24 * 100))
    assert found["clv_per_contract"] is None


def test_a_scalar_result_counts_in_money_but_not_in_z(lake: Lake) -> None:
    lake.tell(order("order-a"), fill("a", "G-1-A", YES, 50, 10), settled("G-1-A", 500_000))
    found = lake.row("edge_realised")
    assert (found["realised_usd"], found["z"]) == (0.0, None)


def _refused(
    identity: str, ticker: str = "G-1-A", *reasons: str, seconds: float = 0, **changes: object
) -> OpportunityAssessed:
    """Ten contracts at 50 all in, worth 53: refused nevertheless."""
    known = {
        "ask": cents(48),
        "all_in": 0.5,
        "net_edge": 0.03,
        "quantity": contracts(10),
        "expected_value": Usd(250_000),
        "fair": fair(0.53),
        "seconds": seconds,
    }
    return opportunity(identity, ticker, YES, reasons or ("thin_edge: 3c",), **(known | changes))  # type: ignore[arg-type]


def test_a_refused_price_would_have_paid_its_result_less_the_whole_depth(lake: Lake) -> None:
    lake.tell(_refused("1"), resolved("G-1-A"))
    found = lake.row("rejected_opportunities")
    assert found["would_have_per_contract"] == pytest.approx(0.5)
    # The depth cost 5.30 (its worth) less 0.25 (its net value): 5.05 for ten contracts that paid 10.
    assert found["would_have"] == 4_950_000


def test_only_the_first_refusal_of_a_side_counts(lake: Lake) -> None:
    lake.tell(
        _refused("0", seconds=0, net_edge=-0.01),
        _refused("1", seconds=1),
        _refused("2", seconds=2, net_edge=0.1),
        resolved("G-1-A", 0),
    )
    found = lake.row("rejected_opportunities")
    assert (found["opportunity_id"], found["would_have"]) == ("1", -5_050_000)


def test_before_the_end_nobody_knows_what_it_would_have_made(lake: Lake) -> None:
    lake.tell(_refused("1"), signal("s", "9", "G-1-A", seconds=5))
    found = lake.row("rejected_opportunities", "would_have", "would_have_per_contract", "signalled_later")
    assert found == {"would_have": None, "would_have_per_contract": None, "signalled_later": True}


def test_an_accepted_price_is_not_among_the_refused(lake: Lake) -> None:
    lake.tell(opportunity("1", "G-1-A", YES, net_edge=0.05, all_in=0.5))
    assert lake.rows("rejected_opportunities") == []


def test_a_check_is_judged_by_what_it_alone_refused(lake: Lake) -> None:
    lake.tell(
        _refused("1", "G-1-A", "few_books: 2, needs 3"),
        _refused("2", "H-1-A", "few_books: 2, needs 3", "confidence: 30, needs 40"),
        _refused("3", "I-1-A", "few_books: 1, needs 3", profile=Profile.SCALP),
        resolved("G-1-A"), resolved("H-1-A", 0),
    )  # fmt: skip
    found = {(row["profile"], row["reason_code"]): row for row in lake.rows("rejections_by_reason")}
    books = found["standard", "few_books"]
    assert (books["refused"], books["alone"], books["ended"], books["won_share"]) == (2, 1, 2, 0.5)
    assert (books["would_have"], books["would_have_alone"]) == (4_950_000 - 5_050_000, 4_950_000)
    assert books["would_have_per_contract"] == pytest.approx(0.0)
    assert (
        found["standard", "confidence"]["alone"],
        found["standard", "confidence"]["would_have_alone"],
    ) == (0, None)
    assert found["scalp", "few_books"]["ended"] == 0


def test_every_assessment_of_a_day_counts_for_its_reasons(lake: Lake) -> None:
    lake.tell(
        _refused("1", "G-1-A", "thin: x", "wide: y"), _refused("2", "G-1-A", "thin: z", seconds=9),
        opportunity("3", "G-1-A", YES),
    )  # fmt: skip
    found = {
        row["reason_code"]: (row["assessments"], row["market_sides"])
        for row in lake.rows("rejections_by_day")
    }
    assert found == {"thin": (2, 1), "wide": (1, 1)}


def test_a_result_is_known_from_the_exchange_or_from_the_ledger(lake: Lake) -> None:
    lake.tell(
        resolved("G-1-A", 0, seconds=10),
        settled("H-1-A", seconds=20),
        resolved("I-1-A", 0),
        settled("I-1-A", seconds=9_000),
    )
    found = {row["ticker"]: row["result"] for row in lake.rows("market_results")}
    assert found == {"G-1-A": "no", "H-1-A": "yes", "I-1-A": "yes"}
