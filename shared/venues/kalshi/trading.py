"""Sends orders to the exchange: create, amend, decrease, cancel, each exactly once and with its place named.

Every write names market and shard, waits for or is refused by that shard's own token bucket, and its answer
is checked to be about the order that was asked for: bodies about another order have been reported. What can
be raised says what to do: :class:`RefusedError`, :class:`RetryLaterError` and :class:`CredentialsError` mean
that nothing was done, :class:`OutcomeUnknownError` that the exchange must be asked first.

Signing happens inside :meth:`KalshiClient.call`. A signature covers time, method and path but not the body,
and the path of a create never changes: its headers can be made ahead of time, see :meth:`KalshiTrading.warm`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from shared.clock import SECOND, Clock, Instant, age
from shared.errors import ArbError, MalformedError, OutcomeUnknownError, RefusedError, RetryLaterError
from shared.money import Price, Quantity
from shared.terms import Side
from shared.venues.kalshi import order_answers, order_wire, wire
from shared.venues.kalshi.answers import NOT_FOUND, error_by_code
from shared.venues.kalshi.client import KalshiClient
from shared.venues.kalshi.order_answers import Amended, BatchAnswer, OrderAnswer, Placed
from shared.venues.kalshi.order_wire import OrderRef, OrderTicket

T = TypeVar("T")
R = TypeVar("R")

ORDERS = "/portfolio/events/orders"
_CREATE, _CANCEL = 10, 2  # tokens; a batch costs as much an item
# "Orders placed during the following minute may also be canceled."
_AFTER_CANCEL_ALL = 60 * SECOND
# Given as the expiry of an amend, it takes the expiry away.
NEVER = Instant(0)


class KalshiTrading:
    """Order writes of one key, for the primary subaccount."""

    def __init__(self, client: KalshiClient, clock: Clock) -> None:
        self.client, self._clock = client, clock
        self._canceled_all_at: Instant | None = None

    async def create(self, ticket: OrderTicket) -> Placed:
        """Place one order. It is not held back for tokens: what waits is sent at yesterday's price.

        Raises :class:`RefusedError` with code ``order_already_exists`` when the client order id was used
        before, by whatever order and for ever: look that order up.
        """
        self._must_not_follow_cancel_all()
        body = order_wire.create_body(ticket)
        response = await self.client.call(
            "POST",
            ORDERS,
            body=body,
            bucket=self.client.buckets.writes(ticket.exchange_index),
            cost=_CREATE,
            waits=False,
        )
        return _placed(ticket, _decoded(OrderAnswer, response.body, "create"))

    async def warm(self) -> None:
        """Have the next create signed before it is wanted; due about once a second."""
        await self.client.presign("POST", ORDERS)

    def prepare(self) -> None:
        """Sign the next create now, if it is not signed yet: while something else is waited for."""
        self.client.prepare("POST", ORDERS)

    async def create_batch(self, tickets: Sequence[OrderTicket]) -> list[Placed | ArbError]:
        """Place several orders; each succeeds or fails by itself, and its error stands in its place.

        The whole batch is billed to the unscoped bucket and must fit into it: 10 creates on the basic tier.
        """
        self._must_not_follow_cancel_all()
        body = order_wire.batch_body(list(tickets))
        response = await self.client.call("POST", f"{ORDERS}/batched", body=body, cost=_CREATE * len(tickets))
        items = _decoded(BatchAnswer, response.body, "batch create").orders
        return _each(tickets, items, lambda one, item: one.client_order_id == item.client_order_id, _placed)

    async def amend(
        self,
        order: OrderRef,
        side: Side,
        price: Price,
        total: Quantity,
        *,
        new_client_order_id: str = "",
        expires_at: Instant | None = None,
    ) -> Amended:
        """Change price and size; ``total`` is what has filled plus what shall rest.

        A new price or more size goes to the back of the queue. ``expires_at``: ``None`` keeps it,
        :data:`NEVER` takes it away.
        """
        body = order_wire.amend_body(order, side, price, total, new_client_order_id, expires_at)
        answer = await self._change(order, "amend", body)
        return _readable(lambda: order_answers.amended_of(answer), f"amend {order.order_id}")

    async def decrease(
        self, order: OrderRef, *, by: Quantity | None = None, to: Quantity | None = None
    ) -> Quantity:
        """Make an order smaller without losing its place in the queue; gives what still rests."""
        answer = await self._change(order, "decrease", order_wire.decrease_body(order, by, to))
        return _readable(lambda: order_answers.counted(answer.remaining_count), f"decrease {order.order_id}")

    async def cancel(self, order: OrderRef) -> Quantity | None:
        """Take an order out of the book; gives how much was still resting.

        ``None`` means only that it is not resting there: canceled before, expired, or filled. Read its fills.
        """
        try:
            response = await self.client.call(
                "DELETE",
                f"{ORDERS}/{order.order_id}",
                params=[("market_ticker", order.ticker), ("exchange_index", str(order.exchange_index))],
                bucket=self.client.buckets.writes(order.exchange_index),
                cost=_CANCEL,
            )
        except RefusedError as exc:
            if exc.code == NOT_FOUND:
                return None
            raise
        return _canceled(order, _decoded(OrderAnswer, response.body, "cancel"))

    async def cancel_batch(self, orders: Sequence[OrderRef]) -> list[Quantity | ArbError | None]:
        """Cancel several orders, as :meth:`cancel` each; errors stand in their places."""
        body = order_wire.cancel_batch_body(list(orders))
        response = await self.client.call(
            "DELETE", f"{ORDERS}/batched", body=body, cost=_CANCEL * len(orders)
        )
        items = _decoded(BatchAnswer, response.body, "batch cancel").orders
        return _each(orders, items, lambda one, item: one.order_id == item.order_id, _canceled)

    async def cancel_all(self) -> None:
        """Cancel every resting order of the account, on every shard and in every subaccount.

        The exchange may also cancel what is placed within the next minute: creates are refused here for that
        long, also when the outcome is unknown. Repeating it does no harm.
        """
        self._canceled_all_at = self._clock.now()
        try:
            await self.client.call("DELETE", ORDERS, cost=_CANCEL)
        finally:
            self._canceled_all_at = self._clock.now()

    async def is_trading(self, exchange_index: int) -> bool:
        """Whether the shard trades now; no when the exchange does not say so in as many words."""
        status = await self.client.status()
        for shard in status.exchange_index_statuses or ():
            if shard.exchange_index == exchange_index:
                return shard.exchange_active is True and shard.trading_active is True
        return exchange_index == 0 and status.exchange_active and status.trading_active

    async def _change(self, order: OrderRef, what: str, body: bytes) -> OrderAnswer:
        """An amend or decrease, and the answer if it is about this order."""
        response = await self.client.call(
            "POST",
            f"{ORDERS}/{order.order_id}/{what}",
            body=body,
            bucket=self.client.buckets.writes(order.exchange_index),
            cost=_CREATE,
        )
        answer = _decoded(OrderAnswer, response.body, what)
        _same(order, answer, what)
        return answer

    def _must_not_follow_cancel_all(self) -> None:
        at = self._canceled_all_at
        if at is not None and age(at, self._clock.now()) < _AFTER_CANCEL_ALL:
            raise RetryLaterError("not sent: within a minute of a cancel-all it may be canceled too")


# --- answers ----------------------------------------------------------------------------------------------


def _readable(read: Callable[[], T], what: str) -> T:
    """What ``read`` makes of a 2xx answer; one that cannot be read leaves the outcome unknown."""
    try:
        return read()
    except MalformedError as exc:
        raise OutcomeUnknownError(f"{what}: answered, but not readably: {exc}") from exc


def _decoded(kind: type[T], body: bytes, what: str) -> T:
    return _readable(lambda: wire.decode(kind, body), what)


def _placed(ticket: OrderTicket, answer: OrderAnswer) -> Placed:
    """An accepted order, or the error that the answer stands for.

    Without an order id it was not accepted as far as we can tell, and only a known code says that it was
    refused: a body with neither, which has been seen, leaves the outcome unknown.
    """
    what = f"create {ticket.client_order_id}"
    if not answer.order_id:
        said = answer.refusal
        raise error_by_code(said, f"{what}: answered without an order id: {said}")
    return _readable(lambda: order_answers.placed_of(ticket, answer), what)


def _canceled(order: OrderRef, answer: OrderAnswer) -> Quantity | None:
    """How much a cancel took out of the book; ``None`` if it was not resting there."""
    what, said = f"cancel {order.order_id}", answer.refusal
    if said.code == NOT_FOUND:
        return None
    if said.code:
        raise error_by_code(said, f"{what}: {said}")
    _same(order, answer, what)
    return _readable(lambda: order_answers.counted(answer.reduced_by), what)


def _same(order: OrderRef, answer: OrderAnswer, what: str) -> None:
    if answer.order_id != order.order_id:
        raise OutcomeUnknownError(f"{what}: the answer is about order {answer.order_id!r}")


def _each(
    asked: Sequence[T],
    items: Sequence[OrderAnswer],
    is_about: Callable[[T, OrderAnswer], bool],
    read: Callable[[T, OrderAnswer], R],
) -> list[R | ArbError]:
    """What a batch answered to each thing asked: found by id, an item that names none by its place."""
    return [_one(one, _item_of(one, place, asked, items, is_about), read) for place, one in enumerate(asked)]


def _item_of(
    one: T,
    place: int,
    asked: Sequence[T],
    items: Sequence[OrderAnswer],
    is_about: Callable[[T, OrderAnswer], bool],
) -> OrderAnswer | None:
    for item in items:
        if is_about(one, item):
            return item
    here = items[place] if len(items) == len(asked) else None
    return None if here is None or here.order_id or here.client_order_id else here


def _one(one: T, item: OrderAnswer | None, read: Callable[[T, OrderAnswer], R]) -> R | ArbError:
    if item is None:
        return OutcomeUnknownError("the answer to the batch does not speak of this order")
    try:
        return read(one, item)
    except ArbError as exc:
        return exc
