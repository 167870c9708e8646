"""A bus that delivers at once, in order, in the publisher's own task: nothing is ever in flight."""

from __future__ import annotations

from collections.abc import Sequence

from shared.messages import Message
from shared.ports import Handler


class DirectBus:
    """The ``Bus`` port as plain calls. An error in a handler is the publisher's error."""

    def __init__(self) -> None:
        self._handlers: dict[str, list[Handler]] = {}

    def subscribe(self, topic: str, name: str, handler: Handler) -> None:
        """Call ``handler`` for each message on ``topic``, after those subscribed before it."""
        self._handlers.setdefault(topic, []).append(handler)

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Deliver each message to every handler before returning."""
        for message in messages:
            for handler in self._handlers.get(topic, ()):
                await handler(message)
