"""One market read on its own: league, day, both sides and what YES asserts, or a refusal that says why.

A parsed market is independent of every other market and of the odds feed, so it can be cached by content.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from shared.clock import Instant
from shared.mapping.contract import Contract, read_contract
from shared.mapping.names import key
from shared.mapping.people import MIN_PERSON_CODE, Person, words_of
from shared.mapping.series import Series, Untradeable, classify
from shared.mapping.tables import LITERAL, TeamTable
from shared.mapping.ticker import MAX_TICKER, EventTicker, parse_event, split_series, splits, suffix_code
from shared.mapping.titles import (
    Pair,
    Rules,
    names_other_league,
    read_rules,
    read_sub_title,
    read_title,
)
from shared.messages import MarketListed
from shared.terms import MarketKind, MarketShape

_MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a market has no sportsbook event: a short stable code and a sentence."""

    code: str
    reason: str
    league: str = ""
    kind: MarketKind = MarketKind.OTHER


@dataclass(frozen=True, slots=True)
class ParsedMarket:
    """A game market taken apart.

    ``teams`` are the possible pairs of canonical ids in listing order, usually one; ``people`` takes its
    place in individual sports. ``away_first`` says that the first team must be the feed's away team.
    ``named`` tells whether a text named both sides or only the ticker's codes did.
    """

    ticker: str
    event_ticker: str
    series: Series
    game: str
    day: date
    starts_at: Instant | None
    number: int | None
    teams: tuple[tuple[str, str], ...]
    people: tuple[Person, Person] | None
    away_first: bool
    named: bool
    contract: Contract
    evidence: tuple[str, ...]


def parse(market: MarketListed) -> ParsedMarket | Refusal:
    """Read one market; never raises for any text the exchange may send."""
    if market.is_combo or market.event_ticker.startswith("KXMVE"):
        return Refusal("combo", "a combination of several games has no single event", kind=MarketKind.COMBO)
    if max(len(market.ticker), len(market.event_ticker)) > MAX_TICKER:
        return Refusal("bad_ticker", f"a ticker longer than {MAX_TICKER} characters is not one")
    head, rest = split_series(market.event_ticker, market.series_ticker)
    series = classify(head)
    if isinstance(series, Untradeable):
        return Refusal(series.code, series.reason, kind=series.kind)
    if market.shape is MarketShape.SCALAR:
        return _refuse(series, "scalar", "the market pays on a scale, not one dollar or nothing")
    event = parse_event(rest)
    if event is None:
        return _refuse(series, "no_game", f"event ticker {market.event_ticker!r} names no dated game")
    return _read(market, series, event)


def _refuse(series: Series, code: str, reason: str) -> Refusal:
    return Refusal(code, reason, series.league.name, series.row.kind)


def _read(market: MarketListed, series: Series, event: EventTicker) -> ParsedMarket | Refusal:
    rules = read_rules(market.rules_primary, series.league) if market.rules_primary else None
    for text in (market.rules_primary, market.title, market.event_title):
        if other := names_other_league(text, series.league):
            return _refuse(series, "other_league", f"the text speaks of a {other} game")
    event = _rescheduled(market, rules, event)
    clash = _clock_clash(rules, event)
    if clash:
        return _refuse(series, "dates_disagree", clash)
    pair = rules.pair if rules else _titled(market, series)
    read = _people if series.league.individual else _teams
    return read(market, series, event, pair, rules)


def _rescheduled(market: MarketListed, rules: Rules | None, event: EventTicker) -> EventTicker:
    """The event at its new time, when the market's own ticker and its rules both carry that time.

    After a reschedule the exchange lists new markets under the old event ticker.
    """
    _, rest = split_series(market.ticker, market.series_ticker)
    own = parse_event(rest.partition("-")[0])
    if own is None or rules is None or (own.day, own.codes) != (event.day, event.codes):
        return event
    return own if rules.minute is not None and rules.minute == own.minute else event


def _clock_clash(rules: Rules | None, event: EventTicker) -> str:
    if rules is None:
        return ""
    if rules.day is not None and rules.day != event.day:
        return f"the ticker says {event.day}, the rules {rules.day}"
    if rules.minute is None or event.minute is None or rules.minute == event.minute:
        return ""
    return f"the ticker says minute {event.minute} of the day, the rules {rules.minute}"


def _titled(market: MarketListed, series: Series) -> Pair | None:
    for text in (market.event_title, market.title):
        if text and (pair := read_title(text, series.league)):
            return pair
    return None


# --- teams -------------------------------------------------------------------------------------------------


def _teams(
    market: MarketListed, series: Series, event: EventTicker, pair: Pair | None, rules: Rules | None
) -> ParsedMarket | Refusal:
    table = series.league.teams
    by_code = _code_pairs(market, event, table)
    named = (table.canonical(pair.a), table.canonical(pair.b)) if pair else None
    if named and named[0] == named[1]:
        return _refuse(series, "same_team", f"both sides read as {named[0]!r}")
    candidates = _agree(named, by_code, strict=series.league.sport != "soccer")
    if not candidates:
        return _refuse(series, "sides_unproven", _why_unproven(pair, event, by_code))
    candidates = _with_stable_id(market, table, candidates)
    if not candidates:
        return _refuse(series, "stable_id", "the exchange's team id belongs to neither side")
    contract = read_contract(market, series, candidates, None, rules)
    evidence = _evidence(pair, rules, by_code)
    away_first = series.league.order == "away_home" or (pair is not None and pair.at)
    return _parsed(market, series, event, candidates, None, away_first, pair is not None, contract, evidence)


def _code_pairs(market: MarketListed, event: EventTicker, table: TeamTable) -> list[tuple[str, str]]:
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


def _agree(
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


def _why_unproven(pair: Pair | None, event: EventTicker, by_code: list[tuple[str, str]]) -> str:
    if pair and by_code:
        return f"the text says {pair.a!r} and {pair.b!r}, the ticker {event.codes!r} says otherwise"
    return f"no text names the teams and the codes {event.codes!r} are not both known"


def _with_stable_id(
    market: MarketListed, table: TeamTable, candidates: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    for kind, identity in market.custom_strike.items():
        team = table.by_id.get(identity) if kind.endswith("_team") else None
        if team is not None:
            candidates = tuple(pair for pair in candidates if team in pair)
    return candidates


# --- people ------------------------------------------------------------------------------------------------


def _people(
    market: MarketListed, series: Series, event: EventTicker, pair: Pair | None, rules: Rules | None
) -> ParsedMarket | Refusal:
    people = _named_people(market, pair) if pair else _coded_people(market, event)
    if people is None:
        return _refuse(series, "sides_unproven", f"no text names the competitors of {event.codes!r}")
    if people[0] == people[1]:
        return _refuse(series, "same_team", "both competitors read the same")
    contract = read_contract(market, series, (), people, rules)
    evidence = _evidence(pair, rules, [])
    return _parsed(market, series, event, (), people, False, pair is not None, contract, evidence)


def _named_people(market: MarketListed, pair: Pair) -> tuple[Person, Person] | None:
    """Both names; the market's own subject, given in full, replaces its surname in the title."""
    first, second = words_of(pair.a), words_of(pair.b)
    full = words_of(market.yes_sub_title)
    if full and (set(first) < set(full)) != (set(second) < set(full)):
        first, second = (full, second) if set(first) < set(full) else (first, full)
    return (Person(first), Person(second)) if first and second else None


def _coded_people(market: MarketListed, event: EventTicker) -> tuple[Person, Person] | None:
    """Codes alone: only when the market's suffix says where to cut, or six letters leave one way."""
    code = suffix_code(market.ticker, market.event_ticker)
    cuts = [cut for cut in splits(event.codes) if code in cut]
    if not cuts and len(event.codes) == 2 * MIN_PERSON_CODE:
        cuts = [(event.codes[:MIN_PERSON_CODE], event.codes[MIN_PERSON_CODE:])]
    return (Person((), cuts[0][0]), Person((), cuts[0][1])) if len(cuts) == 1 else None


# --- the result --------------------------------------------------------------------------------------------


def _evidence(pair: Pair | None, rules: Rules | None, by_code: list[tuple[str, str]]) -> tuple[str, ...]:
    notes = []
    if pair:
        notes.append(f"{'rules' if rules else 'title'} name {pair.a} and {pair.b}")
    if by_code:
        notes.append("ticker codes " + " / ".join(f"{one} and {other}" for one, other in by_code[:2]))
    return tuple(notes)


def _parsed(
    market: MarketListed,
    series: Series,
    event: EventTicker,
    teams: tuple[tuple[str, str], ...],
    people: tuple[Person, Person] | None,
    away_first: bool,
    named: bool,
    contract: Contract,
    evidence: tuple[str, ...],
) -> ParsedMarket:
    return ParsedMarket(
        market.ticker,
        market.event_ticker,
        series,
        event.game,
        event.day,
        event.starts_at,
        event.number,
        teams,
        people,
        away_first,
        named,
        contract,
        evidence,
    )
