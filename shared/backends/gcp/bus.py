"""The bus on Pub/Sub: publishing is over when the service has acknowledged, and poison is kept whole.

Order is never relied upon: what carries a moment is compared by it. A topic's id is its name, that of a
subscription ``{topic}-{name}``. Neither is made here: deployment makes them, with retries and dead letters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from google.pubsub_v1 import types
from google.pubsub_v1.services.publisher import PublisherAsyncClient

from shared.backends.gcp.errors import translated
from shared.clock import Clock
from shared.delivery import Delivery, Intake
from shared.errors import MalformedError
from shared.messages import MAX_MESSAGE_BYTES, Message, Quarantined, encode, seal
from shared.ports import Handler
from shared.topology import DEAD_LETTERS

if TYPE_CHECKING:
    from shared.backends.gcp.pull import Pulls

_ROLE = "roles/pubsub.publisher"
_TIMEOUT_S = 30.0
# Of one request: 1,000 messages and 10 MB, its envelope included.
_MAX_COUNT = 1_000
_MAX_BYTES = 9_500_000
_ENVELOPE = 1_000
_MAX_ATTRIBUTE = 1_024
_SAMPLE_CHARACTERS = 500

_Message, _Request = types.PubsubMessage.pb(), types.PublishRequest.pb()


class PubSubBus:
    """The ``Bus`` port on the topics of ``project``; also where poison is buried.

    Belongs to the event loop that first uses it. With ``PUBSUB_EMULATOR_HOST`` set it talks to the emulator
    there. Pulling needs :meth:`run`; a process that only publishes loads nothing for it.
    """

    def __init__(self, project: str, clock: Clock) -> None:
        self._project, self._clock = project, clock
        self._made: PublisherAsyncClient | None = None
        self._pulls: Pulls | None = None
        self.intake = Intake(self, clock, self)

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Hand over sealed messages; returns when Pub/Sub has acknowledged every one.

        Raises :class:`MalformedError` for a message of another topic or without ``event_id`` (nothing is then
        published), and for one over 10 MB: then all others are, and a quarantine record says which was not.
        Raises :class:`ConfigError` for a topic that is not there, :class:`CredentialsError` without
        permission, :class:`RetryLaterError` when Pub/Sub cannot be reached: some may then come twice.
        """
        for message in messages:
            if topic != message.TOPIC or not message.event_id:
                raise MalformedError(f"{topic}: {type(message).__name__} is unsealed or of another topic")
        encoded = [(message, encode(message)) for message in messages]
        fit = [one for one in encoded if len(one[1]) <= MAX_MESSAGE_BYTES - _ENVELOPE]
        await self._send(topic, [_wire(message, data) for message, data in fit])
        if len(fit) < len(encoded):
            await self._refuse(topic, [one for one in encoded if one not in fit])

    def subscribe(self, topic: str, name: str, handler: Handler) -> None:
        """Pull the subscription ``{topic}-{name}`` in :meth:`run`, and call ``handler`` for each message."""
        from shared.backends.gcp.pull import Pulls

        if self._pulls is None:
            self._pulls = Pulls(self._project, self.intake)
        self._pulls.add(topic, name, handler)

    async def run(self) -> None:
        """Pull until cancelled; raises what ended a pull that cannot go on by itself."""
        if self._pulls is not None:
            await self._pulls.run()

    async def bury(self, delivery: Delivery, reason: str) -> None:
        """Publish the whole message to the dead letters, with its reason."""
        attributes = {
            **{name: value for name, value in delivery.attributes.items() if name in _KEPT},
            "topic": delivery.topic,
            "reason": _attribute(reason),
            "message_id": delivery.message_id,
        }
        await self.publish_raw(DEAD_LETTERS, delivery.data[: MAX_MESSAGE_BYTES - _ENVELOPE], attributes)

    async def publish_raw(self, topic: str, data: bytes, attributes: dict[str, str]) -> None:
        """Publish bytes as they are: dead letters and their replay."""
        filled = {name: value for name, value in attributes.items() if value}
        # Neither data nor attributes at all would be refused.
        await self._send(topic, [_Message(data=data or b" ", attributes=filled)])

    async def close(self) -> None:
        """Close the line; what was published has been acknowledged."""
        if self._made is not None:
            made, self._made = self._made, None
            await made.transport.close()

    @property
    def _api(self) -> PublisherAsyncClient:
        """The client, made at first use: its channel belongs to the running loop."""
        if self._made is None:
            self._made = PublisherAsyncClient()
        return self._made

    async def _send(self, topic: str, messages: Sequence[Any]) -> None:
        for chunk in _chunks(messages):
            request = _Request(topic=f"projects/{self._project}/topics/{topic}", messages=chunk)
            with _translated(topic):
                await self._api.publish(types.PublishRequest.wrap(request), timeout=_TIMEOUT_S)

    async def _refuse(self, topic: str, large: Sequence[tuple[Message, bytes]]) -> None:
        reasons = [
            f"{message.event_id}: {len(data)} bytes are over the {MAX_MESSAGE_BYTES} of Pub/Sub"
            for message, data in large
        ]
        records = [
            seal(
                Quarantined(
                    observed_at=self._clock.now(),
                    source=topic,
                    reason=f"too_large: {reason}",
                    sample=data[:_SAMPLE_CHARACTERS].decode(errors="replace"),
                    trace_id=message.trace_id,
                )
            )
            for (message, data), reason in zip(large, reasons, strict=True)
        ]
        await self._send(Quarantined.TOPIC, [_wire(record, encode(record)) for record in records])
        raise MalformedError(f"{topic}: not published: {'; '.join(reasons)}")


_KEPT = ("event_id", "trace_id", "schema_version")


def _translated(topic: str) -> AbstractContextManager[None]:
    return translated(f"Pub/Sub {topic}", _ROLE)


def _wire(message: Message, data: bytes) -> Any:
    """A message with what routers and logs need without decoding it."""
    attributes = {
        "topic": message.TOPIC,
        "event_id": message.event_id,
        "schema_version": str(message.schema_version),
    }
    if message.trace_id:
        attributes["trace_id"] = _attribute(message.trace_id)
    return _Message(data=data, attributes=attributes)


def _attribute(text: str) -> str:
    """As much of a text as an attribute holds."""
    return text.encode()[:_MAX_ATTRIBUTE].decode(errors="ignore")


def _chunks(messages: Sequence[Any]) -> Iterator[list[Any]]:
    """Messages in as few requests as fit."""
    chunk: list[Any] = []
    size = 0
    for message in messages:
        length = message.ByteSize() + 10
        if chunk and (len(chunk) == _MAX_COUNT or size + length > _MAX_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(message)
        size += length
    if chunk:
        yield chunk
