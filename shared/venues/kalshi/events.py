"""What the exchange's stream tells us, in our own units: prices of NO bids are NO prices, sizes are exact."""

from __future__ import annotations

import msgspec

from shared.clock import Instant
from shared.messages import PriceRange, TickSeen, TradeSeen
from shared.money import Price, Quantity
from shared.terms import FeeType, Outside, Result, Side
from shared.venues.kalshi.account import FillSeen, GroupChanged, OrderSeen, PositionSeen

Level = tuple[Price, Quantity]


class BookSnapshot(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A whole book: bids of both sides, in no order. Replaces whatever was known."""

    at: Instant
    ticker: str
    sid: int
    seq: int | None
    yes_bids: tuple[Level, ...]
    no_bids: tuple[Level, ...]


class BookDelta(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A signed change of one bid level. ``source_at`` and ``clock`` are the exchange's."""

    at: Instant
    ticker: str
    sid: int
    seq: int | None
    side: Side
    price: Price
    delta: Quantity
    source_at: Instant | None = None
    clock: int | None = None
    client_order_id: str = ""


class LifecycleKind(Outside):
    """What happened to a market. Nothing is sent when a market reaches its closing time."""

    CREATED = "created"
    ACTIVATED = "activated"
    DEACTIVATED = "deactivated"
    CLOSE_DATE_UPDATED = "close_date_updated"
    DETERMINED = "determined"
    SETTLED = "settled"
    PRICE_GRID_UPDATED = "price_level_structure_updated"
    METADATA_UPDATED = "metadata_updated"
    UNKNOWN = "unknown"


class Lifecycle(msgspec.Struct, frozen=True, kw_only=True):
    """A change in a market's life, with whatever that kind of change carries."""

    at: Instant
    ticker: str
    kind: LifecycleKind
    exchange_index: int | None = None
    event_ticker: str = ""
    opens_at: Instant | None = None
    closes_at: Instant | None = None
    result: Result = Result.PENDING
    settlement_value: Price | None = None
    price_ranges: tuple[PriceRange, ...] = ()


class EventFees(msgspec.Struct, frozen=True, kw_only=True):
    """An event's fees now differ from its series'; ``None`` means the series' value holds again."""

    at: Instant
    event_ticker: str
    fee_type: FeeType | None
    fee_multiplier_micro: int | None


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Messages were lost: the books of ``tickers`` are not to be believed until their next snapshot."""

    at: Instant
    channel: str
    tickers: tuple[str, ...]
    reason: str


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    """The exchange has confirmed a channel of our own account: what happens from now on is sent."""

    at: Instant
    channel: str


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """A connection is open and everything has been asked for; books follow as snapshots."""

    at: Instant


class Disconnected(msgspec.Struct, frozen=True, kw_only=True):
    """The connection is gone: no book of ``tickers`` is to be believed."""

    at: Instant
    reason: str
    tickers: tuple[str, ...]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A frame that could not be used, or an error the exchange sent (``code`` is its number)."""

    at: Instant
    reason: str
    code: int = 0


StreamEvent = (
    BookSnapshot
    | BookDelta
    | FillSeen
    | OrderSeen
    | PositionSeen
    | GroupChanged
    | TickSeen
    | TradeSeen
    | Lifecycle
    | EventFees
    | Gap
    | Listening
    | Connected
    | Disconnected
    | Problem
)
