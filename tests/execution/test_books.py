"""The book keeper: which books may be believed, and what has changed since somebody asked."""

from __future__ import annotations

from shared.books.book import BookState
from shared.clock import SECOND, Instant
from shared.execution.books import BookKeeper, book_seen
from shared.messages import MarketListed
from shared.money import Price, Quantity
from shared.terms import Side
from shared.venues.kalshi.events import BookDelta, BookSnapshot, Disconnected, Gap, Problem
from tests.execution.conftest import START, TICKER, cents, contracts

LATER = Instant(START + SECOND)


def snapshot(ticker: str = TICKER, yes: int = 45, no: int = 50) -> BookSnapshot:
    return BookSnapshot(
        at=START,
        ticker=ticker,
        sid=1,
        seq=1,
        yes_bids=((cents(yes), contracts(10)),),
        no_bids=((cents(no), contracts(10)),),
    )


def delta(size: int, ticker: str = TICKER, price: int = 46) -> BookDelta:
    return BookDelta(
        at=LATER, ticker=ticker, sid=1, seq=2, side=Side.YES, price=cents(price), delta=contracts(size)
    )


def keeper(*tickers: str) -> BookKeeper:
    made = BookKeeper()
    for ticker in tickers or (TICKER,):
        made.apply(snapshot(ticker))
    return made


def listing(**quotes: object) -> MarketListed:
    return MarketListed(observed_at=START, ticker=TICKER, event_ticker="E", series_ticker="S", **quotes)  # type: ignore[arg-type]


def test_a_market_never_seen_has_no_book() -> None:
    assert BookKeeper().book_of(TICKER) is None


def test_a_delta_before_any_snapshot_makes_no_book() -> None:
    made = BookKeeper()
    assert made.apply(delta(5)) is None
    assert made.book_of(TICKER) is None


def test_a_delta_gives_back_the_book_it_changed() -> None:
    made = keeper()
    book = made.apply(delta(5))
    assert book is made.book_of(TICKER)
    assert book is not None
    assert book.best_bid(Side.YES) == (cents(46), contracts(5))


def test_a_halted_market_shows_no_book() -> None:
    made = keeper()
    made.halted.add(TICKER)
    assert made.book_of(TICKER) is None


def test_a_gap_hides_the_books_it_names_and_no_other() -> None:
    made = keeper("A-X", "B-X")
    made.apply(Gap(at=LATER, channel="orderbook_delta", tickers=("A-X", "C-X"), reason="lost"))
    states = {ticker: book.state for ticker, book in made.books.items()}
    assert states == {"A-X": BookState.GAP, "B-X": BookState.LIVE}
    assert made.gaps == 1


def test_a_lost_connection_hides_every_book_until_its_snapshot() -> None:
    made = keeper("A-X", "B-X")
    made.apply(Disconnected(at=LATER, reason="closed", tickers=("A-X", "B-X")))
    made.apply(snapshot("A-X"))
    assert [made.books[ticker].state for ticker in ("A-X", "B-X")] == [BookState.LIVE, BookState.GAP]


def test_a_snapshot_that_makes_no_sense_is_a_broken_book() -> None:
    made = keeper()
    bad = BookSnapshot(
        at=LATER, ticker=TICKER, sid=1, seq=2, yes_bids=((Price(0), Quantity(-5)),), no_bids=()
    )
    assert made.apply(bad) is None
    assert made.broken() == [TICKER]


def test_a_delta_that_contradicts_the_book_breaks_it() -> None:
    made = keeper()
    assert made.apply(delta(-5)) is None
    assert made.broken() == [TICKER]


def test_a_crossed_book_is_not_broken_but_shows_no_quotes() -> None:
    made = keeper()
    book = made.apply(delta(5, price=50))
    assert book is not None
    assert (book.state, book.asks(Side.YES), made.broken()) == (BookState.CROSSED, (), [])


def test_what_the_stream_says_besides_books_changes_no_book() -> None:
    made = keeper()
    assert made.apply(Problem(at=LATER, reason="?")) is None
    assert made.news() != []
    assert made.news() == []


def test_a_quiet_book_is_as_fresh_as_the_stream_but_is_no_news() -> None:
    made = keeper()
    made.news()
    made.heard(LATER)
    assert made.books[TICKER].age(LATER) == 0
    assert made.news() == []


def test_news_are_the_believable_books_that_changed() -> None:
    made = keeper("A-X", "B-X", "C-X")
    made.news()
    made.apply(delta(5, "A-X"))
    made.apply(delta(5, "B-X"))
    made.apply(Gap(at=LATER, channel="orderbook_delta", tickers=("B-X",), reason="lost"))
    assert [book.ticker for book in made.news()] == ["A-X"]


def test_forgetting_leaves_nothing_of_a_market() -> None:
    made = keeper()
    made.halted.add(TICKER)
    made.forget([TICKER, "NEVER-SEEN"])
    assert (made.books, made.halted, made.changed) == ({}, set(), set())


def test_a_listing_makes_a_book_of_one_level_a_side() -> None:
    made = BookKeeper()
    made.listed(
        listing(yes_bid=cents(44), yes_bid_size=contracts(5), yes_ask=cents(46), yes_ask_size=contracts(7))
    )
    book = made.books[TICKER]
    assert (book.asks(Side.YES), book.asks(Side.NO)) == (
        ((cents(46), contracts(7)),),
        ((cents(56), contracts(5)),),
    )


def test_a_listing_without_a_size_offers_nothing() -> None:
    made = BookKeeper()
    made.listed(listing(yes_bid=cents(44), yes_ask=cents(46)))
    assert (made.books[TICKER].asks(Side.YES), made.books[TICKER].asks(Side.NO)) == ((), ())


def test_a_book_as_a_message_holds_both_sides_best_first() -> None:
    seen = book_seen(keeper().books[TICKER], LATER)
    assert [(level.price, level.size) for level in seen.yes_bids] == [(cents(45), contracts(10))]
    assert [(level.price, level.size) for level in seen.no_bids] == [(cents(50), contracts(10))]
