"""Contract text: every template of rules, titles and labels the exchange has used, read by anchored patterns.

What no pattern matches is not guessed at: the reader returns ``None`` and the caller abstains.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from shared.mapping.tables import League
from shared.mapping.ticker import MONTHS
from shared.terms import MarketKind

_DATED = re.compile(
    r"^If (?P<head>.+?) originally scheduled for (?P<mon>[A-Z][a-z]{2}) (?P<dd>\d{1,2}), (?P<yyyy>20\d\d)"
    r"(?: at (?P<h>\d{1,2}):(?P<m>\d\d) (?P<half>[AP])M E[DS]T)?(?P<tail>.*)$",
    re.DOTALL,
)
# Tennis rules name the tournament instead of a date.
_UNDATED = re.compile(r"^If (?P<head>.+? (?:match|fight|bout))\b(?P<tail>.*)$", re.DOTALL)
# A colon ends the pair unless the pair is still to come: "Game 5: New York at San Antonio".
_TITLE_END = re.compile(r"(?: [Ww]inner\?|\s*:(?!.* (?:vs\.?|at) ).*|(?: originally)? scheduled .*|\?)$")
_SUB_TITLE = re.compile(r"^(?P<a>[A-Z0-9]{2,6}) (?:vs|at) (?P<b>[A-Z0-9]{2,6})(?: \(|$)")
_TITLE_SUBJECT = re.compile(r"^(?:Will (?P<will>.+?) win the .*|(?P<wins>[^:]+?) wins)$")
_STARTS_OF_A = (" the ", " in ", ": ")
_NUMBER = r"(?P<line>\d+(?:\.\d+)?)"
_UNIT = r"(?:points|runs|goals|games)"
_REG_TIME = r"(?:Goal Diff Reg Time: |Reg Time: )?"

MAX_TEXT = 4000


@dataclass(frozen=True, slots=True)
class Pair:
    """Both competitors as a text names them, first one first; ``at`` when it says "A at B"."""

    a: str
    b: str
    at: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """``rules_primary`` taken apart: the claim before the date, and what follows it."""

    pair: Pair
    head: str
    tail: str
    day: date | None
    minute: int | None


@dataclass(frozen=True, slots=True)
class Claim:
    """What YES asserts: who, and over which line. ``subject`` is empty for a total."""

    subject: str
    line: float | None = None


def read_rules(rules: str, league: League) -> Rules | None:
    """Rules of a game market, ``None`` when they do not fit the league's template."""
    if len(rules) > MAX_TEXT:
        return None
    match = _DATED.match(rules) or (_UNDATED.match(rules) if league.individual else None)
    if match is None:
        return None
    pair = _pair(match["head"], league)
    if pair is None:
        return None
    found = match.groupdict()
    return Rules(pair, match["head"], match["tail"], _day(found), _minute(found))


@lru_cache(maxsize=16384)
def read_title(title: str, league: League) -> Pair | None:
    """Both competitors from a market or event title; ``None`` if it names no pair or another game."""
    if len(title) > MAX_TEXT:
        return None
    text = _TITLE_END.sub("", title)
    return _pair(text.rstrip(), league) if " vs " in text or " vs. " in text or " at " in text else None


def subject_of_title(title: str) -> str:
    """Who a winner's title is about: ``Will X win the ...`` or ``X wins``; empty if it does not say."""
    match = _TITLE_SUBJECT.match(title) if len(title) <= MAX_TEXT else None
    return (match["will"] or match["wins"]) if match else ""


def names_other_league(text: str, league: League) -> str:
    """The words by which ``text`` speaks of another league's game; empty if it does not."""
    if len(text) > MAX_TEXT:
        return ""
    return next((phrase for phrase in league.foreign_phrases() if f" {phrase} game" in text), "")


def read_sub_title(sub_title: str) -> tuple[str, str] | None:
    """Both ticker codes from an event sub-title such as ``CAR vs CLE (Sep 27)``."""
    match = _SUB_TITLE.match(sub_title)
    return (match["a"], match["b"]) if match else None


def _pair(text: str, league: League) -> Pair | None:
    for joiner in (" vs ", " vs. ", " at "):
        left, found, right = text.rpartition(joiner)
        if found:
            break
    else:
        return None
    for start in _STARTS_OF_A:
        left = left.rpartition(start)[2]
    name = _without_phrase(right, league)
    return Pair(left.strip(), name, joiner == " at ") if left.strip() and name else None


def _without_phrase(text: str, league: League) -> str | None:
    """Second competitor without "professional baseball game"; ``None`` if the words name another league."""
    match = league.phrase_pattern().match(text)
    if match:
        return match["name"].strip()
    return None if text.endswith((" game", " match", " fight")) else text.strip()


def _day(found: dict[str, str | None]) -> date | None:
    year, month, day = found.get("yyyy"), found.get("mon"), found.get("dd")
    if not (year and month and day):
        return None
    try:
        return date(int(year), MONTHS.index(month.upper()) + 1, int(day))
    except ValueError:
        return None


def _minute(found: dict[str, str | None]) -> int | None:
    """Minute of the Eastern day, e.g. 615 PM is 1095."""
    hour, minute, half = found.get("h"), found.get("m"), found.get("half")
    if not (hour and minute and half):
        return None
    return (int(hour) % 12 + (12 if half == "P" else 0)) * 60 + int(minute)


# --- what YES asserts --------------------------------------------------------------------------------------

_THE = r"^(?:the )?(?P<subject>.+?)"
_WINNER = (
    re.compile(r"^(?P<subject>Tie) is the result of "),
    # A full club name is a plural: "the Hamilton Tiger-Cats win the ...".
    re.compile(_THE + r" wins? (?:the )?(?:first 5 innings|\d\w\w (?:half|quarter|period)|.+ (?:vs\.?|at) )"),
)
_SPREAD = (re.compile(_THE + rf" wins (?:the game )?by more than {_NUMBER} {_UNIT} in the "),)
_TOTAL = (
    re.compile(rf"^(?:the teams|.+? and .+?) collectively score more (?:than )?{_NUMBER} {_UNIT} in the "),
    re.compile(rf"^over {_NUMBER} {_UNIT} are scored in the "),
)
_TOTAL_TAIL = re.compile(rf"^ collectively score more than {_NUMBER} {_UNIT},")
_TEAM_TOTAL = (re.compile(_THE + rf" scores (?:over )?{_NUMBER}(?P<plus>\+)? {_UNIT} in the "),)
_PROP = (
    re.compile(r"^(?P<subject>.+?) records (?:at least )?(?P<line>\d+)(?P<plus>\+) (?P<stat>.+?) in "),
    re.compile(r"^(?P<subject>.+?) scores the 1st (?:goal|touchdown) in "),
)
_RULE_PATTERNS: dict[MarketKind, tuple[re.Pattern[str], ...]] = {
    MarketKind.WINNER: _WINNER,
    MarketKind.THREE_WAY: _WINNER,
    MarketKind.SPREAD: _SPREAD,
    MarketKind.TOTAL: _TOTAL,
    MarketKind.TEAM_TOTAL: _TEAM_TOTAL,
    MarketKind.PLAYER_PROP: _PROP,
}

_LABEL_PATTERNS: dict[MarketKind, tuple[re.Pattern[str], ...]] = {
    MarketKind.SPREAD: (
        re.compile(rf"^{_REG_TIME}(?P<subject>.+?) wins (?:the game )?by (?:over|more than) {_NUMBER}\b"),
        re.compile(rf"^(?P<subject>.+?) -{_NUMBER} (?:first 5 innings|games)\b"),
    ),
    MarketKind.TOTAL: (re.compile(rf"^(?:.+: |Will there be )?[Oo]ver {_NUMBER}\b"),),
    MarketKind.TEAM_TOTAL: (
        re.compile(rf"^(?P<subject>.+?)(?: scores)?:? [Oo]ver {_NUMBER}\b"),
        re.compile(r"^(?P<subject>.+?)(?: scores|:) (?P<line>\d+)(?P<plus>\+)"),
    ),
    MarketKind.PLAYER_PROP: (
        re.compile(r"^Will (?P<subject>.+?) record (?P<line>\d+)(?P<plus>\+)"),
        re.compile(r"^(?P<subject>.+?)(?::| records) (?P<line>\d+)(?P<plus>\+)"),
        re.compile(r"^(?P<subject>.+?): (?:First Goalscorer|1st Touchdown)"),
    ),
}
_WINNER_LABEL = re.compile(rf"^{_REG_TIME}(?P<subject>.+?)(?: wins(?: first 5 innings)?)?$")


def claim_of_rules(kind: MarketKind, rules: Rules) -> Claim | None:
    """What YES asserts according to the rules."""
    if kind is MarketKind.TOTAL and (match := _TOTAL_TAIL.match(rules.tail)):
        return _claim(match)
    return _first(_RULE_PATTERNS.get(kind, ()), rules.head + " ")


def claim_of_label(kind: MarketKind, label: str) -> Claim | None:
    """What YES asserts according to ``yes_sub_title`` or ``title``."""
    if len(label) > MAX_TEXT:
        return None
    if kind in (MarketKind.WINNER, MarketKind.THREE_WAY):
        match = _WINNER_LABEL.match(label)
        return Claim(match["subject"]) if match else None
    return _first(_LABEL_PATTERNS.get(kind, ()), label)


def _first(patterns: tuple[re.Pattern[str], ...], text: str) -> Claim | None:
    for pattern in patterns:
        if match := pattern.match(text):
            return _claim(match)
    return None


def _claim(match: re.Match[str]) -> Claim:
    """A claim from a match; ``3+`` is the same as over 2.5."""
    found = match.groupdict()
    line = float(found["line"]) if found.get("line") else None
    if line is not None and found.get("plus"):
        line -= 0.5
    return Claim((found.get("subject") or "").strip(), line)
