"""Token buckets that keep us inside a venue's rate limits: never over, and first come first served.

The venue refills continuously and charges each call some tokens; so does the bucket, in whole
micro-tokens, so that no rounding ever lends a token.
"""

from __future__ import annotations

import asyncio

from shared.clock import SECOND, Clock
from shared.errors import ConfigError


class TokenBucket:
    """Tokens that refill at a steady rate up to a capacity."""

    def __init__(self, clock: Clock, *, per_second: int, capacity: int) -> None:
        self._clock = clock
        self._turn = asyncio.Lock()  # wakes waiters in the order they came
        self._per_second, self._capacity = per_second, capacity
        self._check(per_second, capacity)
        self._level = capacity * SECOND  # micro-tokens
        self._filled_at = clock.now()

    def configure(self, *, per_second: int, capacity: int) -> None:
        """Take over the venue's own figures; tokens already there are kept up to the new capacity."""
        self._check(per_second, capacity)
        self._refill()
        self._per_second, self._capacity = per_second, capacity
        self._level = min(self._level, capacity * SECOND)

    async def take(self, tokens: int) -> None:
        """Wait until ``tokens`` are there and take them; raises :class:`ConfigError` if they never can be."""
        async with self._turn:
            while True:
                if tokens > self._capacity:
                    raise ConfigError(f"{tokens} tokens are more than the bucket holds ({self._capacity})")
                self._refill()
                missing = tokens * SECOND - self._level
                if missing <= 0:
                    self._level -= tokens * SECOND
                    return
                await self._clock.sleep(-(-missing // self._per_second) / SECOND)

    def try_take(self, tokens: int) -> bool:
        """Take ``tokens`` now if they are there and nobody waits for them; False otherwise."""
        self._refill()
        if self._turn.locked() or tokens * SECOND > self._level:
            return False
        self._level -= tokens * SECOND
        return True

    def _refill(self) -> None:
        now = self._clock.now()
        # A clock set back must not lend tokens: time starts again from where it is.
        elapsed = max(0, now - self._filled_at)
        self._level = min(self._capacity * SECOND, self._level + elapsed * self._per_second)
        self._filled_at = now

    @staticmethod
    def _check(per_second: int, capacity: int) -> None:
        if per_second <= 0 or capacity <= 0:
            raise ConfigError(f"a rate limit must be positive, not {per_second}/s and {capacity}")
