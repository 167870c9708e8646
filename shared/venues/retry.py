"""Repeats reads that failed for the moment: exponential backoff, jitter, one budget for all repeats.

Only for reads. A write is never repeated from here: what happened to it must be asked first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.clock import Clock
from shared.errors import RetryLaterError

T = TypeVar("T")


class RetryBudget:
    """Repeats allowed: each call earns a tenth of one, each repeat spends one.

    When a venue is down, a retry for every call would double the load exactly then; this keeps repeats
    below ten per cent of calls once the savings are gone.
    """

    _TENTHS_A_REPEAT = 10

    def __init__(self, savings: int = 10) -> None:
        self._most = savings * self._TENTHS_A_REPEAT
        self._tenths = self._most

    def earn(self) -> None:
        """Note one call."""
        self._tenths = min(self._most, self._tenths + 1)

    def spend(self) -> bool:
        """Take one repeat; False if none is left."""
        if self._tenths < self._TENTHS_A_REPEAT:
            return False
        self._tenths -= self._TENTHS_A_REPEAT
        return True


class Retry:
    """Runs a read up to ``attempts`` times while it raises :class:`RetryLaterError`."""

    def __init__(
        self,
        clock: Clock,
        jitter: Callable[[], float],
        *,
        attempts: int = 4,
        first_s: float = 0.1,
        longest_s: float = 5.0,
        budget: RetryBudget | None = None,
    ) -> None:
        """``jitter`` gives numbers in [0, 1). No venue here sends Retry-After: pace is ours to choose."""
        self._clock, self._jitter = clock, jitter
        self._attempts, self._first_s, self._longest_s = attempts, first_s, longest_s
        self._budget = budget or RetryBudget()

    async def read(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """The first result ``attempt`` gives; else its last error."""
        self._budget.earn()
        for failures in range(1, self._attempts):
            try:
                return await attempt()
            except RetryLaterError:
                if not self._budget.spend():
                    raise
            await self._clock.sleep(self.delay(failures))
        return await attempt()

    def delay(self, failures: int) -> float:
        """Seconds to wait after ``failures`` in a row: doubling, capped, between half and all of it."""
        longest = min(self._longest_s, self._first_s * 2.0 ** min(failures - 1, 32))
        return longest * (0.5 + 0.5 * self._jitter())
