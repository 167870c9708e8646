"""Token buckets: never over budget, first come first served, whatever the clock does."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.clock import SECOND, Instant, ManualClock
from shared.errors import ConfigError
from shared.venues.rate import TokenBucket


async def test_waiters_are_served_in_the_order_they_came() -> None:
    clock = ManualClock()
    bucket = TokenBucket(clock, per_second=10, capacity=10)
    served: list[str] = []

    async def want(name: str, tokens: int) -> None:
        await bucket.take(tokens)
        served.append(name)

    await bucket.take(10)
    tasks = [asyncio.create_task(want("large", 10)), asyncio.create_task(want("small", 1))]
    await asyncio.sleep(0)
    await clock.advance(0.5)
    assert served == []
    await clock.advance(0.5)
    assert served == ["large"]
    await clock.advance(0.2)
    assert served == ["large", "small"]
    await asyncio.gather(*tasks)


async def test_a_cancelled_waiter_takes_nothing_and_lets_the_next_through() -> None:
    clock = ManualClock()
    bucket = TokenBucket(clock, per_second=1, capacity=10)
    await bucket.take(10)
    first = asyncio.create_task(bucket.take(10))
    second = asyncio.create_task(bucket.take(1))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    await clock.advance(1)
    await asyncio.wait_for(second, 1)
    assert first.cancelled()


async def test_more_than_the_bucket_holds_is_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="more than the bucket holds"):
        await TokenBucket(ManualClock(), per_second=1, capacity=5).take(6)


@pytest.mark.parametrize(("per_second", "capacity"), [(0, 1), (1, 0), (-1, 5)])
def test_a_limit_that_never_grants_anything_is_refused(per_second: int, capacity: int) -> None:
    with pytest.raises(ConfigError):
        TokenBucket(ManualClock(), per_second=per_second, capacity=capacity)


def test_nobody_jumps_the_queue() -> None:
    async def scenario() -> bool:
        bucket = TokenBucket(ManualClock(), per_second=1, capacity=10)
        await bucket.take(5)
        waiter = asyncio.create_task(bucket.take(10))
        await asyncio.sleep(0)
        jumped = bucket.try_take(1)
        waiter.cancel()
        return jumped

    assert asyncio.run(scenario()) is False


class BucketMachine(RuleBasedStateMachine):
    """Takes, waits, reconfigurations and clock jumps, checked against the venue's own arithmetic."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock(Instant(10**15))
        self.bucket = TokenBucket(self.clock, per_second=20, capacity=60)
        self.per_second, self.capacity = 20, 60
        self.venue_level = 60 * SECOND
        self.latest = self.clock.now()

    @rule(tokens=st.integers(1, 80))
    def take(self, tokens: int) -> None:
        if self.bucket.try_take(tokens):
            self.venue_level -= tokens * SECOND

    @rule(micros=st.integers(0, 5 * SECOND))
    def wait(self, micros: int) -> None:
        self._move(micros)

    @rule(micros=st.integers(1, 5 * SECOND))
    def clock_is_set_back(self, micros: int) -> None:
        self.clock.set(Instant(self.clock.now() - micros))

    @rule(per_second=st.integers(1, 50), capacity=st.integers(1, 100))
    def reconfigure(self, per_second: int, capacity: int) -> None:
        self.bucket.configure(per_second=per_second, capacity=capacity)
        self.per_second, self.capacity = per_second, capacity
        self.venue_level = min(self.venue_level, capacity * SECOND)

    def _move(self, micros: int) -> None:
        """True time passes: the venue refills by it; our clock shows it too."""
        self.clock.set(Instant(self.clock.now() + micros))
        self.venue_level = min(self.capacity * SECOND, self.venue_level + micros * self.per_second)

    @invariant()
    def the_venue_never_sees_more_than_it_grants(self) -> None:
        assert self.venue_level >= 0


TestTokenBucket = BucketMachine.TestCase
TestTokenBucket.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
