"""The exchange's scraper: what is news, what failed, and what it may forget."""

from __future__ import annotations

import re
from typing import Any

import pytest

from shared.clock import DAY, HOUR, MINUTE, SECOND
from shared.errors import CredentialsError, VenueDownError
from shared.messages import MarketListed, Quarantined, TickSeen
from shared.pipeline.kalshi_scrape import KalshiScraper, ScrapeReport
from shared.terms import FeeType
from shared.venues.kalshi.client import KalshiClient
from shared.venues.retry import Retry
from tests.pipeline.conftest import Desk
from tests.venues.fakes import Answer, Call, FakeTransport, answer
from tests.venues.kalshi.rows import MARKET

NFL, NBA = "KXNFLGAME", "KXNBAGAME"


class Exchange:
    """Answers series, milestones and events; each may be changed or broken."""

    def __init__(self) -> None:
        self.series = {NFL: [dict(MARKET)]}
        self.broken: dict[str, Answer] = {}

    def __call__(self, call: Call) -> Answer:
        name = re.sub(r".*/trade-api/v2/", "", call.url)
        asked = call.params.get("series_ticker", name)
        if asked in self.broken:
            return self.broken[asked]
        if name == "series":
            fees = {"fee_type": "quadratic", "fee_multiplier": 1, "category": "Sports"}
            return answer({"series": [{"ticker": ticker, **fees} for ticker in self.series]})
        if name == "milestones":
            return answer({"milestones": [], "cursor": ""})
        event = {
            "event_ticker": MARKET["event_ticker"],
            "series_ticker": asked,
            "markets": self.series[asked],
        }
        return answer({"events": [event], "cursor": ""})

    def quote(self, **changes: Any) -> None:
        self.series[NFL][0] |= changes


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
def scraper(desk: Desk, exchange: Exchange) -> KalshiScraper:
    retry = Retry(desk.clock, lambda: 0.5, attempts=1)
    base = "https://exchange.example/trade-api/v2"
    client = KalshiClient(FakeTransport(decide=exchange), desk.clock, retry, base_url=base)
    return KalshiScraper(client, desk.bus, desk.clock, ("nfl", "nba"))


async def polled(scraper: KalshiScraper, desk: Desk, seconds: int = 20) -> ScrapeReport:
    desk.clock.set(desk.clock.now() + seconds * SECOND)  # type: ignore[arg-type]
    return await scraper.scrape()


async def test_a_poll_lists_what_prices_a_game_with_its_series_fee(
    scraper: KalshiScraper, desk: Desk, exchange: Exchange
) -> None:
    exchange.series["KXMAYOR"] = []
    report = await polled(scraper, desk)
    (market,) = desk.said(MarketListed)
    assert (report.series, report.markets, report.published) == (1, 1, 1)
    assert (market.fee_type, market.fee_multiplier_micro) == (FeeType.QUADRATIC, 1_000_000)


async def test_what_stands_still_is_said_again_only_after_a_minute(
    scraper: KalshiScraper, desk: Desk
) -> None:
    for _ in range(3):
        await polled(scraper, desk, 20)
    assert len(desk.said(MarketListed)) == 1
    await polled(scraper, desk, 20)
    assert len(desk.said(MarketListed)) == 2
    assert len(desk.said(TickSeen)) == 1


async def test_a_moved_quote_is_a_listing_and_a_tick(
    scraper: KalshiScraper, desk: Desk, exchange: Exchange
) -> None:
    await polled(scraper, desk)
    exchange.quote(yes_ask_dollars="0.5100")
    await polled(scraper, desk)
    assert [tick.yes_ask for tick in desk.said(TickSeen)] == [500_000, 510_000]


async def test_a_series_that_cannot_be_read_is_named_and_the_others_go_on(
    scraper: KalshiScraper, desk: Desk, exchange: Exchange
) -> None:
    exchange.series[NBA] = []
    exchange.broken[NBA] = VenueDownError("502 at the edge")
    report = await polled(scraper, desk)
    assert report.failed == {NBA: "502 at the edge"}
    assert report.markets == 1


async def test_a_bad_row_is_quarantined_and_the_rest_is_listed(
    scraper: KalshiScraper, desk: Desk, exchange: Exchange
) -> None:
    exchange.series[NFL].append(MARKET | {"ticker": "KXNFLGAME-26SEP28PHICHI-CHI", "yes_bid_dollars": "-0.1"})
    report = await polled(scraper, desk)
    assert (report.markets, report.quarantined) == (1, 1)
    assert "outside $0…$1" in desk.said(Quarantined)[0].reason


async def test_a_ticker_listed_twice_in_one_page_is_said_once(
    scraper: KalshiScraper, desk: Desk, exchange: Exchange
) -> None:
    exchange.series[NFL].append(dict(MARKET))
    await polled(scraper, desk)
    assert len(desk.said(MarketListed)) == 1


async def test_what_a_person_must_mend_is_raised(
    scraper: KalshiScraper, desk: Desk, exchange: Exchange
) -> None:
    exchange.broken[NFL] = CredentialsError("401; check the key")
    with pytest.raises(CredentialsError):
        await polled(scraper, desk)


async def test_a_clock_set_back_stops_no_listing(scraper: KalshiScraper, desk: Desk) -> None:
    await polled(scraper, desk)
    desk.clock.set(desk.clock.now() - DAY)  # type: ignore[arg-type]
    report = await polled(scraper, desk)
    assert report.markets == 1


async def test_a_market_unlisted_for_two_hours_is_forgotten(
    scraper: KalshiScraper, desk: Desk, exchange: Exchange
) -> None:
    await polled(scraper, desk)
    exchange.series[NFL].clear()
    later = desk.clock.now() + 2 * HOUR + MINUTE
    assert scraper.forget_unlisted(desk.clock.now()) == []
    assert scraper.forget_unlisted(later) == [MARKET["ticker"]]  # type: ignore[arg-type]
    assert scraper.forget_unlisted(later) == []  # type: ignore[arg-type]
