"""From parsed markets to odds events: exact identity, exact day, one event, one game; or a reason not to.

No score takes part. The order of the input never matters: every rule looks at sets, and whatever is not
unique is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from shared.clock import HOUR, MINUTE, format_instant
from shared.mapping.events import EventIndex, Listed
from shared.mapping.parse import ParsedMarket

# Games of a doubleheader start three hours apart or more; a moved start is listed twice within less.
_DOUBLEHEADER_GAP = 2 * HOUR

# People and one-off pairs must be unique in this many days around the ticker's.
_LOOK_AROUND = 4

CERTAIN, CODES_ONLY, SHIFTED_DAY, PEOPLE_CODES = 0.999, 0.99, 0.97, 0.95


@dataclass(frozen=True, slots=True)
class Resolved:
    """The event of a market. ``away_first`` is whether the pair's first side is the feed's away side."""

    listed: Listed
    away_first: bool
    exact_day: bool
    confidence: float
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Why no event was chosen."""

    code: str
    reason: str


_Hit = tuple[Listed, bool]
_Game = tuple[str, str]


def resolve(markets: Sequence[ParsedMarket], index: EventIndex) -> list[Resolved | Unresolved]:
    """Resolve each market, then take back what two different games of one series claim."""
    memo: dict[tuple[object, ...], Resolved | Unresolved] = {}
    found: list[Resolved | Unresolved] = []
    for market in markets:
        key = _identity(market)
        if key not in memo:
            memo[key] = _resolve_game(market, index)
        found.append(memo[key])
    losers = _contested(markets, found)
    contested = Unresolved("contested", "another game of the series claims the same odds event")
    return [
        contested if (market.series.ticker, market.game) in losers else one
        for market, one in zip(markets, found, strict=True)
    ]


def _identity(market: ParsedMarket) -> tuple[object, ...]:
    """Everything the choice of an event depends on."""
    sides: object = market.people or market.teams
    return (market.series.league.name, market.game, sides, market.away_first, market.named)


def _contested(markets: Sequence[ParsedMarket], found: Sequence[Resolved | Unresolved]) -> set[_Game]:
    """Games of one series that claim one odds event. A day that fits exactly wins if it is the only one."""
    claims: dict[tuple[str, str], dict[str, bool]] = {}
    for market, one in zip(markets, found, strict=True):
        if isinstance(one, Resolved):
            claim = claims.setdefault((one.listed.event.id, market.series.ticker), {})
            claim[market.game] = claim.get(market.game, False) or one.exact_day
    losers: set[_Game] = set()
    for (_, series), games in claims.items():
        if len(games) > 1:
            exact = [game for game, fits in games.items() if fits]
            losers |= {(series, game) for game in games if exact != [game]}
    return losers


def _resolve_game(market: ParsedMarket, index: EventIndex) -> Resolved | Unresolved:
    league = market.series.league
    if not index.covers(league):
        return Unresolved("league_not_in_feed", f"the odds feed has no {league.name} event")
    hits = _people_hits(market, index) if market.people else _team_hits(market, index)
    if not hits:
        unusable = index.unusable(league)
        left_out = f"; not usable: {unusable}" if unusable else ""
        return Unresolved("no_event", f"no {league.name} event between these sides{left_out}")
    return _pick(market, hits)


def _team_hits(market: ParsedMarket, index: EventIndex) -> list[_Hit]:
    hits: dict[str, _Hit] = {}
    for first, second in market.teams:
        for listed in index.of_pair(market.series.league, first, second):
            hits[listed.event.id] = (listed, listed.away == first)
    return list(hits.values())


def _people_hits(market: ParsedMarket, index: EventIndex) -> list[_Hit]:
    assert market.people is not None  # noqa: S101 - the caller has looked
    first, second = market.people
    hits: list[_Hit] = []
    for listed in index.around(market.series.league, market.day, _LOOK_AROUND):
        straight = first.matches(listed.away_words) and second.matches(listed.home_words)
        crossed = first.matches(listed.home_words) and second.matches(listed.away_words)
        if straight != crossed:
            hits.append((listed, straight))
    return hits


# --- choosing ----------------------------------------------------------------------------------------------


def _pick(market: ParsedMarket, hits: list[_Hit]) -> Resolved | Unresolved:
    if market.people and len(hits) > 1:
        # A surname or a code may fit several people; the pair must be the only one of these days.
        return Unresolved("ambiguous", f"{len(hits)} odds events fit: {_named(hits)}")
    exact = [hit for hit in hits if fits(market, hit[0])]
    if len(exact) > 1 and market.number and market.starts_at is None:
        exact = _game_of_doubleheader(exact, market.number)
    elif len(exact) == 1 and market.number == 2 and market.starts_at is None:
        return Unresolved("doubleheader", "only one game of the doubleheader is listed")
    if len(exact) == 1:
        return _accept(market, exact[0], exact_day=True)
    if exact:
        return Unresolved("ambiguous", f"{len(exact)} odds events fit: {_named(exact)}")
    return _shifted(market, hits)


def fits(market: ParsedMarket, listed: Listed) -> bool:
    """Whether day and, where the ticker writes one, time agree."""
    minutes = market.series.league.clock_minutes
    if market.starts_at is not None and minutes:
        return abs(listed.starts_at - market.starts_at) <= minutes * MINUTE
    return listed.on(market.day)


def _game_of_doubleheader(hits: list[_Hit], number: int) -> list[_Hit]:
    ordered = sorted(hits, key=lambda hit: hit[0].starts_at)
    if len(ordered) == 2 and ordered[1][0].starts_at - ordered[0][0].starts_at >= _DOUBLEHEADER_GAP:
        return [ordered[number - 1]]
    return ordered


def _shifted(market: ParsedMarket, hits: list[_Hit]) -> Resolved | Unresolved:
    """A pair that meets once in these days may be listed a day off; pairs that play in series may not."""
    slack = market.series.league.slack_days
    near = [hit for hit in hits if days_apart(market.day, hit[0]) <= _LOOK_AROUND]
    if slack and len(near) == 1 and days_apart(market.day, near[0][0]) <= slack:
        return _accept(market, near[0], exact_day=False)
    nearest = min((hit[0] for hit in hits), key=lambda one: (days_apart(market.day, one), one.starts_at))
    code = "other_time" if nearest.on(market.day) else "other_day"
    start = format_instant(nearest.starts_at)
    return Unresolved(code, f"the sides meet at {start}, which is not what {market.game!r} says")


def days_apart(day: date, listed: Listed) -> int:
    """Days between ``day`` and the nearer of the event's Eastern days."""
    return min(abs((day - other).days) for other in (listed.day, listed.other_day) if other is not None)


def _accept(market: ParsedMarket, hit: _Hit, exact_day: bool) -> Resolved | Unresolved:
    listed, away_first = hit
    if market.away_first and not away_first:
        return Unresolved(
            "orientation",
            f"the feed lists {listed.event.home!r} at home, the ticker says the other way round",
        )
    return Resolved(
        listed, away_first, exact_day, _confidence(market, exact_day), _why(market, listed, exact_day)
    )


def _confidence(market: ParsedMarket, exact_day: bool) -> float:
    if market.people and not market.named:
        return PEOPLE_CODES
    if not exact_day:
        return SHIFTED_DAY
    return CERTAIN if market.named else CODES_ONLY


def _why(market: ParsedMarket, listed: Listed, exact_day: bool) -> tuple[str, ...]:
    day = (
        f"day {market.day} agrees" if exact_day else f"day {market.day} is one off, the only meeting near it"
    )
    event = listed.event
    return (
        f"{event.sport_key}: {event.away} at {event.home}, {format_instant(listed.starts_at)}",
        "start within the tolerance of the ticker's time" if market.starts_at and exact_day else day,
    )


def _named(hits: Iterable[_Hit]) -> str:
    return ", ".join(sorted(f"{hit[0].event.id} {format_instant(hit[0].starts_at)}" for hit in hits)[:4])
