"""The exchange's order group endpoints: bodies read and checked, groups kept by the desk.

Every call but the create takes ``exchange_index`` from the query, and shard 0 where it is not given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.errors import BadMoneyError
from shared.money import LOTS, Quantity, format_quantity, parse_quantity
from shared.simulator.accounts import Account
from shared.simulator.exchange import SHARDS
from shared.simulator.groups import Group, OrderGroups
from shared.simulator.query import read_json, shard_of
from shared.simulator.tickets import Refusal
from shared.simulator.web import Query, Reply, Request, Route, reply

Json = dict[str, Any]
_GROUPS = "/portfolio/order_groups"
_LIMIT: dict[str, type] = {"contracts_limit_fp": str, "contracts_limit": int}
_MOST = 1_000_000 * LOTS


class GroupsApi:
    """Handlers; the account comes first."""

    def __init__(self, groups: OrderGroups) -> None:
        self._groups = groups

    def routes(self) -> list[Route[Reply]]:
        """Every endpoint."""
        table: list[tuple[str, str, Callable[..., Reply]]] = [
            ("POST", f"{_GROUPS}/create", self.create),
            ("PUT", f"{_GROUPS}/{{id}}/limit", self.limit),
            ("PUT", f"{_GROUPS}/{{id}}/trigger", self.trigger),
            ("PUT", f"{_GROUPS}/{{id}}/reset", self.reset),
            ("DELETE", f"{_GROUPS}/{{id}}", self.delete),
        ]
        return [
            Route("GET", _GROUPS, self.all, private=True),
            Route("GET", f"{_GROUPS}/{{id}}", self.one, private=True),
            *(Route(method, path, handler, private=True, write=True) for method, path, handler in table),
        ]

    def create(self, account: Account, request: Request, _: Query) -> Reply:
        body = read_json(request.body, _LIMIT | {"exchange_index": int}, "CreateOrderGroupRequest")
        shard = body.get("exchange_index") or 0
        if shard not in SHARDS:
            raise Refusal(400, "invalid_parameters", "exchange_index")
        group = self._groups.create(account, shard, _limit(body))
        return reply({"order_group_id": group.id, "subaccount": 0, "exchange_index": shard}, 201)

    def all(self, account: Account, _: Request, query: Query) -> Reply:
        wanted = shard_of(query)
        groups = [group for group in account.groups.values() if wanted in (None, group.shard)]
        return reply({"order_groups": [{"id": group.id, **_row(group)} for group in groups]})

    def one(self, account: Account, _: Request, query: Query, group_id: str) -> Reply:
        group = self._find(account, query, group_id)
        live = [order.id for order in group.orders if order.is_resting]
        return reply(_row(group) | {"orders": live})

    def limit(self, account: Account, request: Request, query: Query, group_id: str) -> Reply:
        group = self._find(account, query, group_id)
        body = read_json(request.body, _LIMIT, "UpdateOrderGroupLimitRequest")
        self._groups.set_limit(account, group, _limit(body))
        return reply({})

    def trigger(self, account: Account, _: Request, query: Query, group_id: str) -> Reply:
        self._groups.trigger(account, self._find(account, query, group_id))
        return reply({})

    def reset(self, account: Account, _: Request, query: Query, group_id: str) -> Reply:
        self._groups.reset(account, self._find(account, query, group_id))
        return reply({})

    def delete(self, account: Account, _: Request, query: Query, group_id: str) -> Reply:
        self._groups.delete(account, self._find(account, query, group_id))
        return reply({})

    def _find(self, account: Account, query: Query, group_id: str) -> Group:
        return self._groups.get(account, group_id, shard_of(query) or 0)


def _row(group: Group) -> Json:
    return {
        "contracts_limit_fp": format_quantity(Quantity(group.limit)),
        "is_auto_cancel_enabled": True,
        "exchange_index": group.shard,
    }


def _limit(body: Json) -> int:
    text, whole = body.get("contracts_limit_fp"), body.get("contracts_limit")
    try:
        lots = parse_quantity(text) if text is not None else (whole or 0) * LOTS
    except BadMoneyError:
        lots = Quantity(0)
    if not LOTS <= lots <= _MOST:
        raise Refusal(400, "invalid_parameters", "contracts_limit must be 1 to 1000000")
    return lots
