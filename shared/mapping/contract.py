"""What YES asserts: the subject and the line, read from strike, rules and label, which must agree.

A contract that cannot be read keeps its ``problem``; the market may still be mapped, but gets no certificate.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.mapping.people import Person, same_person, words_of
from shared.mapping.series import Series
from shared.mapping.ticker import suffix_code
from shared.mapping.titles import Claim, Rules, claim_of_label, claim_of_rules
from shared.messages import MarketListed
from shared.terms import MarketKind, Period, StrikeType

DRAW = "Draw"
_DRAW_WORDS = frozenset({"Tie", "Reg Time: Tie", "Draw"})

# Which side of the pair a contract is about; the second is 1.
FIRST, NEITHER = 0, -1

_LINED = frozenset({MarketKind.SPREAD, MarketKind.TOTAL, MarketKind.TEAM_TOTAL, MarketKind.PLAYER_PROP})
_SIDED = frozenset({MarketKind.WINNER, MarketKind.THREE_WAY, MarketKind.SPREAD, MarketKind.TEAM_TOTAL})
_WINNERS = frozenset({MarketKind.WINNER, MarketKind.THREE_WAY})
_NO_LINE_STATISTICS = frozenset({"first goal", "first touchdown"})

_PART = re.compile(
    r"1st half|2nd half|\dst quarter|\d(?:nd|rd|th) quarter|\d\w\w period|first 5 innings|\d\w\w inning"
)
_PART_OF_PERIOD: dict[Period, str] = {
    Period.FIRST_HALF: "1st half",
    Period.SECOND_HALF: "2nd half",
    Period.FIRST_QUARTER: "1st quarter",
    Period.SECOND_QUARTER: "2nd quarter",
    Period.THIRD_QUARTER: "3rd quarter",
    Period.FOURTH_QUARTER: "4th quarter",
    Period.FIRST_PERIOD: "1st period",
    Period.SECOND_PERIOD: "2nd period",
    Period.THIRD_PERIOD: "3rd period",
    Period.FIRST_FIVE_INNINGS: "first 5 innings",
}


@dataclass(frozen=True, slots=True)
class Contract:
    """Subject and line of YES.

    ``side`` is the index of the team in the pair (``NEITHER`` for totals, draws and players), ``subject``
    the draw or the player's name, ``line`` the value that must be exceeded. ``problem`` is empty when the
    contract is understood.
    """

    side: int = NEITHER
    subject: str = ""
    line: float | None = None
    problem: str = ""
    from_text: bool = False


def read_contract(
    market: MarketListed,
    series: Series,
    teams: tuple[tuple[str, str], ...],
    people: tuple[Person, Person] | None,
    rules: Rules | None,
) -> Contract:
    """The contract of a market whose sides are known."""
    kind = series.row.kind
    if len(teams) > 1:
        return Contract(problem="the ticker can be read as more than one pair")
    if market.rules_primary and rules is None:
        return Contract(problem="no template fits the rules")
    if rules and _PART_OF_PERIOD.get(series.row.period, "") != _part(rules):
        return Contract(problem=f"the rules are about {_part(rules) or 'the whole game'!r}")
    claims = _claims(market, kind, rules)
    if rules and kind in _LINED | _SIDED and claim_of_rules(kind, rules) is None:
        return Contract(problem="no template fits the claim in the rules")
    line, problem = _line(market, series, claims, rules)
    if problem:
        return Contract(problem=problem)
    return _subject(market, series, teams, people, claims, line)


def _part(rules: Rules) -> str:
    match = _PART.search(rules.head)
    return match[0] if match else ""


def _claims(market: MarketListed, kind: MarketKind, rules: Rules | None) -> list[Claim]:
    claims = [claim_of_rules(kind, rules)] if rules else []
    if market.yes_sub_title:
        claims.append(claim_of_label(kind, market.yes_sub_title))
    if market.title and (kind not in _WINNERS or market.title.endswith(" wins")):
        claims.append(claim_of_label(kind, market.title))
    return [claim for claim in claims if claim is not None]


def _line(
    market: MarketListed, series: Series, claims: list[Claim], rules: Rules | None
) -> tuple[float | None, str]:
    """The line and a problem. Strike and every number in the text must say the same."""
    if series.row.kind not in _LINED or series.row.statistic in _NO_LINE_STATISTICS:
        return None, ""
    strike, problem = strike_line(market)
    if problem:
        return None, problem
    stated = {claim.line for claim in claims if claim.line is not None}
    if len(stated | ({strike} - {None})) > 1:
        return None, f"the text says {sorted(stated)}, the strike {strike}"
    if strike is None and not (rules and stated):
        return None, "no strike and no rules give the line"
    line = strike if strike is not None else stated.pop()
    return (line, "") if line % 1 == 0.5 else (None, f"line {line} can push")


def strike_line(market: MarketListed) -> tuple[float | None, str]:
    """Line of the strike fields and a problem. ``greater`` needs a half point, ``greater_or_equal`` none.

    Props carry ``structured`` with the half-point line in ``floor_strike``; they read as ``greater``.
    """
    floor = market.floor_strike
    if floor is None:
        return None, ""
    if market.cap_strike is not None:
        return None, "a strike with an upper bound is not an over"
    if market.strike_type in (StrikeType.GREATER, StrikeType.STRUCTURED) and floor % 1 == 0.5:
        return floor, ""
    if market.strike_type is StrikeType.GREATER_OR_EQUAL and floor % 1 == 0:
        return floor - 0.5, ""
    return None, f"strike {market.strike_type.value!r} {floor} is not a known over"


# --- subject -----------------------------------------------------------------------------------------------


def _subject(
    market: MarketListed,
    series: Series,
    teams: tuple[tuple[str, str], ...],
    people: tuple[Person, Person] | None,
    claims: list[Claim],
    line: float | None,
) -> Contract:
    kind = series.row.kind
    if kind is MarketKind.TOTAL:
        return Contract(line=line, from_text=bool(claims))
    if kind is MarketKind.PLAYER_PROP:
        return _player(claims, line)
    if kind not in _SIDED:
        return Contract(problem=f"{series.row.statistic or kind.value} has no bookmaker counterpart")
    sides = [_side_of(claim.subject, series, teams, people) for claim in claims]
    code = suffix_code(market.ticker, market.event_ticker)
    if code == "TIE" and people is None:  # as a player's code it is the start of a surname
        sides.append(DRAW)
    elif code:
        sides.append(_side_of_code(code, series, teams, people))
    return _agreed(sides, line, kind, bool(claims))


def _agreed(sides: list[int | str | None], line: float | None, kind: MarketKind, from_text: bool) -> Contract:
    known = {side for side in sides if side is not None}
    if len(known) != 1:
        return Contract(
            problem="the subject is unknown" if not known else "text and ticker name different subjects"
        )
    side = known.pop()
    if isinstance(side, str):
        if kind is not MarketKind.THREE_WAY:
            return Contract(problem="a tie is not an outcome of a two-way market")
        return Contract(subject=DRAW, from_text=from_text)
    return Contract(side=side, line=line, from_text=from_text)


def _player(claims: list[Claim], line: float | None) -> Contract:
    names = {words_of(claim.subject): claim.subject for claim in claims if claim.subject}
    if len(names) != 1:
        return Contract(
            problem="the player is not named" if not names else "the texts name different players"
        )
    return Contract(subject=next(iter(names.values())), line=line, from_text=True)


def _side_of(
    subject: str, series: Series, teams: tuple[tuple[str, str], ...], people: tuple[Person, Person] | None
) -> int | str | None:
    if subject in _DRAW_WORDS:
        return DRAW
    if people:
        words = words_of(subject)
        hits = [i for i, person in enumerate(people) if person.words and same_person(person.words, words)]
        return hits[0] if len(hits) == 1 else None
    team = series.league.teams.canonical(subject)
    return teams[0].index(team) if team in teams[0] else None


def _side_of_code(
    code: str, series: Series, teams: tuple[tuple[str, str], ...], people: tuple[Person, Person] | None
) -> int | str | None:
    if people:
        hits = [i for i, person in enumerate(people) if person.code == code]
    else:
        meant = series.league.teams.codes(code)
        hits = [i for i, team in enumerate(teams[0]) if team in meant]
    return hits[0] if len(hits) == 1 else None
