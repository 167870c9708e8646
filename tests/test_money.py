"""Money is exact: what is parsed is printed, what is not exact is refused."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadMoneyError, QuarantineError
from shared.money import (
    MICROS,
    Price,
    Quantity,
    Usd,
    complement,
    format_price,
    format_quantity,
    format_usd,
    notional,
    notional_up,
    parse_price,
    parse_quantity,
    parse_signed_quantity,
    parse_usd,
    price_floor,
    price_from_cents,
    price_to_float,
)

prices = st.integers(0, MICROS).map(Price)
quantities = st.integers(0, 10**12).map(Quantity)
amounts = st.integers(-(10**17), 10**17).map(Usd)


@given(prices)
def test_a_price_survives_its_text(price: Price) -> None:
    assert parse_price(format_price(price)) == price


@given(quantities)
def test_a_quantity_survives_its_text(quantity: Quantity) -> None:
    assert parse_quantity(format_quantity(quantity)) == quantity
    assert parse_signed_quantity("-" + format_quantity(quantity)) == -quantity


@given(amounts)
def test_an_amount_survives_its_text(amount: Usd) -> None:
    assert parse_usd(format_usd(amount)) == amount


@given(prices)
def test_the_printed_price_is_the_number_itself(price: Price) -> None:
    assert Fraction(format_price(price)) == Fraction(price, MICROS)


@pytest.mark.parametrize(
    ("text", "micros"),
    [("0.4800", 480_000), ("0", 0), ("1", MICROS), ("1.0000", MICROS), (".5", 500_000), ("4.8e-1", 480_000)],
)
def test_wire_forms_of_a_price(text: str, micros: int) -> None:
    assert parse_price(text) == micros


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "abc",
        "NaN",
        "-NaN",
        "Infinity",
        "-0.01",
        "1.000001",
        "0.0000001",
        "1" * 41,
        "0x1",
        "1,5",
        "1e999999",
    ],
)
def test_what_is_not_an_exact_price_is_refused(text: str) -> None:
    with pytest.raises(BadMoneyError):
        parse_price(text)


def test_a_digit_beyond_what_decimal_scales_exactly_is_not_rounded_away() -> None:
    with pytest.raises(BadMoneyError):
        parse_price("0.48" + "0" * 30 + "1")
    with pytest.raises(BadMoneyError, match="finer than"):
        parse_price("0.48" + "0" * 23 + "1")


@given(st.text(max_size=60))
def test_any_text_is_a_price_or_a_bad_money_error(text: str) -> None:
    try:
        price = parse_price(text)
    except BadMoneyError:
        return
    assert 0 <= price <= MICROS


def test_bad_money_is_input_to_quarantine() -> None:
    assert issubclass(BadMoneyError, QuarantineError)


@pytest.mark.parametrize("value", [None, [], {}, object(), b"0.5"])
def test_a_price_of_another_type_is_refused(value: object) -> None:
    with pytest.raises(BadMoneyError):
        parse_price(value)  # type: ignore[arg-type]  # what a hostile payload may hold


def test_a_negative_quantity_is_refused_unless_it_may_be_signed() -> None:
    with pytest.raises(BadMoneyError, match="negative"):
        parse_quantity("-1")
    assert parse_signed_quantity("-1.25") == -125


def test_a_quantity_finer_than_the_smallest_lot_is_refused() -> None:
    with pytest.raises(BadMoneyError, match="finer than 1/100"):
        parse_quantity("1.001")


def test_whole_cents_become_a_price() -> None:
    assert price_from_cents(48) == 480_000
    with pytest.raises(BadMoneyError):
        price_from_cents(101)


@given(prices)
def test_a_price_and_its_complement_make_a_dollar(price: Price) -> None:
    assert price + complement(price) == MICROS
    assert complement(complement(price)) == price


@given(st.integers(0, 10_000).map(lambda ticks: Price(ticks * 100)), quantities)
def test_on_the_exchange_grid_a_cost_is_exact(price: Price, quantity: Quantity) -> None:
    assert Fraction(notional(price, quantity), MICROS) == Fraction(price, MICROS) * Fraction(quantity, 100)


def test_a_cost_that_is_not_whole_is_refused() -> None:
    with pytest.raises(BadMoneyError, match="not whole"):
        notional(Price(1), Quantity(1))


@given(prices, quantities)
def test_a_budget_is_never_below_the_cost(price: Price, quantity: Quantity) -> None:
    cost = Fraction(price * quantity, 100)
    assert 0 <= notional_up(price, quantity) - cost < 1


@given(st.floats(0, 1))
def test_price_floor_is_the_largest_price_not_above(probability: float) -> None:
    price = price_floor(probability)
    assert Decimal(price) <= Decimal(probability * MICROS) < price + 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 1.1])
def test_price_floor_refuses_what_is_no_probability(value: float) -> None:
    with pytest.raises(BadMoneyError):
        price_floor(value)


def test_printed_forms() -> None:
    assert format_price(Price(480_000)) == "0.4800"
    assert format_price(Price(480_150)) == "0.48015"
    assert format_quantity(Quantity(64_611)) == "646.11"
    assert format_usd(Usd(-12_345_678)) == "-12.345678"
    assert format_usd(Usd(-500_000)) == "-0.50"
    assert price_to_float(Price(480_000)) == 0.48
