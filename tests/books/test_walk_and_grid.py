from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.books.grid import floor_to_grid, on_grid
from shared.books.sequence import SequenceGuard, Step
from shared.books.walk import take
from shared.fees.protocol import Level
from shared.messages import PriceRange
from shared.money import MICROS, Price, Quantity, notional, parse_price, parse_usd

TAPERED = (
    PriceRange(start=Price(0), end=parse_price("0.10"), step=parse_price("0.001")),
    PriceRange(start=parse_price("0.10"), end=parse_price("0.90"), step=parse_price("0.01")),
    PriceRange(start=parse_price("0.90"), end=Price(MICROS), step=parse_price("0.001")),
)

asks = st.dictionaries(st.integers(1, 99), st.integers(1, 10_000), max_size=20).map(
    lambda book: [(Price(cents * 10_000), Quantity(size)) for cents, size in sorted(book.items())]
)


def test_a_walk_takes_the_cheapest_first_and_stops_at_the_quantity() -> None:
    offers = [(parse_price("0.50"), Quantity(300)), (parse_price("0.52"), Quantity(500))]
    found = take(offers, parse_price("0.60"), Quantity(400))
    assert found.levels == ((parse_price("0.50"), 300), (parse_price("0.52"), 100))
    assert found.cost == parse_usd("2.02")
    assert found.worst == parse_price("0.52")


def test_a_limit_at_the_ask_fills_and_a_tick_below_does_not() -> None:
    offers = [(parse_price("0.50"), Quantity(300))]
    assert take(offers, parse_price("0.50")).quantity == 300
    assert take(offers, parse_price("0.49")).quantity == 0


def test_an_empty_book_gives_nothing() -> None:
    assert take([], Price(MICROS)).worst is None


@given(asks, st.integers(1, 99), st.none() | st.integers(0, 50_000).map(Quantity))
def test_a_walk_never_pays_over_the_limit_nor_takes_more_than_asked(
    offers: list[Level], limit: int, quantity: Quantity | None
) -> None:
    found = take(offers, Price(limit * 10_000), quantity)
    assert all(price <= limit * 10_000 for price, _ in found.levels)
    assert found.quantity <= sum(size for _, size in offers)
    assert quantity is None or found.quantity <= quantity
    assert found.cost == sum(notional(price, size) for price, size in found.levels)


@given(asks, st.integers(1, 99), st.integers(0, 50_000))
def test_a_walk_takes_all_there_is_within_limit_and_quantity(
    offers: list[Level], limit: int, quantity: int
) -> None:
    available = sum(size for price, size in offers if price <= limit * 10_000)
    assert take(offers, Price(limit * 10_000), Quantity(quantity)).quantity == min(available, quantity)


@pytest.mark.parametrize(
    ("price", "valid"),
    [("0.055", True), ("0.0555", False), ("0.50", True), ("0.505", False), ("0.955", True)],
)
def test_a_tapered_grid_is_finer_at_its_ends(price: str, valid: bool) -> None:
    assert on_grid(parse_price(price), TAPERED) is valid


@pytest.mark.parametrize("price", [0, MICROS])
def test_the_bounds_are_not_prices(price: int) -> None:
    assert not on_grid(Price(price), TAPERED)


def test_without_ranges_whole_cents_are_assumed() -> None:
    assert on_grid(parse_price("0.50"), ())
    assert not on_grid(parse_price("0.505"), ())


def test_a_range_without_a_step_holds_no_price() -> None:
    broken = (PriceRange(start=Price(0), end=Price(MICROS), step=Price(0)),)
    assert not on_grid(parse_price("0.50"), broken)
    assert floor_to_grid(parse_price("0.50"), broken) is None


@given(st.integers(0, MICROS))
def test_the_floor_is_the_highest_price_of_the_grid_not_above(price: int) -> None:
    floor = floor_to_grid(Price(price), TAPERED)
    below = [tick for tick in range(1000, min(price, MICROS - 1) + 1, 1000) if on_grid(Price(tick), TAPERED)]
    assert floor == (max(below) if below else None)


def test_the_numbers_of_a_subscription_follow_each_other() -> None:
    guard = SequenceGuard()
    assert [guard.step(seq) for seq in (1, 2, 3)] == [Step.NEXT] * 3


def test_a_lost_message_shows_as_a_gap_once() -> None:
    guard = SequenceGuard(5)
    assert [guard.step(seq) for seq in (8, 9)] == [Step.GAP, Step.NEXT]


def test_a_repeated_message_shows_as_a_repeat() -> None:
    guard = SequenceGuard(5)
    assert [guard.step(seq) for seq in (5, 3, 6)] == [Step.REPEAT, Step.REPEAT, Step.NEXT]
