"""The exchange's account endpoints: balance, positions, orders, fills, settlements, transfers.

Reads lag behind writes by ``Faults.lag_s``, as they do on the real exchange.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.clock import SECOND, Instant, format_instant
from shared.money import LOTS, MICROS, Quantity, format_quantity
from shared.simulator.accounts import Account
from shared.simulator.exchange import SHARDS, Exchange
from shared.simulator.faults import Faults
from shared.simulator.order_rows import dollars6
from shared.simulator.query import number, page, read_json, require, shard_of
from shared.simulator.tickets import MemberOrder, Refusal
from shared.simulator.web import Query, Reply, Request, Route, reply

Json = dict[str, Any]


class PortfolioApi:
    """Handlers of everything about one account but its order writes; the account comes first."""

    def __init__(self, exchange: Exchange, faults: Faults) -> None:
        self._exchange = exchange
        self._faults = faults
        self._vouched = exchange.started

    def routes(self) -> list[Route[Reply]]:
        """Every endpoint, the public one about accounts included."""
        table: list[tuple[str, Callable[..., Reply], int]] = [
            ("/portfolio/balance", self.balance, 1),
            ("/portfolio/positions", self.positions, 10),
            ("/portfolio/orders", self.orders, 10),
            ("/portfolio/orders/queue_positions", self.queue_positions, 10),
            ("/portfolio/orders/{id}", self.order, 2),
            ("/portfolio/orders/{id}/queue_position", self.queue_position, 10),
            ("/portfolio/fills", self.fills, 10),
            ("/portfolio/settlements", self.settlements, 10),
            ("/portfolio/summary/total_resting_order_value", self.resting_value, 10),
            ("/portfolio/intra_exchange_instance_transfers/{id}", self.transfer_status, 10),
        ]
        transfer = "/portfolio/intra_exchange_instance_transfer"
        return [
            *(Route("GET", pattern, handler, private=True, cost=cost) for pattern, handler, cost in table),
            Route("POST", transfer, self.transfer, private=True, write=True),
            Route("GET", "/exchange/user_data_timestamp", self.user_data_timestamp),
        ]

    # --- reads ---------------------------------------------------------------------------------------------

    @property
    def _as_of(self) -> Instant:
        # A lag that grows must not take back what was vouched for.
        seen = Instant(self._exchange.now - int(self._faults.lag_s * SECOND))
        self._vouched = max(self._vouched, seen)
        return self._vouched

    def user_data_timestamp(self, _: Request, __: Query) -> Reply:
        return reply({"as_of_time": format_instant(self._as_of)})

    def balance(self, account: Account, _: Request, query: Query) -> Reply:
        wanted = shard_of(query)
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
        ticker, event, shard = query.one("ticker"), query.one("event_ticker"), shard_of(query)
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
        return "position" not in query.csv("count_filter") or _lots(row["position_fp"]) != 0

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
            and shard_of(query) in (None, order.shard)
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
            for order in account.resting()
            if order.ticker in tickers or order.market.contract.event_ticker == event
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
            and shard_of(query) in (None, row["exchange_index"])
            and _within(at, query)
        ]
        rows, cursor = page(found, lambda item: (-item[0], ""), limit, query.one("cursor"))
        return reply({"cursor": cursor, "fills": [row for _, row in rows]})

    def settlements(self, account: Account, _: Request, query: Query) -> Reply:
        limit = number(query, "limit", "GetSettlements", 100, 1, 1000)
        ticker, event = query.one("ticker"), query.one("event_ticker")
        seen = [(index, at, row) for index, (at, row) in enumerate(account.settlements) if at <= self._as_of]
        # A corrected result replaces the row of its market.
        latest = {row["ticker"]: index for index, _, row in seen}
        found = [
            (index, row)
            for index, at, row in seen
            if latest[row["ticker"]] == index
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
        require(body, tuple(fields))
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


def _lots(text: str) -> int:
    """Lots of a signed count the simulator wrote itself."""
    return int(text.replace(".", ""))


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

    shares = sum(abs(_lots(row["position_fp"])) for row in rows)
    return {
        "event_ticker": event,
        "event_exposure_dollars": total("market_exposure_dollars"),
        "total_cost_dollars": total("total_traded_dollars"),
        "total_cost_shares_fp": format_quantity(Quantity(shares)),
        "realized_pnl_dollars": total("realized_pnl_dollars"),
        "fees_paid_dollars": total("fees_paid_dollars"),
    }
