"""Results of every mapped game are told once, when they are final, whether or not anything was held."""

from __future__ import annotations

import pytest

from shared.clock import HOUR
from shared.errors import VenueDownError
from shared.messages import MarketResolved
from shared.money import ONE, Price
from shared.pipeline.places import MAPPINGS
from shared.pipeline.results import ResultWatch
from shared.terms import Result
from shared.venues.kalshi.client import KalshiClient
from shared.venues.retry import Retry
from tests.pipeline.conftest import NOW, Desk
from tests.venues.fakes import Answer, Call, FakeTransport, answer
from tests.venues.kalshi.rows import MARKET, listed

TICKER = MARKET["ticker"]


class Exchange:
    """Answers about the markets asked for, as they stand in ``rows``."""

    def __init__(self) -> None:
        self.rows = [MARKET | {"status": "finalized", "result": "yes"}]
        self.asked: list[str] = []

    def __call__(self, call: Call) -> Answer:
        wanted = dict(call.params)["tickers"].split(",")
        self.asked += wanted
        return answer({"markets": [row for row in self.rows if row["ticker"] in wanted], "cursor": ""})


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


def watch(desk: Desk, exchange: Exchange) -> ResultWatch:
    retry = Retry(desk.clock, lambda: 0.5, attempts=1)
    base = "https://exchange.example/trade-api/v2"
    client = KalshiClient(FakeTransport(decide=exchange), desk.clock, retry, base_url=base)
    return ResultWatch(client, desk.documents, desk.bus, desk.clock)


async def mapped(desk: Desk, *tickers: str, hours_ago: float = 3, odds_event_id: str = "game") -> None:
    value = {
        "sport_key": "s",
        "odds_event_id": odds_event_id,
        "starts_at": NOW - int(hours_ago * HOUR),
        "league": "L",
        "markets": {ticker: {} for ticker in tickers},
    }
    await desk.documents.create(f"{MAPPINGS}/{tickers[0]}", value)


async def test_a_game_that_is_over_is_told_with_what_yes_was_paid(desk: Desk, exchange: Exchange) -> None:
    await mapped(desk, TICKER)
    assert await watch(desk, exchange).poll() == 1
    (told,) = desk.said(MarketResolved)
    assert (told.ticker, told.result, told.payout_yes) == (TICKER, Result.YES, ONE)
    assert told.event_id


async def test_a_result_is_asked_for_and_told_once(desk: Desk, exchange: Exchange) -> None:
    await mapped(desk, TICKER)
    made = watch(desk, exchange)
    await made.poll()
    assert await made.poll() == 0
    assert (exchange.asked, len(desk.said(MarketResolved))) == ([TICKER], 1)


async def test_a_game_that_is_not_over_is_asked_about_again(desk: Desk, exchange: Exchange) -> None:
    exchange.rows = [MARKET | {"status": "active", "result": ""}]
    await mapped(desk, TICKER)
    made = watch(desk, exchange)
    assert await made.poll() == 0
    exchange.rows = [MARKET | {"status": "finalized", "result": "no"}]
    assert await made.poll() == 1
    assert desk.said(MarketResolved)[0].payout_yes == Price(0)


@pytest.mark.parametrize("hours_ago", [-1.0, 0.0, 0.9])
async def test_nobody_asks_about_a_game_that_can_not_be_over(
    desk: Desk, exchange: Exchange, hours_ago: float
) -> None:
    await mapped(desk, TICKER, hours_ago=hours_ago)
    await watch(desk, exchange).poll()
    assert exchange.asked == []


async def test_markets_without_a_certified_game_are_left_out(desk: Desk, exchange: Exchange) -> None:
    await mapped(desk, TICKER, odds_event_id="")
    await watch(desk, exchange).poll()
    assert exchange.asked == []


async def test_many_markets_are_asked_about_fifty_at_a_time(desk: Desk, exchange: Exchange) -> None:
    exchange.rows = []
    transport = FakeTransport(decide=exchange)
    retry = Retry(desk.clock, lambda: 0.5, attempts=1)
    client = KalshiClient(transport, desk.clock, retry, base_url="https://exchange.example/v2")
    await mapped(desk, *(f"T-{n:03}" for n in range(120)))
    await ResultWatch(client, desk.documents, desk.bus, desk.clock).poll()
    assert (len(transport.calls), len(set(exchange.asked))) == (3, 120)


async def test_what_could_not_be_told_is_told_at_the_next_turn(desk: Desk, exchange: Exchange) -> None:
    await mapped(desk, TICKER)
    made = watch(desk, exchange)
    refusals = [VenueDownError("the bus is away")]
    publish = desk.bus.publish

    async def away_once(topic: str, messages: object) -> None:
        if refusals:
            raise refusals.pop()
        await publish(topic, messages)  # type: ignore[arg-type]

    desk.bus.publish = away_once  # type: ignore[method-assign]
    with pytest.raises(VenueDownError):
        await made.poll()
    assert await made.poll() == 1


async def test_a_market_that_left_the_mappings_is_forgotten(desk: Desk, exchange: Exchange) -> None:
    await mapped(desk, TICKER)
    made = watch(desk, exchange)
    await made.poll()
    (document,) = await desk.documents.query(MAPPINGS)
    await desk.documents.delete_if(document.path, document.version)
    await made.poll()
    assert made._told == set()


async def test_a_listing_of_a_result_not_understood_tells_nothing(desk: Desk, exchange: Exchange) -> None:
    market = listed(status="finalized", result="annulled")
    assert await watch(desk, exchange).tell([market]) == 0
