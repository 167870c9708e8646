"""Tripwires: how much of what trips a breaker, and what starts the count again."""

from __future__ import annotations

import pytest

from shared.clock import HOUR, SECOND, Instant
from shared.money import Usd
from shared.risk.breaker import TRANSIENT, Cause
from shared.risk.tripwire import TripPolicy, Tripwire, difference, losses
from tests.support.limits import DOLLAR, LIMITS

NOW = Instant(1_790_000_000 * SECOND)
FAST, SLOW = 20_000, 1_000_001


def wire() -> Tripwire:
    return Tripwire(TripPolicy(max_failures=3, max_slow_answers=2, max_unknown_outcomes=2))


def test_failures_in_a_row_trip() -> None:
    seen = wire()
    assert seen.failed("503") is None
    assert seen.failed("503") is None
    trip = seen.failed("connection reset")
    assert trip is not None
    assert (trip.cause, trip.reason) == (Cause.FAILURES, "3 failures in a row, the last: connection reset")


def test_an_answer_starts_the_count_again() -> None:
    seen = wire()
    seen.failed("503")
    seen.failed("503")
    seen.succeeded(FAST)
    assert seen.failed("503") is None


def test_slow_answers_in_a_row_trip_and_a_fast_one_starts_again() -> None:
    seen = wire()
    assert [seen.succeeded(took) is None for took in (SLOW, FAST, SLOW)] == [True] * 3
    trip = seen.succeeded(SLOW)
    assert trip is not None
    assert trip.cause is Cause.LATENCY


def test_two_unknown_outcomes_trip_even_with_good_answers_between() -> None:
    seen = wire()
    assert seen.unknown("timeout", NOW) is None
    seen.succeeded(FAST)
    trip = seen.unknown("timeout", Instant(NOW + 100 * SECOND))
    assert trip is not None
    assert trip.cause is Cause.UNKNOWN_OUTCOMES
    assert trip.cause not in TRANSIENT


def test_an_unknown_outcome_of_long_ago_does_not_count() -> None:
    seen = wire()
    seen.unknown("timeout", NOW)
    assert seen.unknown("timeout", Instant(NOW + HOUR)) is None


def test_a_clock_set_back_hides_no_unknown_outcome() -> None:
    seen = wire()
    seen.unknown("timeout", NOW)
    assert seen.unknown("timeout", Instant(NOW - HOUR)) is not None


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (NOW - 30 * SECOND, None),
        (NOW - 31 * SECOND, "state is 31 s old, limit 30 s"),
        (NOW + SECOND, "state is over an hour old, or from the future, limit 30 s"),
    ],
)
def test_old_state_trips_and_so_does_state_from_the_future(at: int, said: str | None) -> None:
    trip = wire().state_seen(Instant(at), NOW)
    assert (trip and trip.reason) == said


def test_a_difference_to_the_venue_trips_at_once_and_for_cause() -> None:
    assert difference("cash: $3.00 here, $2.00 there").cause not in TRANSIENT


@pytest.mark.parametrize(
    ("today", "week", "in_a_row", "said"),
    [
        (999 * DOLLAR, 2_999 * DOLLAR, 4, None),
        (1_000 * DOLLAR, 0, 0, "$1000.00 lost today, limit $1000.00"),
        (0, 3_000 * DOLLAR, 0, "$3000.00 lost this week, limit $3000.00"),
        (0, 0, 5, "5 losses in a row, limit 5"),
        (1_000 * DOLLAR, 0, 5, "$1000.00 lost today, limit $1000.00; 5 losses in a row, limit 5"),
    ],
)
def test_losses_trip_when_they_reach_a_limit(today: int, week: int, in_a_row: int, said: str | None) -> None:
    trip = losses(Usd(today), Usd(week), in_a_row, LIMITS)
    assert (trip and trip.reason) == said
