"""A desk for tests of reservations: one account in a store, and executors that reserve from it."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import msgspec

from shared.backends.memory.documents import MemoryDocuments
from shared.clock import Clock, ManualClock
from shared.execution.reservations import Refused, Reservations, Reserved
from shared.execution.stored_book import StoredBook
from shared.money import Usd
from shared.orders.ledger import Fill
from shared.ports import Documents, Value
from shared.risk.book import Book
from shared.risk.controls import CONTROLS, SAFEGUARDS, Proposal
from shared.risk.gate import ApprovedOrder, Gate
from shared.risk.limits import RiskLimits
from shared.risk.safeguards import Safeguards
from tests.risk.orders import GENERATION, MONDAY, contracts
from tests.support.backends import rng
from tests.support.limits import DOLLAR, LIMITS

UNHURRIED = replace(
    LIMITS,
    max_orders_per_minute=100_000,
    min_order_gap_ms=0,
    max_trades_per_day=100_000,
    max_quantity_per_day=contracts(10**7),
    max_quantity_per_event=contracts(10**7),
    max_sport_share_basis_points=10_000,
)


async def quiet(order: Proposal) -> Safeguards:
    """Nothing stands in the way and nothing needs proving."""
    return Safeguards(halted="", generation=GENERATION, clean_fills_needed=0)


def intent(order: ApprovedOrder) -> Value:
    """The least an order's document must say."""
    return {"proposal": asdict(order.proposal), "controls": list(order.controls), "fills": []}


def kept(value: Value, fills: tuple[Fill, ...]) -> Value:
    """The order's next document: with its new fills."""
    return value | {"fills": value["fills"] + [asdict(one) for one in fills]}


class Desk:
    """One account of $10,000 in a store in memory."""

    def __init__(self, documents: Documents | None = None, clock: Clock | None = None) -> None:
        self.documents = documents or MemoryDocuments()
        self.clock = clock or ManualClock(MONDAY)
        self.book = StoredBook(self.documents, "main", self.clock, rng(1))

    async def open(self, dollars: int = 10_000) -> Desk:
        """Put the money in."""
        await self.book.open(Usd(dollars * DOLLAR))
        return self

    def executor(
        self,
        name: str = "executor-1",
        limits: RiskLimits = UNHURRIED,
        documents: Documents | None = None,
        **options: Any,
    ) -> Reservations:
        """One more executor on this account, if need be over a store of its own."""
        book = StoredBook(documents or self.documents, "main", self.clock, rng(len(name)))
        gate = Gate(limits, CONTROLS + SAFEGUARDS)
        return Reservations(book, name, gate, options.pop("guard", quiet), **options)

    async def read(self) -> Book:
        """The book as stored."""
        return await self.book.read()

    async def order(self, order_id: str) -> Value | None:
        """An order's document."""
        found = await self.documents.get(f"orders/{order_id}")
        return None if found is None else found.value


def spent(orders: list[Value]) -> int:
    """What orders have spent by their own documents, micro-dollars."""
    fills = [msgspec.convert(one, Fill) for value in orders for one in value["fills"]]
    return sum(fill.price * fill.quantity // 100 + fill.fee for fill in fills)


def granted(answer: Reserved | Refused) -> Reserved:
    """The reservation, which must have been granted."""
    assert isinstance(answer, Reserved), answer
    return answer


def refusals(answer: Reserved | Refused) -> set[str]:
    """The controls that refused."""
    assert isinstance(answer, Refused)
    return {one.control for one in answer.verdict.refusals}
