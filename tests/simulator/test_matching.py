"""The matching engine: priority, prices, and that contracts and cash are conserved whatever members do."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from shared.clock import MINUTE
from shared.money import MICROS, Price, Quantity
from shared.simulator.accounts import Account, Position
from shared.simulator.matching import Book, Order
from shared.simulator.tickets import AT_CROSS, FOK, GTC, IOC, MAKER, Refusal, Ticket
from tests.simulator.bench import DEPOSIT, ONE_GAME, quoted

CENT = 10_000


def test_the_better_price_trades_first_then_the_earlier_order() -> None:
    book, owner = Book(), Account("a")
    late = Order(3, owner, False, Price(52 * CENT), Quantity(100))
    early = Order(1, owner, False, Price(52 * CENT), Quantity(100))
    cheap = Order(2, owner, False, Price(51 * CENT), Quantity(100))
    for order in (early, cheap, late):
        book.add(order)
    turn = []
    for order in book.resting(True, Price(99 * CENT)):
        turn.append(order.number)
        book.remove(order)
    assert turn == [2, 1, 3]


def test_a_smaller_order_keeps_its_place_and_says_what_is_ahead() -> None:
    book, owner = Book(), Account("a")
    first, second = (Order(n, owner, True, Price(40 * CENT), Quantity(500)) for n in (1, 2))
    book.add(first)
    book.add(second)
    book.reduce(first, 300)
    assert book.ahead(second) == 200
    assert next(book.resting(False, Price(40 * CENT))) is first


def test_buying_yes_and_selling_no_are_the_same_trade() -> None:
    yes, no = Position(), Position()
    paid = yes.trade(300, Price(40 * CENT)), no.trade(-300, Price(40 * CENT))
    assert paid == (-1_200_000, -1_800_000)
    assert (yes.settle(Price(MICROS)), no.settle(Price(MICROS))) == (3_000_000, 0)


def test_closing_a_position_realises_the_difference() -> None:
    position = Position()
    cash = position.trade(-200, Price(70 * CENT)) + position.trade(200, Price(60 * CENT))
    assert (position.lots, position.cost, position.realized, cash) == (0, 0, 200_000, 200_000)


class Members(RuleBasedStateMachine):
    """Two members trade with each other and with the house; nothing may be made or lost."""

    orders: Bundle[tuple[Account, str]] = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.bench = quoted(9, preset=ONE_GAME)
        self.market = self.bench.market()
        other = Account("other")
        self.bench.world.exchange.accounts["other"] = other
        other.cash[0] = DEPOSIT
        self.members = (self.bench.account, other)
        self.deposits = sum(sum(account.cash.values()) for account in self.members)
        self.ids = 0

    @rule(
        target=orders,
        who=st.sampled_from((0, 1)),
        bid=st.booleans(),
        cents=st.integers(1, 99),
        lots=st.integers(1, 30_000),
        kind=st.sampled_from((GTC, GTC, IOC, FOK)),
        prevention=st.sampled_from((AT_CROSS, MAKER)),
        reduce_only=st.booleans(),
    )
    def create(
        self, who: int, bid: bool, cents: int, lots: int, kind: str, prevention: str, reduce_only: bool
    ) -> tuple[Account, str]:
        account = self.members[who]
        self.ids += 1
        ticket = Ticket(
            self.market.ticker, bid, Quantity(lots), Price(cents * CENT), kind, prevention, f"c{self.ids}",
            reduce_only=reduce_only and kind == IOC,
        )  # fmt: skip
        held = account.position(self.market.ticker).lots
        try:
            body = self.bench.world.orders.create(account, ticket)
        except Refusal:
            return account, ""
        order = account.orders[body["order_id"]]
        assert kind == GTC or not order.is_resting
        assert kind != FOK or order.filled == lots
        if ticket.reduce_only:
            assert abs(account.position(self.market.ticker).lots) <= abs(held)
        return account, order.id

    @rule(order=orders)
    def cancel(self, order: tuple[Account, str]) -> None:
        account, order_id = order
        with suppress(Refusal):
            self.bench.world.orders.cancel(account, order_id, self.market.ticker, None)

    @rule(order=orders, cents=st.integers(1, 99), lots=st.integers(1, 30_000))
    def amend(self, order: tuple[Account, str], cents: int, lots: int) -> None:
        account, order_id = order
        found = account.orders.get(order_id)
        bid = found.bid if found else True
        ticket = Ticket(self.market.ticker, bid, Quantity(lots), Price(cents * CENT), GTC, AT_CROSS)
        with suppress(Refusal):
            self.bench.world.orders.amend(account, order_id, ticket, None)

    @rule(seconds=st.integers(1, 40))
    @precondition(lambda self: self.market.is_open)
    def let_time_pass(self, seconds: int) -> None:
        self.bench.wait(seconds)

    @invariant()
    def cash_and_escrow_are_conserved(self) -> None:
        exchange = self.bench.world.exchange
        assert exchange.total_cash + exchange.escrow + exchange.fees_earned == self.deposits

    @invariant()
    def contracts_are_conserved(self) -> None:
        exchange = self.bench.world.exchange
        everyone = (exchange.makers, exchange.crowd, *self.members)
        held = [a.positions[self.market.ticker].lots for a in everyone if self.market.ticker in a.positions]
        assert sum(held) == 0
        assert sum(lots for lots in held if lots > 0) == self.market.open_interest

    @invariant()
    def nobody_spends_what_he_has_not(self) -> None:
        for account in self.members:
            assert account.available(0) >= 0

    @invariant()
    def the_book_is_never_crossed_and_levels_add_up(self) -> None:
        book = self.market.book
        bid, ask = book.best(True), book.best(False)
        assert bid is None or ask is None or bid < ask
        for side in (book.bids, book.asks):
            for level in side.values():
                assert level.total == sum(order.remaining for order in level.orders.values()) > 0

    @invariant()
    def an_order_is_filled_resting_or_withdrawn(self) -> None:
        for account in self.members:
            for order in account.orders.values():
                assert 0 <= order.filled <= order.initial
                assert order.status != "executed" or order.filled == order.initial
                assert order.is_resting == (order.status == "resting")

    def teardown(self) -> None:
        game = self.bench.contest().game
        self.bench.until(game.start + int(game.length * 1.2) + 10 * MINUTE)
        assert self.market.status.value == "finalized"
        self.cash_and_escrow_are_conserved()
        assert all(account.position(self.market.ticker).lots == 0 for account in self.members)


TestMembers = Members.TestCase
TestMembers.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
