from __future__ import annotations

import pytest

from shared.books.book import OrderBook
from shared.books.firewall import QuoteLimits, quote_refusals, refusals
from shared.clock import SECOND, Instant
from shared.fees.protocol import Level
from shared.money import MICROS, Price, Quantity
from shared.terms import Side

NOW = Instant(100 * SECOND)
LIMITS = QuoteLimits()


def cents(price: int, contracts: int) -> Level:
    return Price(price * 10_000), Quantity(contracts * 100)


def book_of(yes: list[Level], no: list[Level]) -> OrderBook:
    book = OrderBook("T")
    book.apply_snapshot(yes, no, NOW)
    return book


def codes(reasons: tuple[str, ...]) -> list[str]:
    return [reason.split(":")[0] for reason in reasons]


def judged(book: OrderBook, now: Instant = NOW) -> list[str]:
    return codes(refusals(book, Side.YES, now, LIMITS, ()))


def test_a_good_book_has_no_reason_against_it() -> None:
    assert judged(book_of([cents(47, 10)], [cents(50, 10)])) == []


def test_a_book_without_a_snapshot_is_refused() -> None:
    assert judged(OrderBook("T")) == ["no_book"]


def test_a_gap_is_refused_and_so_is_its_age() -> None:
    book = book_of([cents(47, 10)], [cents(50, 10)])
    book.mark_gap()
    assert judged(book, Instant(NOW + 6 * SECOND)) == ["gap", "stale"]


def test_a_desync_is_refused() -> None:
    book = book_of([cents(47, 10)], [cents(50, 10)])
    book.apply_delta(Side.YES, Price(470_000), Quantity(-100_000), NOW)
    assert judged(book) == ["desync"]


def test_a_locked_book_is_refused_as_crossed() -> None:
    assert judged(book_of([cents(50, 10)], [cents(50, 10)])) == ["crossed"]


def test_a_stale_book_is_refused_just_after_its_limit() -> None:
    book = book_of([cents(47, 10)], [cents(50, 10)])
    assert judged(book, Instant(NOW + 5 * SECOND)) == []
    assert judged(book, Instant(NOW + 5 * SECOND + 1)) == ["stale"]


def test_a_side_that_nobody_offers_is_refused() -> None:
    assert judged(book_of([cents(47, 10)], [])) == ["empty_side"]


def test_all_reasons_are_given_at_once() -> None:
    book = book_of([], [(Price(505_000), Quantity(50))])
    assert judged(book, Instant(NOW + 60 * SECOND)) == ["stale", "off_grid", "thin", "one_sided"]


def test_a_wide_spread_is_refused() -> None:
    assert judged(book_of([cents(30, 10)], [cents(50, 10)])) == ["wide"]


@pytest.mark.parametrize("price", [0, MICROS])
def test_a_sentinel_price_is_no_quote(price: int) -> None:
    ask = (Price(price), Quantity(1000))
    assert "sentinel" in codes(quote_refusals(ask, None, LIMITS, ()))


def test_a_listed_quote_whose_bid_meets_its_ask_is_refused() -> None:
    assert codes(quote_refusals(cents(50, 10), cents(50, 10), LIMITS, ())) == ["crossed"]
