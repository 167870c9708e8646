"""Time: instants survive their text, and virtual time wakes sleepers in order."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import (
    DAY,
    SECOND,
    Instant,
    ManualClock,
    ScaledClock,
    SystemClock,
    eastern_day,
    format_instant,
    from_datetime,
    parse_instant,
    to_datetime,
    utc_day,
)
from shared.errors import MalformedError

# From 1900 to 9998.
instants = st.integers(-2_208_988_800 * SECOND, 253_339_228_800 * SECOND).map(Instant)


@given(instants)
def test_an_instant_survives_its_text(instant: Instant) -> None:
    assert parse_instant(format_instant(instant)) == instant


@given(instants)
def test_an_instant_survives_a_datetime(instant: Instant) -> None:
    assert from_datetime(to_datetime(instant)) == instant


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-29T00:15:00Z",
        "2026-09-29T00:15:00.000000Z",
        "2026-09-28T20:15:00-04:00",
        "2026-09-29 00:15:00+00:00",
    ],
)
def test_every_wire_form_of_one_moment_is_one_instant(text: str) -> None:
    assert parse_instant(text) == from_datetime(datetime(2026, 9, 29, 0, 15, tzinfo=UTC))


def test_the_exchanges_null_date_is_none() -> None:
    assert parse_instant("0001-01-01T00:00:00Z") is None


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01T00:00:00Z", "2026-09-29T00:15:00", "1790000000"])
def test_what_is_no_time_with_a_zone_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_instant(text)


@given(st.text(max_size=40))
def test_any_text_is_an_instant_none_or_malformed(text: str) -> None:
    try:
        parse_instant(text)
    except MalformedError:
        return


def test_a_late_game_belongs_to_the_eastern_day_before() -> None:
    instant = parse_instant("2026-09-29T00:15:00Z")
    assert instant is not None
    assert (eastern_day(instant), utc_day(instant)) == ("2026-09-28", "2026-09-29")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-08T04:59:59Z", "2026-03-07"),  # the day summer time begins
        ("2026-03-09T03:59:59Z", "2026-03-08"),
        ("2026-11-01T03:59:59Z", "2026-10-31"),  # the day it ends
        ("2026-11-02T04:59:59Z", "2026-11-01"),
    ],
)
def test_eastern_days_follow_summer_time(text: str, day: str) -> None:
    instant = parse_instant(text)
    assert instant is not None
    assert eastern_day(instant) == day
    assert eastern_day(Instant(instant + SECOND)) != day


@given(instants)
def test_a_utc_day_is_a_calendar_day(instant: Instant) -> None:
    assert utc_day(instant) == format_instant(Instant(instant - instant % DAY))[:10]


async def test_sleepers_wake_in_order_each_at_its_own_time() -> None:
    clock, woken = ManualClock(), list[tuple[str, int]]()

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.now()))

    tasks = [asyncio.create_task(sleeper(*one)) for one in (("late", 3), ("early", 1), ("same", 3))]
    await asyncio.sleep(0)
    await clock.advance(5)
    await asyncio.gather(*tasks)
    assert woken == [("early", 1 * SECOND), ("late", 3 * SECOND), ("same", 3 * SECOND)]
    assert clock.now() == 5 * SECOND


async def test_a_canceled_sleeper_does_not_stop_the_clock() -> None:
    clock = ManualClock()
    task = asyncio.create_task(clock.sleep(1))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await clock.advance(2)
    assert clock.now() == 2 * SECOND


def test_setting_the_clock_wakes_nobody_and_may_go_back() -> None:
    clock = ManualClock(Instant(10))
    clock.set(Instant(5))
    assert clock.now() == 5


def test_a_scaled_clock_runs_from_its_start() -> None:
    clock = ScaledClock(Instant(1_000), speed=1_000)
    first = clock.now()
    assert first >= 1_000
    assert clock.now() >= first


@pytest.mark.parametrize("speed", [0, -1])
def test_a_clock_that_does_not_run_forward_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        ScaledClock(Instant(0), speed)


def test_the_systems_clock_is_after_the_day_this_was_written() -> None:
    assert SystemClock().now() > Instant(1_790_000_000 * SECOND)


async def test_a_clock_with_a_stride_waits_for_the_world() -> None:
    clock = ScaledClock(Instant(0), speed=10_000, stride_s=5)
    await asyncio.sleep(0.01)
    assert clock.now() == 5 * SECOND
    clock.beat()
    await asyncio.sleep(0.01)
    assert clock.now() == 10 * SECOND


async def test_a_sleeper_on_a_clock_that_stands_still_sleeps_on() -> None:
    clock = ScaledClock(Instant(0), speed=10_000, stride_s=5)
    sleeper = asyncio.create_task(clock.sleep(7))
    await asyncio.sleep(0.02)
    assert not sleeper.done()
    clock.beat()
    await asyncio.wait_for(sleeper, 1)
    assert clock.now() >= 7 * SECOND


def test_a_clock_without_a_stride_needs_no_beat() -> None:
    clock = ScaledClock(Instant(0), speed=1_000)
    before = clock.now()
    clock.beat()
    assert clock.now() >= before
