"""When a prop is not decided by its count: the exchange's participation clauses beside the bookmakers' habit.

A bookmaker returns the stake when the player does not play. The exchange says in each contract's second rules
what it does, and that differs by sport: a fair price when a batter does not *start*, even if he comes in
later; a fair price only when a basketball player never takes the court. A contract whose clause is not
recognised has no certificate here: which side the difference hurts would be a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from shared.messages import PayoffDifference
from shared.money import Price

_FAIR = r"(?:will )?(?:resolves?|settles?) to (?:the|a) fair (?:market )?price"
_NO = r"(?:will )?(?:resolves?|settles?) to no\b"
_ABSENT = re.compile(
    r"(?:is scratched or|is not (?:in|included in) the (?:active|starting)|"
    r"does not (?:play|start|participate)|is active but never|never takes the|"
    r"is inactive|is not active|did not play)[^.\n]*?"
    rf"(?:(?P<fair>{_FAIR})|(?P<no>{_NO}))",
    re.IGNORECASE,
)
_SUBSTITUTE = re.compile(rf"is not [^.\n]*start[^.\n]*but later enters[^.\n]*?{_FAIR}", re.IGNORECASE)
_MINIMUM = re.compile(rf"starts the game but does not record [^.\n]*?{_FAIR}", re.IGNORECASE)
_POSTPONED = re.compile(r"postponed|rescheduled|cancelled", re.IGNORECASE)

# Upper estimates: announced line-ups decide most scratches before the market is worth a look.
_OUT, _SUBSTITUTED, _TOO_SHORT = 0.08, 0.02, 0.003
_PUT_OFF = {"baseball": 0.025, "basketball": 0.004, "football": 0.003, "hockey": 0.005}


@dataclass(frozen=True, slots=True)
class Participation:
    """What a contract pays when the player does not take part; ``problem`` says why that is not known."""

    absent: str = ""  # "fair" or "no"
    substitute: bool = False
    minimum: bool = False
    problem: str = ""


@lru_cache(maxsize=4096)
def read_participation(rules_secondary: str) -> Participation:
    """The participation clause of a contract's second rules."""
    match = _ABSENT.search(rules_secondary)
    if match is None:
        return Participation(problem="no clause says what happens when the player does not play")
    return Participation(
        "fair" if match["fair"] else "no",
        _SUBSTITUTE.search(rules_secondary) is not None,
        _MINIMUM.search(rules_secondary) is not None,
    )


def differences(sport: str, found: Participation) -> tuple[PayoffDifference, ...]:
    """States in which the exchange and a bookmaker pay differently on one player's count."""
    pays = None if found.absent == "fair" else Price(0)
    word = "settles at a fair price" if pays is None else "pays NO"
    states = [
        PayoffDifference(
            state="player_out", exchange_pays=pays, book_pays="void", probability=_OUT,
            note=f"the exchange {word} when the player does not take part; the bookmaker voids",
        ),
        PayoffDifference(
            state="postponed", exchange_pays=None, book_pays="void", probability=_PUT_OFF.get(sport, 0.01),
            note="a fair price when the game is put off for days; the bookmaker voids",
        ),
    ]  # fmt: skip
    if found.substitute:
        states.append(
            PayoffDifference(
                state="substitute", exchange_pays=None, book_pays="lose", probability=_SUBSTITUTED,
                note="who comes in later counts at the bookmaker, mostly under: a fair price here",
            )
        )  # fmt: skip
    if found.minimum:
        states.append(
            PayoffDifference(
                state="minimum_play", exchange_pays=None, book_pays="void", probability=_TOO_SHORT,
                note="starts and does not reach the least play: a fair price here, void at the bookmaker",
            )
        )  # fmt: skip
    return tuple(states)
