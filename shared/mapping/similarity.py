"""Fuzzy similarity of names, to *propose* aliases to a person; it never decides a match.

A single score cannot tell "Los Angeles Clippers" from "Los Angeles Lakers" (84 of 100), and the token-set
ratio calls "Michigan" and "Michigan State" the same (100).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NameSimilarity:
    """Four scores of 0 to 100 after lower-casing and dropping punctuation."""

    ratio: float
    token_sort: float
    token_set: float
    weighted: float


def similarity(first: str, second: str) -> NameSimilarity:
    """Scores of two names."""
    from rapidfuzz import fuzz, utils

    clean = utils.default_process
    return NameSimilarity(
        ratio=fuzz.ratio(first, second, processor=clean),
        token_sort=fuzz.token_sort_ratio(first, second, processor=clean),
        token_set=fuzz.token_set_ratio(first, second, processor=clean),
        weighted=fuzz.WRatio(first, second, processor=clean),
    )


def pair_score(first: tuple[str, str], second: tuple[str, str]) -> float:
    """Score of 0 to 100 of two sides against two sides: both must match, in either orientation.

    Each argument is one game's two names; the worse of the two sides counts.
    """
    straight = min(_sorted_ratio(first[0], second[0]), _sorted_ratio(first[1], second[1]))
    swapped = min(_sorted_ratio(first[0], second[1]), _sorted_ratio(first[1], second[0]))
    return max(straight, swapped)


def _sorted_ratio(first: str, second: str) -> float:
    from rapidfuzz import fuzz, utils

    return fuzz.token_sort_ratio(first, second, processor=utils.default_process)
