"""The journal: makes every order durable in the document store, and tells history about it.

One document an order, ``orders/{client_order_id}``, holds what was proposed, the last :class:`OrderUpdated`
and its fills. It is created before anything is sent; after a restart the account is rebuilt from these
documents alone, and history is told what a crash kept from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any, TypeVar

import msgspec

from shared.clock import Clock, Instant
from shared.errors import StorageError
from shared.execution.gateway import Accepted
from shared.messages import (
    FillRecorded,
    MarketSettled,
    Message,
    OrderUpdated,
    PositionChanged,
    SignalRaised,
    seal,
)
from shared.money import Quantity
from shared.orders.ledger import Fill, Position, Settlement
from shared.orders.state import advance
from shared.ports import Bus, Document, Documents
from shared.risk.account import Account
from shared.risk.controls import Proposal
from shared.risk.gate import ApprovedOrder, Verdict
from shared.terms import OrderStatus, Result

_OPEN = (OrderStatus.PENDING, OrderStatus.SUBMITTED, OrderStatus.UNKNOWN)
_EVERYTHING = 1_000_000
Step = tuple[Instant, Callable[[], object]]
T = TypeVar("T")


class Journal:
    """Durable record of one account's orders, fills and settlements."""

    def __init__(self, documents: Documents, bus: Bus, clock: Clock) -> None:
        self._documents, self._bus, self._clock = documents, bus, clock
        self._held: dict[str, tuple[OrderUpdated, dict[str, Any], int]] = {}

    async def intend(self, signal: SignalRaised, order: ApprovedOrder, mode: str) -> None:
        """Make the intent durable; raises ``AlreadyExistsError`` if this attempt was made before."""
        proposal = order.proposal
        update = _update(signal, proposal, mode, self._clock.now(), order.controls)
        value = {"proposal": asdict(proposal), "order": msgspec.to_builtins(update), "fills": []}
        version = await self._documents.create(f"orders/{proposal.client_order_id}", value)
        self._held[proposal.client_order_id] = (update, value, version)
        await self._publish(update)

    async def refused(self, signal: SignalRaised, verdict: Verdict, mode: str) -> None:
        """Tell history about an order the gate refused; nothing was or will be sent."""
        update = _update(signal, verdict.proposal, mode, self._clock.now(), verdict.passed)
        status = OrderStatus.REJECTED
        await self._publish(msgspec.structs.replace(update, status=status, reasons=verdict.reasons))

    async def ended(
        self, order_id: str, status: OrderStatus, reasons: tuple[str, ...], stamps: dict[str, int]
    ) -> None:
        """Record an outcome without fills: rejected, unknown or canceled."""
        await self._change(order_id, status, [], {"reasons": reasons, "latency_ns": stamps})

    async def filled(
        self,
        order_id: str,
        outcome: Accepted,
        fills: tuple[Fill, ...],
        status: OrderStatus,
        position: Position | None,
        stamps: dict[str, int],
    ) -> None:
        """Record what an accepted order filled, in one durable write, then tell history."""
        filled = Quantity(sum(fill.quantity for fill in fills))
        update = await self._change(
            order_id,
            status,
            [asdict(fill) for fill in fills],
            {"venue_order_id": outcome.venue_order_id, "filled": filled, "latency_ns": stamps},
        )
        await self._publish(*(_recorded(fill, update) for fill in fills))
        if position is not None and fills:
            await self._publish(_position(position, update.observed_at))

    async def settled(self, settlement: Settlement, result: Result, account: Account) -> None:
        """Record a payout once, in ``settlements/{ticker}``, then tell history."""
        message = seal(MarketSettled(observed_at=self._clock.now(), result=result, **asdict(settlement)))
        value = {"payout_yes": settlement.payout_yes, "settled": msgspec.to_builtins(message)}
        await self._documents.create(f"settlements/{settlement.ticker}", value)
        position = account.ledger.positions[settlement.ticker]
        await self._publish(message, _position(position, message.observed_at))

    async def restore(self, account: Account) -> list[OrderUpdated]:
        """Rebuild the account from what is durable; gives the orders whose outcome is not known.

        Everything is booked again at its own time, in order: a day's counts, a week's losses and a run of
        losses come out as they were. Orders without an outcome keep their reservation.
        """
        steps: list[Step] = []
        ended: dict[str, Instant] = {}
        open_orders = []
        for document in await self._documents.query("orders", limit=_EVERYTHING):
            update = _read(document, "order", OrderUpdated)
            steps += (found := _steps(document, update, account))
            ended[update.ticker] = max(found[-1][0], ended.get(update.ticker, Instant(0)))
            if update.status in _OPEN:
                self._held[update.order_id] = (update, document.value, document.version)
                open_orders.append(update)
        for document in await self._documents.query("settlements", limit=_EVERYTHING):
            settled = _read(document, "settled", MarketSettled)
            # Whatever the clock said, a market was paid after the last fill in it.
            at = max(settled.observed_at, ended.get(settled.ticker, Instant(0)))
            steps.append((at, partial(account.settled, settled.ticker, settled.payout_yes, at)))
        for _, book in sorted(steps, key=lambda step: step[0]):
            book()
        return open_orders

    async def retell(self, known: frozenset[str], account: Account) -> int:
        """Publish what is durable and not ``known`` (event ids) to history; gives how many messages.

        A crash between a durable write and history's own loses the second; the same content has the same
        event id, so telling it twice would change nothing.
        """
        told = [message for message in await self._records() if message.event_id not in known]
        if told:
            now = self._clock.now()
            told += [seal(_position(held, now)) for held in account.ledger.positions.values()]
        await self._publish(*told)
        return len(told)

    async def _records(self) -> list[Message]:
        """Last state of every order, every fill, every settlement, sealed as they were."""
        records: list[Message] = []
        for document in await self._documents.query("orders", limit=_EVERYTHING):
            update = _read(document, "order", OrderUpdated)
            fills = _read(document, "fills", list[Fill])
            records += [seal(update, update.trace_id)]
            records += [seal(_recorded(fill, update), update.trace_id) for fill in fills]
        for document in await self._documents.query("settlements", limit=_EVERYTHING):
            records.append(_read(document, "settled", MarketSettled))
        return records

    async def _change(
        self, order_id: str, status: OrderStatus, fills: list[dict[str, Any]], changes: dict[str, Any]
    ) -> OrderUpdated:
        before, held, version = self._held[order_id]
        submitted = before.status if before.status is not OrderStatus.PENDING else OrderStatus.SUBMITTED
        changes |= {"status": advance(submitted, status), "observed_at": self._clock.now()}
        update: OrderUpdated = msgspec.structs.replace(before, **changes)
        value = held | {"order": msgspec.to_builtins(update), "fills": held["fills"] + fills}
        version = await self._documents.replace_if(f"orders/{order_id}", value, version)
        self._held[order_id] = (update, value, version)
        await self._publish(update)
        if status is not OrderStatus.UNKNOWN:
            del self._held[order_id]
        return update

    async def _publish(self, *messages: Message) -> None:
        for message in messages:
            await self._bus.publish(message.TOPIC, [seal(message, message.trace_id)])


def _read(document: Document, field: str, kind: type[T]) -> T:
    """One field of a stored document. An account is never rebuilt from a part of its orders."""
    try:
        return msgspec.convert(document.value[field], kind)
    except (KeyError, msgspec.ValidationError) as exc:
        raise StorageError(
            f"{document.path} is not readable ({exc}): another version wrote it, or it is damaged. "
            "Use the version that wrote it, restore a backup, or start in another DATA_DIR"
        ) from exc


def _steps(document: Document, update: OrderUpdated, account: Account) -> list[Step]:
    """What an order did to its account, each at its time; never an end before its beginning."""
    proposal = _read(document, "proposal", Proposal)
    ended_at = Instant(max(proposal.at, update.observed_at))
    fills = _read(document, "fills", list[Fill])
    steps: list[Step] = [(proposal.at, partial(account.reserve, proposal))]
    steps += [(ended_at, partial(account.filled, fill, ended_at)) for fill in fills]
    if update.status not in _OPEN:
        steps.append((ended_at, partial(account.release, update.order_id)))
    return steps


def _update(
    signal: SignalRaised, proposal: Proposal, mode: str, now: Instant, controls: tuple[str, ...]
) -> OrderUpdated:
    return OrderUpdated(
        observed_at=now,
        trace_id=signal.trace_id,
        order_id=proposal.client_order_id,
        signal_id=signal.signal_id,
        ticker=proposal.ticker,
        event_ticker=proposal.event_ticker,
        side=proposal.side,
        status=OrderStatus.PENDING,
        limit=proposal.limit,
        quantity=proposal.quantity,
        mode=mode,
        profile=signal.profile,
        league=signal.league,
        kind=signal.kind,
        controls=controls,
        fair_probability=signal.fair_probability,
        expected_edge=signal.net_edge,
    )


def _recorded(fill: Fill, update: OrderUpdated) -> FillRecorded:
    return FillRecorded(
        observed_at=update.observed_at,
        trace_id=update.trace_id,
        fill_id=fill.fill_id,
        order_id=update.order_id,
        signal_id=update.signal_id,
        ticker=fill.ticker,
        event_ticker=fill.event_ticker,
        side=fill.side,
        price=fill.price,
        quantity=fill.quantity,
        fee=fill.fee,
        mode=update.mode,
        profile=update.profile,
        league=update.league,
    )


def _position(position: Position, now: Instant) -> PositionChanged:
    return PositionChanged(
        observed_at=now,
        ticker=position.ticker,
        event_ticker=position.event_ticker,
        quantity=position.quantity,
        cost=position.cost,
        fees=position.fees,
        realized=position.realized,
    )
