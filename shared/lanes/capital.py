"""What locked capital costs: return, annualised return, and the charge a lane's profit must beat.

A pair that nets at once on its own venue locks nothing (days = 0); only cross-venue pairs wait for
settlement. Rank by net profit per dollar-day, gate on profit less charge; a ranking bonus never turns a loss
into a profit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from shared.errors import MalformedError

_YEAR = 365.0


@dataclass(frozen=True, slots=True)
class CapitalUse:
    """Fractions and dollars. Annualised values are ``None`` when nothing is locked."""

    ret: float
    simple_annual: float | None
    compound_annual: float | None
    charge: float
    net_profit: float
    breakeven_days: float


def capital_use(profit: float, capital: float, days: float, hurdle: float, carry: float = 0.0) -> CapitalUse:
    """Judge ``profit`` on ``capital`` locked for ``days``; ``hurdle`` and ``carry`` are yearly rates.

    ``carry`` is what the venue pays on the locked money meanwhile. Raises :class:`MalformedError` unless
    capital is positive and days are not negative.
    """
    finite = all(map(math.isfinite, (profit, capital, days, hurdle, carry)))
    if not (finite and capital > 0 and days >= 0):
        raise MalformedError(f"capital: {profit!r} on {capital!r} over {days!r} days makes no sense")
    ret = profit / capital
    daily = capital * (hurdle - carry) / _YEAR
    charge = daily * days
    return CapitalUse(
        ret=ret,
        simple_annual=ret * _YEAR / days if days else None,
        compound_annual=_compound(ret, days) if days else None,
        charge=charge,
        net_profit=profit - charge,
        breakeven_days=profit / daily if daily > 0 else math.inf,
    )


def _compound(ret: float, days: float) -> float:
    if ret <= -1:
        return -1.0
    growth = math.log1p(ret) * _YEAR / days
    return math.expm1(growth) if growth < 700 else math.inf
