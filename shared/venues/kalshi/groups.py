"""Order groups: the exchange's own brake, which cancels all orders of a group once too much has matched.

A group lives on one shard and protects nothing elsewhere; every call names it, for the default is shard 0.
When contracts matched within 15 seconds reach its limit, its orders are canceled and new ones refused until
:meth:`OrderGroups.reset`.
"""

from __future__ import annotations

import re

import msgspec

from shared.errors import MalformedError, OutcomeUnknownError
from shared.money import Quantity, format_quantity, parse_quantity
from shared.venues.http import Params
from shared.venues.kalshi import wire
from shared.venues.kalshi.account import OrderGroup
from shared.venues.kalshi.client import KalshiClient

_GROUPS = "/portfolio/order_groups"
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


class _Group(wire.Wire, frozen=True, kw_only=True):
    id: str = ""
    contracts_limit_fp: str | None = None
    is_auto_cancel_enabled: bool
    exchange_index: int | None = None
    orders: list[str] | None = None


class _Groups(wire.Wire, frozen=True, kw_only=True):
    order_groups: list[_Group] | None = None


class _Created(wire.Wire, frozen=True, kw_only=True):
    order_group_id: str


class _Limit(wire.Wire, frozen=True, kw_only=True):
    contracts_limit_fp: str


class _Create(_Limit, frozen=True, kw_only=True):
    exchange_index: int


class OrderGroups:
    """Order groups of one shard."""

    def __init__(self, client: KalshiClient, exchange_index: int) -> None:
        self._client, self._shard = client, exchange_index
        self._place = [("exchange_index", str(exchange_index))]

    async def create(self, limit: Quantity) -> str:
        """Make a group that cancels its orders once ``limit`` contracts match within 15 s; gives its id."""
        body = _Create(contracts_limit_fp=format_quantity(limit), exchange_index=self._shard)
        response = await self._write("POST", f"{_GROUPS}/create", body, place=())
        try:
            return wire.decode(_Created, response).order_group_id
        except MalformedError as exc:
            raise OutcomeUnknownError(f"order group: answered, but not readably: {exc}") from exc

    async def all(self) -> list[OrderGroup]:
        """Groups of this shard."""
        answer = await self._client.get(_Groups, _GROUPS, self._place, signed=True)
        return [_group(row, row.id) for row in answer.order_groups or ()]

    async def one(self, group_id: str) -> OrderGroup:
        """One group, with the ids of its orders."""
        return _group(await self._client.get(_Group, _path(group_id), self._place, signed=True), group_id)

    async def set_limit(self, group_id: str, limit: Quantity) -> None:
        """Change the limit."""
        body = _Limit(contracts_limit_fp=format_quantity(limit))
        await self._write("PUT", f"{_path(group_id)}/limit", body)

    async def trigger(self, group_id: str) -> None:
        """Cancel the group's orders now and refuse new ones."""
        await self._write("PUT", f"{_path(group_id)}/trigger")

    async def reset(self, group_id: str) -> None:
        """Take orders again."""
        await self._write("PUT", f"{_path(group_id)}/reset")

    async def delete(self, group_id: str) -> None:
        """Remove the group."""
        await self._write("DELETE", _path(group_id))

    async def _write(
        self, method: str, path: str, body: _Limit | None = None, place: Params | None = None
    ) -> bytes:
        response = await self._client.call(
            method,
            path,
            params=self._place if place is None else place,
            body=None if body is None else msgspec.json.encode(body),
            bucket=self._client.buckets.writes(self._shard),
        )
        return response.body


def _path(group_id: str) -> str:
    if not _ID.fullmatch(group_id):
        raise MalformedError(f"order group id: {group_id[:70]!r} is not one of the exchange's")
    return f"{_GROUPS}/{group_id}"


def _group(row: _Group, group_id: str) -> OrderGroup:
    limit = row.contracts_limit_fp
    return OrderGroup(
        group_id=group_id,
        limit=parse_quantity(limit) if limit else None,
        is_auto_cancel=row.is_auto_cancel_enabled,
        exchange_index=row.exchange_index,
        order_ids=tuple(row.orders or ()),
    )
