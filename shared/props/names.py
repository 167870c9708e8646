"""Players by name: the key two venues' spellings share, and whom a name means among those in one game.

A bookmaker's feed names a player and nothing else, so a name decides only where it can mean one person of
that game: equal words, an initial, a known short form of a first name, or a middle name left out. Whatever
fits two people, or two people of one name, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from shared.mapping.names import tokens

_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "v"})
# The feed tells namesakes apart by a year of birth: "Max Muncy (2002)".
_QUALIFIER = re.compile(r"\(([^)]*)\)")

# First names and their usual short forms; each row stands for one name.
_SHORT_FORMS = (
    "alexander alex alexis lex", "alexandre alex", "andrew andy drew", "anthony tony ant", "benjamin ben",
    "bradley brad", "cameron cam", "carlton bub", "charles charlie chuck", "christopher chris",
    "daniel dan danny", "david dave davey", "dennis denny", "derrick derek", "donald don", "douglas doug",
    "edward ed eddie", "frederick fred freddie freddy", "gabriel gabe", "gregory greg", "herbert herb",
    "jacob jake", "james jim jimmy", "jeffrey jeff", "jonathan jon jonny", "joseph joe joey", "joshua josh",
    "kenneth ken kenny", "lawrence larry", "leonard leo len", "louis lou louie", "luis louis",
    "marcus mark", "matthew matt", "michael mike mikey", "mitchell mitch", "mohamed mo mohammed",
    "nathaniel nate nathan", "nicholas nick nico nicolas nicky", "nicolas nic", "patrick pat", "peter pete",
    "philip phil phillip", "raymond ray", "richard rich richie rick", "robert rob bob bobby robbie",
    "ronald ron ronnie", "samuel sam sammy", "stephen steph steve steven", "steven steve", "terrence terry",
    "theodore ted teddy", "thomas tom tommy", "timothy tim timmy", "victor vic", "vincent vince vinnie",
    "walter walt", "wendell wen", "william will bill billy willie", "zachary zach zack zac",
)  # fmt: skip
_FORMS: dict[str, frozenset[str]] = {}
for _row in _SHORT_FORMS:
    _names = frozenset(_row.split())
    for _name in _names:
        _FORMS[_name] = _FORMS.get(_name, frozenset()) | _names


@dataclass(frozen=True, slots=True)
class Name:
    """A name taken apart: words without suffix and qualifier, in lower case and without accents."""

    words: tuple[str, ...]
    suffix: str
    qualifier: str

    @property
    def key(self) -> str:
        """The words as one, which is how hyphens, blanks and initials stop to matter."""
        return "".join(self.words)


@lru_cache(maxsize=65_536)
def read_name(text: str) -> Name:
    """A shown name taken apart; without words for text that is no name."""
    qualifier = _QUALIFIER.search(text)
    words = tokens(_QUALIFIER.sub(" ", text))
    suffixes = [word for word in words if word in _SUFFIXES]
    kept = tuple(word for word in words if word not in _SUFFIXES)
    if not kept:
        return Name(words, "", "")
    return Name(kept, suffixes[0] if suffixes else "", qualifier[1].strip() if qualifier else "")


def lookup_key(text: str) -> str:
    """Comparable form of a player's name, e.g. ``shaigilgeousalexander``; empty if there is no name in it.

    Suffixes are left out, as every feed leaves them out at times; :func:`resolve` minds them where both
    names carry one.
    """
    return read_name(text).key


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a name means: one of the names asked about, or nobody and why."""

    name: str
    how: str


def resolve(name: str, among: Iterable[str]) -> Found:
    """The one of ``among`` that ``name`` means; ``Found.name`` is empty when it is nobody or not certain.

    Rules in order of strength; the first that fits anyone decides, and must fit one person only.
    """
    asked = read_name(name)
    people = [(other, read_name(other)) for other in dict.fromkeys(among)]
    for how, fits in _RULES:
        hits = [other for other, person in people if fits(asked, person)]
        if not hits:
            continue
        if len({read_name(other).qualifier for other in hits}) > 1:
            return Found("", "namesakes: " + " and ".join(sorted(hits)))
        hits = [other for other in hits if _may_be_one(asked, read_name(other))]
        if len(hits) > 1:
            exact = [other for other in hits if read_name(other).suffix == asked.suffix]
            hits = exact if len(exact) == 1 else hits
        if len(hits) == 1:
            return Found(hits[0], how)
        return Found("", "ambiguous: " + " or ".join(sorted(hits)) if hits else f"namesake: not {name!r}")
    return Found("", f"unknown_player: nobody called {name!r}")


def _may_be_one(one: Name, other: Name) -> bool:
    """Whether what sets namesakes apart agrees: suffixes where both have one, and qualifiers always."""
    apart = one.suffix and other.suffix and one.suffix != other.suffix
    return not apart and one.qualifier == other.qualifier


def _same_key(one: Name, other: Name) -> bool:
    return bool(one.words) and one.key == other.key


def _short_form(one: Name, other: Name) -> bool:
    if not (len(one.words) > 1 and len(other.words) > 1 and one.words[1:] == other.words[1:]):
        return False
    first, second = one.words[0], other.words[0]
    return first in _FORMS.get(second, ()) or second in _FORMS.get(first, ())


def _initial(one: Name, other: Name) -> bool:
    """``L. Doncic`` for Luka Doncic; never an initial for another initial's name."""
    if not (len(one.words) > 1 and len(other.words) > 1 and one.words[1:] == other.words[1:]):
        return False
    first, second = sorted((one.words[0], other.words[0]), key=len)
    return len(first) == 1 and len(second) > 1 and second.startswith(first)


def _left_out(one: Name, other: Name) -> bool:
    """A middle name or one of two surnames left out: every word of the shorter is in the longer."""
    short, long = sorted((one.words, other.words), key=len)
    if len(short) < 2 or len(short) == len(long) or not set(short) <= set(long):
        return False
    return short[0] == long[0]


_RULES: tuple[tuple[str, Callable[[Name, Name], bool]], ...] = (
    ("same name", _same_key),
    ("short form", _short_form),
    ("initial", _initial),
    ("name left out", _left_out),
)
