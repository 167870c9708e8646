"""The dead letters as a person handles them: look without taking, and deliver again what has been mended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1 import types
from google.pubsub_v1.services.subscriber import SubscriberAsyncClient

from shared.backends.gcp.bus import PubSubBus
from shared.backends.gcp.errors import translated
from shared.clock import Instant
from shared.messages import BY_TOPIC
from shared.topology import DEAD_LETTERS

_ROLE = "roles/pubsub.subscriber"
_TIMEOUT_S = 15.0
_PULL_S = 3.0
_PAGE = 100
# The shortest that keeps a letter from being pulled twice while the others are read.
_HELD_S = 60
# What Pub/Sub's own dead-letter policy writes on a message; it cannot say why handlers failed.
_COUNT = "CloudPubSubDeadLetterSourceDeliveryCount"
_SOURCE = "CloudPubSubDeadLetterSourceSubscription"

_Pull = types.PullRequest.pb()


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter. ``topic`` is where it was published first, empty if that is not known."""

    message_id: str
    topic: str
    reason: str
    event_id: str
    trace_id: str
    buried_at: Instant
    data: bytes
    attributes: dict[str, str]


class DeadLetters:
    """The letters in the subscription of the dead-letter topic of ``project``."""

    def __init__(self, project: str, bus: PubSubBus) -> None:
        self._bus = bus
        self._path = f"projects/{project}/subscriptions/{DEAD_LETTERS}"
        self._made: SubscriberAsyncClient | None = None

    async def waiting(self, limit: int = 1_000) -> list[Letter]:
        """The letters that wait, oldest first, at most ``limit``; every one stays where it is."""
        pulled = await self._pull(limit)
        await self._put_back([one.ack_id for one in pulled])
        return sorted(map(_letter, pulled), key=lambda letter: letter.buried_at)

    async def replay(self, chosen: Callable[[Letter], bool], limit: int = 1_000) -> list[Letter]:
        """Publish the chosen letters on their own topics again and take them out; gives which.

        Whoever has handled one drops it by its event id. One whose topic is not known stays.
        """
        pulled = await self._pull(limit)
        done: list[Letter] = []
        back: list[str] = []
        try:
            for one in pulled:
                letter = _letter(one)
                if letter.topic not in BY_TOPIC or not chosen(letter):
                    back.append(one.ack_id)
                    continue
                await self._bus.publish_raw(letter.topic, letter.data, _again(letter))
                await self._take_out([one.ack_id])
                done.append(letter)
        finally:
            await self._put_back(back)
        return done

    async def close(self) -> None:
        """Close the line."""
        if self._made is not None:
            made, self._made = self._made, None
            await made.transport.close()

    @property
    def _api(self) -> SubscriberAsyncClient:
        if self._made is None:
            self._made = SubscriberAsyncClient()
        return self._made

    async def _pull(self, limit: int) -> list[Any]:
        """Letters, each once; an empty page is the end."""
        found: dict[str, Any] = {}
        while len(found) < limit:
            request = _Pull(
                subscription=self._path,
                max_messages=min(_PAGE, limit - len(found)),
            )
            page = await self._page(request)
            fresh = {one.message.message_id: one for one in page if one.message.message_id not in found}
            if not fresh:
                break
            found |= fresh
            await self._hold([one.ack_id for one in page], _HELD_S)
        return list(found.values())

    async def _page(self, request: Any) -> list[Any]:
        """What comes within a moment: a person waits, and an empty subscription says nothing at all."""
        with translated("Pub/Sub dead letters", _ROLE):
            try:
                wrapped = types.PullRequest.wrap(request)
                answer = await self._api.pull(wrapped, timeout=_PULL_S, retry=None)
            except DeadlineExceeded:
                return []
        return list(types.PullResponse.pb(answer).received_messages)

    async def _put_back(self, ack_ids: list[str]) -> None:
        if ack_ids:
            await self._hold(ack_ids, 0)

    async def _hold(self, ack_ids: list[str], seconds: int) -> None:
        with translated("Pub/Sub dead letters", _ROLE):
            await self._api.modify_ack_deadline(
                subscription=self._path, ack_ids=ack_ids, ack_deadline_seconds=seconds, timeout=_TIMEOUT_S
            )

    async def _take_out(self, ack_ids: list[str]) -> None:
        with translated("Pub/Sub dead letters", _ROLE):
            await self._api.acknowledge(subscription=self._path, ack_ids=ack_ids, timeout=_TIMEOUT_S)


def _letter(pulled: Any) -> Letter:
    message = pulled.message
    attributes = dict(message.attributes)
    return Letter(
        message_id=attributes.get("message_id", message.message_id),
        topic=attributes.get("topic", ""),
        reason=attributes.get("reason") or _unexplained(attributes),
        event_id=attributes.get("event_id", ""),
        trace_id=attributes.get("trace_id", ""),
        buried_at=Instant(message.publish_time.ToMicroseconds()),
        data=message.data,
        attributes=attributes,
    )


def _unexplained(attributes: dict[str, str]) -> str:
    source, count = attributes.get(_SOURCE, "a subscription"), attributes.get(_COUNT, "several")
    return f"{source} gave up after {count} attempts; its log says why"


def _again(letter: Letter) -> dict[str, str]:
    """What the message carried when it was first published."""
    kept = ("topic", "event_id", "trace_id", "schema_version")
    return {name: letter.attributes[name] for name in kept if name in letter.attributes}
