"""Intervals of a proportion: how far a count of successes lets one say anything.

Source: Wilson 1927; unlike the textbook interval it holds for small samples and never leaves 0…1.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from shared.errors import MalformedError


def wilson(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Two-sided Wilson interval of a proportion; raises :class:`MalformedError` without trials."""
    if not 0 <= successes <= trials or trials == 0 or not 0 < confidence < 1:
        raise MalformedError(f"interval: {successes} of {trials} at {confidence} makes no sense")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = successes / trials
    scale = 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / scale
    reach = z / scale * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    low = 0.0 if successes == 0 else max(0.0, centre - reach)
    high = 1.0 if successes == trials else min(1.0, centre + reach)
    return low, high
