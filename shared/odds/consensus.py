"""The consensus of several bookmakers on one outcome: fresh, distinct, outliers out, pooled in log-odds.

Each book's margin is removed first; prices are never pooled raw. Weights are sharpness x 2**(-age /
half-life), the pool is logarithmic (Satopaa et al. 2014, no extremising). Every book left out is named with
its reason, and where the books cannot be trusted the consensus abstains and says why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from shared.errors import MalformedError
from shared.messages import FairValue
from shared.odds.devig import FairSet
from shared.odds.robust import spread_of

ANCHOR = "pinnacle"

# Sharpness before anything has been learned from closing prices; other books count 1.
SHARPNESS = {
    "pinnacle": 3.0,
    "circasports": 2.0,
    "betfair_ex_uk": 2.0,
    "betfair_ex_eu": 2.0,
    "betfair_ex_au": 2.0,
    "matchbook": 2.0,
    "smarkets": 2.0,
    "novig": 2.0,
    "prophetx": 2.0,
    "betopenly": 2.0,
}

# The venues we trade on are not evidence about themselves; fixed-payout fantasy games quote no odds.
NOT_EVIDENCE = frozenset({"kalshi", "polymarket", "betr_us_dfs", "pick6", "prizepicks", "underdog"})

# One operator prices every regional site; only these share a name without sharing an operator.
_REGIONS = frozenset({"az", "fl", "oh", "fr", "it", "nl", "se", "de", "uk", "eu", "au"})

_HALF_LIFE_S = 600.0
_IN_PLAY_LIMIT_S = 5.0
_NEAR_START_LIMIT_S = 120.0
NEAR_START_S = 3600.0
_EARLY_LIMIT_S = 600.0

_MIN_FOR_TRIMMING = 4
_MAX_FOR_WINSORISING = 5
# With half the books on one price (within 0.03c) the MAD says nothing: two cents is far enough out.
_SAME_PRICE_MAD = 1e-3
_SAME_PRICE_BAND = 0.02
_ERROR_FLOOR = 0.005  # books copy each other, so agreement proves less than its standard error says


class BookFair(msgspec.Struct, frozen=True, gc=False):
    """One bookmaker's margin-free probability of the outcome by each method, and its age in seconds.

    The age counts from our receipt of the bookmaker's last confirmation, not from its last change.
    """

    book: str
    age_s: float
    multiplicative: float
    power: float
    odds_ratio: float
    shin: float

    @classmethod
    def of(cls, book: str, age_s: float, fair: FairSet, outcome: int) -> BookFair:
        """The entry of ``outcome`` in a book's fair set."""
        return cls(
            book,
            age_s,
            fair.multiplicative[outcome],
            fair.power[outcome],
            fair.odds_ratio[outcome],
            fair.shin[outcome],
        )


@dataclass(frozen=True, slots=True)
class Dropped:
    """A book that was left out, and why."""

    book: str
    reason: str


@dataclass(frozen=True, slots=True)
class Pooled:
    """Weighted pool of probabilities. ``standard_error`` is of the probability, without any floor."""

    weights: tuple[float, ...]
    logit: float
    probability: float
    effective: float
    logit_deviation: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class Consensus:
    """What the books imply. ``fair`` is ``None`` exactly when ``refusal`` says why it abstains.

    ``book_range`` is the highest less the lowest of the probabilities used; ``method_range`` the same over
    the four pooled methods.
    """

    fair: FairValue | None
    refusal: str
    dropped: tuple[Dropped, ...]
    book_range: float = 0.0
    method_range: float = 0.0


def staleness_limit(seconds_to_start: float) -> float:
    """Oldest usable quote in seconds: 5 in play, 120 in the last hour, 600 before."""
    if seconds_to_start <= 0:
        return _IN_PLAY_LIMIT_S
    return _NEAR_START_LIMIT_S if seconds_to_start <= NEAR_START_S else _EARLY_LIMIT_S


def weight(book: str, age_s: float, half_life_s: float = _HALF_LIFE_S) -> float:
    """Sharpness halved for every half-life of age."""
    return SHARPNESS.get(book, 1.0) * decayed(age_s, half_life_s)


def decayed(age_s: float, half_life_s: float) -> float:
    """2**(-age / half-life); a negative age counts as zero."""
    return math.pow(2.0, -max(age_s, 0.0) / half_life_s)


def pool(probabilities: Sequence[float], weights: Sequence[float]) -> Pooled:
    """Logarithmic opinion pool with the error its spread implies; raises :class:`MalformedError` when empty.

    The variance is the unbiased one for reliability weights.
    """
    total = math.fsum(weights)
    if not probabilities or not 0 < total < math.inf:
        raise MalformedError("consensus: nothing to pool")
    shares = tuple(value / total for value in weights)
    logits = [_logit(p) for p in probabilities]
    centre = math.fsum(share * x for share, x in zip(shares, logits, strict=True))
    squares = math.fsum(share * share for share in shares)
    scatter = math.fsum(share * (x - centre) ** 2 for share, x in zip(shares, logits, strict=True))
    deviation = math.sqrt(scatter / (1 - squares)) if squares < 1 else 0.0
    probability = _expit(centre)
    error = probability * (1 - probability) * deviation * math.sqrt(squares)
    return Pooled(shares, centre, probability, 1 / squares, deviation, error)


def _mean(probabilities: Sequence[float], shares: Sequence[float]) -> float:
    """The pool of probabilities known to lie within 0…1."""
    return _expit(
        sum([share * math.log(p / (1 - p)) for share, p in zip(shares, probabilities, strict=True)])
    )


def linear_pool(probabilities: Sequence[float], weights: Sequence[float]) -> float:
    """Weighted mean of probabilities: a check on the logarithmic pool."""
    return math.fsum(p * w for p, w in zip(probabilities, weights, strict=True)) / math.fsum(weights)


def consensus(quotes: Sequence[BookFair], max_age_s: float, half_life_s: float = _HALF_LIFE_S) -> Consensus:
    """Pool the usable books' probabilities of one outcome.

    The probability given is the least of the four methods' pools: the least favourable to its buyer.
    """
    usable, dropped = _usable(quotes, max_age_s)
    if not usable:
        return Consensus(None, "no_books: no fresh bookmaker quote", tuple(dropped))
    kept, powers, outliers, refusal = _trimmed(usable)
    dropped += outliers
    if refusal:
        return Consensus(None, refusal, tuple(dropped))
    return _pooled(kept, powers, half_life_s, tuple(dropped))


def _usable(quotes: Sequence[BookFair], max_age_s: float) -> tuple[list[BookFair], list[Dropped]]:
    kept: dict[str, BookFair] = {}
    dropped: list[Dropped] = []
    for quote in sorted(quotes, key=lambda q: (q.age_s, q.book)):
        reason = _unusable(quote, max_age_s)
        family = _operator(quote.book)
        if not reason and family in kept:
            reason = f"copy: same operator as {kept[family].book}"
        if reason:
            dropped.append(Dropped(quote.book, reason))
        else:
            kept[family] = quote
    return list(kept.values()), dropped


def _unusable(quote: BookFair, max_age_s: float) -> str:
    if quote.book in NOT_EVIDENCE:
        return "not_evidence: a venue we trade on, or no bookmaker"
    if not quote.age_s <= max_age_s:
        return f"stale: {quote.age_s:.1f} s old, limit {max_age_s:.0f} s"
    if not (
        0.0 < quote.multiplicative < 1.0
        and 0.0 < quote.power < 1.0
        and 0.0 < quote.odds_ratio < 1.0
        and 0.0 < quote.shin < 1.0
    ):
        return "invalid: a probability is not between 0 and 1"
    return ""


def _operator(book: str) -> str:
    stem, _, region = book.rpartition("_")
    return stem if stem and region in _REGIONS else book


def _trimmed(quotes: list[BookFair]) -> tuple[list[BookFair], list[float], list[Dropped], str]:
    """Books kept, their (perhaps clipped) power probabilities, books dropped, and why to abstain if so."""
    powers = [quote.power for quote in quotes]
    if len(quotes) < _MIN_FOR_TRIMMING:
        return quotes, powers, [], ""
    low, high, outlying = _bounds(powers)
    if any(out and quote.book == ANCHOR for quote, out in zip(quotes, outlying, strict=True)):
        return [], [], [], f"anchor_outlier: {ANCHOR} disagrees with the other books"
    if len(quotes) <= _MAX_FOR_WINSORISING:
        return quotes, [min(max(p, low), high) for p in powers], [], ""
    kept = [quote for quote, out in zip(quotes, outlying, strict=True) if not out]
    outliers = [
        Dropped(quote.book, f"outlier: {quote.power:.4f} is outside {low:.4f}…{high:.4f}")
        for quote, out in zip(quotes, outlying, strict=True)
        if out
    ]
    return kept, [quote.power for quote in kept], outliers, ""


def _bounds(powers: list[float]) -> tuple[float, float, list[bool]]:
    """Fences as probabilities, and which values are outliers by either rule."""
    logits = [_logit(p) for p in powers]
    spread = spread_of(logits)
    if spread.mad < _SAME_PRICE_MAD:
        centre = _expit(spread.median)
        low, high = centre - _SAME_PRICE_BAND, centre + _SAME_PRICE_BAND
        return low, high, [not low <= p <= high for p in powers]
    kept = zip(spread.keep_mad(), spread.keep_fences(logits), strict=True)
    return (
        _expit(spread.fence_low),
        _expit(spread.fence_high),
        [not (by_z and by_fence) for by_z, by_fence in kept],
    )


def _pooled(
    quotes: list[BookFair], powers: list[float], half_life_s: float, dropped: tuple[Dropped, ...]
) -> Consensus:
    weights = [weight(quote.book, quote.age_s, half_life_s) for quote in quotes]
    primary = pool(powers, weights)
    # Clipped values stand in for power only: the least of the four is then never above the clipped pool.
    methods = (
        primary.probability,
        _mean([quote.multiplicative for quote in quotes], primary.weights),
        _mean([quote.odds_ratio for quote in quotes], primary.weights),
        _mean([quote.shin for quote in quotes], primary.weights),
    )
    # Fewer than four books cannot show an outlier: the fewer, the wider.
    floor = _ERROR_FLOOR * _MIN_FOR_TRIMMING / min(len(quotes), _MIN_FOR_TRIMMING)
    fair = FairValue(
        probability=min(methods),
        power=methods[0],
        multiplicative=methods[1],
        odds_ratio=methods[2],
        shin=methods[3],
        standard_error=max(primary.standard_error, floor),
        books=len(quotes),
        effective_books=primary.effective,
        age_s=min(quote.age_s for quote in quotes),
        names=tuple(sorted(quote.book for quote in quotes)),
    )
    return Consensus(fair, "", dropped, max(powers) - min(powers), max(methods) - min(methods))


def _logit(probability: float) -> float:
    if not 0.0 < probability < 1.0:
        raise MalformedError(f"probability: {probability!r} has no log-odds")
    return math.log(probability / (1 - probability))


def _expit(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))
