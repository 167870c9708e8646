"""Event mapper: takes ``kalshi-markets``, decides which sportsbook event each market is about, with proof.

A schedule calls it too: then it learns the slates, watches its coverage and drops games that are over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.entry import Answer, Event, answered, is_push, pushed
from shared.messages import MarketListed, Message
from shared.worker import Skipped, worker

if TYPE_CHECKING:
    from shared.pipeline.map_events import EventMapper


async def handle(mapper: EventMapper, message: Message) -> None:
    """Take note of one listing; decisions follow in batches."""
    await mapper.handle(message)


async def _work(event: Event) -> None:
    async with worker() as parts:
        mapper = parts.event_mapper
        await mapper.refresh()

        async def decide(message: Message) -> None:
            await handle(mapper, message)
            await mapper.flush()

        await parts.receive(event, MarketListed.TOPIC, decide)


async def _upkeep(request: object) -> dict[str, int] | Skipped:
    async with worker() as parts:
        mapper, coverage = parts.event_mapper, parts.coverage

        async def turn() -> dict[str, int]:
            await mapper.refresh(0)
            decided = await mapper.flush()
            unknown = await coverage.turn()
            await mapper.purge()
            return {"decided": len(decided), "unknown": unknown}

        return await parts.scheduled("event_mapper", request, turn)


def main(event: Event) -> Answer:
    """Entry point of the deployed function, for a push and for a schedule."""
    if is_push(event):
        return pushed(event, lambda: _work(event))
    return answered(lambda: _upkeep(event))
