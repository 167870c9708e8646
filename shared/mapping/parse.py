"""One market read on its own: league, day, both sides and what YES asserts, or a refusal that says why.

A parsed market is independent of every other market and of the odds feed, so it can be cached by content.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from shared.clock import Instant
from shared.mapping.contract import Contract, read_contract
from shared.mapping.people import Person
from shared.mapping.series import Series, Untradeable, classify
from shared.mapping.sides import (
    agree,
    code_pairs,
    coded_people,
    named_people,
    subjects,
    why_unproven,
    with_stable_id,
)
from shared.mapping.ticker import MAX_TICKER, EventTicker, parse_event, split_series
from shared.mapping.titles import (
    Pair,
    Rules,
    names_other_league,
    read_rules,
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
    head, _ = split_series(market.event_ticker, market.series_ticker)
    series = classify(head)
    if isinstance(series, Untradeable):
        return Refusal(series.code, series.reason, kind=series.kind)
    return parse_as(market, series)


def parse_as(market: MarketListed, series: Series) -> ParsedMarket | Refusal:
    """Read one market of a series that is known; for series whose meaning was found elsewhere."""
    if max(len(market.ticker), len(market.event_ticker)) > MAX_TICKER:
        return Refusal("bad_ticker", f"a ticker longer than {MAX_TICKER} characters is not one")
    _, rest = split_series(market.event_ticker, market.series_ticker)
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
    by_code = code_pairs(market, event, table)
    named = (table.canonical(pair.a), table.canonical(pair.b)) if pair else None
    if named and named[0] == named[1]:
        return _refuse(series, "same_team", f"both sides read as {named[0]!r}")
    candidates = agree(named, by_code, strict=series.league.sport != "soccer")
    if not candidates:
        return _refuse(series, "sides_unproven", why_unproven(pair, event, by_code))
    candidates = with_stable_id(market, table, candidates)
    if not candidates:
        return _refuse(series, "stable_id", "the exchange's team id belongs to neither side")
    contract = read_contract(market, series, candidates, None, rules)
    evidence = _evidence(pair, rules, by_code)
    away_first = series.league.order == "away_home" or (pair is not None and pair.at)
    return _parsed(market, series, event, candidates, None, away_first, pair is not None, contract, evidence)


# --- people ------------------------------------------------------------------------------------------------


def _people(
    market: MarketListed, series: Series, event: EventTicker, pair: Pair | None, rules: Rules | None
) -> ParsedMarket | Refusal:
    people = named_people(pair, subjects(market, series, rules)) if pair else coded_people(market, event)
    if people is None:
        return _refuse(series, "sides_unproven", f"no text names the competitors of {event.codes!r}")
    if people[0] == people[1]:
        return _refuse(series, "same_team", "both competitors read the same")
    contract = read_contract(market, series, (), people, rules)
    evidence = _evidence(pair, rules, [])
    return _parsed(market, series, event, (), people, False, pair is not None, contract, evidence)


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
