"""Edge detection as a handler: listings, mappings and odds in; opportunities and signals out.

A signal is created once in ``signals/{signal_id}`` before it is published: whoever comes second, a duplicate
delivery or another instance, finds it there and stays silent.
"""

from __future__ import annotations

import msgspec

from shared.clock import Clock
from shared.edges.board import Board, Found
from shared.errors import AlreadyExistsError
from shared.messages import (
    MappingDecided,
    MarketListed,
    Message,
    OddsSeen,
    OpportunityAssessed,
    SignalRaised,
)
from shared.ports import Bus, Documents


class EdgeDetector:
    """One board and the ports it speaks through."""

    TOPICS = (MarketListed.TOPIC, MappingDecided.TOPIC, OddsSeen.TOPIC)

    def __init__(self, board: Board, documents: Documents, bus: Bus, clock: Clock) -> None:
        self.board = board
        self._documents, self._bus, self._clock = documents, bus, clock

    async def handle(self, message: Message) -> None:
        """Take in one message and publish what it brings to light; a duplicate brings nothing."""
        now = self._clock.now()
        match message:
            case MarketListed():
                found = self.board.market(message, now)
            case MappingDecided():
                found = self.board.mapping(message, now)
            case OddsSeen():
                found = self.board.new_odds(message, now)
            case _:
                return
        await self.publish(found)

    async def publish(self, found: Found) -> None:
        """Publish assessments, then each signal that nobody has raised before."""
        if found.opportunities:
            await self._bus.publish(OpportunityAssessed.TOPIC, found.opportunities)
        for signal in found.signals:
            if await self._first(signal):
                await self._bus.publish(SignalRaised.TOPIC, [signal])

    async def _first(self, signal: SignalRaised) -> bool:
        try:
            await self._documents.create(f"signals/{signal.signal_id}", msgspec.to_builtins(signal))
        except AlreadyExistsError:
            return False
        return True
