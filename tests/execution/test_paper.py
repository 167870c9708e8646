"""Paper fills: only what is really there, at the prices that are really there, once."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from shared.books.book import OrderBook
from shared.clock import ManualClock
from shared.execution.gateway import Accepted, Rejected
from shared.execution.paper import PaperGateway
from shared.money import Quantity, notional
from shared.risk.controls import Proposal, RiskView
from shared.risk.gate import ApprovedOrder, Gate
from shared.terms import Side
from tests.execution.conftest import EVENT, SCHEDULE, START, TICKER, Floor, cents, contracts
from tests.support.limits import DOLLAR, LIMITS

VIEW = RiskView(cash=contracts(10**9), bankroll=contracts(10**9))  # type: ignore[arg-type]


def order(limit: int = 52, size: int = 50, order_id: str = "order-1", side: Side = Side.YES) -> ApprovedOrder:
    risk = notional(cents(limit), contracts(size))
    proposal = Proposal(order_id, TICKER, EVENT, "NFL", side, cents(limit), contracts(size), risk, START)
    gate = Gate(LIMITS)
    return gate.approve(gate.judge(proposal, VIEW))


async def placed(floor: Floor, approved: ApprovedOrder) -> Accepted:
    outcome = await floor.paper.place(approved)
    assert isinstance(outcome, Accepted)
    return outcome


async def test_each_level_fills_at_its_own_price(floor: Floor) -> None:
    outcome = await placed(floor, order(size=50))
    assert [(f.price, f.quantity) for f in outcome.fills] == [
        (cents(50), contracts(30)),
        (cents(52), contracts(20)),
    ]


async def test_nothing_fills_above_the_limit(floor: Floor) -> None:
    outcome = await placed(floor, order(limit=49))
    assert outcome.fills == ()


async def test_what_was_taken_is_not_there_for_the_next_order(floor: Floor) -> None:
    await placed(floor, order(size=60))
    outcome = await placed(floor, order(size=60, order_id="order-2"))
    assert sum(f.quantity for f in outcome.fills) == contracts(10)


async def test_a_level_that_left_the_book_is_new_when_it_returns(floor: Floor) -> None:
    await placed(floor, order(size=70))
    floor.asks((60, 10))
    floor.paper.book_changed(TICKER)
    floor.asks((50, 30))
    outcome = await placed(floor, order(size=30, order_id="order-2"))
    assert sum(f.quantity for f in outcome.fills) == contracts(30)


async def test_size_added_behind_what_was_taken_can_be_taken(floor: Floor) -> None:
    await placed(floor, order(limit=50, size=30))
    floor.asks((50, 45))
    floor.paper.book_changed(TICKER)
    outcome = await placed(floor, order(limit=50, size=30, order_id="order-2"))
    assert sum(f.quantity for f in outcome.fills) == contracts(15)


async def test_a_client_order_id_is_used_once(floor: Floor) -> None:
    await placed(floor, order())
    again = await floor.paper.place(order())
    assert isinstance(again, Rejected)
    assert again.code == "order_already_exists"


async def test_buying_no_walks_the_yes_bids(floor: Floor) -> None:
    outcome = await placed(floor, order(limit=60, size=20, side=Side.NO))
    assert [(f.side, f.price, f.quantity) for f in outcome.fills] == [(Side.NO, cents(55), contracts(20))]


async def test_a_market_without_a_book_is_refused(floor: Floor) -> None:
    approved = order()
    approved.proposal = replace(approved.proposal, ticker="OTHER")
    assert isinstance(await floor.paper.place(approved), Rejected)


levels = st.lists(
    st.tuples(st.integers(45, 70), st.integers(1, 300)),
    min_size=1,
    max_size=6,
    unique_by=lambda level: level[0],
)
orders = st.lists(st.tuples(st.integers(44, 71), st.integers(1, 100)), min_size=1, max_size=8)


@given(levels, orders)
async def test_fills_never_exceed_the_book_nor_the_limit(
    asks: list[tuple[int, int]], wanted: list[tuple[int, int]]
) -> None:
    book = OrderBook(TICKER)
    book.apply_snapshot([], [(cents(100 - price), contracts(size)) for price, size in asks], START)
    paper = PaperGateway(lambda _: book, lambda _: SCHEDULE, ManualClock(START), latency_s=0)
    taken: dict[int, int] = {}
    for index, (limit, size) in enumerate(wanted):
        outcome = await paper.place(order(limit, size, f"order-{index}"))
        assert isinstance(outcome, Accepted)
        assert sum(fill.quantity for fill in outcome.fills) <= contracts(size)
        for fill in outcome.fills:
            assert fill.price <= cents(limit)
            assert 0 < fill.fee < DOLLAR * fill.quantity // 100
            taken[fill.price] = taken.get(fill.price, 0) + fill.quantity
    for price, quantity in taken.items():
        assert quantity <= Quantity({cents(p): contracts(s) for p, s in asks}[cents(price // 10_000)])
