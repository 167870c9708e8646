"""A bus on which a process hears at once what it has said itself, beside what is pulled of others.

A topic of the cloud reaches a process only through a subscription. What a process says itself, its own
watchers and logs need not be sent around for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence, Set

from shared.messages import Message
from shared.ports import Bus, Handler

_log = logging.getLogger(__name__)


class HeardBus:
    """The ``Bus`` port over ``inner``: subscriptions named in ``pulled`` are its own, all others heard here.

    ``pulled`` are pairs of topic and name.
    """

    def __init__(self, inner: Bus, pulled: Set[tuple[str, str]]) -> None:
        self._inner, self._pulled = inner, pulled
        self._handlers: dict[str, list[Handler]] = {}
        self._telling: set[asyncio.Task[None]] = set()

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """As the inner bus; what it has accepted is then told here, beside what goes on."""
        await self._inner.publish(topic, messages)
        if topic in self._handlers:
            telling = asyncio.create_task(self._tell(topic, messages))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)

    def subscribe(self, topic: str, name: str, handler: Handler) -> None:
        """Pull the subscription where there is one, else call ``handler`` for what is said here."""
        if (topic, name) in self._pulled:
            self._inner.subscribe(topic, name, handler)
        else:
            self._handlers.setdefault(topic, []).append(handler)

    async def close(self) -> None:
        """Return when all that was said has been heard."""
        while self._telling:
            await asyncio.wait(self._telling)

    async def _tell(self, topic: str, messages: Sequence[Message]) -> None:
        for message in messages:
            for handle in self._handlers[topic]:
                try:
                    await handle(message)
                except Exception:  # whoever listens takes nothing from who speaks, nor from the others
                    _log.exception("%s was not heard here", topic)
