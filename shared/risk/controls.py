"""The twelve controls and three safeguards. Each looks at one thing: a reason to refuse, or ``None``.

All of them run for every order and the verdict names each that failed: a trader who raises one limit must
not discover the next one only afterwards. Risk is contracts times the all-in cost of the side bought.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.clock import MINUTE, Instant
from shared.money import Price, Quantity, Usd, format_price, format_quantity, format_usd, notional_up
from shared.risk.limits import RiskLimits
from shared.terms import Side


@dataclass(frozen=True, slots=True)
class Proposal:
    """An order someone would like to send. ``risk`` is price times quantity plus fee budget.

    ``game`` is the sportsbook's event: the exchange has one event per series, several for one game.
    ``rests`` says that it may only rest in the book, never take: post-only, until it is canceled. ``shard``
    is the venue's engine that holds the market, ``None`` where that is not known.
    """

    client_order_id: str
    ticker: str
    event_ticker: str
    sport: str
    side: Side
    limit: Price
    quantity: Quantity
    risk: Usd
    at: Instant
    game: str = ""
    rests: bool = False
    shard: int | None = None

    @property
    def event(self) -> str:
        """What all orders on one game share: the game, or the exchange's event where none is known."""
        return self.game or self.event_ticker


@dataclass(frozen=True, slots=True)
class RiskView:
    """What the controls may know: the account as it stands now, reservations included.

    ``bankroll`` is cash plus the cost of what is open; losses are positive numbers; ``recent_orders`` are the
    instants of the last minute's orders, oldest first; ``halted`` is why trading is stopped, or empty.
    ``open_breakers`` and ``cooling`` say what else stands in this order's way; ``max_quantity`` is the
    largest order while something has to prove itself, else ``None``, and ``proving`` says what that is.
    """

    cash: Usd
    bankroll: Usd
    lost_today: Usd = Usd(0)
    lost_this_week: Usd = Usd(0)
    trades_today: int = 0
    quantity_today: Quantity = Quantity(0)
    consecutive_losses: int = 0
    event_quantity: Quantity = Quantity(0)
    sport_risk: Usd = Usd(0)
    recent_orders: tuple[Instant, ...] = ()
    halted: str = ""
    open_breakers: tuple[str, ...] = ()
    cooling: tuple[str, ...] = ()
    max_quantity: Quantity | None = None
    proving: str = ""


Control = Callable[[Proposal, RiskView, RiskLimits], str | None]


def risk_of(limit: Price, quantity: Quantity, fee_budget: Usd) -> Usd:
    """What an order can lose: its cost at the limit plus the most it can pay in fees, micro-dollars."""
    return Usd(notional_up(limit, quantity) + fee_budget)


def position_size(order: Proposal, view: RiskView, limits: RiskLimits) -> str | None:
    """Contracts in one order."""
    if order.quantity <= 0:
        return "quantity is not positive"
    if order.quantity > limits.max_quantity_per_trade:
        return _over(
            "contracts", format_quantity(order.quantity), format_quantity(limits.max_quantity_per_trade)
        )
    return None


def risk_per_trade(order: Proposal, view: RiskView, limits: RiskLimits) -> str | None:
    """Money that one order can lose."""
    return _over_usd("risk of the order", order.risk, limits.max_risk_per_trade)


def price_bounds(order: Proposal, view: RiskView, limits: RiskLimits) -> str | None:
    """Prices at the edges pay badly for their fees and settle on rounding."""
    if limits.min_price <= order.limit <= limits.max_price:
        return None
    low, high = format_price(limits.min_price), format_price(limits.max_price)
    return f"price {format_price(order.limit)} is outside {low}…{high}"


def daily_loss(order: Proposal, view: RiskView, limits: RiskLimits) -> str | None:
    """Today's loss, with this order counted as lost."""
    return _over_usd(
        "loss today with this order lost", Usd(view.lost_today + order.risk), limits.max_daily_loss
    )


def weekly_loss(order: Proposal, view: RiskView, limits: RiskLimits) -> str | None:
    """This week's loss, with this order counted as lost."""
    return _over_usd(
        "loss this week with this order lost", Usd(view.lost_this_week + order.risk), limits.max_weekly_loss
    )


def daily_trades(order: Proposal, view: RiskView, limits: RiskLimits) -> str | None:
    """Orders in a day."""
    if view.trades_today >= limits.max_trades_per_day:
        return _over("orders today", str(view.trades_today + 1), str(limits.max_trades_per_day))
    return None


def daily_volume(order: Proposal, view: RiskView, limits: RiskLimits) -> str | None:
    """Contracts in a day."""
    after = Quantity(view.quantity_today + order.quantity)
    if after > limits.max_quantity_per_day:
        return _over("contracts today", format_quantity(after), format_quantity(limits.max_quantity_per_day))
    return None


def consecutive_losses(order: Proposal, view: RiskView, limits: RiskLimits) -> str | None:
    """Losses in a row."""
    if view.consecutive_losses >= limits.max_consecutive_losses:
        count = view.consecutive_losses
        return f"{count} losses in a row, limit {limits.max_consecutive_losses}: a person must resume"
    return None


def event_concentration(order: Proposal, view: RiskView, limits: RiskLimits) -> str | None:
    """Contracts on one game, whatever the market."""
    after = Quantity(view.event_quantity + order.quantity)
    if after > limits.max_quantity_per_event:
        return _over(
            "contracts on the event", format_quantity(after), format_quantity(limits.max_quantity_per_event)
        )
    return None


def sport_exposure(order: Proposal, view: RiskView, limits: RiskLimits) -> str | None:
    """Share of the bankroll at risk in one sport."""
    allowed = Usd(view.bankroll * limits.max_sport_share_basis_points // 10_000)
    return _over_usd(
        f"risk in {order.sport or 'an unknown sport'}", Usd(view.sport_risk + order.risk), allowed
    )


def order_rate(order: Proposal, view: RiskView, limits: RiskLimits) -> str | None:
    """Orders in the last minute, and the gap since the last one."""
    recent = [at for at in view.recent_orders if order.at - at < MINUTE]
    if len(recent) >= limits.max_orders_per_minute:
        return _over("orders in a minute", str(len(recent) + 1), str(limits.max_orders_per_minute))
    if recent and order.at - recent[-1] < limits.min_order_gap_ms * 1000:
        return (
            f"{(order.at - recent[-1]) // 1000} ms since the last order, minimum {limits.min_order_gap_ms} ms"
        )
    return None


def balance(order: Proposal, view: RiskView, limits: RiskLimits) -> str | None:
    """Cash that is really there."""
    return _over_usd("cost of the order", order.risk, view.cash, "cash is")


def breaker(order: Proposal, view: RiskView, limits: RiskLimits) -> str | None:
    """Every breaker on the order's way is closed, or the order is its probe."""
    return "; ".join(view.open_breakers) or None


def cooldown(order: Proposal, view: RiskView, limits: RiskLimits) -> str | None:
    """Market, side and opportunity are not resting."""
    return "; ".join(view.cooling) or None


def canary(order: Proposal, view: RiskView, limits: RiskLimits) -> str | None:
    """The smallest size until what changed has proved itself."""
    if view.max_quantity is None or order.quantity <= view.max_quantity:
        return None
    size, allowed = format_quantity(order.quantity), format_quantity(view.max_quantity)
    return f"contracts {size}, only {allowed} while {view.proving or 'in canary mode'}"


CONTROLS: tuple[Control, ...] = (
    position_size,
    risk_per_trade,
    price_bounds,
    daily_loss,
    weekly_loss,
    daily_trades,
    daily_volume,
    consecutive_losses,
    event_concentration,
    sport_exposure,
    order_rate,
    balance,
)
# What stands around the account; run beside the twelve wherever breakers, cooldowns and canary are kept.
SAFEGUARDS: tuple[Control, ...] = (breaker, cooldown, canary)


def _over(what: str, value: str, limit: str) -> str:
    return f"{what} {value}, limit {limit}"


def _over_usd(what: str, value: Usd, limit: Usd, word: str = "limit") -> str | None:
    if value <= limit:
        return None
    return f"{what} ${format_usd(value)}, {word} ${format_usd(limit)}"
