"""The exchange's numbers, times and texts as our units: the smallest steps of reading its JSON.

Everything raises :class:`MalformedError` (or its child :class:`BadMoneyError`) for what cannot be meant.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from shared.clock import Instant, parse_instant
from shared.errors import MalformedError
from shared.money import (
    MICROS,
    Price,
    Quantity,
    parse_price,
    parse_quantity,
    parse_signed_quantity,
    price_from_cents,
)

# Longest recorded: ticker 64, rules 4,300. Longer is not the exchange speaking.
_MAX_TICKER = 200
_MAX_TEXT = 100_000

# A page repeats a few hundred distinct prices and times thousands of times.
_instant = lru_cache(maxsize=16_384)(parse_instant)
_price = lru_cache(maxsize=16_384)(parse_price)
_quantity = lru_cache(maxsize=16_384)(parse_quantity)
_signed_quantity = lru_cache(maxsize=16_384)(parse_signed_quantity)


def ticker_of(text: str) -> str:
    """A ticker that is safe to use as a key and in a path."""
    if not text or len(text) > _MAX_TICKER or not text.isprintable() or " " in text:
        raise MalformedError(f"ticker: {text[:40]!r} is not a ticker")
    return text


def text_of(text: str | None) -> str:
    """Text of a sane length; empty for none."""
    if text is None:
        return ""
    if len(text) > _MAX_TEXT:
        raise MalformedError(f"text of {len(text)} characters is not a contract")
    return text


def time_of(text: str | None) -> Instant | None:
    """Time from the exchange's text; ``None`` for nothing, empty text and its null date."""
    return _instant(text) if text else None


def level_price(price: str | int) -> Price:
    """Price of a level: a dollar string, or whole cents in old books."""
    return _price(price) if isinstance(price, str) else price_from_cents(price)


def level_size(size: str | float) -> Quantity:
    """Size of a level: a count string, or a number in old books."""
    return _quantity(size) if isinstance(size, str) else parse_quantity(Decimal(repr(size)))


def change_of(text: str) -> Quantity:
    """A signed change of a level's size."""
    return _signed_quantity(text)


def quote_of(
    dollars: str | None, cents: int | None, size_fp: str | None
) -> tuple[Price | None, Quantity | None]:
    """Price and size of one side, both ``None`` when nobody is there. The size may be unknown (old rows)."""
    price = tradable(dollars, cents)
    # Settled markets were recorded with sizes below zero: nobody is there either.
    size = None if size_fp is None else _signed_quantity(size_fp)
    if price is None or (size is not None and size <= 0):
        return None, None
    return price, size


def tradable(dollars: str | None, cents: int | None) -> Price | None:
    """A price someone could trade at: 0 and 1 are the exchange's way of saying none."""
    price = price_of(dollars, cents)
    return price if price is not None and 0 < price < MICROS else None


def price_of(dollars: str | None, cents: int | None) -> Price | None:
    """Price from dollars, else from the old whole cents, else none."""
    if dollars is not None:
        return _price(dollars)
    return None if cents is None else price_from_cents(cents)


def optional_price(dollars: str | None) -> Price | None:
    """Price, or none where the exchange writes nothing or empty text."""
    return _price(dollars) if dollars else None


def count_of(fixed: str | None, whole: str | int | None) -> Quantity | None:
    """Contracts from today's fixed-point text, else from the old whole number, else none."""
    count = fixed if fixed is not None else whole
    return None if count is None else _quantity(count)


def millionths(multiplier: float | None) -> int | None:
    """A fee multiplier such as 0.5 as an exact count of millionths."""
    if multiplier is None:
        return None
    scaled = Decimal(repr(multiplier)) * 1_000_000
    if scaled != int(scaled) or scaled < 0:
        raise MalformedError(f"fee multiplier {multiplier!r} is not a count of millionths")
    return int(scaled)
