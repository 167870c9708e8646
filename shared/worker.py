"""One deployed function's parts, made once a process and kept warm between calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from random import SystemRandom
from typing import TYPE_CHECKING, TypeVar, cast

from shared.backends.local.blobs import FileBlobs
from shared.backends.local.bus import LocalBus
from shared.backends.local.documents import SqliteDocuments
from shared.bootstrap import DOCUMENTS, RunOptions, Venues, kalshi_client, odds_scraper, quote_age
from shared.clock import Clock, SystemClock
from shared.config import Backend, Settings, load
from shared.edges.board import Board
from shared.edges.detector import DetectorSettings
from shared.errors import ConfigError
from shared.messages import BY_TOPIC, Message
from shared.pipeline.detect import EdgeDetector
from shared.pipeline.kalshi_scrape import KalshiScraper
from shared.pipeline.map_events import EventMapper
from shared.pipeline.odds_scrape import OddsScraper
from shared.ports import Blobs
from shared.runtime.trading import Pace

if TYPE_CHECKING:
    from shared.backends.local.warehouse import DuckWarehouse

T = TypeVar("T")


@dataclass(slots=True)
class Worker:
    """The parts of one deployed function; each handler's own part is made when it is first asked for."""

    settings: Settings
    clock: Clock
    documents: SqliteDocuments
    bus: LocalBus
    warehouse: DuckWarehouse
    venues: Venues
    resources: AsyncExitStack
    options: RunOptions
    raw: Blobs
    _made: dict[str, object] = field(default_factory=dict)

    @property
    def kalshi_scraper(self) -> KalshiScraper:
        """Scraper of the exchange."""
        return self._once("kalshi_scraper", self._new_kalshi_scraper)

    @property
    def odds_scraper(self) -> OddsScraper:
        """Scraper of the odds feed; raises :class:`ConfigError` without its key."""
        return self._once("odds_scraper", self._new_odds_scraper)

    @property
    def event_mapper(self) -> EventMapper:
        """Mapper of listings to sportsbook events."""
        make = partial(EventMapper, self.documents, self.bus, self.clock, SystemRandom())
        return self._once("event_mapper", make)

    @property
    def edge_detector(self) -> EdgeDetector:
        """Detector with its board."""
        age = quote_age(self.options.pace.listing)
        board = partial(Board, DetectorSettings(profile=self.settings.profile, max_quote_age=age))
        return self._once(
            "edge_detector", lambda: EdgeDetector(board(), self.documents, self.bus, self.clock)
        )

    async def settle(self) -> None:
        """Let everything published be handled and kept."""
        await self.bus.drain()
        await self.warehouse.flush()

    def _new_kalshi_scraper(self) -> KalshiScraper:
        client = kalshi_client(self.venues, self.clock, self.resources, self.raw)
        return KalshiScraper(client, self.bus, self.clock, self.settings.leagues)

    def _new_odds_scraper(self) -> OddsScraper:
        made = odds_scraper(
            self.settings,
            self.venues,
            self.documents,
            self.bus,
            self.clock,
            self.options,
            self.resources,
            self.raw,
        )
        if made is None:
            raise ConfigError("ODDS_API_KEY is not set: put it in the environment or in .env")
        return made

    def _once(self, name: str, make: Callable[[], T]) -> T:
        if name not in self._made:
            self._made[name] = make()
        return cast("T", self._made[name])


_workers: dict[str, Worker] = {}


@asynccontextmanager
async def worker() -> AsyncIterator[Worker]:
    """This process's worker, made at the first call and kept warm; all it published is kept at the end.

    Raises :class:`ConfigError` for ``BACKEND=gcp``: this version has the embedded backends only.
    """
    held = _workers.get("")
    if held is None:
        held = _workers[""] = _new_worker(load())
    yield held
    await held.settle()


def _new_worker(settings: Settings) -> Worker:
    if settings.backend is not Backend.LOCAL:
        raise ConfigError("BACKEND=gcp is not part of this version: set BACKEND=local, or leave it out")
    from shared.backends.local.warehouse import DuckWarehouse

    clock, folder = SystemClock(), settings.data_dir / "functions"
    bus, warehouse = LocalBus(clock), DuckWarehouse(folder, clock)

    async def keep(message: Message) -> None:
        await warehouse.append([message])

    for topic in BY_TOPIC:
        bus.subscribe(topic, "history", keep)
    pace = Pace(listing=settings.kalshi_poll_seconds, odds=settings.odds_poll_seconds)
    return Worker(
        settings=settings,
        clock=clock,
        documents=SqliteDocuments(folder / DOCUMENTS),
        bus=bus,
        warehouse=warehouse,
        venues=Venues(
            kalshi_base_url=settings.kalshi_base_url,
            kalshi_ws_url=settings.kalshi_ws_url,
            # Listings are public, and unsigned reads draw on a bucket of their own.
            kalshi_key_id="",
            kalshi_private_key=b"",
            odds_base_url=settings.odds_api_base_url,
            odds_key=settings.odds_api_key,
        ),
        resources=AsyncExitStack(),
        options=RunOptions(pace, settings.profile, settings.odds_daily_credits),
        raw=FileBlobs(folder),
    )
