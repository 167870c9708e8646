"""A restart: the account comes back as it was, from what is durable, and history hears what it missed."""

from __future__ import annotations

import pytest

from shared.clock import HOUR, MINUTE, Instant
from shared.errors import StorageError
from shared.execution.gateway import Accepted, Unknown
from shared.execution.journal import Journal
from shared.messages import FillRecorded, OrderUpdated, SignalRaised
from shared.money import Price, Quantity, Usd
from shared.orders.intent import client_order_id
from shared.orders.ledger import Fill, Ledger
from shared.pipeline.settle import Settler
from shared.risk.account import Account
from shared.risk.controls import Proposal
from shared.risk.gate import ApprovedOrder, Gate
from shared.terms import OrderStatus, Result, Side
from tests.execution.conftest import EVENT, SCHEDULE, START, TICKER, Floor, cents, contracts, signal
from tests.execution.test_executor import Scripted
from tests.support.limits import DOLLAR, LIMITS


async def fill_and_lose(floor: Floor, signal_id: str, minutes: int) -> None:
    """Buy ten on an own market, which ends against us."""
    ticker = f"{TICKER}-{signal_id}"
    fill = Fill(f"fill-{signal_id}", ticker, "EVENT", Side.YES, cents(50), contracts(10), Usd(0))
    at = Instant(START + minutes * MINUTE)
    floor.clock.set(at)
    order = approved(floor, signal(signal_id=signal_id, ticker=ticker), fill)
    journal = Journal(floor.documents, floor.bus, floor.clock)
    await journal.intend(signal(signal_id=signal_id, ticker=ticker), order, "paper")
    floor.account.reserve(order.proposal)
    floor.account.filled(fill, at)
    floor.account.release(order.proposal.client_order_id)
    accepted = Accepted("venue", (fill,), Quantity(0))
    position = floor.account.ledger.positions[ticker]
    order_id = order.proposal.client_order_id
    await journal.filled(order_id, accepted, (fill,), OrderStatus.FILLED, position, {})
    settlement = floor.account.settled(ticker, Price(0), at)
    assert settlement is not None
    await journal.settled(settlement, Result.NO, floor.account)


def approved(floor: Floor, given: SignalRaised, fill: Fill) -> ApprovedOrder:
    now = floor.clock.now()
    proposal = Proposal(
        client_order_id(given.signal_id),
        given.ticker,
        given.event_ticker,
        given.league,
        fill.side,
        fill.price,
        fill.quantity,
        Usd(5_200_000),
        now,
    )
    gate = Gate(LIMITS)
    return gate.approve(gate.judge(proposal, floor.account.view(given.event_ticker, given.league, now)))


async def restored(floor: Floor, account: Account | None = None) -> Account:
    account = account or Account(Ledger(Usd(10_000 * DOLLAR)))
    await Journal(floor.documents, floor.bus, floor.clock).restore(account)
    return account


async def test_a_restart_keeps_the_days_counts_and_losses(floor: Floor) -> None:
    await floor.executor.on_signal(signal(), SCHEDULE)
    await fill_and_lose(floor, "later", minutes=2)
    again = await restored(floor)
    now, game = floor.clock.now(), signal().odds_event_id
    assert again.view(game, "NFL", now) == floor.account.view(game, "NFL", now)
    assert again.view(game, "NFL", now).event_quantity == contracts(70)


async def test_yesterdays_losses_are_not_todays_after_a_restart(floor: Floor) -> None:
    await fill_and_lose(floor, "yesterday", minutes=1)
    tomorrow = Instant(START + 24 * HOUR)
    floor.clock.set(tomorrow)
    view = (await restored(floor)).view(EVENT, "NFL", tomorrow)
    assert (view.lost_today, view.lost_this_week, view.trades_today) == (0, 5 * DOLLAR, 0)


async def test_a_restart_keeps_the_money_of_an_unknown_order_reserved(floor: Floor) -> None:
    executor = floor.make_executor(Scripted(floor.documents, Unknown("timeout")))
    await executor.on_signal(signal(), SCHEDULE)
    assert (await restored(floor)).reserved == floor.account.reserved > 0


async def test_a_run_of_losses_survives_a_restart_in_its_order(floor: Floor) -> None:
    for index in range(3):
        await fill_and_lose(floor, f"loss-{index}", minutes=index)
    assert (await restored(floor)).consecutive_losses == 3


async def test_losses_a_person_has_resumed_after_do_not_stop_a_restart(floor: Floor) -> None:
    await fill_and_lose(floor, "loss", minutes=1)
    account = Account(Ledger(Usd(10_000 * DOLLAR)))
    account.resumed(Instant(START + 2 * MINUTE))
    assert (await restored(floor, account)).consecutive_losses == 0


async def test_a_market_paid_by_a_clock_set_back_is_still_paid_after_a_restart(floor: Floor) -> None:
    await floor.executor.on_signal(signal(), SCHEDULE)
    floor.clock.set(Instant(START - HOUR))
    settlement = floor.account.settled(TICKER, Price(DOLLAR), floor.clock.now())
    assert settlement is not None
    await Journal(floor.documents, floor.bus, floor.clock).settled(settlement, Result.YES, floor.account)
    assert (await restored(floor)).ledger.cash == floor.account.ledger.cash


async def test_history_is_told_what_a_crash_kept_from_it_once(floor: Floor) -> None:
    await floor.executor.on_signal(signal(), SCHEDULE)
    fills = await floor.said(FillRecorded)
    orders = await floor.said(OrderUpdated)
    known = frozenset(message.event_id for message in (*fills[1:], *orders))
    floor.heard.clear()
    journal = Journal(floor.documents, floor.bus, floor.clock)
    assert await journal.retell(known, floor.account) > 0
    assert await floor.said(FillRecorded) == fills[:1]
    assert await journal.retell(known | {fills[0].event_id}, floor.account) == 0


async def test_after_a_restart_only_markets_still_held_are_asked_about(floor: Floor) -> None:
    await floor.executor.on_signal(signal(), SCHEDULE)
    await fill_and_lose(floor, "lost", minutes=2)
    journal = Journal(floor.documents, floor.bus, floor.clock)
    settler = Settler(None, await restored(floor), journal, floor.clock)  # type: ignore[arg-type]
    assert settler.held() == [TICKER]


@pytest.mark.parametrize("damage", [{"proposal": None}, {"order": {"status": "filled"}}, {"fills": "none"}])
async def test_an_order_that_is_not_readable_stops_the_restart_and_is_named(
    floor: Floor, damage: dict[str, object]
) -> None:
    await floor.executor.on_signal(signal(), SCHEDULE)
    [order] = await floor.documents.query("orders")
    await floor.documents.replace_if(order.path, {**order.value, **damage}, order.version)
    with pytest.raises(StorageError, match=f"{order.path} is not readable"):
        await restored(floor)


async def test_an_order_of_another_version_without_its_proposal_stops_the_restart(floor: Floor) -> None:
    await floor.executor.on_signal(signal(), SCHEDULE)
    [order] = await floor.documents.query("orders")
    older = {key: value for key, value in order.value.items() if key != "proposal"}
    await floor.documents.replace_if(order.path, older, order.version)
    with pytest.raises(StorageError, match="another version wrote it"):
        await restored(floor)
