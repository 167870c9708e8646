"""The exchange itself: markets, trades, positions, lifecycle and settlement, over one order book per market.

Nothing here reads a clock or a socket: the world moves ``now``, and whoever wants to know listens.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import count

from shared.clock import Instant
from shared.fees.kalshi import FeeSchedule
from shared.ids import SeededIds, as_uuid
from shared.money import LOTS, MICROS, Price, Quantity, Usd
from shared.simulator.accounts import Account
from shared.simulator.contracts import Event, Series
from shared.simulator.market import (
    BookChanged,
    FillHook,
    LifeChanged,
    Listener,
    Market,
    Notice,
    Top,
    TopChanged,
    Trade,
    Traded,
)
from shared.simulator.matching import Order
from shared.terms import MarketStatus, Result

_KEPT_TAPE = 20_000
SHARDS = {0: "Default", 1: "Combos / Exotics", 2: "Crypto & Commodities", 3: "Tennis, Baseball, Basketball"}


def result_of(payout: Price) -> Result:
    """The word for a payout per YES."""
    return {0: Result.NO, MICROS: Result.YES}.get(payout, Result.SCALAR)


class Exchange:
    """All markets of one world, and everybody who trades there."""

    def __init__(self, seed: int, series: dict[str, Series], now: Instant) -> None:
        self.now = now
        self.started = now
        self.series = series
        self.events: dict[str, Event] = {}
        self.markets: dict[str, Market] = {}
        self.listing: list[Market] = []
        self.accounts: dict[str, Account] = {}
        self.makers = Account("house-makers", house=True)
        self.crowd = Account("house-crowd", house=True)
        self.listeners: list[Listener] = []
        self.on_fill: FillHook | None = None
        self.tape: deque[Trade] = deque(maxlen=_KEPT_TAPE)
        self.fees_earned = 0
        self.paused_shards: set[int] = set()  # nothing is possible there
        self.quiet_shards: set[int] = set()  # no new orders there; cancels work
        self._ids = SeededIds(f"{seed}/exchange")
        self._numbers = count(1)
        self._trades = count(1)

    # --- listing -------------------------------------------------------------------------------------------

    def list_event(self, event: Event) -> list[Market]:
        """Add an event and its contracts; markets open when the world activates them."""
        multiplier = event.series.multiplier_micro
        if event.multiplier_override is not None:
            multiplier = round(event.multiplier_override * MICROS)
        schedule = FeeSchedule(event.series.fee_type, multiplier)
        self.events[event.ticker] = event
        added = [Market(contract, event, schedule, self.now) for contract in event.contracts]
        for market in added:
            self.markets[market.ticker] = market
            self.listing.append(market)
            self.publish(LifeChanged(market, "created"))
        return added

    def drop_event(self, ticker: str) -> None:
        """Forget an old, settled event: it has moved to the historical partition."""
        gone = {contract.ticker for contract in self.events.pop(ticker).contracts}
        for market in gone:
            self.markets.pop(market)
        self.listing = [market for market in self.listing if market.ticker not in gone]

    def new_id(self) -> str:
        """A fresh identifier in UUID form."""
        return as_uuid(self._ids.new())

    def next_number(self) -> int:
        """Place of a new order in time."""
        return next(self._numbers)

    def publish(self, notice: Notice) -> None:
        """Tell every listener."""
        for listener in self.listeners:
            listener(notice)

    def listen(self, listener: Listener) -> None:
        """Hear everything from now on."""
        self.listeners.append(listener)
        self._hook()

    def forget(self, listener: Listener) -> None:
        """Stop hearing."""
        self.listeners.remove(listener)
        self._hook()

    def _hook(self) -> None:
        # Book changes are by far the most frequent notice; without listeners they are not even built.
        for market in self.listing:
            self._hook_market(market)

    def _hook_market(self, market: Market) -> None:
        if not self.listeners:
            market.book.on_change = None
        elif market.book.on_change is None:
            market.book.on_change = lambda order, lots: self._book_changed(market, order, lots)

    def _book_changed(self, market: Market, order: Order, lots: int) -> None:
        market.clock += 1
        self.publish(BookChanged(market, order, lots))

    # --- trading -------------------------------------------------------------------------------------------

    def trades(self, market: Market) -> bool:
        """Whether orders can trade in ``market`` now."""
        shard = market.contract.shard
        return market.is_open and shard not in self.paused_shards and shard not in self.quiet_shards

    def match(self, market: Market, taker: Order, own: Callable[[Order], bool] | None = None) -> None:
        """Trade an incoming order against the book until nothing crosses.

        ``own`` is asked when the next resting order is the taker's: it must cancel that order
        and return true, or return false to stop there (self-trade prevention). The house does not ask.
        """
        for resting in market.book.resting(taker.bid, taker.price):
            if taker.remaining == 0:
                return
            if own is not None and resting.owner is taker.owner:
                if not own(resting):
                    return
                continue
            self._trade(market, taker, resting, min(taker.remaining, resting.remaining))

    def _trade(self, market: Market, taker: Order, resting: Order, lots: int) -> None:
        price = resting.price
        trade = Trade(next(self._trades), self.new_id(), market.ticker, self.now, price, lots, taker.bid)
        market.book.reduce(resting, lots)
        taker.remaining = Quantity(taker.remaining - lots)
        self._exchange(market, taker if taker.bid else resting, resting if taker.bid else taker, lots, price)
        market.last, market.last_size = price, lots
        market.lots_traded += lots
        market.trades.append(trade)
        self.tape.append(trade)
        if self.on_fill is not None:
            self.on_fill(market, resting, lots, price, False, trade)
            self.on_fill(market, taker, lots, price, True, trade)
        if self.listeners:
            self.publish(Traded(trade))

    def _exchange(self, market: Market, buyer: Order, seller: Order, lots: int, price: Price) -> None:
        shard = market.contract.shard
        for order, signed in ((buyer, lots), (seller, -lots)):
            position = order.owner.position(market.ticker)
            before = max(0, position.lots)
            cash = position.trade(signed, price)
            market.open_interest += max(0, position.lots) - before
            order.owner.pay(shard, cash)

    def touch(self, market: Market) -> None:
        """Note the market's new best quotes after a change, and tell if they moved."""
        book = market.book
        bid, ask = book.best(True), book.best(False)
        top = Top(bid, book.size(True, bid), ask, book.size(False, ask))
        if top == market.quote:
            return
        market.quote = top
        market.updated = self.now
        market.tops.append((self.now, top))
        if self.listeners:
            self.publish(TopChanged(market))

    # --- life ----------------------------------------------------------------------------------------------

    def activate(self, market: Market) -> None:
        """Open a market for trading (for the first time or after a halt)."""
        market.status = MarketStatus.ACTIVE
        self._hook_market(market)
        self._moved(market, "activated")

    def halt(self, market: Market) -> None:
        """Stop trading in a market; orders stay."""
        market.status = MarketStatus.INACTIVE
        self._moved(market, "deactivated")

    def close(self, market: Market) -> None:
        """End trading, without a message, as on the real exchange. The caller has cancelled what rested."""
        market.status = MarketStatus.CLOSED
        market.closed_at = market.updated = self.now
        # The payload's close time is a far bound until the market closes early.
        market.closes = min(market.closes, self.now)

    def determine(self, market: Market, result: Result, payout: Price) -> None:
        """Publish a result; money follows when the market settles."""
        market.status, market.result, market.payout = MarketStatus.DETERMINED, result, payout
        market.determined_at = self.now
        self._moved(market, "determined")

    def settle(self, market: Market, pay: Callable[[Account, Market], None]) -> None:
        """Pay every holder through ``pay`` and finalise."""
        for account in (self.makers, self.crowd, *self.accounts.values()):
            position = account.positions.get(market.ticker)
            if position is not None:
                market.paid.append((account, position.lots))
                pay(account, market)
        market.open_interest = 0
        market.status = MarketStatus.FINALIZED
        market.settled_at = self.now
        self._moved(market, "settled")

    def correct(
        self, market: Market, payout: Price, pay: Callable[[Account, Market, int, int], None]
    ) -> None:
        """Change what a determined market is worth; ``pay`` holders already paid the difference.

        That the real exchange settles such differences in cash, and tells it so, was never recorded.
        """
        was, settled = market.payout, market.settled_at is not None
        assert was is not None  # noqa: S101 - determined before
        market.result, market.payout = result_of(payout), payout
        if not settled:
            market.status = MarketStatus.AMENDED
        for account, lots in market.paid:
            pay(account, market, lots, (payout - was) * lots // LOTS)
        self._moved(market, "determined")

    def postpone(self, market: Market, closes: Instant) -> None:
        """Move the close of a market whose game was put off."""
        market.closes = closes
        self._moved(market, "close_date_updated")

    def _moved(self, market: Market, event_type: str) -> None:
        market.updated = self.now
        self.publish(LifeChanged(market, event_type))

    # --- books of account ----------------------------------------------------------------------------------

    @property
    def escrow(self) -> Usd:
        """Dollars held against open contracts."""
        return Usd(sum(market.open_interest for market in self.listing) * MICROS // LOTS)

    @property
    def total_cash(self) -> Usd:
        """Cash of everybody, the house included."""
        everyone = (self.makers, self.crowd, *self.accounts.values())
        return Usd(sum(sum(account.cash.values()) for account in everyone))
