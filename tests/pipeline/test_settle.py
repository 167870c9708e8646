"""Settling: paid once, when the exchange has paid, and never on a result that is not understood."""

from __future__ import annotations

import pytest

from shared.clock import MINUTE, Instant
from shared.errors import StorageError
from shared.execution.journal import Journal
from shared.messages import MarketListed, MarketSettled, PositionChanged
from shared.money import ONE, Price, Usd
from shared.orders.ledger import Fill, Ledger
from shared.pipeline.settle import Settler, payout_of
from shared.risk.account import Account
from shared.terms import MarketStatus, Result, Side
from shared.venues.kalshi.client import KalshiClient
from shared.venues.retry import Retry
from tests.execution.conftest import cents, contracts
from tests.pipeline.conftest import NOW, Desk
from tests.support.limits import DOLLAR
from tests.venues.fakes import FakeTransport, answer
from tests.venues.kalshi.rows import MARKET, listed

TICKER = MARKET["ticker"]


def ended(result: str = "yes", status: str = "finalized", **changes: object) -> MarketListed:
    return listed(status=status, result=result, **changes)


@pytest.fixture
def account() -> Account:
    held = Account(Ledger(Usd(1_000 * DOLLAR)))
    held.filled(Fill("f", TICKER, MARKET["event_ticker"], Side.YES, cents(40), contracts(10), Usd(0)), NOW)
    return held


def settler(desk: Desk, account: Account, transport: FakeTransport | None = None) -> Settler:
    retry = Retry(desk.clock, lambda: 0.5, attempts=1)
    base = "https://exchange.example/trade-api/v2"
    client = KalshiClient(transport or FakeTransport(), desk.clock, retry, base_url=base)
    return Settler(client, account, Journal(desk.documents, desk.bus, desk.clock), desk.clock)


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


async def test_a_held_market_is_paid_into_the_ledger_and_history(desk: Desk, account: Account) -> None:
    assert await settler(desk, account).settle([ended()]) == 1
    (settled,) = desk.said(MarketSettled)
    assert (settled.result, settled.pnl, account.ledger.pnl) == (Result.YES, 6 * DOLLAR, 6 * DOLLAR)
    assert desk.said(PositionChanged)[-1].quantity == 0


async def test_a_market_is_paid_once_however_often_it_is_listed(desk: Desk, account: Account) -> None:
    paying = settler(desk, account)
    assert [await paying.settle([ended(), ended()]), await paying.settle([ended("no")])] == [1, 0]
    assert account.ledger.cash == 1_006 * DOLLAR


async def test_a_second_process_does_not_tell_history_again(desk: Desk, account: Account) -> None:
    await settler(desk, account).settle([ended()])
    twin = Account(Ledger(Usd(1_000 * DOLLAR)))
    twin.filled(Fill("f", TICKER, MARKET["event_ticker"], Side.YES, cents(40), contracts(10), Usd(0)), NOW)
    assert await settler(desk, twin).settle([ended()]) == 0
    assert len(desk.said(MarketSettled)) == 1


async def test_a_market_nobody_holds_is_not_settled(desk: Desk) -> None:
    assert await settler(desk, Account(Ledger(Usd(0)))).settle([ended()]) == 0
    assert desk.heard == []


async def test_a_poll_asks_for_what_is_held_and_not_yet_settled(desk: Desk, account: Account) -> None:
    page = answer({"markets": [MARKET | {"status": "finalized", "result": "no"}], "cursor": ""})
    transport = FakeTransport([page])
    paying = settler(desk, account, transport)
    assert (await paying.poll(), paying.held(), await paying.poll()) == (1, [], 0)
    assert [call.params["tickers"] for call in transport.calls] == [TICKER]


async def test_a_payout_that_could_not_be_kept_is_an_error(desk: Desk, account: Account) -> None:
    async def refuse(path: str, value: object) -> int:
        raise StorageError("the disk is full")

    desk.documents.create = refuse  # type: ignore[method-assign]
    with pytest.raises(StorageError):
        await settler(desk, account).settle([ended()])


async def test_a_loss_counts_today(desk: Desk, account: Account) -> None:
    await settler(desk, account).settle([ended("no")])
    view = account.view("E", "NFL", Instant(desk.clock.now() + MINUTE))
    assert (view.lost_today, view.consecutive_losses) == (4 * DOLLAR, 1)


def test_status_words_are_the_exchanges_own() -> None:
    assert listed(status="settled").status is MarketStatus.UNKNOWN
