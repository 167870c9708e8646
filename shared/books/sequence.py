"""Message numbers of one subscription: whether the next message follows, repeats or reveals a loss.

The exchange numbers all messages of a subscription together, over every market in it and its replies, from 1.
"""

from __future__ import annotations

from enum import StrEnum


class Step(StrEnum):
    """How a message follows the one before."""

    NEXT = "next"
    REPEAT = "repeat"
    GAP = "gap"


class SequenceGuard:
    """Watches the numbers of one subscription. After a gap it goes on from the new number."""

    __slots__ = ("last",)

    def __init__(self, last: int | None = None) -> None:
        self.last = last

    def step(self, seq: int) -> Step:
        """Judge the next number. On GAP every book of the subscription must be marked and re-read."""
        last, self.last = self.last, seq if self.last is None else max(seq, self.last)
        if last is None or seq == last + 1:
            return Step.NEXT
        return Step.GAP if seq > last else Step.REPEAT
