"""Order entry: everything a member may ask of the exchange, and what happens to orders by themselves.

All of it works on one YES book: ``bid`` buys YES, ``ask`` sells YES, which opens NO at the complement. Every
client order id is spent for ever, also by orders that were killed or canceled.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from shared.clock import Instant
from shared.fees.kalshi import trade_fee
from shared.money import LOTS, MICROS, Price, Quantity, complement, format_quantity
from shared.simulator.accounts import Account, History
from shared.simulator.exchange import Exchange
from shared.simulator.groups import OrderGroups
from shared.simulator.market import Market, MemberNotice, Trade
from shared.simulator.matching import Order
from shared.simulator.order_rows import (
    averages,
    fill_body,
    fill_row,
    order_row,
    position_body,
    position_row,
    settlement_row,
    user_order,
)
from shared.simulator.tickets import (
    GTC,
    MAKER,
    Json,
    MemberOrder,
    Refusal,
    Ticket,
    book_refusal,
    ticket_refusal,
)

# Micro-dollars above the model fee that rounding can cost an order at once.
_ROUNDING = 200


def _stranger_refusal(account: Account, market: Market, now: Instant) -> Refusal | None:
    """A lapsed location may not trade sports; an account that never had cash on a shard is unknown there."""
    if account.region_expires is not None and account.region_expires <= now:
        return Refusal(403, "region_attestation_expired")  # how the real one spells it was not recorded
    return None if market.contract.shard in account.cash else Refusal(404, "user_not_found")


class OrderDesk:
    """Takes members' orders to the books."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._expiring: list[tuple[Instant, int, MemberOrder]] = []
        self.groups = OrderGroups(exchange, self.withdraw)
        self.on_created: Callable[[MemberOrder], None] = lambda _: None
        exchange.on_fill = self._on_fill

    @property
    def now(self) -> Instant:
        """The exchange's time."""
        return self._exchange.now

    # --- create --------------------------------------------------------------------------------------------

    def create(self, account: Account, ticket: Ticket) -> Json:
        """Enter an order; returns the response body. Raises :class:`Refusal`."""
        market = self._market(ticket.ticker, ticket.shard)
        self._claim(account, ticket)
        self._check(account, market, ticket)
        exchange = self._exchange
        order = MemberOrder(exchange.new_id(), exchange.next_number(), account, market, ticket)
        order.created = exchange.now
        account.orders[order.id] = account.live[order.id] = order
        self.groups.join(order)
        self._execute(account, market, order)
        self.on_created(order)
        return self._response(order)

    def _claim(self, account: Account, ticket: Ticket) -> None:
        if not ticket.client_order_id:
            return
        if ticket.client_order_id in account.client_ids:
            raise Refusal(409, "order_already_exists")
        account.client_ids.add(ticket.client_order_id)

    def _check(self, account: Account, market: Market, ticket: Ticket) -> None:
        for refusal in (
            _stranger_refusal(account, market, self._exchange.now),
            self._trading_refusal(market),
            self.groups.refusal(account, market, ticket.group),
            ticket_refusal(self._exchange.now, ticket),
            None if market.on_grid(ticket.price) else Refusal(400, "invalid_price"),
            book_refusal(account, market, ticket),
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
        if market.contract.shard in self._exchange.quiet_shards or market.status.value == "inactive":
            return Refusal(409, "trading_is_paused")
        return None if market.is_open else Refusal(400, "market_inactive")

    def _check_cash(self, account: Account, market: Market, ticket: Ticket) -> None:
        held = account.positions.get(market.ticker)
        closing = 0 if held is None else max(0, -held.lots if ticket.bid else held.lots)
        unit = ticket.price if ticket.bid else complement(ticket.price)
        opened = max(0, ticket.lots - closing)
        fee = trade_fee(market.schedule, ticket.price, ticket.lots) + _ROUNDING
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
                self.withdraw(resting, "SelfTradeCancel")
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
        return body | averages(order)

    # --- cancel, decrease, amend ---------------------------------------------------------------------------

    def cancel(self, account: Account, order_id: str, ticker: str | None, shard: int | None) -> Json:
        """Cancel one resting order. Raises :class:`Refusal` 404 if it is not resting there."""
        order = self._resting(account, order_id, ticker, shard)
        reduced = order.remaining
        self.withdraw(order, "")
        return {
            "order_id": order.id,
            "client_order_id": order.client_order_id,
            "reduced_by": format_quantity(reduced),
            "ts_ms": self._exchange.now // 1000,
        }

    def cancel_all(self, account: Account) -> None:
        """Cancel every resting order of the member, on every shard that is not paused."""
        account.canceled_all_at = self._exchange.now
        for order in account.resting():
            if order.shard not in self._exchange.paused_shards:
                self.withdraw(order, "")

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
            self.withdraw(order, "Decrease")
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
        self._afford(account, order, ticket.price, Quantity(left))
        self._rename(account, order, new_client_id)
        self._expire_at(order, ticket.expires)
        order.initial, order.reason = ticket.lots, "Amend"
        if ticket.price == order.price and left <= order.remaining:
            market.book.reduce(order, order.remaining - left)
        else:
            self._replace(order, ticket.price, Quantity(left))
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

    def _expire_at(self, order: MemberOrder, expires: Instant | None) -> None:
        """Set when an order ends; ``None`` keeps it as it is, 0 takes it away."""
        if expires is not None:
            order.expires = expires or None
            if order.expires is not None:
                heapq.heappush(self._expiring, (order.expires, self._exchange.next_number(), order))

    def _afford(self, account: Account, order: MemberOrder, price: Price, left: Quantity) -> None:
        """Raise :class:`Refusal` if the cash does not back the order in its new form."""
        before = order.price, order.remaining
        order.price, order.remaining = price, left
        available = account.available(order.shard)
        order.price, order.remaining = before
        if available < trade_fee(order.market.schedule, price, left) + _ROUNDING:
            raise Refusal(400, "insufficient_balance")

    def _replace(self, order: MemberOrder, price: Price, left: Quantity) -> None:
        book = order.market.book
        book.remove(order)
        order.price, order.remaining = price, left
        self._cross(order.market, order)
        if order.remaining and order.status == "resting":
            book.add(order)
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

    def withdraw(self, order: MemberOrder, reason: str) -> None:
        """Take a resting order out of its book."""
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
                self.withdraw(order, "ExpiryCancel")

    def pause(self, shard: int) -> None:
        """Pause an engine: orders that asked for it are canceled, nothing else is possible there."""
        self._cancel_for_pause(shard)
        self._exchange.paused_shards.add(shard)

    def pause_trading(self, shard: int) -> None:
        """Take no new orders there; orders that asked for it are canceled, others can be."""
        self._cancel_for_pause(shard)
        self._exchange.quiet_shards.add(shard)

    def _cancel_for_pause(self, shard: int) -> None:
        for account in self._exchange.accounts.values():
            for order in account.resting(shard):
                if order.ticket.cancel_on_pause:
                    self.withdraw(order, "HaltCancel")

    def resume(self, shard: int) -> None:
        """End a pause."""
        self._exchange.paused_shards.discard(shard)

    def resume_trading(self, shard: int) -> None:
        """Take new orders again."""
        self._exchange.quiet_shards.discard(shard)

    def close_market(self, market: Market) -> None:
        """Cancel the members' resting orders of a market that stops trading."""
        for account in self._exchange.accounts.values():
            for order in account.resting(market.contract.shard):
                if order.market is market:
                    self.withdraw(order, "CloseCancel")

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
        account.settlements.append((now, settlement_row(market, position, lots, revenue, now)))
        account.note(now)
        self._tell_position(account, market)

    def pay_difference(self, account: Account, market: Market, lots: int, amount: int) -> None:
        """Pay a holder what a corrected result changed; its settlement row is written anew."""
        account.pay(market.contract.shard, amount)
        if account.house or not lots:
            return
        assert market.payout is not None  # noqa: S101 - corrected before
        position, now = account.positions[market.ticker], self._exchange.now
        position.realized += amount
        unit = market.payout if lots > 0 else MICROS - market.payout
        row = settlement_row(market, position, lots, unit * abs(lots) // LOTS, now)
        account.settlements.append((now, row))
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
        self._record_fill(order, lots, fee, taker, trade)
        self.groups.matched(order, lots, taker)
        if not taker:
            self._tell_order(order)
        self._tell_position(account, market)

    def _record_fill(self, order: MemberOrder, lots: int, fee: int, taker: bool, trade: Trade) -> None:
        row = fill_row(order, lots, fee, taker, trade)
        order.owner.fills.append((trade.at, row))
        held = order.owner.position(order.ticker).lots
        self._exchange.publish(MemberNotice(order.owner, "fill", fill_body(order, row, trade, held)))

    # --- what members are told -----------------------------------------------------------------------------

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
        row = position_row(market, position, now)
        account.seen_positions.setdefault(market.ticker, History()).set(now, row)
        body = position_body(account.user_id, position, row)
        self._exchange.publish(MemberNotice(account, "market_position", body))
