"""One market's order book: a snapshot plus signed deltas, and whether it may be believed.

The exchange sends bids only, for YES and for NO, each at its own price; an ask for one side is a bid for the
other at the complement. Prices here are always the side's own. Nothing but a LIVE book answers with quotes:
after a gap, a negative level or a cross, bids and asks are empty until a snapshot (or, for a cross, the next
delta) mends it.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from shared.clock import Instant
from shared.errors import MalformedError
from shared.fees.protocol import Level
from shared.money import MICROS, Price, Quantity
from shared.terms import Side


class BookState(StrEnum):
    """Whether a book can be believed."""

    EMPTY = "empty"  # no snapshot yet
    LIVE = "live"
    GAP = "gap"  # messages were lost
    DESYNC = "desync"  # a delta contradicted what we hold
    CROSSED = "crossed"  # best bids add up to a dollar or more


class _Ladder:
    """Bids of one side with the best price kept at hand."""

    __slots__ = ("best", "sizes")

    def __init__(self) -> None:
        self.sizes: dict[Price, Quantity] = {}
        self.best: Price | None = None

    def replace(self, sizes: dict[Price, Quantity]) -> None:
        self.sizes = sizes
        self.best = max(sizes, default=None)

    def add(self, price: Price, delta: Quantity) -> bool:
        """Change one level; False, and nothing changed, if it would fall below zero."""
        size = self.sizes.get(price, 0) + delta
        if size < 0:
            return False
        if size:
            self.sizes[price] = Quantity(size)
            if self.best is None or price > self.best:
                self.best = price
            return True
        self.sizes.pop(price, None)
        if price == self.best:
            self.best = max(self.sizes, default=None)
        return True


class OrderBook:
    """Depth of one market. Deltas cost about a microsecond; sorted depth is built when it is asked for."""

    __slots__ = ("_fault", "_no", "_yes", "seq", "ticker", "updated_at")

    def __init__(self, ticker: str) -> None:
        self.ticker = ticker
        self.seq: int | None = None
        self.updated_at: Instant | None = None
        self._fault: BookState | None = BookState.EMPTY
        self._yes, self._no = _Ladder(), _Ladder()

    @property
    def state(self) -> BookState:
        """Whether this book can be believed now.

        Best bids that add up to exactly a dollar count as crossed: such orders would have matched, so the
        book is between two messages of one change. In 675,000 recorded states of four games 21 were crossed,
        none for longer than two messages; it mends itself.
        """
        if self._fault is not None:
            return self._fault
        yes, no = self._yes.best, self._no.best
        if yes is not None and no is not None and yes + no >= MICROS:
            return BookState.CROSSED
        return BookState.LIVE

    def apply_snapshot(
        self, yes_bids: Iterable[Level], no_bids: Iterable[Level], at: Instant, seq: int | None = None
    ) -> bool:
        """Replace everything; False when a LIVE book has already seen a newer message.

        A bad level leaves the book in DESYNC and raises :class:`MalformedError`.
        """
        if self._fault is None and seq is not None and self.seq is not None and seq < self.seq:
            return False
        self._fault = BookState.DESYNC
        self._yes.replace(_checked(yes_bids))
        self._no.replace(_checked(no_bids))
        self.seq, self.updated_at = seq, at
        self._fault = None
        return True

    def apply_delta(
        self, side: Side, price: Price, delta: Quantity, at: Instant, seq: int | None = None
    ) -> bool:
        """Add ``delta`` to one bid level; False when it was not applied.

        Ignored: before the first snapshot, after a loss, or when ``seq`` is not newer than what was seen. A
        level that would fall below zero means a message was missed: the book goes to DESYNC and waits for a
        snapshot.
        """
        if self._fault is not None or (seq is not None and self.seq is not None and seq <= self.seq):
            return False
        ladder = self._yes if side is Side.YES else self._no
        if not 0 < price < MICROS or not ladder.add(price, delta):
            self._fault = BookState.DESYNC
            return False
        self.updated_at = at
        if seq is not None:
            self.seq = seq
        return True

    def _ladder(self, side: Side) -> _Ladder:
        return self._yes if side is Side.YES else self._no

    def touch(self, at: Instant) -> None:
        """The stream is alive and nothing changed: the quotes are as fresh as ``at``, be it earlier."""
        if self.updated_at is not None:
            self.updated_at = at

    def mark_gap(self) -> None:
        """Messages of this book's subscription were lost; only a snapshot mends it."""
        if self._fault is not BookState.EMPTY:
            self._fault = BookState.GAP

    def age(self, now: Instant) -> int | None:
        """Microseconds since the last message, ``None`` before the first snapshot.

        Never negative: a message from the future is as old as the clock was set back.
        """
        return None if self.updated_at is None else abs(now - self.updated_at)

    def best_bid(self, side: Side) -> Level | None:
        """Highest bid for ``side``, or ``None``."""
        ladder = self._ladder(side)
        if ladder.best is None or self.state is not BookState.LIVE:
            return None
        return ladder.best, ladder.sizes[ladder.best]

    def best_ask(self, side: Side) -> Level | None:
        """Cheapest offer of ``side``: the complement of the other side's best bid."""
        bid = self.best_bid(Side.NO if side is Side.YES else Side.YES)
        return None if bid is None else (Price(MICROS - bid[0]), bid[1])

    def best_asks(self) -> tuple[Price | None, Price | None]:
        """Cheapest offers of YES and of NO, ``None`` where there is none; asked at every change of a book."""
        if self._fault is not None:
            return None, None
        yes, no = self._yes.best, self._no.best
        if yes is None:
            return None if no is None else Price(MICROS - no), None
        if no is None:
            return None, Price(MICROS - yes)
        return (None, None) if yes + no >= MICROS else (Price(MICROS - no), Price(MICROS - yes))

    def bids(self, side: Side) -> tuple[Level, ...]:
        """Bids for ``side``, best first; empty unless LIVE."""
        return self.levels(side) if self.state is BookState.LIVE else ()

    def asks(self, side: Side) -> tuple[Level, ...]:
        """Offers of ``side``, cheapest first; empty unless LIVE."""
        return tuple((Price(MICROS - price), size) for price, size in self.bids(side.other))

    def levels(self, side: Side) -> tuple[Level, ...]:
        """Bids for ``side`` as held, best first, whatever the state: for records, not for trading."""
        return tuple(sorted(self._ladder(side).sizes.items(), reverse=True))


def _checked(bids: Iterable[Level]) -> dict[Price, Quantity]:
    levels: dict[Price, Quantity] = {}
    for price, size in bids:
        if not 0 < price < MICROS or size < 0 or price in levels:
            raise MalformedError(f"book level {price} x {size} is impossible or repeated")
        if size:
            levels[price] = size
    return levels
