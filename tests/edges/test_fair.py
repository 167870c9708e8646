"""Fair values: exactly the line, the full outcome set, and a reason when there is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import SECOND, Instant
from shared.edges.fair import FairPair, fair_pair, stands_until
from shared.messages import OddsOutcome, OddsSeen, Selection
from shared.terms import MarketKind, Side
from tests.edges.floor import AWAY, BOOKS, HOME, NOW, mapping, moneyline, odds, quote

H2H = Selection(market="h2h", outcome=AWAY)


def pair(seen: OddsSeen, selection: Selection = H2H, kind: MarketKind = MarketKind.WINNER) -> FairPair:
    found = fair_pair(seen, selection, kind, NOW)
    assert isinstance(found, FairPair), found
    return found


def refusal(seen: OddsSeen, selection: Selection = H2H, kind: MarketKind = MarketKind.WINNER) -> str:
    found = fair_pair(seen, selection, kind, NOW)
    assert isinstance(found, str), found
    return found


def test_even_odds_are_even_chances() -> None:
    found = pair(odds())
    assert found.yes.probability == pytest.approx(0.5, abs=1e-9)
    assert found.yes.books == len(BOOKS)


@given(st.floats(1.2, 6.0))
def test_the_two_sides_never_sum_to_more_than_one(away: float) -> None:
    home = 1 / (1.04 - 1 / away) if 1 / away < 0.9 else 12.0
    found = pair(odds(*(moneyline(book, away, home) for book in BOOKS)))
    assert found.of(Side.YES, NOW).probability + found.of(Side.NO, NOW).probability <= 1 + 1e-9


def test_another_line_is_no_opinion() -> None:
    spread = tuple(
        quote(
            book,
            OddsOutcome(name=AWAY, price=1.9, point=-3.5),
            OddsOutcome(name=HOME, price=1.9, point=3.5),
            market_key="spreads",
        )
        for book in BOOKS
    )
    selection = Selection(market="spreads", outcome=AWAY, point=-2.5)
    assert "no_books" in refusal(odds(*spread), selection, MarketKind.SPREAD)


def test_a_spread_needs_the_opponent_at_the_opposite_point() -> None:
    lone = tuple(
        quote(
            book,
            OddsOutcome(name=AWAY, price=1.9, point=-2.5),
            OddsOutcome(name=HOME, price=1.9, point=-2.5),
            market_key="spreads",
        )
        for book in BOOKS
    )
    selection = Selection(market="spreads", outcome=AWAY, point=-2.5)
    assert "no_books" in refusal(odds(*lone), selection, MarketKind.SPREAD)


def test_alternate_lines_count_as_the_same_market() -> None:
    total = tuple(
        quote(
            book,
            OddsOutcome(name="Over", price=1.9, point=44.5),
            OddsOutcome(name="Under", price=1.9, point=44.5),
            OddsOutcome(name="Over", price=2.4, point=47.5),
            OddsOutcome(name="Under", price=1.55, point=47.5),
            market_key="alternate_totals",
        )
        for book in BOOKS
    )
    selection = Selection(market="totals", outcome="Over", point=47.5)
    assert pair(odds(*total), selection, MarketKind.TOTAL).yes.probability < 0.45


def test_a_three_way_market_needs_its_draw() -> None:
    assert "no_books" in refusal(odds(), kind=MarketKind.THREE_WAY)


def test_a_three_way_winner_leaves_room_for_the_draw() -> None:
    three = tuple(
        quote(
            book,
            OddsOutcome(name=AWAY, price=2.9),
            OddsOutcome(name=HOME, price=2.9),
            OddsOutcome(name="Draw", price=2.9),
        )
        for book in BOOKS
    )
    found = pair(odds(*three), kind=MarketKind.THREE_WAY)
    assert found.yes.probability == pytest.approx(1 / 3, abs=1e-6)
    assert found.no.probability == pytest.approx(2 / 3, abs=1e-6)


def test_a_missing_outcome_gives_no_opinion() -> None:
    lone = tuple(quote(book, OddsOutcome(name=AWAY, price=1.9)) for book in BOOKS)
    assert "no_books" in refusal(odds(*lone))


def test_the_exchange_is_no_evidence_about_itself() -> None:
    assert "no_books" in refusal(odds(moneyline("kalshi"), moneyline("polymarket")))


def test_old_quotes_are_dropped() -> None:
    assert "no_books" in refusal(odds(*(moneyline(book, age_s=3_600) for book in BOOKS)))


def test_a_quote_of_unknown_age_is_no_evidence() -> None:
    from msgspec.structs import replace

    unknown = tuple(replace(moneyline(book), last_update=None) for book in BOOKS)
    assert "no_books" in refusal(odds(*unknown))


def test_a_quote_from_the_future_counts_as_fresh() -> None:
    ahead = tuple(moneyline(book, age_s=-30) for book in BOOKS)
    assert pair(odds(*ahead)).yes.age_s == 0


def test_a_quote_dated_far_ahead_is_no_evidence_until_our_clock_comes_near() -> None:
    seen = odds(*(moneyline(book, age_s=-3_600) for book in BOOKS))
    assert isinstance(fair_pair(seen, H2H, MarketKind.WINNER, NOW), str)
    near = stands_until(seen, H2H, NOW)
    assert near == NOW + 3_540 * SECOND
    assert not isinstance(fair_pair(seen, H2H, MarketKind.WINNER, near), str)


def test_an_underround_book_is_left_out() -> None:
    found = pair(odds(*(moneyline(book) for book in BOOKS[:4]), moneyline(BOOKS[4], 2.5, 2.5)))
    assert found.yes.books == 4


def test_no_books_at_all_says_so() -> None:
    assert "no_books" in refusal(odds(moneyline("pinnacle"), starts_at=Instant(NOW - SECOND)))


def test_the_selection_of_a_mapping_finds_its_outcome() -> None:
    decided = mapping()
    assert decided.selection is not None
    assert pair(odds(), decided.selection).at == NOW
