"""Event mapper: takes ``kalshi-markets``, decides which sportsbook event each market is about, with proof."""

from __future__ import annotations

from shared.entry import Event, handled, run
from shared.messages import MarketListed, Message
from shared.pipeline.map_events import EventMapper
from shared.worker import worker


async def handle(mapper: EventMapper, message: Message) -> None:
    """Take note of one listing; decisions follow in batches."""
    await mapper.handle(message)


async def _work(event: Event) -> None:
    async with worker() as parts:
        mapper = parts.event_mapper
        await mapper.restore()
        await handled(MarketListed.TOPIC, event, lambda m: handle(mapper, m), parts.bus, parts.clock)
        await mapper.flush()


def main(event: Event) -> None:
    """CloudEvent entry point of the deployed function."""
    run(_work(event))
