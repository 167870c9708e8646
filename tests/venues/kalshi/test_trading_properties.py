"""Any interleaving of creates, cancels, amends and other members' orders: our view is the exchange's own."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import ArbError, OutcomeUnknownError, RefusedError, RetryLaterError
from shared.money import Quantity
from shared.orders.ledger import Fill, Ledger
from shared.simulator.market import Market
from shared.terms import OrderStatus, Side
from shared.venues.kalshi.account import FillSeen, OrderSeen, PositionSeen
from shared.venues.kalshi.order_wire import OrderRef, OrderTicket, SelfTrade, TimeInForce
from tests.simulator.bench import DEPOSIT, ONE_GAME, START, quoted
from tests.venues.kalshi.desk import Line, TradingDesk, cents

_FAULTS = ["lost_reply_share", "no_order_id_share", "truncate_share", "html_share", "throttle_share"]
_SIDES, _PRICES, _COUNTS = st.sampled_from(Side), st.integers(30, 70), st.integers(1, 400).map(Quantity)
_CREATE = st.tuples(
    st.just("create"), _SIDES, _PRICES, _COUNTS, st.sampled_from(TimeInForce), st.sampled_from(SelfTrade)
)
_OTHER = st.tuples(st.just("other"), st.sampled_from(["bid", "ask"]), _PRICES, _COUNTS)
_CANCEL = st.tuples(st.just("cancel"), st.integers(0, 9))
_AMEND = st.tuples(st.just("amend"), st.integers(0, 9), _PRICES, _COUNTS)
_DECREASE = st.tuples(st.just("decrease"), st.integers(0, 9), _COUNTS)
_STEPS = st.lists(st.one_of(_CREATE, _CREATE, _OTHER, _OTHER, _CANCEL, _AMEND, _DECREASE), max_size=25)


@dataclass
class View:
    """What we believe, from answers and the stream alone."""

    desk: TradingDesk
    market: Market
    line: Line
    mine: list[tuple[OrderRef, OrderTicket]] = field(default_factory=list)
    unknown: list[OrderTicket] = field(default_factory=list)

    def ref(self, number: int) -> tuple[OrderRef, OrderTicket] | None:
        """One of our orders."""
        return self.mine[number % len(self.mine)] if self.mine else None

    async def create(
        self, side: Side, price: int, count: Quantity, lives: TimeInForce, self_trade: SelfTrade
    ) -> None:
        ticket = self.desk.ticket(
            self.market, side, price, quantity=count, time_in_force=lives, self_trade=self_trade
        )
        try:
            placed = await self.desk.trading.create(ticket)
        except OutcomeUnknownError:
            self.unknown.append(ticket)
        except (RefusedError, RetryLaterError):
            assert not self._exists(ticket)
        else:
            order = self.desk.bench.account.orders[placed.order_id]
            assert (placed.filled, placed.remaining) == (order.filled, order.remaining)
            self.mine.append(
                (OrderRef(placed.order_id, self.market.ticker, self.market.contract.shard), ticket)
            )

    async def cancel(self, number: int) -> None:
        if (found := self.ref(number)) is None:
            return
        order = self.desk.bench.account.orders[found[0].order_id]
        resting = order.remaining if order.is_resting else None
        with suppress(OutcomeUnknownError, RetryLaterError):
            assert await self.desk.trading.cancel(found[0]) == resting

    async def amend(self, number: int, price: int, count: Quantity) -> None:
        if (found := self.ref(number)) is None:
            return
        ref, ticket = found
        try:
            amended = await self.desk.trading.amend(ref, ticket.side, cents(price), count)
        except ArbError:
            return
        order = self.desk.bench.account.orders[ref.order_id]
        assert (amended.filled, amended.remaining) == (order.filled, order.remaining)

    async def decrease(self, number: int, by: Quantity) -> None:
        if (found := self.ref(number)) is None:
            return
        try:
            left = await self.desk.trading.decrease(found[0], by=by)
        except ArbError:
            return
        assert left == self.desk.bench.account.orders[found[0].order_id].remaining

    async def other(self, book_side: str, price: int, count: Quantity) -> None:
        faults, self.desk.bench.api.faults = self.desk.bench.api.faults, type(self.desk.bench.faults)()
        self.desk.other(self.market, book_side, f"0.{price}00", f"{count // 100}.{count % 100:02d}")
        self.desk.bench.api.faults = faults

    async def resolve(self) -> None:
        """Ask for every order whose outcome is not known."""
        for ticket in self.unknown:
            found = await self.desk.portfolio.find(ticket.client_order_id, ticket.ticker, START)
            assert (found is not None) == self._exists(ticket)

    def _exists(self, ticket: OrderTicket) -> bool:
        orders = self.desk.bench.account.orders.values()
        return ticket.client_order_id in {order.client_order_id for order in orders}


@settings(max_examples=80, deadline=None)
@given(steps=_STEPS, fault=st.sampled_from(["", *_FAULTS]))
def test_positions_fills_orders_and_cash_are_the_exchange_s(
    steps: list[tuple[object, ...]], fault: str
) -> None:
    asyncio.run(_run(steps, fault))


async def _run(steps: list[tuple[object, ...]], fault: str) -> None:
    desk = TradingDesk(quoted(preset=ONE_GAME))
    view = View(desk, desk.bench.empty(), Line(desk))
    view.line.open()
    for name, *arguments in steps:
        if fault:
            setattr(desk.bench.faults, fault, 0.4)
        await getattr(view, str(name))(*arguments)
        view.line.pump()
    if fault:
        setattr(desk.bench.faults, fault, 0.0)
    desk.bench.wait(1)
    await view.resolve()
    _compare_stream(view)
    await _compare_reads(view)


def _compare_stream(view: View) -> None:
    """Fills of the stream, booked in our own ledger, give the exchange's cash and position."""
    account, ticker = view.desk.bench.account, view.market.ticker
    ledger = Ledger(DEPOSIT)
    for seen in view.line.of(FillSeen):
        ledger.record(Fill(seen.fill_id, ticker, "", seen.side, seen.price, seen.quantity, seen.fee))
    held, ours = account.position(ticker), ledger.positions.get(ticker)
    assert ledger.cash == account.cash[view.market.contract.shard]
    assert ((ours.quantity, ours.cost, ours.fees) if ours else (0, 0, 0)) == (held.lots, held.cost, held.fees)
    told = view.line.of(PositionSeen)
    assert (told[-1].quantity if told else 0) == held.lots
    last = {order.order_id: order for order in view.line.of(OrderSeen)}
    assert last.keys() == account.orders.keys()
    for order in account.orders.values():
        seen = last[order.id]
        assert (seen.filled, seen.remaining) == (order.filled, order.remaining)


async def _compare_reads(view: View) -> None:
    account, portfolio = view.desk.bench.account, view.desk.portfolio
    fills = await portfolio.fills()
    assert {fill.fill_id for fill in fills.rows} == {seen.fill_id for seen in view.line.of(FillSeen)}
    orders = {order.order_id: order for order in (await portfolio.orders()).rows}
    for order in account.orders.values():
        row = orders[order.id]
        assert (row.initial, row.filled, row.remaining) == (order.initial, order.filled, order.remaining)
        assert (row.status in (OrderStatus.RESTING, OrderStatus.PARTIAL)) == order.is_resting
        assert sum(f.quantity for f in fills.rows if f.order_id == order.id) == order.filled
    balance = await portfolio.balance()
    assert balance.by_shard is not None
    shard = view.market.contract.shard
    assert balance.by_shard[shard] // 100 == account.available(shard) // 100  # written with four decimals
