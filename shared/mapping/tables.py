"""What is known about leagues and teams: the one place that loads the packaged tables and checks them.

Tables are CSV files under ``data``; lists inside a cell are separated by ``|``. Every alias leads to one
team of its league; an explicit alias that would lead to two raises :class:`MalformedError` when loaded.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from shared.errors import MalformedError
from shared.mapping.names import beginnings, club_key, key
from shared.money import Price, parse_price
from shared.terms import MarketKind, Period

INDIVIDUAL_SPORTS = frozenset({"tennis", "mma", "boxing"})

# A team name no table knows still equals itself: the prefix keeps such ids apart from canonical ones.
LITERAL = "~"


@dataclass(frozen=True, slots=True)
class Team:
    """One row of a team table. ``codes`` are ticker codes, ``ids`` the exchange's stable ids."""

    name: str
    nickname: str
    kalshi: tuple[str, ...]
    codes: tuple[str, ...]
    odds: tuple[str, ...]
    ids: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class TeamTable:
    """Teams of one league, reachable by name, ticker code and stable id."""

    by_name: dict[str, str]
    by_code: dict[str, frozenset[str]]
    by_id: dict[str, str]
    clubs: bool

    def canonical(self, name: str) -> str:
        """Id of the team called ``name``; a name outside the table is its own id."""
        plain = key(name)
        found = self.by_name.get(plain)
        if found is not None or not self.clubs:
            return found or LITERAL + plain
        short = club_key(name)
        return self.by_name.get(short) or LITERAL + (short or plain)

    def codes(self, code: str) -> frozenset[str]:
        """Teams that ``code`` can mean; empty when the table does not know it."""
        return self.by_code.get(code, frozenset())


@dataclass(frozen=True, slots=True, eq=False)
class League:
    """A competition: how its tickers are built and which odds feed keys carry it.

    ``order`` is what the first team of a listing is: ``away_home`` (and the feed must agree) or ``either``.
    ``slack_days`` is how far the feed's day may be from the ticker's when the pair meets once;
    ``clock_minutes`` how far the feed's start may be from a ticker's time of day.
    """

    name: str
    stems: tuple[str, ...]
    sport: str
    gender: str
    tables: tuple[str, ...]
    odds_keys: tuple[str, ...]
    order: str
    slack_days: int
    clock_minutes: int
    phrases: tuple[str, ...]

    @property
    def individual(self) -> bool:
        """Whether the competitors are people."""
        return self.sport in INDIVIDUAL_SPORTS

    @property
    def teams(self) -> TeamTable:
        """The league's team table; empty for leagues known by name rules alone."""
        return _team_table(self.tables, self.sport == "soccer")

    def carries(self, sport_key: str) -> bool:
        """Whether the odds feed's ``sport_key`` can list this league's games."""
        return any(matches_key(sport_key, pattern) for pattern in self.odds_keys)

    def foreign_phrases(self) -> tuple[str, ...]:
        """Words that would put a game into another league of the same sport."""
        return _foreign_phrases(self)

    def phrase_pattern(self) -> re.Pattern[str]:
        """Splits ``Denver Pro Football game`` into the team and the words that name the league."""
        return _phrase_pattern(self.phrases)


@dataclass(frozen=True, slots=True)
class KindRow:
    """What a series suffix means in one sport. ``market`` is the odds feed's key, empty if it has none."""

    kind: MarketKind
    period: Period
    statistic: str
    market: str
    overtime: str


@dataclass(frozen=True, slots=True)
class StateRow:
    """A state in which exchange and bookmaker pay differently, with an upper estimate of its probability."""

    sport: str
    league: str
    kinds: frozenset[str]
    state: str
    exchange_pays: Price | None
    book_pays: str
    probability: float
    note: str


def _rows(path: str) -> list[dict[str, str]]:
    text = resources.files("shared.mapping").joinpath("data").joinpath(path).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


_TEAM_COLUMNS = ("name", "nickname", "kalshi", "codes", "odds", "ids", "source")


def _cells(value: str) -> tuple[str, ...]:
    return tuple(part for part in value.split("|") if part)


@lru_cache(maxsize=64)
def load_teams(table: str) -> tuple[Team, ...]:
    """Rows of one packaged team table."""
    return tuple(_team(row) for row in _rows(f"teams/{table}.csv"))


def read_teams(text: str) -> tuple[Team, ...]:
    """Rows of a team table given as text; raises :class:`MalformedError` for other columns or a torn row."""
    reader = csv.DictReader(io.StringIO(text))
    if tuple(reader.fieldnames or ()) != _TEAM_COLUMNS:
        raise MalformedError(f"team table: the columns must be {','.join(_TEAM_COLUMNS)}")
    rows = list(reader)
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise MalformedError(f"team table: line {number} has not {len(_TEAM_COLUMNS)} cells")
    return tuple(_team(row) for row in rows)


def _team(row: dict[str, str]) -> Team:
    return Team(
        row["name"],
        row["nickname"],
        _cells(row["kalshi"]),
        _cells(row["codes"]),
        _cells(row["odds"]),
        _cells(row["ids"]),
        row["source"],
    )


def _stated_names(team: Team) -> Iterable[str]:
    yield team.name
    yield from team.kalshi
    yield from team.odds


def _derived_keys(team: Team, clubs: bool) -> set[str]:
    """Forms nobody wrote down: "DET Lions", and a club without its FC.

    The caller drops those that are not unique or begin another name: Los Angeles is not Los Angeles FC.
    """
    derived = {key(f"{code} {team.nickname}") for code in team.codes} if team.nickname else set()
    if clubs:
        derived |= {club_key(name) for name in _stated_names(team)}
    return derived - {""}


@lru_cache(maxsize=64)
def _team_table(tables: tuple[str, ...], clubs: bool) -> TeamTable:
    teams = [team for table in tables for team in load_teams(table)]
    by_name = _unique("name", ((key(name), team.name) for team in teams for name in _stated_names(team)))
    derived: dict[str, set[str]] = {}
    by_code: dict[str, set[str]] = {}
    for team in teams:
        for form in _derived_keys(team, clubs):
            derived.setdefault(form, set()).add(team.name)
        for code in team.codes:
            by_code.setdefault(code, set()).add(team.name)
    starts = {start for stated in by_name for start in beginnings(stated)}
    for form, names in derived.items():
        if len(names) == 1 and form not in starts:
            by_name.setdefault(form, next(iter(names)))
    by_id = _unique("id", ((identity, team.name) for team in teams for identity in team.ids))
    return TeamTable(by_name, {code: frozenset(names) for code, names in by_code.items()}, by_id, clubs)


def _unique(what: str, pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    known: dict[str, str] = {}
    for alias, team in pairs:
        if known.setdefault(alias, team) != team:
            raise MalformedError(f"team tables: {what} {alias!r} means {known[alias]!r} and {team!r}")
    return known


@lru_cache(maxsize=128)
def _phrase_pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    if any(phrase.startswith("*") for phrase in phrases):
        raise MalformedError("league table: a phrase that starts with * would swallow words of the team")
    words = "|".join(re.escape(phrase).replace(r"\*", r".*?") for phrase in phrases)
    return re.compile(rf"^(?P<name>.+?) (?:{words}) (?:game|match|fight|bout)$", re.IGNORECASE)


@lru_cache(maxsize=128)
def _foreign_phrases(league: League) -> tuple[str, ...]:
    others = {phrase for other in leagues() if other.sport == league.sport for phrase in other.phrases}
    return tuple(
        sorted(
            p for p in others if "*" not in p and not any(p.lower() in own.lower() for own in league.phrases)
        )
    )


@lru_cache(maxsize=1)
def leagues() -> tuple[League, ...]:
    """Every league the mapper knows."""
    return tuple(
        League(
            row["league"],
            _cells(row["stems"]),
            row["sport"],
            row["gender"],
            _cells(row["tables"]),
            _cells(row["odds_keys"]),
            row["order"],
            int(row["slack_days"]),
            int(row["clock_minutes"]),
            _cells(row["phrases"]),
        )
        for row in _rows("leagues.csv")
    )


@lru_cache(maxsize=1)
def kinds() -> dict[tuple[str, str], KindRow]:
    """Meaning of ``(sport, series suffix)``."""
    return {
        (row["sport"], row["suffix"]): KindRow(
            MarketKind(row["kind"]),
            Period(row["period"]),
            row["statistic"],
            row["market"],
            row["overtime"],
        )
        for row in _rows("suffixes.csv")
    }


@lru_cache(maxsize=1)
def states() -> tuple[StateRow, ...]:
    """States in which the two venues pay differently."""
    return tuple(
        StateRow(
            row["sport"],
            row["league"],
            frozenset(_cells(row["kinds"])),
            row["state"],
            parse_price(row["exchange_pays"]) if row["exchange_pays"] else None,
            row["book_pays"],
            float(row["probability"]),
            row["note"],
        )
        for row in _rows("states.csv")
    )


@lru_cache(maxsize=1024)
def league_of_sport_key(sport_key: str) -> tuple[League, ...]:
    """Leagues that the odds feed's ``sport_key`` can carry (UFC and other MMA share one)."""
    return tuple(league for league in leagues() if league.carries(sport_key))


def matches_key(sport_key: str, pattern: str) -> bool:
    """Whether a feed key is meant by a key of ours; ``tennis_atp_*`` means every tournament of the tour."""
    return sport_key.startswith(pattern[:-1]) if pattern.endswith("*") else sport_key == pattern
