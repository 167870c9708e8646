"""The risk book: what it shows the controls, when it may not be trusted, and days that roll."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.clock import DAY, HOUR, SECOND, Instant
from shared.errors import FutureSchemaError, MalformedError
from shared.money import Quantity, Usd
from shared.risk.book import MAX_MARKETS, Book, decode_book, encode_book
from shared.risk.bookkeeping import book_order, pay
from shared.risk.canary import Canary
from shared.terms import OrderStatus
from tests.risk.orders import (
    EVENT,
    GENERATION,
    MONDAY,
    ORDER,
    contracts,
    fill,
    new_book,
    proposal,
    reserved,
)
from tests.support.limits import DOLLAR


def later(seconds: float) -> Instant:
    return Instant(MONDAY + int(seconds * SECOND))


def test_a_reservation_counts_as_spent_everywhere() -> None:
    book, _ = reserved()
    view = book.view(EVENT, "NFL", MONDAY)
    assert (view.cash, view.lost_today, view.lost_this_week, view.sport_risk) == (
        10_000 * DOLLAR - 5_200_000,
        5_200_000,
        5_200_000,
        5_200_000,
    )
    assert (view.trades_today, view.quantity_today, view.event_quantity) == (1, contracts(10), contracts(10))
    assert view.bankroll == 10_000 * DOLLAR


def test_two_games_and_two_sports_are_seen_apart() -> None:
    view = reserved()[0].view("another", "NBA", MONDAY)
    assert (view.event_quantity, view.sport_risk) == (0, 0)
    assert view.trades_today == 1


def test_the_series_of_one_game_count_together() -> None:
    book, _ = reserved(proposal(game="game"))
    book, _ = reserved(proposal("order-2", ticker="KXNFLTOTAL-X-44", event_ticker="X", game="game"), book)
    assert book.view("game", "NFL", MONDAY).event_quantity == contracts(20)


def test_a_reservation_shrinks_by_what_filled_and_never_below_what_the_rest_can_cost() -> None:
    held = reserved()[0].reserved[ORDER]
    assert held.less(contracts(4), Usd(80_000)).risk == 5_200_000 - 2_000_000 - 80_000
    assert held.less(contracts(4), Usd(9_000_000)).risk == 3_000_000
    assert held.less(contracts(4)).remaining == contracts(6)


def test_a_day_starts_its_counts_anew_and_keeps_the_week_and_what_is_reserved() -> None:
    book, _ = reserved(book=new_book().earned(-30 * DOLLAR, 0, MONDAY))
    view = book.view(EVENT, "NFL", Instant(MONDAY + DAY))
    assert (view.trades_today, view.quantity_today) == (0, 0)
    assert (view.lost_today, view.lost_this_week) == (5_200_000, 30 * DOLLAR + 5_200_000)


def test_a_week_begins_on_monday() -> None:
    book = new_book().earned(-30 * DOLLAR, 0, MONDAY)
    assert book.view(EVENT, "NFL", Instant(MONDAY + 6 * DAY)).lost_this_week == 30 * DOLLAR
    assert book.view(EVENT, "NFL", Instant(MONDAY + 7 * DAY)).lost_this_week == 0


def test_the_day_is_eastern_not_utc() -> None:
    book = new_book().earned(-DOLLAR, 0, MONDAY)
    assert book.view(EVENT, "NFL", Instant(MONDAY + 12 * HOUR)).lost_today == DOLLAR


def test_a_clock_set_back_forgets_no_loss() -> None:
    book = new_book().earned(-DOLLAR, 0, MONDAY).rolled(Instant(MONDAY - 2 * DAY))
    assert book.view(EVENT, "NFL", MONDAY).lost_today == DOLLAR


def test_a_new_day_ends_no_run_of_losses_and_no_canary() -> None:
    book = replace(new_book(), consecutive_losses=5, canary=Canary(GENERATION, 1))
    tomorrow = book.rolled(Instant(MONDAY + DAY))
    assert (tomorrow.consecutive_losses, tomorrow.canary) == (5, Canary(GENERATION, 1))


def test_a_person_ends_a_run_of_losses_once() -> None:
    book = replace(new_book(), consecutive_losses=5).resumed(MONDAY)
    assert book.consecutive_losses == 0
    again = replace(book, consecutive_losses=2)
    assert again.resumed(MONDAY).consecutive_losses == 2


def test_orders_of_the_last_minute_are_shown_oldest_first_whoever_sent_them() -> None:
    book, _ = reserved(proposal(at=later(1)))
    book, _ = reserved(proposal("order-2", at=later(0.5)), book)
    assert book.view(EVENT, "NFL", later(2)).recent_orders == (later(0.5), later(1))
    assert book.view(EVENT, "NFL", later(60.5)).recent_orders == (later(1),)
    assert book.view(EVENT, "NFL", later(61)).recent_orders == ()


def test_an_order_dated_by_a_wrong_clock_does_not_stop_all_others() -> None:
    book, _ = reserved(proposal(at=later(3_600)))
    assert book.view(EVENT, "NFL", MONDAY).recent_orders == ()
    near, _ = reserved(proposal(at=later(1.5)))
    assert near.view(EVENT, "NFL", MONDAY).recent_orders == (later(1.5),)


def test_a_game_counts_as_long_as_something_is_held_in_it_and_a_week_after() -> None:
    book, marks = reserved()
    book = book_order(book, ORDER, marks, OrderStatus.FILLED, [fill()], None, MONDAY).book
    assert book.rolled(Instant(MONDAY + 90 * DAY)).events
    paid = pay(book, fill().ticker, fill().price, None, MONDAY)
    assert paid is not None
    assert paid[0].rolled(Instant(MONDAY + 6 * DAY)).events
    assert not paid[0].rolled(Instant(MONDAY + 8 * DAY)).events


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (later(30), None),
        (later(31), "last confirmed 31 s ago, limit 30 s"),
        (later(-2), None),
        (later(-3), "last confirmed 3 s in the future: a clock is wrong"),
    ],
)
def test_a_book_not_confirmed_lately_may_not_be_judged_by(now: Instant, said: str | None) -> None:
    assert new_book().unfit(now, 30) == said


def test_a_book_too_large_for_one_document_takes_no_more() -> None:
    book, _ = reserved()
    held = book.reserved[ORDER]
    full = replace(book, reserved={str(number): held for number in range(MAX_MARKETS)})
    assert "more than one document" in (full.unfit(MONDAY, 30) or "")


def test_the_latest_epoch_that_reserved_is_remembered() -> None:
    book = new_book().reserve(proposal(), "t", GENERATION, 7).reserve(proposal("2"), "t", GENERATION, 3)
    assert book.epoch == 7


def a_full_book() -> Book:
    book, _ = reserved()
    book, marks = reserved(proposal("order-2"), book)
    return book_order(book, "order-2", marks, OrderStatus.PARTIAL, [fill(size=4)], None, MONDAY).book


def test_a_stored_book_comes_back_as_it_was() -> None:
    assert decode_book(encode_book(a_full_book())) == a_full_book()


@pytest.mark.parametrize("name", [*Book.__dataclass_fields__])
def test_a_missing_field_is_never_taken_as_nothing(name: str) -> None:
    value = encode_book(a_full_book())
    del value[name]
    with pytest.raises(MalformedError):
        decode_book(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cash", "100"),
        ("cash", 1.5),
        ("cash", None),
        ("cash", True),
        ("trades_today", -1),
        ("quantity_today", -1),
        ("recent", [1.0]),
        ("reserved", {"order-1": {}}),
        ("holdings", []),
    ],
)
def test_a_book_that_makes_no_sense_is_an_error(name: str, value: object) -> None:
    with pytest.raises(MalformedError):
        decode_book(encode_book(a_full_book()) | {name: value})


@pytest.mark.parametrize("change", [{"remaining": 0}, {"remaining": 2_000}, {"risk": -1}])
def test_a_reservation_that_makes_no_sense_is_an_error(change: dict[str, int]) -> None:
    value = encode_book(reserved()[0])
    value["reserved"][ORDER] |= change  # type: ignore[index]
    with pytest.raises(MalformedError, match="order-1"):
        decode_book(value)


def test_a_book_of_a_newer_version_is_left_alone() -> None:
    with pytest.raises(FutureSchemaError):
        decode_book(encode_book(new_book()) | {"schema": 2})


@pytest.mark.parametrize("value", [None, [], "book", {}])
def test_what_is_no_book_is_an_error(value: object) -> None:
    with pytest.raises(MalformedError):
        decode_book(value)


def test_quantities_of_orders_in_flight_shrink_as_they_fill() -> None:
    book, marks = reserved()
    step = book_order(book, ORDER, marks, OrderStatus.PARTIAL, [fill(size=4)], None, MONDAY)
    view = step.book.view(EVENT, "NFL", MONDAY)
    assert view.event_quantity == contracts(10)
    assert view.quantity_today == Quantity(1_000)
