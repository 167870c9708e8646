"""Bookmakers' lines on players: a main over/under of each book, alternates that often show one side only.

Names are the feed's own (no accents, no suffix). A scratched player's lines go; in play there are none.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from shared.clock import Instant
from shared.simulator.players import Athlete, Form, Squad, feed_name

Json = dict[str, Any]

# Recorded alternates of these books had both sides; everybody else showed the over alone.
_BOTH_SIDES = frozenset({"fanduel", "pinnacle", "betonlineag", "lowvig"})
_EXTRA_MARGIN = 0.02
_ALTERNATE = "_alternate"
_OFFSETS = (-2, -1, 1, 2)


def player_outcomes(
    squad: Squad, book: str, margin: float, market: str, at: Instant, shift_of: Callable[[Athlete], float]
) -> list[Json]:
    """Outcomes of one book's player market as it stood at ``at``; ``price`` is a probability, margin in it.

    ``shift_of`` is the book's opinion of an athlete, in logits.
    """
    wanted, alternate = market.removesuffix(_ALTERNATE), market.endswith(_ALTERNATE)
    rows: list[Json] = []
    for athlete in squad.athletes:
        form = athlete.at(at)
        out = athlete.scratched_at is not None and at >= athlete.scratched_at
        if athlete.prop.market != wanted or out or form.played > 0:
            continue
        main = main_line(form, athlete)
        lines = [main + offset * _spread(athlete) for offset in _OFFSETS] if alternate else [main]
        for line in lines:
            if line > 0:
                one_sided = alternate and book not in _BOTH_SIDES
                rows += _both(athlete, form, line, shift_of(athlete), margin + _EXTRA_MARGIN, one_sided)
    return rows


def main_line(form: Form, athlete: Athlete) -> float:
    """The half-point line nearest to even."""
    shape, least = athlete.prop.shape, 1
    while form.at_least(least + 1, shape) >= 0.5:
        least += 1
    above, below = form.at_least(least, shape), form.at_least(least + 1, shape)
    return least - 0.5 if abs(above - 0.5) <= abs(below - 0.5) else least + 0.5


def _spread(athlete: Athlete) -> int:
    """Distance between alternate lines."""
    return max(1, athlete.prop.step)


def _both(
    athlete: Athlete, form: Form, line: float, shift: float, margin: float, one_sided: bool
) -> list[Json]:
    chance = form.at_least(math.floor(line) + 1, athlete.prop.shape)
    bounded = min(max(chance, 1e-4), 1 - 1e-4)
    over = 1 / (1 + math.exp(-math.log(bounded / (1 - bounded)) - shift))
    prices = [over * (1 + margin), (1 - over) * (1 + margin)][: 1 if one_sided else 2]
    if not all(0.004 < price < 0.985 for price in prices):
        return []
    about = {"description": feed_name(athlete.name), "point": line}
    return [{"name": n, "price": price, **about} for n, price in zip(("Over", "Under"), prices, strict=False)]
