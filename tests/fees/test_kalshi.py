from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import Instant, parse_instant
from shared.errors import MalformedError
from shared.fees.kalshi import (
    CLEARED,
    DIRECT,
    FeeSchedule,
    OrderFees,
    Regime,
    model_fee,
    order_budget,
    precision_on,
    regime_on,
    schedule_for,
    schedule_problem,
    trade_fee,
    waived,
)
from shared.fees.protocol import FINE
from shared.money import MICROS, Price, Quantity, Usd, parse_price, parse_quantity, parse_usd
from shared.terms import FeeType

TAKER = FeeSchedule(FeeType.QUADRATIC)
MAKERS_PAY = FeeSchedule(FeeType.QUADRATIC_WITH_MAKER_FEES)

cent_prices = st.integers(1, 99).map(lambda cents: Price(cents * 10_000))
fine_prices = st.integers(1, 9_999).map(lambda ticks: Price(ticks * 100))
contracts = st.integers(1, 200).map(lambda whole: Quantity(whole * 100))
lots = st.integers(100, 20_000).map(Quantity)
schedules = st.builds(
    FeeSchedule,
    st.just(FeeType.QUADRATIC),
    st.sampled_from([500_000, 1_000_000, 1_500_000]),
    st.sampled_from([DIRECT, CLEARED]),
    st.sampled_from(list(Regime)),
)


def instant(text: str) -> Instant:
    moment = parse_instant(text)
    assert moment is not None
    return moment


@pytest.mark.parametrize(
    ("price", "count", "fee"),
    [("0.52", "1", "0.0175"), ("0.99", "1", "0.0007"), ("0.29", "243.12", "3.5041")],
)
def test_recorded_fills_are_charged_exactly(price: str, count: str, fee: str) -> None:
    assert TAKER.fee(parse_price(price), parse_quantity(count)) == parse_usd(fee)


@pytest.mark.parametrize(
    ("price", "count", "schedule", "fee"),
    [
        ("0.43", "100", TAKER, "1.7157"),
        ("0.43", "7.77", TAKER, "0.1334"),
        ("0.03", "0.01", TAKER, "0.0001"),
        ("0.055", "1", FeeSchedule(FeeType.QUADRATIC, precision=CLEARED), "0.005"),
        ("0.43", "100", FeeSchedule(FeeType.QUADRATIC, 500_000), "0.8579"),
    ],
)
def test_the_venues_examples_are_reproduced(price: str, count: str, schedule: FeeSchedule, fee: str) -> None:
    assert schedule.fee(parse_price(price), parse_quantity(count)) == parse_usd(fee)


def test_a_maker_pays_a_quarter_where_the_series_is_listed() -> None:
    fee = OrderFees(MAKERS_PAY).charge(parse_price("0.43"), parse_quantity("100"), is_taker=False)
    assert fee == parse_usd("0.4290")


def test_a_maker_pays_nothing_elsewhere() -> None:
    assert OrderFees(TAKER).charge(parse_price("0.43"), parse_quantity("100"), is_taker=False) == 0


def test_five_small_fills_share_one_accumulator() -> None:
    order = OrderFees(TAKER)
    fees = [order.charge(parse_price("0.43"), parse_quantity("0.33")) for _ in range(5)]
    assert fees == [parse_usd(text) for text in ("0.0057", "0.0057", "0.0056", "0.0057", "0.0057")]
    assert order.total == sum(fees)


def test_taker_and_maker_fills_share_the_accumulator() -> None:
    order = OrderFees(MAKERS_PAY)
    price, size = parse_price("0.43"), parse_quantity("0.33")
    parts = [
        order.settle(trade_fee(MAKERS_PAY, price, size, taker), Usd(-141_900)) for taker in (True, False)
    ]
    assert parts[1].carried + parts[1].rebate == parts[0].carried + parts[1].rounding_fee


def test_a_sale_rounds_the_other_way() -> None:
    price, size = parse_price("0.4301"), parse_quantity("0.37")
    bought = OrderFees(TAKER).charge(price, size, buying=True)
    sold = OrderFees(TAKER).charge(price, size, buying=False)
    assert (bought, sold) == (6363, 6437)  # cash moves by -0.1655 and by +0.1527, both whole steps


def test_the_cent_rule_rounds_every_fill_up_to_a_cent() -> None:
    schedule = FeeSchedule(FeeType.QUADRATIC, regime=Regime.CENT)
    assert schedule.fee(parse_price("0.50"), parse_quantity("1")) == parse_usd("0.02")
    assert schedule.fee(parse_price("0.50"), parse_quantity("100")) == parse_usd("1.75")


def test_a_rebate_never_makes_a_fill_pay_us() -> None:
    order = OrderFees(FeeSchedule(FeeType.QUADRATIC, 0))
    fees = [order.charge(parse_price("0.4301"), parse_quantity("0.37")) for _ in range(10)]
    assert min(fees) >= 0


@pytest.mark.parametrize("kind", [FeeType.FLAT, FeeType.UNKNOWN])
def test_a_fee_without_a_formula_is_refused_with_a_reason(kind: FeeType) -> None:
    schedule = FeeSchedule(kind)
    assert not schedule.tradable
    assert kind.value in schedule.problem
    with pytest.raises(MalformedError, match="no published formula"):
        trade_fee(schedule, parse_price("0.50"), parse_quantity("1"))
    with pytest.raises(MalformedError):
        schedule.all_in(parse_price("0.50"))


def test_a_missing_multiplier_is_never_taken_as_one() -> None:
    assert schedule_problem(FeeType.QUADRATIC, None)
    with pytest.raises(MalformedError, match="missing"):
        schedule_for(FeeType.QUADRATIC, None, instant("2026-10-05T00:00:00Z"))


@pytest.mark.parametrize("multiplier", [-1, 10_000_001])
def test_an_implausible_multiplier_is_refused(multiplier: int) -> None:
    assert "implausible" in schedule_problem(FeeType.QUADRATIC, multiplier)


@pytest.mark.parametrize(("price", "quantity"), [(-1, 100), (MICROS + 1, 100), (500_000, -1)])
def test_an_impossible_fill_is_refused(price: int, quantity: int) -> None:
    with pytest.raises(MalformedError):
        trade_fee(TAKER, Price(price), Quantity(quantity))


def test_an_unknown_rounding_rule_is_refused() -> None:
    with pytest.raises(MalformedError, match="2027"):
        FeeSchedule(FeeType.QUADRATIC, regime="2027-01").fee(parse_price("0.50"), parse_quantity("1"))


def test_the_certain_prices_cost_nothing() -> None:
    assert TAKER.fee(Price(0), Quantity(100)) == TAKER.fee(Price(MICROS), Quantity(100)) == 0


@pytest.mark.parametrize(
    ("day", "regime", "precision"),
    [
        ("2025-11-24", Regime.CENT, CLEARED),
        ("2026-03-10", Regime.MARCH_2026, CLEARED),
        ("2026-06-11", Regime.MARCH_2026, DIRECT),
        ("2026-09-25", Regime.SEPTEMBER_2026, DIRECT),
    ],
)
def test_the_rule_follows_the_date(day: str, regime: Regime, precision: Usd) -> None:
    at = instant(f"{day}T12:00:00Z")
    assert regime_on(at) is regime
    assert precision_on(at) == precision
    assert precision_on(at, is_direct=False) == CLEARED
    assert schedule_for(FeeType.QUADRATIC, MICROS, at) == FeeSchedule(
        FeeType.QUADRATIC, MICROS, precision, regime
    )


def test_a_waiver_ends_when_it_says() -> None:
    until = instant("2026-10-05T00:00:00Z")
    assert waived(TAKER, until, Instant(until - 1)).fee(parse_price("0.50"), Quantity(100)) == 0
    assert waived(TAKER, until, until) is TAKER
    assert waived(TAKER, None, until) is TAKER


@given(fine_prices, lots)
def test_the_trade_fee_is_the_model_rounded_up_to_a_micro_dollar(price: Price, size: Quantity) -> None:
    exact = model_fee(TAKER, price, size) * MICROS
    assert 0 <= trade_fee(TAKER, price, size) - exact < 1


@given(fine_prices)
def test_yes_and_no_at_complementary_prices_pay_the_same_fee(price: Price) -> None:
    yes = TAKER.all_in(price) - price * (FINE // MICROS)
    no = TAKER.all_in(Price(MICROS - price)) - (MICROS - price) * (FINE // MICROS)
    assert yes == no


@given(fine_prices)
def test_the_all_in_cost_is_price_plus_model_fee(price: Price) -> None:
    expected = Fraction(price, MICROS) + model_fee(TAKER, price, Quantity(100))
    assert Fraction(TAKER.all_in(price), FINE) == expected


@given(st.sampled_from([DIRECT, CLEARED]), cent_prices, st.lists(contracts, min_size=1, max_size=12))
def test_splitting_an_order_moves_its_fee_by_less_than_one_step(
    precision: Usd, price: Price, fills: list[Quantity]
) -> None:
    schedule = FeeSchedule(FeeType.QUADRATIC, precision=precision)
    order = OrderFees(schedule)
    for size in fills:
        order.charge(price, size)
    exact = model_fee(schedule, price, Quantity(sum(fills))) * MICROS
    assert exact <= order.total < exact + precision + len(fills)


@given(schedules, st.lists(st.tuples(cent_prices, st.lists(contracts, min_size=1, max_size=6)), max_size=4))
def test_the_budget_covers_every_split_into_whole_contracts(
    schedule: FeeSchedule, levels: list[tuple[Price, list[Quantity]]]
) -> None:
    order = OrderFees(schedule)
    for price, fills in levels:
        for size in fills:
            order.charge(price, size)
    budget = order_budget(schedule, [(price, Quantity(sum(fills))) for price, fills in levels])
    assert order.total <= budget


@given(st.lists(st.tuples(fine_prices, lots), min_size=1, max_size=8))
def test_the_budget_covers_a_sweep_of_sub_cent_levels(levels: list[tuple[Price, Quantity]]) -> None:
    schedule = FeeSchedule(FeeType.QUADRATIC)
    order = OrderFees(schedule)
    for price, size in levels:
        order.charge(price, size)
    assert order.total <= order_budget(schedule, levels)


@given(schedules, st.lists(st.tuples(cent_prices, contracts), min_size=1, max_size=10))
def test_no_fill_has_a_negative_fee(schedule: FeeSchedule, fills: list[tuple[Price, Quantity]]) -> None:
    order = OrderFees(schedule)
    assert all(order.charge(price, size) >= 0 for price, size in fills)
