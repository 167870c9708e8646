"""What only live trading hears: our own fills, and books by REST for as long as the stream is down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from shared.clock import SECOND, Clock, Instant, age
from shared.messages import BookSeen
from shared.venues.kalshi.account import FillSeen
from shared.venues.kalshi.events import BookSnapshot, StreamEvent
from shared.venues.kalshi.portfolio import KalshiPortfolio
from shared.venues.kalshi.private import PrivateFeed
from shared.venues.kalshi.trading import KalshiTrading

# A stream that is back within this time has cost nothing but a snapshot.
_PATIENCE = 5 * SECOND
# Tokens are for orders first: so many books are read a turn, in one call.
_BOOKS = 50


class Mode(StrEnum):
    """Where prices come from: the stream, REST while it is down, or nowhere, and then nothing is bought."""

    STREAM = "stream"
    POLL = "poll"
    HALT = "halt"


class LiveFeed:
    """Reads by REST what the stream does not tell."""

    def __init__(
        self, fills: PrivateFeed, portfolio: KalshiPortfolio, trading: KalshiTrading, clock: Clock
    ) -> None:
        self._fills, self._portfolio, self._trading, self._clock = fills, portfolio, trading, clock
        self._client = portfolio.client
        self._alive_at = clock.now()
        self.mode = Mode.STREAM

    def note(self, event: StreamEvent) -> bool:
        """An event of the stream; true if it is a fill of ours that is new."""
        return self._fills.note(event)

    async def warm(self) -> None:
        """Have the next order signed before it is wanted."""
        await self._trading.warm()

    async def catch_up(self) -> list[FillSeen]:
        """Read the fills that are due; gives those that the stream had not told."""
        return await self._fills.catch_up(self._portfolio)

    async def poll(self, alive_at: Instant | None, tickers: Iterable[str]) -> list[BookSnapshot]:
        """The books of ``tickers``, while the stream (last heard at ``alive_at``) is down; else nothing.

        Raises what kept them from being read; the mode is then :attr:`Mode.HALT`, for their quotes grow old.
        """
        now = self._clock.now()
        if alive_at is not None:
            self._alive_at, self.mode = alive_at, Mode.STREAM
            return []
        if age(self._alive_at, now) < _PATIENCE:
            return []
        self.mode = Mode.HALT
        wanted = sorted(tickers)[:_BOOKS]
        seen = (await self._client.books(wanted)).rows if wanted else []
        self.mode = Mode.POLL
        return list(_snapshots(seen))


def _snapshots(seen: Iterable[BookSeen]) -> Iterator[BookSnapshot]:
    for book in seen:
        yield BookSnapshot(
            at=book.observed_at,
            ticker=book.ticker,
            sid=0,
            seq=None,
            yes_bids=tuple((level.price, level.size) for level in book.yes_bids),
            no_bids=tuple((level.price, level.size) for level in book.no_bids),
        )
