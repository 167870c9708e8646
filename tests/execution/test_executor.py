"""The executor: durable before sent, one order a market, unknown blocks, every refusal has its reasons."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.backends.local.documents import SqliteDocuments
from shared.books.firewall import QuoteLimits
from shared.clock import HOUR, MINUTE, Instant
from shared.execution.decide import decide
from shared.execution.gateway import Accepted, Outcome, Rejected, Statement, Unknown
from shared.messages import FairValue, OrderUpdated
from shared.money import Price, Quantity, Usd
from shared.orders.intent import client_order_id
from shared.ports import Write
from shared.risk.controls import Proposal
from shared.risk.gate import ApprovedOrder
from shared.terms import OrderStatus, Result, Side
from shared.trace import current
from tests.execution.conftest import SCHEDULE, START, TICKER, Floor, assessed, cents, contracts, rules, signal
from tests.support.limits import DOLLAR, LIMITS


class Scripted:
    """A gateway that answers what it is told, and remembers what was durable when it was called."""

    mode = "live"

    def __init__(self, documents: SqliteDocuments, answer: Outcome | Exception) -> None:
        self.documents, self.answer = documents, answer
        self.sent: list[ApprovedOrder] = []
        self.durable: list[bool] = []
        self.prepared = 0

    def prepare(self) -> None:
        self.prepared += 1

    async def place(self, order: ApprovedOrder) -> Outcome:
        self.sent.append(order)
        document = await self.documents.get(f"orders/{order.proposal.client_order_id}")
        self.durable.append(document is not None)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def resolve(self, proposal: Proposal) -> Outcome:
        return Unknown("not asked")

    async def cancel(self, venue_order_id: str, ticker: str, shard: int | None) -> None:
        raise AssertionError("nothing rests here")

    async def cancel_all(self) -> None:
        raise AssertionError("nothing rests here")

    async def statement(self, since: Instant) -> Statement | None:
        return None


async def test_a_signal_fills_what_stands_at_its_limit_or_better(floor: Floor) -> None:
    await floor.executor.on_signal(signal(), SCHEDULE)
    assert await floor.filled() == contracts(70)


async def test_the_rest_of_a_signal_is_worked_when_the_book_changes(floor: Floor) -> None:
    await floor.executor.on_signal(signal(), SCHEDULE)
    await floor.clock.advance(1)
    floor.asks((51, 500))
    floor.paper.book_changed(TICKER)
    await floor.executor.on_book(TICKER)
    assert await floor.filled() == contracts(100)
    assert TICKER not in floor.executor.watched


async def test_the_same_signal_twice_orders_once(floor: Floor) -> None:
    await floor.executor.on_signal(signal(), SCHEDULE)
    await floor.executor.on_signal(signal(), SCHEDULE)
    assert len({update.order_id for update in await floor.said(OrderUpdated)}) == 1


async def test_an_intent_is_durable_before_anything_is_sent(floor: Floor) -> None:
    gateway = Scripted(floor.documents, Rejected("no", "no"))
    await floor.make_executor(gateway).on_signal(signal(), SCHEDULE)
    assert gateway.durable == [True]


async def test_an_unknown_outcome_blocks_its_market_and_keeps_its_reservation(floor: Floor) -> None:
    gateway = Scripted(floor.documents, Unknown("timeout"))
    executor = floor.make_executor(gateway)
    await executor.on_signal(signal(), SCHEDULE)
    await executor.on_book(TICKER)
    await executor.on_signal(signal(signal_id="signal-2"), SCHEDULE)
    assert len(gateway.sent) == 1
    assert floor.account.reserved > 0
    assert await floor.last_status() is OrderStatus.UNKNOWN


async def test_a_crash_while_sending_is_logged_with_the_ids_of_the_order(
    floor: Floor, caplog: pytest.LogCaptureFixture
) -> None:
    found: list[dict[str, str]] = []

    def note(_: logging.LogRecord) -> bool:
        found.append(current())
        return True

    caplog.handler.addFilter(note)
    gateway = Scripted(floor.documents, RuntimeError("boom"))
    await floor.make_executor(gateway).on_signal(signal(), SCHEDULE)
    assert "boom" in caplog.text
    [ids] = found
    assert ids["order_id"] == gateway.sent[0].proposal.client_order_id
    assert (ids["signal_id"], ids["ticker"]) == ("signal-1", TICKER)


async def test_a_crash_in_the_gateway_is_unknown_not_rejected(floor: Floor) -> None:
    executor = floor.make_executor(Scripted(floor.documents, RuntimeError("boom")))
    await executor.on_signal(signal(), SCHEDULE)
    assert TICKER in executor.blocked


async def test_a_rejected_order_gives_its_money_back(floor: Floor) -> None:
    executor = floor.make_executor(Scripted(floor.documents, Rejected("insufficient_balance", "no cash")))
    await executor.on_signal(signal(), SCHEDULE)
    assert floor.account.reserved == 0
    assert (await floor.said(OrderUpdated))[-1].reasons == ("insufficient_balance: no cash",)


async def test_an_order_an_earlier_run_sent_is_not_sent_again(floor: Floor) -> None:
    await floor.make_executor(Scripted(floor.documents, Unknown("timeout"))).on_signal(signal(), SCHEDULE)
    gateway = Scripted(floor.documents, Accepted("v", (), Quantity(0)))
    executor = floor.make_executor(gateway)
    await executor.on_signal(signal(), SCHEDULE)
    assert gateway.sent == []
    assert TICKER in executor.blocked


async def test_a_signal_that_an_earlier_run_worked_goes_on_from_where_that_ended(floor: Floor) -> None:
    await floor.executor.on_signal(signal(), SCHEDULE)
    await floor.clock.advance(61)
    floor.asks((50, 500))
    executor = floor.make_executor(floor.paper)
    await executor.on_signal(signal(), SCHEDULE)
    orders = {update.order_id: update.quantity for update in await floor.said(OrderUpdated)}
    assert list(orders.values()) == [contracts(70), contracts(30)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"expires_at": START}, "expired"),
        ({"starts_at": START}, "started"),
        ({"limit": Price(490_000)}, "no yes ask"),
    ],
)
async def test_a_signal_that_cannot_trade_says_why(
    floor: Floor, changes: dict[str, object], reason: str
) -> None:
    given = signal(**changes)
    gateway = Scripted(floor.documents, Accepted("v", (), Quantity(0)))
    executor = floor.make_executor(gateway)
    await executor.on_signal(given, SCHEDULE)
    watch = executor.watched.get(TICKER)
    assert gateway.sent == []
    assert watch is None or reason in watch.last_reason


async def test_a_book_with_a_gap_is_not_traded(floor: Floor) -> None:
    floor.book.mark_gap()
    await floor.executor.on_signal(signal(), SCHEDULE)
    assert await floor.filled() == 0
    assert "gap" in floor.executor.watched[TICKER].last_reason


async def test_a_stale_book_is_not_traded(floor: Floor) -> None:
    await floor.clock.advance(60)
    await floor.executor.on_signal(signal(), SCHEDULE)
    assert "stale" in floor.executor.watched[TICKER].last_reason


async def test_a_refused_order_is_told_once_with_every_reason(floor: Floor) -> None:
    book, found = await floor.execution.stored.found()
    poor = replace(book, cash=Usd(1), deposits=Usd(1))
    await floor.execution.stored.batch([floor.execution.stored.write(poor, found)], poor)
    await floor.executor.on_signal(signal(), SCHEDULE)
    await floor.executor.on_book(TICKER)
    updates = await floor.said(OrderUpdated)
    assert [update.status for update in updates] == [OrderStatus.REJECTED]
    assert {reason.split(":")[0] for reason in updates[0].reasons} == {"sport_exposure", "balance"}


async def test_an_order_names_every_control_it_passed(floor: Floor) -> None:
    await floor.executor.on_signal(signal(), SCHEDULE)
    assert len((await floor.said(OrderUpdated))[-1].controls) == 15


async def test_quantity_is_cut_to_the_risk_of_one_trade(floor: Floor) -> None:
    floor.asks((50, 5_000))
    floor.use(floor.paper, rules(replace(LIMITS, max_risk_per_trade=Usd(10 * DOLLAR))))
    await floor.executor.on_signal(signal(), SCHEDULE)
    assert await floor.filled() == contracts(18)  # 52c plus at most 1.75c and rounding, in $10


async def test_a_restart_finds_the_account_as_it_was_left(floor: Floor) -> None:
    await floor.executor.on_signal(signal(), SCHEDULE)
    await floor.execution.journal.settled(TICKER, Price(DOLLAR), Result.YES)
    before = floor.account.book
    again = floor.use(floor.paper)
    assert await again.journal.unfinished() == []
    assert await again.stored.read() == before
    assert before.pnl > 0


async def test_a_restart_names_the_orders_whose_outcome_is_not_known(floor: Floor) -> None:
    executor = floor.make_executor(Scripted(floor.documents, Unknown("timeout")))
    await executor.on_signal(signal(), SCHEDULE)
    [kept] = await floor.use(floor.paper).journal.unfinished()
    assert (kept.order.order_id, kept.order.status) == (client_order_id("signal-1"), OrderStatus.UNKNOWN)


async def test_an_order_a_minute_later_is_not_stopped_by_the_rate_limit(floor: Floor) -> None:
    book, found = await floor.execution.stored.found()
    crowded = replace(book, recent=tuple(Instant(START - 10 + k) for k in range(10)))
    await floor.execution.stored.batch([floor.execution.stored.write(crowded, found)], crowded)
    await floor.executor.on_signal(signal(expires_at=Instant(START + 5 * MINUTE)), SCHEDULE)
    assert await floor.filled() == 0
    await floor.clock.advance(61)
    floor.asks((50, 30))
    await floor.executor.on_book(TICKER)
    assert await floor.filled() == contracts(30)
    assert cents(50) == floor.account.positions[TICKER].cost // 30


@pytest.mark.parametrize(
    ("changes", "is_kept"),
    [
        ({}, False),  # the ask is within the limit and yet not worth it: the fair price fell
        ({"ask": cents(55)}, True),  # the price moved away and may come back
        ({"ask": cents(55), "reasons": ("started: the game has begun",)}, False),
        ({"ask": None, "reasons": ("no_books: nobody quotes this",)}, False),
        ({"side": Side.NO}, True),
        ({"accepted": True, "reasons": ()}, True),
    ],
)
async def test_a_signal_is_dropped_when_its_ground_is_gone(
    floor: Floor, changes: dict[str, object], is_kept: bool
) -> None:
    floor.asks((53, 10))
    await floor.executor.on_signal(signal(), SCHEDULE)
    floor.executor.reconsider(assessed(**changes))
    assert (TICKER in floor.executor.watched) is is_kept


async def test_a_signal_that_came_while_an_order_was_out_is_still_worked(floor: Floor) -> None:
    newer = signal(signal_id="signal-2")

    class Overtaken(Scripted):
        async def place(self, order: ApprovedOrder) -> Outcome:
            await executor.on_signal(newer, SCHEDULE)
            return Rejected("no", "no")

    executor = floor.make_executor(Overtaken(floor.documents, Rejected("no", "no")))
    await executor.on_signal(signal(), SCHEDULE)
    assert executor.watched[TICKER].signal is newer


async def test_a_signal_delivered_again_after_its_order_neither_orders_nor_blocks(floor: Floor) -> None:
    floor.asks((50, 500))
    await floor.executor.on_signal(signal(), SCHEDULE)
    await floor.executor.on_signal(signal(), SCHEDULE)
    assert await floor.filled() == contracts(100)
    assert floor.executor.blocked == {}


async def test_a_signal_that_arrives_late_does_not_replace_a_newer_one(floor: Floor) -> None:
    floor.asks((53, 10))
    newer = signal(signal_id="signal-2", observed_at=Instant(START + 1))
    await floor.clock.advance(1)
    await floor.executor.on_signal(newer, SCHEDULE)
    await floor.executor.on_signal(signal(), SCHEDULE)
    assert floor.executor.watched[TICKER].signal is newer


async def test_an_assessment_from_before_a_signal_does_not_drop_it(floor: Floor) -> None:
    floor.asks((53, 10))
    await floor.executor.on_signal(signal(), SCHEDULE)
    floor.executor.reconsider(assessed(observed_at=Instant(START - 1)))
    assert TICKER in floor.executor.watched


@pytest.mark.parametrize(
    ("fair", "ask", "accepted", "is_kept"),
    [
        (0.60, 55, False, True),
        (0.58, 55, False, False),  # should the price come back to 52c, it would earn less than asked
        (0.58, 49, True, False),  # still worth 49c, no longer worth the limit of 52c
        (0.60, 49, True, True),
        (0.60, None, False, False),
    ],
)
async def test_a_signal_whose_limit_is_no_longer_worth_paying_is_dropped(
    floor: Floor, fair: float, ask: int | None, accepted: bool, is_kept: bool
) -> None:
    floor.asks((53, 10))
    await floor.executor.on_signal(signal(), SCHEDULE)
    reasons = () if accepted else ("thin_edge: too thin",) if ask else ("no_quote: nobody offers yes",)
    floor.executor.reconsider(
        assessed(
            ask=None if ask is None else cents(ask),
            accepted=accepted,
            reasons=reasons,
            fair=fair_value(fair),
        )
    )
    assert (TICKER in floor.executor.watched) is is_kept


def fair_value(probability: float) -> FairValue:
    return FairValue(
        probability=probability,
        multiplicative=probability,
        power=probability,
        odds_ratio=probability,
        shin=probability,
        standard_error=0.005,
        books=5,
        effective_books=5.0,
        age_s=1.0,
    )


async def test_an_ask_far_below_the_fair_value_is_news_we_have_not_heard(floor: Floor) -> None:
    floor.asks((46, 100))
    await floor.executor.on_signal(signal(), SCHEDULE)
    assert await floor.filled() == 0
    assert "too_good" in floor.executor.watched[TICKER].last_reason


async def test_a_clock_set_back_does_not_prolong_a_signal(floor: Floor) -> None:
    floor.asks((53, 10))
    await floor.executor.on_signal(signal(), SCHEDULE)
    floor.clock.set(Instant(START - HOUR))
    floor.asks((50, 30))
    await floor.executor.on_book(TICKER)
    assert await floor.filled() == 0
    assert TICKER not in floor.executor.watched


async def test_the_next_signature_is_made_while_the_intent_is_written(floor: Floor) -> None:
    gateway = Scripted(floor.documents, Accepted("v", (), Quantity(0)))
    executor = floor.make_executor(gateway)
    batch = floor.documents.batch
    ready: list[int] = []

    async def written(writes: Sequence[Write]) -> list[int]:
        versions = await batch(writes)
        ready.append(gateway.prepared)
        return versions

    floor.documents.batch = written  # type: ignore[method-assign]
    await executor.on_signal(signal(), SCHEDULE)
    assert ready[0] == 1
    assert gateway.durable == [True]


async def test_a_halt_while_the_intent_is_written_stops_the_order(floor: Floor) -> None:
    gateway = Scripted(floor.documents, Accepted("v", (), Quantity(0)))
    executor = floor.make_executor(gateway)
    batch = floor.documents.batch

    async def halting(writes: Sequence[Write]) -> list[int]:
        floor.account.halted = "ann: stop"
        return await batch(writes)

    floor.documents.batch = halting  # type: ignore[method-assign]
    await executor.on_signal(signal(), SCHEDULE)
    assert gateway.sent == []
    assert floor.account.reserved == 0
    assert await floor.last_status() is OrderStatus.REJECTED


async def test_what_paper_took_is_not_ordered_again(floor: Floor) -> None:
    await floor.executor.on_signal(signal(), SCHEDULE)
    await floor.clock.advance(1)
    for _ in range(3):
        await floor.executor.on_book(TICKER)
    assert len({update.order_id for update in await floor.said(OrderUpdated)}) == 1


async def test_a_reservation_whose_answer_was_lost_is_followed_to_its_end(floor: Floor) -> None:
    found = decide(
        signal(), floor.book, SCHEDULE, LIMITS, QuoteLimits(), contracts(10), "order-lost", floor.clock.now()
    )
    assert isinstance(found, Proposal)
    await floor.executor.journal.intend(signal(), found, 0)
    assert set(floor.account.book.reserved) == {"order-lost"}
    await floor.executor.resolve()
    assert floor.account.book.reserved == {}
    assert await floor.last_status() is OrderStatus.REJECTED
