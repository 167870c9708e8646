"""Exact money: prices, quantities and dollars as integers, with one way in and one way out.

Units
    ``Price``     micro-dollars per contract, 0…1 000 000
    ``Quantity``  hundredths of a contract (the smallest lot the exchange trades)
    ``Usd``       micro-dollars

The three are ``NewType`` over ``int``: free at run time, told apart by the type checker. Floats never
touch money; wire strings go through :class:`decimal.Decimal` exactly once, here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NewType

from shared.errors import BadMoneyError

Price = NewType("Price", int)
Quantity = NewType("Quantity", int)
Usd = NewType("Usd", int)

MICROS = 1_000_000
LOTS = 100
ONE = Price(MICROS)
ZERO_USD = Usd(0)

# Longer strings are hostile, not prices; and beyond the 28 digits of Decimal's context scaling would round.
_MAX_DIGITS = 28


def _scaled(text: str | int | Decimal, scale: int, what: str) -> int:
    if isinstance(text, str) and len(text) > _MAX_DIGITS:
        raise BadMoneyError(f"{what}: {len(text)} characters is not a number")
    try:
        value = Decimal(text)
        scaled = value * scale
    except (ArithmeticError, TypeError, ValueError) as exc:
        raise BadMoneyError(f"{what}: {text!r} is not a decimal number") from exc
    if not scaled.is_finite():
        raise BadMoneyError(f"{what}: {text!r} is not finite")
    if abs(scaled) >= 10**18:
        raise BadMoneyError(f"{what}: {text!r} is out of range")
    whole = int(scaled)
    if whole != scaled:
        raise BadMoneyError(f"{what}: {text!r} is finer than 1/{scale}")
    return whole


def parse_price(dollars: str | int | Decimal) -> Price:
    """Price from a dollar string such as ``"0.4800"``; raises :class:`BadMoneyError` outside 0…1."""
    micros = _scaled(dollars, MICROS, "price")
    if not 0 <= micros <= MICROS:
        raise BadMoneyError(f"price: {dollars!r} is outside $0…$1")
    return Price(micros)


def parse_quantity(contracts: str | int | Decimal) -> Quantity:
    """Quantity from a contract count such as ``"646.11"``; raises :class:`BadMoneyError` when negative."""
    lots = _scaled(contracts, LOTS, "quantity")
    if lots < 0:
        raise BadMoneyError(f"quantity: {contracts!r} is negative")
    return Quantity(lots)


def parse_signed_quantity(contracts: str | int | Decimal) -> Quantity:
    """Quantity that may be negative: a book delta, or a position held in NO."""
    return Quantity(_scaled(contracts, LOTS, "quantity"))


def parse_usd(dollars: str | int | Decimal) -> Usd:
    """Dollars from a string; any sign, at most six decimals."""
    return Usd(_scaled(dollars, MICROS, "amount"))


def price_from_cents(cents: int) -> Price:
    """Price from whole cents (the wire form of 2025 and before)."""
    return parse_price(Decimal(cents) / 100)


def complement(price: Price) -> Price:
    """Price of the other side: a NO bid at p is a YES ask at 1 - p."""
    return Price(MICROS - price)


def notional(price: Price, quantity: Quantity) -> Usd:
    """Exact cost of ``quantity`` at ``price``; raises :class:`BadMoneyError` if not whole.

    Every venue grid in use ticks in 1e-4 dollars or coarser, where the product is always whole.
    """
    micros, rest = divmod(price * quantity, LOTS)
    if rest:
        raise BadMoneyError(f"{format_price(price)} x {format_quantity(quantity)} is not whole micro-dollars")
    return Usd(micros)


def notional_up(price: Price, quantity: Quantity) -> Usd:
    """Cost rounded up to the micro-dollar: for budgets, never for the ledger."""
    return Usd(-(-price * quantity // LOTS))


def price_to_float(price: Price) -> float:
    """Price as a probability-sized float, for statistics only."""
    return price / MICROS


def price_floor(probability: float) -> Price:
    """Largest price not above ``probability``; raises :class:`BadMoneyError` for NaN or outside 0…1."""
    if not 0.0 <= probability <= 1.0:
        raise BadMoneyError(f"probability: {probability!r} is outside 0…1")
    return Price(int(probability * MICROS))


def _fixed(value: int, scale: int, decimals: int) -> str:
    sign = "-" if value < 0 else ""
    whole, rest = divmod(abs(value), scale)
    width = len(str(scale)) - 1
    digits = f"{rest:0{width}d}".ljust(decimals, "0")
    kept = max(decimals, len(digits.rstrip("0")))
    return f"{sign}{whole}.{digits[:kept]}"


def format_price(price: Price) -> str:
    """Dollar string with at least four decimals, e.g. ``"0.4800"``: the exchange's own form."""
    return _fixed(price, MICROS, 4)


def format_quantity(quantity: Quantity) -> str:
    """Contract count with two decimals, e.g. ``"646.11"``."""
    return _fixed(quantity, LOTS, 2)


def format_usd(amount: Usd) -> str:
    """Dollar string with at least two decimals, e.g. ``"-12.345678"``."""
    return _fixed(amount, MICROS, 2)
