from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.books.book import BookState, OrderBook
from shared.clock import Instant
from shared.errors import MalformedError
from shared.fees.protocol import Level
from shared.money import MICROS, Price, Quantity, complement
from shared.terms import Side

NOW = Instant(1_000_000)
LATER = Instant(2_000_000)


def cents(price: int, contracts: int) -> Level:
    return Price(price * 10_000), Quantity(contracts * 100)


def live(yes: list[Level] | None = None, no: list[Level] | None = None) -> OrderBook:
    book = OrderBook("KXNBAGAME-26MAR10MEMPHI-MEM")
    book.apply_snapshot(
        [cents(47, 3), cents(45, 10)] if yes is None else yes,
        [cents(48, 2), cents(50, 7)] if no is None else no,
        NOW,
        seq=10,
    )
    return book


def change(book: OrderBook, side: Side, price: int, contracts: int, seq: int | None = None) -> bool:
    return book.apply_delta(side, Price(price * 10_000), Quantity(contracts * 100), LATER, seq)


def test_a_book_without_a_snapshot_is_empty_and_ignores_deltas() -> None:
    book = OrderBook("T")
    assert not change(book, Side.YES, 50, 5)
    assert book.state is BookState.EMPTY
    assert book.best_bid(Side.YES) is None
    assert book.age(NOW) is None


def test_an_ask_is_the_other_sides_bid_at_the_complement() -> None:
    book = live()
    assert book.best_ask(Side.YES) == cents(50, 7)
    assert book.asks(Side.YES) == (cents(50, 7), cents(52, 2))
    assert book.best_ask(Side.NO) == cents(53, 3)


def test_bids_come_best_first() -> None:
    assert live().bids(Side.YES) == (cents(47, 3), cents(45, 10))


def test_a_delta_adds_to_its_level() -> None:
    book = live()
    assert change(book, Side.YES, 47, 5)
    assert book.best_bid(Side.YES) == cents(47, 8)
    assert book.updated_at == LATER


def test_a_level_at_zero_disappears_and_the_next_is_best() -> None:
    book = live()
    change(book, Side.YES, 47, -3)
    assert book.best_bid(Side.YES) == cents(45, 10)


def test_a_side_may_empty() -> None:
    book = live(no=[cents(50, 7)])
    change(book, Side.NO, 50, -7)
    assert book.best_ask(Side.YES) is None
    assert book.state is BookState.LIVE


def test_a_level_below_zero_is_a_desync_until_the_next_snapshot() -> None:
    book = live()
    assert not change(book, Side.YES, 47, -4)
    assert book.state is BookState.DESYNC
    assert not change(book, Side.YES, 47, 1)
    assert book.best_bid(Side.YES) is None


def test_a_snapshot_mends_a_desync() -> None:
    book = live()
    change(book, Side.YES, 47, -4)
    book.apply_snapshot([cents(47, 3)], [], LATER)
    assert book.state is BookState.LIVE


def test_removing_what_is_not_there_is_a_desync() -> None:
    book = live()
    change(book, Side.NO, 10, -1)
    assert book.state is BookState.DESYNC


@pytest.mark.parametrize("price", [0, 100])
def test_a_delta_at_a_bound_of_the_grid_is_a_desync(price: int) -> None:
    book = live()
    change(book, Side.YES, price, 5)
    assert book.state is BookState.DESYNC


def test_a_duplicate_delta_changes_nothing() -> None:
    book = live()
    change(book, Side.YES, 47, 5, seq=11)
    assert not change(book, Side.YES, 47, 5, seq=11)
    assert book.best_bid(Side.YES) == cents(47, 8)


def test_a_delta_older_than_the_snapshot_changes_nothing() -> None:
    book = live()
    assert not change(book, Side.YES, 47, 5, seq=9)
    assert book.best_bid(Side.YES) == cents(47, 3)


def test_an_older_snapshot_does_not_rewind_a_live_book() -> None:
    book = live()
    change(book, Side.YES, 47, 5, seq=12)
    assert not book.apply_snapshot([cents(1, 1)], [], LATER, seq=11)
    assert book.best_bid(Side.YES) == cents(47, 8)


def test_a_gap_hides_every_quote_until_a_snapshot() -> None:
    book = live()
    book.mark_gap()
    assert book.state is BookState.GAP
    assert book.asks(Side.YES) == ()
    assert not change(book, Side.YES, 47, 5)
    assert book.levels(Side.YES) == (cents(47, 3), cents(45, 10))
    assert book.apply_snapshot([cents(40, 1)], [], LATER, seq=2)
    assert book.best_bid(Side.YES) == cents(40, 1)


@pytest.mark.parametrize("no_bid", [53, 60])
def test_a_locked_or_crossed_book_shows_no_quotes(no_bid: int) -> None:
    book = live(no=[cents(no_bid, 1)])
    assert book.state is BookState.CROSSED
    assert book.best_ask(Side.YES) is None
    assert book.bids(Side.YES) == ()


def test_a_cross_mends_itself_when_the_rest_of_the_change_arrives() -> None:
    book = live(no=[cents(50, 1)])
    change(book, Side.NO, 53, 4)
    change(book, Side.YES, 47, -3)
    assert book.state is BookState.LIVE


@pytest.mark.parametrize(
    "levels",
    [
        [(Price(0), Quantity(100))],
        [(Price(MICROS), Quantity(100))],
        [(Price(-1), Quantity(100))],
        [cents(47, -1)],
        [cents(47, 1), cents(47, 2)],
    ],
)
def test_a_bad_snapshot_is_refused_and_nothing_can_be_traded(levels: list[Level]) -> None:
    book = live()
    with pytest.raises(MalformedError):
        book.apply_snapshot(levels, [], LATER)
    assert book.state is BookState.DESYNC


def test_an_empty_level_of_a_snapshot_is_no_level() -> None:
    assert live(yes=[cents(47, 0), cents(45, 1)]).best_bid(Side.YES) == cents(45, 1)


def test_a_quiet_stream_that_is_alive_keeps_the_book_fresh() -> None:
    book = live()
    book.touch(LATER)
    assert book.age(Instant(LATER + 5)) == 5


def test_a_book_is_as_old_as_the_clock_was_set_back_until_the_stream_is_heard_again() -> None:
    book = live()
    earlier = Instant(NOW - 1_000)
    assert book.age(earlier) == 1_000
    book.touch(earlier)
    assert book.age(earlier) == 0


changes = st.lists(
    st.tuples(st.sampled_from(list(Side)), st.integers(1, 49), st.integers(-5, 10)), max_size=40
)


@given(changes)
def test_snapshot_and_deltas_give_the_book_that_a_new_snapshot_gives(
    deltas: list[tuple[Side, int, int]],
) -> None:
    book = live([], [])
    sizes: dict[Side, dict[int, int]] = {Side.YES: {}, Side.NO: {}}
    for side, price, delta in deltas:
        size = sizes[side].get(price, 0) + delta
        if size < 0:
            continue
        sizes[side][price] = size
        assert change(book, side, price, delta)
    rebuilt = live(*([cents(p, n) for p, n in sizes[side].items()] for side in (Side.YES, Side.NO)))
    for side in Side:
        assert book.levels(side) == rebuilt.levels(side)
        assert book.best_bid(side) == rebuilt.best_bid(side)
        assert book.asks(side) == rebuilt.asks(side)


@given(changes)
def test_the_yes_ask_is_one_less_the_no_bid(deltas: list[tuple[Side, int, int]]) -> None:
    book = live([], [])
    for side, price, delta in deltas:
        change(book, side, price, max(0, delta))
    for side in Side:
        bid, ask = book.best_bid(side.other), book.best_ask(side)
        assert (bid is None) == (ask is None)
        if bid is not None and ask is not None:
            assert ask == (complement(bid[0]), bid[1])
