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


class OrderBook:
    """Depth of one market. Deltas cost about a microsecond; sorted depth is built when it is asked for."""

    __slots__ = ("_best", "_fault", "_levels", "seq", "ticker", "updated_at")

    def __init__(self, ticker: str) -> None:
        self.ticker = ticker
        self.seq: int | None = None
        self.updated_at: Instant | None = None
        self._fault: BookState | None = BookState.EMPTY
        self._levels: dict[Side, dict[Price, Quantity]] = {Side.YES: {}, Side.NO: {}}
        self._best: dict[Side, Price | None] = {Side.YES: None, Side.NO: None}

    @property
    def state(self) -> BookState:
        """Whether this book can be believed now.

        Best bids that add up to exactly a dollar count as crossed: such orders would have matched, so a book
        that shows them is in the middle of a change.
        """
        if self._fault is not None:
            return self._fault
        yes, no = self._best[Side.YES], self._best[Side.NO]
        if yes is not None and no is not None and yes + no >= MICROS:
            return BookState.CROSSED
        return BookState.LIVE

    def apply_snapshot(
        self, yes_bids: Iterable[Level], no_bids: Iterable[Level], at: Instant, seq: int | None = None
    ) -> None:
        """Replace everything. A bad level leaves the book in DESYNC and raises :class:`MalformedError`."""
        self._fault = BookState.DESYNC
        for side, bids in ((Side.YES, yes_bids), (Side.NO, no_bids)):
            self._levels[side] = _checked(bids)
            self._best[side] = max(self._levels[side], default=None)
        self.seq, self.updated_at = seq, at
        self._fault = None

    def apply_delta(
        self, side: Side, price: Price, delta: Quantity, at: Instant, seq: int | None = None
    ) -> bool:
        """Add ``delta`` to one bid level; False when it was ignored (no snapshot yet, lost, or already seen).

        A level below zero means a message was missed: the book goes to DESYNC and waits for a snapshot.
        """
        if self._fault is not None or (seq is not None and self.seq is not None and seq <= self.seq):
            return False
        levels = self._levels[side]
        size = levels.get(price, 0) + delta
        if size < 0 or not 0 < price < MICROS:
            self._fault = BookState.DESYNC
            return False
        self._set(side, levels, price, size)
        self.updated_at = at
        if seq is not None:
            self.seq = seq
        return True

    def _set(self, side: Side, levels: dict[Price, Quantity], price: Price, size: int) -> None:
        best = self._best[side]
        if size:
            levels[price] = Quantity(size)
            if best is None or price > best:
                self._best[side] = price
            return
        levels.pop(price, None)
        if price == best:
            self._best[side] = max(levels, default=None)

    def touch(self, at: Instant) -> None:
        """The stream is alive and nothing changed: the quotes are as fresh as ``at``."""
        if self.updated_at is not None and at > self.updated_at:
            self.updated_at = at

    def mark_gap(self) -> None:
        """Messages of this book's subscription were lost; only a snapshot mends it."""
        if self._fault is not BookState.EMPTY:
            self._fault = BookState.GAP

    def age(self, now: Instant) -> int | None:
        """Microseconds since the last message, never negative; ``None`` before the first snapshot."""
        return None if self.updated_at is None else max(0, now - self.updated_at)

    def best_bid(self, side: Side) -> Level | None:
        """Highest bid for ``side``, or ``None``."""
        price = self._best[side]
        if price is None or self.state is not BookState.LIVE:
            return None
        return price, self._levels[side][price]

    def best_ask(self, side: Side) -> Level | None:
        """Cheapest offer of ``side``: the complement of the other side's best bid."""
        bid = self.best_bid(side.other)
        return None if bid is None else (Price(MICROS - bid[0]), bid[1])

    def bids(self, side: Side) -> tuple[Level, ...]:
        """Bids for ``side``, best first; empty unless LIVE."""
        return self.levels(side) if self.state is BookState.LIVE else ()

    def asks(self, side: Side) -> tuple[Level, ...]:
        """Offers of ``side``, cheapest first; empty unless LIVE."""
        return tuple((Price(MICROS - price), size) for price, size in self.bids(side.other))

    def levels(self, side: Side) -> tuple[Level, ...]:
        """Bids for ``side`` as held, best first, whatever the state: for records, not for trading."""
        return tuple(sorted(self._levels[side].items(), reverse=True))


def _checked(bids: Iterable[Level]) -> dict[Price, Quantity]:
    levels: dict[Price, Quantity] = {}
    for price, size in bids:
        if not 0 < price < MICROS or size < 0 or price in levels:
            raise MalformedError(f"book level {price} x {size} is impossible or repeated")
        if size:
            levels[price] = size
    return levels
