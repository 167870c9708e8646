"""Robust statistics of a handful of quotes: median, quartiles, outliers by two rules, winsorising.

Modified z-scores after Iglewicz and Hoaglin 1993, fences after Tukey 1977, quantiles of type 7.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_Z_SCALE = 0.6745
_Z_LIMIT = 3.5
_FENCE = 1.5


@dataclass(frozen=True, slots=True)
class Spread:
    """Where a sample lies and how far out each value is. ``modified_z`` is empty when the MAD is zero."""

    median: float
    mad: float
    modified_z: tuple[float, ...]
    q1: float
    q3: float
    fence_low: float
    fence_high: float

    def keep_mad(self) -> tuple[bool, ...]:
        """Which values the modified z-score keeps."""
        return tuple(abs(z) <= _Z_LIMIT for z in self.modified_z)

    def keep_fences(self, values: Sequence[float]) -> tuple[bool, ...]:
        """Which values lie within the fences."""
        return tuple(self.fence_low <= value <= self.fence_high for value in values)

    def clip(self, value: float) -> float:
        """``value`` moved to the nearer fence if it lies outside."""
        return min(max(value, self.fence_low), self.fence_high)


def quantile(values: Sequence[float], share: float) -> float:
    """Quantile of type 7 (linear between order statistics) of a non-empty sample."""
    return _quantile(sorted(values), share)


def spread_of(values: Sequence[float]) -> Spread:
    """Location, scale and outlyingness of a non-empty sample."""
    ordered = sorted(values)
    centre = _median(ordered)
    mad = _median(sorted([abs(value - centre) for value in values]))
    scores = tuple([_Z_SCALE * (value - centre) / mad for value in values]) if mad > 0 else ()
    q1, q3 = _quantile(ordered, 0.25), _quantile(ordered, 0.75)
    reach = _FENCE * (q3 - q1)
    return Spread(centre, mad, scores, q1, q3, q1 - reach, q3 + reach)


def _median(ordered: Sequence[float]) -> float:
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _quantile(ordered: Sequence[float], share: float) -> float:
    position = (len(ordered) - 1) * share
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])
