"""One market in trading, and the notices by which the exchange tells what changed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from shared.clock import Instant
from shared.fees.kalshi import FeeSchedule
from shared.money import MICROS, Price, parse_price
from shared.simulator.accounts import Account
from shared.simulator.contracts import GRIDS, Contract, Event
from shared.simulator.matching import Book, Order
from shared.terms import MarketStatus, Result

_KEPT_TOPS = 1500
_KEPT_TRADES = 1000


@dataclass(frozen=True, slots=True)
class Top:
    """Best quotes at one moment, sizes in lots; a side exists only if its size is positive."""

    bid: Price | None
    bid_size: int
    ask: Price | None
    ask_size: int


@dataclass(frozen=True, slots=True)
class Trade:
    """One public trade. ``number`` is its place on the tape."""

    number: int
    id: str
    ticker: str
    at: Instant
    price: Price
    lots: int
    taker_bid: bool


# --- what listeners are told -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BookChanged:
    """A level changed by ``lots``."""

    market: Market
    order: Order
    lots: int


@dataclass(frozen=True, slots=True)
class TopChanged:
    """Best quotes or the last trade changed."""

    market: Market


@dataclass(frozen=True, slots=True)
class Traded:
    """A public trade happened."""

    trade: Trade


@dataclass(frozen=True, slots=True)
class LifeChanged:
    """``created``, ``activated``, ``deactivated``, ``close_date_updated``, ``determined`` or ``settled``."""

    market: Market
    event_type: str


@dataclass(frozen=True, slots=True)
class MemberNotice:
    """A private message: ``fill``, ``user_order`` or ``market_position`` with its body."""

    account: Account
    kind: str
    body: dict[str, object]


Notice = BookChanged | TopChanged | Traded | LifeChanged | MemberNotice
Listener = Callable[[Notice], None]
FillHook = Callable[["Market", Order, int, Price, bool, Trade], None]


class Market:
    """One contract in trading: book, quotes, counters, life."""

    __slots__ = (
        "book", "clock", "closed_at", "closes", "contract", "determined_at", "event", "grid", "last",
        "last_size", "lots_traded", "open_interest", "paid", "payout", "quote", "result", "schedule",
        "settled_at", "status", "tops", "trades", "updated",
    )  # fmt: skip

    def __init__(self, contract: Contract, event: Event, schedule: FeeSchedule, now: Instant) -> None:
        self.contract = contract
        self.event = event
        self.schedule = schedule
        self.book = Book()
        self.grid = _grid(contract.structure)
        self.status = MarketStatus.INITIALIZED
        self.result = Result.PENDING
        self.payout: Price | None = None
        self.closes = contract.closes
        self.closed_at: Instant | None = None
        self.determined_at: Instant | None = None
        self.settled_at: Instant | None = None
        self.quote = Top(None, 0, None, 0)
        self.last: Price | None = None
        self.last_size = 0
        self.lots_traded = 0
        self.open_interest = 0
        self.paid: list[tuple[Account, int]] = []  # who held what when it settled
        self.updated = now
        self.clock = 0
        self.tops: deque[tuple[Instant, Top]] = deque(maxlen=_KEPT_TOPS)
        self.trades: deque[Trade] = deque(maxlen=_KEPT_TRADES)

    @property
    def ticker(self) -> str:
        """Its ticker."""
        return self.contract.ticker

    @property
    def is_open(self) -> bool:
        """Whether orders are taken."""
        return self.status is MarketStatus.ACTIVE

    def on_grid(self, price: Price) -> bool:
        """Whether ``price`` is a tick strictly between the bounds."""
        return any(
            start <= price <= end and (price - start) % step == 0 for start, end, step in self.grid
        ) and (0 < price < MICROS)

    def step(self, price: int) -> int:
        """Tick size around ``price``, micro-dollars."""
        return next((step for start, end, step in self.grid if start <= price < end), 10_000)


def _grid(structure: str) -> tuple[tuple[int, int, int], ...]:
    rows = GRIDS[structure]
    return tuple((parse_price(r["start"]), parse_price(r["end"]), parse_price(r["step"])) for r in rows)
