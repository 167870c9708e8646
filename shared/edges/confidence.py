"""Confidence 0-100 in an opportunity: edge 30, book consensus 30, liquidity 20, timing 20.

A display and throttle number, not a probability. Whatever is missing scores nothing: it is never filled in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from operator import attrgetter

from shared.errors import MalformedError
from shared.messages import ConfidenceScore

_EDGE_FULL = 0.08  # net edge that scores in full, dollars
_BOOKS_SPAN = 3.0  # effective books beyond the first that score in full
_RANGE_EMPTY = 0.06  # disagreement of the books that leaves nothing
_DEPTH_FULL = 4.0  # executable size, in orders, that scores in full
_TICK = 0.01
_SPREAD_SPAN = 0.05  # spread beyond one cent that leaves nothing
_SOON_H, _FAR_H, _FAR_FACTOR = 24.0, 48.0, 0.6

HIGH, MEDIUM = 70.0, 40.0


@dataclass(frozen=True, slots=True)
class ConfidenceInputs:
    """What is known, ``None`` where it is not. Dollars, contracts, hours to the start, seconds.

    ``net_edge`` is after fees; ``book_range`` the highest less the lowest book; ``depth`` what is executable;
    ``order`` the intended size.
    """

    net_edge: float | None
    effective_books: float | None
    book_range: float | None
    depth: float | None
    order: float | None
    spread: float | None
    hours_to_start: float | None
    quote_age_s: float | None
    half_life_s: float = 600.0


_FIELDS = tuple(field.name for field in fields(ConfidenceInputs))
_values = attrgetter(*_FIELDS)


def confidence(known: ConfidenceInputs) -> ConfidenceScore:
    """The score and its parts; the total is a whole number. Raises :class:`MalformedError` for NaN."""
    for name, value in zip(_FIELDS, _values(known), strict=True):
        if value is not None and value != value:
            raise MalformedError(f"confidence: {name} is not a number")
    parts = (_edge(known), _consensus(known), _liquidity(known), _timing(known))
    edge, consensus, liquidity, timing = parts
    total = float(math.floor(math.fsum(parts) + 0.5))
    return ConfidenceScore(total=total, edge=edge, consensus=consensus, liquidity=liquidity, timing=timing)


def tier(score: float) -> str:
    """HIGH from 70, MEDIUM from 40, LOW below."""
    if score >= HIGH:
        return "HIGH"
    return "MEDIUM" if score >= MEDIUM else "LOW"


def _edge(known: ConfidenceInputs) -> float:
    return 0.0 if known.net_edge is None else 30 * _clip(known.net_edge / _EDGE_FULL)


def _consensus(known: ConfidenceInputs) -> float:
    if known.effective_books is None or known.book_range is None:
        return 0.0
    books = _clip((known.effective_books - 1) / _BOOKS_SPAN)
    return 30 * books * _clip(1 - known.book_range / _RANGE_EMPTY)


def _liquidity(known: ConfidenceInputs) -> float:
    deep = 0.0
    if known.depth is not None and known.order:
        deep = _clip(known.depth / (_DEPTH_FULL * known.order))
    tight = 0.0 if known.spread is None else _clip(1 - (known.spread - _TICK) / _SPREAD_SPAN)
    return 20 * (0.7 * deep + 0.3 * tight)


def _timing(known: ConfidenceInputs) -> float:
    if known.hours_to_start is None or known.quote_age_s is None:
        return 0.0
    fresh = math.pow(2.0, -max(0.0, known.quote_age_s) / known.half_life_s)
    return 20 * _nearness(known.hours_to_start) * fresh


def _nearness(hours: float) -> float:
    """Prices settle towards the start: full within a day, 0.6 from two days on, nothing once it has begun."""
    if hours < 0:
        return 0.0
    share = _clip((hours - _SOON_H) / (_FAR_H - _SOON_H))
    return 1 - share * (1 - _FAR_FACTOR)


def _clip(value: float) -> float:
    return min(1.0, max(0.0, value))
