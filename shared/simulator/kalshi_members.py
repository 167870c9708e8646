"""The exchange's account endpoints: order entry in its second version, portfolio, transfers, limits.

Reads lag behind writes by ``Faults.read_lag_s``, as they do on the real exchange.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from shared.clock import SECOND, Instant, format_instant
from shared.errors import BadMoneyError
from shared.money import LOTS, MICROS, Price, Quantity, format_quantity, parse_price, parse_quantity
from shared.simulator.accounts import Account
from shared.simulator.exchange import SHARDS, Exchange
from shared.simulator.faults import Faults
from shared.simulator.kalshi_public import BadQuery, number, page
from shared.simulator.limits import Limits
from shared.simulator.orders import AT_CROSS, FOK, GTC, IOC, MAKER, MemberOrder, Refusal, Ticket, dollars6
from shared.simulator.web import Query, Reply, Request, Route, reply
from shared.simulator.world import World

Json = dict[str, Any]
_ORDERS = "/portfolio/events/orders"
_GO_TYPES = {str: "string", int: "number", float: "number", bool: "bool", list: "array", dict: "object"}
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
_COSTS = (
    ("DELETE", _ORDERS, 2),
    ("DELETE", f"{_ORDERS}/{{order_id}}", 2),
    ("DELETE", f"{_ORDERS}/batched", 2),
    ("GET", "/portfolio/orders/{order_id}", 2),
)


def read_json(body: bytes, fields: dict[str, type], name: str) -> Json:
    """A JSON object with members of the types in ``fields``; :class:`BadQuery` in the decoder's words."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise _undecodable(f"json: {exc}") from None
    if not isinstance(value, dict):
        raise _undecodable(f"json: cannot unmarshal into Go value of type {name}")
    for key, kind in fields.items():
        given = value.get(key)
        if given is not None and (not isinstance(given, kind) or (kind is int and isinstance(given, bool))):
            raise _undecodable(
                f"json: cannot unmarshal {_GO_TYPES.get(type(given), 'value')} into Go struct field "
                f"{name}.{key} of type {_GO_TYPES[kind]}"
            )
    return value


def _undecodable(details: str) -> BadQuery:
    return BadQuery({"code": "bad_request", "message": "bad request", "details": details})


class MemberApi:
    """Handlers of the endpoints that need a key; the account comes first."""

    def __init__(self, world: World, faults: Faults, limits: Limits) -> None:
        self._world = world
        self._exchange: Exchange = world.exchange
        self._desk = world.orders
        self._faults = faults
        self._limits = limits

    def routes(self) -> list[Route[Reply]]:
        """Every private endpoint, and the two public ones about accounts."""
        table: list[tuple[str, str, Callable[..., Reply], int]] = [
            ("POST", _ORDERS, self.create, 10),
            ("DELETE", _ORDERS, self.cancel_all, 2),
            ("POST", f"{_ORDERS}/batched", self.batch_create, 10),
            ("DELETE", f"{_ORDERS}/batched", self.batch_cancel, 2),
            ("DELETE", f"{_ORDERS}/{{id}}", self.cancel, 2),
            ("POST", f"{_ORDERS}/{{id}}/amend", self.amend, 10),
            ("POST", f"{_ORDERS}/{{id}}/decrease", self.decrease, 10),
            ("GET", "/portfolio/balance", self.balance, 1),
            ("GET", "/portfolio/positions", self.positions, 10),
            ("GET", "/portfolio/orders", self.orders, 10),
            ("GET", "/portfolio/orders/queue_positions", self.queue_positions, 10),
            ("GET", "/portfolio/orders/{id}", self.order, 2),
            ("GET", "/portfolio/orders/{id}/queue_position", self.queue_position, 10),
            ("GET", "/portfolio/fills", self.fills, 10),
            ("GET", "/portfolio/settlements", self.settlements, 10),
            ("GET", "/portfolio/summary/total_resting_order_value", self.resting_value, 10),
            ("POST", "/portfolio/intra_exchange_instance_transfer", self.transfer, 10),
            ("GET", "/portfolio/intra_exchange_instance_transfers/{id}", self.transfer_status, 10),
            ("GET", "/account/limits", self.limits, 10),
        ]
        routes = [
            Route(method, pattern, handler, private=True, cost=cost, write=method != "GET")
            for method, pattern, handler, cost in table
        ]
        return [
            *routes,
            Route("GET", "/account/endpoint_costs", self.costs),
            Route("GET", "/exchange/user_data_timestamp", self.user_data_timestamp),
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
        return reply(self._desk.cancel(account, order_id, query.one("market_ticker"), _shard(query)))

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
        _require(body, _AMEND_REQUIRED)
        full = body | {"time_in_force": GTC, "self_trade_prevention_type": AT_CROSS}
        return reply(self._desk.amend(account, order_id, ticket(full), body.get("updated_client_order_id")))

    # --- reads ---------------------------------------------------------------------------------------------

    @property
    def _as_of(self) -> Instant:
        return Instant(self._exchange.now - int(self._faults.read_lag_s * SECOND))

    def user_data_timestamp(self, _: Request, __: Query) -> Reply:
        return reply({"as_of_time": format_instant(self._as_of)})

    def balance(self, account: Account, _: Request, query: Query) -> Reply:
        wanted = _shard(query)
        seen = account.seen_cash.at(self._as_of) or {}
        rows = {shard: cash for shard, cash in seen.items() if wanted in (None, shard)}
        total = sum(rows.values())
        return reply(
            {
                "balance": total // 10_000,
                "balance_dollars": _dollars4(total),
                "balance_breakdown": [
                    {"balance": _dollars4(cash), "exchange_index": shard} for shard, cash in rows.items()
                ],
                "portfolio_value": self._portfolio_value(account) // 10_000,
                "updated_ts": self._exchange.now // SECOND,
            }
        )

    def _portfolio_value(self, account: Account) -> int:
        value = 0
        for ticker, position in account.positions.items():
            market = self._exchange.markets.get(ticker)
            if market is None or not position.lots:
                continue
            quote = market.quote
            yes = quote.bid or 0 if position.lots > 0 else MICROS - (quote.ask or MICROS)
            value += yes * abs(position.lots) // LOTS
        return value

    def positions(self, account: Account, _: Request, query: Query) -> Reply:
        limit = number(query, "limit", "GetPositions", 100, 1, 1000)
        ticker, event, shard = query.one("ticker"), query.one("event_ticker"), _shard(query)
        found = []
        for history in account.seen_positions.values():
            row = history.at(self._as_of)
            if (
                row is None
                or ticker not in (None, row["ticker"])
                or shard not in (None, row["exchange_index"])
            ):
                continue
            if event in (None, self._event_of(row["ticker"])) and self._position_wanted(row, query):
                found.append(row)
        rows, cursor = page(found, lambda row: (0, row["ticker"]), limit, query.one("cursor"))
        return reply(
            {"cursor": cursor, "event_positions": self._event_positions(rows), "market_positions": rows}
        )

    def _position_wanted(self, row: Json, query: Query) -> bool:
        status = query.one("settlement_status") or "unsettled"
        market = self._exchange.markets.get(row["ticker"])
        settled = market is None or market.settled_at is not None
        if status != "all" and settled != (status == "settled"):
            return False
        return "position" not in query.csv("count_filter") or parse_signed(row["position_fp"]) != 0

    def _event_positions(self, rows: list[Json]) -> list[Json]:
        found: dict[str, list[Json]] = {}
        for row in rows:
            found.setdefault(self._event_of(row["ticker"]), []).append(row)
        return [_event_position(event, members) for event, members in found.items()]

    def _event_of(self, ticker: str) -> str:
        market = self._exchange.markets.get(ticker)
        return market.contract.event_ticker if market else ticker.rsplit("-", 1)[0]

    def orders(self, account: Account, _: Request, query: Query) -> Reply:
        limit = number(query, "limit", "GetOrders", 100, 1, 1000)
        status, ticker, event = query.one("status"), query.one("ticker"), query.one("event_ticker")
        if status not in (None, "resting", "canceled", "executed"):
            raise Refusal(400, "invalid_status_filter")
        seen = [(order, row) for order in account.orders.values() if (row := order.history.at(self._as_of))]
        found = [
            (order, row)
            for order, row in seen
            if status in (None, row["status"])
            and ticker in (None, row["ticker"])
            and event in (None, order.market.contract.event_ticker)
            and _shard(query) in (None, order.shard)
            and _within(order.created, query)
        ]
        rows, cursor = page(found, lambda item: (-item[0].number, ""), limit, query.one("cursor"))
        return reply({"cursor": cursor, "orders": [row for _, row in rows]})

    def order(self, account: Account, _: Request, __: Query, order_id: str) -> Reply:
        order = account.orders.get(order_id)
        row = order.history.at(self._as_of) if order else None
        if row is None:
            raise Refusal(404, "not_found")
        return reply({"order": row})

    def queue_position(self, account: Account, _: Request, __: Query, order_id: str) -> Reply:
        order = account.orders.get(order_id)
        if order is None or not order.is_resting:
            raise Refusal(404, "not_found")
        return reply({"queue_position_fp": _ahead(order)})

    def queue_positions(self, account: Account, _: Request, query: Query) -> Reply:
        tickers, event = set(query.csv("market_tickers")), query.one("event_ticker")
        rows = [
            {"order_id": order.id, "market_ticker": order.ticker, "queue_position_fp": _ahead(order)}
            for order in account.orders.values()
            if order.is_resting and (order.ticker in tickers or order.market.contract.event_ticker == event)
        ]
        return reply({"queue_positions": rows})

    def fills(self, account: Account, _: Request, query: Query) -> Reply:
        limit = number(query, "limit", "GetFills", 100, 1, 1000)
        tickers, order_id = set(query.csv("ticker")), query.one("order_id")
        found = [
            (index, row)
            for index, (at, row) in enumerate(account.fills)
            if at <= self._as_of
            and (not tickers or row["ticker"] in tickers)
            and order_id in (None, row["order_id"])
            and _shard(query) in (None, row["exchange_index"])
            and _within(at, query)
        ]
        rows, cursor = page(found, lambda item: (-item[0], ""), limit, query.one("cursor"))
        return reply({"cursor": cursor, "fills": [row for _, row in rows]})

    def settlements(self, account: Account, _: Request, query: Query) -> Reply:
        limit = number(query, "limit", "GetSettlements", 100, 1, 1000)
        ticker, event = query.one("ticker"), query.one("event_ticker")
        found = [
            (index, row)
            for index, (at, row) in enumerate(account.settlements)
            if at <= self._as_of
            and ticker in (None, row["ticker"])
            and event in (None, row["event_ticker"])
            and _within(at, query)
        ]
        rows, cursor = page(found, lambda item: (-item[0], ""), limit, query.one("cursor"))
        return reply({"cursor": cursor, "settlements": [row for _, row in rows]})

    def resting_value(self, account: Account, _: Request, __: Query) -> Reply:
        by_shard = {shard: account.cash[shard] - account.available(shard) for shard in sorted(account.cash)}
        return reply(
            {
                "total_resting_order_value": sum(by_shard.values()) // 10_000,
                "resting_order_value_breakdown": [
                    {"exchange_index": shard, "balance": _dollars4(value)}
                    for shard, value in by_shard.items()
                ],
            }
        )

    # --- account -------------------------------------------------------------------------------------------

    def transfer(self, account: Account, request: Request, _: Query) -> Reply:
        fields: dict[str, type] = {
            "client_transfer_id": str,
            "amount": int,
            "source_exchange_shard": int,
            "destination_exchange_shard": int,
        }
        body = read_json(request.body, fields, "IntraExchangeTransferRequest")
        _require(body, tuple(fields))
        if body["client_transfer_id"] in account.transfers:
            raise Refusal(409, "transfer_already_exists")
        source, target = body["source_exchange_shard"], body["destination_exchange_shard"]
        amount = body["amount"] * 100  # centicents
        if source not in SHARDS or target not in SHARDS or source == target or amount <= 0:
            raise Refusal(400, "invalid_parameters")
        if amount > account.available(source):
            raise Refusal(400, "insufficient_balance")
        account.pay(source, -amount)
        account.pay(target, amount)
        account.note(self._exchange.now)
        transfer_id = self._exchange.new_id()
        record = {"transfer_id": transfer_id, "status": "complete", "amount": _dollars4(amount)}
        account.transfers[body["client_transfer_id"]] = record
        return reply({"transfer_id": transfer_id})

    def transfer_status(self, account: Account, _: Request, __: Query, transfer_id: str) -> Reply:
        for record in account.transfers.values():
            if record["transfer_id"] == transfer_id:
                return reply(record)
        raise Refusal(404, "not_found")

    def limits(self, _: Account, __: Request, ___: Query) -> Reply:
        def bucket(rate: Any) -> Json:
            return {"bucket_capacity": rate.capacity, "refill_rate": rate.refill}

        return reply(
            {
                "grants": [],
                "read": bucket(self._limits.read),
                "usage_tier": self._limits.tier,
                "write": bucket(self._limits.write),
            }
        )

    def costs(self, _: Request, __: Query) -> Reply:
        rows = [
            {"method": method, "path": f"/trade-api/v2{path}", "cost": cost} for method, path, cost in _COSTS
        ]
        return reply({"default_cost": 10, "endpoint_costs": rows})


# --- parsing -----------------------------------------------------------------------------------------------


def ticket(body: Json) -> Ticket:
    """An order ticket from a decoded body; raises :class:`Refusal` 400."""
    _require(body, _REQUIRED)
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
        raise Refusal(400, "invalid_parameters", "subaccount")
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
    )


def _require(body: Json, names: tuple[str, ...]) -> None:
    missing = [name for name in names if body.get(name) in (None, "")]
    if missing:
        raise Refusal(400, "invalid_parameters", f"{missing[0]} is required")


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


def parse_signed(text: str) -> int:
    """Lots of a signed count the simulator wrote itself."""
    return int(text.replace(".", ""))


def _items(body: bytes) -> list[bytes]:
    value = read_json(body, {"orders": list}, "BatchOrdersV2Request")
    return [msgspec.json.encode(item) for item in value.get("orders") or []]


def batch_size(body: bytes) -> int:
    """Orders in a batch body, for billing; 1 if it cannot be read."""
    try:
        return max(1, len(_items(body)))
    except BadQuery:
        return 1


def _shard(query: Query) -> int | None:
    shard = number(query, "exchange_index", "Request", -1, -1, 99)
    return None if shard == -1 else shard


def _within(at: Instant, query: Query) -> bool:
    low = number(query, "min_ts", "Request", 0, 0, 10**12)
    return low <= at // SECOND <= number(query, "max_ts", "Request", 10**12, 0, 10**12)


def _ahead(order: MemberOrder) -> str:
    return format_quantity(Quantity(order.market.book.ahead(order)))


def _dollars4(micros: int) -> str:
    return dollars6(micros // 100 * 100)[:-2]


def _event_position(event: str, rows: list[Json]) -> Json:
    def total(name: str) -> str:
        return dollars6(sum(int(row[name].replace(".", "")) for row in rows))

    shares = sum(abs(parse_signed(row["position_fp"])) for row in rows)
    return {
        "event_ticker": event,
        "event_exposure_dollars": total("market_exposure_dollars"),
        "total_cost_dollars": total("total_traded_dollars"),
        "total_cost_shares_fp": format_quantity(Quantity(shares)),
        "realized_pnl_dollars": total("realized_pnl_dollars"),
        "fees_paid_dollars": total("fees_paid_dollars"),
    }
