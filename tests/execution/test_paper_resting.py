"""Paper orders that rest: filled only by offers that come to them, at their own price and the maker's fee."""

from __future__ import annotations

from shared.execution.gateway import CROSSED, Accepted, Rejected, Unknown
from shared.execution.paper import PaperGateway
from shared.fees.kalshi import FeeSchedule
from shared.money import Quantity, notional
from shared.risk.controls import Proposal
from shared.risk.gate import ApprovedOrder, Gate
from shared.terms import FeeType, Side
from tests.execution.conftest import EVENT, SCHEDULE, START, TICKER, Floor, cents, contracts
from tests.execution.test_paper import VIEW, order, placed
from tests.support.limits import LIMITS


def resting(
    limit: int = 49, size: int = 50, order_id: str = "order-1", side: Side = Side.YES
) -> ApprovedOrder:
    """A post-only order."""
    risk = notional(cents(limit), contracts(size))
    proposal = Proposal(
        order_id, TICKER, EVENT, "NFL", side, cents(limit), contracts(size), risk, START, rests=True
    )
    gate = Gate(LIMITS)
    return gate.approve(gate.judge(proposal, VIEW))


async def stands(floor: Floor, approved: ApprovedOrder) -> Accepted:
    """The order as it stands now."""
    outcome = await floor.paper.resolve(approved.proposal)
    assert isinstance(outcome, Accepted)
    return outcome


def offers(floor: Floor, *levels: tuple[int, int]) -> None:
    """The book moves."""
    floor.asks(*levels)
    floor.paper.book_changed(TICKER)


async def test_it_rests_whole_while_nobody_comes_to_it(floor: Floor) -> None:
    outcome = await placed(floor, resting())
    assert (outcome.fills, outcome.remaining) == ((), contracts(50))
    offers(floor, (50, 500))
    assert (await stands(floor, resting())).remaining == contracts(50)


async def test_it_fills_at_its_own_price_when_an_offer_comes_to_it(floor: Floor) -> None:
    await placed(floor, resting())
    offers(floor, (47, 20), (50, 30))
    outcome = await stands(floor, resting())
    assert [(fill.price, fill.quantity) for fill in outcome.fills] == [(cents(49), contracts(20))]
    assert outcome.remaining == contracts(30)


async def test_a_touch_of_its_price_fills_no_more_than_is_offered(floor: Floor) -> None:
    await placed(floor, resting())
    offers(floor, (49, 5))
    offers(floor, (49, 5))
    assert sum(fill.quantity for fill in (await stands(floor, resting())).fills) == contracts(5)


async def test_what_is_added_to_the_offer_fills_too(floor: Floor) -> None:
    await placed(floor, resting())
    offers(floor, (49, 5))
    offers(floor, (49, 12))
    fills = (await stands(floor, resting())).fills
    assert [fill.quantity for fill in fills] == [contracts(5), contracts(7)]
    assert len({fill.fill_id for fill in fills}) == 2


async def test_two_that_rest_do_not_share_an_offer(floor: Floor) -> None:
    first, second = resting(), resting(order_id="order-2")
    await placed(floor, first)
    await placed(floor, second)
    offers(floor, (49, 60))
    filled = [sum(f.quantity for f in (await stands(floor, one)).fills) for one in (first, second)]
    assert filled == [contracts(50), contracts(10)]


async def test_one_that_is_full_rests_no_more(floor: Floor) -> None:
    await placed(floor, resting(size=5))
    offers(floor, (49, 60))
    assert (await stands(floor, resting(size=5))).remaining == 0
    offers(floor, (48, 60))
    assert len((await stands(floor, resting(size=5))).fills) == 1


async def test_one_that_would_take_is_refused(floor: Floor) -> None:
    outcome = await floor.paper.place(resting(limit=50))
    assert isinstance(outcome, Rejected)
    assert outcome.code == CROSSED


async def test_an_offer_that_paper_has_taken_is_nothing_to_cross(floor: Floor) -> None:
    await placed(floor, order(limit=50, size=30))
    assert (await placed(floor, resting(limit=51, order_id="order-2"))).remaining == contracts(50)


async def test_a_canceled_one_keeps_its_fills_and_fills_no_more(floor: Floor) -> None:
    outcome = await placed(floor, resting())
    offers(floor, (49, 5))
    await floor.paper.cancel(outcome.venue_order_id, TICKER)
    offers(floor, (49, 500))
    ended = await stands(floor, resting())
    assert (ended.remaining, sum(fill.quantity for fill in ended.fills)) == (0, contracts(5))


async def test_a_cancel_takes_the_one_it_names(floor: Floor) -> None:
    first, second = resting(), resting(order_id="order-2")
    named = await placed(floor, first)
    await placed(floor, second)
    await floor.paper.cancel(named.venue_order_id, TICKER)
    assert ((await stands(floor, first)).remaining, (await stands(floor, second)).remaining) == (
        0,
        contracts(50),
    )


async def test_a_cancel_of_what_rests_no_more_does_nothing(floor: Floor) -> None:
    await floor.paper.cancel("nobody", TICKER)
    await floor.paper.cancel("nobody", "OTHER")


async def test_cancel_all_takes_every_one(floor: Floor) -> None:
    first, second = resting(), resting(order_id="order-2", limit=44, side=Side.NO)
    await placed(floor, first)
    await placed(floor, second)
    await floor.paper.cancel_all()
    offers(floor, (40, 500))
    for one in (first, second):
        assert (await stands(floor, one)).remaining == 0
        assert (await stands(floor, one)).fills == ()


async def test_who_rests_pays_the_makers_fee(floor: Floor) -> None:
    schedule = FeeSchedule(FeeType.QUADRATIC_WITH_MAKER_FEES)
    paper = PaperGateway(lambda _: floor.book, lambda _: schedule, floor.clock, latency_s=0)
    taken = await paper.place(order(limit=50, size=10))
    assert isinstance(taken, Accepted)
    await paper.place(resting(size=10, order_id="order-2"))
    floor.asks((49, 10))
    paper.book_changed(TICKER)
    rested = await paper.resolve(resting(size=10, order_id="order-2").proposal)
    assert isinstance(rested, Accepted)
    assert 0 < rested.fills[0].fee < taken.fills[0].fee


async def test_where_makers_pay_nothing_resting_is_free(floor: Floor) -> None:
    assert SCHEDULE.fee_type is FeeType.QUADRATIC
    await placed(floor, resting())
    offers(floor, (49, 5))
    assert [fill.fee for fill in (await stands(floor, resting())).fills] == [0]


async def test_an_order_under_way_is_not_known_to_have_arrived(floor: Floor) -> None:
    slow = PaperGateway(lambda _: floor.book, lambda _: SCHEDULE, floor.clock, latency_s=1)
    placing = slow.place(order())
    placing.send(None)
    assert isinstance(await slow.resolve(order().proposal), Unknown)
    placing.close()


async def test_an_order_of_an_earlier_run_has_never_arrived(floor: Floor) -> None:
    outcome = await floor.paper.resolve(order().proposal)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "never_arrived"


async def test_a_refused_order_stays_refused(floor: Floor) -> None:
    await floor.paper.place(resting(limit=50))
    assert isinstance(await floor.paper.resolve(resting(limit=50).proposal), Rejected)


async def test_a_market_that_is_over_leaves_nothing_resting(floor: Floor) -> None:
    await placed(floor, resting())
    floor.paper.forget(TICKER)
    offers(floor, (49, 500))
    outcome = await stands(floor, resting())
    assert (outcome.fills, outcome.remaining) == ((), Quantity(0))
