"""The gateway port: how an approved order leaves the engine, and the three things that can come back.

*Accepted*, *rejected* or *unknown*. Unknown is never treated as rejected: it blocks its market until the
venue has been asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shared.money import Quantity
from shared.orders.ledger import Fill
from shared.risk.gate import ApprovedOrder


@dataclass(frozen=True, slots=True)
class Accepted:
    """The venue took the order. ``remaining`` still rests; an order that fills or dies at once leaves 0."""

    venue_order_id: str
    fills: tuple[Fill, ...]
    remaining: Quantity


@dataclass(frozen=True, slots=True)
class Rejected:
    """The venue refused the order: nothing was done and nothing will be."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer, or one that proves nothing: the order may or may not exist."""

    reason: str


Outcome = Accepted | Rejected | Unknown


class Gateway(Protocol):
    """One venue, one account."""

    mode: str

    async def place(self, order: ApprovedOrder) -> Outcome:
        """Send an immediate-or-cancel order at its limit."""
        ...
