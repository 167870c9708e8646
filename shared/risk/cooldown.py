"""Cooldowns: a market, an opportunity or a side that went wrong is left alone for a while, with a reason.

Memory is bounded and never at the price of safety: when it is full of cooldowns that still run, everything
rests until the one that found no room would have ended.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from shared.clock import Instant, format_instant
from shared.terms import Side

CAPACITY = 4_096


class Scope(StrEnum):
    """What a cooldown is about."""

    MARKET = "market"
    OPPORTUNITY = "opportunity"
    SIDE = "side"


Key = tuple[Scope, str]


@dataclass(frozen=True, slots=True)
class Cooldown:
    """One thing to leave alone until ``until``, and why."""

    scope: Scope
    subject: str
    until: Instant
    reason: str

    def __str__(self) -> str:
        return f"{self.scope} {self.subject} rests until {format_instant(self.until)}: {self.reason}"


def market(ticker: str) -> Key:
    """Key of a market, both sides."""
    return Scope.MARKET, ticker


def opportunity(opportunity_id: str) -> Key:
    """Key of one opportunity."""
    return Scope.OPPORTUNITY, opportunity_id


def side(ticker: str, bought: Side) -> Key:
    """Key of one side of a market."""
    return Scope.SIDE, f"{ticker} {bought}"


@dataclass(slots=True)
class Cooldowns:
    """All cooldowns of one executor; at most ``capacity`` are remembered."""

    capacity: int = CAPACITY
    _running: dict[Key, Cooldown] = field(default_factory=dict)
    _everything: Cooldown | None = None

    def __len__(self) -> int:
        return len(self._running)

    def start(self, key: Key, until: Instant, reason: str, now: Instant) -> None:
        """Leave ``key`` alone until ``until``; one that already runs longer stays."""
        if until <= now:
            return
        known = self._running.get(key)
        if known is not None and known.until >= until:
            return
        cooldown = Cooldown(*key, until, reason)
        if known is None and len(self._running) >= self.capacity:
            self._forget_ended(now)
        if known is not None or len(self._running) < self.capacity:
            self._running[key] = cooldown
        elif self._everything is None or self._everything.until < until:
            self._everything = cooldown

    def refusals(self, ticker: str, bought: Side, opportunity_id: str, now: Instant) -> tuple[str, ...]:
        """Why an order must wait, in words; empty when nothing rests. ``opportunity_id`` may be empty."""
        keys = (market(ticker), side(ticker, bought), opportunity(opportunity_id))
        found = [self._running.get(key) for key in keys]
        reasons = [str(one) for one in found if one is not None and now < one.until]
        if self._everything is not None and now < self._everything.until:
            reasons.append(
                f"more than {self.capacity} cooldowns run, so everything rests; {self._everything}"
            )
        return tuple(reasons)

    def running(self, now: Instant) -> tuple[Cooldown, ...]:
        """Every cooldown that has not ended, the one that ends first first."""
        held = [*self._running.values(), *([self._everything] if self._everything else [])]
        return tuple(sorted((one for one in held if now < one.until), key=lambda one: one.until))

    def _forget_ended(self, now: Instant) -> None:
        for key in [key for key, one in self._running.items() if one.until <= now]:
            del self._running[key]
