"""When the exchange pauses next, by its published schedule: weekly hours (Eastern), planned maintenance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shared.clock import EASTERN, Instant, from_datetime, to_datetime
from shared.errors import MalformedError
from shared.venues.kalshi import wire
from shared.venues.kalshi.units import time_of

_DAYS_AHEAD = 8


@dataclass(frozen=True, slots=True, order=True)
class Pause:
    """From ``begins`` until ``ends`` nothing trades."""

    begins: Instant
    ends: Instant


def next_pause(schedule: wire.Schedule, now: Instant) -> Pause | None:
    """The pause that holds now or comes next within eight days; raises :class:`MalformedError`.

    Days for which no hours are given count as open.
    """
    pauses = [pause for pause in (*_weekly(schedule, now), *_maintenance(schedule)) if pause.ends > now]
    return min(pauses, default=None)


def _weekly(schedule: wire.Schedule, now: Instant) -> Iterator[Pause]:
    """The gaps between sessions, from yesterday on."""
    first = to_datetime(now).astimezone(EASTERN).date() - timedelta(days=1)
    closed_from: Instant | None = None
    for day in (first + timedelta(days=number) for number in range(_DAYS_AHEAD + 2)):
        sessions = _sessions(schedule, day)
        if sessions is None:
            closed_from = None
            continue
        closed_from = _midnight(day) if closed_from is None else closed_from
        for opens, closes in sorted(sessions):
            if opens > closed_from:
                yield Pause(closed_from, opens)
            closed_from = max(closed_from, closes)


def _sessions(schedule: wire.Schedule, day: date) -> list[tuple[Instant, Instant]] | None:
    """Opening and closing of a day's sessions; ``None`` if the schedule says nothing about it."""
    noon = from_datetime(datetime(day.year, day.month, day.day, 12, tzinfo=EASTERN))
    for hours in schedule.standard_hours or ():
        begins, ends = time_of(hours.start_time), time_of(hours.end_time)
        if (begins is None or begins <= noon) and (ends is None or noon < ends):
            sessions: list[wire.Session] | None = getattr(hours, f"{day:%A}".lower())
            return None if sessions is None else [_session(day, session) for session in sessions]
    return None


def _session(day: date, session: wire.Session) -> tuple[Instant, Instant]:
    opens, closes = _at(day, session.open_time), _at(day, session.close_time)
    # Midnight as a closing time is the end of the day.
    return opens, closes if closes > opens else _midnight(day + timedelta(days=1))


def _at(day: date, text: str) -> Instant:
    try:
        moment = datetime.strptime(text, "%H:%M")  # noqa: DTZ007 - a time of day in Eastern
    except ValueError as exc:
        raise MalformedError(f"schedule: {text[:20]!r} is not HH:MM") from exc
    return from_datetime(datetime(day.year, day.month, day.day, moment.hour, moment.minute, tzinfo=EASTERN))


def _midnight(day: date) -> Instant:
    return from_datetime(datetime(day.year, day.month, day.day, tzinfo=EASTERN))


def _maintenance(schedule: wire.Schedule) -> Iterator[Pause]:
    for window in schedule.maintenance_windows or ():
        begins, ends = time_of(window.start_datetime), time_of(window.end_datetime)
        if begins is not None and ends is not None:
            yield Pause(begins, ends)
