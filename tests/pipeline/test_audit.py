"""The account's book against its own records, looked at from outside the process that trades."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace

import pytest

from shared.backends.memory.bus import DirectBus
from shared.backends.memory.documents import MemoryDocuments
from shared.clock import Instant, ManualClock
from shared.lease import DocumentLease
from shared.messages import AlertRaised, Message, ReconciliationDifference
from shared.money import Price, Quantity, Usd
from shared.orders.ledger import Fill, Position
from shared.pipeline.audit import Auditor
from shared.risk.book import Book, Holding, encode_book
from shared.terms import Side

TICKER = "KXNFLGAME-26SEP28PHICHI-PHI"


@dataclass
class Desk:
    """A book with one position of ten contracts at 40 cents, its order, and a lease that runs."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(Instant(1_790_000_000_000_000)))
    documents: MemoryDocuments = field(default_factory=MemoryDocuments)
    heard: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        bus = DirectBus()
        for topic in (AlertRaised.TOPIC, ReconciliationDifference.TOPIC):
            bus.subscribe(topic, "test", self._hear)
        self.auditor = Auditor(self.documents, bus, self.clock)
        self.lease = DocumentLease(self.documents, self.clock, "executor")

    async def _hear(self, message: Message) -> None:
        self.heard.append(message)

    async def opened(self) -> Desk:
        await self.lease.acquire()
        fill = Fill("f1", TICKER, "E", Side.YES, Price(400_000), Quantity(1_000), Usd(170_000))
        await self.documents.create("orders/o1", {"ticker": TICKER, "fills": [asdict(fill)]})
        position = Position(TICKER, "E", Quantity(1_000), Usd(4_000_000), Usd(170_000))
        now = self.clock.now()
        book = Book(Usd(95_830_000), now, Usd(100_000_000), fees=Usd(170_000))
        book = replace(book, holdings={TICKER: Holding("E", "nfl", position)})
        await self.documents.create("risk/main", encode_book(book.rolled(now)))
        return self

    async def changed(self, **changes: object) -> None:
        """The book, with something in it changed by nobody's leave."""
        found = await self.documents.get("risk/main")
        assert found is not None
        await self.documents.replace_if("risk/main", found.value | changes, found.version)

    async def looks(self, count: int = 2) -> list[str]:
        """What the last of several looks found."""
        return [(await self.auditor.turn()).problems for _ in range(count)][-1]

    @property
    def codes(self) -> list[str]:
        return [message.code for message in self.heard if isinstance(message, AlertRaised)]


@pytest.fixture
async def desk() -> Desk:
    return await Desk().opened()


async def test_a_book_that_agrees_with_its_records_is_left_alone(desk: Desk) -> None:
    assert await desk.looks() == []
    assert desk.heard == []


async def test_an_account_that_never_traded_has_nothing_to_audit() -> None:
    report = await Desk().auditor.turn()
    assert (report.holdings, report.problems) == (0, [])
    assert "nothing was ever traded" in report.note


async def test_a_book_whose_money_does_not_add_up_is_told_to_the_micro_dollar(desk: Desk) -> None:
    await desk.changed(cash=95_830_001)
    assert await desk.looks() == ["risk book: $0.000001 are not accounted for"]
    assert desk.codes == ["book_unusable"]


async def test_a_position_that_is_not_the_sum_of_its_fills_is_told(desk: Desk) -> None:
    order = await desk.documents.get("orders/o1")
    assert order is not None
    await desk.documents.replace_if("orders/o1", order.value | {"fills": []}, order.version)
    [problem] = await desk.looks()
    assert problem.startswith(TICKER)
    assert desk.codes == ["difference"]


async def test_what_one_look_shows_may_be_a_write_under_way_and_is_not_told(desk: Desk) -> None:
    await desk.changed(cash=1)
    assert await desk.looks(1) == []
    assert desk.heard == []


async def test_a_problem_is_told_once_and_when_it_has_passed(desk: Desk) -> None:
    order = await desk.documents.get("orders/o1")
    assert order is not None
    version = await desk.documents.replace_if("orders/o1", order.value | {"fills": []}, order.version)
    await desk.looks(4)
    await desk.documents.replace_if("orders/o1", order.value, version)
    await desk.looks(1)
    told = [one.resolved for one in desk.heard if isinstance(one, ReconciliationDifference)]
    assert told == [False, True]
    assert desk.codes == ["difference"]


async def test_a_lease_nobody_renews_is_told(desk: Desk) -> None:
    await desk.clock.advance(180)
    [problem] = await desk.looks()
    assert problem == "nobody trades: the lease is free for 165 s"
    assert desk.codes == ["executor_silent"]


async def test_a_lease_that_was_given_up_is_told(desk: Desk) -> None:
    await desk.lease.release()
    assert await desk.looks() == ["nobody trades: the lease is free since it was given up"]


async def test_a_venue_that_has_not_agreed_for_long_is_told(desk: Desk) -> None:
    await desk.clock.advance(400)
    await desk.lease.acquire()
    assert await desk.looks() == ["the venue has not agreed with the book for 400 s"]


async def test_where_there_is_a_key_the_venue_is_asked_too(desk: Desk) -> None:
    class Venue:
        async def turn(self) -> bool:
            return False

    auditor = Auditor(desk.documents, DirectBus(), desk.clock, Venue())
    assert (await auditor.turn()).venue is False
