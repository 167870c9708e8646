"""The journal: makes every order durable in the document store, and tells history about it.

One document an order, ``orders/{client_order_id}``: the proposal, the last :class:`OrderUpdated`, the fills,
and the risk book's own marks. It is created in one batch with its reservation before anything is sent, and
every later state is written in one batch with what it does to the book. History is told afterwards; what a
crash kept from it is told again at the next start.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

import msgspec

from shared.clock import Clock, Instant
from shared.errors import ArbError, StorageError
from shared.execution.reservations import Refused, Reservations, Reserved
from shared.messages import (
    FillRecorded,
    MarketSettled,
    Message,
    OrderUpdated,
    PositionChanged,
    SignalRaised,
    seal,
)
from shared.money import ZERO_USD, Price, Quantity, Usd
from shared.orders.intent import client_order_id
from shared.orders.ledger import Fill, Position, Settlement
from shared.orders.state import TERMINAL, advance
from shared.ports import Bus, Document, Documents, Value
from shared.risk.controls import Proposal
from shared.risk.gate import ApprovedOrder, Verdict
from shared.terms import OrderStatus, Result

_log = logging.getLogger(__name__)

_EVERYTHING = 1_000_000
# Some hours of a bus that is down; what does not fit is told again at the next start.
_MOST_UNTOLD = 10_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class News:
    """What became known of an order.

    ``filled`` is the venue's own count, ``None`` if it gave none; ``stamps`` are nanoseconds by stage.
    """

    status: OrderStatus
    fills: Sequence[Fill] = ()
    filled: Quantity | None = None
    reasons: tuple[str, ...] = ()
    venue_order_id: str = ""
    stamps: dict[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What some news changed: the fills that were new, and what should not have been, in words."""

    fills: tuple[Fill, ...]
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """An order as it stands in the store."""

    order: OrderUpdated
    proposal: Proposal
    fills: tuple[Fill, ...]


class Journal:
    """Durable record of one account's orders, fills and settlements; ``mode`` is paper or live."""

    def __init__(self, reservations: Reservations, bus: Bus, clock: Clock, mode: str) -> None:
        self._reservations, self._bus, self._clock, self.mode = reservations, bus, clock, mode
        self._untold: deque[Message] = deque(maxlen=_MOST_UNTOLD)

    @property
    def _documents(self) -> Documents:
        return self._reservations.book.documents

    async def intend(self, signal: SignalRaised, proposal: Proposal, epoch: int) -> Reserved | Refused:
        """Judge the proposal and make intent and reservation durable; history is not told yet.

        Raises :class:`AlreadyExistsError` if this attempt was made before: see :meth:`kept`.
        """

        def value(order: ApprovedOrder) -> Value:
            update = _update(signal, order.proposal, self.mode, order.controls)
            return {
                "signal_id": signal.signal_id,
                "ticker": signal.ticker,
                "epoch": epoch,
                "proposal": msgspec.to_builtins(order.proposal),
                "order": msgspec.to_builtins(update),
                "fills": [],
            }

        return await self._reservations.reserve(proposal, value, epoch)

    async def intended(self, signal: SignalRaised, order: ApprovedOrder) -> None:
        """Tell history about an intent that is durable."""
        await self._publish(_update(signal, order.proposal, self.mode, order.controls))

    async def refused(self, signal: SignalRaised, verdict: Verdict) -> None:
        """Tell history about an order the gate refused; nothing was or will be sent."""
        update = _update(signal, verdict.proposal, self.mode, verdict.passed)
        status = OrderStatus.REJECTED
        await self._publish(msgspec.structs.replace(update, status=status, reasons=verdict.reasons))

    async def unworked(self, signal: SignalRaised, reasons: tuple[str, ...]) -> None:
        """Tell history why nothing was ordered for a signal; not of one that has an order, by whomever."""
        first = client_order_id(signal.signal_id)
        if await self.kept(first) is not None:
            return
        update = _update(signal, _nothing_of(signal, first, self._clock.now()), self.mode, ())
        status = OrderStatus.REJECTED
        await self._publish(msgspec.structs.replace(update, status=status, reasons=reasons))

    async def record(self, order_id: str, news: News) -> Told:
        """Book what is known of an order in one durable write, then tell history. A repeat changes nothing.

        An order that has ended keeps its state: a fill that comes later is booked beside it.
        """
        written: list[OrderUpdated] = []

        def change(value: Value, fills: tuple[Fill, ...]) -> Value:
            before = msgspec.convert(value["order"], OrderUpdated)
            after = _after(before, news, fills)
            if after == before:
                return value
            after = msgspec.structs.replace(after, observed_at=self._clock.now())
            written[:] = [after]
            kept = value["fills"] + [asdict(fill) for fill in fills]
            known = {"order": msgspec.to_builtins(after), "fills": kept}
            return value | known | {"venue_order_id": after.venue_order_id}

        settle = self._reservations.settle
        booked = await settle(order_id, news.status, news.fills, filled=news.filled, change=change)
        for update in written:
            await self._publish(update, *(_recorded(fill, update) for fill in booked.fills))
            held = booked.book.holdings.get(update.ticker)
            if held is not None and booked.fills:
                await self._publish(_position(held.position, update.observed_at))
        return Told(booked.fills, booked.differences)

    async def settled(self, ticker: str, payout_yes: Price, result: Result) -> MarketSettled | None:
        """Pay out a market once, in ``settlements/{ticker}``; tell history; ``None`` if nothing is due."""
        messages: list[MarketSettled] = []

        def payout(settlement: Settlement) -> Value:
            message = MarketSettled(observed_at=self._clock.now(), result=result, **asdict(settlement))
            messages[:] = [seal(message)]
            return {"payout_yes": payout_yes, "settled": msgspec.to_builtins(messages[0])}

        settlement = await self._reservations.pay(ticker, payout_yes, payout)
        if settlement is None:
            return None
        [message] = messages
        flat = Position(
            ticker,
            settlement.event_ticker,
            fees=settlement.fees,
            realized=Usd(settlement.pnl + settlement.fees),
        )
        await self._publish(message, _position(flat, message.observed_at))
        return message

    async def kept(self, order_id: str) -> Kept | None:
        """An order as it stands in the store; raises :class:`StorageError` if it cannot be read."""
        document = await self._documents.get(f"orders/{order_id}")
        return None if document is None else _kept(document)

    async def by_venue_id(self, venue_order_id: str) -> Kept | None:
        """The order of ours that the venue calls ``venue_order_id``, ``None`` if there is none."""
        found = await self._documents.query("orders", {"venue_order_id": venue_order_id}, limit=1)
        return _kept(found[0]) if found else None

    async def unfinished(self) -> list[Kept]:
        """Every order that may still spend, oldest first: what a restart asks the venue about."""
        orders = []
        for order_id in await self._reservations.book.unfinished():
            kept = await self.kept(order_id)
            if kept is None:
                raise StorageError(f"orders/{order_id} is reserved and does not exist: restore a backup")
            orders.append(kept)
        return sorted(orders, key=lambda kept: (kept.proposal.at, kept.order.order_id))

    async def retell(self, known: frozenset[str]) -> int:
        """Publish what is durable and not ``known`` (event ids) to history; gives how many messages.

        A crash between a durable write and history's own loses the second; the same content has the same
        event id, so telling it twice would change nothing.
        """
        told = [message for message in await self._records() if message.event_id not in known]
        if told:
            now, book = self._clock.now(), await self._reservations.book.read()
            told += [seal(_position(held.position, now)) for held in book.holdings.values()]
        await self._publish(*told)
        return len(told)

    async def _records(self) -> list[Message]:
        """Last state of every order, every fill, every settlement, sealed as they were."""
        records: list[Message] = []
        for document in await self._documents.query("orders", limit=_EVERYTHING):
            kept = _kept(document)
            records += [seal(kept.order, kept.order.trace_id)]
            records += [seal(_recorded(fill, kept.order), kept.order.trace_id) for fill in kept.fills]
        for document in await self._documents.query("settlements", limit=_EVERYTHING):
            records.append(_read(document, "settled", MarketSettled))
        return records

    async def tell(self) -> None:
        """Tell history what the bus would not take before; nothing that trades waits for that."""
        while self._untold:
            message = self._untold.popleft()
            try:
                await self._bus.publish(message.TOPIC, [message])
            except (ArbError, OSError) as exc:
                self._untold.appendleft(message)
                _log.warning("history cannot be told now: %s", exc)
                return

    async def _publish(self, *messages: Message) -> None:
        self._untold.extend(seal(message, message.trace_id) for message in messages)
        await self.tell()


def _after(before: OrderUpdated, news: News, fills: tuple[Fill, ...]) -> OrderUpdated:
    """The order's next state; equal to ``before`` when the news says nothing new."""
    return msgspec.structs.replace(
        before,
        status=_status(before.status, news.status),
        filled=Quantity(before.filled + sum(fill.quantity for fill in fills)),
        reasons=before.reasons if before.status in TERMINAL else news.reasons,
        venue_order_id=news.venue_order_id or before.venue_order_id,
        latency_ns=before.latency_ns if news.stamps is None else news.stamps,
    )


def _status(before: OrderStatus, after: OrderStatus) -> OrderStatus:
    current = OrderStatus.SUBMITTED if before is OrderStatus.PENDING else before
    return current if current in TERMINAL or current is after else advance(current, after)


def _kept(document: Document) -> Kept:
    return Kept(
        _read(document, "order", OrderUpdated),
        _read(document, "proposal", Proposal),
        _read(document, "fills", tuple[Fill, ...]),
    )


def _read(document: Document, field: str, kind: type[T]) -> T:
    """One field of a stored document. Nothing is ever decided on a part of an order."""
    try:
        return msgspec.convert(document.value[field], kind)
    except (KeyError, msgspec.ValidationError) as exc:
        raise StorageError(
            f"{document.path} is not readable ({exc}): another version wrote it, or it is damaged. "
            "Use the version that wrote it, restore a backup, or start in another DATA_DIR"
        ) from exc


def _update(signal: SignalRaised, proposal: Proposal, mode: str, controls: tuple[str, ...]) -> OrderUpdated:
    return OrderUpdated(
        observed_at=proposal.at,
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


def _nothing_of(signal: SignalRaised, order_id: str, now: Instant) -> Proposal:
    """What a signal asked for, which nobody proposes."""
    return Proposal(
        client_order_id=order_id,
        ticker=signal.ticker,
        event_ticker=signal.event_ticker,
        sport=signal.league,
        side=signal.side,
        limit=signal.limit,
        quantity=signal.quantity,
        risk=ZERO_USD,
        at=now,
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
