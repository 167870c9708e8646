"""What has been written already: a short memory of each row's contents over time, and whether one is news.

A row is news when its content differs from what was known just before it. The memory is ordered by the time
of the scrape and not by the time of processing, so a day may be processed again, in any order, and nothing is
written a second time, while a scrape that was missed finds its place.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence

from shared.clock import Instant

# Rows change a few dozen times a day; older entries are forgotten, and then nothing older is news.
KEPT = 200
# 48 bits tell two neighbours apart.
_DIGITS = 12

Memory = tuple[str, ...]


def entry(at: Instant, content: str) -> str:
    """One moment of a memory. Texts of one length sort by time."""
    return f"{at:018d}:{content[:_DIGITS]}"


def is_news(memory: Sequence[str], at: Instant, content: str) -> bool:
    """Whether a row with ``content``, scraped at ``at``, says something the memory does not."""
    place = bisect.bisect_right(memory, f"{at:018d};")
    if place == 0:
        return len(memory) < KEPT
    return memory[place - 1].partition(":")[2] != content[:_DIGITS]


def remembered(memory: Sequence[str], at: Instant, content: str) -> Memory:
    """The memory with one more moment in it, the oldest dropped when there are too many."""
    moments = list(memory)
    moment = entry(at, content)
    place = bisect.bisect_left(moments, moment)
    if place == len(moments) or moments[place] != moment:
        moments.insert(place, moment)
    return tuple(moments[-KEPT:])
