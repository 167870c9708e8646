"""The knowledge files checked line by line: no alias may lead to two teams of one league and gender.

Loading a table stops at the first contradiction; this finds all of them and says where each comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from shared.errors import MalformedError
from shared.mapping.names import key
from shared.mapping.tables import League, Team, kinds, league_of_sport_key, leagues, load_teams, states
from shared.terms import MarketKind


def problems(replaced: Mapping[str, Sequence[Team]] | None = None) -> list[str]:
    """Every contradiction in the knowledge files, as sentences that name file, alias and teams.

    ``replaced`` are tables to check in place of the packaged ones of the same name; a new name is checked
    alone. Raises nothing: a file that cannot be read is itself a problem.
    """
    given = dict(replaced or {})
    found: list[str] = []
    try:
        known = leagues()
        found += _of_leagues(known)
        found += _of_rules()
    except (MalformedError, ValueError, KeyError) as exc:
        return [f"leagues, suffixes or states: {exc}"]
    packaged = {table for league in known for table in league.tables}
    tables = {name: given[name] if name in given else load_teams(name) for name in packaged | given.keys()}
    for name in sorted(tables):
        found += [f"{name}.csv: {text}" for text in _of_table(name, tables[name])]
    for league in known:
        found += [f"{league.name}: {text}" for text in _across(league.tables, tables)]
    return list(dict.fromkeys(found))


def _of_table(name: str, teams: Sequence[Team]) -> Iterator[str]:
    seen: set[str] = set()
    for team in teams:
        if not team.name:
            yield "a row has no team name"
        elif key(team.name) in seen:
            yield f"{team.name!r} has two rows"
        seen.add(key(team.name))
        if not team.source:
            yield f"{team.name!r} does not say where it was seen"
        for alias in (*team.kalshi, *team.odds):
            if not key(alias):
                yield f"{team.name!r}: alias {alias!r} has no letter or digit to compare"
    yield from _clashes("name", _names(teams))
    yield from _clashes("id", ((one, team.name) for team in teams for one in team.ids))
    if not name.startswith("soccer"):  # club codes are reused across countries, text decides there
        yield from _clashes("code", ((one, team.name) for team in teams for one in team.codes))


def _across(tables: Sequence[str], held: Mapping[str, Sequence[Team]]) -> Iterator[str]:
    """Clashes between the tables that one league joins."""
    teams = [team for table in tables for team in held[table]]
    yield from _clashes("name", _names(teams))
    yield from _clashes("id", ((one, team.name) for team in teams for one in team.ids))


def _names(teams: Iterable[Team]) -> Iterator[tuple[str, str]]:
    for team in teams:
        for alias in (team.name, *team.kalshi, *team.odds):
            yield key(alias), team.name


def _clashes(what: str, pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    known: dict[str, str] = {}
    for alias, team in pairs:
        if alias and known.setdefault(alias, team) != team:
            yield f"{what} {alias!r} means {known[alias]!r} and {team!r}"


def _of_leagues(known: Sequence[League]) -> Iterator[str]:
    yield from _clashes("series stem", ((stem, league.name) for league in known for stem in league.stems))
    for league in known:
        if not league.odds_keys:
            yield f"leagues.csv: {league.name} has no feed key"
        for sport_key in league.odds_keys:
            genders = {one.gender for one in league_of_sport_key(sport_key.rstrip("*")) if one.gender}
            if len(genders) > 1:
                yield f"leagues.csv: feed key {sport_key!r} carries men and women"


def _of_rules() -> Iterator[str]:
    for (sport, suffix), row in kinds().items():
        if row.market and row.kind in (MarketKind.OTHER, MarketKind.EXTRA_INNINGS):
            yield f"suffixes.csv: {sport} {suffix} names bookmaker market {row.market!r} but is {row.kind}"
    for state in states():
        if not 0 < state.probability <= 1 or not state.note:
            yield f"states.csv: {state.sport} {state.state} needs a probability and a note"
