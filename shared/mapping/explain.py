"""One decision told step by step: what was read, which events were looked at, and why each was not it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.clock import Instant, format_instant
from shared.errors import MalformedError
from shared.mapping.contract import NEITHER
from shared.mapping.events import EventIndex, Listed
from shared.mapping.mapper import map_markets
from shared.mapping.parse import ParsedMarket, Refusal, parse
from shared.mapping.resolve import days_apart, fits
from shared.mapping.series import Series, classify
from shared.mapping.ticker import parse_event, split_series, splits
from shared.mapping.titles import read_rules, read_title
from shared.messages import Certificate, MappingDecided, MarketListed, OddsEvent
from shared.money import MICROS

_MAX_CANDIDATES = 12
_NEAR_DAYS = 4


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name and what it found, line by line."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """All steps in order, and the decision they led to."""

    steps: tuple[Step, ...]
    decision: MappingDecided


def explain(
    ticker: str, markets: Sequence[MarketListed], events: Sequence[OddsEvent], now: Instant | None = None
) -> Explanation:
    """How the market called ``ticker`` is decided among all ``markets``; raises :class:`MalformedError`.

    The others take part because two games of one series may claim one event.
    """
    market = next((one for one in markets if one.ticker == ticker), None)
    if market is None:
        raise MalformedError(f"{ticker}: no such market among the {len(markets):,} that were read")
    peers = [one for one in markets if one.series_ticker == market.series_ticker]
    decision = map_markets(peers, events, now)[peers.index(market)]
    parsed = parse(market)
    steps = [
        Step("series", _series(market)),
        Step("ticker", _ticker(market)),
        Step("text", _text(market)),
        Step("sides", _sides(parsed)),
    ]
    if isinstance(parsed, ParsedMarket):
        steps.append(Step("contract", _contract(parsed)))
        steps.append(Step("candidates", _candidates(parsed, EventIndex(events))))
    steps.append(Step("decision", _decision(decision)))
    if decision.certificate is not None:
        steps.append(Step("certificate", _certificate(decision.certificate)))
        steps.append(Step("payoff differences", _differences(decision.certificate)))
    return Explanation(tuple(steps), decision)


# --- what was read -----------------------------------------------------------------------------------------


def _series(market: MarketListed) -> tuple[str, ...]:
    name, _ = split_series(market.event_ticker, market.series_ticker)
    found = classify(name)
    if not isinstance(found, Series):
        return (f"{name}: {found.code}, {found.reason}",)
    row, league = found.row, found.league
    return (
        f"{name}: {league.name} ({league.sport}), {row.kind} of {row.period}, {row.statistic or 'result'}",
        f"bookmaker market {row.market or 'none'}, overtime {row.overtime}",
        f"feed keys {', '.join(league.odds_keys)}; listing order {league.order.replace('_', ' then ')}",
    )


def _ticker(market: MarketListed) -> tuple[str, ...]:
    name, rest = split_series(market.event_ticker, market.series_ticker)
    event = parse_event(rest)
    if event is None:
        return (f"{market.event_ticker!r} names no dated game",)
    lines = [f"day {event.day} (US Eastern), codes {event.codes}"]
    if event.starts_at is not None:
        lines.append(f"start {format_instant(event.starts_at)}")
    if event.number is not None:
        lines.append(f"game {event.number} of a doubleheader")
    found = classify(name)
    if isinstance(found, Series) and not found.league.individual:
        lines += _cuts(found, event.codes)
    return tuple(lines)


def _cuts(series: Series, codes: str) -> list[str]:
    table = series.league.teams
    read = [
        f"{one} + {other}: {_either(table.codes(one))} and {_either(table.codes(other))}"
        for one, other in splits(codes)
        if table.codes(one) and table.codes(other)
    ]
    return read or ["no cut of the codes gives two known teams"]


def _either(teams: frozenset[str]) -> str:
    return " or ".join(sorted(teams))


def _text(market: MarketListed) -> tuple[str, ...]:
    name, _ = split_series(market.event_ticker, market.series_ticker)
    found = classify(name)
    lines = []
    for field in ("rules_primary", "event_title", "title", "yes_sub_title", "event_sub_title"):
        text = getattr(market, field)
        if text:
            lines.append(f"{field}: {text[:300]}")
    if isinstance(found, Series):
        lines += _pairs(market, found)
    return tuple(lines) or ("no text, the ticker alone must prove the sides",)


def _pairs(market: MarketListed, series: Series) -> list[str]:
    lines = []
    if market.rules_primary:
        rules = read_rules(market.rules_primary, series.league)
        told = f"{rules.pair.a} and {rules.pair.b}, day {rules.day}" if rules else "no template fits"
        lines.append(f"rules read as: {told}")
    for text in (market.event_title, market.title):
        if text and (pair := read_title(text, series.league)):
            lines.append(f"title read as: {pair.a} and {pair.b}")
            break
    return lines


def _sides(parsed: ParsedMarket | Refusal) -> tuple[str, ...]:
    if isinstance(parsed, Refusal):
        return (f"refused: {parsed.code}: {parsed.reason}",)
    if parsed.people:
        return (f"{' and '.join(_competitors(parsed))}, in either order",)
    order = "first is the away side" if parsed.away_first else "either may be at home"
    return tuple(f"{first} and {second}, {order}" for first, second in parsed.teams)


def _contract(parsed: ParsedMarket) -> tuple[str, ...]:
    contract = parsed.contract
    if contract.problem:
        return (f"not understood: {contract.problem}",)
    who = contract.subject if contract.side == NEITHER else _competitors(parsed)[contract.side]
    line = "" if contract.line is None else f", value over {contract.line:g}"
    return (f"YES is about {who or 'both sides together'}{line}",)


def _competitors(parsed: ParsedMarket) -> tuple[str, ...]:
    if parsed.people is None:
        return parsed.teams[0]
    return tuple(" ".join(person.words) or f"code {person.code}" for person in parsed.people)


# --- candidates --------------------------------------------------------------------------------------------


def _candidates(parsed: ParsedMarket, index: EventIndex) -> tuple[str, ...]:
    league = parsed.series.league
    if not index.covers(league):
        return (f"the odds feed has no {league.name} event",)
    held = index.of_league(league)
    near = [one for one in held if _is_near(parsed, one)]
    near.sort(key=lambda one: (-_shared_sides(parsed, one), days_apart(parsed.day, one), one.starts_at))
    lines = [f"{_told(one)}: {why_not(parsed, one) or 'fits'}" for one in near[:_MAX_CANDIDATES]]
    if len(near) > _MAX_CANDIDATES:
        lines.append(f"and {len(near) - _MAX_CANDIDATES} more")
    if unusable := index.unusable(league):
        lines.append(f"not usable: {unusable}")
    return (f"{len(held)} {league.name} events in the feed, {len(near)} looked at", *lines)


def _is_near(parsed: ParsedMarket, listed: Listed) -> bool:
    """Both sides on any day, one side in the days around, anything on the day itself."""
    days = days_apart(parsed.day, listed)
    shared = _shared_sides(parsed, listed)
    return days == 0 or shared == 2 or (shared == 1 and days <= _NEAR_DAYS)


def why_not(parsed: ParsedMarket, listed: Listed) -> str:
    """Why ``listed`` is not the event of a market, empty if day, time, sides and orientation agree."""
    shared = _shared_sides(parsed, listed)
    if shared < 2:
        return "one side is another" if shared else "other sides"
    if not fits(parsed, listed):
        days = days_apart(parsed.day, listed)
        if days == 0:
            return "the day agrees, the time does not"
        slack = parsed.series.league.slack_days
        return f"{days} day(s) off" + (f", {slack} allowed if it is the only meeting" if slack else "")
    if parsed.away_first and not any(listed.away == first for first, _ in parsed.teams):
        return "home and away are the other way round"
    return ""


def _shared_sides(parsed: ParsedMarket, listed: Listed) -> int:
    """How many of the market's sides the event has: 0, 1 or 2."""
    if parsed.people is None:
        return max(len({listed.away, listed.home} & set(pair)) for pair in parsed.teams)
    first, second = parsed.people
    straight = first.matches(listed.away_words) + second.matches(listed.home_words)
    crossed = first.matches(listed.home_words) + second.matches(listed.away_words)
    return max(straight, crossed)


def _told(listed: Listed) -> str:
    event = listed.event
    return f"{event.id[:12]} {event.away} at {event.home}, {format_instant(listed.starts_at)}"


# --- the result --------------------------------------------------------------------------------------------


def _decision(decision: MappingDecided) -> tuple[str, ...]:
    if not decision.odds_event_id:
        return (f"refused: {decision.reason}",)
    tradeable = "may be priced" if decision.selection else "may not be priced: the certificate refuses"
    return (f"mapped to {decision.odds_event_id}, confidence {decision.confidence:.3f}, {tradeable}",)


def _certificate(certificate: Certificate) -> tuple[str, ...]:
    line = "none" if certificate.line is None else f"over {certificate.line:g}"
    return (
        f"verdict: {certificate.verdict}",
        f"game: {certificate.odds_event_id}, {' at '.join(certificate.sides)}, {certificate.day}",
        f"subject: {certificate.subject or 'both sides'}",
        f"kind and period: {certificate.kind}, {certificate.period}",
        f"line: {line}",
        f"overtime: {certificate.overtime}",
        *(f"evidence: {proof}" for proof in certificate.evidence),
        f"contract text: {certificate.rules_digest}",
    )


def _differences(certificate: Certificate) -> tuple[str, ...]:
    return tuple(
        f"{state.state}: exchange pays {_paid(state.exchange_pays)}, book {state.book_pays}, "
        f"at most {100 * state.probability:.2f} % ({state.note})"
        for state in certificate.differences
    ) or ("none",)


def _paid(price: int | None) -> str:
    return "a fair price" if price is None else f"${price / MICROS:.2f}"
