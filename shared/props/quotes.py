"""A prop market's book as it is read for a row: bids of both sides, and what trading in it costs.

Depth from the order book where it was read, else the best quotes of the listing (cached for up to 15 s). A
bid for NO at p is an offer of YES at one less p.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.fees.kalshi import FeeSchedule
from shared.fees.protocol import FINE_PER_MICRO, Level, fine, from_fine
from shared.messages import BookSeen, MarketListed
from shared.money import LOTS, Price, Quantity, complement
from shared.terms import Side

# The size a round trip is priced for: what one order may be by default.
ROUND_TRIP = Quantity(100 * LOTS)


@dataclass(frozen=True, slots=True)
class Depth:
    """Bids of both sides at their own prices, best first."""

    yes_bids: tuple[Level, ...] = ()
    no_bids: tuple[Level, ...] = ()

    @property
    def best_bid(self) -> Price | None:
        """Highest bid for YES."""
        return self.yes_bids[0][0] if self.yes_bids else None

    @property
    def best_ask(self) -> Price | None:
        """Cheapest offer of YES."""
        return complement(self.no_bids[0][0]) if self.no_bids else None

    @property
    def resting(self) -> Quantity:
        """Contracts bid for on both sides."""
        return Quantity(sum(size for _, size in (*self.yes_bids, *self.no_bids)))

    def asks(self, side: Side) -> tuple[Level, ...]:
        """Offers of ``side``, cheapest first."""
        bids = self.no_bids if side is Side.YES else self.yes_bids
        return tuple((complement(price), size) for price, size in bids)


def depth_of(market: MarketListed, book: BookSeen | None) -> Depth:
    """The book if it was read, else what the listing shows of it."""
    if book is not None:
        return Depth(
            tuple((level.price, level.size) for level in book.yes_bids),
            tuple((level.price, level.size) for level in book.no_bids),
        )
    yes: tuple[Level, ...] = ()
    no: tuple[Level, ...] = ()
    if market.yes_bid is not None and market.yes_bid_size:
        yes = ((market.yes_bid, market.yes_bid_size),)
    if market.yes_ask is not None and market.yes_ask_size:
        no = ((complement(market.yes_ask), market.yes_ask_size),)
    return Depth(yes, no)


def at_no_loss(worth: float | None, asks: Sequence[Level], schedule: FeeSchedule | None) -> Quantity | None:
    """Contracts whose price with fee is at most ``worth``; ``None`` when worth or fee is not known."""
    if worth is None or schedule is None:
        return None
    limit, lots = fine(worth), 0
    for price, size in asks:
        if schedule.all_in(price) > limit:
            break
        lots += size
    return Quantity(lots)


def round_trip_cost(depth: Depth, schedule: FeeSchedule | None, size: Quantity = ROUND_TRIP) -> float | None:
    """Dollars per contract lost by buying ``size`` of YES and selling it at once, fees included.

    ``None`` when the book does not hold that much, or the fee is not known.
    """
    if schedule is None:
        return None
    paid, got = _walked(depth.asks(Side.YES), size, schedule, 1), _walked(depth.yes_bids, size, schedule, -1)
    return None if paid is None or got is None else from_fine(paid - got) / size


def _walked(levels: Sequence[Level], size: Quantity, schedule: FeeSchedule, sign: int) -> int | None:
    """Money of trading ``size`` through ``levels`` in the fee's fine unit; ``sign`` adds or takes the fee."""
    left, money = int(size), 0
    for price, here in levels:
        lots = min(left, here)
        fee = schedule.all_in(price) - price * FINE_PER_MICRO
        money += (price * FINE_PER_MICRO + sign * fee) * lots
        left -= lots
        if left == 0:
            return money
    return None
