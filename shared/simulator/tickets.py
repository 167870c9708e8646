"""What a member asks for and what became of it: tickets, orders, and the exchange's reasons to say no."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.clock import Instant
from shared.fees.kalshi import OrderFees, trade_fee
from shared.money import MICROS, Price, Quantity
from shared.simulator.accounts import Account, History
from shared.simulator.market import Market
from shared.simulator.matching import Order

Json = dict[str, Any]
GTC, IOC, FOK = "good_till_canceled", "immediate_or_cancel", "fill_or_kill"
AT_CROSS, MAKER = "taker_at_cross", "maker"


class Refusal(Exception):  # noqa: N818 - it is the venue's refusal, and part of its behaviour
    """The exchange says no: HTTP status and the ``error`` object of the body."""

    def __init__(self, status: int, code: str, details: str = "") -> None:
        super().__init__(code)
        self.status = status
        self.error: Json = {"code": code, "message": code.replace("_", " ")}
        if details:
            self.error["details"] = details


@dataclass(frozen=True, slots=True)
class Ticket:
    """A parsed create request. ``shard`` ``None`` or -1 means route by ticker."""

    ticker: str
    bid: bool
    lots: Quantity
    price: Price
    time_in_force: str
    self_trade: str
    client_order_id: str = ""
    post_only: bool = False
    reduce_only: bool = False
    cancel_on_pause: bool = False
    expires: Instant | None = None
    shard: int | None = None
    group: str = ""


class MemberOrder(Order):
    """A member's order and what became of it."""

    __slots__ = (
        "client_order_id", "created", "expires", "fees", "filled", "history", "id", "initial", "maker_cost",
        "maker_fees", "market", "reason", "status", "taker_cost", "taker_fees", "ticket",
    )  # fmt: skip

    def __init__(self, order_id: str, number: int, owner: Account, market: Market, ticket: Ticket) -> None:
        super().__init__(number, owner, ticket.bid, ticket.price, ticket.lots)
        self.id = order_id
        self.market = market
        self.ticket = ticket
        self.client_order_id = ticket.client_order_id
        self.initial: int = ticket.lots
        self.filled = 0
        self.expires = ticket.expires
        self.fees = OrderFees(market.schedule)
        self.taker_cost = self.maker_cost = self.taker_fees = self.maker_fees = 0
        self.status = "resting"
        self.reason = ""
        self.created = Instant(0)
        self.history: History[Json] = History()

    @property
    def ticker(self) -> str:
        """Its market."""
        return self.market.ticker

    @property
    def shard(self) -> int:
        """The engine it lives on."""
        return self.market.contract.shard

    @property
    def is_resting(self) -> bool:
        """Whether it is in the book."""
        return self.status == "resting" and self.remaining > 0

    @property
    def unit(self) -> int:
        """What one contract opened by this order costs, micro-dollars."""
        return self.price if self.bid else MICROS - self.price

    @property
    def maker_fee_bound(self) -> int:
        """More than the fees the rest of the order can cost while it rests, micro-dollars."""
        return trade_fee(self.market.schedule, self.price, self.remaining, is_taker=False) + 200


def ticket_refusal(now: Instant, ticket: Ticket) -> Refusal | None:
    """What is wrong with a ticket by itself."""
    if ticket.lots < 1:
        return Refusal(400, "invalid_order", "count must be at least 0.01")
    if ticket.reduce_only and ticket.time_in_force != IOC:
        return Refusal(400, "invalid_order", "reduce only requires immediate or cancel")
    if ticket.post_only and ticket.time_in_force != GTC:
        return Refusal(400, "invalid_order", "post only requires good till canceled")
    if ticket.expires is not None and ticket.time_in_force != GTC:
        return Refusal(400, "invalid_order", "expiration requires good till canceled")
    if ticket.expires is not None and ticket.expires <= now:
        return Refusal(400, "invalid_order", "expiration must be in the future")
    return None


def book_refusal(account: Account, market: Market, ticket: Ticket) -> Refusal | None:
    """What the book says against it: a post-only cross, or a fill-or-kill that cannot fill."""
    if ticket.post_only and market.book.crosses(ticket.bid, ticket.price):
        return Refusal(400, "invalid_order", "post only cross")
    if ticket.time_in_force == FOK:
        stops = ticket.self_trade == AT_CROSS
        if market.book.fillable(ticket.bid, ticket.price, account, stops) < ticket.lots:
            return Refusal(409, "fill_or_kill_insufficient_resting_volume")
    return None
