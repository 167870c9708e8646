"""Members of the simulated exchange: cash per shard, positions, and what trades and settlements do to them.

A position is signed: YES positive, NO negative. Each open pair of contracts holds one dollar in escrow, so
cash moves by ``-price`` per YES bought and by one dollar per NO contract opened or closed.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from shared.clock import Instant
from shared.money import LOTS, MICROS, Price, Usd

if TYPE_CHECKING:
    from shared.simulator.groups import Group
    from shared.simulator.tickets import MemberOrder

Json = dict[str, Any]
T = TypeVar("T")


class History(Generic[T]):
    """A value and what it was before: reads of the account lag behind writes."""

    __slots__ = ("_times", "_values")

    def __init__(self) -> None:
        self._times: list[Instant] = []
        self._values: list[T] = []

    def set(self, at: Instant, value: T) -> None:
        """The value from ``at`` on."""
        self._times.append(at)
        self._values.append(value)

    def at(self, instant: Instant) -> T | None:
        """The value that held at ``instant``; ``None`` before the first."""
        index = bisect_right(self._times, instant)
        return self._values[index - 1] if index else None


@dataclass(slots=True)
class Position:
    """Holding in one market, micro-dollars and lots. ``cost`` is what the open part was bought for."""

    lots: int = 0
    cost: int = 0
    realized: int = 0
    fees: int = 0
    traded: int = 0
    volume: int = 0
    yes_bought: int = 0
    yes_cost: int = 0
    no_bought: int = 0
    no_cost: int = 0

    def trade(self, lots: int, price: Price) -> int:
        """Buy (``lots`` > 0) or sell YES; returns the change of cash before fees."""
        escrow = max(0, -self.lots)
        paid = price * lots // LOTS
        unit = price if lots > 0 else MICROS - price
        self._count(lots, unit)
        closing = min(abs(lots), abs(self.lots)) if self.lots * lots < 0 else 0
        if closing:
            self._close(closing, MICROS - unit)
        self.cost += unit * (abs(lots) - closing) // LOTS
        self.lots += lots
        return -paid - MICROS * (max(0, -self.lots) - escrow) // LOTS

    def settle(self, value: Price) -> int:
        """Pay out at ``value`` dollars per YES; returns the cash paid. The holding becomes zero."""
        unit = value if self.lots > 0 else MICROS - value
        revenue = unit * abs(self.lots) // LOTS
        self.realized += revenue - self.cost
        self.lots = self.cost = 0
        return revenue

    def _close(self, lots: int, unit: int) -> None:
        released = self.cost * lots // abs(self.lots)
        self.cost -= released
        self.realized += unit * lots // LOTS - released

    def _count(self, lots: int, unit: int) -> None:
        value = unit * abs(lots) // LOTS
        self.traded += value
        self.volume += abs(lots)
        if lots > 0:
            self.yes_bought, self.yes_cost = self.yes_bought + lots, self.yes_cost + value
        else:
            self.no_bought, self.no_cost = self.no_bought - lots, self.no_cost + value


@dataclass(eq=False)
class Account:
    """A member. The house's accounts have no collateral check and pay no fees."""

    user_id: str
    house: bool = False
    cash: dict[int, int] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    orders: dict[str, MemberOrder] = field(default_factory=dict)
    live: dict[str, MemberOrder] = field(default_factory=dict)
    client_ids: set[str] = field(default_factory=set)
    transfers: dict[str, Json] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    deposited: dict[int, int] = field(default_factory=dict)  # by whoever runs the simulation
    canceled_all_at: Instant | None = None
    region_expires: Instant | None = None  # until when sports may be traded; None: never attested
    fills: list[tuple[Instant, Json]] = field(default_factory=list)
    settlements: list[tuple[Instant, Json]] = field(default_factory=list)
    seen_cash: History[dict[int, int]] = field(default_factory=History)
    seen_positions: dict[str, History[Json]] = field(default_factory=dict)

    def position(self, ticker: str) -> Position:
        """Holding in ``ticker``, created empty."""
        found = self.positions.get(ticker)
        if found is None:
            found = self.positions[ticker] = Position()
        return found

    def pay(self, shard: int, amount: int) -> None:
        """Add ``amount`` (negative to charge) to the cash of a shard."""
        self.cash[shard] = self.cash.get(shard, 0) + amount

    def deposit(self, shard: int, amount: int) -> None:
        """Money from outside (negative: taken away), kept count of."""
        self.deposited[shard] = self.deposited.get(shard, 0) + amount
        self.pay(shard, amount)

    def note(self, now: Instant) -> None:
        """Remember what is available, for reads that come later and lag."""
        self.seen_cash.set(now, {shard: self.available(shard) for shard in sorted(self.cash)})

    def resting(self, shard: int | None = None) -> list[MemberOrder]:
        """Orders in the books of a shard, or of all."""
        # Ended orders are dropped here, so that the cost follows what rests and not what ever was.
        self.live = {order.id: order for order in self.live.values() if order.is_resting}
        return [order for order in self.live.values() if shard in (None, order.shard)]

    def available(self, shard: int) -> Usd:
        """Cash of a shard that backs no resting order."""
        reserved = 0
        by_market: dict[tuple[str, bool], list[MemberOrder]] = {}
        for order in self.resting(shard):
            by_market.setdefault((order.ticker, order.bid), []).append(order)
        for (ticker, bid), orders in by_market.items():
            reserved += self._collateral(ticker, bid, orders)
        return Usd(self.cash.get(shard, 0) - reserved)

    def _collateral(self, ticker: str, bid: bool, orders: list[MemberOrder]) -> int:
        """Worst case of the side's orders: the cheapest ones are taken as those that close the position."""
        held = self.positions.get(ticker, Position()).lots
        closing = max(0, -held if bid else held)
        total = 0
        for order in sorted(orders, key=lambda order: order.unit):
            opened = max(0, order.remaining - closing)
            closing = max(0, closing - order.remaining)
            total += order.unit * opened // LOTS + order.maker_fee_bound
        return total
