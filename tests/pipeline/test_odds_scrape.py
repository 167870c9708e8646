"""The odds scraper: slates for free, prices only for mapped games, and never a credit too many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.clock import DAY, HOUR, MINUTE, Instant, format_instant
from shared.config import Secret
from shared.errors import CredentialsError, QuotaExhaustedError, VenueDownError
from shared.messages import CreditsSpent, OddsSeen, Quarantined
from shared.pipeline.odds_scrape import BUDGET, OddsScraper
from shared.pipeline.places import MAPPINGS, SLATES
from shared.venues.odds_api.client import OddsApiClient
from shared.venues.retry import Retry
from tests.pipeline.conftest import NOW, Desk
from tests.support.backends import rng
from tests.venues.fakes import Answer, Call, FakeTransport, answer

NFL, MLB = "americanfootball_nfl", "baseball_mlb"


class Feed:
    """Two sports with one game each; three credits a call."""

    def __init__(self) -> None:
        self.odds: Callable[[str], Answer] = self.priced
        self.left = 500
        self.calls: list[str] = []

    def __call__(self, call: Call) -> Answer:
        if call.url.endswith("/sports"):
            return self.said([{"key": key, "active": True} for key in (NFL, MLB)])
        sport, kind = call.url.split("/")[-2:]
        self.calls.append(f"{kind} {sport}")
        return self.said([event(sport)]) if kind == "events" else self.odds(sport)

    def priced(self, sport: str) -> Answer:
        self.left -= 3
        outcomes = [{"name": "Home", "price": 1.9}, {"name": "Away", "price": 1.9}]
        markets = [{"key": "h2h", "outcomes": outcomes}]
        book = {"key": "pinnacle", "last_update": format_instant(NOW), "markets": markets}
        strangers = event(sport) | {"id": "stranger", "bookmakers": [book]}
        return self.said([event(sport) | {"bookmakers": [book]}, strangers, {"id": 5}], cost=3)

    def said(self, body: Any, cost: int = 0) -> Answer:
        return answer(body, x_requests_last=str(cost), x_requests_remaining=str(self.left))


def event(sport: str) -> dict[str, Any]:
    start = format_instant(Instant(NOW + HOUR))
    return {
        "id": f"game-{sport}",
        "sport_key": sport,
        "commence_time": start,
        "home_team": "Home",
        "away_team": "Away",
    }


@pytest.fixture
def feed() -> Feed:
    return Feed()


def scraper(desk: Desk, feed: Feed, daily_credits: int = 100) -> OddsScraper:
    client = OddsApiClient(
        FakeTransport(decide=feed),
        desk.clock,
        Retry(desk.clock, lambda: 0.5, attempts=1),
        base_url="https://feed.example/v4",
        key=Secret("k" * 32),
    )
    return OddsScraper(client, desk.documents, desk.bus, desk.clock, rng(0), (NFL, MLB), daily_credits)


async def mapped(desk: Desk, sport: str, hours: float = 1.0, identity: str = "") -> None:
    value = {
        "sport_key": sport,
        "odds_event_id": identity or f"game-{sport}",
        "starts_at": NOW + int(hours * HOUR),
        "league": "L",
        "markets": {},
    }
    await desk.documents.create(f"{MAPPINGS}/{sport}-{hours}", value)


async def test_slates_are_read_once_in_ten_minutes_and_kept(desk: Desk, feed: Feed) -> None:
    made = scraper(desk, feed)
    assert set(await made.slates()) == {NFL, MLB}
    assert await made.slates() == {}
    desk.clock.set(Instant(NOW + 10 * MINUTE))
    assert set(await made.slates()) == {NFL, MLB}
    assert len(await desk.documents.query(SLATES)) == 2


async def test_without_a_mapped_game_nothing_is_asked_and_nothing_spent(desk: Desk, feed: Feed) -> None:
    report = await scraper(desk, feed).scrape()
    assert (report.asked, report.spent, feed.calls) == ([], 0, [])


async def test_only_mapped_games_of_a_page_are_published(desk: Desk, feed: Feed) -> None:
    await mapped(desk, NFL)
    report = await scraper(desk, feed).scrape()
    (seen,) = desk.said(OddsSeen)
    assert (seen.odds_event_id, seen.credits_used, seen.credits_remaining) == (f"game-{NFL}", 3, 497)
    assert (report.events, report.published, report.spent) == (2, 1, 3)
    assert len(desk.said(Quarantined)) == 1


async def test_a_sport_is_not_asked_again_before_its_odds_move(desk: Desk, feed: Feed) -> None:
    await mapped(desk, NFL)
    made = scraper(desk, feed)
    await made.scrape()
    assert (await made.scrape()).asked == []
    desk.clock.set(Instant(NOW + MINUTE))
    assert (await made.scrape()).asked == [NFL]


@pytest.mark.parametrize("hours", [-1.0, 25.0])
async def test_games_begun_or_far_away_are_not_priced(desk: Desk, feed: Feed, hours: float) -> None:
    await mapped(desk, NFL, hours)
    assert (await scraper(desk, feed).scrape()).asked == []


async def test_the_nearest_start_gets_the_last_credits(desk: Desk, feed: Feed) -> None:
    await mapped(desk, NFL, 2.0)
    await mapped(desk, MLB, 1.0)
    report = await scraper(desk, feed, daily_credits=5).scrape()
    assert report.asked == [MLB]
    assert report.skipped == "1 sports wait: 5 credits are left for today"


async def test_a_restart_does_not_spend_the_day_again(desk: Desk, feed: Feed) -> None:
    await mapped(desk, NFL)
    await scraper(desk, feed, daily_credits=5).scrape()
    assert (await scraper(desk, feed, daily_credits=5).scrape()).asked == []
    document = await desk.documents.get(BUDGET)
    assert document is not None
    assert document.value == {"day": "2026-09-28", "spent": 3}


async def test_a_new_day_has_new_credits_and_a_clock_set_back_has_none(desk: Desk, feed: Feed) -> None:
    await mapped(desk, NFL, 23.0)
    await scraper(desk, feed, daily_credits=3).scrape()
    desk.clock.set(Instant(NOW - DAY))
    assert await scraper(desk, feed, daily_credits=3)._budget(desk.clock.now()) == 0
    desk.clock.set(Instant(NOW + 13 * HOUR))
    assert (await scraper(desk, feed, daily_credits=3).scrape()).asked == [NFL]


async def test_a_call_that_failed_counts_as_spent(desk: Desk, feed: Feed) -> None:
    await mapped(desk, NFL)
    feed.odds = lambda sport: VenueDownError("no answer")
    report = await scraper(desk, feed, daily_credits=3).scrape()
    assert report.failed == {NFL: "no answer"}
    assert (await scraper(desk, feed, daily_credits=3).scrape()).asked == []


async def test_what_the_feed_says_is_left_is_never_exceeded(desk: Desk, feed: Feed) -> None:
    await mapped(desk, NFL)
    feed.left = 2
    made = scraper(desk, feed)
    await made.slates()
    assert (await made.scrape()).asked == []


@pytest.mark.parametrize(
    ("status", "code", "kind", "fix"),
    [
        (401, "INVALID_KEY", CredentialsError, "check ODDS_API_KEY"),
        (401, "MISSING_KEY", CredentialsError, "set ODDS_API_KEY"),
        (401, "DEACTIVATED_KEY", CredentialsError, "renew the plan"),
        (401, "SOMETHING_NEW", CredentialsError, "check ODDS_API_KEY and the plan"),
        (401, "OUT_OF_USAGE_CREDITS", QuotaExhaustedError, "renew on the first of the month"),
    ],
)
async def test_a_401_is_raised_with_its_fix(
    desk: Desk, feed: Feed, status: int, code: str, kind: type[Exception], fix: str
) -> None:
    await mapped(desk, NFL)
    feed.odds = lambda sport: answer({"message": "no", "error_code": code}, status)
    with pytest.raises(kind, match=fix):
        await scraper(desk, feed).scrape()


async def test_history_hears_what_each_call_cost_and_brought(desk: Desk, feed: Feed) -> None:
    await mapped(desk, NFL)
    await scraper(desk, feed).scrape()
    (spent,) = desk.said(CreditsSpent)
    assert (spent.sport_key, spent.call, spent.planned, spent.used, spent.remaining) == (
        NFL,
        "odds",
        3,
        3,
        497,
    )
    assert (spent.events, spent.published, spent.failure) == (2, 1, "")


async def test_a_call_that_failed_is_told_with_what_it_may_have_cost(desk: Desk, feed: Feed) -> None:
    await mapped(desk, NFL)
    feed.odds = lambda _: answer({"message": "down"}, status=500)
    await scraper(desk, feed).scrape()
    (spent,) = desk.said(CreditsSpent)
    assert (spent.planned, spent.used, spent.published) == (3, None, 0)
    assert spent.failure
