"""A scenario is data: what goes wrong with the exchange, where, when and how often, in a file people write.

Every fault says what it strikes (:attr:`Fault.on`), within which time, and either with which probability or
at exactly which occasions: ``{"kind": "timeout", "on": "create", "nth": [2]}`` takes the second order and
never answers. The same scenario, world and requests give the same faults.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.errors import BadMoneyError, ConfigError
from shared.money import Price, Usd, parse_price, parse_usd


class Kind(StrEnum):
    """What goes wrong; behind each whether it happens to a request, to a frame, or to the exchange."""

    REFUSE = "refuse"  # request: answered with ``status`` and ``code``, nothing done
    HTML = "html"  # request: answered with ``status`` and a page of HTML, nothing done
    DROP = "drop"  # request: the connection ends, nothing done
    TIMEOUT = "timeout"  # request: done; the connection ends after ``seconds`` without an answer
    LOST_ANSWER = "lost_answer"  # request: done; answered with ``status`` and an empty body
    LATE_REQUEST = "late_request"  # request: reaches the exchange ``seconds`` after it was sent
    LATE_ANSWER = "late_answer"  # request: its answer takes ``seconds``
    NO_ORDER_ID = "no_order_id"  # request: done; a 2xx that names no order
    WRONG_ORDER = "wrong_order"  # request: done; the answer is about another order
    TRUNCATE = "truncate"  # request: done; the body stops half way
    LOSE = "lose"  # frame: never sent; on sequenced channels its number is used, which is a gap
    DUPLICATE = "duplicate"  # frame: sent again ``seconds`` later
    LATE = "late"  # frame: sent ``seconds`` later, behind what comes meanwhile
    SWAP = "swap"  # frame: sent behind the next one
    DISCONNECT = "disconnect"  # frame: the connection dies instead
    OVERFLOW = "overflow"  # frame: error 25, then the connection ends
    TRADING_PAUSE = "trading_pause"  # exchange: no new orders on ``shard``; cancels work
    EXCHANGE_PAUSE = "exchange_pause"  # exchange: nothing works on ``shard``
    HALT = "halt"  # exchange: markets that match ``ticker`` do not trade
    READ_LAG = "read_lag"  # exchange: account reads are ``seconds`` old
    SKEW = "skew"  # exchange: its clock is ``seconds`` ahead, for signatures and the Date header
    CASH = "cash"  # exchange: ``usd`` are paid into (negative: taken from) ``shard``
    PAYOUT = "payout"  # exchange: markets that match ``ticker`` are worth ``value`` when they are determined
    CORRECT = "correct"  # exchange: determined or settled markets that match become worth ``value``
    SWEEP = "sweep"  # exchange: orders placed within a minute of a cancel-all are canceled too


ON_REQUESTS = frozenset(
    {
        Kind.REFUSE,
        Kind.HTML,
        Kind.DROP,
        Kind.TIMEOUT,
        Kind.LOST_ANSWER,
        Kind.LATE_REQUEST,
        Kind.LATE_ANSWER,
        Kind.NO_ORDER_ID,
        Kind.WRONG_ORDER,
        Kind.TRUNCATE,
    }
)
ON_FRAMES = frozenset({Kind.LOSE, Kind.DUPLICATE, Kind.LATE, Kind.SWAP, Kind.DISCONNECT, Kind.OVERFLOW})
# What the faults of the exchange strike is time: they begin and end, and are not drawn.
ON_EXCHANGE = frozenset(Kind) - ON_REQUESTS - ON_FRAMES
_NEEDS_VALUE = frozenset({Kind.PAYOUT, Kind.CORRECT})
_NEEDS_SECONDS = frozenset({Kind.LATE_REQUEST, Kind.LATE_ANSWER, Kind.LATE, Kind.READ_LAG, Kind.SKEW})

REQUESTS = (
    "create", "batch_create", "amend", "decrease", "cancel", "batch_cancel", "cancel_all", "group",
    "transfer", "order", "orders", "fills", "positions", "balance", "settlements", "limits", "keys",
    "status", "schedule", "timestamp", "market", "markets", "book", "books", "handshake", "other",
)  # fmt: skip
WRITES = frozenset(REQUESTS[: REQUESTS.index("order")])
FRAMES = (
    "fill", "user_order", "market_position", "order_group_updates", "orderbook_snapshot", "orderbook_delta",
    "ticker", "trade", "market_lifecycle_v2", "event_lifecycle",
)  # fmt: skip
PRIVATE_FRAMES = frozenset(FRAMES[:4])
GROUPS = ("any", "write", "read", "private")

Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0, le=7 * 86_400)]


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that goes wrong.

    ``on`` is a name of :data:`REQUESTS` or :data:`FRAMES`, or ``any``, ``write``, ``read`` (requests) or
    ``private`` (frames). Times are seconds since the scenario began. Occasions are counted within the time.
    """

    kind: Kind
    on: str = "any"
    share: Share = 1.0
    nth: tuple[Annotated[int, Meta(ge=1)], ...] = ()
    most: Annotated[int, Meta(ge=1)] | None = None
    after_s: Seconds = 0.0
    until_s: Seconds | None = None
    seconds: Annotated[float, Meta(ge=-7 * 86_400, le=7 * 86_400)] = 0.0
    spread_s: Seconds = 0.0
    status: Annotated[int, Meta(ge=400, le=599)] = 503
    code: str = "service_unavailable"
    shard: Annotated[int, Meta(ge=0, le=3)] | None = None
    ticker: str = "*"
    usd: str = ""
    value: str = ""

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise ValueError(f"{self.kind}: {problem}")

    @property
    def amount(self) -> Usd:
        """``usd`` in micro-dollars."""
        return parse_usd(self.usd)

    @property
    def price(self) -> Price:
        """``value`` of one YES contract."""
        return parse_price(self.value)

    def covers(self, elapsed_s: float) -> bool:
        """Whether it can strike so long after the scenario began."""
        return self.after_s <= elapsed_s and (self.until_s is None or elapsed_s < self.until_s)


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What goes wrong, and the seed of what is left to chance."""

    name: str = ""
    seed: int = 0
    faults: tuple[Fault, ...] = ()
    weekly_pause: bool = False  # Thursday 03:00 to 05:00 Eastern


def _problem(fault: Fault) -> str:
    """Why a fault makes no sense, or empty."""
    if fault.until_s is not None and fault.until_s <= fault.after_s:
        return "until_s must be after after_s"
    if fault.kind in ON_REQUESTS and fault.on not in (*REQUESTS, "any", "write", "read"):
        return f"on must be any, write, read or one of {', '.join(REQUESTS)}"
    if fault.kind in ON_FRAMES and fault.on not in (*FRAMES, "any", "private"):
        return f"on must be any, private or one of {', '.join(FRAMES)}"
    if fault.kind in _NEEDS_SECONDS and not fault.seconds and not fault.spread_s:
        return "seconds is needed"
    if fault.seconds < 0 and fault.kind is not Kind.SKEW:
        return "seconds must not be negative"
    return _money_problem(fault)


def _money_problem(fault: Fault) -> str:
    try:
        if fault.kind is Kind.CASH and (fault.shard is None or not fault.amount):
            return "usd and shard are needed"
        if fault.kind in _NEEDS_VALUE:
            _ = fault.price
    except BadMoneyError:
        return 'usd is dollars and value 0 to 1 dollar, in quotes, as in "0.5000"'
    return ""


def loads(text: str | bytes) -> Scenario:
    """A scenario from JSON; raises :class:`ConfigError` that says where it is wrong."""
    try:
        return msgspec.json.decode(text, type=Scenario)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise ConfigError(f"the scenario cannot be read: {exc}") from exc


def dumps(scenario: Scenario) -> bytes:
    """A scenario as JSON; what has its default is left out."""
    return msgspec.json.format(msgspec.json.encode(scenario), indent=2)


def read(path: Path) -> Scenario:
    """The scenario in a file; raises :class:`ConfigError`."""
    try:
        text = path.read_bytes()
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read ({exc.strerror})") from exc
    try:
        return loads(text)
    except ConfigError as exc:
        raise ConfigError(f"{path}: {exc}") from exc
