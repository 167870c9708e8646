"""History is told beside trading: a bus that does not answer stops no order and loses no message."""

from __future__ import annotations

from collections.abc import Sequence

from shared.backends.memory.documents import MemoryDocuments
from shared.clock import ManualClock
from shared.errors import RetryLaterError
from shared.execution.journal import Journal, News
from shared.messages import FillRecorded, Message, OrderUpdated
from shared.ports import Handler
from shared.terms import OrderStatus
from tests.execution.conftest import START, signal
from tests.execution.desk import Desk
from tests.risk.orders import fill, proposal


class _MoodyBus:
    """Takes messages only while ``answers``."""

    def __init__(self) -> None:
        self.answers = True
        self.heard: list[Message] = []

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Take them, or not."""
        if not self.answers:
            raise RetryLaterError("the bus does not answer")
        self.heard += messages

    def subscribe(self, topic: str, name: str, handler: Handler) -> None:
        """Nobody listens."""


async def test_what_the_bus_would_not_take_is_told_later_in_order() -> None:
    bus, clock = _MoodyBus(), ManualClock(START)
    desk = await Desk(MemoryDocuments(), clock).open()
    journal = Journal(desk.executor(), bus, clock, "live")
    await journal.intend(signal(), proposal("a", at=START), 0)
    bus.answers = False
    told = await journal.record("a", News(OrderStatus.FILLED, (fill("a-1"),)))
    assert len(told.fills) == 1
    assert bus.heard == []
    bus.answers = True
    await journal.tell()
    assert [type(one) for one in bus.heard][:2] == [OrderUpdated, FillRecorded]
    count = len(bus.heard)
    await journal.tell()
    assert len(bus.heard) == count
