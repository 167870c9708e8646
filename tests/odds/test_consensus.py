from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import MalformedError
from shared.odds.consensus import (
    BookFair,
    Consensus,
    consensus,
    pool,
    staleness_limit,
    weight,
)
from shared.odds.devig import devig_all

PROBABILITIES = st.floats(0.01, 0.99)


def quote(book: str, p: float, age_s: float = 30.0) -> BookFair:
    return BookFair(book, age_s, multiplicative=p, power=p, odds_ratio=p, shin=p)


def reasons(found: Consensus) -> dict[str, str]:
    return {dropped.book: dropped.reason.split(":")[0] for dropped in found.dropped}


def six(odd_one: BookFair) -> list[BookFair]:
    books = zip(("a", "b", "c", "d", "e"), (0.548, 0.556, 0.541, 0.562, 0.551), strict=True)
    return [*(quote(book, p) for book, p in books), odd_one]


def test_no_fresh_quote_means_no_consensus() -> None:
    found = consensus([quote("fanduel", 0.5, age_s=121.0)], max_age_s=120.0)
    assert found.fair is None
    assert found.refusal.startswith("no_books")
    assert reasons(found) == {"fanduel": "stale"}


@pytest.mark.parametrize("book", ["kalshi", "polymarket", "prizepicks"])
def test_a_venue_we_trade_on_is_no_evidence_about_itself(book: str) -> None:
    found = consensus([quote(book, 0.9), quote("fanduel", 0.5)], 120.0)
    assert reasons(found) == {book: "not_evidence"}
    assert found.fair is not None
    assert found.fair.names == ("fanduel",)


@pytest.mark.parametrize("bad", [0.0, 1.0, -0.1, math.nan])
def test_an_impossible_probability_is_left_out(bad: float) -> None:
    found = consensus([quote("a", bad), quote("b", 0.5)], 120.0)
    assert reasons(found) == {"a": "invalid"}


def test_an_unknown_age_counts_as_stale() -> None:
    assert reasons(consensus([quote("a", 0.5, age_s=math.nan)], 120.0)) == {"a": "stale"}


def test_regional_sites_of_one_operator_count_once_and_the_freshest_stays() -> None:
    found = consensus([quote("unibet_fr", 0.50, 60.0), quote("unibet_nl", 0.52, 10.0)], 120.0)
    assert reasons(found) == {"unibet_fr": "copy"}


def test_the_same_book_twice_counts_once() -> None:
    found = consensus([quote("fanduel", 0.5, 60.0), quote("fanduel", 0.6, 10.0)], 120.0)
    assert found.fair is not None
    assert found.fair.power == pytest.approx(0.6)


def test_caesars_is_not_a_copy_of_william_hill() -> None:
    found = consensus([quote("williamhill_us", 0.5), quote("williamhill", 0.5)], 120.0)
    assert not found.dropped


def test_an_outlier_among_six_is_dropped() -> None:
    found = consensus(six(quote("f", 0.640)), 120.0)
    assert reasons(found) == {"f": "outlier"}
    assert found.fair is not None
    assert found.fair.books == 5


def test_an_outlier_among_five_is_pulled_in() -> None:
    books = [quote(name, p) for name, p in zip("abcde", (0.548, 0.556, 0.541, 0.562, 0.80), strict=True)]
    found = consensus(books, 120.0)
    assert found.fair is not None
    assert not found.dropped
    assert found.fair.power < 0.57


def test_the_anchor_as_the_outlier_makes_us_abstain() -> None:
    found = consensus(six(quote("pinnacle", 0.640)), 120.0)
    assert found.fair is None
    assert found.refusal.startswith("anchor_outlier")


def test_a_stale_anchor_is_only_aged_out() -> None:
    found = consensus(six(quote("pinnacle", 0.640, age_s=500.0)), 120.0)
    assert found.fair is not None
    assert reasons(found) == {"pinnacle": "stale"}


def test_books_on_one_price_do_not_throw_out_a_neighbour() -> None:
    books = [quote(name, 0.5) for name in "abcde"] + [quote("f", 0.51), quote("g", 0.53)]
    assert reasons(consensus(books, 120.0)) == {"g": "outlier"}


def test_three_books_are_never_trimmed() -> None:
    found = consensus([quote("a", 0.50), quote("b", 0.51), quote("c", 0.90)], 120.0)
    assert found.fair is not None
    assert found.fair.books == 3


@pytest.mark.parametrize(("books", "floor"), [(1, 0.02), (2, 0.01), (4, 0.005), (8, 0.005)])
def test_the_standard_error_has_a_floor_that_widens_with_fewer_books(books: int, floor: float) -> None:
    found = consensus([quote(f"book{n}", 0.5) for n in range(books)], 120.0)
    assert found.fair is not None
    assert found.fair.standard_error == pytest.approx(floor)


def test_the_consensus_is_the_least_favourable_method() -> None:
    fair = devig_all([1.10, 7.50])
    found = consensus([BookFair.of("a", 10.0, fair, 1), BookFair.of("b", 10.0, fair, 1)], 120.0)
    assert found.fair is not None
    assert found.fair.probability == pytest.approx(fair.least[1])
    assert found.method_range == pytest.approx(fair.spread[1])


def test_a_sharp_and_fresh_book_weighs_most() -> None:
    assert weight("pinnacle", 0.0) == 3 * weight("fanduel", 0.0)
    assert weight("fanduel", 600.0) == pytest.approx(0.5)
    assert weight("fanduel", -5.0) == 1.0


@pytest.mark.parametrize(("seconds", "limit"), [(-60, 5), (0, 5), (600, 120), (3600, 120), (86_400, 600)])
def test_quotes_may_be_older_the_further_the_start(seconds: float, limit: float) -> None:
    assert staleness_limit(seconds) == limit


@pytest.mark.parametrize(
    ("probabilities", "weights"),
    [([], []), ([0.5], [0.0]), ([0.5], [weight("fanduel", math.nan)]), ([1.0], [1.0])],
)
def test_what_cannot_be_pooled_is_an_error(probabilities: list[float], weights: list[float]) -> None:
    with pytest.raises(MalformedError):
        pool(probabilities, weights)


@given(st.lists(st.tuples(PROBABILITIES, st.floats(0.01, 10.0)), min_size=1, max_size=10))
def test_the_pool_lies_between_its_members(entries: list[tuple[float, float]]) -> None:
    probabilities, weights = zip(*entries, strict=True)
    pooled = pool(probabilities, weights)
    assert min(probabilities) - 1e-9 <= pooled.probability <= max(probabilities) + 1e-9
    assert 1 - 1e-9 <= pooled.effective <= len(entries) + 1e-9


@given(st.lists(PROBABILITIES, min_size=1, max_size=8))
def test_the_complement_pools_to_the_complement(probabilities: list[float]) -> None:
    ones = [1.0] * len(probabilities)
    mirrored = pool([1 - p for p in probabilities], ones).probability
    assert pool(probabilities, ones).probability == pytest.approx(1 - mirrored, abs=1e-9)


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), PROBABILITIES, st.floats(0, 300)), max_size=8))
def test_every_quote_is_either_used_or_dropped_with_a_reason(
    entries: list[tuple[str, float, float]],
) -> None:
    found = consensus([quote(*entry) for entry in entries], 120.0)
    used = found.fair.books if found.fair else 0
    assert bool(found.fair) != bool(found.refusal)
    assert used + len(found.dropped) == len(entries)
