"""The deployed functions together, on the emulators: from the schedule's call to the fill and its messages.

Every function is a process of its own, and so is the execution service; the exchange and the odds feed are
the simulated ones, their prices standing still. However badly messages are delivered, the end must be what
one process makes of the same world, and our books those of the exchange.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from shared.backends.gcp.bus import PubSubBus
from shared.backends.gcp.documents import FirestoreDocuments
from shared.clock import Instant, SystemClock
from shared.config import load
from shared.desks import risk_limits
from shared.messages import FillRecorded, MarketListed, OrderUpdated, Quarantined, SignalRaised, decode
from shared.money import ZERO_USD
from shared.orders.state import TERMINAL
from shared.risk.book import Book, decode_book
from shared.runtime.service import SIGNALS, signal_of
from shared.topology import DEAD_LETTERS, FUNCTIONS
from tests.crash.judge import AT_REST, Evidence, faults_of
from tests.e2e.conftest import Outcome, Scene, outcome
from tests.simulation.case import intent_of
from tests.support.backends import rng
from tests.support.deployment import EXECUTION, Deployment, deployed, kept
from tests.support.emulators import Emulators, project

pytestmark = pytest.mark.e2e

# Real seconds: start, first agreement with the exchange, then an order a signal.
_EXECUTED_S = 90.0
_LOOK_S = 0.5
_QUIET_S = 3.0
START = Instant(0)


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


async def test_a_schedules_call_ends_in_fills_at_the_exchange_and_their_messages(
    emulators: Emulators, scene: Scene, tmp_path: Path
) -> None:
    where = project()
    whole = deployed(emulators, where, scene.settings, tmp_path, rng(1), scene.trading)
    async with whole as functions:
        await cycle(functions)
        await executed(where, scene, functions)
        assert functions.relay.refused == 0
    await agrees(where, scene)
    sent = [decode(SignalRaised.TOPIC, one.data) for one in kept(where, SignalRaised.TOPIC)]
    assert len(sent) == len(scene.expected.signals)
    assert kept(where, DEAD_LETTERS) == []
    assert kept(where, Quarantined.TOPIC) == []


async def test_doubled_shuffled_poisoned_and_restarted_it_ends_the_same(
    emulators: Emulators, scene: Scene, tmp_path: Path
) -> None:
    where = project()
    whole = deployed(emulators, where, scene.settings, tmp_path, rng(3), scene.trading)
    async with whole as functions:
        functions.relay.badly = True
        await functions.call("odds_scraper")
        await functions.call("kalshi_scraper")
        await poison(where)
        await functions.deliver(restart=[one.name for one in (*FUNCTIONS, EXECUTION)])
        await cycle(functions)
        await executed(where, scene, functions)
    await agrees(where, scene)
    letters = kept(where, DEAD_LETTERS)
    assert {one.data for one in letters} == {b"{poison"}
    assert {one.attributes["reason"].partition(":")[0] for one in letters} == {"MalformedError"}
    records = [decode(Quarantined.TOPIC, one.data) for one in kept(where, Quarantined.TOPIC)]
    assert {record.source for record in records if isinstance(record, Quarantined)} == {MarketListed.TOPIC}


async def executed(where: str, scene: Scene, functions: Deployment) -> None:
    """Until every signal has become fills, nothing is open, and no order has come for a while."""
    service, orders, quiet_s = functions.processes[EXECUTION.name], 0, 0.0
    async with asyncio.timeout(_EXECUTED_S):
        while quiet_s < _QUIET_S:
            service.look()
            await asyncio.sleep(_LOOK_S)
            seen = await evidence(where, scene)
            is_still = len(seen.truth.orders) == orders and _is_executed(scene, seen)
            orders, quiet_s = len(seen.truth.orders), quiet_s + _LOOK_S if is_still else 0.0


def _is_executed(scene: Scene, seen: Evidence) -> bool:
    bought = {(one.ticker, "yes" if one.bid else "no") for one in seen.truth.orders if one.filled}
    return bought >= scene.expected.signals and not faults_of(seen, AT_REST)


async def agrees(where: str, scene: Scene) -> None:
    """Decisions and signals are those of one process, books and history those of the exchange."""
    found = await left(where)
    assert found.signals ^ scene.expected.signals == frozenset()
    assert found == scene.expected
    seen = await evidence(where, scene)
    assert faults_of(seen, AT_REST) == []
    fills = [decode(FillRecorded.TOPIC, one.data) for one in kept(where, FillRecorded.TOPIC)]
    told = {one.fill_id: (one.ticker, one.quantity) for one in fills if isinstance(one, FillRecorded)}
    assert told == {one.fill_id: (one.ticker, one.lots) for one in seen.truth.fills}
    orders = [decode(OrderUpdated.TOPIC, one.data) for one in kept(where, OrderUpdated.TOPIC)]
    ended = {one.order_id for one in orders if isinstance(one, OrderUpdated) and one.status in TERMINAL}
    assert ended >= {one.client_order_id for one in seen.truth.orders}
    assert kept(where, f"{SignalRaised.TOPIC}-execution") == []  # all was pulled


async def evidence(where: str, scene: Scene) -> Evidence:
    """What the executor left, beside the exchange's own books."""
    documents = FirestoreDocuments(where)
    try:
        intents = [intent_of(one.value) for one in await documents.query("orders")]
        raised = [signal_of(one) for one in await documents.query(SIGNALS)]
        [book] = [decode_book(one.value) for one in await documents.query("risk")] or [
            Book(ZERO_USD, START, ZERO_USD)
        ]
    finally:
        await documents.close()
    limits = risk_limits(load({**scene.settings, **scene.trading}, dotenv=None))
    return Evidence(
        scene.truth(),
        {one.order_id: one for one in intents},
        book,
        {one.signal_id: one for one in raised},
        limits,
    )


async def poison(where: str) -> None:
    """A message on ``kalshi-markets`` that nobody can read."""
    bus = PubSubBus(where, SystemClock())
    try:
        await bus.publish_raw(MarketListed.TOPIC, b"{poison", {"topic": MarketListed.TOPIC})
    finally:
        await bus.close()
