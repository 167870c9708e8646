"""What becomes of a delivered message, whichever way it came."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

import pytest

from shared.backends.memory.bus import DirectBus
from shared.clock import SECOND, Instant, ManualClock
from shared.delivery import ATTEMPTS, Delivery, Intake
from shared.errors import MalformedError, RetryLaterError
from shared.messages import AlertRaised, Message, OddsSeen, Quarantined, TickSeen, encode, seal
from shared.topology import MAX_AGE_S
from tests.support.backends import tick

TOPIC = TickSeen.TOPIC


@dataclass
class Desk:
    """An intake with everything that came of it."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(Instant(1_790_000_000_000_000)))
    graves: list[tuple[Delivery, str]] = field(default_factory=list)
    records: list[Quarantined] = field(default_factory=list)
    handled: list[Message] = field(default_factory=list)
    error: Exception | None = None

    def __post_init__(self) -> None:
        bus = DirectBus()
        bus.subscribe(Quarantined.TOPIC, "test", self._recorded)
        self.intake = Intake(bus, self.clock, self)

    async def _recorded(self, message: Message) -> None:
        assert isinstance(message, Quarantined)
        self.records.append(message)

    async def bury(self, delivery: Delivery, reason: str) -> None:
        self.graves.append((delivery, reason))

    async def handle(self, message: Message) -> None:
        if self.error is not None:
            raise self.error
        self.handled.append(message)

    async def take(self, message: Message | bytes, attempt: int = 1, topic: str = TOPIC) -> None:
        data = message if isinstance(message, bytes) else encode(message)
        await self.intake.take(Delivery(topic, data, attempt=attempt), self.handle)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_message_is_handled(desk: Desk) -> None:
    await desk.take(tick(1))
    assert desk.handled == [tick(1)]


async def test_the_same_event_twice_is_handled_once(desk: Desk) -> None:
    await desk.take(tick(1))
    await desk.take(tick(1))
    assert (len(desk.handled), desk.intake.counts["repeated"]) == (1, 1)


async def test_one_that_failed_is_handled_when_it_comes_again(desk: Desk) -> None:
    desk.error = RetryLaterError("the store does not answer")
    with pytest.raises(RetryLaterError):
        await desk.take(tick(1))
    desk.error = None
    await desk.take(tick(1))
    assert desk.handled == [tick(1)]
    assert desk.graves == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{not json", "MalformedError"),
        (b"", "MalformedError"),
        (b"x" * 10_000_001, "is over the"),
        (json.dumps({"schema_version": 99, "ticker": "X"}).encode(), "FutureSchemaError: .* upgrade"),
    ],
)
async def test_what_nobody_can_read_is_buried_whole_with_its_reason_and_recorded(
    desk: Desk, data: bytes, reason: str
) -> None:
    await desk.take(data)
    [(delivery, why)] = desk.graves
    assert delivery.data == data
    assert re.search(reason, why)
    [record] = desk.records
    assert (record.source, record.reason) == (TOPIC, why)
    assert desk.handled == []


async def test_an_unknown_topic_is_buried(desk: Desk) -> None:
    await desk.take(tick(1), topic="no-such-topic")
    assert "unknown topic" in desk.graves[0][1]


async def test_a_handler_that_can_not_use_it_buries_it_at_once(desk: Desk) -> None:
    desk.error = MalformedError("an unknown league")
    await desk.take(tick(1))
    assert desk.graves[0][1] == "MalformedError: an unknown league"


async def test_the_last_attempt_buries_with_the_handlers_own_words(desk: Desk) -> None:
    desk.error = ValueError("boom")
    with pytest.raises(ValueError, match="boom"):
        await desk.take(tick(1), attempt=ATTEMPTS - 1)
    await desk.take(tick(1), attempt=ATTEMPTS)
    assert [why for _, why in desk.graves] == ["ValueError: boom"]


async def test_a_quote_too_old_to_be_of_use_is_dropped_with_a_record(desk: Desk) -> None:
    odds = seal(OddsSeen(observed_at=desk.clock.now(), odds_event_id="e", sport_key="s", home="H", away="A"))
    await desk.clock.advance(MAX_AGE_S[OddsSeen.TOPIC] + 1)
    await desk.take(odds, topic=OddsSeen.TOPIC)
    assert desk.handled == []
    assert desk.graves == []
    assert desk.records[0].reason == "too_old: seen 601 s ago"


async def test_what_stands_is_handled_however_old_it_is(desk: Desk) -> None:
    await desk.clock.advance(30 * 86_400)
    await desk.take(tick(1))
    assert desk.handled == [tick(1)]


async def test_a_message_from_the_future_is_handled_and_told_of(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    await desk.take(tick(1_000))
    assert len(desk.handled) == 1
    assert "a clock is wrong" in caplog.text


async def test_a_quarantine_record_that_is_refused_makes_no_other(desk: Desk) -> None:
    await desk.take(b"{", topic=Quarantined.TOPIC)
    assert len(desk.graves) == 1
    assert desk.records == []


async def test_a_message_that_can_not_be_buried_comes_again(desk: Desk) -> None:
    async def full(delivery: Delivery, reason: str) -> None:
        raise RetryLaterError("no line to the dead letters")

    desk.bury = full  # type: ignore[method-assign]
    with pytest.raises(RetryLaterError):
        await desk.take(b"{")
    assert desk.records == []


async def test_two_subscriptions_of_one_process_each_get_the_message(desk: Desk) -> None:
    for name in ("a", "b"):
        delivery = Delivery(TOPIC, encode(tick(1)), subscription=f"{TOPIC}-{name}")
        await desk.intake.take(delivery, desk.handle)
    assert len(desk.handled) == 2


async def test_the_moment_of_the_limit_still_counts(desk: Desk) -> None:
    alert = seal(AlertRaised(observed_at=desk.clock.now(), source="s", code="c", subject="x", text="t"))
    await desk.clock.advance(MAX_AGE_S[AlertRaised.TOPIC])
    await desk.take(alert, topic=AlertRaised.TOPIC)
    assert desk.handled == [alert]
    assert desk.clock.now() - alert.observed_at == MAX_AGE_S[AlertRaised.TOPIC] * SECOND
