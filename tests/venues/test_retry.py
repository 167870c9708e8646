"""Repeating reads: how often, how long between, and for how much of the load."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import ManualClock
from shared.errors import MalformedError, RateLimitedError, RefusedError, VenueDownError
from shared.venues.retry import Retry, RetryBudget


class Flaky:
    """Fails with each of ``errors`` in turn, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


async def _run(retry: Retry, attempt: Flaky, clock: ManualClock) -> str:
    task = asyncio.create_task(retry.read(attempt))
    for _ in range(20):
        await asyncio.sleep(0)
        if task.done():
            break
        await clock.advance(10)
    return await task


async def test_a_read_is_repeated_until_it_answers() -> None:
    clock = ManualClock()
    attempt = Flaky(VenueDownError("x"), RateLimitedError("y"))
    assert await _run(Retry(clock, lambda: 0.5), attempt, clock) == "answer"
    assert attempt.calls == 3


async def test_the_last_error_is_raised_when_no_attempt_answers() -> None:
    clock = ManualClock()
    attempt = Flaky(*[VenueDownError(str(n)) for n in range(9)])
    with pytest.raises(VenueDownError, match="3"):
        await _run(Retry(clock, lambda: 0.5, attempts=4), attempt, clock)


@pytest.mark.parametrize("error", [RefusedError("no"), MalformedError("odd")])
async def test_what_repeating_cannot_mend_is_not_repeated(error: Exception) -> None:
    attempt = Flaky(error)
    with pytest.raises(type(error)):
        await Retry(ManualClock(), lambda: 0.5).read(attempt)
    assert attempt.calls == 1


async def test_a_spent_budget_stops_repeating() -> None:
    clock = ManualClock()
    retry = Retry(clock, lambda: 0.5, budget=RetryBudget(savings=1))
    attempt = Flaky(*[VenueDownError("x")] * 9)
    with pytest.raises(VenueDownError):
        await _run(retry, attempt, clock)
    assert attempt.calls == 2


def test_ten_calls_earn_one_repeat() -> None:
    budget = RetryBudget(savings=1)
    assert budget.spend()
    assert not budget.spend()
    for _ in range(10):
        budget.earn()
    assert budget.spend()


@given(failures=st.integers(1, 10_000), jitter=st.floats(0, 1, exclude_max=True))
def test_a_wait_is_at_least_half_the_backoff_and_never_over_the_cap(failures: int, jitter: float) -> None:
    wait = Retry(ManualClock(), lambda: jitter, first_s=0.1, longest_s=5.0).delay(failures)
    assert min(5.0, 0.1 * 2.0 ** min(failures - 1, 32)) / 2 <= wait <= 5.0
