"""Settling: paid once, when the exchange has paid, and never on a result that is not understood."""

from __future__ import annotations

import pytest

from shared.clock import MINUTE, Instant
from shared.errors import StorageError
from shared.execution.assemble import Execution, assemble
from shared.execution.paper import PaperGateway
from shared.messages import MarketListed, MarketSettled, PositionChanged
from shared.money import ONE, Price, Usd
from shared.orders.ledger import Position
from shared.pipeline.settle import Settler, payout_of
from shared.risk.book import Holding
from shared.terms import MarketStatus, Result
from shared.venues.kalshi.client import KalshiClient
from shared.venues.retry import Retry
from tests.execution.conftest import contracts, rules
from tests.pipeline.conftest import Desk
from tests.support.backends import rng
from tests.support.limits import DOLLAR
from tests.venues.fakes import FakeTransport, answer
from tests.venues.kalshi.rows import MARKET, listed

TICKER = MARKET["ticker"]


def ended(result: str = "yes", status: str = "finalized", **changes: object) -> MarketListed:
    return listed(status=status, result=result, **changes)


def execution_of(desk: Desk) -> Execution:
    paper = PaperGateway(lambda _: None, lambda _: None, desk.clock)
    return assemble(desk.documents, desk.bus, desk.clock, rng(1), paper, paper.book_of, rules())


@pytest.fixture
async def held(desk: Desk) -> Execution:
    """Ten YES at 40c, and $996 in cash."""
    made = execution_of(desk)
    position = Position(TICKER, MARKET["event_ticker"], contracts(10), Usd(4 * DOLLAR))
    await made.stored.open(Usd(996 * DOLLAR), {TICKER: Holding("game", "NFL", position)})
    return made


def settler(desk: Desk, held: Execution, transport: FakeTransport | None = None) -> Settler:
    retry = Retry(desk.clock, lambda: 0.5, attempts=1)
    base = "https://exchange.example/trade-api/v2"
    client = KalshiClient(transport or FakeTransport(), desk.clock, retry, base_url=base)
    return Settler(client, held.account, held.journal)


@pytest.mark.parametrize(
    ("market", "payout"),
    [
        (ended("yes"), ONE),
        (ended("no"), Price(0)),
        (ended("scalar", settlement_value_dollars="0.5000"), Price(500_000)),
        (ended("scalar", settlement_value_dollars=...), None),
        (ended("annulled"), None),
        (ended(""), None),
        (ended("yes", status="determined"), None),
        (ended("yes", status="disputed"), None),
        (ended("yes", status="hibernating"), None),
    ],
)
def test_only_a_finalized_result_that_is_understood_pays(market: MarketListed, payout: Price | None) -> None:
    assert payout_of(market) == payout


async def test_a_held_market_is_paid_into_the_ledger_and_history(desk: Desk, held: Execution) -> None:
    assert await settler(desk, held).settle([ended()]) == 1
    (settled,) = desk.said(MarketSettled)
    assert (settled.result, settled.pnl, held.account.pnl) == (Result.YES, 6 * DOLLAR, 6 * DOLLAR)
    assert desk.said(PositionChanged)[-1].quantity == 0


async def test_a_market_is_paid_once_however_often_it_is_listed(desk: Desk, held: Execution) -> None:
    paying = settler(desk, held)
    assert [await paying.settle([ended(), ended()]), await paying.settle([ended("no")])] == [1, 0]
    assert held.account.cash == 1_006 * DOLLAR


async def test_a_second_process_does_not_tell_history_again(desk: Desk, held: Execution) -> None:
    await settler(desk, held).settle([ended()])
    twin = execution_of(desk)
    await twin.stored.read()
    assert await settler(desk, twin).settle([ended()]) == 0
    assert len(desk.said(MarketSettled)) == 1


async def test_a_market_nobody_holds_is_not_settled(desk: Desk) -> None:
    assert await settler(desk, execution_of(desk)).settle([ended()]) == 0
    assert desk.heard == []


async def test_a_poll_asks_for_what_is_held_and_not_yet_settled(desk: Desk, held: Execution) -> None:
    page = answer({"markets": [MARKET | {"status": "finalized", "result": "no"}], "cursor": ""})
    transport = FakeTransport([page])
    paying = settler(desk, held, transport)
    assert (await paying.poll(), paying.held(), await paying.poll()) == (1, [], 0)
    assert [call.params["tickers"] for call in transport.calls] == [TICKER]


async def test_a_payout_that_could_not_be_kept_is_an_error(desk: Desk, held: Execution) -> None:
    async def refuse(writes: object) -> list[int]:
        raise StorageError("the disk is full")

    desk.documents.batch = refuse  # type: ignore[method-assign]
    with pytest.raises(StorageError):
        await settler(desk, held).settle([ended()])


async def test_a_loss_counts_today(desk: Desk, held: Execution) -> None:
    await settler(desk, held).settle([ended("no")])
    view = held.account.view("E", "NFL", Instant(desk.clock.now() + MINUTE))
    assert (view.lost_today, view.consecutive_losses) == (4 * DOLLAR, 1)


def test_status_words_are_the_exchanges_own() -> None:
    assert listed(status="settled").status is MarketStatus.UNKNOWN
