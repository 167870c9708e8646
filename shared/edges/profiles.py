"""Profiles: how much net edge a trader asks for, and above which edge nobody believes it.

Every threshold is in dollars per contract, *net of fees*.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.terms import Profile

# A pre-game price 12c from a consensus of books is a wrong mapping, a stale quote or news we have not heard.
# In the recorded same-instant captures of both venues the largest true net edge is below 3c.
TOO_GOOD = 0.12


@dataclass(frozen=True, slots=True)
class ProfileRule:
    """Band of acceptable net edge, dollars per contract, and what the books must bring."""

    min_net_edge: float
    max_net_edge: float = TOO_GOOD
    min_books: int = 3
    min_confidence: float = 0.0


RULES: dict[Profile, ProfileRule] = {
    Profile.CONSERVATIVE: ProfileRule(0.06, min_books=5, min_confidence=60.0),
    Profile.STANDARD: ProfileRule(0.05, min_books=4, min_confidence=50.0),
    Profile.AGGRESSIVE: ProfileRule(0.03, min_confidence=40.0),
    Profile.VERY_AGGRESSIVE: ProfileRule(0.02),
    Profile.ANY_EDGE: ProfileRule(0.01),
    Profile.SCALP: ProfileRule(0.02, max_net_edge=0.06, min_confidence=40.0),
}
