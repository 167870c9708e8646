"""What the API answers and takes, as types: handlers build them, ``/openapi.json`` is generated from them.

Money, prices and quantities are decimal strings, exact: ``_usd`` in dollars, ``contracts`` in contracts.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Dollars = Annotated[str, Meta(description="dollars, exact decimal", examples=["-12.3456"])]
Contracts = Annotated[str, Meta(description="contracts, exact decimal", examples=["10.00"])]
Time = Annotated[str, Meta(description="RFC 3339, UTC", examples=["2026-09-29T00:15:00Z"])]
Why = Annotated[str, Meta(description="one sentence: what, and why", min_length=1, max_length=300)]
Who = Annotated[str, Meta(description="who asks", pattern=r"^[\w.@+ -]{1,64}$", examples=["ann"])]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all answers."""


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what is sent to the API."""


class Health(Answer, frozen=True, kw_only=True):
    """The process is alive."""

    status: str = "ok"


class Readiness(Answer, frozen=True, kw_only=True):
    """Whether an edge found now would be traded."""

    ready: bool
    reasons: Annotated[list[str], Meta(description="each ``part: why``; empty when ready")]


class Money(Answer, frozen=True, kw_only=True):
    """The account."""

    cash_usd: Dollars
    reserved_usd: Annotated[str, Meta(description="what orders in flight may still spend, dollars")]
    open_cost_usd: Annotated[str, Meta(description="what open positions cost, dollars")]
    fees_usd: Dollars
    profit_usd: Annotated[str, Meta(description="realised, after all fees, dollars")]


class Stage(Answer, frozen=True, kw_only=True):
    """Latency of the last 5,000 samples of one stage, microseconds."""

    count: int
    p50_us: float | None
    p95_us: float | None
    p99_us: float | None
    budget_us: Annotated[float | None, Meta(description="ceiling of the stage")]
    within_budget: Annotated[bool | None, Meta(description="whether p99 keeps the ceiling")]


class LeaseState(Answer, frozen=True, kw_only=True):
    """Which executor may act."""

    holder: str
    epoch: int
    expires_at: Time


class State(Answer, frozen=True, kw_only=True):
    """The run at this moment."""

    mode: Annotated[str, Meta(description="paper or live")]
    now: Annotated[str, Meta(description="the run's own clock; a demo's is faster")]
    started_at: Time
    ready: bool
    reasons: list[str]
    halted: Annotated[str, Meta(description="why trading is stopped, or empty; /resume asks for this text")]
    money: Money
    markets: int
    mapped: int
    abstained: int
    books: Annotated[dict[str, int], Meta(description="live books by state")]
    bus_backlog: int
    opportunities: int
    edges: int
    signals: int
    orders: Annotated[dict[str, int], Meta(description="changes of orders by status, since the start")]
    fills: int
    filled_contracts: Contracts
    settled: int
    quarantined: int
    credits_remaining: int | None
    alerts: Annotated[dict[str, str], Meta(description="what fails now, by part")]
    latency: dict[str, Stage]
    lease: LeaseState | None


class Position(Answer, frozen=True, kw_only=True):
    """What is held in one market."""

    ticker: str
    event_ticker: str
    side: Annotated[str, Meta(description="yes or no")]
    contracts: Contracts
    cost_usd: Dollars
    fees_usd: Dollars
    realized_usd: Dollars


class Positions(Answer, frozen=True, kw_only=True):
    """Everything held, by ticker."""

    positions: list[Position]
    open_cost_usd: Dollars


class Order(Answer, frozen=True, kw_only=True):
    """Newest state of one order."""

    order_id: str
    signal_id: str
    ticker: str
    side: str
    status: str
    limit_usd: Dollars
    contracts: Contracts
    filled_contracts: Contracts
    mode: str
    league: str
    kind: str
    expected_edge: Annotated[float | None, Meta(description="dollars per contract when sent")]
    controls: Annotated[list[str], Meta(description="controls passed")]
    reasons: Annotated[list[str], Meta(description="why refused, canceled or unknown")]
    at: Time


class Orders(Answer, frozen=True, kw_only=True):
    """Orders, newest first, at most a second old."""

    orders: list[Order]


class Signal(Answer, frozen=True, kw_only=True):
    """One signal and what it filled."""

    signal_id: str
    ticker: str
    side: str
    profile: str
    limit_usd: Annotated[str, Meta(description="highest price that keeps the edge, dollars")]
    contracts: Contracts
    fair_probability: float
    net_edge: Annotated[float, Meta(description="dollars per contract after fees")]
    confidence: float
    league: str
    kind: str
    filled_contracts: Contracts
    paid_usd: Dollars
    fees_usd: Dollars
    at: Time


class Signals(Answer, frozen=True, kw_only=True):
    """Signals, newest first, at most a second old."""

    signals: list[Signal]


class Risk(Answer, frozen=True, kw_only=True):
    """The account as the controls see it now; a day is an Eastern calendar day."""

    halted: str
    cash_usd: Annotated[str, Meta(description="cash less what is reserved, dollars")]
    bankroll_usd: Annotated[str, Meta(description="cash and the cost of what is open, dollars")]
    reserved_usd: Dollars
    lost_today_usd: Annotated[str, Meta(description="realised loss and reservations, dollars")]
    lost_this_week_usd: Dollars
    trades_today: int
    contracts_today: Contracts
    consecutive_losses: int
    orders_last_minute: int
    events: Annotated[dict[str, str], Meta(description="open contracts by event")]
    blocked: Annotated[dict[str, str], Meta(description="markets blocked by an unknown outcome, and why")]


class Limits(Answer, frozen=True, kw_only=True):
    """The limits; each is the setting of the same name."""

    max_contracts_per_trade: Contracts
    max_risk_per_trade_usd: Dollars
    max_daily_loss_usd: Dollars
    max_weekly_loss_usd: Dollars
    max_trades_per_day: int
    max_contracts_per_day: Contracts
    max_contracts_per_event: Contracts
    max_sport_share_percent: float
    max_orders_per_minute: int
    min_order_gap_ms: int
    max_consecutive_losses: int
    min_price_usd: Dollars
    max_price_usd: Dollars


class Halt(Body, frozen=True, kw_only=True):
    """Stop all trading."""

    reason: Why
    actor: Who


class Resume(Body, frozen=True, kw_only=True):
    """Let trading go on."""

    reason: Why
    actor: Who
    confirm: Annotated[
        str,
        Meta(
            description="the text of the halt being lifted, exactly as /state shows it, or its reason alone",
            max_length=1000,
        ),
    ]


class Trading(Answer, frozen=True, kw_only=True):
    """Whether trading is stopped, after a halt or a resume."""

    halted: Annotated[str, Meta(description="why trading is stopped, or empty")]


class Problem(Answer, frozen=True, kw_only=True):
    """What is wrong with a request."""

    code: Annotated[str, Meta(description="short stable word")]
    message: Annotated[str, Meta(description="what is wrong and what to do")]


class Refusal(Answer, frozen=True, kw_only=True):
    """Every answer that is not what was asked for."""

    error: Problem
