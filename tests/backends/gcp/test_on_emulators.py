"""Firestore and Pub/Sub beyond what every backend promises: what only a cloud can do wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from shared.backends.gcp.bus import PubSubBus
from shared.backends.gcp.dead_letters import DeadLetters
from shared.backends.gcp.documents import FirestoreDocuments
from shared.clock import SystemClock
from shared.delivery import Delivery
from shared.errors import ConfigError, ConflictError, MalformedError, OutcomeUnknownError, RetryLaterError
from shared.messages import Message, OpportunityAssessed, Quarantined, TickSeen, decode, encode, seal
from shared.ports import Create, Replace
from shared.terms import Profile, Side
from shared.topology import DEAD_LETTERS
from tests.support.backends import tick
from tests.support.deployment import kept
from tests.support.emulators import Emulators, make_topics, project

TOPIC = TickSeen.TOPIC
NOBODY = "127.0.0.1:9"


@pytest.fixture
async def documents(emulators: Emulators) -> AsyncIterator[FirestoreDocuments]:
    made = FirestoreDocuments(project())
    yield made
    await made.close()


@pytest.fixture
def where(emulators: Emulators) -> str:
    """A project with all topics; each has a subscription of its own name that keeps everything."""
    name = project()
    make_topics(name, [(TOPIC, ""), (Quarantined.TOPIC, ""), (OpportunityAssessed.TOPIC, "")])
    return name


@pytest.fixture
async def bus(where: str) -> AsyncIterator[PubSubBus]:
    made = PubSubBus(where, SystemClock())
    yield made
    await made.close()


@pytest.fixture
async def letters(where: str, bus: PubSubBus) -> AsyncIterator[DeadLetters]:
    made = DeadLetters(where, bus)
    yield made
    await made.close()


async def test_a_version_is_the_update_time_in_microseconds(documents: FirestoreDocuments) -> None:
    before = SystemClock().now()
    version = await documents.create("c/a", {})
    assert before - 2_000_000 < version < SystemClock().now() + 2_000_000


async def test_a_batch_under_a_stale_version_leaves_nothing_behind(documents: FirestoreDocuments) -> None:
    version = await documents.create("c/a", {"n": 1})
    await documents.replace_if("c/a", {"n": 2}, version)
    with pytest.raises(ConflictError):
        await documents.batch([Create("c/b", {}), Replace("c/a", {"n": 3}, version)])
    assert await documents.get("c/b") is None


async def test_a_value_over_a_mebibyte_is_malformed_and_says_so(documents: FirestoreDocuments) -> None:
    with pytest.raises(MalformedError, match="c/big"):
        await documents.create("c/big", {"x": "x" * 1_100_000})


@pytest.mark.parametrize("path", ["a", "a/", "/a", "a/b/c", "a/.", "a/.."])
async def test_a_path_that_is_not_collection_and_id_is_malformed(
    documents: FirestoreDocuments, path: str
) -> None:
    with pytest.raises(MalformedError, match="collection/id"):
        await documents.create(path, {})


async def test_two_watchers_of_one_collection_see_the_same(documents: FirestoreDocuments) -> None:
    async with aclosing(documents.watch("c")) as one, aclosing(documents.watch("c")) as two:
        await documents.create("c/a", {"n": 1})
        async with asyncio.timeout(10):
            assert (await anext(one)).value == (await anext(two)).value == {"n": 1}


async def test_a_store_that_cannot_be_reached_is_told_apart_for_reads_and_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", NOBODY)
    monkeypatch.setattr("shared.backends.gcp.documents._RETRY", None)
    documents = FirestoreDocuments("nowhere")
    with pytest.raises(RetryLaterError):
        await documents.get("c/a")
    with pytest.raises(OutcomeUnknownError):
        await documents.create("c/a", {})
    await documents.close()


async def test_a_frame_that_cannot_be_read_costs_a_watch_nothing_but_its_line(
    documents: FirestoreDocuments, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, corrupt = FirestoreDocuments._listened, [DecodeError("Wire format was corrupt")]

    async def listened(self: FirestoreDocuments, collection: str, token: bytes) -> AsyncIterator[Any]:
        if corrupt:
            raise corrupt.pop()
        async for change in real(self, collection, token):
            yield change

    monkeypatch.setattr(FirestoreDocuments, "_listened", listened)
    await documents.create("c/a", {"n": 1})
    async with aclosing(documents.watch("c")) as states:
        assert (await anext(states)).value == {"n": 1}
    assert corrupt == []


async def test_a_watch_that_stays_cut_off_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever trusts a halt to be seen must be told that it would not be."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", NOBODY)
    monkeypatch.setattr("shared.backends.gcp.documents._RECONNECT_S", (0.0,))
    documents = FirestoreDocuments("nowhere")
    with pytest.raises(RetryLaterError, match="cut off"):
        async with aclosing(documents.watch("control")) as states:
            await anext(states)
    await documents.close()


async def test_a_published_message_carries_what_routers_need(bus: PubSubBus, where: str) -> None:
    sent = seal(tick(1), "t1")
    await bus.publish(TOPIC, [sent])
    [message] = kept(where, TOPIC)
    assert dict(message.attributes) == {
        "topic": TOPIC,
        "event_id": sent.event_id,
        "schema_version": "1",
        "trace_id": "t1",
    }
    assert decode(TOPIC, message.data) == sent


async def test_a_topic_that_is_not_there_is_a_matter_of_deployment(emulators: Emulators) -> None:
    bus = PubSubBus(project(), SystemClock())
    with pytest.raises(ConfigError, match="terraform apply"):
        await bus.publish(TOPIC, [tick(1)])
    await bus.close()


async def test_a_subscription_that_is_not_there_ends_the_pull(emulators: Emulators) -> None:
    bus = PubSubBus(project(), SystemClock())

    async def handle(_: Message) -> None:
        pass

    bus.subscribe(TOPIC, "none", handle)
    with pytest.raises(ConfigError, match="terraform apply"):
        await asyncio.wait_for(bus.run(), 20)


async def test_a_message_over_ten_megabytes_is_refused_recorded_and_stops_no_other(
    bus: PubSubBus, where: str
) -> None:
    small, large = _opportunity("a"), _opportunity("b", "x" * 10_000_000)
    with pytest.raises(MalformedError, match=f"{large.event_id}: .* bytes are over the 10000000"):
        await bus.publish(OpportunityAssessed.TOPIC, [large, small])
    assert [
        decode(OpportunityAssessed.TOPIC, one.data) for one in kept(where, OpportunityAssessed.TOPIC)
    ] == [small]
    [record] = kept(where, Quarantined.TOPIC)
    assert b"too_large" in record.data


def _opportunity(name: str, reason: str = "") -> OpportunityAssessed:
    return seal(
        OpportunityAssessed(
            observed_at=SystemClock().now(),
            opportunity_id=name,
            ticker="T",
            event_ticker="E",
            side=Side.YES,
            profile=Profile.STANDARD,
            accepted=False,
            reasons=(reason,),
        )
    )


async def test_poison_is_buried_whole_with_its_reason(bus: PubSubBus, letters: DeadLetters) -> None:
    future = json.dumps({"schema_version": 7, "observed_at": 1, "ticker": "X"}).encode()

    async def handle(_: Message) -> None:
        raise AssertionError("it cannot be read")

    await bus.intake.take(Delivery(TOPIC, future, {"event_id": "e7", "trace_id": "t"}), handle)
    [letter] = await letters.waiting()
    assert (letter.topic, letter.event_id, letter.data) == (TOPIC, "e7", future)
    assert letter.reason == f"FutureSchemaError: {TOPIC}: schema 7 is newer than 1; upgrade"


async def test_looking_at_the_letters_takes_none(bus: PubSubBus, letters: DeadLetters) -> None:
    for n in range(3):
        await bus.bury(Delivery(TOPIC, encode(tick(n)), {}), "because")
    assert len(await letters.waiting()) == 3
    assert len(await letters.waiting()) == 3


async def test_replay_publishes_the_chosen_letters_again_and_leaves_the_rest(
    bus: PubSubBus, letters: DeadLetters, where: str
) -> None:
    for n in range(2):
        await bus.bury(Delivery(TOPIC, encode(tick(n)), {"event_id": tick(n).event_id}), "because")
    done = await letters.replay(lambda letter: letter.event_id == tick(1).event_id)
    assert [letter.event_id for letter in done] == [tick(1).event_id]
    [again] = kept(where, TOPIC)
    assert decode(TOPIC, again.data) == tick(1)
    assert dict(again.attributes) == {"topic": TOPIC, "event_id": tick(1).event_id}
    assert [letter.event_id for letter in await letters.waiting()] == [tick(0).event_id]


async def test_a_letter_of_an_unknown_topic_is_not_replayed(bus: PubSubBus, letters: DeadLetters) -> None:
    await bus.publish_raw(DEAD_LETTERS, b"x", {"CloudPubSubDeadLetterSourceDeliveryCount": "5"})
    assert await letters.replay(lambda _: True) == []
    [letter] = await letters.waiting()
    assert letter.reason == "a subscription gave up after 5 attempts; its log says why"
