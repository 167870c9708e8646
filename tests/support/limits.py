"""The default limits of one account, for tests."""

from __future__ import annotations

from shared.money import Price, Quantity, Usd
from shared.risk.limits import RiskLimits

DOLLAR = 1_000_000

LIMITS = RiskLimits(
    max_quantity_per_trade=Quantity(10_000),
    max_risk_per_trade=Usd(500 * DOLLAR),
    min_price=Price(50_000),
    max_price=Price(950_000),
    max_daily_loss=Usd(1_000 * DOLLAR),
    max_weekly_loss=Usd(3_000 * DOLLAR),
    max_trades_per_day=50,
    max_quantity_per_day=Quantity(500_000),
    max_consecutive_losses=5,
    max_quantity_per_event=Quantity(50_000),
    max_sport_share_basis_points=2_000,
    max_orders_per_minute=10,
    min_order_gap_ms=100,
)
