"""Credits of a day, counted in one document for every process and instance that spends them."""

from __future__ import annotations

import random

from shared.cas import update
from shared.clock import Clock, Instant, utc_day
from shared.ports import Documents, Value


class DailyCredits:
    """A purse of ``daily`` credits a UTC day, kept at ``path``: a restart does not fill it again."""

    def __init__(self, documents: Documents, clock: Clock, rng: random.Random, path: str, daily: int) -> None:
        self._documents, self._clock, self._rng = documents, clock, rng
        self._path, self._daily = path, daily

    async def left(self, now: Instant) -> int:
        """Credits of the day's limit that nobody has spent."""
        document = await self._documents.get(self._path)
        held = document.value if document else None
        return max(0, self._daily - _spent(held, utc_day(now)))

    async def spend(self, credits_used: int) -> None:
        """Count credits against today; a negative number gives back what was counted too much."""
        day = utc_day(self._clock.now())

        def added(held: Value | None) -> Value:
            newest = max(day, held["day"]) if held else day
            return {"day": newest, "spent": max(0, _spent(held, day) + credits_used)}

        await update(self._documents, self._path, added, clock=self._clock, rng=self._rng)


def _spent(held: Value | None, day: str) -> int:
    """Credits spent on ``day``; a clock set back starts no new day."""
    spent: int = held["spent"] if held is not None and held["day"] >= day else 0
    return spent
