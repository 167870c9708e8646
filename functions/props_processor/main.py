"""Props processor: takes ``player-props-scraped``, makes rows of the run's raw pages, each change once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.entry import Answer, Event, pushed
from shared.messages import Message, PropsScraped
from shared.worker import worker

if TYPE_CHECKING:
    from shared.pipeline.props_process import PropsProcessor


async def handle(processor: PropsProcessor, message: Message) -> None:
    """Process the run one message announces."""
    await processor.handle(message)


async def _work(event: Event) -> None:
    async with worker() as parts:
        processor = parts.props_processor
        await parts.receive(event, PropsScraped.TOPIC, lambda message: handle(processor, message))


def main(event: Event) -> Answer:
    """Entry point of the deployed function."""
    return pushed(event, lambda: _work(event))
