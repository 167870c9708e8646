"""Closing-line value: what the last fair price before the start says about the price paid.

The close must come from books that were not the input of the trade, and from before the start.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from shared.errors import MalformedError


@dataclass(frozen=True, slots=True)
class ClosingValue:
    """Value in dollars per contract, as a return on the all-in cost, and in log-odds."""

    probability: float
    roi: float
    log_odds: float


def closing_value(all_in: float, close_fair: float) -> ClosingValue:
    """Closing-line value of a contract bought at ``all_in`` dollars, fee included.

    ``close_fair`` is the closing fair probability of the side bought. Both must lie between 0 and 1.
    """
    for value in (all_in, close_fair):
        if not 0 < value < 1:
            raise MalformedError(f"closing value: {value!r} is not between 0 and 1")
    gained = close_fair - all_in
    moved = math.log(close_fair / (1 - close_fair)) - math.log(all_in / (1 - all_in))
    return ClosingValue(gained, gained / all_in, moved)
