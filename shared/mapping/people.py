"""People by name: whether a name or a ticker code can be the competitor an odds event lists.

Rules, not scores: every word of the shorter name must be a word of the longer one, the surname among them.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.mapping.names import tokens

_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})

# The exchange never codes a person with fewer letters: Ann Li is ANN.
MIN_PERSON_CODE = 3


@dataclass(frozen=True, slots=True)
class Person:
    """A competitor as the exchange gives it: a name, or only the ticker code."""

    words: tuple[str, ...]
    code: str = ""

    def matches(self, listed: tuple[str, ...]) -> bool:
        """Whether this can be the person listed with these words."""
        if not self.words:
            return code_matches(self.code, listed)
        return same_person(self.words, listed)


def is_pair(name: str) -> bool:
    """Whether a competitor is two people: a doubles team is no candidate for a singles market."""
    return "/" in name or "&" in name or " and " in name


def words_of(name: str) -> tuple[str, ...]:
    """Words of a person's name without Jr. and the like."""
    words = tokens(name)
    return tuple(word for word in words if word not in _SUFFIXES) or words


def same_person(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Equal names, a surname alone, an initial for a first name, or a name without one of its surnames."""
    if not one or not other:
        return False
    if sorted(one) == sorted(other):
        return True
    short, long = sorted((one, other), key=len)
    if len(short) == 1:
        # "Wang" may stand for "Xinyu Wang"; a first name alone stands for nobody.
        return len(short[0]) > 1 and short[0] in (long[1:] or long)
    if set(short) <= set(long):
        return short[0] == long[0] or short[-1] == long[-1]
    return len(short[0]) == 1 and short[0] == long[0][0] and short[1:] == long[1:]


def code_matches(code: str, listed: tuple[str, ...]) -> bool:
    """Whether ``code`` starts a part of the name (``VAN``: Van Assche) or is initial plus surname."""
    letters = code.lower()
    if len(letters) < MIN_PERSON_CODE:
        return False
    if any("".join(listed[i:]).startswith(letters) for i in range(len(listed))):
        return True
    return len(letters) > MIN_PERSON_CODE and any(
        listed[0][0] == letters[0] and "".join(listed[i:]).startswith(letters[1:])
        for i in range(1, len(listed))
    )
