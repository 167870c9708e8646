"""The trading floor: orders as tasks of their own, a close that lets them end, failures that are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from shared.clock import Instant
from shared.execution.gateway import Accepted, Outcome, Statement
from shared.messages import FillRecorded, OrderUpdated, SignalRaised
from shared.money import Quantity
from shared.risk.controls import Proposal
from shared.risk.gate import ApprovedOrder
from shared.runtime.floor import signal_schedule
from shared.runtime.local import Parts
from shared.terms import FeeType
from tests.edges.floor import mapping, market
from tests.execution.conftest import START, TICKER, cents, contracts
from tests.runtime.test_local import close, live_signal, quoted, snapshot
from tests.support.rig import parts


class Slow:
    """A venue that answers when it is told to."""

    mode = "paper"

    def __init__(self) -> None:
        self.asked, self.may_answer = asyncio.Event(), asyncio.Event()

    def prepare(self) -> None:
        pass

    async def place(self, order: ApprovedOrder) -> Outcome:
        self.asked.set()
        await self.may_answer.wait()
        return Accepted("venue", (), Quantity(0))

    async def resolve(self, proposal: Proposal) -> Outcome:
        raise AssertionError("nothing is unknown here")

    async def cancel(self, venue_order_id: str, ticker: str, shard: int | None) -> None:
        raise AssertionError("nothing rests here")

    async def cancel_all(self) -> None:
        raise AssertionError("nothing rests here")

    async def statement(self, since: Instant) -> Statement | None:
        return None


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Parts]:
    made = parts(tmp_path)
    await made.execution.begin(made.bankroll)
    quoted(made)
    yield made
    await close(made)


def heard(made: Parts, kind: type[SignalRaised] | type[OrderUpdated] | type[FillRecorded]) -> list[object]:
    """Messages of one kind from now on."""
    found: list[object] = []

    async def hear(message: object) -> None:
        found.append(message)

    made.bus.subscribe(kind.TOPIC, "test", hear)
    return found


async def test_a_signal_becomes_an_order_without_holding_the_bus(made: Parts) -> None:
    venue = Slow()
    made.executor.gateway = venue
    await asyncio.wait_for(made.floor.on_message(live_signal(made)), 1)
    await asyncio.wait_for(venue.asked.wait(), 1)
    assert made.floor.busy
    venue.may_answer.set()
    await asyncio.wait_for(made.floor.idle(), 1)
    assert not made.floor.busy


async def test_closing_lets_an_order_end_and_starts_no_other(made: Parts) -> None:
    venue, orders = Slow(), heard(made, OrderUpdated)
    made.executor.gateway = venue
    await made.floor.on_message(live_signal(made))
    await asyncio.wait_for(venue.asked.wait(), 1)
    made.floor.close()
    await made.floor.on_message(live_signal(made))
    venue.may_answer.set()
    await asyncio.wait_for(made.floor.idle(), 1)
    await made.bus.drain()
    assert [getattr(order, "status", "") for order in orders] == ["pending", "canceled"]


async def test_an_orders_failure_closes_the_floor_and_is_told_once(made: Parts) -> None:
    told: list[BaseException] = []
    made.floor.on_failure = told.append

    async def broken(*_: object) -> None:
        raise ZeroDivisionError("a fault")

    made.executor.on_signal = broken  # type: ignore[method-assign, assignment]
    await made.floor.on_message(live_signal(made))
    await made.floor.idle()
    await asyncio.sleep(0)
    await made.floor.on_message(live_signal(made))
    assert [str(error) for error in told] == ["a fault"]
    assert made.floor.failure is told[0]
    assert not made.floor.busy


async def test_a_signal_whose_fee_nobody_knows_is_not_worked(made: Parts) -> None:
    unknown = msgspec.structs.replace(live_signal(made), fee_type=FeeType.UNKNOWN)
    assert signal_schedule(unknown, START) is None
    await made.floor.on_message(unknown)
    await made.floor.idle()
    assert made.executor.watched == {}


async def test_a_market_that_is_over_leaves_nothing_behind(made: Parts) -> None:
    await made.floor.on_message(live_signal(made))
    await made.floor.idle()
    made.floor.forget([TICKER])
    assert made.floor.keeper.books == {}
    assert (made.executor.watched, made.executor.schedules) == ({}, {})


async def test_a_book_that_moved_without_tempting_is_known_after_the_next_sweep(made: Parts) -> None:
    board = made.floor.detector.board
    for message in (market(), mapping()):
        await made.floor.detector.handle(message)
    made.floor.heard(snapshot())
    live = ((cents(50), contracts(50)), (cents(55), contracts(50)))
    assert board.quotes[TICKER].best != live
    await made.floor.sweep()
    assert board.quotes[TICKER].best == live
