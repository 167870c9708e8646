"""How good a mapping is against labels: a wrong match counts both as a false match and as a missed one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from shared.errors import MalformedError


@dataclass(frozen=True, slots=True)
class MatchQuality:
    """Counts and ratios; a ratio with nothing to count is ``None``."""

    true_positive: int
    false_positive: int
    false_negative: int
    precision: float | None
    recall: float | None
    coverage: float | None


def match_quality(predicted: Sequence[Hashable | None], truth: Sequence[Hashable | None]) -> MatchQuality:
    """Quality of ``predicted`` against ``truth``, item by item; ``None`` means no match."""
    if len(predicted) != len(truth):
        raise MalformedError(f"metrics: {len(predicted)} predictions for {len(truth)} labels")
    pairs = list(zip(predicted, truth, strict=True))
    right = sum(guess is not None and guess == label for guess, label in pairs)
    made = sum(guess is not None for guess, _ in pairs)
    wanted = sum(label is not None for _, label in pairs)
    return MatchQuality(
        true_positive=right,
        false_positive=made - right,
        false_negative=wanted - right,
        precision=right / made if made else None,
        recall=right / wanted if wanted else None,
        coverage=made / len(pairs) if pairs else None,
    )
