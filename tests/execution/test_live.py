"""The live gateway at the simulated exchange: accepted, rejected, unknown, and nothing taken for another."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clock import SECOND, Instant
from shared.errors import RefusedError
from shared.execution.gateway import Accepted, Outcome, Rejected, Unknown
from shared.execution.live import LiveGateway
from shared.money import Usd
from shared.orders.intent import client_order_id
from shared.orders.ledger import Ledger
from shared.risk.controls import Proposal
from shared.risk.gate import ApprovedOrder, Gate, Verdict
from shared.simulator.accounts import Account
from shared.simulator.market import Market
from shared.simulator.tickets import MemberOrder
from shared.simulator.web import Reply, Request
from shared.terms import Side
from tests.simulator.bench import DEPOSIT, ONE_GAME, Bench, quoted
from tests.support.limits import LIMITS
from tests.venues.kalshi.desk import Line, TradingDesk, cents, contracts


@dataclass
class Floor:
    """A gateway at a quoted exchange."""

    desk: TradingDesk
    gateway: LiveGateway = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new process: nothing of the old one's memory is left."""
        desk = self.desk
        markets = desk.bench.world.exchange.markets
        self.gateway = LiveGateway(
            desk.trading,
            desk.portfolio,
            desk.feed,
            lambda ticker: markets[ticker].contract.shard if ticker in markets else None,
            desk.clock,
        )

    def proposal(
        self, market: Market, side: Side = Side.YES, limit: int = 60, count: int = 2, attempt: int = 0
    ) -> Proposal:
        """Buy ``count`` at ``limit`` cents."""
        return Proposal(
            client_order_id=client_order_id("signal-1", 0, attempt),
            ticker=market.ticker,
            event_ticker=market.contract.event_ticker,
            sport="NFL",
            side=side,
            limit=cents(limit),
            quantity=contracts(count),
            risk=Usd(0),
            at=self.desk.clock.now(),
        )

    async def place(self, market: Market, **how: Any) -> Outcome:
        """Place an order of :meth:`proposal`."""
        return await self.gateway.place(_approved(self.proposal(market, **how)))

    @property
    def account(self) -> Account:
        """The exchange's own books about us."""
        return self.desk.bench.account

    @property
    def orders(self) -> list[MemberOrder]:
        """Our orders as the exchange has them."""
        return list(self.account.orders.values())


def _approved(proposal: Proposal) -> ApprovedOrder:
    # No control: what the gate refuses is its own tests' matter.
    return Gate(LIMITS, controls=()).approve(Verdict(proposal, (), ()))


@pytest.fixture
def floor() -> Floor:
    return Floor(TradingDesk(quoted(read_lag_s=0.5)))


def _accepted(outcome: Outcome) -> Accepted:
    assert isinstance(outcome, Accepted), outcome
    return outcome


# --- accepted ---------------------------------------------------------------------------------------------


async def test_an_order_that_fills_brings_its_exact_fills(floor: Floor) -> None:
    market = floor.desk.bench.empty()
    for price in ("0.5000", "0.5500"):
        floor.desk.other(market, "ask", price, "1.00")
    outcome = _accepted(await floor.place(market))
    assert sorted((fill.price, fill.quantity) for fill in outcome.fills) == [
        (cents(50), 100),
        (cents(55), 100),
    ]
    assert sum(fill.fee for fill in outcome.fills) == floor.account.position(market.ticker).fees
    assert outcome.remaining == 0
    assert {fill.event_ticker for fill in outcome.fills} == {market.contract.event_ticker}


async def test_a_purchase_of_no_fills_at_the_no_price(floor: Floor) -> None:
    market = floor.desk.bench.empty()
    floor.desk.other(market, "bid", "0.5500", "2.00")
    outcome = _accepted(await floor.place(market, side=Side.NO, limit=50))
    assert [(fill.side, fill.price) for fill in outcome.fills] == [(Side.NO, cents(45))]


async def test_an_order_without_a_counterpart_is_accepted_and_filled_nothing(floor: Floor) -> None:
    assert _accepted(await floor.place(floor.desk.bench.empty())).fills == ()
    assert floor.account.resting() == []


async def test_fills_come_from_the_stream_without_another_request(floor: Floor) -> None:
    market, line = floor.desk.bench.empty(), Line(floor.desk)
    line.open()
    floor.desk.other(market, "ask", "0.5000", "2.00")
    sent = len(floor.desk.transport.sent)
    placing = asyncio.ensure_future(floor.place(market))
    for _ in range(5):
        await asyncio.sleep(0)  # it sends, and waits for its fills
    line.pump()
    assert len(_accepted(await placing).fills) == 1
    assert len(floor.desk.transport.sent) == sent + 1


async def test_fills_that_cannot_be_read_leave_the_outcome_unknown(floor: Floor) -> None:
    market = floor.desk.bench.empty()
    floor.desk.other(market, "ask", "0.5000", "2.00")
    floor.desk.bench.faults.read_lag_s = 3600.0
    outcome = await floor.place(market)
    assert isinstance(outcome, Unknown)
    assert floor.orders[0].id in outcome.reason
    floor.desk.bench.faults.read_lag_s = 0.5
    assert len(_accepted(await floor.gateway.resolve(floor.proposal(market))).fills) == 1


# --- rejected ---------------------------------------------------------------------------------------------


async def test_a_refusal_of_the_exchange_is_rejected_with_its_code(floor: Floor) -> None:
    outcome = await floor.place(floor.desk.bench.empty(), count=99_999)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "insufficient_balance"


async def test_a_paused_shard_rejects_with_the_exchange_s_word_for_it(floor: Floor) -> None:
    market = floor.desk.bench.empty("MLB")
    floor.desk.bench.world.orders.pause(3)
    outcome = await floor.place(market)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "exchange_is_paused"


async def test_a_throttled_order_is_rejected_for_it_was_not_executed(floor: Floor) -> None:
    floor.desk.bench.faults.throttle_share = 1.0
    outcome = await floor.place(floor.desk.bench.empty())
    assert isinstance(outcome, Rejected)
    assert (outcome.code, floor.orders) == ("too_many_requests", [])


async def test_a_wrong_clock_rejects_and_says_so(floor: Floor) -> None:
    floor.desk.client._clock = _Late(floor.desk)
    outcome = await floor.place(floor.desk.bench.empty())
    assert isinstance(outcome, Rejected)
    assert outcome.code == "header_timestamp_expired"


class _Late:
    """A clock that is half a minute behind."""

    def __init__(self, desk: TradingDesk) -> None:
        self._desk = desk

    def now(self) -> Instant:
        return Instant(self._desk.clock.now() - 30 * SECOND)

    async def sleep(self, seconds: float) -> None:
        await self._desk.clock.sleep(seconds)


async def test_a_market_of_unknown_shard_is_rejected_and_nothing_is_sent(floor: Floor) -> None:
    market = floor.desk.bench.empty()
    del floor.desk.bench.world.exchange.markets[market.ticker]
    outcome = await floor.place(market)
    assert isinstance(outcome, Rejected)
    assert (outcome.code, floor.desk.transport.sent) == ("unknown_shard", [])


async def test_after_a_cancel_all_orders_are_rejected_for_a_minute(floor: Floor) -> None:
    await floor.gateway.cancel_all()
    outcome = await floor.place(floor.desk.bench.empty())
    assert isinstance(outcome, Rejected)
    assert outcome.code == "after_cancel_all"
    floor.desk.bench.wait(60)
    _accepted(await floor.place(floor.desk.bench.empty()))


# --- unknown ----------------------------------------------------------------------------------------------

_SWITCHES = ["lost_reply_share", "no_order_id_share", "truncate_share"]


@pytest.mark.parametrize("switch", _SWITCHES)
async def test_an_executed_order_whose_answer_is_lost_is_unknown_then_accepted(
    floor: Floor, switch: str
) -> None:
    market = floor.desk.bench.empty()
    floor.desk.other(market, "ask", "0.5000", "2.00")
    proposal = floor.proposal(market)
    setattr(floor.desk.bench.faults, switch, 1.0)
    assert isinstance(await floor.gateway.place(_approved(proposal)), Unknown)
    setattr(floor.desk.bench.faults, switch, 0.0)
    assert isinstance(await floor.gateway.resolve(proposal), Unknown)  # the list does not show it yet
    floor.desk.bench.wait(1)
    outcome = _accepted(await floor.gateway.resolve(proposal))
    assert [fill.price for fill in outcome.fills] == [cents(50)]
    assert outcome.venue_order_id == floor.orders[0].id


@pytest.mark.parametrize("switch", ["html_share", "error_share"])
async def test_an_order_that_never_arrived_is_rejected_only_when_it_can_no_longer_arrive(
    floor: Floor, switch: str
) -> None:
    proposal = floor.proposal(floor.desk.bench.empty())
    setattr(floor.desk.bench.faults, switch, 1.0)
    assert isinstance(await floor.gateway.place(_approved(proposal)), Unknown)
    assert isinstance(await floor.gateway.resolve(proposal), Unknown)  # it cannot be asked
    setattr(floor.desk.bench.faults, switch, 0.0)
    floor.desk.bench.wait(89)
    assert isinstance(await floor.gateway.resolve(proposal), Unknown)
    floor.desk.bench.wait(2)
    outcome = await floor.gateway.resolve(proposal)
    assert isinstance(outcome, Rejected)
    assert (outcome.code, floor.orders) == ("never_arrived", [])


async def test_a_request_that_is_taken_late_is_still_found(floor: Floor) -> None:
    market, held = floor.desk.bench.empty(), _Held(floor.desk)
    proposal = floor.proposal(market)
    assert isinstance(await floor.gateway.place(_approved(proposal)), Unknown)
    floor.desk.bench.wait(10)
    assert isinstance(await floor.gateway.resolve(proposal), Unknown)
    held.deliver()
    floor.desk.bench.wait(1)
    _accepted(await floor.gateway.resolve(proposal))


class _Held:
    """The way to the exchange holds the next create back, until told to deliver it."""

    def __init__(self, desk: TradingDesk) -> None:
        self._api, self._handle = desk.bench.api, desk.bench.api.handle
        self._kept: list[Request] = []
        self._api.handle = self._keep  # type: ignore[method-assign]  # the way is what is simulated here

    def _keep(self, request: Request) -> Reply:
        if request.method == "GET":
            return self._handle(request)
        self._kept.append(request)
        return Reply(504)

    def deliver(self) -> None:
        for request in self._kept:
            assert self._handle(request).status == 201


async def test_a_restart_waits_as_long_from_its_own_first_look(floor: Floor) -> None:
    proposal = floor.proposal(floor.desk.bench.empty())
    floor.desk.bench.wait(3600)
    floor.restart()
    assert isinstance(await floor.gateway.resolve(proposal), Unknown)
    floor.desk.bench.wait(91)
    assert isinstance(await floor.gateway.resolve(proposal), Rejected)


async def test_an_id_that_was_used_before_is_looked_up_and_never_sent_anew(floor: Floor) -> None:
    market = floor.desk.bench.empty()
    floor.desk.other(market, "ask", "0.5000", "9.00")
    first = _accepted(await floor.place(market))
    floor.restart()
    floor.desk.bench.wait(1)
    assert await floor.place(market) == first
    assert len(floor.orders) == 1


async def test_an_id_the_exchange_calls_used_never_counts_as_never_arrived(floor: Floor) -> None:
    market = floor.desk.bench.empty()
    proposal = floor.proposal(market)
    _accepted(await floor.gateway.place(_approved(proposal)))
    floor.account.orders.clear()  # a list that forgot it
    floor.restart()
    assert isinstance(await floor.gateway.place(_approved(proposal)), Unknown)
    floor.desk.bench.wait(200)
    assert isinstance(await floor.gateway.resolve(proposal), Unknown)


async def test_a_fill_the_stream_told_keeps_an_unlisted_order_from_counting_as_never_arrived(
    floor: Floor,
) -> None:
    market, line = floor.desk.bench.empty(), Line(floor.desk)
    line.open()
    floor.desk.other(market, "ask", "0.5000", "2.00")
    proposal = floor.proposal(market)
    floor.desk.bench.faults.lost_reply_share = 1.0
    assert isinstance(await floor.gateway.place(_approved(proposal)), Unknown)
    line.pump()
    floor.desk.bench.wait(200)
    floor.account.orders.clear()  # a list that forgot it
    assert isinstance(await floor.gateway.resolve(proposal), Unknown)


async def test_an_order_listed_in_a_state_an_immediate_order_cannot_have_is_unknown(floor: Floor) -> None:
    market = floor.desk.bench.empty()
    proposal = floor.proposal(market)
    ticket = floor.desk.ticket(market, client_order_id=proposal.client_order_id)
    await floor.desk.trading.create(ticket)
    floor.desk.bench.wait(1)
    outcome = await floor.gateway.resolve(proposal)
    assert isinstance(outcome, Unknown)
    assert "resting" in outcome.reason


async def test_a_fill_of_another_side_than_was_bought_is_not_believed(floor: Floor) -> None:
    market = floor.desk.bench.empty()
    floor.desk.other(market, "ask", "0.5000", "2.00")
    proposal = floor.proposal(market)
    _accepted(await floor.gateway.place(_approved(proposal)))
    other = Proposal(**{name: getattr(proposal, name) for name in proposal.__slots__} | {"side": Side.NO})
    assert isinstance(await floor.gateway.resolve(other), Unknown)


# --- cancel -----------------------------------------------------------------------------------------------


async def test_a_cancel_names_the_shard_of_the_market(floor: Floor) -> None:
    ref = await floor.desk.rest(floor.desk.bench.empty("MLB"), count=3)
    for _ in range(2):
        await floor.gateway.cancel(ref.order_id, ref.ticker)
        assert floor.account.resting() == []
    with pytest.raises(RefusedError, match="shard"):
        await floor.gateway.cancel(ref.order_id, "KXNOPE")


async def test_cancel_all_reaches_every_shard(floor: Floor) -> None:
    for league in ("NFL", "MLB"):
        await floor.desk.rest(floor.desk.bench.empty(league))
    await floor.gateway.cancel_all()
    assert floor.account.resting() == []


# --- whatever happens -------------------------------------------------------------------------------------

_ALL = [*_SWITCHES, "html_share", "error_share", "throttle_share"]
_STEP = st.tuples(
    st.sampled_from(["yes", "no"]), st.integers(30, 70), st.integers(1, 9), st.sampled_from(["", *_ALL])
)


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(_STEP, min_size=1, max_size=8), share=st.sampled_from([0.5, 1.0]))
def test_no_fault_makes_an_executed_order_count_as_rejected_and_the_books_agree(
    steps: list[tuple[str, int, int, str]], share: float
) -> None:
    asyncio.run(_trade(steps, share))


async def _trade(steps: list[tuple[str, int, int, str]], share: float) -> None:
    floor = Floor(TradingDesk(quoted(preset=ONE_GAME, read_lag_s=0.5), attempts=4))
    market = floor.desk.bench.empty()
    floor.desk.other(market, "bid", "0.4500", "9.00")
    floor.desk.other(market, "ask", "0.5500", "9.00")
    ledger = Ledger(DEPOSIT)
    for attempt, (side, limit, count, switch) in enumerate(steps):
        proposal = floor.proposal(market, Side(side), limit, count, attempt)
        _only(floor.desk.bench, switch, share)
        outcome = await floor.gateway.place(_approved(proposal))
        executed = proposal.client_order_id in {order.client_order_id for order in floor.orders}
        assert not (isinstance(outcome, Rejected) and executed), outcome
        _only(floor.desk.bench, "", 0.0)
        outcome = await _settled(floor, proposal, outcome)
        assert isinstance(outcome, Accepted) is executed
        for fill in outcome.fills if isinstance(outcome, Accepted) else ():
            ledger.record(fill)
    _agree(ledger, floor.account, market)


def _only(bench: Bench, switch: str, share: float) -> None:
    for name in _ALL:
        setattr(bench.faults, name, share if name == switch else 0.0)


async def _settled(floor: Floor, proposal: Proposal, outcome: Outcome) -> Outcome:
    for _ in range(20):
        if not isinstance(outcome, Unknown):
            return outcome
        floor.desk.bench.wait(10)
        outcome = await floor.gateway.resolve(proposal)
    raise AssertionError("it stays unknown")


def _agree(ledger: Ledger, account: Account, market: Market) -> None:
    held = account.position(market.ticker)
    ours = ledger.positions.get(market.ticker)
    assert (ours.quantity if ours else 0) == held.lots
    assert (ours.fees if ours else 0) == held.fees
    assert ledger.cash == account.cash[0]
    assert account.resting() == []
