"""Edge detector: takes listings, mappings and odds; says every opportunity and raises signals, each once."""

from __future__ import annotations

from shared.entry import Event, handled, run, topic_of
from shared.messages import Message, OddsSeen
from shared.pipeline.detect import EdgeDetector
from shared.worker import worker


async def handle(detector: EdgeDetector, message: Message) -> None:
    """Weigh what one message changes."""
    await detector.handle(message)


async def _work(event: Event) -> None:
    topic = topic_of(event, OddsSeen.TOPIC)
    async with worker() as parts:
        detector = parts.edge_detector
        await handled(topic, event, lambda message: handle(detector, message), parts.bus, parts.clock)


def main(event: Event) -> None:
    """CloudEvent entry point of the deployed function."""
    run(_work(event))
