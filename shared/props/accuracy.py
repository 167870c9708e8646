"""How far the models miss: every line of recorded curves left out in turn and asked of the others.

The answer to "how wrong is a translated line?", by statistic and by way, in probability. It is what the
errors and shapes in :mod:`shared.props.curve` and :mod:`shared.props.statistics` were taken from.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.props.curve import NONE, Curve, estimate
from shared.props.statistics import Statistic


@dataclass(frozen=True, slots=True)
class Missed:
    """Misses of one statistic by one way. ``covered`` is the share within the error that was stated."""

    sport: str
    prop_type: str
    method: str
    lines: int
    mean_absolute: float
    bias: float
    stated: float
    covered: float


def left_out(curves: Iterable[tuple[Statistic, Curve]]) -> list[Missed]:
    """Each line of each curve, predicted from the curve without it; ordered by statistic and way."""
    misses: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for statistic, curve in curves:
        for index, line in enumerate(curve.lines):
            rest = Curve(curve.lines[:index] + curve.lines[index + 1 :])
            found = estimate(rest, statistic, int(line.line + 0.5))
            if found.centre is not None and found.method != NONE:
                key = (statistic.sport, statistic.prop_type, found.method)
                misses.setdefault(key, []).append((found.centre - line.centre, found.model_error))
    return [_summed(*key, found) for key, found in sorted(misses.items())]


def _summed(sport: str, prop_type: str, method: str, found: list[tuple[float, float]]) -> Missed:
    count = len(found)
    return Missed(
        sport,
        prop_type,
        method,
        count,
        mean_absolute=sum(abs(miss) for miss, _ in found) / count,
        bias=sum(miss for miss, _ in found) / count,
        stated=sum(error for _, error in found) / count,
        covered=sum(abs(miss) <= error for miss, error in found) / count,
    )
