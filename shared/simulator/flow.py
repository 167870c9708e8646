"""Everybody else on the exchange: makers who quote a late, slightly wrong view of the truth, and a crowd.

Most quotes are fair within the spread. Now and then a maker's view of one market lapses by several cents for
a minute or a few, or news moves the truth before it requotes: those are the edges a trader may find.
"""

from __future__ import annotations

import math
import random

from shared.clock import HOUR, SECOND, Instant
from shared.money import LOTS, MICROS, Price, Quantity
from shared.simulator.contracts import Asks
from shared.simulator.exchange import Exchange
from shared.simulator.market import Market
from shared.simulator.matching import Order
from shared.simulator.model import Latent

_LEVELS = 3
# Share of the distance to the truth a requote closes, and the noise it adds, in dollars.
_CATCH_UP, _NOISE = 0.8, 0.002
# Lapses per second and market: with these about 3% of markets show an edge after fees at any moment.
_LAPSE_RATE = 1 / 7000
_LAPSE_CENTS = (3.0, 8.5)
_LAPSE_SECONDS = (40.0, 300.0)
_THIN = 0.03


class Desk:
    """The house in one market: one maker's ladder of quotes and the crowd that takes them."""

    __slots__ = (
        "_offset", "_offset_until", "_orders", "_quoted", "_rng", "_seen", "_size", "_spread", "_thin",
        "asleep", "exchange", "latent", "main", "market", "view",
    )  # fmt: skip

    def __init__(self, exchange: Exchange, market: Market, latent: Latent, rng: random.Random) -> None:
        self.exchange, self.market, self.latent = exchange, market, latent
        self.main = market.contract.question.asks in (Asks.WIN, Asks.TIE)
        self._rng = rng
        self.asleep = False  # a desk asleep neither quotes nor takes
        self._thin = not self.main and rng.random() < _THIN
        self._spread = (0.003 if self.main else 0.007) * rng.uniform(0.8, 1.6) + (0.25 if self._thin else 0.0)
        self._size = math.log(250 if self.main else 90)
        self._orders: dict[tuple[bool, Price], Order] = {}
        self._quoted = (-1, -1)
        self._offset, self._offset_until = 0.0, Instant(0)
        self._seen = exchange.now
        self.view = self.truth

    @property
    def truth(self) -> float:
        """What YES is worth now."""
        return self.market.contract.question.fair(self.latent.now.outcomes)

    # --- the maker -----------------------------------------------------------------------------------------

    def requote(self, now: Instant) -> int:
        """Move the quotes to the maker's view; returns the time of the next requote."""
        rng = self._rng
        if self.asleep or not self.exchange.trades(self.market):
            return now + SECOND
        self._seen, waited = now, (now - self._seen) / SECOND
        self.view += _CATCH_UP * (self.truth - self.view) + rng.gauss(0, _NOISE)
        if rng.random() < waited * _LAPSE_RATE:
            self._offset = rng.uniform(*_LAPSE_CENTS) / 100 * rng.choice((-1, 1))
            self._offset_until = Instant(now + int(rng.uniform(*_LAPSE_SECONDS) * SECOND))
        target = self.view + (self._offset if now < self._offset_until else 0.0)
        best = self._best(int(min(max(target, 0.0), 1.0) * MICROS))
        # Most requotes change nothing: the same ticks again, and everything still there.
        if best != self._quoted or not all(order.remaining for order in self._orders.values()):
            self._quoted = best
            self._place(self._wanted(best))
            self.exchange.touch(self.market)
        return int(now + self._pause(now) * SECOND)

    def _pause(self, now: Instant) -> float:
        start = self.latent.game.start
        if now >= start:
            return self._rng.uniform(2, 6) if self.main else self._rng.uniform(8, 25)
        patience = 3.0 if start - now > 2 * HOUR else 1.0
        return patience * (self._rng.uniform(8, 25) if self.main else self._rng.uniform(60, 180))

    def _best(self, value: int) -> tuple[int, int]:
        """Bid and ask around ``value`` micro-dollars, on the grid but perhaps beyond its ends."""
        half = int(self._spread * (1.8 if self.latent.now.played > 0 else 1.0) * MICROS)
        low, high = value - half, value + half
        down, up = self._tick(low), self._tick(high)
        return low // down * down, -(-high // up) * up

    def _tick(self, price: int) -> int:
        return self.market.step(min(max(price, 0), MICROS - 1))

    def _wanted(self, best: tuple[int, int]) -> set[tuple[bool, Price]]:
        bid, ask = best
        down, up = self._tick(bid - 1), self._tick(ask)
        ladder = [(True, Price(bid - level * down)) for level in range(_LEVELS)]
        ladder += [(False, Price(ask + level * up)) for level in range(_LEVELS)]
        return {(side, price) for side, price in ladder if self.market.on_grid(price)}

    def _place(self, wanted: set[tuple[bool, Price]]) -> None:
        orders, book = self._orders, self.market.book
        for key in [key for key in orders if key not in wanted or not orders[key].remaining]:
            order = orders.pop(key)
            if order.remaining:
                book.remove(order)
        for key in sorted(wanted - orders.keys()):
            orders[key] = self._rest(*key)

    def _rest(self, bid: bool, price: Price) -> Order:
        lots = max(1, round(self._rng.lognormvariate(self._size, 0.9))) * LOTS
        if self._rng.random() < 0.2:
            lots += self._rng.randrange(LOTS)
        order = Order(self.exchange.next_number(), self.exchange.makers, bid, price, Quantity(lots))
        self.exchange.match(self.market, order)
        if order.remaining:
            self.market.book.add(order)
        return order

    # --- the crowd -----------------------------------------------------------------------------------------

    def take(self, now: Instant) -> int:
        """One marketable order, informed if the price is far off; returns the time of the next one."""
        if self.asleep or not self.exchange.trades(self.market):
            return now + SECOND
        rng, bid = self._rng, self._rng.random() < 0.5
        informed, lots = rng.random() < 0.6, self._crowd_lots()
        quote, truth = self.market.quote, self.truth
        if informed and quote.ask is not None and truth > quote.ask / MICROS + 0.03:
            bid = True
        elif informed and quote.bid is not None and truth < quote.bid / MICROS - 0.03:
            bid = False
        best = self.market.book.best(not bid)
        if best is not None:
            order = Order(self.exchange.next_number(), self.exchange.crowd, bid, best, Quantity(lots))
            self.exchange.match(self.market, order)
            self.exchange.touch(self.market)
        return int(now + rng.expovariate(1 / self._crowd_wait(now)) * SECOND)

    def _crowd_lots(self) -> int:
        lots = max(1, round(self._rng.lognormvariate(3.0, 1.2))) * LOTS
        return lots + (self._rng.randrange(LOTS) if self._rng.random() < 0.3 else 0)

    def _crowd_wait(self, now: Instant) -> float:
        if now >= self.latent.game.start:
            return 15.0 if self.main else 120.0
        return 75.0 if self.main else 900.0

    def leave(self) -> None:
        """Cancel every quote."""
        for order in self._orders.values():
            if order.remaining:
                self.market.book.remove(order)
        self._orders.clear()
        self._quoted = (-1, -1)
        self.exchange.touch(self.market)
