"""A world whose prices stand still, and what one process makes of it: so must the functions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

import pytest

from shared.backends.memory.bus import DirectBus
from shared.backends.memory.documents import MemoryDocuments
from shared.bootstrap import odds_scraper
from shared.clock import SECOND, Instant, ManualClock, SystemClock
from shared.config import Secret, load
from shared.desks import RunOptions, Venues, kalshi_client
from shared.edges.board import Board
from shared.edges.detector import DetectorSettings
from shared.pipeline.detect import EdgeDetector
from shared.pipeline.kalshi_scrape import KalshiScraper
from shared.pipeline.map_events import EventMapper
from shared.pipeline.places import MAPPINGS
from shared.ports import Documents
from shared.runtime.trading import Pace
from shared.simulator.schedule import Preset
from shared.simulator.server import Urls, serve
from shared.simulator.truth import Truth, truth
from shared.simulator.world import World
from shared.terms import Profile
from tests.support.backends import rng

# Games of the coming hours, all on the list, none of them begun.
_GAMES = Preset(
    counts={"NFL": 3, "NBA": 3, "MLB": 3, "NHL": 2, "EPL": 2},
    first_start_s=3 * 3600,
    span_s=3600,
    length_s=None,
    slate_every_s=None,
    combos=3,
)
# Traders have moved prices away from the books' for this long.
_MOVED_S = 600
# A test takes less; what would look different by its end is not looked at.
_LASTS_S = 240
_SEEDS = range(1, 40)
LEAGUES = "nfl,nba,mlb,nhl,epl"


@dataclass(frozen=True)
class Outcome:
    """What a run left behind, without its times: decisions by market, and what was signalled."""

    mapped: dict[str, tuple[str, str]]
    signals: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Scene:
    """Settings that lead to the world, what there is to find in it, and its exchange's own books."""

    settings: dict[str, str]
    trading: dict[str, str]
    expected: Outcome
    truth: Callable[[], Truth]


class Still:
    """A world as bookmakers see it who have stopped looking: they quote by the time of day."""

    def __init__(self, world: World) -> None:
        self._world, self.now = world, world.now

    def __getattr__(self, name: str) -> object:
        return getattr(self._world, name)


class StandingWorld(World):
    """Moves until it is told to stand: then its time goes on, and nobody trades but the member."""

    standing = False

    def stand(self) -> None:
        """From now on no price moves by itself."""
        self.standing = True
        self.feed._world = Still(self)  # type: ignore[assignment]

    def advance(self, to: Instant) -> None:
        """As any world, or time alone."""
        if self.standing:
            self.now = self.exchange.now = Instant(max(self.now, to))
        else:
            super().advance(to)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """A world with at least two markets worth a signal, served as ``arb sim`` serves it."""
    for seed in _SEEDS:
        now = SystemClock().now()
        world = StandingWorld(seed, Instant(now - _MOVED_S * SECOND), _GAMES)
        world.advance(now)
        world.stand()
        async with serve(world, SystemClock()) as urls:
            expected = await in_one_process(urls, now)
            later = await in_one_process(urls, Instant(now + _LASTS_S * SECOND))
            if len(expected.signals) >= 2 and expected == later:
                yield Scene(
                    _settings(urls), _trading(urls), expected, partial(truth, world.exchange, urls.account)
                )
                return
    raise AssertionError("no world has two signals that stand")


def _settings(urls: Urls) -> dict[str, str]:
    return {
        "KALSHI_BASE_URL": urls.kalshi_base_url,
        "ODDS_API_BASE_URL": urls.odds_base_url,
        "ODDS_API_KEY": urls.odds_api_key,
        "ODDS_DAILY_CREDITS": "100000",
        "LEAGUES": LEAGUES,
        "PROFILE": "any_edge",
    }


def _trading(urls: Urls) -> dict[str, str]:
    """Live, with a key and without hurry: every signal may become an order at once."""
    return {
        "LIVE_ORDERS": "true",
        "KALSHI_KEY_ID": urls.key_id,
        "KALSHI_PRIVATE_KEY": urls.private_key_pem,
        "KALSHI_WS_URL": urls.kalshi_ws_url,
        "CRASH_SECRETS": "1",
        "CANARY_CLEAN_FILLS": "0",
        "MIN_ORDER_GAP_MS": "0",
        "MAX_ORDERS_PER_MINUTE": "60",
    }


async def in_one_process(urls: Urls, now: Instant) -> Outcome:
    """The same steps without a cloud, at a moment that stands still."""
    clock, bus, documents = ManualClock(now), DirectBus(), MemoryDocuments()
    settings = load(_settings(urls), dotenv=None)
    venues = Venues(
        urls.kalshi_base_url, urls.kalshi_ws_url, "", b"", urls.odds_base_url, Secret(urls.odds_api_key)
    )
    mapper = EventMapper(documents, bus, clock, rng(1))
    detector = EdgeDetector(Board(DetectorSettings(profile=Profile.ANY_EDGE)), documents, bus, clock)
    bus.subscribe("kalshi-markets", "mapper", mapper.handle)
    for topic in detector.TOPICS:
        bus.subscribe(topic, "detector", detector.handle)
    async with AsyncExitStack() as closing:
        options = RunOptions(Pace(), Profile.ANY_EDGE, 100_000)
        odds = odds_scraper(settings, venues, documents, bus, clock, options, closing, None)
        assert odds is not None
        listing = KalshiScraper(kalshi_client(venues, clock, closing, None), bus, clock, settings.leagues)
        await odds.slates()
        await mapper.restore()
        await listing.scrape()
        await mapper.flush()
        await odds.scrape()
    return await outcome(documents)


async def outcome(documents: Documents) -> Outcome:
    """What stands in a document store."""
    decided = {
        ticker: (decision["odds_event_id"], decision["reason"])
        for document in await documents.query(MAPPINGS)
        for ticker, decision in document.value["markets"].items()
    }
    raised = [document.value for document in await documents.query("signals")]
    return Outcome(decided, frozenset((one["ticker"], one["side"]) for one in raised))
