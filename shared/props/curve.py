"""The bookmakers' curve of one player's count, and what it says about any threshold, and how surely.

Each book's margin is removed line by line, where it quotes both sides; a line's consensus is the same as a
game's. A threshold is then read off in one of four ways, and the way is part of the answer:

``direct``        a book line is the threshold: nothing is modelled.
``interpolated``  between two lines: the model's curve through the lower one, bent to meet the upper one.
``modelled``      beyond two or more lines: the model from the nearest; the second nearest shows its error.
``extrapolated``  one line only: the model says nothing against itself. For people to look at, never traded.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from shared.clock import MINUTE, SECOND, Instant
from shared.errors import MalformedError
from shared.messages import FairValue
from shared.odds.consensus import NOT_EVIDENCE, BookFair, consensus
from shared.odds.devig import FairSet, devig_all
from shared.props import pricing
from shared.props.statistics import Model, Statistic

DIRECT, INTERPOLATED, MODELLED, EXTRAPOLATED, NONE = (
    "direct",
    "interpolated",
    "modelled",
    "extrapolated",
    "none",
)

# The least error of a translated line, by way: what 23,000 recorded lines missed by when left out in turn.
ERROR_FLOOR = {INTERPOLATED: 0.01, MODELLED: 0.02, EXTRAPOLATED: 0.05}
# Over-dispersion that a Poisson count may hide.
_POISSON_DOUBT = 40.0
_CLOCKS_APART = MINUTE
_EDGE = 1e-6


@dataclass(frozen=True, slots=True)
class BookLine:
    """One line of one bookmaker; prices are decimal odds, ``None`` for a side it does not quote."""

    bookmaker: str
    line: float
    over_price: float | None
    under_price: float | None
    last_update: Instant | None
    is_alternate: bool = False

    @property
    def fair(self) -> FairSet | None:
        """Over and under without the margin; ``None`` unless both are quoted and make sense."""
        if self.over_price is None or self.under_price is None:
            return None
        try:
            return devig_all((self.over_price, self.under_price))
        except MalformedError:
            return None


@dataclass(frozen=True, slots=True)
class LineFair:
    """Consensus on one half-point line: over and under, each least favourable to its buyer."""

    line: float
    over: FairValue
    under: FairValue

    @property
    def centre(self) -> float:
        """P(over), halfway between the two buyers' views."""
        return (self.over.probability + 1 - self.under.probability) / 2

    @property
    def doubt(self) -> float:
        """How far each buyer's view is from the centre."""
        return max(0.0, (1 - self.under.probability - self.over.probability) / 2)


@dataclass(frozen=True, slots=True)
class Curve:
    """Lines in rising order, and why there are none if so. ``one_sided`` counts quotes without a margin."""

    lines: tuple[LineFair, ...]
    one_sided: int = 0
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """P(count reaches a threshold), by which way, from which lines. ``yes`` and ``no`` bear the errors."""

    method: str
    model: str = ""
    centre: float | None = None
    yes: float | None = None
    no: float | None = None
    model_error: float = 0.0
    standard_error: float | None = None
    books: int = 0
    age_s: float | None = None
    lines: tuple[float, ...] = ()
    problem: str = ""


def curve_of(quotes: Iterable[BookLine], now: Instant, max_age_s: float) -> Curve:
    """The consensus on every half-point line that some book quotes on both sides and freshly enough."""
    by_line: dict[float, dict[str, tuple[float, FairSet]]] = {}
    one_sided = 0
    for quote in quotes:
        if quote.bookmaker in NOT_EVIDENCE or quote.line % 1 != 0.5:
            continue
        fair, age = quote.fair, _age(quote, now)
        if fair is None or age is None:
            one_sided += quote.over_price is None or quote.under_price is None
            continue
        books = by_line.setdefault(quote.line, {})
        known = books.get(quote.bookmaker)
        if known is None or age < known[0]:
            books[quote.bookmaker] = age, fair
    found, refusal = _agreed(by_line, max_age_s)
    return Curve(found, one_sided, refusal if not found else "")


def _agreed(
    by_line: dict[float, dict[str, tuple[float, FairSet]]], max_age_s: float
) -> tuple[tuple[LineFair, ...], str]:
    lines: list[LineFair] = []
    refusal = "no_books: nobody quotes both sides of a line"
    for line in sorted(by_line):
        books = by_line[line].items()
        over = consensus([BookFair.of(book, age, fair, 0) for book, (age, fair) in books], max_age_s)
        under = consensus([BookFair.of(book, age, fair, 1) for book, (age, fair) in books], max_age_s)
        if over.fair is None or under.fair is None:
            refusal = over.refusal or under.refusal
        else:
            lines.append(LineFair(line, over.fair, under.fair))
    return tuple(lines), refusal


def _age(quote: BookLine, now: Instant) -> float | None:
    """Seconds since the feed last saw the line; a time that is unknown or to come is no evidence."""
    if quote.last_update is None or quote.last_update > now + _CLOCKS_APART:
        return None
    return max(0, now - quote.last_update) / SECOND


def estimate(curve: Curve, statistic: Statistic, threshold: int) -> Estimate:
    """What the curve says about ``threshold``; never raises for what bookmakers may quote."""
    asked = threshold - 0.5
    if not curve.lines:
        return Estimate(NONE, problem=curve.refusal or "no_books: no line")
    exact = next((one for one in curve.lines if one.line == asked), None)
    if exact is not None:
        return _direct(exact)
    if statistic.model is Model.NONE:
        return Estimate(NONE, problem=f"no_model: {statistic.name} is not carried from line to line")
    try:
        return _translated(curve.lines, statistic, threshold)
    except (MalformedError, OverflowError, ZeroDivisionError) as exc:
        return Estimate(NONE, problem=f"no_model: {exc}")


def _direct(found: LineFair) -> Estimate:
    return Estimate(
        DIRECT,
        centre=found.centre,
        yes=found.over.probability,
        no=found.under.probability,
        standard_error=found.over.standard_error,
        books=found.over.books,
        age_s=found.over.age_s,
        lines=(found.line,),
    )


def _translated(lines: Sequence[LineFair], statistic: Statistic, threshold: int) -> Estimate:
    asked = threshold - 0.5
    below = [one for one in lines if one.line < asked]
    above = [one for one in lines if one.line > asked]
    if below and above:
        low, high = below[-1], above[0]
        centre, error = _between(low, high, statistic, threshold)
        return _doubted(INTERPOLATED, statistic, centre, error, (low, high))
    nearest, *others = reversed(below) if below else iter(above)
    centre = _carried(statistic, nearest, threshold)
    error = _shape_error(statistic, nearest, threshold, centre)
    if not others:
        return _doubted(EXTRAPOLATED, statistic, centre, error, (nearest,))
    if (nearest.line - others[0].line) * (nearest.centre - others[0].centre) >= 0:
        raise MalformedError(f"lines {nearest.line} and {others[0].line} contradict each other")
    error += abs(centre - _carried(statistic, others[0], threshold))
    return _doubted(MODELLED, statistic, centre, error, (nearest, others[0]))


def _between(low: LineFair, high: LineFair, statistic: Statistic, threshold: int) -> tuple[float, float]:
    """P(over) between two lines, and its error: how far the straight line in log-odds is from the model's."""
    asked = threshold - 0.5
    straight = pricing.interpolate((low.line, low.centre), (high.line, high.centre), asked)
    share = (asked - low.line) / (high.line - low.line)
    bend = _logit(high.centre) - _logit(_carried(statistic, low, int(high.line + 0.5)))
    bent = _expit(_logit(_carried(statistic, low, threshold)) + share * bend)
    # Whatever the model says, the two lines bound the answer.
    bent = min(max(bent, high.centre), low.centre)
    return bent, abs(bent - straight) / 2


def _doubted(
    method: str, statistic: Statistic, centre: float, error: float, used: Sequence[LineFair]
) -> Estimate:
    error = max(error, ERROR_FLOOR[method])
    doubt = max(one.doubt for one in used) + error
    return Estimate(
        method,
        model=statistic.model.value,
        centre=centre,
        yes=max(0.0, centre - doubt),
        no=max(0.0, 1 - centre - doubt),
        model_error=error,
        standard_error=max(one.over.standard_error for one in used),
        books=min(one.over.books for one in used),
        age_s=max(one.over.age_s for one in used),
        lines=tuple(sorted(one.line for one in used)),
    )


# --- models ------------------------------------------------------------------------------------------------


def _carried(statistic: Statistic, known: LineFair, threshold: int, stretch: float = 1.0) -> float:
    """P(count >= threshold) by the statistic's model through one line; ``stretch`` multiplies its shape."""
    p, line = min(max(known.centre, _EDGE), 1 - _EDGE), known.line
    if statistic.model is Model.NORMAL:
        deviation = max(1.0, statistic.shape * stretch * line)
        return pricing.normal_tail(_normal_mean(line, p, deviation), deviation, threshold)
    if statistic.model is Model.NEGATIVE_BINOMIAL:
        size = statistic.shape * stretch
        return pricing.negative_binomial_tail(_dispersed_mean(line, p, size), size, threshold)
    if stretch != 1.0:
        return pricing.negative_binomial_tail(
            _dispersed_mean(line, p, _POISSON_DOUBT), _POISSON_DOUBT, threshold
        )
    return pricing.poisson_tail(_poisson_mean(line, p), threshold)


def _shape_error(statistic: Statistic, known: LineFair, threshold: int, centre: float) -> float:
    """By how much the answer moves with what is not known of the shape."""
    slack = statistic.slack or 0.5
    ends = [
        _carried(statistic, known, threshold, 1 - slack),
        _carried(statistic, known, threshold, 1 + slack),
    ]
    return max(abs(end - centre) for end in ends)


# The rungs of a ladder ask about the same few lines again and again.
@lru_cache(maxsize=16_384)
def _poisson_mean(line: float, p_over: float) -> float:
    return pricing.poisson(line, p_over, 0).centre


@lru_cache(maxsize=16_384)
def _dispersed_mean(line: float, p_over: float, size: float) -> float:
    return pricing.negative_binomial(line, p_over, 0, size).centre


@lru_cache(maxsize=16_384)
def _normal_mean(line: float, p_over: float, deviation: float) -> float:
    return pricing.normal(line, p_over, 0, deviation).centre


def _logit(probability: float) -> float:
    bounded = min(max(probability, _EDGE), 1 - _EDGE)
    return math.log(bounded / (1 - bounded))


def _expit(value: float) -> float:
    return 1 / (1 + math.exp(-value))
