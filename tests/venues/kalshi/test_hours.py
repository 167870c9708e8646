"""When the exchange pauses next, from its schedule."""

from __future__ import annotations

from typing import Any

import pytest

from shared.clock import Instant, format_instant, parse_instant
from shared.errors import MalformedError
from shared.venues.kalshi import wire
from shared.venues.kalshi.hours import next_pause

_ALL_DAY = [wire.Session(open_time="00:00", close_time="00:00")]
_THURSDAY = [
    wire.Session(open_time="05:00", close_time="00:00"),
    wire.Session(open_time="00:00", close_time="03:00"),
]
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _hours(**days: Any) -> wire.WeeklyHours:
    given: dict[str, Any] = dict.fromkeys(_DAYS, _ALL_DAY) | {"thursday": _THURSDAY} | days
    return wire.WeeklyHours(start_time="2024-12-01T00:00:00Z", end_time="2200-12-01T00:00:00Z", **given)


def _at(text: str) -> Instant:
    return parse_instant(text) or Instant(0)


def _next(now: str, *hours: wire.WeeklyHours, maintenance: tuple[tuple[str, str], ...] = ()) -> str | None:
    windows = [wire.Maintenance(start_datetime=begin, end_datetime=end) for begin, end in maintenance]
    schedule = wire.Schedule(standard_hours=list(hours), maintenance_windows=windows)
    pause = next_pause(schedule, _at(now))
    return None if pause is None else f"{format_instant(pause.begins)}/{format_instant(pause.ends)}"


@pytest.mark.parametrize(
    ("now", "pause"),
    [
        ("2026-11-22T15:00:00Z", "2026-11-26T08:00:00Z/2026-11-26T10:00:00Z"),  # a Sunday, in winter
        ("2026-11-26T07:59:59Z", "2026-11-26T08:00:00Z/2026-11-26T10:00:00Z"),
        ("2026-11-26T09:00:00Z", "2026-11-26T08:00:00Z/2026-11-26T10:00:00Z"),
        ("2026-11-26T10:00:00Z", "2026-12-03T08:00:00Z/2026-12-03T10:00:00Z"),
        ("2026-07-01T12:00:00Z", "2026-07-02T07:00:00Z/2026-07-02T09:00:00Z"),  # in summer
    ],
)
def test_the_weekly_pause_is_on_thursday_in_eastern_time(now: str, pause: str) -> None:
    assert _next(now, _hours()) == pause


def test_planned_maintenance_counts_when_it_is_sooner() -> None:
    window = ("2026-11-23T05:00:00Z", "2026-11-23T06:00:00Z")
    assert _next("2026-11-22T15:00:00Z", _hours(), maintenance=(window,)) == "/".join(window)
    assert _next("2026-11-23T06:00:00Z", _hours(), maintenance=(window,)) != "/".join(window)


def test_a_day_without_sessions_is_closed_and_one_without_a_word_is_open() -> None:
    assert _next("2026-11-27T15:00:00Z", _hours(saturday=[])) == "2026-11-28T05:00:00Z/2026-11-29T05:00:00Z"
    silent = _hours(thursday=None)
    assert _next("2026-11-22T15:00:00Z", silent) is None


def test_hours_count_only_while_they_are_valid() -> None:
    old = wire.WeeklyHours(end_time="2025-01-01T00:00:00Z", monday=[])
    assert _next("2026-11-22T15:00:00Z", old) is None
    assert _next("2026-11-22T15:00:00Z") is None


def test_hours_that_cannot_be_read_are_malformed() -> None:
    odd = _hours(monday=[wire.Session(open_time="9am", close_time="5pm")])
    with pytest.raises(MalformedError, match="HH:MM"):
        _next("2026-11-22T15:00:00Z", odd)
