"""Who plays: team pairs that text and ticker prove together, and people as fully as the texts name them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shared.mapping.names import key
from shared.mapping.people import MIN_PERSON_CODE, Person, words_of
from shared.mapping.series import Series
from shared.mapping.tables import LITERAL, TeamTable
from shared.mapping.ticker import EventTicker, splits, suffix_code
from shared.mapping.titles import (
    Pair,
    Rules,
    claim_of_label,
    claim_of_rules,
    read_sub_title,
    subject_of_title,
)
from shared.messages import MarketListed
from shared.terms import MarketKind


def code_pairs(market: MarketListed, event: EventTicker, table: TeamTable) -> list[tuple[str, str]]:
    """Every pair of teams the ticker's codes can mean, in listing order."""
    stated = read_sub_title(market.event_sub_title)
    cuts = [stated] if stated else splits(event.codes)
    code = suffix_code(market.ticker, market.event_ticker)
    hinted = [cut for cut in cuts if code in cut]
    return [
        (first, second)
        for one, other in hinted or cuts
        for first in sorted(table.codes(one))
        for second in sorted(table.codes(other))
        if first != second
    ]


def agree(
    named: tuple[str, str] | None, by_code: list[tuple[str, str]], strict: bool
) -> tuple[tuple[str, str], ...]:
    """Pairs that text and ticker both allow.

    Club codes are reused across soccer, and a name outside the tables may share a code with a team inside:
    there the text alone decides.
    """
    if named is None or not by_code:
        return tuple(by_code) if named is None else (named,)
    fits = tuple(named_as for codes in by_code for named_as in _consistent(named, codes))
    if fits:
        return tuple(dict.fromkeys(fits))
    return () if strict and not any(map(_is_unknown, named)) else (named,)


def _consistent(named: tuple[str, str], codes: tuple[str, str]) -> list[tuple[str, str]]:
    """``codes`` in the order of the text, if each name can be the team its code means, one of them surely."""
    return [
        pair
        for pair in (codes, codes[::-1])
        if all(_can_be(name, team) for name, team in zip(named, pair, strict=True))
        and not all(map(_is_unknown, named))
    ]


def _is_unknown(name: str) -> bool:
    return name.startswith(LITERAL)


def _can_be(name: str, team: str) -> bool:
    """A name outside the table is completed by a code only to a team that carries all its words."""
    return name == team or (
        _is_unknown(name) and set(name.removeprefix(LITERAL).split()) <= set(key(team).split())
    )


def why_unproven(pair: Pair | None, event: EventTicker, by_code: list[tuple[str, str]]) -> str:
    """The reason when no pair of teams is left."""
    if pair and by_code:
        return f"the text says {pair.a!r} and {pair.b!r}, the ticker {event.codes!r} says otherwise"
    return f"no text names the teams and the codes {event.codes!r} are not both known"


def with_stable_id(
    market: MarketListed, table: TeamTable, candidates: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Pairs that hold every team whose stable id the market carries."""
    for kind, identity in market.custom_strike.items():
        team = table.by_id.get(identity) if kind.endswith("_team") else None
        if team is not None:
            candidates = tuple(pair for pair in candidates if team in pair)
    return candidates


# --- people ------------------------------------------------------------------------------------------------


def subjects(market: MarketListed, series: Series, rules: Rules | None) -> Iterator[str]:
    """Whom the market's texts call its subject, as fully as they name anyone."""
    kind = series.row.kind
    claims = [claim_of_label(kind, market.yes_sub_title), claim_of_rules(kind, rules) if rules else None]
    yield from (claim.subject for claim in claims if claim is not None)
    yield subject_of_title(market.title)
    if kind is MarketKind.OTHER:
        yield market.yes_sub_title


def named_people(pair: Pair, subjects: Iterable[str]) -> tuple[Person, Person] | None:
    """Both names; a subject given in full replaces its surname in the title."""
    first, second = words_of(pair.a), words_of(pair.b)
    for subject in subjects:
        full = words_of(subject)
        if full and (set(first) < set(full)) != (set(second) < set(full)):
            first, second = (full, second) if set(first) < set(full) else (first, full)
    return (Person(first), Person(second)) if first and second else None


def coded_people(market: MarketListed, event: EventTicker) -> tuple[Person, Person] | None:
    """Codes alone: only when the market's suffix says where to cut, or six letters leave one way."""
    code = suffix_code(market.ticker, market.event_ticker)
    cuts = [cut for cut in splits(event.codes) if code in cut]
    if not cuts and len(event.codes) == 2 * MIN_PERSON_CODE:
        cuts = [(event.codes[:MIN_PERSON_CODE], event.codes[MIN_PERSON_CODE:])]
    return (Person((), cuts[0][0]), Person((), cuts[0][1])) if len(cuts) == 1 else None
