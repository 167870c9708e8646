"""Orders that rest at the simulated exchange: through the gateway, and by an executor that rests first."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from shared.clock import SECOND, Instant
from shared.errors import MalformedError
from shared.execution.gateway import CROSSED, Outcome, Rejected, Statement, Unknown
from shared.execution.policy import OrderPolicy
from shared.money import ONE
from shared.risk.controls import Proposal
from shared.simulator.market import Market
from shared.terms import Side
from tests.execution.conftest import cents, contracts
from tests.execution.house import leased
from tests.execution.test_live import Floor, _accepted, _approved
from tests.execution.test_reconcile_exchange import Floor as Trading
from tests.simulator.bench import quoted
from tests.venues.kalshi.desk import TradingDesk


@pytest.fixture
def floor() -> Floor:
    return Floor(TradingDesk(quoted(read_lag_s=0.5)))


def resting(floor: Floor, market: Market, side: Side = Side.YES, limit: int = 40, count: int = 5) -> Proposal:
    return replace(floor.proposal(market, side, limit, count), rests=True)


async def rest(floor: Floor, market: Market, **how: object) -> Outcome:
    return await floor.gateway.place(_approved(resting(floor, market, **how)))  # type: ignore[arg-type]


def sent(floor: Floor) -> tuple[bool, str]:
    """Post-only and time in force of the last create, as it went out."""
    [*_, create] = [request for request in floor.desk.transport.sent if request.method == "POST"]
    body = msgspec.json.decode(create.body)
    return body.get("post_only", False), body["time_in_force"]


# --- placing ----------------------------------------------------------------------------------------------


async def test_an_order_that_rests_is_post_only_and_good_till_canceled(floor: Floor) -> None:
    outcome = _accepted(await rest(floor, floor.desk.bench.empty()))
    [order] = floor.account.resting()
    assert sent(floor) == (True, "good_till_canceled")
    assert (outcome.venue_order_id, outcome.fills, outcome.remaining) == (order.id, (), contracts(5))


async def test_an_order_that_takes_is_neither(floor: Floor) -> None:
    await floor.place(floor.desk.bench.empty())
    assert sent(floor) == (False, "immediate_or_cancel")


async def test_one_that_would_take_is_rejected_as_crossed(floor: Floor) -> None:
    market = floor.desk.bench.empty()
    floor.desk.other(market, "ask", "0.4000", "9.00")
    outcome = await rest(floor, market)
    assert isinstance(outcome, Rejected)
    assert (outcome.code, floor.account.resting()) == (CROSSED, [])


async def test_a_purchase_of_no_rests_at_the_no_price(floor: Floor) -> None:
    market = floor.desk.bench.empty()
    await rest(floor, market, side=Side.NO, limit=30)
    [order] = floor.account.resting()
    assert (order.bid, order.price) == (False, ONE - cents(30))


async def test_the_shard_that_the_signal_named_is_used_and_none_is_looked_up(floor: Floor) -> None:
    market = floor.desk.bench.empty("MLB")
    floor.gateway._shard_of = lambda _: None
    proposal = replace(resting(floor, market), shard=market.contract.shard)
    outcome = _accepted(await floor.gateway.place(_approved(proposal)))
    assert market.contract.shard != 0
    assert [order.shard for order in floor.account.resting()] == [market.contract.shard]
    await floor.gateway.cancel(outcome.venue_order_id, market.ticker, market.contract.shard)
    assert floor.account.resting() == []


# --- how it stands ----------------------------------------------------------------------------------------


async def test_while_it_rests_it_resolves_to_what_remains(floor: Floor) -> None:
    market = floor.desk.bench.empty()
    await rest(floor, market)
    floor.desk.bench.wait(1)
    outcome = _accepted(await floor.gateway.resolve(resting(floor, market)))
    assert (outcome.fills, outcome.remaining) == ((), contracts(5))


async def test_what_filled_while_it_rested_comes_with_its_exact_price_and_fee(floor: Floor) -> None:
    market = floor.desk.bench.empty()
    await rest(floor, market)
    floor.desk.other(market, "ask", "0.3500", "2.00")
    floor.desk.bench.wait(1)
    outcome = _accepted(await floor.gateway.resolve(resting(floor, market)))
    assert [(fill.price, fill.quantity) for fill in outcome.fills] == [(cents(40), contracts(2))]
    assert outcome.remaining == contracts(3)
    assert sum(fill.fee for fill in outcome.fills) == floor.account.position(market.ticker).fees


async def test_one_that_was_canceled_keeps_what_it_filled(floor: Floor) -> None:
    market = floor.desk.bench.empty()
    placed = _accepted(await rest(floor, market))
    floor.desk.other(market, "ask", "0.3500", "2.00")
    await floor.gateway.cancel(placed.venue_order_id, market.ticker)
    floor.desk.bench.wait(1)
    outcome = _accepted(await floor.gateway.resolve(resting(floor, market)))
    assert (outcome.remaining, sum(fill.quantity for fill in outcome.fills)) == (0, contracts(2))


async def test_right_after_its_cancel_the_list_may_still_show_it(floor: Floor) -> None:
    market = floor.desk.bench.empty()
    placed = _accepted(await rest(floor, market))
    floor.desk.bench.wait(5)
    await floor.gateway.cancel(placed.venue_order_id, market.ticker)
    assert _accepted(await floor.gateway.resolve(resting(floor, market))).remaining == contracts(5)
    floor.desk.bench.wait(1)
    assert _accepted(await floor.gateway.resolve(resting(floor, market))).remaining == 0


async def test_one_whose_answer_was_lost_is_found_resting(floor: Floor) -> None:
    market = floor.desk.bench.empty()
    floor.desk.bench.faults.lost_reply_share = 1.0
    assert isinstance(await rest(floor, market), Unknown)
    floor.desk.bench.faults.lost_reply_share = 0.0
    floor.desk.bench.wait(1)
    outcome = _accepted(await floor.gateway.resolve(resting(floor, market)))
    assert (outcome.remaining, outcome.venue_order_id) == (contracts(5), floor.orders[0].id)


async def test_a_restart_finds_what_rests(floor: Floor) -> None:
    market = floor.desk.bench.empty()
    await rest(floor, market)
    floor.restart()
    floor.desk.bench.wait(1)
    assert _accepted(await floor.gateway.resolve(resting(floor, market))).remaining == contracts(5)


# --- the statement ----------------------------------------------------------------------------------------


async def stated(floor: Floor) -> Statement:
    floor.desk.bench.wait(1)
    found = await floor.gateway.statement(Instant(0))
    assert found is not None
    return found


async def test_a_statement_lists_what_rests_with_its_shard_and_our_id(floor: Floor) -> None:
    market = floor.desk.bench.empty("MLB")
    placed = _accepted(await rest(floor, market))
    [order] = (await stated(floor)).resting
    assert (order.order_id, order.client_order_id) == (
        placed.venue_order_id,
        resting(floor, market).client_order_id,
    )
    assert (order.ticker, order.remaining, order.shard) == (
        market.ticker,
        contracts(5),
        market.contract.shard,
    )


async def test_a_statement_lists_positions_that_are_held_and_the_fills_they_came_from(floor: Floor) -> None:
    market = floor.desk.bench.empty()
    floor.desk.other(market, "ask", "0.5000", "2.00")
    placed = _accepted(await floor.place(market))
    found = await stated(floor)
    held = found.positions[market.ticker]
    assert (held.quantity, held.cost) == (contracts(2), 2 * cents(50))
    assert held.event_ticker == market.contract.event_ticker
    assert [(one.order_id, one.fill.fill_id) for one in found.fills] == [
        (placed.venue_order_id, placed.fills[0].fill_id)
    ]


async def test_a_statement_says_up_to_when_it_is_valid_and_lags(floor: Floor) -> None:
    found = await stated(floor)
    assert found.as_of == floor.desk.clock.now() - SECOND // 2


async def test_a_statement_adds_up_the_cash_of_all_shards(floor: Floor) -> None:
    assert (await stated(floor)).cash == sum(floor.account.cash.values())


async def test_a_fill_that_only_a_statement_told_resolves_its_order(floor: Floor) -> None:
    market = floor.desk.bench.empty()
    await rest(floor, market)
    floor.desk.other(market, "ask", "0.3500", "5.00")
    await stated(floor)
    sent = len(floor.desk.transport.sent)
    outcome = _accepted(await floor.gateway.resolve(resting(floor, market)))
    assert (outcome.remaining, outcome.fills[0].quantity) == (0, contracts(5))
    assert all("fills" not in request.path for request in floor.desk.transport.sent[sent:])


async def test_without_a_word_up_to_when_it_is_valid_there_is_no_statement(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unsaid() -> None:
        return None

    monkeypatch.setattr(floor.desk.client, "user_data_as_of", unsaid)
    with pytest.raises(MalformedError, match="does not say up to when"):
        await floor.gateway.statement(Instant(0))


# --- an executor that rests first -------------------------------------------------------------------------


async def resting_first() -> Trading:
    floor = Trading(desk=TradingDesk(quoted(read_lag_s=0.5)))
    floor.rules = leased(orders=OrderPolicy(rests_first=True, rest_s=4.0, partial_rest_s=2.0))
    return await floor.start()


async def test_an_executor_rests_withdraws_and_takes_and_its_books_agree() -> None:
    floor = await resting_first()
    await floor.buy()
    assert floor.position == 0
    floor.book.touch(floor.desk.clock.now())
    await floor.execution.executor.on_book(floor.market.ticker)
    assert floor.position == contracts(2)
    assert len(floor.desk.bench.account.orders) == 2
    assert floor.desk.bench.account.resting() == []
    assert await floor.agrees()
    assert floor.told == []


async def test_what_came_to_it_while_it_rested_is_booked_at_its_own_price() -> None:
    floor = await resting_first()
    wait = floor.desk.clock.sleep

    async def somebody_sells(seconds: float) -> None:
        floor.desk.clock.sleep = wait  # type: ignore[method-assign]
        floor.desk.other(floor.market, "ask", "0.4800", "2.00")
        await wait(seconds)

    floor.desk.clock.sleep = somebody_sells  # type: ignore[method-assign]
    await floor.buy()
    [held] = floor.execution.account.positions.values()
    assert (held.quantity, held.cost) == (contracts(2), 2 * cents(49))
    assert await floor.agrees()
