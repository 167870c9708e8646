"""Reservations: one batch with the intent, judged by the book as it is, the same however often repeated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.backends.memory.documents import MemoryDocuments
from shared.clock import DAY, SECOND, Instant, ManualClock
from shared.errors import AlreadyExistsError, ConflictError, MalformedError, StorageError
from shared.execution.watch import passes
from shared.money import ONE, Price, Usd
from shared.orders.ledger import Position, Settlement
from shared.ports import Document, Value
from shared.risk.book import Holding, encode_book
from shared.risk.breaker import Person
from shared.risk.controls import Proposal
from shared.risk.safeguards import Safeguards
from shared.terms import OrderStatus
from tests.execution.desk import UNHURRIED, Desk, granted, intent, kept, refusals
from tests.risk.orders import GENERATION, MONDAY, ORDER, TICKER, contracts, fill, new_book, proposal
from tests.support.limits import DOLLAR, LIMITS


def payout(settlement: Settlement) -> Value:
    return {"pnl": settlement.pnl}


async def desk_with_order() -> Desk:
    desk = await Desk().open()
    granted(await desk.executor().reserve(proposal(), intent))
    return desk


async def test_intent_and_reservation_appear_together() -> None:
    desk = await desk_with_order()
    value, book = await desk.order(ORDER), await desk.read()
    assert value is not None
    assert len(value["controls"]) == 15
    assert book.reserved[ORDER].risk == 5_200_000
    assert (book.trades_today, book.seq) == (1, 1)


async def test_the_order_carries_the_moment_it_was_reserved() -> None:
    desk = await Desk().open()
    stale = proposal(at=Instant(MONDAY - 5 * SECOND))
    answer = granted(await desk.executor().reserve(stale, intent))
    assert answer.order.proposal.at == MONDAY


async def test_every_control_is_judged_on_the_stored_book() -> None:
    desk = await Desk().open(10)
    asked = proposal(price=99, size=200)
    answer = await desk.executor(limits=LIMITS).reserve(asked, intent)
    assert refusals(answer) == {"position_size", "price_bounds", "sport_exposure", "balance"}
    assert (await desk.order(ORDER), (await desk.read()).seq) == (None, 0)


async def test_what_another_executor_reserved_counts() -> None:
    desk = await Desk().open()
    limits = replace(UNHURRIED, max_daily_loss=Usd(8 * DOLLAR))
    first, second = desk.executor("one", limits), desk.executor("two", limits)
    granted(await first.reserve(proposal(), intent))
    assert refusals(await second.reserve(proposal("order-2"), intent)) == {"daily_loss"}
    await first.release(ORDER)
    granted(await second.reserve(proposal("order-3"), intent))


async def test_two_executors_share_one_order_rate() -> None:
    desk = await Desk().open()
    first, second = desk.executor("one", LIMITS), desk.executor("two", LIMITS)
    granted(await first.reserve(proposal(), intent))
    assert refusals(await second.reserve(proposal("order-2"), intent)) == {"order_rate"}


async def test_an_order_is_reserved_once_whoever_asks_again() -> None:
    desk = await desk_with_order()
    with pytest.raises(AlreadyExistsError, match="executor-1/1"):
        await desk.executor("executor-2").reserve(proposal(), intent)
    await desk.executor().release(ORDER)
    with pytest.raises(AlreadyExistsError):
        await desk.executor().reserve(proposal(), intent)
    assert (await desk.read()).trades_today == 1


class NoAnswer(MemoryDocuments):
    """Cannot be read."""

    async def get(self, path: str) -> Document | None:
        raise StorageError("disk is on fire")


async def test_a_store_that_cannot_be_read_refuses() -> None:
    answer = await Desk(NoAnswer()).executor().reserve(proposal(), intent)
    assert answer.reasons == ("risk_state: StorageError: disk is on fire",)  # type: ignore[union-attr]


async def test_an_account_without_a_book_refuses_and_says_what_to_do() -> None:
    answer = await Desk().executor().reserve(proposal(), intent)
    assert refusals(answer) == {"risk_state"}
    assert "open it with the account's cash" in answer.reasons[0]  # type: ignore[union-attr]


async def test_a_damaged_book_refuses() -> None:
    desk = Desk()
    await desk.documents.create("risk/main", encode_book(new_book()) | {"cash": "much"})
    assert refusals(await desk.executor().reserve(proposal(), intent)) == {"risk_state"}


async def test_a_book_that_nobody_confirmed_lately_refuses_until_somebody_does() -> None:
    clock = ManualClock(MONDAY)
    desk = await Desk(clock=clock).open()
    clock.set(Instant(MONDAY + 31 * SECOND))
    assert refusals(await desk.executor().reserve(proposal(), intent)) == {"risk_state"}
    await desk.book.confirm()
    granted(await desk.executor().reserve(proposal(at=clock.now()), intent))


async def test_what_was_decided_before_its_process_froze_is_decided_again() -> None:
    clock = ManualClock(MONDAY)
    desk = await Desk(clock=clock).open()
    clock.set(Instant(MONDAY + 6 * SECOND))
    answer = await desk.executor().reserve(proposal(at=MONDAY), intent)
    assert answer.reasons == ("decision: decided 6 s ago: look again",)  # type: ignore[union-attr]
    assert passes(refusals(answer))
    granted(await desk.executor().reserve(proposal(at=clock.now()), intent))


async def test_an_executor_whose_epoch_is_over_cannot_reserve() -> None:
    desk = await Desk().open()
    await desk.book.fence(4)
    answer = await desk.executor().reserve(proposal(), intent, epoch=3)
    assert answer.reasons == ("lease: epoch 3 is over, 4 acts now",)  # type: ignore[union-attr]
    granted(await desk.executor().reserve(proposal(), intent, epoch=4))


async def test_a_risk_smaller_than_the_cost_is_refused() -> None:
    desk = await Desk().open()
    assert refusals(await desk.executor().reserve(proposal(risk=Usd(4_999_999)), intent)) == {"proposal"}


async def test_what_stands_around_the_account_refuses_too() -> None:
    async def stopped(order: Proposal) -> Safeguards:
        return Safeguards("ann: news", GENERATION, ("orders is open",), ("market rests",), (), 5)

    desk = await Desk().open()
    answer = await desk.executor(guard=stopped).reserve(proposal(), intent)
    assert refusals(answer) == {"halt", "breaker", "cooldown", "canary"}


async def test_safeguards_that_cannot_be_read_refuse() -> None:
    async def unreadable(order: Proposal) -> Safeguards:
        raise StorageError("breakers are gone")

    desk = await Desk().open()
    assert refusals(await desk.executor(guard=unreadable).reserve(proposal(), intent)) == {"risk_state"}


async def test_canary_mode_ends_when_enough_clean_fills_were_settled() -> None:
    async def new_deploy(order: Proposal) -> Safeguards:
        return Safeguards("", "v2/0", clean_fills_needed=2)

    desk = await Desk().open()
    executor = desk.executor(guard=new_deploy)
    for number in range(2):
        assert refusals(await executor.reserve(proposal(f"large-{number}"), intent)) == {"canary"}
        granted(await executor.reserve(proposal(f"small-{number}", size=1), intent))
        await executor.settle(f"small-{number}", OrderStatus.FILLED, [fill(f"f-{number}", size=1)])
    granted(await executor.reserve(proposal("large"), intent))


async def test_fills_and_the_orders_document_change_together() -> None:
    desk = await desk_with_order()
    step = await desk.executor().settle(ORDER, OrderStatus.PARTIAL, [fill(size=4)], change=kept)
    value, book = await desk.order(ORDER), await desk.read()
    assert value is not None
    assert [one["fill_id"] for one in value["fills"]] == ["fill-1"]
    assert book.holdings[TICKER].position.quantity == contracts(4)
    assert book.reserved[ORDER].remaining == contracts(6)
    assert [one.fill_id for one in step.fills] == ["fill-1"]


async def test_settling_twice_writes_once() -> None:
    desk = await desk_with_order()
    for _ in range(2):
        await desk.executor().settle(ORDER, OrderStatus.FILLED, [fill()], change=kept)
    value, book = await desk.order(ORDER), await desk.read()
    assert (value or {})["risk"]["filled"] == contracts(10)
    assert (book.seq, book.reserved, len((value or {})["fills"])) == (2, {}, 1)


async def test_an_unknown_outcome_stays_reserved_over_midnight() -> None:
    clock = ManualClock(MONDAY)
    desk = await Desk(clock=clock).open()
    executor = desk.executor()
    granted(await executor.reserve(proposal(), intent))
    await executor.settle(ORDER, OrderStatus.UNKNOWN)
    clock.set(Instant(MONDAY + 2 * DAY))
    assert (await desk.book.unfinished())[ORDER].is_doubted
    assert (await desk.read()).view("E", "NFL", clock.now()).lost_today == 5_200_000


async def test_a_fill_of_an_order_that_was_never_sent_is_an_error() -> None:
    desk = await Desk().open()
    with pytest.raises(MalformedError, match="no such order"):
        await desk.executor().settle("stranger", OrderStatus.FILLED, [fill()])


async def test_an_order_of_another_account_is_an_error() -> None:
    desk = await desk_with_order()
    other = Desk(desk.documents)
    other.book.account, other.book.path = "other", "risk/other"
    await other.book.open(Usd(DOLLAR))
    executor = desk.executor()
    executor.book = other.book
    with pytest.raises(MalformedError, match="belongs to account 'main'"):
        await executor.settle(ORDER, OrderStatus.FILLED, [fill()])


async def test_a_market_is_paid_once_and_its_record_appears_with_the_money() -> None:
    desk = await desk_with_order()
    executor = desk.executor()
    await executor.settle(ORDER, OrderStatus.FILLED, [fill()])
    assert await executor.pay(TICKER, ONE, payout) is not None
    assert await executor.pay(TICKER, ONE, payout) is None
    record = await desk.documents.get(f"settlements/{TICKER}")
    assert record is not None
    assert record.value["pnl"] == 5_000_000 - 200_000
    assert (await desk.read()).cash == 10_000 * DOLLAR + 4_800_000


async def test_a_late_fill_and_a_corrected_payout_are_paid_by_paying_again() -> None:
    desk = await desk_with_order()
    executor = desk.executor()
    await executor.settle(ORDER, OrderStatus.CANCELED, [fill(size=4)])
    await executor.pay(TICKER, ONE, payout)
    await executor.settle(ORDER, OrderStatus.CANCELED, [fill("late", size=2)])
    await executor.pay(TICKER, ONE, payout)
    assert (await desk.read()).cash == 10_000 * DOLLAR + 3_000_000 - 120_000
    await executor.pay(TICKER, Price(0), payout)
    assert (await desk.read()).cash == 10_000 * DOLLAR - 3_000_000 - 120_000


async def test_a_person_resumes_and_the_run_of_losses_is_over() -> None:
    clock = ManualClock(MONDAY)
    desk = await Desk(clock=clock).open()
    executor = desk.executor(limits=replace(UNHURRIED, max_consecutive_losses=1))
    granted(await executor.reserve(proposal(), intent))
    await executor.settle(ORDER, OrderStatus.FILLED, [fill()])
    await executor.pay(TICKER, Price(0), payout)
    assert refusals(await executor.reserve(proposal("2"), intent)) == {"consecutive_losses"}
    clock.set(Instant(MONDAY + 10 * SECOND))
    await desk.book.resume(clock.now())
    granted(await executor.reserve(proposal("2", at=clock.now()), intent))


async def test_opening_again_keeps_what_is_there() -> None:
    desk = await desk_with_order()
    assert not await desk.book.open(Usd(DOLLAR))
    assert (await desk.read()).cash == 10_000 * DOLLAR


async def test_an_account_that_already_holds_something_starts_with_it() -> None:
    desk = Desk()
    held = Holding("game", "NFL", Position(TICKER, "E", contracts(10), Usd(5 * DOLLAR)))
    await desk.book.open(Usd(95 * DOLLAR), {TICKER: held})
    view = (await desk.read()).view("game", "NFL", MONDAY)
    assert (view.bankroll, view.sport_risk) == (100 * DOLLAR, 5 * DOLLAR)


async def test_a_person_restates_the_book_they_compared_and_no_other() -> None:
    desk = await desk_with_order()
    ann, held = Person("ann"), dict[str, Holding]()
    with pytest.raises(ConflictError, match="compare again"):
        await desk.book.restate(0, Usd(9), held, ann, "the venue says so")
    await desk.book.restate(1, Usd(9), held, ann, "the venue says so")
    (record,) = await desk.documents.query("risk-corrections")
    assert ((await desk.read()).cash, record.value["actor"]) == (9, "ann")
    assert record.value["before"]["cash"] == 10_000 * DOLLAR


async def test_a_step_that_changes_nothing_writes_nothing() -> None:
    desk = await desk_with_order()
    before = await desk.documents.get("risk/main")
    await desk.book.fence(0)
    await desk.executor().settle(ORDER, OrderStatus.RESTING)
    assert await desk.documents.get("risk/main") == before


async def test_one_order_a_market_when_asked_for() -> None:
    desk = await Desk().open()
    executor = desk.executor(one_a_market=True)
    granted(await executor.reserve(proposal("a"), intent))
    assert refusals(await executor.reserve(proposal("b"), intent)) == {"market"}
    granted(await executor.reserve(proposal("c", ticker="ANOTHER"), intent))
    await executor.settle("a", OrderStatus.CANCELED)
    granted(await executor.reserve(proposal("b"), intent))
