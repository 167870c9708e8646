"""Ports in memory: strict order and nothing in flight. Documents also pass the contract suite."""

from __future__ import annotations

import asyncio

import pytest

from shared.backends.memory.bus import DirectBus
from shared.backends.memory.documents import MemoryDocuments
from shared.messages import Message
from tests.support.backends import tick

TOPIC = "kalshi-ticks"


async def test_a_message_is_handled_before_publish_returns_in_order_of_subscription() -> None:
    bus, heard = DirectBus(), list[str]()

    async def first(message: Message) -> None:
        await asyncio.sleep(0)
        heard.append(f"first {message.event_id}")

    async def second(message: Message) -> None:
        heard.append(f"second {message.event_id}")

    bus.subscribe(TOPIC, "first", first)
    bus.subscribe(TOPIC, "second", second)
    one, two = tick(1), tick(2)
    await bus.publish(TOPIC, [one, two])
    assert heard == [f"{name} {message.event_id}" for message in (one, two) for name in ("first", "second")]


async def test_a_topic_nobody_hears_takes_messages() -> None:
    await DirectBus().publish(TOPIC, [tick(1)])


async def test_a_handlers_error_is_the_publishers() -> None:
    bus = DirectBus()

    async def broken(message: Message) -> None:
        raise ZeroDivisionError("a fault")

    bus.subscribe(TOPIC, "broken", broken)
    with pytest.raises(ZeroDivisionError):
        await bus.publish(TOPIC, [tick(1)])


async def test_a_watcher_that_ends_is_forgotten() -> None:
    documents = MemoryDocuments()
    await documents.create("c/a", {"n": 1})
    watching = documents.watch("c")
    assert (await anext(watching)).value == {"n": 1}
    await watching.aclose()  # type: ignore[attr-defined]
    await documents.create("c/b", {"n": 2})
    assert documents._watchers == {}
