"""Removal of the bookmaker's margin: seven methods from decimal odds to probabilities that sum to one.

With pi = 1/d and B their sum: multiplicative pi/B; additive pi - (B-1)/n; power pi**k (Clarke, Kovalchik and
Ingram 2017); Shin 1992, 1993 (Jullien and Salanie 1994); odds ratio (Cheung); probit; goto. Every method
takes the odds of *all* outcomes of one market (a draw included), each above 1, and raises
:class:`MalformedError` unless 1 <= B <= 1.25. Below 20 cents the methods differ by 1-3 cents: a trade is
judged by the least favourable.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

from shared.errors import MalformedError
from shared.odds.convert import decimal_to_probability

Probabilities = tuple[float, ...]

MAX_BOOKSUM = 1.25  # dearer books carry no information about the fair price
_SLACK = 1e-9  # decimal odds are printed with rounding; an exchange's 2.0 / 2.0 has no margin at all
_MAX_STEPS = 100
_NORMAL = NormalDist()


def implied(decimals: Sequence[float]) -> Probabilities:
    """Implied probabilities, margin included, after the checks every method needs."""
    if len(decimals) < 2:
        raise MalformedError(f"odds: {len(decimals)} outcome(s), the full set is needed")
    raw = tuple(map(decimal_to_probability, decimals))
    total = math.fsum(raw)
    if total < 1 - _SLACK:
        raise MalformedError(
            f"underround: implied sum {total:.6f} is below 1; an outcome is missing or stale"
        )
    if total > MAX_BOOKSUM + _SLACK:
        raise MalformedError(f"overround: implied sum {total:.6f} is over {MAX_BOOKSUM}")
    return raw


def multiplicative(decimals: Sequence[float]) -> Probabilities:
    """Shares of the booksum; blind to the favourite-longshot bias."""
    raw = implied(decimals)
    return _normalised(raw)


def additive_shares(decimals: Sequence[float]) -> tuple[Probabilities, bool]:
    """The margin taken off evenly, and whether every outcome kept a positive probability."""
    raw = implied(decimals)
    cut = (math.fsum(raw) - 1) / len(raw)
    shares = tuple(value - cut for value in raw)
    return shares, min(shares) > 0


def additive(decimals: Sequence[float]) -> Probabilities:
    """The margin taken off evenly; raises :class:`MalformedError` where an outcome falls to zero or below."""
    shares, valid = additive_shares(decimals)
    return _positive(shares, valid, "additive")


def goto(decimals: Sequence[float]) -> Probabilities:
    """The margin taken off in proportion to each outcome's standard error; raises like :func:`additive`."""
    raw = implied(decimals)
    roots = [math.sqrt(1 - value) for value in raw]
    step = (math.fsum(raw) - 1) / math.fsum(roots)
    shares = tuple(value - step * root for value, root in zip(raw, roots, strict=True))
    return _positive(shares, min(shares) > 0, "goto")


def power(decimals: Sequence[float]) -> Probabilities:
    """Implied probabilities raised to the one exponent that makes them sum to one."""
    return _power(implied(decimals))[0]


def power_exponent(decimals: Sequence[float]) -> float:
    """The exponent of :func:`power`."""
    return _power(implied(decimals))[1]


def shin(decimals: Sequence[float]) -> Probabilities:
    """Shin's model of a bookmaker who fears insiders; with two outcomes it equals the additive method."""
    return _shin(implied(decimals))[0]


def shin_share(decimals: Sequence[float]) -> float:
    """The share of insiders in :func:`shin`."""
    return _shin(implied(decimals))[1]


def odds_ratio(decimals: Sequence[float]) -> Probabilities:
    """Every outcome's odds divided by the same number."""
    return _odds_ratio(implied(decimals))[0]


def odds_ratio_divisor(decimals: Sequence[float]) -> float:
    """The divisor of :func:`odds_ratio`."""
    return _odds_ratio(implied(decimals))[1]


def probit(decimals: Sequence[float]) -> Probabilities:
    """Every outcome shifted by the same amount on the normal scale."""
    return _probit(implied(decimals))[0]


def probit_shift(decimals: Sequence[float]) -> float:
    """The shift of :func:`probit`."""
    return _probit(implied(decimals))[1]


@dataclass(frozen=True, slots=True)
class FairSet:
    """Fair probabilities of all outcomes by four methods, in the order of the odds.

    ``least`` is the smallest of the four per outcome, the least favourable to a buyer of it (they sum to less
    than one); ``spread`` is the largest less the smallest.
    """

    multiplicative: Probabilities
    power: Probabilities
    odds_ratio: Probabilities
    shin: Probabilities
    least: Probabilities
    spread: Probabilities


def devig_all(decimals: Sequence[float]) -> FairSet:
    """All four methods of the trade gate at once; raises :class:`MalformedError` for unusable odds."""
    if len(decimals) == 2:
        return _two_way(decimals[0], decimals[1])
    raw = implied(decimals)
    return _gathered(_normalised(raw), _power(raw)[0], _odds_ratio(raw)[0], _shin(raw)[0])


# Bookmakers quote from a coarse grid: a sweep over thousands of markets meets the same pair again and again.
@lru_cache(maxsize=65_536)
def _two_way(first: float, second: float) -> FairSet:
    """The four methods for two outcomes, in closed form but for the power's exponent."""
    one, two = raw = implied((first, second))
    total = one + two
    odds = one / (1 - one), two / (1 - two)
    divisor = math.sqrt(odds[0] * odds[1])
    cut = (total - 1) / 2
    return _gathered(
        (one / total, two / total),
        _power(raw)[0],
        (odds[0] / (divisor + odds[0]), odds[1] / (divisor + odds[1])),
        (one - cut, two - cut),
    )


def _gathered(
    shares: Probabilities, powers: Probabilities, ratios: Probabilities, insiders: Probabilities
) -> FairSet:
    least = tuple(map(min, shares, powers, ratios, insiders))
    most = map(max, shares, powers, ratios, insiders)
    spread = tuple(high - low for high, low in zip(most, least, strict=True))
    return FairSet(shares, powers, ratios, insiders, least, spread)


def _normalised(values: Sequence[float]) -> Probabilities:
    total = math.fsum(values)
    return tuple(value / total for value in values)


def _positive(shares: Probabilities, valid: bool, method: str) -> Probabilities:
    if not valid:
        raise MalformedError(f"{method}: invalid for these odds, smallest probability {min(shares):.6f}")
    return shares


def _newton(excess: Callable[[float], tuple[float, float]], start: float) -> float:
    """Root of a convex falling function from a start left of it: Newton's steps only ever move right."""
    here = start
    for _ in range(_MAX_STEPS):
        value, slope = excess(here)
        if value <= 0 or slope >= 0:
            break
        following = here - value / slope
        if following <= here:
            break
        here = following
    return here


def _power(raw: Probabilities) -> tuple[Probabilities, float]:
    logs = [math.log(value) for value in raw]

    def excess(exponent: float) -> tuple[float, float]:
        powers = [math.exp(exponent * log) for log in logs]
        return math.fsum(powers) - 1, sum(log * value for log, value in zip(logs, powers, strict=True))

    exponent = _newton(excess, 1.0)
    return _normalised([math.exp(exponent * log) for log in logs]), exponent


def _odds_ratio(raw: Probabilities) -> tuple[Probabilities, float]:
    odds = [value / (1 - value) for value in raw]

    def excess(divisor: float) -> tuple[float, float]:
        fair = [ratio / (divisor + ratio) for ratio in odds]
        slope = -sum(value / (divisor + ratio) for value, ratio in zip(fair, odds, strict=True))
        return math.fsum(fair) - 1, slope

    divisor = _newton(excess, 1.0)
    return _normalised([ratio / (divisor + ratio) for ratio in odds]), divisor


def _shin(raw: Probabilities) -> tuple[Probabilities, float]:
    total = math.fsum(raw)
    shares = [value * value / total for value in raw]
    others = len(raw) - 2

    def excess(insiders: float) -> tuple[float, float]:
        roots = [math.sqrt(insiders * insiders + 4 * (1 - insiders) * share) for share in shares]
        slope = sum((insiders - 2 * share) / root for share, root in zip(shares, roots, strict=True))
        return math.fsum(roots) - 2 - others * insiders, slope - others

    insiders = _newton(excess, 0.0)
    scale = 2 * (1 - insiders)
    roots = [math.sqrt(insiders * insiders + 4 * (1 - insiders) * share) for share in shares]
    return _normalised([(root - insiders) / scale for root in roots]), insiders


def _probit(raw: Probabilities) -> tuple[Probabilities, float]:
    scores = [_NORMAL.inv_cdf(value) for value in raw]
    if len(raw) == 2:
        shift = (scores[0] + scores[1]) / 2
    else:
        shift = _bisect(lambda t: math.fsum(_cdf(score - t) for score in scores) - 1, 0.0, max(scores) + 10)
    return _normalised([_cdf(score - shift) for score in scores]), shift


def _cdf(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))


def _bisect(excess: Callable[[float], float], low: float, high: float) -> float:
    """Root of a falling function between ``low`` and ``high``, to the last bit."""
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return middle
        if excess(middle) > 0:
            low = middle
        else:
            high = middle
