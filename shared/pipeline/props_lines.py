"""Serves betting lines to models: books first, then the exchange, and never a wait for either."""

from __future__ import annotations

from collections.abc import Sequence

from shared.clock import Clock
from shared.messages import AlertRaised, seal
from shared.pipeline.props_days import day_of
from shared.pipeline.props_memory import LineStore
from shared.ports import Bus
from shared.props.names import lookup_key
from shared.props.serving import MAX_AGE, PRIORITY, BettingLine, choose

SOURCE = "props"


class BettingLines:
    """Answers from the lines the processor keeps; says once a day and league that ladders are missing."""

    def __init__(
        self,
        store: LineStore,
        bus: Bus,
        clock: Clock,
        priority: Sequence[str] = PRIORITY,
        max_age: int = MAX_AGE,
    ) -> None:
        """``max_age`` in microseconds; older lines are served and called stale."""
        self._store, self._bus, self._clock = store, bus, clock
        self._priority, self._max_age = tuple(priority), max_age
        self._alerted: set[str] = set()

    async def get_betting_line(self, player: str, date: str, prop: str) -> BettingLine:
        """The line of ``player`` (shown name or lookup key) on ``date`` (or TODAY) for ``prop``.

        ``kalshi_available`` is false, with an alert, when the exchange has no fresh ladder; that never
        stands in the way of a bookmaker's line.
        """
        now = self._clock.now()
        day, lookup = day_of(date, now), lookup_key(player)
        known = (await self._store.of(day, lookup)).get(prop)
        found = choose(lookup, day, prop, known, now, self._priority, self._max_age)
        if known is not None and not found.kalshi_available:
            await self._alert(day, found)
        return found

    async def _alert(self, day: str, found: BettingLine) -> None:
        subject = f"{day} {found.league or 'all'}"
        if subject in self._alerted:
            return
        self._alerted.add(subject)
        alert = AlertRaised(
            observed_at=self._clock.now(),
            source=SOURCE,
            code="kalshi_lines_missing",
            subject=subject,
            text=f"no fresh ladder for {found.player_name} {found.prop_type} on {day}; books are served",
            example=found.player_lookup,
        )
        await self._bus.publish(alert.TOPIC, [seal(alert)])
