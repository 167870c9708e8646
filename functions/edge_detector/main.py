"""Edge detector: takes listings, mappings and odds; says every opportunity and raises signals, each once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.entry import Answer, Event, pushed
from shared.messages import Message, OddsSeen
from shared.worker import worker

if TYPE_CHECKING:
    from shared.pipeline.detect import EdgeDetector


async def handle(detector: EdgeDetector, message: Message) -> None:
    """Weigh what one message changes."""
    await detector.handle(message)


async def _work(event: Event) -> None:
    async with worker() as parts:
        detector = parts.edge_detector
        await detector.ready()
        await parts.receive(event, OddsSeen.TOPIC, lambda message: handle(detector, message))


def main(event: Event) -> Answer:
    """Entry point of the deployed function."""
    return pushed(event, lambda: _work(event))
