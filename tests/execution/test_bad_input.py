"""Bad input to trading: each is refused or held with a reason that says what is wrong, kept, and harmless.

:data:`COVERED` names, for every kind, the tests that stand for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from shared.backends.memory.documents import MemoryDocuments
from shared.errors import StorageError, VenueDownError
from shared.execution.gateway import Accepted
from shared.messages import Message, OrderUpdated
from shared.money import Quantity
from shared.ports import Document, Write
from shared.risk.book import encode_book
from shared.terms import OrderStatus
from tests.execution.conftest import SCHEDULE, TICKER, cents, contracts, signal
from tests.execution.house import House, Venue, leased
from tests.execution.test_reconcile_exchange import Floor
from tests.risk.orders import new_book

ROOT = Path(__file__).parents[1]

COVERED: dict[str, tuple[str, ...]] = {
    "malformed signal": (
        "runtime/test_service.py::test_a_signal_that_is_none_is_kept_with_its_place_and_what_is_wrong",
        "runtime/test_service.py::test_any_damage_is_malformed_and_harmless",
    ),
    "stale signal": (
        "runtime/test_service.py::test_one_that_had_expired_on_its_way_is_refused_with_why",
        "execution/test_attempts.py::test_a_signal_that_expires_unworked_is_kept_with_why",
        "execution/test_attempts.py::test_a_signal_whose_game_begins_is_dropped_and_kept_with_why",
    ),
    "unknown or closed market": (
        "execution/test_bad_input.py::test_a_market_the_exchange_does_not_know_is_rejected_by_its_word",
        "execution/test_bad_input.py::test_a_market_that_has_closed_is_rejected_by_its_word",
        "execution/test_live.py::test_a_market_of_unknown_shard_is_rejected_and_nothing_is_sent",
        "runtime/test_service.py::test_a_market_without_a_live_book_is_refused_when_the_signal_expires",
    ),
    "a price off the grid, a size below the minimum": (
        "execution/test_attempts.py::test_a_signal_that_no_order_can_come_of_is_refused_with_what_is_wrong",
        "execution/test_attempts.py::test_everything_wrong_with_a_signal_is_told_at_once",
    ),
    "limits set to nonsense": (
        "test_config.py::test_a_misspelt_limit_in_the_file_is_refused",
        "execution/test_attempts.py::test_limits_that_allow_nothing_refuse_by_name",
    ),
    "an unreadable store": (
        "execution/test_bad_input.py::test_a_store_that_cannot_be_read_refuses_and_says_so",
        "execution/test_bad_input.py::test_a_damaged_book_refuses_and_says_what_is_wrong_with_it",
        "execution/test_safety.py::test_while_the_breakers_cannot_be_read_the_size_is_the_smallest_and_no_order_passes",
        "execution/test_halt.py::test_a_state_that_cannot_be_read_stops_trading",
    ),
    "a venue answering HTML": (
        "execution/test_bad_input.py::test_a_page_of_html_leaves_the_order_unknown_and_its_market_blocked",
        "execution/test_bad_input.py::test_a_statement_in_html_confirms_nothing",
    ),
}


@pytest.mark.parametrize("kind", COVERED)
def test_every_test_that_is_named_is_there(kind: str) -> None:
    for named in COVERED[kind]:
        path, _, test = named.partition("::")
        assert re.search(rf"^(async )?def {test}\(", (ROOT / path).read_text(), re.MULTILINE), named


class Exchange(Floor):
    """The floor at the simulated exchange, and what history heard of its orders."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.orders: list[OrderUpdated] = []
        self.bus.subscribe(OrderUpdated.TOPIC, "orders", self._order)

    async def _order(self, message: Message) -> None:
        assert isinstance(message, OrderUpdated)
        self.orders.append(message)

    async def work(self, ticker: str = "") -> None:
        """A signal for a market whose book we have, or believe to have."""
        name = ticker or self.market.ticker
        self.book.ticker = name
        self.book.apply_snapshot(
            [(cents(45), contracts(9))], [(cents(50), contracts(2))], self.desk.clock.now()
        )
        await self.execution.executor.on_signal(self.signal(ticker=name), SCHEDULE)


@pytest.fixture
async def floor() -> Exchange:
    made = Exchange()
    await made.start()
    return made


async def test_a_market_the_exchange_does_not_know_is_rejected_by_its_word(floor: Exchange) -> None:
    floor.execution.executor._book_of = lambda _: floor.book
    await floor.work("KXNFLGAME-26NOV22AAABBB-AAA")
    [*_, last] = floor.orders
    assert (last.status, floor.execution.account.reserved) == (OrderStatus.REJECTED, 0)
    assert last.reasons[0].startswith("market_not_found")


async def test_a_market_that_has_closed_is_rejected_by_its_word(floor: Exchange) -> None:
    while floor.market.is_open:
        floor.desk.bench.wait(60)
    assert await floor.agrees()
    await floor.work()
    [*_, last] = floor.orders
    assert (last.status, floor.execution.account.reserved) == (OrderStatus.REJECTED, 0)
    assert last.reasons[0].startswith("market_inactive")


async def test_a_page_of_html_leaves_the_order_unknown_and_its_market_blocked(floor: Exchange) -> None:
    floor.desk.bench.faults.html_share = 1.0
    await floor.work()
    [*_, last] = floor.orders
    assert last.status is OrderStatus.UNKNOWN
    assert last.reasons[0].startswith("POST /portfolio/events/orders: 502")
    assert floor.market.ticker in floor.execution.executor.blocked
    assert floor.execution.account.reserved > 0


async def test_a_statement_in_html_confirms_nothing(floor: Exchange) -> None:
    confirmed = floor.execution.account.book.confirmed_at
    floor.desk.bench.faults.html_share = 1.0
    with pytest.raises(VenueDownError, match="502"):
        await floor.execution.reconciler.turn()
    assert (await floor.execution.stored.read()).confirmed_at == confirmed


class Burning(MemoryDocuments):
    """Can be neither read nor written while ``burns``; a book that is remembered is proved by its write."""

    burns = False

    async def batch(self, writes: Sequence[Write]) -> list[int]:
        if self.burns:
            raise StorageError("the disk is on fire: put it out, then start again")
        return await super().batch(writes)

    async def get(self, path: str) -> Document | None:
        if self.burns and path.startswith("risk/"):
            raise StorageError("the disk is on fire: put it out, then start again")
        return await super().get(path)


async def test_a_store_that_cannot_be_read_refuses_and_says_so() -> None:
    documents = Burning()
    house, venue = House(documents=documents), Venue()
    execution = await house.opened(venue, leased())
    documents.burns = True
    await execution.executor.on_signal(signal(), SCHEDULE)
    assert venue.placed == []
    [refused] = house.said(OrderUpdated)
    assert refused.reasons == ("risk_state: StorageError: the disk is on fire: put it out, then start again",)


async def test_a_damaged_book_refuses_and_says_what_is_wrong_with_it() -> None:
    house, venue = House(), Venue(lambda _: Accepted("v", (), Quantity(0)))
    execution = await house.opened(venue, leased())
    found = await house.documents.get("risk/main")
    assert found is not None
    await house.documents.replace_if(found.path, encode_book(new_book()) | {"cash": "much"}, found.version)
    await execution.executor.on_signal(signal(), SCHEDULE)
    assert (venue.placed, TICKER in execution.executor.watched) == ([], True)
    [refused] = house.said(OrderUpdated)
    assert refused.reasons[0].startswith("risk_state: MalformedError: risk book: Expected `int`, got `str`")
