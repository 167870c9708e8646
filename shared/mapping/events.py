"""Odds events arranged for exact lookup: by feed key and pair of canonical teams, and by day for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from shared.clock import MINUTE, Instant, eastern_day
from shared.mapping.names import beginnings
from shared.mapping.people import words_of
from shared.mapping.tables import LITERAL, League, league_of_sport_key
from shared.messages import OddsEvent

# A start within this of Eastern midnight belongs to both days: the feed lists a 00:00 game at 23:59.
_MIDNIGHT = 10 * MINUTE


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """An odds event with a start, its Eastern days, and its sides as one league reads them."""

    event: OddsEvent
    starts_at: Instant
    day: date
    other_day: date | None
    away: str = ""
    home: str = ""
    away_words: tuple[str, ...] = ()
    home_words: tuple[str, ...] = ()

    def on(self, day: date) -> bool:
        """Whether the event starts on Eastern ``day``."""
        return day in (self.day, self.other_day)


class EventIndex:
    """Every usable event, once. Events without a start or with one name on both sides are left out."""

    def __init__(self, events: Iterable[OddsEvent]) -> None:
        self._pairs: dict[tuple[str, str, str], list[Listed]] = {}
        self._people: dict[tuple[str, int], list[Listed]] = {}
        self._covered: set[str] = set()
        for event in _distinct(events):
            self._add(event)
        self._vague = self._vague_names()

    def _add(self, event: OddsEvent) -> None:
        if event.starts_at is None or not event.home or not event.away:
            return
        for league in league_of_sport_key(event.sport_key):
            self._covered.add(league.name)
            if league.individual:
                self._add_people(league, event, event.starts_at)
            else:
                self._add_teams(league, event, event.starts_at)

    def _add_teams(self, league: League, event: OddsEvent, starts_at: Instant) -> None:
        away, home = league.teams.canonical(event.away), league.teams.canonical(event.home)
        if away != home:
            listed = Listed(event, starts_at, *_days(starts_at), away, home)
            self._pairs.setdefault((league.name, *sorted((away, home))), []).append(listed)  # type: ignore[arg-type]

    def _add_people(self, league: League, event: OddsEvent, starts_at: Instant) -> None:
        away, home = words_of(event.away), words_of(event.home)
        if away and home and away != home:
            day, other = _days(starts_at)
            listed = Listed(event, starts_at, day, other, away_words=away, home_words=home)
            self._people.setdefault((league.name, day.toordinal()), []).append(listed)

    def _vague_names(self) -> frozenset[tuple[str, str]]:
        """Names without a table that begin another team's name in their league: "Paris" beside "Paris SG"."""
        names = {(league, name) for league, *pair in self._pairs for name in pair if name.startswith(LITERAL)}
        starts = {(league, start) for league, name in names for start in beginnings(name)}
        return frozenset(names & starts)

    def covers(self, league: League) -> bool:
        """Whether the feed lists any event of ``league``."""
        return league.name in self._covered

    def of_pair(self, league: League, one: str, other: str) -> Sequence[Listed]:
        """Events of ``league`` between two teams, in either order, on any day."""
        if (league.name, one) in self._vague or (league.name, other) in self._vague:
            return ()
        first, second = sorted((one, other))
        return self._pairs.get((league.name, first, second), ())

    def around(self, league: League, day: date, days: int) -> list[Listed]:
        """Events of an individual sport within ``days`` of ``day``."""
        middle = day.toordinal()
        found: list[Listed] = []
        for ordinal in range(middle - days, middle + days + 1):
            found += self._people.get((league.name, ordinal), ())
        return found


def _distinct(events: Iterable[OddsEvent]) -> list[OddsEvent]:
    """One event per id. Copies that disagree about anything that matters make the id unusable."""
    known: dict[str, OddsEvent | None] = {}
    for event in events:
        seen = known.setdefault(event.id, event)
        if seen is not None and not _same(seen, event):
            known[event.id] = None
    return [event for event in known.values() if event is not None]


def _same(one: OddsEvent, other: OddsEvent) -> bool:
    return (one.sport_key, one.home, one.away, one.starts_at) == (
        other.sport_key,
        other.home,
        other.away,
        other.starts_at,
    )


@lru_cache(maxsize=16384)
def _days(starts_at: Instant) -> tuple[date, date | None]:
    day = date.fromisoformat(eastern_day(starts_at))
    for shift in (-_MIDNIGHT, _MIDNIGHT):
        other = date.fromisoformat(eastern_day(Instant(starts_at + shift)))
        if other != day:
            return day, other
    return day, None
