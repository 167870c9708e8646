"""The exchange's order endpoints, second version: bodies read and checked, orders handed to the desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from shared.clock import SECOND, Instant
from shared.errors import BadMoneyError
from shared.money import Price, Quantity, parse_price, parse_quantity
from shared.simulator.accounts import Account
from shared.simulator.exchange import SHARDS
from shared.simulator.orders import OrderDesk
from shared.simulator.query import BadQuery, read_json, require, shard_of
from shared.simulator.tickets import AT_CROSS, FOK, GTC, IOC, MAKER, Refusal, Ticket
from shared.simulator.web import Query, Reply, Request, Route, reply

Json = dict[str, Any]
_ORDERS = "/portfolio/events/orders"
_REQUIRED = ("ticker", "side", "count", "price", "time_in_force", "self_trade_prevention_type")
_CREATE: dict[str, type] = {
    **dict.fromkeys(_REQUIRED, str),
    "client_order_id": str,
    "expiration_time": int,
    "post_only": bool,
    "reduce_only": bool,
    "cancel_order_on_pause": bool,
    "subaccount": int,
    "order_group_id": str,
    "exchange_index": int,
}
_AMEND_REQUIRED = ("ticker", "side", "price", "count")
_AMEND = _CREATE | {"updated_client_order_id": str}
_DECREASE: dict[str, type] = {"reduce_by": str, "reduce_to": str, "market_ticker": str, "exchange_index": int}


class _Named(msgspec.Struct):
    exchange_index: int = -1


class OrdersApi:
    """Handlers of ``/portfolio/events/orders``; the account comes first."""

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk

    def routes(self) -> list[Route[Reply]]:
        """Every order endpoint, with what it costs."""
        table: list[tuple[str, str, Callable[..., Reply], int]] = [
            ("POST", _ORDERS, self.create, 10),
            ("DELETE", _ORDERS, self.cancel_all, 2),
            ("POST", f"{_ORDERS}/batched", self.batch_create, 10),
            ("DELETE", f"{_ORDERS}/batched", self.batch_cancel, 2),
            ("DELETE", f"{_ORDERS}/{{id}}", self.cancel, 2),
            ("POST", f"{_ORDERS}/{{id}}/amend", self.amend, 10),
            ("POST", f"{_ORDERS}/{{id}}/decrease", self.decrease, 10),
        ]
        return [
            Route(method, pattern, handler, private=True, cost=cost, write=True)
            for method, pattern, handler, cost in table
        ]

    # --- orders --------------------------------------------------------------------------------------------

    def create(self, account: Account, request: Request, _: Query) -> Reply:
        body = read_json(request.body, _CREATE, "CreateOrderV2Request")
        return reply(self._desk.create(account, ticket(body)), 201)

    def batch_create(self, account: Account, request: Request, _: Query) -> Reply:
        items = _items(request.body)
        return reply({"orders": [self._each(self._create_item, account, item) for item in items]}, 201)

    def _create_item(self, account: Account, item: bytes) -> Json:
        return self._desk.create(account, ticket(read_json(item, _CREATE, "CreateOrderV2Request")))

    def batch_cancel(self, account: Account, request: Request, _: Query) -> Reply:
        items = _items(request.body)
        return reply({"orders": [self._each(self._cancel_item, account, item) for item in items]})

    def _cancel_item(self, account: Account, item: bytes) -> Json:
        fields: dict[str, type] = {"order_id": str, "market_ticker": str, "exchange_index": int}
        body = read_json(item, fields, "BatchCancelOrdersV2Request")
        return self._desk.cancel(
            account, body.get("order_id", ""), body.get("market_ticker"), body.get("exchange_index")
        )

    def _each(self, action: Callable[[Account, bytes], Json], account: Account, item: bytes) -> Json:
        try:
            return action(account, item)
        except Refusal as refusal:
            return {"error": refusal.error}
        except BadQuery as bad:
            return {"error": bad.body}

    def cancel(self, account: Account, _: Request, query: Query, order_id: str) -> Reply:
        return reply(self._desk.cancel(account, order_id, query.one("market_ticker"), shard_of(query)))

    def cancel_all(self, account: Account, _: Request, __: Query) -> Reply:
        self._desk.cancel_all(account)
        return Reply(204, b"", {})

    def decrease(self, account: Account, request: Request, _: Query, order_id: str) -> Reply:
        body = read_json(request.body, _DECREASE, "DecreaseOrderV2Request")
        by, to = body.get("reduce_by"), body.get("reduce_to")
        if (by is None) == (to is None):
            raise Refusal(400, "invalid_parameters", "exactly one of reduce_by and reduce_to")
        lots = _lots(by or to or "")
        return reply(
            self._desk.decrease(
                account,
                order_id,
                lots if by is not None else None,
                lots if to is not None else None,
                body.get("market_ticker"),
                body.get("exchange_index"),
            )
        )

    def amend(self, account: Account, request: Request, _: Query, order_id: str) -> Reply:
        body = read_json(request.body, _AMEND, "AmendOrderV2Request")
        require(body, _AMEND_REQUIRED)
        full = body | {"time_in_force": GTC, "self_trade_prevention_type": AT_CROSS}
        asked = ticket(full)
        if asked.expires and asked.expires <= self._desk.now:
            raise Refusal(400, "invalid_order", "expiration must be in the future")
        return reply(self._desk.amend(account, order_id, asked, body.get("updated_client_order_id")))


def ticket(body: Json) -> Ticket:
    """An order ticket from a decoded body; raises :class:`Refusal` 400."""
    require(body, _REQUIRED)
    choices = {
        "side": ("bid", "ask"),
        "time_in_force": (GTC, IOC, FOK),
        "self_trade_prevention_type": (AT_CROSS, MAKER),
    }
    for name, allowed in choices.items():
        if body[name] not in allowed:
            raise Refusal(400, "invalid_parameters", f"{name} must be one of {', '.join(allowed)}")
    if "." in body.get("client_order_id", ""):
        raise Refusal(400, "invalid_parameters", "client_order_id")
    if body.get("subaccount"):
        raise Refusal(400, "invalid_parameters", "subaccount is not simulated")
    expires = body.get("expiration_time")
    return Ticket(
        ticker=body["ticker"],
        bid=body["side"] == "bid",
        lots=_lots(body["count"]),
        price=_price(body["price"]),
        time_in_force=body["time_in_force"],
        self_trade=body["self_trade_prevention_type"],
        client_order_id=body.get("client_order_id") or "",
        post_only=bool(body.get("post_only")),
        reduce_only=bool(body.get("reduce_only")),
        cancel_on_pause=bool(body.get("cancel_order_on_pause")),
        expires=None if expires is None else Instant(min(expires, 10**10) * SECOND),
        shard=body.get("exchange_index"),
        group=body.get("order_group_id") or "",
    )


def _lots(text: str) -> Quantity:
    try:
        return parse_quantity(text)
    except BadMoneyError:
        raise Refusal(400, "invalid_order", "invalid count") from None


def _price(text: str) -> Price:
    try:
        return parse_price(text)
    except BadMoneyError:
        raise Refusal(400, "invalid_price") from None


def _items(body: bytes) -> list[bytes]:
    value = read_json(body, {"orders": list}, "BatchOrdersV2Request")
    return [msgspec.json.encode(item) for item in value.get("orders") or []]


def write_shards(pattern: str, request: Request) -> tuple[int, ...]:
    """Shards whose buckets pay for a write: the one it names; all of them when it must be routed.

    Batches, cancel-all and everything else that is not about one order are billed to the bucket of shard 0.
    """
    if not pattern.startswith(_ORDERS) or pattern.endswith("/batched"):
        return (0,)
    if pattern == _ORDERS and request.method == "DELETE":
        return (0,)
    named = Query(request.query).one("exchange_index") or _named_shard(request.body)
    return (int(named),) if named.isdigit() and int(named) in SHARDS else tuple(SHARDS)


def _named_shard(body: bytes) -> str:
    try:
        return str(msgspec.json.decode(body, type=_Named).exchange_index)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def batch_size(body: bytes) -> int:
    """Orders in a batch body, for billing; 1 if it cannot be read."""
    try:
        return max(1, len(_items(body)))
    except BadQuery:
        return 1
