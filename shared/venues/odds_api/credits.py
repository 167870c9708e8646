"""Credits of the sportsbook feed: what a call costs before it is made, what is left, what to ask for next.

Costs follow the vendor's v4 guide: markets times regions, ten times that for historical data; bookmakers
named instead of regions count one region for each started group of ten. Everything here is arithmetic on
values handed in: no clock, no network.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from shared.clock import DAY, Instant, to_datetime

_BOOKMAKERS_PER_REGION = 10
_HISTORICAL_FACTOR = 10


def region_count(regions: Sequence[str], bookmakers: Sequence[str]) -> int:
    """Regions charged. Bookmakers win over regions, ten of them (or a started ten) count as one."""
    if bookmakers:
        return -(-len(set(bookmakers)) // _BOOKMAKERS_PER_REGION)
    return len(set(regions))


def odds_cost(
    markets: Sequence[str],
    regions: Sequence[str] = (),
    bookmakers: Sequence[str] = (),
    *,
    historical: bool = False,
) -> int:
    """Credits of one odds call at most: a page costs this, an event only its markets that came back."""
    cost = len(set(markets)) * region_count(regions, bookmakers)
    return cost * _HISTORICAL_FACTOR if historical else cost


def scores_cost(days_from: int | None) -> int:
    """Credits of one scores call."""
    return 1 if days_from is None else 2


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is left: the feed's last word, less what calls under way may still cost.

    The feed states what is left on every success, free calls included, and on no error. So a call without
    that word counts as spent, and the next success on its own sets it right.
    """

    remaining: int
    in_doubt: int = 0
    settled: int = 0

    @property
    def available(self) -> int:
        """Credits that can certainly be spent."""
        return max(0, self.remaining - self.in_doubt)

    def reserve(self, cost: int) -> Ledger:
        """Before a call: set its highest cost aside."""
        return replace(self, in_doubt=self.in_doubt + cost)

    def settle(self, cost: int, stated: int | None, since: int) -> Ledger:
        """After a call that set ``cost`` aside when :attr:`settled` was ``since``.

        ``stated`` is the feed's own figure. It is taken whole only if no other call was settled meanwhile:
        answers arrive out of order, and an older figure must not lend what a later call has spent.
        """
        remaining = self.remaining - cost
        if stated is not None:
            remaining = stated if self.settled == since else min(remaining, stated)
        return Ledger(max(0, remaining), max(0, self.in_doubt - cost), self.settled + 1)

    def exhausted(self) -> Ledger:
        """The feed said there is nothing left."""
        return replace(self, remaining=0)


def day_allowance(remaining: int, spent_today: int, now: Instant) -> int:
    """Credits for the rest of this UTC day so that they last until the first of the next month.

    The feed renews on the first of the month (vendor FAQ); an even share a day, less what today has used.
    """
    today = to_datetime(now)
    next_month = today.replace(year=today.year + today.month // 12, month=today.month % 12 + 1, day=1)
    days_left = (next_month.date() - today.date()).days
    return max(0, (remaining + spent_today) // days_left - spent_today)


@dataclass(frozen=True, slots=True)
class OddsRequest:
    """One call that could be made: a whole sport's page, or one event's markets."""

    sport_key: str
    markets: tuple[str, ...]
    starts_at: Instant
    regions: tuple[str, ...] = ()
    bookmakers: tuple[str, ...] = ()
    event_id: str = ""

    @property
    def cost(self) -> int:
        """Credits at most."""
        return odds_cost(self.markets, self.regions, self.bookmakers)


def plan(requests: Iterable[OddsRequest], budget: int, now: Instant) -> list[OddsRequest]:
    """The calls to make with ``budget`` credits: nearest start first, never more than the budget.

    Games that have begun are left out: their prices belong to another market than the one before the start.
    A dearer call that no longer fits does not block a cheaper one behind it.
    """
    chosen: list[OddsRequest] = []
    for request in sorted(requests, key=lambda r: (r.starts_at, r.sport_key, r.event_id)):
        if request.starts_at > now and request.cost <= budget:
            budget -= request.cost
            chosen.append(request)
    return chosen


def poll_interval_s(starts_at: Instant, now: Instant) -> float:
    """How long an answer stays worth its credits, by time to the start: odds move late.

    The feed itself refreshes featured markets every 60 s from six hours before a start.
    """
    left = starts_at - now
    if left <= DAY // 24:
        return 60.0
    return 300.0 if left <= DAY // 4 else 3600.0
