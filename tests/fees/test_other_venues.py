from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import Instant, parse_instant
from shared.errors import MalformedError
from shared.fees.forecastex import ForecastExFees, fees_on
from shared.fees.kalshi import FeeSchedule
from shared.fees.polymarket import WORST_RATE_MICRO, PolymarketFees, Rounding, rate_on
from shared.fees.polymarket_us import PolymarketUsFees
from shared.fees.protocol import FINE, VenueFees, fine, from_fine
from shared.money import MICROS, Price, Quantity, parse_price, parse_quantity, parse_usd
from shared.terms import FeeType

EVERY_VENUE: Sequence[VenueFees] = (
    FeeSchedule(FeeType.QUADRATIC),
    PolymarketFees(50_000),
    PolymarketFees(250_000, exponent=2),
    PolymarketUsFees(),
    ForecastExFees(),
)


def instant(text: str) -> Instant:
    moment = parse_instant(text)
    assert moment is not None
    return moment


@pytest.mark.parametrize(
    ("category", "day", "rate"),
    [
        ("sports", "2026-07-09", 30_000),
        ("sports", "2026-07-10", 50_000),
        ("geopolitics", "2026-10-01", 0),
        ("never heard of", "2026-10-01", WORST_RATE_MICRO),
    ],
)
def test_polymarket_rates_follow_category_and_date(category: str, day: str, rate: int) -> None:
    assert rate_on(category, instant(f"{day}T00:00:00Z")) == rate


def test_a_polymarket_market_without_a_schedule_is_assumed_to_pay_the_worst_rate() -> None:
    assert PolymarketFees().fee(parse_price("0.50"), parse_quantity("100")) == parse_usd("1.75")


def test_polymarket_rounds_the_fifth_decimal_as_told() -> None:
    price, size = parse_price("0.137"), parse_quantity("12.5")
    fees = [PolymarketFees(50_000, rounding=rule).fee(price, size) for rule in Rounding]
    assert fees == [parse_usd("0.07389"), parse_usd("0.07389"), parse_usd("0.07390")]


def test_polymarket_once_charged_crypto_by_the_square() -> None:
    fees = PolymarketFees(250_000, exponent=2)
    assert fees.fee(parse_price("0.50"), parse_quantity("100")) == parse_usd("1.5625")


@pytest.mark.parametrize(("rate", "exponent"), [(-1, 1), (MICROS + 1, 1), (50_000, 3)])
def test_an_implausible_polymarket_schedule_is_refused(rate: int, exponent: int) -> None:
    with pytest.raises(MalformedError):
        PolymarketFees(rate, exponent)


def test_polymarket_us_rounds_half_to_even_and_pays_makers() -> None:
    fees, price, size = PolymarketUsFees(), parse_price("0.50"), parse_quantity("1000")
    assert fees.fee(price, size) == parse_usd("17.38")
    assert fees.charge(price, size, is_taker=False) == parse_usd("-3.12")


def test_polymarket_us_trades_whole_contracts_only() -> None:
    with pytest.raises(MalformedError, match="whole"):
        PolymarketUsFees().fee(parse_price("0.50"), parse_quantity("1.5"))


def test_forecastex_charges_a_cent_since_the_end_of_march() -> None:
    price, size = parse_price("0.50"), parse_quantity("40")
    assert fees_on(instant("2026-03-30T12:00:00Z")).fee(price, size) == 0
    assert fees_on(instant("2026-03-31T12:00:00Z")).fee(price, size) == parse_usd("0.40")


@pytest.mark.parametrize("fees", EVERY_VENUE)
def test_all_in_cost_grows_with_the_price(fees: VenueFees) -> None:
    costs = [fees.all_in(Price(cents * 10_000)) for cents in range(101)]
    assert costs == sorted(set(costs))


@pytest.mark.parametrize("fees", EVERY_VENUE)
@given(cents=st.integers(1, 99), whole=st.integers(1, 500))
def test_a_budget_is_never_below_the_fee_of_one_fill(fees: VenueFees, cents: int, whole: int) -> None:
    price, size = Price(cents * 10_000), Quantity(whole * 100)
    assert fees.fee(price, size) <= fees.budget([(price, size)])


@pytest.mark.parametrize("fees", EVERY_VENUE)
def test_an_impossible_price_is_refused_everywhere(fees: VenueFees) -> None:
    with pytest.raises(MalformedError):
        fees.fee(Price(MICROS + 1), Quantity(100))


def test_a_probability_means_what_it_says() -> None:
    assert fine(0.55) == 55 * FINE // 100
    assert from_fine(fine(0.1)) == 0.1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -3.0])
def test_what_is_no_probability_has_no_fine_amount(value: float) -> None:
    with pytest.raises(MalformedError):
        fine(value)
