"""Names as keys: how text of two venues is reduced to something that can be compared for equality.

Nothing here scores or guesses. Two names either have the same key or they are different names.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Letters that Unicode does not decompose into a base letter and an accent.
_LETTERS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ı": "i",
        "&": " and ",
    }
)
_DROPPED = re.compile(r"['’‘`´ʻ.]")
_SPLIT = re.compile(r"[^a-z0-9]+")

# One spelling for words that both venues abbreviate at will ("Iowa St.", "Iowa State"; "Saint Mary's").
_WORDS = {"state": "st", "saint": "st", "univ": "university"}

# Words that say "club" and tell no two clubs of one competition apart.
_CLUB_WORDS = frozenset(
    "ac ad afc as bk ca cd cf cfc cp fc ff fk fsv if kf nk".split()  # noqa: SIM905 - reads as a list of words
    + "rc rcd sc sd sk ss ssc sv tsg tsv ud us usl vfb vfl".split()  # noqa: SIM905
)

MAX_NAME = 120


@lru_cache(maxsize=65536)
def tokens(name: str) -> tuple[str, ...]:
    """Lower-case words of ``name`` without accents and punctuation; empty for text too long to be a name."""
    if len(name) > MAX_NAME:
        return ()
    text = name.casefold().translate(_LETTERS)
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    words = _SPLIT.split(_DROPPED.sub("", text))
    return tuple(_WORDS.get(word, word) for word in words if word)


@lru_cache(maxsize=65536)
def key(name: str) -> str:
    """The comparable form of a team name."""
    return " ".join(tokens(name))


def beginnings(plain: str) -> list[str]:
    """Every shorter key that ``plain`` starts with, word by word."""
    words = plain.split(" ")
    return [" ".join(words[:count]) for count in range(1, len(words))]


@lru_cache(maxsize=65536)
def club_key(name: str) -> str:
    """The comparable form of a football club without words such as FC; empty when nothing else is left."""
    return " ".join(word for word in tokens(name) if word not in _CLUB_WORDS)
