"""Token buckets as the exchange keeps them: reads, writes and balance apart, strangers by their address."""

from __future__ import annotations

from dataclasses import dataclass

from shared.clock import SECOND, Instant


@dataclass(frozen=True, slots=True)
class Rate:
    """Tokens per second and the most a bucket holds."""

    refill: int
    capacity: int


@dataclass(frozen=True, slots=True)
class Limits:
    """One account's budgets, and a stranger's. The defaults are the Basic tier with its 3 s of reads."""

    tier: str = "basic"
    read: Rate = Rate(200, 600)
    write: Rate = Rate(100, 100)
    balance: Rate = Rate(1, 1)
    stranger: Rate = Rate(200, 600)
    enforced: bool = True


class Buckets:
    """Tokens left, by name, in whole micro-tokens: a rounding error would refuse what was granted."""

    def __init__(self) -> None:
        self._state: dict[str, tuple[int, Instant]] = {}

    def take(self, name: str, rate: Rate, tokens: int, now: Instant) -> bool:
        """Take ``tokens`` if they are there. A refused request costs nothing."""
        left, since = self._state.get(name, (rate.capacity * SECOND, now))
        left = min(rate.capacity * SECOND, left + max(0, now - since) * rate.refill)
        granted = left >= tokens * SECOND
        self._state[name] = (left - tokens * SECOND if granted else left, now)
        return granted
