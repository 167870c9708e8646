"""The deployed functions together, on the emulators: from the schedule's call to the signal in the store.

Every function is a process of its own; the exchange and the odds feed are the simulated ones, standing still.
However badly messages are delivered, the end must be what one process makes of the same world.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.backends.gcp.bus import PubSubBus
from shared.backends.gcp.documents import FirestoreDocuments
from shared.clock import SystemClock
from shared.messages import MarketListed, Quarantined, SignalRaised, decode
from shared.topology import DEAD_LETTERS, FUNCTIONS
from tests.e2e.conftest import Outcome, Scene, outcome
from tests.support.backends import rng
from tests.support.deployment import Deployment, deployed, kept
from tests.support.emulators import Emulators, project

pytestmark = pytest.mark.e2e


async def left(where: str) -> Outcome:
    """What the functions of a project left in its documents."""
    documents = FirestoreDocuments(where)
    try:
        return await outcome(documents)
    finally:
        await documents.close()


async def cycle(functions: Deployment) -> None:
    """What the schedules do in a minute or two: slates, listings, and odds for what is mapped."""
    await functions.call("odds_scraper")
    await functions.call("kalshi_scraper")
    await functions.deliver()
    report = await functions.call("odds_scraper")
    assert report["failed"] == {}
    await functions.deliver()


async def test_a_schedules_call_ends_in_the_signals_that_are_there(
    emulators: Emulators, scene: Scene, tmp_path: Path
) -> None:
    where = project()
    async with deployed(emulators, where, scene.settings, tmp_path, rng(1)) as functions:
        await cycle(functions)
        assert functions.relay.refused == 0
    assert await left(where) == scene.expected
    sent = [decode(SignalRaised.TOPIC, one.data) for one in kept(where, SignalRaised.TOPIC)]
    assert len(sent) == len(scene.expected.signals)
    assert kept(where, DEAD_LETTERS) == []
    assert kept(where, Quarantined.TOPIC) == []


async def test_doubled_shuffled_poisoned_and_restarted_it_ends_the_same(
    emulators: Emulators, scene: Scene, tmp_path: Path
) -> None:
    where = project()
    async with deployed(emulators, where, scene.settings, tmp_path, rng(3)) as functions:
        functions.relay.badly = True
        await functions.call("odds_scraper")
        await functions.call("kalshi_scraper")
        await poison(where)
        await functions.deliver(restart=[function.name for function in FUNCTIONS])
        await cycle(functions)
    assert await left(where) == scene.expected
    letters = kept(where, DEAD_LETTERS)
    assert {one.data for one in letters} == {b"{poison"}
    assert {one.attributes["reason"].partition(":")[0] for one in letters} == {"MalformedError"}
    records = [decode(Quarantined.TOPIC, one.data) for one in kept(where, Quarantined.TOPIC)]
    assert {record.source for record in records if isinstance(record, Quarantined)} == {MarketListed.TOPIC}


async def poison(where: str) -> None:
    """A message on ``kalshi-markets`` that nobody can read."""
    bus = PubSubBus(where, SystemClock())
    try:
        await bus.publish_raw(MarketListed.TOPIC, b"{poison", {"topic": MarketListed.TOPIC})
    finally:
        await bus.close()
