"""The gateway port: how an approved order leaves the engine, and the three things that can come back.

*Accepted*, *rejected* or *unknown*. Unknown is never treated as rejected: it blocks its market until the
venue has been asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from shared.clock import Instant
from shared.money import Quantity, Usd
from shared.orders.ledger import Fill, Position
from shared.risk.controls import Proposal
from shared.risk.gate import ApprovedOrder

# Code of an order that may only rest and would have taken: the offer has come to us.
CROSSED = "post_only_cross"


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


@dataclass(frozen=True, slots=True)
class VenueFill:
    """A fill as the venue lists it; ``order_id`` is the venue's, ``filled_at`` by its clock."""

    fill: Fill
    order_id: str
    filled_at: Instant


@dataclass(frozen=True, slots=True)
class RestingOrder:
    """An order that rests at the venue; ``client_order_id`` is empty when it carries none."""

    order_id: str
    client_order_id: str
    ticker: str
    remaining: Quantity
    shard: int | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """What the venue says of the account, complete up to ``as_of`` by its own word.

    ``paid`` names markets it has settled lately, whose cash has moved.
    """

    as_of: Instant
    cash: Usd
    positions: Mapping[str, Position]
    resting: tuple[RestingOrder, ...]
    fills: tuple[VenueFill, ...]
    paid: frozenset[str]


class Gateway(Protocol):
    """One venue, one account."""

    @property
    def mode(self) -> str:
        """paper or live."""
        ...

    def prepare(self) -> None:
        """Have ready what the next order needs and does not depend on it; an order may not follow."""
        ...

    async def place(self, order: ApprovedOrder) -> Outcome:
        """Send once: immediate-or-cancel, or post-only where the proposal ``rests``."""
        ...

    async def resolve(self, proposal: Proposal) -> Outcome:
        """What became of an order that may have been sent, also by an earlier run; asks, never sends."""
        ...

    async def cancel(self, venue_order_id: str, ticker: str, shard: int | None) -> None:
        """Take a resting order out of the book; no error if it is not there any more: resolve it then."""
        ...

    async def cancel_all(self) -> None:
        """Cancel everything that rests."""
        ...

    async def statement(self, since: Instant) -> Statement | None:
        """The account as the venue has it, with its fills after ``since``; ``None`` where there is none.

        Raises what kept it from being read whole.
        """
        ...
