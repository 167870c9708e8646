"""What the ``Bus`` port promises: at least once, no order, duplicates; and what handlers make of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.backends.local.bus import Faults, LocalBus
from shared.clock import Instant, SystemClock
from shared.errors import ConfigError, MalformedError, RetryLaterError
from shared.idempotence import Newest, Seen, once
from shared.messages import Message, Quarantined, TickSeen
from tests.support.backends import rng, tick

TOPIC = TickSeen.TOPIC
Open = Callable[..., LocalBus]


@pytest.fixture
async def open_bus() -> AsyncIterator[Open]:
    """Makes buses that retry without waiting, and closes them."""
    opened: list[LocalBus] = []

    def make(**options: object) -> LocalBus:
        opened.append(LocalBus(SystemClock(), backoff_s=0, **options))  # type: ignore[arg-type]
        return opened[-1]

    yield make
    for bus in opened:
        await bus.close()


class Recorder:
    """A handler that keeps what it got, after failing ``failures`` times."""

    def __init__(self, failures: int = 0, error: Exception | None = None) -> None:
        self.got: list[Message] = []
        self._failures, self._error = failures, error or RuntimeError("not yet")

    async def __call__(self, message: Message) -> None:
        if self._failures:
            self._failures -= 1
            raise self._error
        self.got.append(message)


async def test_every_subscription_gets_every_message(open_bus: Open) -> None:
    bus, first, second = open_bus(), Recorder(), Recorder()
    bus.subscribe(TOPIC, "first", first)
    bus.subscribe(TOPIC, "second", second)
    ticks = [tick(n) for n in range(5)]
    await bus.publish(TOPIC, ticks)
    await bus.drain()
    assert (first.got, second.got) == (ticks, ticks)


async def test_a_handler_that_fails_gets_the_message_again(open_bus: Open) -> None:
    bus, handler = open_bus(attempts=5), Recorder(failures=4)
    bus.subscribe(TOPIC, "a", handler)
    await bus.publish(TOPIC, [tick(1), tick(2)])
    await bus.drain()
    assert handler.got == [tick(1), tick(2)]


async def test_a_message_that_keeps_failing_is_quarantined_with_the_reason(open_bus: Open) -> None:
    bus, buried = open_bus(attempts=3), Recorder()
    bus.subscribe(TOPIC, "a", Recorder(failures=3))
    bus.subscribe(Quarantined.TOPIC, "q", buried)
    await bus.publish(TOPIC, [tick(1)])
    await bus.drain()
    (record,) = buried.got
    assert isinstance(record, Quarantined)
    assert record.source == TOPIC
    assert record.reason == "a: RuntimeError: not yet"
    assert tick(1).event_id in record.sample


async def test_unusable_input_is_not_tried_again(open_bus: Open) -> None:
    bus, handler, buried = open_bus(), Recorder(failures=1, error=MalformedError("bad")), Recorder()
    bus.subscribe(TOPIC, "a", handler)
    bus.subscribe(Quarantined.TOPIC, "q", buried)
    await bus.publish(TOPIC, [tick(1)])
    await bus.drain()
    assert (handler.got, len(buried.got)) == ([], 1)


async def test_a_failing_handler_does_not_stop_the_next_message(open_bus: Open) -> None:
    bus, handler = open_bus(attempts=2), Recorder(failures=2)
    bus.subscribe(TOPIC, "a", handler)
    await bus.publish(TOPIC, [tick(1), tick(2)])
    await bus.drain()
    assert handler.got == [tick(2)]


async def test_a_quarantine_handler_that_fails_does_not_loop(open_bus: Open) -> None:
    bus = open_bus(attempts=1)
    bus.subscribe(TOPIC, "a", Recorder(failures=1))
    bus.subscribe(Quarantined.TOPIC, "q", Recorder(failures=10))
    await bus.publish(TOPIC, [tick(1)])
    await asyncio.wait_for(bus.drain(), 2)


async def test_drain_waits_for_what_handlers_publish(open_bus: Open) -> None:
    bus, last = open_bus(), Recorder()

    async def forward(message: Message) -> None:
        await asyncio.sleep(0)
        await bus.publish(Quarantined.TOPIC, [_record(message)])

    bus.subscribe(TOPIC, "a", forward)
    bus.subscribe(Quarantined.TOPIC, "b", last)
    await bus.publish(TOPIC, [tick(n) for n in range(20)])
    await bus.drain()
    assert len(last.got) == 20


def _record(message: Message) -> Quarantined:
    return Quarantined(observed_at=Instant(0), event_id=message.event_id, source="x", reason="y")


async def test_a_full_queue_holds_the_publisher_back(open_bus: Open) -> None:
    bus, gate, handler = open_bus(capacity=2), asyncio.Event(), Recorder()

    async def slow(message: Message) -> None:
        await gate.wait()
        await handler(message)

    bus.subscribe(TOPIC, "a", slow)
    publishing = asyncio.create_task(bus.publish(TOPIC, [tick(n) for n in range(10)]))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not publishing.done()
    gate.set()
    await publishing
    await bus.drain()
    assert len(handler.got) == 10


async def test_an_unsealed_message_is_refused(open_bus: Open) -> None:
    with pytest.raises(MalformedError, match="unsealed"):
        await open_bus().publish(TOPIC, [TickSeen(observed_at=Instant(0), ticker="X")])


async def test_a_message_of_another_topic_is_refused(open_bus: Open) -> None:
    with pytest.raises(MalformedError, match="another topic"):
        await open_bus().publish("fills", [tick(1)])


async def test_a_subscription_name_is_taken_once(open_bus: Open) -> None:
    bus = open_bus()
    bus.subscribe(TOPIC, "a", Recorder())
    with pytest.raises(ConfigError, match="'a'"):
        bus.subscribe(TOPIC, "a", Recorder())


async def test_close_handles_what_is_queued_and_then_refuses(open_bus: Open) -> None:
    bus, handler = open_bus(), Recorder()
    bus.subscribe(TOPIC, "a", handler)
    await bus.publish(TOPIC, [tick(1)])
    await bus.close()
    assert handler.got == [tick(1)]
    with pytest.raises(RetryLaterError):
        await bus.publish(TOPIC, [tick(2)])


async def test_close_does_not_wait_for_a_hanging_handler(open_bus: Open) -> None:
    bus = open_bus()

    async def hang(_: Message) -> None:
        await asyncio.Event().wait()

    bus.subscribe(TOPIC, "a", hang)
    await bus.publish(TOPIC, [tick(1)])
    await asyncio.wait_for(bus.close(timeout_s=0.01), 2)


@given(st.integers(0, 2**32), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
async def test_bad_delivery_loses_nothing_and_an_idempotent_handler_sees_each_event_once(
    seed: int, duplicate: float, late: float, lost_ack: float
) -> None:
    bus = LocalBus(SystemClock(), faults=Faults(seed, duplicate, late, lost_ack))
    raw, idempotent = Recorder(), Recorder()
    bus.subscribe(TOPIC, "raw", raw)
    bus.subscribe(TOPIC, "once", once(idempotent))
    ticks = [tick(n) for n in range(15)]
    await bus.publish(TOPIC, ticks)
    await bus.close()
    assert set(raw.got) == set(ticks)
    assert sorted(m.event_id for m in idempotent.got) == sorted(m.event_id for m in ticks)


@given(st.integers(0, 2**32))
async def test_the_same_seed_gives_the_same_bad_delivery(seed: int) -> None:
    async def delivered() -> list[Message]:
        bus, handler = LocalBus(SystemClock(), faults=Faults(seed, 0.3, 0.3, 0.3)), Recorder()
        bus.subscribe(TOPIC, "a", handler)
        await bus.publish(TOPIC, [tick(n) for n in range(10)])
        await bus.close()
        return handler.got

    assert await delivered() == await delivered()


@given(st.integers(0, 2**32))
async def test_reordered_and_repeated_ticks_leave_the_newest_state(seed: int) -> None:
    """A handler that drops what is older than it has seen keeps the same state however it is delivered."""
    state: dict[str, TickSeen] = {}
    newest: Newest[str] = Newest()

    async def keep(message: Message) -> None:
        assert isinstance(message, TickSeen)
        if newest.admit(message.ticker, message.observed_at):
            state[message.ticker] = message

    bus = LocalBus(SystemClock(), faults=Faults(seed, 0.4, 0.4, 0.4))
    bus.subscribe(TOPIC, "keep", keep)
    ticks = [tick(n, f"T{n % 3}") for n in range(12)]
    rng(seed).shuffle(ticks)
    await bus.publish(TOPIC, ticks)
    await bus.close()
    assert state == {f"T{n}": tick(9 + n, f"T{n}") for n in range(3)}


async def test_a_failed_call_is_not_remembered_as_done() -> None:
    handler = Recorder(failures=1)
    guarded = once(handler)
    with pytest.raises(RuntimeError):
        await guarded(tick(1))
    await guarded(tick(1))
    await guarded(tick(1))
    assert handler.got == [tick(1)]


def test_seen_forgets_the_least_recent_beyond_its_capacity() -> None:
    seen: Seen[int] = Seen(2)
    for key in (1, 2, 1, 3):
        seen.add(key)
    assert [key in seen for key in (1, 2, 3)] == [True, False, True]
    assert len(seen) == 2


def test_newest_refuses_the_same_instant_and_forgets_beyond_its_capacity() -> None:
    newest: Newest[int] = Newest(1)
    assert newest.admit(1, Instant(5))
    assert not newest.admit(1, Instant(5))
    assert newest.admit(2, Instant(1))
    assert newest.admit(1, Instant(4))
