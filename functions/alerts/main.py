"""Alerts: takes ``alerts`` and tells people, by the webhook and the mail that are set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.entry import Answer, Event, pushed
from shared.messages import AlertRaised, Message
from shared.worker import worker

if TYPE_CHECKING:
    from shared.service.messenger import Messenger


async def handle(messenger: Messenger, message: Message) -> None:
    """Tell about one alert, if people have not just been told."""
    await messenger.handle(message)


async def _work(event: Event) -> None:
    async with worker() as parts:
        await parts.receive(event, AlertRaised.TOPIC, lambda message: handle(parts.messenger, message))


def main(event: Event) -> Answer:
    """Entry point of the deployed function."""
    return pushed(event, lambda: _work(event))
