"""A restart: the account is as it was left, what is not readable stops it, history hears what it missed."""

from __future__ import annotations

import pytest

from shared.errors import StorageError
from shared.execution.gateway import Unknown
from shared.messages import FillRecorded, OrderUpdated
from shared.money import Price
from shared.pipeline.settle import Settler
from shared.terms import Result
from tests.execution.conftest import SCHEDULE, TICKER, Floor, signal
from tests.execution.test_executor import Scripted

OTHER = f"{TICKER}-OTHER"


async def test_a_restart_keeps_the_money_of_an_unknown_order_reserved(floor: Floor) -> None:
    executor = floor.make_executor(Scripted(floor.documents, Unknown("timeout")))
    await executor.on_signal(signal(), SCHEDULE)
    reserved = floor.account.reserved
    again = floor.use(floor.paper)
    await again.stored.read()
    assert again.account.reserved == reserved > 0


async def test_history_is_told_what_a_crash_kept_from_it_once(floor: Floor) -> None:
    await floor.executor.on_signal(signal(), SCHEDULE)
    fills = await floor.said(FillRecorded)
    orders = await floor.said(OrderUpdated)
    known = frozenset(message.event_id for message in (*fills[1:], *orders))
    floor.heard.clear()
    journal = floor.use(floor.paper).journal
    assert await journal.retell(known) > 0
    assert await floor.said(FillRecorded) == fills[:1]
    assert await journal.retell(known | {fills[0].event_id}) == 0


async def test_after_a_restart_only_markets_still_held_are_asked_about(floor: Floor) -> None:
    await floor.executor.on_signal(signal(), SCHEDULE)
    again = floor.use(floor.paper)
    await again.stored.read()
    settler = Settler(None, again.account, again.journal)  # type: ignore[arg-type]
    assert settler.held() == [TICKER]
    await again.journal.settled(TICKER, Price(0), Result.NO)
    assert settler.held() == []


@pytest.mark.parametrize("damage", [{"proposal": None}, {"order": {"status": "filled"}}, {"fills": "none"}])
async def test_an_order_that_is_not_readable_stops_the_restart_and_is_named(
    floor: Floor, damage: dict[str, object]
) -> None:
    executor = floor.make_executor(Scripted(floor.documents, Unknown("timeout")))
    await executor.on_signal(signal(), SCHEDULE)
    [order] = await floor.documents.query("orders")
    await floor.documents.replace_if(order.path, {**order.value, **damage}, order.version)
    with pytest.raises(StorageError, match=f"{order.path} is not readable"):
        await floor.use(floor.paper).journal.unfinished()


async def test_an_order_of_another_version_without_its_proposal_stops_the_restart(floor: Floor) -> None:
    executor = floor.make_executor(Scripted(floor.documents, Unknown("timeout")))
    await executor.on_signal(signal(), SCHEDULE)
    [order] = await floor.documents.query("orders")
    older = {key: value for key, value in order.value.items() if key != "proposal"}
    await floor.documents.replace_if(order.path, older, order.version)
    with pytest.raises(StorageError, match="another version wrote it"):
        await floor.use(floor.paper).journal.unfinished()


async def test_a_reservation_whose_order_is_gone_stops_the_restart(floor: Floor) -> None:
    executor = floor.make_executor(Scripted(floor.documents, Unknown("timeout")))
    await executor.on_signal(signal(), SCHEDULE)
    [order] = await floor.documents.query("orders")
    await floor.documents.delete_if(order.path, order.version)
    with pytest.raises(StorageError, match="does not exist"):
        await floor.use(floor.paper).journal.unfinished()
