"""Odds in their three forms (American, decimal, probability) and the bookmaker's margin in a set of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from shared.errors import MalformedError

_EVEN = 100


def american_to_decimal(american: float) -> float:
    """Decimal odds of American odds; raises :class:`MalformedError` between -100 and +100."""
    if not math.isfinite(american) or abs(american) < _EVEN:
        raise MalformedError(f"odds: {american!r} is not American odds")
    return 1 + american / _EVEN if american > 0 else 1 + _EVEN / -american


def american_to_probability(american: float) -> float:
    """Implied probability of American odds, margin included."""
    return 1 / american_to_decimal(american)


def decimal_to_probability(decimal: float) -> float:
    """Implied probability of decimal odds, margin included; raises unless they are finite and above 1."""
    if not math.isfinite(decimal) or decimal <= 1:
        raise MalformedError(f"odds: {decimal!r} is not decimal odds above 1")
    return 1 / decimal


def probability_to_american(probability: float) -> float:
    """American odds of a probability, not rounded; one half is +100. Raises at and outside 0 and 1."""
    if not 0 < probability < 1:
        raise MalformedError(f"probability: {probability!r} has no odds")
    if probability > 0.5:
        return -_EVEN * probability / (1 - probability)
    return _EVEN * (1 - probability) / probability


def display_american(probability: float) -> int:
    """American odds as people print them: rounded half away from zero, even money as +100.

    For display only: near even the whole numbers are 0.1c apart.
    """
    raw = probability_to_american(probability)
    rounded = math.floor(abs(raw) + 0.5)
    return rounded if raw > 0 or rounded == _EVEN else -rounded


def booksum(decimals: Sequence[float]) -> float:
    """Sum of the implied probabilities of all outcomes."""
    return math.fsum(decimal_to_probability(decimal) for decimal in decimals)


def overround(decimals: Sequence[float]) -> float:
    """By how much the implied probabilities exceed one."""
    return booksum(decimals) - 1


def hold(decimals: Sequence[float]) -> float:
    """Share of the turnover the bookmaker keeps when all outcomes are backed evenly."""
    return 1 - 1 / booksum(decimals)
