"""Keeps the live books of every watched market from what the stream says, and knows when to believe them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from shared.books.book import BookState, OrderBook
from shared.clock import Instant
from shared.errors import MalformedError
from shared.messages import BookLevel, BookSeen, MarketListed
from shared.money import complement
from shared.terms import Side
from shared.venues.kalshi.events import BookDelta, BookSnapshot, Disconnected, Gap, StreamEvent


class BookKeeper:
    """Books by ticker. A lost message or connection makes books unquotable until their next snapshot."""

    def __init__(self) -> None:
        self.books: dict[str, OrderBook] = {}
        self.gaps = 0
        self.halted: set[str] = set()
        self.changed: set[str] = set()

    def book_of(self, ticker: str) -> OrderBook | None:
        """The live book of ``ticker``, ``None`` when it was never seen or its market is halted."""
        return None if ticker in self.halted else self.books.get(ticker)

    def apply(self, event: StreamEvent) -> OrderBook | None:
        """Take in one event; gives the book that changed, or ``None``."""
        if isinstance(event, BookDelta):
            book = self.books.get(event.ticker)
            if book is not None and book.apply_delta(event.side, event.price, event.delta, event.at):
                self.changed.add(event.ticker)
                return book
            return None
        if isinstance(event, BookSnapshot):
            return self._snapshot(event)
        if isinstance(event, (Gap, Disconnected)):
            self._mark(event.tickers)
        return None

    def heard(self, at: Instant) -> None:
        """The stream is alive: what did not change still stands."""
        for book in self.books.values():
            book.touch(at)

    def listed(self, market: MarketListed) -> None:
        """A one-level book from a listing, for recordings that hold no depth."""
        yes = [(market.yes_bid, market.yes_bid_size)] if market.yes_bid and market.yes_bid_size else []
        no = (
            [(complement(market.yes_ask), market.yes_ask_size)]
            if market.yes_ask and market.yes_ask_size
            else []
        )
        book = self.books.setdefault(market.ticker, OrderBook(market.ticker))
        with suppress(MalformedError):
            book.apply_snapshot(yes, no, market.observed_at)

    def forget(self, tickers: Iterable[str]) -> None:
        """Drop books nobody watches any more."""
        for ticker in tickers:
            self.books.pop(ticker, None)
            self.changed.discard(ticker)
            self.halted.discard(ticker)

    def broken(self) -> list[str]:
        """Books that a delta contradicted: only a new snapshot mends them, and nobody has asked for one."""
        return [ticker for ticker, book in self.books.items() if book.state is BookState.DESYNC]

    def news(self) -> list[OrderBook]:
        """Believable books that changed since the last call; being touched is no change."""
        changed, self.changed = self.changed, set()
        books = (self.books.get(ticker) for ticker in sorted(changed))
        return [book for book in books if book is not None and book.state is BookState.LIVE]

    def _snapshot(self, event: BookSnapshot) -> OrderBook | None:
        book = self.books.setdefault(event.ticker, OrderBook(event.ticker))
        try:
            book.apply_snapshot(event.yes_bids, event.no_bids, event.at)
        except MalformedError:
            return None
        self.changed.add(event.ticker)
        return book

    def _mark(self, tickers: Iterable[str]) -> None:
        self.gaps += 1
        for ticker in tickers:
            book = self.books.get(ticker)
            if book is not None:
                book.mark_gap()


def book_seen(book: OrderBook, now: Instant) -> BookSeen:
    """A book as a message, best levels first."""

    def levels(side: Side) -> tuple[BookLevel, ...]:
        return tuple(BookLevel(price=price, size=size) for price, size in book.bids(side))

    return BookSeen(
        observed_at=now,
        source_at=book.updated_at,
        ticker=book.ticker,
        seq=book.seq,
        yes_bids=levels(Side.YES),
        no_bids=levels(Side.NO),
    )
