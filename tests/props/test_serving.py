from __future__ import annotations

import pytest

from shared.clock import HOUR, MINUTE, Instant
from shared.money import Price
from shared.props.predict import MarketConsensus, PropQuestion
from shared.props.serving import LadderSeen, LineSeen, PropLines, choose, merged, nearest_to_even
from tests.props.build import DAY, NOW, rung


def book(line: float, age: int = 0) -> LineSeen:
    return LineSeen(line=line, over_price=1.9, under_price=1.9, at=Instant(NOW - age))


def ladder(line: float = 25.5, age: int = 0) -> LadderSeen:
    return LadderSeen(
        line=line,
        yes_price=Price(510_000),
        no_price=Price(510_000),
        liquidity="HIGH",
        ticker="T",
        at=Instant(NOW - age),
    )


def chosen(known: PropLines | None) -> tuple[str, float | None]:
    found = choose("jaysontatum", DAY, "points", known, NOW)
    return found.source, found.line


def test_books_go_before_the_exchange_in_order_of_preference() -> None:
    known = PropLines(
        books={"bovada": book(26.5), "fanduel": book(24.5), "unheard_of": book(1.5)}, kalshi=ladder()
    )
    assert chosen(known) == ("fanduel", 24.5)


def test_the_exchange_serves_when_no_book_is_fresh() -> None:
    assert chosen(PropLines(books={"fanduel": book(24.5, HOUR)}, kalshi=ladder())) == ("kalshi", 25.5)


def test_a_stale_line_is_served_and_says_so() -> None:
    found = choose("p", DAY, "points", PropLines(books={"fanduel": book(24.5, HOUR)}), NOW)
    assert (found.source, found.is_stale, found.age_s) == ("fanduel", True, 3600.0)


def test_the_ladder_beside_the_line_and_how_far_it_is() -> None:
    found = choose("p", DAY, "points", PropLines(books={"fanduel": book(24.5)}, kalshi=ladder()), NOW)
    assert (found.kalshi_available, found.kalshi_line, found.line_discrepancy) == (True, 25.5, 1.0)
    assert (found.kalshi_yes_price, found.kalshi_market_ticker, found.kalshi_liquidity) == (
        510_000,
        "T",
        "HIGH",
    )


@pytest.mark.parametrize("missing", [None, ladder(age=HOUR)])
def test_without_a_fresh_ladder_the_line_is_served_all_the_same(missing: LadderSeen | None) -> None:
    found = choose("p", DAY, "points", PropLines(books={"fanduel": book(24.5)}, kalshi=missing), NOW)
    assert (found.line, found.kalshi_available, found.kalshi_line, found.line_discrepancy) == (
        24.5,
        False,
        None,
        None,
    )


def test_nobody_knows_nothing() -> None:
    assert chosen(None) == ("", None)
    assert chosen(PropLines()) == ("", None)


def test_of_two_sightings_the_later_counts_in_any_order() -> None:
    old, new = PropLines(books={"fanduel": book(24.5, MINUTE)}), PropLines(books={"fanduel": book(25.5)})
    assert merged(merged(None, old), new).books["fanduel"].line == 25.5
    assert merged(merged(None, new), old).books["fanduel"].line == 25.5


def test_the_rung_nearest_to_even_stands_for_the_ladder() -> None:
    found = nearest_to_even(
        [rung(20, 0.70, 0.72), rung(25, 0.48, 0.50), rung(30, 0.2, 0.22), rung(35, None, 0.02)]
    )
    assert found is not None
    assert (found.line, found.yes_price, found.no_price) == (24.5, 500_000, 520_000)
    assert nearest_to_even([rung(20, None, None)]) is None


def test_the_baseline_takes_the_books_then_an_equal_ladder_then_nothing() -> None:
    line = choose("p", DAY, "points", PropLines(books={"fanduel": book(24.5)}, kalshi=ladder(24.5)), NOW)
    other = choose("p", DAY, "points", PropLines(books={"fanduel": book(24.5)}, kalshi=ladder(29.5)), NOW)
    model = MarketConsensus()
    assert model.predict(PropQuestion(line, 0.55, 0.4)) == 0.55
    assert model.predict(PropQuestion(line, None, 0.4)) == 0.4
    assert model.predict(PropQuestion(other, None, 0.4)) is None
