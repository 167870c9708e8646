"""Days and turns of the props scrape: which Eastern day is meant, and whether another turn is due."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from shared.clock import EASTERN, HOUR, MINUTE, Instant, age, eastern_day, from_datetime, to_datetime
from shared.errors import ConfigError

TODAY, YESTERDAY = "TODAY", "YESTERDAY"

# The daily turn, Eastern: yesterday's games are settled, today's ladders are listed.
DAILY_HOUR = 2
_FAR, _NEAR, _SOON = 60 * MINUTE, 15 * MINUTE, 5 * MINUTE


def day_of(text: str, now: Instant) -> str:
    """``YYYY-MM-DD`` of a date, ``TODAY`` or ``YESTERDAY`` (Eastern); raises :class:`ConfigError`."""
    if text.upper() in ("", TODAY):
        return eastern_day(now)
    if text.upper() == YESTERDAY:
        return (date.fromisoformat(eastern_day(now)) - timedelta(days=1)).isoformat()
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as exc:
        raise ConfigError(f"{text[:40]!r} is no date: write YYYY-MM-DD, TODAY or YESTERDAY") from exc


def day_begins(day: str) -> Instant:
    """Midnight Eastern at which ``day`` begins."""
    return from_datetime(datetime.combine(date.fromisoformat(day), datetime.min.time(), tzinfo=EASTERN))


def is_due(last: Instant | None, now: Instant, starts: Iterable[Instant]) -> bool:
    """Whether a turn is due: daily at 02:00 Eastern, and on game days the more often the nearer a start.

    Once an hour within twelve hours of a start, every quarter of an hour within three, every five minutes in
    the last hour. Games that have begun ask for nothing.
    """
    if last is None or age(last, now) >= 24 * HOUR or _daily_between(last, now):
        return True
    left = min((start - now for start in starts if start > now), default=None)
    if left is None or left > 12 * HOUR:
        return False
    wait = _SOON if left <= HOUR else _NEAR if left <= 3 * HOUR else _FAR
    return age(last, now) >= wait


def _daily_between(last: Instant, now: Instant) -> bool:
    local = to_datetime(now).astimezone(EASTERN)
    turn = local.replace(hour=DAILY_HOUR, minute=0, second=0, microsecond=0)
    return last < from_datetime(turn) <= now
