"""One market's limit order book: price-time priority, fills at the resting price, integers throughout.

Prices are YES prices. A bid buys YES; an ask sells YES, the same order as buying NO at the complement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shared.money import Price, Quantity
from shared.simulator.accounts import Account


class Order:
    """A resting or incoming order. ``number`` rises with every order of the exchange."""

    __slots__ = ("bid", "number", "owner", "price", "remaining")

    def __init__(self, number: int, owner: Account, bid: bool, price: Price, remaining: Quantity) -> None:
        self.number = number
        self.owner = owner
        self.bid = bid
        self.price = price
        self.remaining = remaining


class Level:
    """Orders at one price, first come first served."""

    __slots__ = ("orders", "total")

    def __init__(self) -> None:
        self.orders: dict[int, Order] = {}
        self.total = 0


Levels = dict[Price, Level]
# Called with (order, change of the level's size in lots) after every change of a level.
OnChange = Callable[[Order, int], None]


class Book:
    """Both sides of one market."""

    __slots__ = ("asks", "bids", "on_change")

    def __init__(self) -> None:
        self.bids: Levels = {}
        self.asks: Levels = {}
        self.on_change: OnChange | None = None

    def best(self, bid: bool) -> Price | None:
        """Best price of a side, or ``None``."""
        if bid:
            return max(self.bids) if self.bids else None
        return min(self.asks) if self.asks else None

    def size(self, bid: bool, price: Price | None) -> Quantity:
        """Lots resting at a price of a side."""
        level = None if price is None else self._side(bid).get(price)
        return Quantity(level.total if level else 0)

    def levels(self, bid: bool) -> list[tuple[Price, Quantity]]:
        """Prices and sizes of a side, best first."""
        side = self._side(bid)
        return [(price, Quantity(side[price].total)) for price in sorted(side, reverse=bid)]

    def crosses(self, bid: bool, price: Price) -> bool:
        """Whether an order of that side and price would trade at once."""
        other = self.best(not bid)
        return other is not None and (other <= price if bid else other >= price)

    def fillable(self, bid: bool, price: Price, taker: Account | None = None, stops: bool = False) -> int:
        """Lots an order of that side and limit could take now, not counting the taker's own.

        ``stops``: the taker is canceled at its first own order, so nothing behind it counts.
        """
        lots, side = 0, self._side(not bid)
        for level in sorted(side, reverse=not bid):
            if level > price if bid else level < price:
                break
            for order in side[level].orders.values():
                if order.owner is not taker:
                    lots += order.remaining
                elif stops:
                    return lots
        return lots

    def ahead(self, order: Order) -> int:
        """Lots that trade before a resting order at its price."""
        lots = 0
        for other in self._side(order.bid)[order.price].orders.values():
            if other is order:
                break
            lots += other.remaining
        return lots

    def add(self, order: Order) -> None:
        """Rest ``order`` behind the others at its price."""
        level = self._side(order.bid).setdefault(order.price, Level())
        level.orders[order.number] = order
        level.total += order.remaining
        self._changed(order, order.remaining)

    def remove(self, order: Order) -> None:
        """Take a resting order out; what it still offered stays in ``order.remaining``."""
        level = self._side(order.bid)[order.price]
        del level.orders[order.number]
        self._shrink(level, order, order.remaining)

    def reduce(self, order: Order, lots: int) -> None:
        """Make a resting order smaller by ``lots``; it keeps its place, or leaves at zero."""
        level = self._side(order.bid)[order.price]
        order.remaining = Quantity(order.remaining - lots)
        if order.remaining == 0:
            del level.orders[order.number]
        self._shrink(level, order, lots)

    def resting(self, bid: bool, limit: Price) -> Iterator[Order]:
        """The order next in line against an incoming order of that side and limit, again and again.

        The caller must reduce or remove each one before asking for the next.
        """
        while self.crosses(bid, limit):
            best = self.best(not bid)
            assert best is not None  # noqa: S101 - crosses() has seen it
            yield next(iter(self._side(not bid)[best].orders.values()))

    def _side(self, bid: bool) -> Levels:
        return self.bids if bid else self.asks

    def _shrink(self, level: Level, order: Order, lots: int) -> None:
        level.total -= lots
        if not level.orders:
            del self._side(order.bid)[order.price]
        self._changed(order, -lots)

    def _changed(self, order: Order, lots: int) -> None:
        if self.on_change is not None:
            self.on_change(order, lots)
