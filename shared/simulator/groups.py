"""Order groups: a member's brake on one shard, which cancels a group's orders once too much has matched.

Contracts of all its orders count together over the last 15 seconds; when they reach the limit the group's
orders are canceled and new ones refused until it is reset.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.clock import SECOND, Instant
from shared.money import Quantity, format_quantity
from shared.simulator.accounts import Account, Json
from shared.simulator.exchange import Exchange
from shared.simulator.market import Market, MemberNotice
from shared.simulator.tickets import Refusal

if TYPE_CHECKING:
    from shared.simulator.tickets import MemberOrder

WINDOW = 15 * SECOND


@dataclass(eq=False, slots=True)
class Group:
    """One group. ``limit`` in lots; it is triggered until somebody resets it."""

    id: str
    shard: int
    limit: int
    triggered: bool = False
    orders: list[MemberOrder] = field(default_factory=list)
    matched: deque[tuple[Instant, int]] = field(default_factory=deque)

    def count(self, now: Instant, lots: int) -> int:
        """Note a match; lots matched within the window."""
        self.matched.append((now, lots))
        while self.matched[0][0] <= now - WINDOW:
            self.matched.popleft()
        return sum(lots for _, lots in self.matched)


class OrderGroups:
    """Groups of every member. ``withdraw`` takes a resting order out of its book."""

    def __init__(self, exchange: Exchange, withdraw: Callable[[MemberOrder, str], None]) -> None:
        self._exchange = exchange
        self._withdraw = withdraw

    def create(self, account: Account, shard: int, limit: int) -> Group:
        """A new group of a shard."""
        group = Group(self._exchange.new_id(), shard, limit)
        account.groups[group.id] = group
        self._tell(account, group, "created")
        return group

    def get(self, account: Account, group_id: str, shard: int) -> Group:
        """A group of that shard; raises :class:`Refusal` 404."""
        group = account.groups.get(group_id)
        if group is None or group.shard != shard:
            raise Refusal(404, "not_found")
        return group

    def set_limit(self, account: Account, group: Group, limit: int) -> None:
        """Change the limit."""
        group.limit = limit
        self._tell(account, group, "limit_updated")

    def trigger(self, account: Account, group: Group, incoming: MemberOrder | None = None) -> None:
        """Cancel the group's orders and take no new ones; ``incoming`` is not in a book yet."""
        group.triggered = True
        for order in group.orders:
            if order is incoming:
                order.status, order.remaining = "canceled", Quantity(0)
            elif order.is_resting:
                self._withdraw(order, "")
        self._tell(account, group, "triggered")

    def reset(self, account: Account, group: Group) -> None:
        """Take orders again, counting from nothing."""
        group.triggered = False
        group.matched.clear()
        self._tell(account, group, "reset")

    def delete(self, account: Account, group: Group) -> None:
        """Remove a group and cancel its orders."""
        for order in group.orders:
            if order.is_resting:
                self._withdraw(order, "")
        del account.groups[group.id]
        self._tell(account, group, "deleted")

    # --- for the order desk --------------------------------------------------------------------------------

    def refusal(self, account: Account, market: Market, group_id: str) -> Refusal | None:
        """Why an order may not join the group it names."""
        if not group_id:
            return None
        group = account.groups.get(group_id)
        if group is None or group.shard != market.contract.shard:
            return Refusal(400, "invalid_order", "order group not found")
        return Refusal(400, "invalid_order", "order group is triggered") if group.triggered else None

    def join(self, order: MemberOrder) -> None:
        """Put a new order into the group it names."""
        if order.ticket.group:
            order.owner.groups[order.ticket.group].orders.append(order)

    def matched(self, order: MemberOrder, lots: int, taker: bool) -> None:
        """Count a fill, and trigger the group if that was too much."""
        group = order.owner.groups.get(order.ticket.group)
        if group is None or group.triggered:
            return
        if group.count(self._exchange.now, lots) >= group.limit:
            self.trigger(order.owner, group, order if taker and order.remaining else None)

    def _tell(self, account: Account, group: Group, event_type: str) -> None:
        body: Json = {
            "event_type": event_type,
            "order_group_id": group.id,
            "ts_ms": self._exchange.now // 1000,
        }
        if event_type in ("created", "limit_updated"):
            body["contracts_limit_fp"] = format_quantity(Quantity(group.limit))
        self._exchange.publish(MemberNotice(account, "order_group_updates", body))
