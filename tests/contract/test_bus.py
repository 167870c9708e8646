"""What every ``Bus`` backend promises: at least once, in any order; and what becomes of unusable input."""

from __future__ import annotations

import pytest

from shared.clock import Instant
from shared.errors import ConfigError, MalformedError
from shared.messages import Message, Quarantined, TickSeen
from tests.support.backends import BUSES, BusBench, tick

TOPIC = TickSeen.TOPIC
EVERY = pytest.mark.parametrize("bus_backend", BUSES, indirect=True)
# On the memory bus an error in a handler is the publisher's: there is nothing in between.
REDELIVERS = pytest.mark.parametrize("bus_backend", ["local", "pubsub"], indirect=True)


class Recorder:
    """A handler that keeps what it got, after failing ``failures`` times."""

    def __init__(self, failures: int = 0, error: Exception | None = None) -> None:
        self.got: list[Message] = []
        self.calls = 0
        self._failures, self._error = failures, error or RuntimeError("not yet")

    async def __call__(self, message: Message) -> None:
        self.calls += 1
        if self.calls <= self._failures:
            raise self._error
        self.got.append(message)

    @property
    def events(self) -> set[str]:
        """What it got, duplicates apart."""
        return {message.event_id for message in self.got}


def events(*messages: Message) -> set[str]:
    return {message.event_id for message in messages}


@EVERY
async def test_every_subscription_gets_every_message(bench: BusBench) -> None:
    first, second = Recorder(), Recorder()
    bench.subscribe(TOPIC, "first", first)
    bench.subscribe(TOPIC, "second", second)
    ticks = [tick(n) for n in range(5)]
    await bench.bus.publish(TOPIC, ticks)
    await bench.until(lambda: first.events == second.events == events(*ticks))


@EVERY
async def test_a_message_arrives_as_it_was_sent(bench: BusBench) -> None:
    handler, sent = Recorder(), tick(1, "KX-É\n-1")
    bench.subscribe(TOPIC, "a", handler)
    await bench.bus.publish(TOPIC, [sent])
    await bench.until(lambda: bool(handler.got))
    assert handler.got == [sent]


@EVERY
async def test_a_subscription_gets_nothing_of_other_topics(bench: BusBench) -> None:
    ticks, others = Recorder(), Recorder()
    bench.subscribe(TOPIC, "a", ticks)
    bench.subscribe("quarantine", "a", others)
    await bench.bus.publish(TOPIC, [tick(1)])
    await bench.until(lambda: bool(ticks.got))
    assert others.calls == 0


@EVERY
async def test_publishing_nothing_is_no_error(bench: BusBench) -> None:
    await bench.bus.publish(TOPIC, [])


@EVERY
async def test_a_thousand_and_more_messages_all_arrive(bench: BusBench) -> None:
    handler, ticks = Recorder(), [tick(n) for n in range(1_200)]
    bench.subscribe(TOPIC, "a", handler)
    await bench.bus.publish(TOPIC, ticks)
    await bench.until(lambda: handler.events == events(*ticks))


@REDELIVERS
async def test_a_handler_that_fails_gets_the_message_again(bench: BusBench) -> None:
    handler = Recorder(failures=4)
    bench.subscribe(TOPIC, "a", handler)
    await bench.bus.publish(TOPIC, [tick(1), tick(2)])
    await bench.until(lambda: handler.events == events(tick(1), tick(2)))


@REDELIVERS
async def test_a_message_that_keeps_failing_is_quarantined_with_the_reason(bench: BusBench) -> None:
    handler, buried = Recorder(failures=100), Recorder()
    bench.subscribe(TOPIC, "a", handler)
    bench.subscribe(Quarantined.TOPIC, "q", buried)
    await bench.bus.publish(TOPIC, [tick(1)])
    await bench.until(lambda: bool(buried.got))
    record = buried.got[0]
    assert isinstance(record, Quarantined)
    assert record.source == TOPIC
    assert record.reason.endswith("RuntimeError: not yet")
    assert tick(1).event_id in record.sample
    assert handler.calls == 5


@REDELIVERS
async def test_unusable_input_is_not_tried_again(bench: BusBench) -> None:
    handler, buried = Recorder(failures=1, error=MalformedError("bad")), Recorder()
    bench.subscribe(TOPIC, "a", handler)
    bench.subscribe(Quarantined.TOPIC, "q", buried)
    await bench.bus.publish(TOPIC, [tick(1)])
    await bench.until(lambda: bool(buried.got))
    assert (handler.calls, len(buried.got)) == (1, 1)


@REDELIVERS
async def test_a_failing_handler_does_not_stop_the_next_message(bench: BusBench) -> None:
    handler, error = Recorder(), MalformedError("bad")

    async def picky(message: Message) -> None:
        if message == tick(1):
            raise error
        await handler(message)

    bench.subscribe(TOPIC, "a", picky)
    await bench.bus.publish(TOPIC, [tick(1), tick(2)])
    await bench.until(lambda: bool(handler.got))
    assert handler.got == [tick(2)]


@REDELIVERS
async def test_an_unsealed_message_is_refused(bench: BusBench) -> None:
    with pytest.raises(MalformedError, match="unsealed"):
        await bench.bus.publish(TOPIC, [TickSeen(observed_at=Instant(0), ticker="X")])


@REDELIVERS
async def test_a_message_of_another_topic_is_refused_and_nothing_is_sent(bench: BusBench) -> None:
    handler = Recorder()
    bench.subscribe("fills", "a", handler)
    with pytest.raises(MalformedError, match="another topic"):
        await bench.bus.publish("fills", [tick(1)])


@REDELIVERS
async def test_a_subscription_name_is_taken_once(bench: BusBench) -> None:
    bench.subscribe(TOPIC, "a", Recorder())
    with pytest.raises(ConfigError, match="'a'"):
        bench.bus.subscribe(TOPIC, "a", Recorder())
