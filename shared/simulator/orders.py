"""Order entry: everything a member may ask of the exchange, with its refusals, in the exchange's own words.

All of it works on one YES book: ``bid`` buys YES, ``ask`` sells YES, which opens NO at the complement. Every
client order id is spent for ever, also by orders that were killed or canceled.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

from shared.clock import SECOND, Instant, format_instant
from shared.fees.kalshi import OrderFees, trade_fee
from shared.money import LOTS, MICROS, Price, Quantity, Usd, complement, format_price, format_quantity
from shared.simulator.accounts import Account, History
from shared.simulator.exchange import Exchange, Market, MemberNotice, Trade
from shared.simulator.matching import Order
from shared.terms import Result

Json = dict[str, Any]
GTC, IOC, FOK = "good_till_canceled", "immediate_or_cancel", "fill_or_kill"
AT_CROSS, MAKER = "taker_at_cross", "maker"


class Refusal(Exception):  # noqa: N818 - it is the venue's refusal, and part of its behaviour
    """The exchange says no: HTTP status and the ``error`` object of the body."""

    def __init__(self, status: int, code: str, details: str = "") -> None:
        super().__init__(code)
        self.status = status
        self.error: Json = {"code": code, "message": code.replace("_", " ")}
        if details:
            self.error["details"] = details


@dataclass(frozen=True, slots=True)
class Ticket:
    """A parsed create request. ``shard`` ``None`` or -1 means route by ticker."""

    ticker: str
    bid: bool
    lots: Quantity
    price: Price
    time_in_force: str
    self_trade: str
    client_order_id: str = ""
    post_only: bool = False
    reduce_only: bool = False
    cancel_on_pause: bool = False
    expires: Instant | None = None
    shard: int | None = None
    subaccount: int = 0


class MemberOrder(Order):
    """A member's order and what became of it."""

    __slots__ = (
        "client_order_id", "created", "expires", "fees", "filled", "history", "id", "initial", "maker_cost",
        "maker_fees", "market", "reason", "status", "taker_cost", "taker_fees", "ticket",
    )  # fmt: skip

    def __init__(self, order_id: str, number: int, owner: Account, market: Market, ticket: Ticket) -> None:
        super().__init__(number, owner, ticket.bid, ticket.price, ticket.lots)
        self.id = order_id
        self.market = market
        self.ticket = ticket
        self.client_order_id = ticket.client_order_id
        self.initial: int = ticket.lots
        self.filled = 0
        self.expires = ticket.expires
        self.fees = OrderFees(market.schedule)
        self.taker_cost = self.maker_cost = self.taker_fees = self.maker_fees = 0
        self.status = "resting"
        self.reason = ""
        self.created = Instant(0)
        self.history: History[Json] = History()

    @property
    def ticker(self) -> str:
        """Its market."""
        return self.market.ticker

    @property
    def shard(self) -> int:
        """The engine it lives on."""
        return self.market.contract.shard

    @property
    def is_resting(self) -> bool:
        """Whether it is in the book."""
        return self.status == "resting" and self.remaining > 0

    @property
    def unit(self) -> int:
        """What one contract opened by this order costs, micro-dollars."""
        return self.price if self.bid else MICROS - self.price

    @property
    def maker_fee_bound(self) -> int:
        """More than the fees the rest of the order can cost while it rests, micro-dollars."""
        return trade_fee(self.market.schedule, self.price, self.remaining, is_taker=False) + 200


class OrderDesk:
    """Takes members' orders to the books."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._expiring: list[tuple[Instant, int, MemberOrder]] = []
        exchange.on_fill = self._on_fill

    # --- create --------------------------------------------------------------------------------------------

    def create(self, account: Account, ticket: Ticket) -> Json:
        """Enter an order; returns the response body. Raises :class:`Refusal`."""
        market = self._market(ticket.ticker, ticket.shard)
        self._claim(account, ticket)
        self._check(account, market, ticket)
        exchange = self._exchange
        order = MemberOrder(exchange.new_id(), exchange.next_number(), account, market, ticket)
        order.created = exchange.now
        account.orders[order.id] = order
        self._execute(account, market, order)
        return self._response(order)

    def _claim(self, account: Account, ticket: Ticket) -> None:
        if not ticket.client_order_id:
            return
        if ticket.client_order_id in account.client_ids:
            raise Refusal(409, "order_already_exists")
        account.client_ids.add(ticket.client_order_id)

    def _check(self, account: Account, market: Market, ticket: Ticket) -> None:
        for refusal in (
            self._trading_refusal(market),
            _ticket_refusal(self._exchange.now, ticket),
            None if market.on_grid(ticket.price) else Refusal(400, "invalid_price"),
            _book_refusal(account, market, ticket),
        ):
            if refusal is not None:
                # Refused before the engine: the id may be used again, except for a killed order.
                if refusal.error["code"] != "fill_or_kill_insufficient_resting_volume":
                    account.client_ids.discard(ticket.client_order_id)
                raise refusal
        self._check_cash(account, market, ticket)

    def _trading_refusal(self, market: Market) -> Refusal | None:
        if market.contract.shard in self._exchange.paused_shards:
            return Refusal(409, "exchange_is_paused")
        if market.status.value == "inactive":
            return Refusal(409, "trading_is_paused")
        return None if market.is_open else Refusal(400, "market_inactive")

    def _check_cash(self, account: Account, market: Market, ticket: Ticket) -> None:
        held = account.positions.get(market.ticker)
        closing = 0 if held is None else max(0, -held.lots if ticket.bid else held.lots)
        unit = ticket.price if ticket.bid else complement(ticket.price)
        opened = max(0, ticket.lots - closing)
        fee = trade_fee(market.schedule, ticket.price, ticket.lots) + 200
        if unit * opened // LOTS + fee > account.available(market.contract.shard):
            account.client_ids.discard(ticket.client_order_id)
            raise Refusal(400, "insufficient_balance")

    def _execute(self, account: Account, market: Market, order: MemberOrder) -> None:
        ticket = order.ticket
        if ticket.reduce_only:
            held = account.position(market.ticker).lots
            order.remaining = Quantity(min(order.remaining, max(0, -held if order.bid else held)))
        self._cross(market, order)
        if ticket.time_in_force == GTC and order.remaining and order.status == "resting":
            self._rest(market, order)
        elif order.remaining or order.filled < order.initial:
            self._end(order, "canceled", order.reason or ("ReduceOnlyCancel" if ticket.reduce_only else ""))
        self._exchange.touch(market)
        self._tell_order(order)

    def _rest(self, market: Market, order: MemberOrder) -> None:
        market.book.add(order)
        if order.expires is not None:
            heapq.heappush(self._expiring, (order.expires, order.number, order))

    def _cross(self, market: Market, order: MemberOrder) -> None:
        def own(resting: Order) -> bool:
            assert isinstance(resting, MemberOrder)  # noqa: S101 - members' orders only
            if order.ticket.self_trade == MAKER:
                self._withdraw(resting, "SelfTradeCancel")
                return True
            order.status, order.reason = "canceled", "SelfTradeCancel"
            return False

        self._exchange.match(market, order, own)

    def _response(self, order: MemberOrder) -> Json:
        body: Json = {
            "client_order_id": order.client_order_id,
            "fill_count": format_quantity(Quantity(order.filled)),
            "order_id": order.id,
            "remaining_count": format_quantity(order.remaining if order.is_resting else Quantity(0)),
            "ts_ms": self._exchange.now // 1000,
        }
        return body | _averages(order)

    # --- cancel, decrease, amend ---------------------------------------------------------------------------

    def cancel(self, account: Account, order_id: str, ticker: str | None, shard: int | None) -> Json:
        """Cancel one resting order. Raises :class:`Refusal` 404 if it is not resting there."""
        order = self._resting(account, order_id, ticker, shard)
        reduced = order.remaining
        self._withdraw(order, "")
        return {
            "order_id": order.id,
            "client_order_id": order.client_order_id,
            "reduced_by": format_quantity(reduced),
            "ts_ms": self._exchange.now // 1000,
        }

    def cancel_all(self, account: Account) -> None:
        """Cancel every resting order of the member, on every shard."""
        for order in [order for order in account.orders.values() if order.is_resting]:
            self._withdraw(order, "")

    def decrease(
        self,
        account: Account,
        order_id: str,
        by: int | None,
        to: int | None,
        ticker: str | None,
        shard: int | None,
    ) -> Json:
        """Make an order smaller by ``by`` or down to ``to`` lots; it keeps its place in the queue."""
        order = self._resting(account, order_id, ticker, shard)
        left = order.remaining - by if by is not None else to
        if left is None or not 0 <= left < order.remaining:
            raise Refusal(400, "invalid_order", "order cannot be decreased to that count")
        if left == 0:
            self._withdraw(order, "Decrease")
        else:
            order.initial -= order.remaining - left
            order.market.book.reduce(order, order.remaining - left)
            order.reason = "Decrease"
            self._exchange.touch(order.market)
            self._tell_order(order)
        return {
            "order_id": order.id,
            "client_order_id": order.client_order_id,
            "remaining_count": format_quantity(Quantity(left)),
            "ts_ms": self._exchange.now // 1000,
        }

    def amend(self, account: Account, order_id: str, ticket: Ticket, new_client_id: str | None) -> Json:
        """Change price or total count (filled + resting). A pure decrease keeps the place in the queue."""
        order = self._resting(account, order_id, ticket.ticker, ticket.shard)
        market, left = order.market, ticket.lots - order.filled
        refusal = self._trading_refusal(market)
        if refusal is not None:
            raise refusal
        if ticket.bid != order.bid or left <= 0:
            raise Refusal(400, "invalid_order", "amend cannot change side or fall below the filled count")
        if not market.on_grid(ticket.price):
            raise Refusal(400, "invalid_price")
        self._rename(account, order, new_client_id)
        order.reason = "Amend"
        if ticket.price == order.price and left <= order.remaining:
            order.initial = ticket.lots
            market.book.reduce(order, order.remaining - left)
        else:
            self._replace(account, order, ticket, left)
        self._exchange.touch(market)
        self._tell_order(order)
        return self._response(order)

    def _rename(self, account: Account, order: MemberOrder, new_client_id: str | None) -> None:
        if new_client_id is None:
            return
        if new_client_id in account.client_ids:
            raise Refusal(409, "order_already_exists")
        account.client_ids.add(new_client_id)
        order.client_order_id = new_client_id

    def _replace(self, account: Account, order: MemberOrder, ticket: Ticket, left: int) -> None:
        market, before = order.market, (order.price, order.remaining)
        market.book.remove(order)
        order.price, order.remaining = ticket.price, Quantity(left)
        fee = trade_fee(market.schedule, ticket.price, Quantity(left)) + 200
        if account.available(order.shard) < fee:
            order.price, order.remaining = before
            market.book.add(order)
            raise Refusal(400, "insufficient_balance")
        order.initial = ticket.lots
        self._cross(market, order)
        if order.remaining and order.status == "resting":
            market.book.add(order)
        elif order.remaining:
            self._end(order, "canceled", order.reason)

    def _resting(self, account: Account, order_id: str, ticker: str | None, shard: int | None) -> MemberOrder:
        order = account.orders.get(order_id)
        # Without a market or a shard the call goes to shard 0 and does not see orders elsewhere.
        route = shard if shard is not None and shard >= 0 else None
        if route is None:
            known = self._exchange.markets.get(ticker) if ticker else None
            route = known.contract.shard if known else 0
        if order is None or not order.is_resting or order.shard != route:
            raise Refusal(404, "not_found")
        if order.shard in self._exchange.paused_shards:
            raise Refusal(409, "exchange_is_paused")
        return order

    def _withdraw(self, order: MemberOrder, reason: str) -> None:
        order.market.book.remove(order)
        self._end(order, "canceled", reason)
        self._exchange.touch(order.market)
        self._tell_order(order)

    def _end(self, order: MemberOrder, status: str, reason: str) -> None:
        order.status, order.reason = status, reason
        order.remaining = Quantity(0)

    # --- what happens by itself ----------------------------------------------------------------------------

    def expire(self, now: Instant) -> None:
        """Cancel orders whose time has come."""
        while self._expiring and self._expiring[0][0] <= now:
            expires, _, order = heapq.heappop(self._expiring)
            if order.is_resting and order.expires == expires:
                self._withdraw(order, "ExpiryCancel")

    def pause(self, shard: int) -> None:
        """Pause an engine: orders that asked for it are canceled, nothing else is possible there."""
        for account in self._exchange.accounts.values():
            for order in account.resting(shard):
                if order.ticket.cancel_on_pause:
                    self._withdraw(order, "HaltCancel")
        self._exchange.paused_shards.add(shard)

    def resume(self, shard: int) -> None:
        """End a pause."""
        self._exchange.paused_shards.discard(shard)

    def close_market(self, market: Market) -> None:
        """Cancel the members' resting orders of a market that stops trading."""
        for account in self._exchange.accounts.values():
            for order in list(account.orders.values()):
                if order.market is market and order.is_resting:
                    self._withdraw(order, "CloseCancel")

    def pay_out(self, account: Account, market: Market) -> None:
        """Settle one holder: cash, and a row of ``/portfolio/settlements`` for members."""
        assert market.payout is not None  # noqa: S101 - determined before
        position, now = account.positions[market.ticker], self._exchange.now
        lots = position.lots
        revenue = position.settle(market.payout)
        account.pay(market.contract.shard, revenue)
        if account.house:
            del account.positions[market.ticker]
            return
        if position.volume == 0:
            return
        account.settlements.append(
            (now, _settlement(market, lots, position.yes_cost, position.no_cost, revenue, position.fees, now))
        )
        account.note(now)
        self._tell_position(account, market)

    def _on_fill(
        self, market: Market, order: Order, lots: int, price: Price, taker: bool, trade: Trade
    ) -> None:
        if not isinstance(order, MemberOrder):
            return
        account, exchange = order.owner, self._exchange
        fee = order.fees.charge(price, Quantity(lots), buying=order.bid, is_taker=taker)
        account.pay(order.shard, -fee)
        exchange.fees_earned += fee
        position = account.position(market.ticker)
        position.fees += fee
        cost = (price if order.bid else MICROS - price) * lots // LOTS
        order.filled += lots
        if taker:
            order.taker_cost, order.taker_fees = order.taker_cost + cost, order.taker_fees + fee
        else:
            order.maker_cost, order.maker_fees = order.maker_cost + cost, order.maker_fees + fee
        if order.filled >= order.initial:
            order.status, order.reason = "executed", "Trade"
        self._record_fill(account, market, order, lots, fee, taker, trade)
        if not taker:
            self._tell_order(order)
        self._tell_position(account, market)

    def _record_fill(
        self,
        account: Account,
        market: Market,
        order: MemberOrder,
        lots: int,
        fee: Usd,
        taker: bool,
        trade: Trade,
    ) -> None:
        row = {
            "fill_id": trade.id,
            "trade_id": trade.id,
            "order_id": order.id,
            "ticker": market.ticker,
            "market_ticker": market.ticker,
            "exchange_index": order.shard,
            "count_fp": format_quantity(Quantity(lots)),
            "yes_price_dollars": format_price(trade.price),
            "no_price_dollars": format_price(complement(trade.price)),
            "fee_cost": dollars6(fee),
            "is_taker": taker,
            **_direction(order.bid),
            "created_time": format_instant(trade.at),
            "ts": trade.at // SECOND,
            "subaccount_number": 0,
        }
        account.fills.append((trade.at, row))
        held = account.position(market.ticker).lots
        body = {key: row[key] for key in _FILL_KEYS} | {
            "client_order_id": order.client_order_id,
            "ts_ms": trade.at // 1000,
            "post_position_fp": format_quantity(Quantity(held)),
            "purchased_side": row["outcome_side"],
        }
        self._exchange.publish(MemberNotice(account, "fill", body))

    # --- rows and messages ---------------------------------------------------------------------------------

    def _market(self, ticker: str, shard: int | None) -> Market:
        market = self._exchange.markets.get(ticker)
        if market is None or (shard is not None and shard >= 0 and shard != market.contract.shard):
            raise Refusal(404, "market_not_found")
        return market

    def _tell_order(self, order: MemberOrder) -> None:
        now = self._exchange.now
        row = order_row(order, now)
        order.history.set(now, row)
        order.owner.note(now)
        self._exchange.publish(MemberNotice(order.owner, "user_order", user_order(order, now)))

    def _tell_position(self, account: Account, market: Market) -> None:
        now, position = self._exchange.now, account.position(market.ticker)
        row = {
            "ticker": market.ticker,
            "exchange_index": market.contract.shard,
            "position_fp": format_quantity(Quantity(position.lots)),
            "market_exposure_dollars": dollars6(position.cost),
            "total_traded_dollars": dollars6(position.traded),
            "realized_pnl_dollars": dollars6(position.realized),
            "fees_paid_dollars": dollars6(position.fees),
            "last_updated_ts": format_instant(now),
        }
        account.seen_positions.setdefault(market.ticker, History()).set(now, row)
        body: Json = {
            "user_id": account.user_id,
            "market_ticker": market.ticker,
            "position_fp": row["position_fp"],
            "position_cost_dollars": dollars6(position.cost),
            "realized_pnl_dollars": row["realized_pnl_dollars"],
            "fees_paid_dollars": row["fees_paid_dollars"],
            "position_fee_cost_dollars": row["fees_paid_dollars"],
            "volume_fp": format_quantity(Quantity(position.volume)),
        }
        self._exchange.publish(MemberNotice(account, "market_position", body))


_FILL_KEYS = (
    "trade_id", "order_id", "market_ticker", "exchange_index", "is_taker", "side", "yes_price_dollars",
    "count_fp", "fee_cost", "action", "ts", "outcome_side", "book_side",
)  # fmt: skip


def dollars6(micros: int) -> str:
    """Dollars with six decimals, as costs and fees are written: ``"0.017500"``."""
    sign = "-" if micros < 0 else ""
    return f"{sign}{abs(micros) // MICROS}.{abs(micros) % MICROS:06d}"


def _direction(bid: bool) -> Json:
    outcome = "yes" if bid else "no"
    return {"side": outcome, "action": "buy", "outcome_side": outcome, "book_side": "bid" if bid else "ask"}


def _averages(order: MemberOrder) -> Json:
    if not order.filled:
        return {}
    spent = (order.taker_cost + order.maker_cost) * LOTS // order.filled
    yes = spent if order.bid else MICROS - spent
    fee = (order.taker_fees + order.maker_fees) * LOTS // order.filled
    return {
        "average_fill_price": format_price(Price(yes)),
        "average_fee_paid": format_price(Price(fee)),
    }


def _ticket_refusal(now: Instant, ticket: Ticket) -> Refusal | None:
    if ticket.lots < 1:
        return Refusal(400, "invalid_order", "count must be at least 0.01")
    if ticket.reduce_only and ticket.time_in_force != IOC:
        return Refusal(400, "invalid_order", "reduce only requires immediate or cancel")
    if ticket.post_only and ticket.time_in_force != GTC:
        return Refusal(400, "invalid_order", "post only requires good till canceled")
    if ticket.expires is not None and ticket.time_in_force != GTC:
        return Refusal(400, "invalid_order", "expiration requires good till canceled")
    if ticket.expires is not None and ticket.expires <= now:
        return Refusal(400, "invalid_order", "expiration must be in the future")
    return None


def _book_refusal(account: Account, market: Market, ticket: Ticket) -> Refusal | None:
    if ticket.post_only and market.book.crosses(ticket.bid, ticket.price):
        return Refusal(400, "invalid_order", "post only cross")
    if ticket.time_in_force == FOK:
        stops = ticket.self_trade == AT_CROSS
        if market.book.fillable(ticket.bid, ticket.price, account, stops) < ticket.lots:
            return Refusal(409, "fill_or_kill_insufficient_resting_volume")
    return None


def order_row(order: MemberOrder, now: Instant) -> Json:
    """An order as ``GET /portfolio/orders`` writes it."""
    row: Json = {
        "order_id": order.id,
        "client_order_id": order.client_order_id,
        "user_id": order.owner.user_id,
        "ticker": order.ticker,
        "exchange_index": order.shard,
        "status": order.status,
        "type": "limit",
        **_direction(order.bid),
        "yes_price_dollars": format_price(order.price),
        "no_price_dollars": format_price(complement(order.price)),
        "initial_count_fp": format_quantity(Quantity(order.initial)),
        "fill_count_fp": format_quantity(Quantity(order.filled)),
        "remaining_count_fp": format_quantity(order.remaining),
        "taker_fill_cost_dollars": dollars6(order.taker_cost),
        "maker_fill_cost_dollars": dollars6(order.maker_cost),
        "taker_fees_dollars": dollars6(order.taker_fees),
        "maker_fees_dollars": dollars6(order.maker_fees),
        "self_trade_prevention_type": order.ticket.self_trade,
        "cancel_order_on_pause": order.ticket.cancel_on_pause,
        "created_time": format_instant(order.created),
        "last_update_time": format_instant(now),
        "subaccount_number": 0,
    }
    if order.expires is not None:
        row["expiration_time"] = format_instant(order.expires)
    return row


def user_order(order: MemberOrder, now: Instant) -> Json:
    """The same as the stream's ``user_order`` writes it."""
    row = order_row(order, now)
    dropped = ("type", "action", "no_price_dollars", "last_update_time", "cancel_order_on_pause")
    body = {key: value for key, value in row.items() if key not in dropped}
    body |= {
        "is_yes": order.bid,
        "created_ts_ms": order.created // 1000,
        "last_updated_ts_ms": now // 1000,
    }
    if order.expires is not None:
        body["expiration_ts_ms"] = order.expires // 1000
    if order.reason:
        body["last_update_reason"] = order.reason
    return body


def _settlement(
    market: Market, lots: int, yes_cost: int, no_cost: int, revenue: int, fees: int, now: Instant
) -> Json:
    payout = market.payout or 0
    return {
        "ticker": market.ticker,
        "exchange_index": market.contract.shard,
        "event_ticker": market.contract.event_ticker,
        "market_result": market.result.value if market.result is not Result.PENDING else "",
        "yes_count_fp": format_quantity(Quantity(max(0, lots))),
        "yes_total_cost_dollars": dollars6(yes_cost),
        "no_count_fp": format_quantity(Quantity(max(0, -lots))),
        "no_total_cost_dollars": dollars6(no_cost),
        "revenue": revenue // 10_000,
        "settled_time": format_instant(now),
        "fee_cost": dollars6(fees),
        "value": payout // 10_000,
    }
