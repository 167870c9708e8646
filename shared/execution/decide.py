"""The decision: given a signal and the live book, the order to send now, or why not. Pure and fast.

The order goes out at the signal's limit, the highest price that still has the required net edge: crossing
already has time priority, and a resting ask below the limit fills at its own, better price.
"""

from __future__ import annotations

from shared.books.book import OrderBook
from shared.books.firewall import QuoteLimits, refusals
from shared.books.grid import on_grid
from shared.books.walk import take
from shared.clock import SECOND, Clock, Instant, age, pace_of
from shared.edges.profiles import RULES
from shared.edges.states import contract_worth
from shared.fees.kalshi import FeeSchedule, order_budget
from shared.fees.protocol import fine
from shared.messages import SignalRaised
from shared.money import LOTS, MICROS, Price, Quantity, Usd, format_price, format_quantity
from shared.risk.controls import Proposal, risk_of
from shared.risk.limits import RiskLimits

# What was decided on a book of then: a process may freeze between two steps, a store may be slow.
_STANDS_S = 5.0


def overdue(decided_at: Instant, clock: Clock) -> str:
    """How long ago a decision was made, once that is too long to act on it; else empty."""
    waited = age(decided_at, clock.now())
    return f"{waited / SECOND:.0f} s" if waited > _STANDS_S * SECOND * pace_of(clock) else ""


def decide(
    signal: SignalRaised,
    book: OrderBook,
    schedule: FeeSchedule,
    limits: RiskLimits,
    quotes: QuoteLimits,
    wanted: Quantity,
    order_id: str,
    now: Instant,
) -> Proposal | str:
    """A proposal of at most ``wanted``, within what really stands in the book, or a reason not to send.

    ``wanted`` is what the signal still asks for, in hundredths of a contract.
    """
    refusal = _too_late(signal, now) or "; ".join(
        refusals(book, signal.side, now, quotes, signal.price_ranges)
    )
    if refusal:
        return refusal
    standing = take(book.asks(signal.side), signal.limit, wanted).quantity
    if not standing:
        return f"no {signal.side} ask at {format_price(signal.limit)} or better"
    if refusal := _too_good(signal, book, schedule):
        return refusal
    quantity = _fit(signal, schedule, limits, standing)
    if quantity <= 0:
        return "the risk limit per trade allows less than one contract"
    return Proposal(
        client_order_id=order_id,
        ticker=signal.ticker,
        event_ticker=signal.event_ticker,
        sport=signal.league,
        side=signal.side,
        limit=signal.limit,
        quantity=quantity,
        risk=risk_of(signal.limit, quantity, fee_ceiling(schedule, signal.limit, quantity)),
        at=now,
        game=signal.odds_event_id,
        shard=signal.exchange_index,
    )


def fee_ceiling(schedule: FeeSchedule, limit: Price, quantity: Quantity) -> Usd:
    """Most that a buy of ``quantity`` at ``limit`` or better can pay: the fee is largest at 50c."""
    return order_budget(schedule, [(Price(min(limit, MICROS // 2)), quantity)])


def limit_holds(signal: SignalRaised, schedule: FeeSchedule, probability: float) -> bool:
    """Whether the signal's limit keeps its required edge at a newer fair ``probability`` of its side."""
    worth = contract_worth(probability, signal.certificate.differences, signal.side, signal.limit)
    return schedule.all_in(signal.limit) <= fine(worth) - fine(signal.required_edge)


def is_expired(signal: SignalRaised, now: Instant) -> bool:
    """Whether a signal's time is over; one from the future counts as old, for then the clock was set back."""
    if signal.expires_at is None:
        return False
    return abs(now - signal.observed_at) >= signal.expires_at - signal.observed_at


def unusable(signal: SignalRaised) -> tuple[str, ...]:
    """Every reason why no order could ever come of a signal; empty for a good one."""
    reasons = []
    if not on_grid(signal.limit, signal.price_ranges):
        price = format_price(signal.limit)
        reasons.append(f"off_grid: {price} is no price of this market; list it again, its grid may be new")
    if signal.quantity < LOTS:
        size = format_quantity(signal.quantity)
        reasons.append(f"too_small: {size} contracts, an order is one whole contract or more")
    return tuple(reasons)


def too_late(signal: SignalRaised, now: Instant) -> str:
    """Why a signal's time is over, or empty."""
    return _too_late(signal, now)


def _too_late(signal: SignalRaised, now: Instant) -> str:
    if is_expired(signal, now):
        return "the signal has expired"
    if signal.starts_at is not None and now >= signal.starts_at:
        return "the game has started: a pre-game price is no longer a fair price"
    return ""


def _too_good(signal: SignalRaised, book: OrderBook, schedule: FeeSchedule) -> str:
    """A price that fell far below the fair value since the signal knows something that we do not."""
    best, most = book.best_ask(signal.side), RULES[signal.profile].max_net_edge
    if best is None or fine(signal.fair_probability) - schedule.all_in(best[0]) <= fine(most):
        return ""
    return f"too_good: {format_price(best[0])} leaves more than {100 * most:.0f}c of edge"


def _fit(signal: SignalRaised, schedule: FeeSchedule, limits: RiskLimits, standing: Quantity) -> Quantity:
    """``standing`` cut to the limits of one trade; whole contracts, so that every order can be unwound."""
    quantity = min(standing, limits.max_quantity_per_trade)
    one = Quantity(LOTS)
    unit = risk_of(signal.limit, one, fee_ceiling(schedule, signal.limit, one))
    affordable = limits.max_risk_per_trade // unit * LOTS
    return Quantity(min(quantity, affordable) // LOTS * LOTS)
