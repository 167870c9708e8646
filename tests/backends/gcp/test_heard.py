"""A process hears what it says itself, and pulls what others say."""

from __future__ import annotations

import pytest

from shared.backends.gcp.heard import HeardBus
from shared.backends.memory.bus import DirectBus
from shared.clock import Instant
from shared.errors import RetryLaterError
from shared.messages import Message, TickSeen, seal

TOPIC = TickSeen.TOPIC


def tick(at: int = 1) -> Message:
    return seal(TickSeen(observed_at=Instant(at), ticker="KXNFLGAME-26SEP28BUFPHI-PHI"))


class Ear:
    """Keeps what it hears; may break."""

    def __init__(self, error: Exception | None = None) -> None:
        self.heard: list[Message] = []
        self.error = error

    async def hear(self, message: Message) -> None:
        if self.error is not None:
            raise self.error
        self.heard.append(message)


async def test_what_is_said_here_is_heard_here_and_passed_on() -> None:
    inner, ear, other = DirectBus(), Ear(), Ear()
    inner.subscribe(TOPIC, "history", other.hear)
    bus = HeardBus(inner, set())
    bus.subscribe(TOPIC, "log", ear.hear)
    await bus.publish(TOPIC, [tick(1), tick(2)])
    await bus.close()
    assert ear.heard == other.heard == [tick(1), tick(2)]


async def test_a_pulled_subscription_is_left_to_the_inner_bus() -> None:
    inner, ear = DirectBus(), Ear()
    bus = HeardBus(inner, {(TOPIC, "execution")})
    bus.subscribe(TOPIC, "execution", ear.hear)
    await inner.publish(TOPIC, [tick()])
    assert ear.heard == [tick()]


async def test_what_was_not_accepted_is_not_heard() -> None:
    class Down(DirectBus):
        async def publish(self, topic: str, messages: object) -> None:
            raise RetryLaterError("Pub/Sub is away")

    ear = Ear()
    bus = HeardBus(Down(), set())
    bus.subscribe(TOPIC, "log", ear.hear)
    with pytest.raises(RetryLaterError):
        await bus.publish(TOPIC, [tick()])
    await bus.close()
    assert ear.heard == []


async def test_a_listener_that_breaks_takes_nothing_from_the_others() -> None:
    broken, ear = Ear(ValueError("boom")), Ear()
    bus = HeardBus(DirectBus(), set())
    bus.subscribe(TOPIC, "log", broken.hear)
    bus.subscribe(TOPIC, "watch-over", ear.hear)
    await bus.publish(TOPIC, [tick()])
    await bus.close()
    assert ear.heard == [tick()]
