"""Live gateway: orders on the exchange, what became of one when nobody knows, and the account as it has it.

An order is accepted once the exchange gave it an id; its fills are then taken from the stream or read by
REST, for the create's answer holds only rounded averages. Until every filled contract is seen with its exact
price and fee the outcome is unknown. An order counts as never arrived only when the exchange vouches for a
time at which the request could no longer have been taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from shared.clock import MINUTE, SECOND, Clock, Instant, first, format_instant
from shared.errors import (
    ArbError,
    CredentialsError,
    MalformedError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    RetryLaterError,
    VenueDownError,
)
from shared.execution.gateway import (
    CROSSED,
    Accepted,
    Outcome,
    Rejected,
    RestingOrder,
    Statement,
    Unknown,
    VenueFill,
)
from shared.money import Quantity, format_quantity
from shared.orders.ledger import Fill, Position
from shared.orders.state import TERMINAL
from shared.risk.controls import Proposal
from shared.risk.gate import ApprovedOrder
from shared.venues.kalshi.account import FillSeen, OrderSeen, PositionSeen
from shared.venues.kalshi.answers import DUPLICATE
from shared.venues.kalshi.client import Rows
from shared.venues.kalshi.order_wire import OrderRef, OrderTicket, TimeInForce
from shared.venues.kalshi.portfolio import KalshiPortfolio
from shared.venues.kalshi.private import PrivateFeed
from shared.venues.kalshi.trading import KalshiTrading

# A signature 60 s old is refused (measured), our clock may be 10 s ahead, and a little more.
_TAKEN_WITHIN = 90 * SECOND
# What the exchange says of a post-only order that would have taken; its code says only "invalid_order".
_CROSS_SAID = "post only cross"
# How far the exchange's clock may be behind ours when it dates an order.
_EARLIER = MINUTE
# Seconds between looks for the fills of an accepted order: reads lag by 0.3 to 2 s, on the demo up to 10.
_LOOKS = (0.25, 0.5, 1.0, 2.0, 4.0, 4.0)


class LiveGateway:
    """The exchange behind the gateway port.

    Args:
        shard_of: the shard of a ticker as the market said it, ``None`` when unknown; it is never guessed.
        feed: our fills; whoever runs the stream gives it every event.
    """

    mode = "live"

    def __init__(
        self,
        trading: KalshiTrading,
        portfolio: KalshiPortfolio,
        feed: PrivateFeed,
        shard_of: Callable[[str], int | None],
        clock: Clock,
    ) -> None:
        self._trading, self._portfolio, self._feed = trading, portfolio, feed
        self._shard_of, self._clock = shard_of, clock
        self._sent: dict[str, Instant] = {}
        self._taken: set[str] = set()  # the exchange has said that it has them

    def prepare(self) -> None:
        """Sign the next create, if it is not signed yet: a signature does not cover the order."""
        self._trading.prepare()

    async def place(self, order: ApprovedOrder) -> Outcome:
        """Send an immediate-or-cancel order once; an id that was used before is looked up instead."""
        proposal = order.proposal
        shard = self._place_of(proposal.ticker, proposal.shard)
        if shard is None:
            return Rejected("unknown_shard", f"the shard of {proposal.ticker} is not known")
        ticket = OrderTicket(
            ticker=proposal.ticker,
            exchange_index=shard,
            side=proposal.side,
            price=proposal.limit,
            quantity=proposal.quantity,
            client_order_id=proposal.client_order_id,
            time_in_force=TimeInForce.GTC if proposal.rests else TimeInForce.IOC,
            post_only=proposal.rests,
        )
        self._sent[proposal.client_order_id] = self._clock.now()
        try:
            placed = await self._trading.create(ticket)
        except ArbError as exc:
            return await self._failed(proposal, exc)
        self._taken.add(proposal.client_order_id)
        found = await self._filled(proposal, placed.order_id, placed.filled, placed.remaining)
        return self._known(proposal, found)

    async def resolve(self, proposal: Proposal) -> Outcome:
        """What became of an order that may have been sent: one look, to be repeated while it is unknown.

        Also for orders of an earlier run: then the first look is taken for the time of sending.
        """
        sent = self._sent.setdefault(proposal.client_order_id, self._clock.now())
        try:
            return self._known(proposal, await self._look(proposal, sent))
        except ArbError as exc:
            return Unknown(f"the exchange cannot be asked: {exc}")

    async def cancel(self, venue_order_id: str, ticker: str, shard: int | None = None) -> None:
        """Take an order out of the book; no error if it is not there: read its fills."""
        shard = self._place_of(ticker, shard)
        if shard is None:
            raise RefusedError(
                f"cancel {venue_order_id}: the shard of {ticker} is not known", "unknown_shard"
            )
        await self._trading.cancel(OrderRef(venue_order_id, ticker, shard))

    async def cancel_all(self) -> None:
        """Cancel everything of the account; no order is placed for a minute after it."""
        await self._trading.cancel_all()

    async def statement(self, since: Instant) -> Statement | None:
        """Cash, positions, resting orders, fills, payouts; raises when one of them cannot be read whole."""
        # Asked for first: everything read after it is at least as new.
        as_of = await self._portfolio.client.user_data_as_of()
        if as_of is None:
            raise MalformedError("the exchange does not say up to when its account data is valid")
        balance = await self._portfolio.balance()
        positions = _whole(await self._portfolio.positions(), "positions")
        resting = _whole(await self._portfolio.orders(status="resting"), "resting orders")
        fills = _whole(await self._portfolio.fills(since=since), "fills")
        paid = _whole(await self._portfolio.settlements(since=since), "settlements")
        for fill in fills:
            self._feed.add(fill)
        return Statement(
            as_of,
            balance.cash,
            {one.ticker: _position(one) for one in positions if one.quantity},
            tuple(_resting(order) for order in resting),
            tuple(VenueFill(_booked(fill, ""), fill.order_id, fill.filled_at) for fill in fills),
            frozenset(one.ticker for one in paid),
        )

    def _place_of(self, ticker: str, shard: int | None) -> int | None:
        return self._shard_of(ticker) if shard is None else shard

    async def _failed(self, proposal: Proposal, error: ArbError) -> Outcome:
        """The outcome of a create that raised: rejected only if it is certain that nothing was done."""
        if isinstance(error, RefusedError) and error.code == DUPLICATE:
            self._taken.add(proposal.client_order_id)
            return await self.resolve(proposal)
        code = _code(error)
        if not code:
            return Unknown(str(error))
        if proposal.rests and _CROSS_SAID in str(error):
            code = CROSSED
        return self._known(proposal, Rejected(code, str(error)))

    async def _look(self, proposal: Proposal, sent: Instant) -> Outcome:
        # Asked for first: an order that is not listed now did not exist at that time.
        as_of = await self._portfolio.client.user_data_as_of()
        since = Instant(max(0, proposal.at - _EARLIER))
        order = await self._portfolio.find(proposal.client_order_id, proposal.ticker, since)
        if order is None:
            return self._missing(proposal.client_order_id, as_of, sent)
        if order.status in TERMINAL:
            return await self._filled(proposal, order.order_id, order.filled)
        if not proposal.rests:
            return Unknown(f"order {order.order_id} is still listed as {order.status}: an old state")
        return await self._filled(proposal, order.order_id, order.filled, order.remaining)

    async def _filled(
        self, proposal: Proposal, order_id: str, filled: Quantity, remaining: Quantity = Quantity(0)
    ) -> Outcome:
        """An accepted order with the fills it is known to have, once each of them has been seen."""
        for seconds in _LOOKS:
            if self._feed.filled(order_id) >= filled:
                break
            await first(self._clock.sleep(seconds), self._feed.wait_for(order_id, filled))
            if self._feed.filled(order_id) < filled:
                await self._read_fills(order_id)
        fills = self._feed.fills_of(order_id)
        seen = self._feed.filled(order_id)
        # What rests may have filled further since it was asked for.
        agrees = filled <= seen <= filled + remaining
        if not agrees or any(not _fits(fill, proposal) for fill in fills):
            said = f"order {order_id} filled {format_quantity(filled)}"
            return Unknown(f"{said}, its fills show {format_quantity(seen)}")
        rest = Quantity(filled + remaining - seen)
        return Accepted(order_id, tuple(_booked(fill, proposal.event_ticker) for fill in fills), rest)

    async def _read_fills(self, order_id: str) -> None:
        try:
            found = await self._portfolio.fills(order_id=order_id)
        except ArbError:
            return  # the next look asks again; whatever it is, the order is at the exchange
        for fill in found.rows:
            self._feed.add(fill)

    def _missing(self, order_id: str, as_of: Instant | None, sent: Instant) -> Outcome:
        """What it means that the list does not show an order of ours."""
        if order_id in self._taken or self._feed.has_filled(order_id):
            return Unknown("the exchange has it, but does not list it yet")
        if as_of is not None and as_of >= sent + _TAKEN_WITHIN:
            return Rejected("never_arrived", f"the exchange did not know it at {format_instant(as_of)}")
        seen = "an unknown time" if as_of is None else format_instant(as_of)
        return Unknown(f"not listed at {seen}; it could still be under way: look again")

    def _known(self, proposal: Proposal, outcome: Outcome) -> Outcome:
        """The outcome; nothing more needs to be remembered about an order whose outcome is known."""
        if not isinstance(outcome, Unknown):
            self._sent.pop(proposal.client_order_id, None)
            self._taken.discard(proposal.client_order_id)
        return outcome


def _code(error: ArbError) -> str:
    """The venue's or our own word for an error that means nothing was done; empty for any other."""
    match error:
        case OutcomeUnknownError():
            return ""
        case RefusedError() | CredentialsError():
            return error.code or "refused"
        case RateLimitedError():
            return "too_many_requests"
        case VenueDownError():
            return error.code or "venue_down"
        case RetryLaterError():
            return "after_cancel_all"
    return ""


def _fits(fill: FillSeen, proposal: Proposal) -> bool:
    """Whether a fill can be one of this order: its market and side, and no worse than its limit."""
    return fill.ticker == proposal.ticker and fill.side is proposal.side and fill.price <= proposal.limit


T = TypeVar("T")


def _whole(found: Rows[T], what: str) -> list[T]:
    """The rows of a listing of which nothing is missing."""
    if found.quarantined:
        raise MalformedError(f"the {what} cannot be read whole: {found.quarantined[0].reason}")
    return found.rows


def _position(seen: PositionSeen) -> Position:
    event_ticker = seen.ticker.rpartition("-")[0]
    return Position(seen.ticker, event_ticker, seen.quantity, seen.cost, seen.fees, seen.realized)


def _resting(order: OrderSeen) -> RestingOrder:
    return RestingOrder(
        order.order_id, order.client_order_id, order.ticker, order.remaining, order.exchange_index
    )


def _booked(fill: FillSeen, event_ticker: str) -> Fill:
    return Fill(
        fill_id=fill.fill_id,
        ticker=fill.ticker,
        event_ticker=event_ticker,
        side=fill.side,
        price=fill.price,
        quantity=fill.quantity,
        fee=fill.fee,
    )
