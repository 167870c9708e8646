"""Props processor: takes ``player-props-scraped``, makes rows of the run's raw pages, each change once."""

from __future__ import annotations

from shared.entry import Event, handled, run
from shared.messages import Message, PropsScraped
from shared.pipeline.props_process import PropsProcessor
from shared.worker import worker


async def handle(processor: PropsProcessor, message: Message) -> None:
    """Process the run one message announces."""
    await processor.handle(message)


async def _work(event: Event) -> None:
    async with worker() as parts:
        processor = parts.props_processor
        await handled(PropsScraped.TOPIC, event, lambda m: handle(processor, m), parts.bus, parts.clock)


def main(event: Event) -> None:
    """CloudEvent entry point of the deployed function."""
    run(_work(event))
