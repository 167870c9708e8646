"""Watches what mapping covers: publishes what changed, and raises an alert for everything unknown, once.

Counts by league, Eastern day and kind go out when they differ from the last turn; an alert names a series,
code or template no table knows, so that a new one is seen on the day it appears and not when money is missed.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.clock import Clock, Instant
from shared.mapping.coverage import Cell, Unknown, tally, unknowns
from shared.messages import AlertRaised, CoverageSeen, seal
from shared.pipeline.map_events import EventMapper
from shared.ports import Bus

SOURCE = "mapping"

_Key = tuple[str, str, str]


class CoverageWatch:
    """Looks at every decision of one mapper, a turn at a time."""

    def __init__(self, mapper: EventMapper, bus: Bus, clock: Clock) -> None:
        self._mapper, self._bus, self._clock = mapper, bus, clock
        self._told: dict[_Key, Cell] = {}
        self._alerted: set[tuple[str, str]] = set()

    async def turn(self) -> int:
        """Publish what is new; how many series, codes and templates are unknown now."""
        now = self._clock.now()
        decided = list(self._mapper.decided())
        cells = {(cell.league, cell.day, cell.kind.value): cell for cell in tally(d for _, d in decided)}
        news = [cell for key, cell in cells.items() if self._told.get(key) != cell]
        self._told = cells
        if news:
            await self._bus.publish(CoverageSeen.TOPIC, [seal(self._seen(cell, now)) for cell in news])
        strange = unknowns(decided)
        await self._alert(strange, now)
        return len(strange)

    def _seen(self, cell: Cell, now: Instant) -> CoverageSeen:
        return CoverageSeen(
            observed_at=now,
            league=cell.league,
            game_day=cell.day,
            kind=cell.kind,
            markets=cell.markets,
            mapped=cell.mapped,
            certified=cell.certified,
            refused=dict(sorted(cell.refused.items())),
            abstention=cell.abstention,
            hit_rate=self._mapper.hit_rate,
        )

    async def _alert(self, strange: Sequence[Unknown], now: Instant) -> None:
        fresh = [one for one in strange if (one.code, one.subject) not in self._alerted]
        self._alerted |= {(one.code, one.subject) for one in fresh}
        if fresh:
            await self._bus.publish(AlertRaised.TOPIC, [seal(_alert(one, now)) for one in fresh])


def _alert(one: Unknown, now: Instant) -> AlertRaised:
    return AlertRaised(
        observed_at=now,
        source=SOURCE,
        code=one.code,
        subject=one.subject,
        text=one.text,
        example=one.example,
        count=one.count,
    )
