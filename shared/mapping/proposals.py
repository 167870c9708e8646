"""Aliases for a person to judge: names and codes no table knows, with the team each may mean and why.

A fuzzy score orders the proposals and nothing else. Nothing here changes what the mapper does: an accepted
proposal is a line someone adds to a team table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from shared.mapping.events import EventIndex, Listed
from shared.mapping.parse import ParsedMarket, parse
from shared.mapping.series import Series, classify
from shared.mapping.similarity import similarity
from shared.mapping.tables import LITERAL, League, Team, league_of_sport_key, load_teams
from shared.mapping.ticker import parse_event, split_series, suffix_code
from shared.mapping.titles import Pair, read_rules, read_title
from shared.messages import MarketListed, OddsEvent

COLUMNS = ("league", "column", "alias", "team", "score", "times", "seen", "support")

# Below this a proposal is noise: two random club names score about 40.
_MIN_SCORE = 60.0
_PER_ALIAS = 3


@dataclass(frozen=True, slots=True)
class Proposal:
    """``alias`` may belong in ``column`` (kalshi, codes or odds) of ``team``'s row; without a team, of none.

    ``score`` is 0 to 100, 100 when the same market says so itself; ``seen`` the first ticker or event it was
    met in, ``times`` how often, ``support`` what speaks for it beside the letters.
    """

    league: str
    column: str
    alias: str
    team: str
    score: float
    times: int
    seen: str
    support: str


@dataclass(slots=True)
class _Sighting:
    seen: str
    times: int = 0
    support: str = ""


_Key = tuple[str, str, str]  # league, column, alias


def propose(markets: Sequence[MarketListed], events: Sequence[OddsEvent]) -> list[Proposal]:
    """Proposals for every unknown name and code of the leagues that have a team table, best first."""
    by_name = {league.name: league for event in events for league in league_of_sport_key(event.sport_key)}
    unknown: dict[_Key, _Sighting] = {}
    coded: dict[tuple[_Key, str], _Sighting] = {}
    index = EventIndex(events)
    for market in markets:
        found = _series(market)
        if found is not None:
            by_name[found.league.name] = found.league
            _note_names(market, found, index, unknown)
            _note_code(market, found.league, coded)
    for event in events:
        _note_feed(event, unknown)
    proposals = [one for key, sighting in unknown.items() for one in _alike(by_name[key[0]], key, sighting)]
    proposals += [
        Proposal(*key, team, 100.0, sighting.times, sighting.seen, sighting.support)
        for (key, team), sighting in coded.items()
    ]
    return sorted(proposals, key=lambda one: (one.league, one.column, one.alias, -one.score, one.team))


def _series(market: MarketListed) -> Series | None:
    found = classify(split_series(market.event_ticker, market.series_ticker)[0])
    return found if isinstance(found, Series) and found.league.tables else None


def _pair(market: MarketListed, league: League) -> Pair | None:
    rules = read_rules(market.rules_primary, league) if market.rules_primary else None
    if rules is not None:
        return rules.pair
    texts = (market.event_title, market.title)
    return next((pair for text in texts if text and (pair := read_title(text, league))), None)


def _note(known: dict[_Key, _Sighting], key: _Key, seen: str, support: str = "") -> None:
    sighting = known.setdefault(key, _Sighting(seen))
    sighting.times += 1
    sighting.support = sighting.support or support


def _note_names(
    market: MarketListed, series: Series, index: EventIndex, unknown: dict[_Key, _Sighting]
) -> None:
    pair = _pair(market, series.league)
    if pair is None:
        return
    for name, other in ((pair.a, pair.b), (pair.b, pair.a)):
        if series.league.teams.canonical(name).startswith(LITERAL):
            opponent = series.league.teams.canonical(other)
            support = _opponent_of(opponent, market, series.league, index)
            _note(unknown, (series.league.name, "kalshi", name), market.ticker, support)


def _opponent_of(team: str, market: MarketListed, league: League, index: EventIndex) -> str:
    """Whom the feed lists against the known side that day: the strongest hint there is."""
    parsed = parse(market)
    if team.startswith(LITERAL) or not isinstance(parsed, ParsedMarket):
        return ""
    against = [_other(one, team) for one in index.of_league(league) if one.on(parsed.day)]
    named = sorted(one for one in against if one)
    return f"{team} plays {named[0].removeprefix(LITERAL)} that day in the feed" if len(named) == 1 else ""


def _other(listed: Listed, team: str) -> str:
    return listed.home if listed.away == team else listed.away if listed.home == team else ""


def _note_code(market: MarketListed, league: League, coded: dict[tuple[_Key, str], _Sighting]) -> None:
    """A winner market's suffix is the code of the team in its label."""
    code = suffix_code(market.ticker, market.event_ticker)
    team = league.teams.canonical(market.yes_sub_title)
    event = parse_event(split_series(market.event_ticker, market.series_ticker)[1])
    if not code or team.startswith(LITERAL) or event is None or code not in event.codes:
        return
    if team not in league.teams.codes(code):
        key = (league.name, "codes", code)
        support = f"the label of the market is {market.yes_sub_title}"
        coded.setdefault((key, team), _Sighting(market.ticker, 0, support)).times += 1


def _note_feed(event: OddsEvent, unknown: dict[_Key, _Sighting]) -> None:
    for league in league_of_sport_key(event.sport_key):
        if not league.tables:
            continue
        for name in (event.away, event.home):
            if name and league.teams.canonical(name).startswith(LITERAL):
                _note(unknown, (league.name, "odds", name), event.id)


def _alike(league: League, key: _Key, sighting: _Sighting) -> Iterator[Proposal]:
    scored = sorted(
        ((_score(key[2], team), team.name) for table in league.tables for team in load_teams(table)),
        key=lambda pair: (-pair[0], pair[1]),
    )
    likely = [pair for pair in scored[:_PER_ALIAS] if pair[0] >= _MIN_SCORE]
    for score, team in likely or [(0.0, "")]:
        yield Proposal(*key, team, round(score, 1), sighting.times, sighting.seen, sighting.support)


def _score(alias: str, team: Team) -> float:
    return max(_one_score(alias, name) for name in (team.name, *team.kalshi, *team.odds))


def _one_score(alias: str, name: str) -> float:
    """The mean of two ratios: each alone calls half a name the whole of it, or misses a turned one."""
    found = similarity(alias, name)
    return (found.token_sort + found.weighted) / 2


def rows(proposals: Iterable[Proposal]) -> Iterator[tuple[str, ...]]:
    """Cells in the order of :data:`COLUMNS`."""
    for one in proposals:
        yield tuple(str(getattr(one, column)) for column in COLUMNS)
