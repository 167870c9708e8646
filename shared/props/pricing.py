"""Player props priced from bookmaker lines: thresholds, what a line says about another one, liquidity.

"25+" pays at 25 or more, which is over 24.5. A different threshold than the quoted line needs a model of the
count; the models here are solved so that they reproduce the quoted line. Extrapolating more than two units
from one line is not tradable: models that agree on the line differ by 4c five units away.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from shared.errors import MalformedError
from shared.money import Quantity

MAX_EXTRAPOLATION = 2.0

_NORMAL = NormalDist()
_LARGEST_MEAN = 2_000.0
_LARGEST_COUNT = 5_000
_LONGEST_NUMBER = 12


@dataclass(frozen=True, slots=True)
class Threshold:
    """YES pays when the count is ``at_least``; ``over_line`` is the line it was said as."""

    at_least: int
    over_line: float
    push_possible: bool


@dataclass(frozen=True, slots=True)
class Modelled:
    """A solved model: its free parameter (mean or location), scale, and P(count >= threshold)."""

    centre: float
    scale: float
    at_least: float


def threshold_at_least(text: str) -> Threshold:
    """Threshold of a contract that says "N or more"; raises unless N is a whole number of 0 or more."""
    value = _number(text)
    if value != int(value):
        raise MalformedError(f"threshold: {text!r} is not a whole number")
    return Threshold(int(value), value - 0.5, push_possible=False)


def threshold_over(text: str) -> Threshold:
    """Threshold of "over N": half lines cannot push, whole lines push at N. Raises for other fractions."""
    value = _number(text)
    if value * 2 != int(value * 2):
        raise MalformedError(f"line: {text!r} is neither whole nor half")
    whole = value == int(value)
    return Threshold(math.floor(value) + 1, value, push_possible=whole)


def _number(text: str) -> float:
    try:
        value = float(text) if len(text) <= _LONGEST_NUMBER else math.nan
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise MalformedError(f"line: {text[:40]!r} is not a number of 0 or more")
    return value


def poisson(line: float, p_over: float, threshold: int) -> Modelled:
    """Low counts (threes, goals): the mean that gives ``p_over`` at ``line``, and P(>= threshold)."""

    mean = _solve(lambda m: _over(line, lambda k: poisson_tail(m, k)) - p_over, p_over, 1e-9, _highest(line))
    return Modelled(mean, math.sqrt(mean), poisson_tail(mean, threshold))


def poisson_tail(mean: float, least: int) -> float:
    """P(count >= ``least``) of a Poisson count."""
    return _tail(math.exp(-mean), lambda k: mean / k, least)


def negative_binomial(line: float, p_over: float, threshold: int, size: float) -> Modelled:
    """Over-dispersed counts (points, yards): variance mean + mean**2/size, solved for the mean."""
    if not size > 0:
        raise MalformedError(f"negative binomial: size {size!r} must be positive")

    def over(mean: float) -> float:
        return _over(line, lambda k: negative_binomial_tail(mean, size, k)) - p_over

    mean = _solve(over, p_over, 1e-9, _highest(line))
    return Modelled(mean, math.sqrt(mean + mean * mean / size), negative_binomial_tail(mean, size, threshold))


def negative_binomial_tail(mean: float, size: float, least: int) -> float:
    """P(count >= ``least``) of a count with variance mean + mean**2/size."""
    share = mean / (size + mean)
    start = math.exp(-size * math.log1p(mean / size))
    return _tail(start, lambda k: share * (k - 1 + size) / k, least)


def normal(line: float, p_over: float, threshold: int, deviation: float) -> Modelled:
    """Approximation with continuity correction, solved for the mean."""
    if not deviation > 0:
        raise MalformedError(f"normal: deviation {deviation!r} must be positive")

    def tail(mean: float, least: int) -> float:
        return normal_tail(mean, deviation, least)

    if line == math.floor(line):
        reach = 40 * deviation
        mean = _solve(
            lambda m: _over(line, lambda k: tail(m, k)) - p_over, p_over, line - reach, line + reach
        )
    else:
        mean = line + deviation * _score(p_over)
    return Modelled(mean, deviation, tail(mean, threshold))


def normal_tail(mean: float, deviation: float, least: int) -> float:
    """P(count >= ``least``) of a rounded normal."""
    return _above((least - 0.5 - mean) / deviation)


def normal_two_lines(first: tuple[float, float], second: tuple[float, float], threshold: int) -> Modelled:
    """Mean and deviation from two half-point lines ``(line, p_over)``; raises if these contradict."""
    (low, p_low), (high, p_high) = _ordered(first, second)
    deviation = (high - low) / (_score(p_low) - _score(p_high))
    mean = low + deviation * _score(p_low)
    return Modelled(mean, deviation, _above((threshold - 0.5 - mean) / deviation))


def interpolate(first: tuple[float, float], second: tuple[float, float], line: float) -> float:
    """P(over ``line``) between two half-point lines ``(line, p_over)``, linear in log-odds."""
    (low, p_low), (high, p_high) = _ordered(first, second)
    if not low <= line <= high:
        raise MalformedError(f"line: {line} is outside the quoted {low}…{high}")
    share = (line - low) / (high - low)
    value = (1 - share) * _logit(p_low) + share * _logit(p_high)
    return 1 / (1 + math.exp(-value))


def monotone_bounds(threshold: int, lines: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """What quoted lines ``(line, p_over)`` prove about P(>= threshold), without any model."""
    asked = threshold - 0.5
    low, high = 0.0, 1.0
    for line, p_over in lines:
        if line >= asked:
            low = max(low, p_over)
        if line <= asked:
            high = min(high, p_over)
    return low, high


def is_tradable(threshold: int, lines: Sequence[float]) -> bool:
    """Whether ``threshold`` lies between quoted lines or within two units of one."""
    asked = threshold - 0.5
    if not lines:
        return False
    inside = min(lines) <= asked <= max(lines)
    return inside or min(abs(line - asked) for line in lines) <= MAX_EXTRAPOLATION


def liquidity_tier(contracts: Quantity) -> str:
    """HIGH above 1,000 contracts, MEDIUM from 100, LOW below."""
    if contracts > Quantity(100_000):
        return "HIGH"
    return "MEDIUM" if contracts >= Quantity(10_000) else "LOW"


def _over(line: float, tail: Callable[[int], float]) -> float:
    """P(over line), given that a whole line does not push; ``tail(k)`` is P(count >= k)."""
    above = tail(math.floor(line) + 1)
    if line != math.floor(line):
        return above
    return above / (above + 1 - tail(int(line)))


def _tail(start: float, ratio: Callable[[int], float], least: int) -> float:
    """P(count >= least) from P(0) and the ratio of successive probabilities."""
    if least > _LARGEST_COUNT:
        raise MalformedError(f"threshold: {least} is not a count these models serve")
    term = total = start if least > 0 else 0.0
    for k in range(1, least):
        term *= ratio(k)
        total += term
    return 1 - total


def _highest(line: float) -> float:
    if not 0 <= line <= _LARGEST_MEAN / 4:
        raise MalformedError(f"line: {line!r} is not a count these models serve")
    return 4 * line + 20


def _solve(excess: Callable[[float], float], p_over: float, low: float, high: float) -> float:
    """Root of a rising function by bisection, to the last bit."""
    _score(p_over)
    if excess(low) > 0 or excess(high) < 0:
        raise MalformedError(f"probability: no mean gives {p_over} over this line")
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return middle
        if excess(middle) < 0:
            low = middle
        else:
            high = middle


def _ordered(
    first: tuple[float, float], second: tuple[float, float]
) -> tuple[tuple[float, float], tuple[float, float]]:
    low, high = sorted((first, second))
    if low[0] == high[0] or low[1] <= high[1]:
        raise MalformedError(f"lines: {first} and {second} contradict each other")
    return low, high


def _score(probability: float) -> float:
    if not 0 < probability < 1:
        raise MalformedError(f"probability: {probability!r} is not between 0 and 1")
    return _NORMAL.inv_cdf(probability)


def _above(score: float) -> float:
    return 0.5 * math.erfc(score / math.sqrt(2))


def _logit(probability: float) -> float:
    _score(probability)
    return math.log(probability / (1 - probability))
