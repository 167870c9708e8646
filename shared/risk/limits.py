"""The limits a trader sets, each with its unit in its name."""

from __future__ import annotations

from dataclasses import dataclass

from shared.money import Price, Quantity, Usd


@dataclass(frozen=True, slots=True)
class RiskLimits:
    """Limits of one account. Money in micro-dollars, quantities in hundredths of a contract."""

    max_quantity_per_trade: Quantity
    max_risk_per_trade: Usd
    min_price: Price
    max_price: Price
    max_daily_loss: Usd
    max_weekly_loss: Usd
    max_trades_per_day: int
    max_quantity_per_day: Quantity
    max_consecutive_losses: int
    max_quantity_per_event: Quantity
    max_sport_share_basis_points: int
    max_orders_per_minute: int
    min_order_gap_ms: int
