"""Edge detection as a handler: listings, mappings and odds in; opportunities and signals out.

A signal is created once in ``signals/{signal_id}`` before it is published: whoever comes second, a duplicate
delivery or another instance, finds it there and stays silent.
"""

from __future__ import annotations

import asyncio
from collections import deque

import msgspec

from shared.clock import MINUTE, Clock, age
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
from shared.pipeline.places import MAPPINGS
from shared.ports import Bus, Documents

_TIDY = 5 * MINUTE
# After this much of a game its markets hold nothing for a pre-game strategy.
_FORGET_AFTER = 30 * MINUTE


class EdgeDetector:
    """One board and the ports it speaks through."""

    TOPICS = (MarketListed.TOPIC, MappingDecided.TOPIC, OddsSeen.TOPIC)

    def __init__(self, board: Board, documents: Documents, bus: Bus, clock: Clock) -> None:
        self.board = board
        self._documents, self._bus, self._clock = documents, bus, clock
        self._owed: deque[Found] = deque()
        self._publishing, self._preparing = asyncio.Lock(), asyncio.Lock()
        self._restored = False
        self._unsaid: set[str] = set()
        self._tidied_at = clock.now()

    async def ready(self) -> None:
        """For a process of its own: restored before its first message, and rid of games that are over."""
        async with self._preparing:
            if not self._restored:
                await self.restore()
                self._restored = True
        now = self._clock.now()
        if age(self._tidied_at, now) >= _TIDY:
            self._tidied_at = now
            self.board.forget_ended(now, _FORGET_AFTER)

    async def restore(self) -> int:
        """Learn the mappings in the document store: each is said once, maybe before this process began.

        Gives how many were learned. What they bring to light waits for the next listing or odds.
        """
        now, learned = self._clock.now(), 0
        for document in await self._documents.query(MAPPINGS, limit=100_000):
            for value in document.value["markets"].values():
                self.board.mapping(msgspec.convert(value, MappingDecided), now)
                learned += 1
        return learned

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
        """Publish assessments, then each signal that nobody has raised before.

        What could not be published is owed: the board will not say it twice, so the next call begins with it.
        """
        self._owed.append(found)
        async with self._publishing:
            while self._owed:
                await self._publish(self._owed[0])
                self._owed.popleft()

    async def _publish(self, found: Found) -> None:
        if found.opportunities:
            await self._bus.publish(OpportunityAssessed.TOPIC, found.opportunities)
        for signal in found.signals:
            if await self._first(signal):
                await self._bus.publish(SignalRaised.TOPIC, [signal])
                self._unsaid.discard(signal.signal_id)

    async def _first(self, signal: SignalRaised) -> bool:
        try:
            await self._documents.create(f"signals/{signal.signal_id}", msgspec.to_builtins(signal))
        except AlreadyExistsError:
            # Ours, if it was created and could then not be published.
            return signal.signal_id in self._unsaid
        self._unsaid.add(signal.signal_id)
        return True
