"""Streaming pull: an always-on process takes messages as fast as it handles them, and no faster.

The client library holds the line, extends what is leased and counts what is out; each message is handled in
our own event loop and acknowledged only afterwards. What must come again is handed back at once.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from google.cloud.pubsub_v1 import SubscriberClient
from google.cloud.pubsub_v1.subscriber.message import Message as Pulled
from google.cloud.pubsub_v1.types import FlowControl

from shared.backends.gcp.errors import translated
from shared.delivery import Delivery, Intake
from shared.errors import ConfigError, RetryLaterError
from shared.ports import Handler

_log = logging.getLogger(__name__)

_ROLE = "roles/pubsub.subscriber"
# Few at a time: what a restart strands comes again only when its lease has run out.
_FLOW = FlowControl(max_messages=10, max_lease_duration=60, max_duration_per_lease_extension=10)
_CLOSE_S = 10.0


@dataclass(slots=True)
class Pulls:
    """The subscriptions of one process."""

    project: str
    intake: Intake
    _handlers: dict[tuple[str, str], Handler] = field(default_factory=dict)

    def add(self, topic: str, name: str, handler: Handler) -> None:
        """Pull ``{topic}-{name}``; raises :class:`ConfigError` for a taken name."""
        if (topic, name) in self._handlers:
            raise ConfigError(f"subscription {name!r} on {topic!r} exists")
        self._handlers[topic, name] = handler

    async def run(self) -> None:
        """Pull until cancelled; raises what ended a pull that cannot go on by itself."""
        loop = asyncio.get_running_loop()
        with translated("Pub/Sub", _ROLE):
            client = SubscriberClient()
        pulls: dict[str, Any] = {}
        try:
            for (topic, name), handler in self._handlers.items():
                pulls[f"{topic}-{name}"] = self._open(client, loop, topic, name, handler)
            await asyncio.gather(*(_ended(name, pull) for name, pull in pulls.items()))
        finally:
            for pull in pulls.values():
                pull.cancel()
            await asyncio.to_thread(_close, client, list(pulls.values()))

    def _open(
        self,
        client: SubscriberClient,
        loop: asyncio.AbstractEventLoop,
        topic: str,
        name: str,
        handle: Handler,
    ) -> Any:
        def arrived(pulled: Pulled) -> None:
            # In a thread of the client's: only hands over. Flow control counts it until it is acknowledged.
            taking = self._take(delivery_of(topic, name, pulled), pulled, handle)
            asyncio.run_coroutine_threadsafe(taking, loop)

        path = client.subscription_path(self.project, f"{topic}-{name}")
        return client.subscribe(path, callback=arrived, flow_control=_FLOW)

    async def _take(self, delivery: Delivery, pulled: Pulled, handle: Handler) -> None:
        try:
            await self.intake.take(delivery, handle)
        except Exception:  # the intake has told of it
            pulled.nack()
        else:
            pulled.ack()


def delivery_of(topic: str, name: str, pulled: Pulled) -> Delivery:
    """What was pulled, in our words."""
    return Delivery(
        topic=topic,
        data=pulled.data,
        attributes=dict(pulled.attributes),
        message_id=str(pulled.message_id),
        attempt=pulled.delivery_attempt or 1,
        subscription=f"{topic}-{name}",
    )


async def _ended(name: str, pull: Any) -> None:
    """Wait for a pull that should never end; a line that drops is opened again by the client."""
    future: Future[Any] = pull
    with translated(f"Pub/Sub {name}", _ROLE):
        await asyncio.wrap_future(future)
    raise RetryLaterError(f"Pub/Sub {name}: the pull ended")


def _close(client: SubscriberClient, pulls: list[Any]) -> None:
    for pull in pulls:
        try:
            pull.result(timeout=_CLOSE_S)
        except Exception as exc:
            _log.debug("a pull ended: %s", exc)
    client.close()
