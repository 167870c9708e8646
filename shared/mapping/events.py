"""Odds events arranged for exact lookup: by feed key and pair of canonical teams, and by day for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from shared.clock import MINUTE, Instant, eastern_day
from shared.mapping.names import beginnings
from shared.mapping.people import is_pair, words_of
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
    """Every usable event, once; ``left_out`` has every other by its id, with the reason."""

    def __init__(self, events: Iterable[OddsEvent]) -> None:
        self._pairs: dict[tuple[str, str, str], list[Listed]] = {}
        self._people: dict[tuple[str, int], list[Listed]] = {}
        self._unusable: dict[str, str] = {}
        distinct, self.left_out = _distinct(events)
        for event in distinct:
            self._add(event)
        listed = (*distinct, *(event for event, _ in self.left_out.values()))
        self._covered = {one.name for event in listed for one in league_of_sport_key(event.sport_key)}
        self._vague = self._vague_names()

    def _add(self, event: OddsEvent) -> None:
        leagues = league_of_sport_key(event.sport_key)
        if not leagues:
            self._leave_out(event, f"sport {event.sport_key!r} belongs to no league of ours")
        elif not event.home or not event.away:
            self._leave_out(event, "it does not name two sides")
        elif event.starts_at is None:
            self._leave_out(event, "it has no start")
        else:
            for league in leagues:
                add = self._add_people if league.individual else self._add_teams
                add(league, event, event.starts_at)

    def _leave_out(self, event: OddsEvent, reason: str) -> None:
        self.left_out[event.id] = (event, reason)

    def _add_teams(self, league: League, event: OddsEvent, starts_at: Instant) -> None:
        away, home = league.teams.canonical(event.away), league.teams.canonical(event.home)
        if away == home:
            self._leave_out(event, f"both sides read as {away!r}")
            return
        listed = Listed(event, starts_at, *_days(starts_at), away, home)
        self._pairs.setdefault((league.name, *sorted((away, home))), []).append(listed)  # type: ignore[arg-type]

    def _add_people(self, league: League, event: OddsEvent, starts_at: Instant) -> None:
        if is_pair(event.away) or is_pair(event.home):
            self._leave_out(event, "it names a doubles team")
            return
        away, home = words_of(event.away), words_of(event.home)
        if not away or not home or away == home:
            self._leave_out(event, "it does not name two people")
            return
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

    def unusable(self, league: League) -> str:
        """Which events of ``league`` were left out and why; empty if none was."""
        if league.name not in self._unusable:
            named = [f"{one} ({why})" for one, (event, why) in self.left_out.items() if _is_of(league, event)]
            self._unusable[league.name] = ", ".join(named[:3]) + (" and more" if len(named) > 3 else "")
        return self._unusable[league.name]

    def of_pair(self, league: League, one: str, other: str) -> Sequence[Listed]:
        """Events of ``league`` between two teams, in either order, on any day."""
        if (league.name, one) in self._vague or (league.name, other) in self._vague:
            return ()
        first, second = sorted((one, other))
        return self._pairs.get((league.name, first, second), ())

    def of_league(self, league: League) -> list[Listed]:
        """Every usable event of ``league``, earliest first."""
        held = [
            listed
            for groups in (self._pairs, self._people)
            for key, events in groups.items()
            if key[0] == league.name
            for listed in events
        ]
        return sorted(held, key=lambda listed: (listed.starts_at, listed.event.id))

    def around(self, league: League, day: date, days: int) -> list[Listed]:
        """Events of an individual sport within ``days`` of ``day``."""
        middle = day.toordinal()
        found: list[Listed] = []
        for ordinal in range(middle - days, middle + days + 1):
            found += self._people.get((league.name, ordinal), ())
        return found


def _is_of(league: League, event: OddsEvent) -> bool:
    return league in league_of_sport_key(event.sport_key)


def _distinct(events: Iterable[OddsEvent]) -> tuple[list[OddsEvent], dict[str, tuple[OddsEvent, str]]]:
    """One event per id, and the ids whose copies disagree about anything that matters."""
    known: dict[str, OddsEvent] = {}
    left_out: dict[str, tuple[OddsEvent, str]] = {}
    for event in events:
        if not _same(known.setdefault(event.id, event), event):
            left_out[event.id] = (event, "copies of it disagree about who plays or when")
    return [event for event in known.values() if event.id not in left_out], left_out


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
