"""The composition root: the only place where parts are chosen and joined."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from random import SystemRandom
from typing import TypeVar

from shared.backends.local.blobs import FileBlobs
from shared.backends.local.bus import LocalBus
from shared.backends.local.documents import SqliteDocuments
from shared.clock import Clock
from shared.config import Settings
from shared.desks import (
    RunOptions,
    Venues,
    book_stream,
    kalshi_client,
    live_desk,
    paper_desk,
    quote_limits,
    retry,
    risk_limits,
    transport,
)
from shared.edges.board import Board
from shared.edges.detector import DetectorSettings
from shared.errors import RefusedError
from shared.execution.account import Account
from shared.execution.journal import Journal
from shared.execution.reservations import Reservations
from shared.execution.stored_book import ACCOUNT, StoredBook
from shared.ids import RandomIds
from shared.mapping.tables import leagues
from shared.money import LOTS, Quantity
from shared.pipeline.credits import DailyCredits
from shared.pipeline.detect import EdgeDetector
from shared.pipeline.kalshi_scrape import KalshiScraper
from shared.pipeline.map_events import EventMapper
from shared.pipeline.odds_scrape import BUDGET, OddsScraper
from shared.pipeline.places import quote_age
from shared.pipeline.props_books import BookLines, BookSettings
from shared.pipeline.props_process import PropsProcessor
from shared.pipeline.props_raw import RunRecorder
from shared.pipeline.props_scrape import BUDGET as PROPS_BUDGET
from shared.pipeline.props_scrape import PropsScraper
from shared.pipeline.results import ResultWatch
from shared.pipeline.settle import Settler
from shared.pipeline.settlement import Settlement
from shared.platforms import DOCUMENTS, Platform
from shared.ports import Blobs, Bus, Documents
from shared.props.day import DayReader
from shared.props.predict import MarketConsensus, Predictor
from shared.risk.controls import Proposal
from shared.risk.gate import Gate
from shared.risk.safeguards import Safeguards
from shared.runtime.floor import TradingFloor
from shared.runtime.local import Parts
from shared.runtime.service import ExecutionService
from shared.runtime.stats import Stats
from shared.runtime.trading import TradingParts
from shared.venues.http import AiohttpTransport
from shared.venues.kalshi.client import KalshiClient
from shared.venues.odds_api.client import OddsApiClient

T = TypeVar("T")


def sport_keys(names: tuple[str, ...]) -> list[str]:
    """Odds feed keys of leagues by lower-case name; of every league when none is named."""
    found = [league for league in leagues() if not names or league.name.lower() in names]
    return list(dict.fromkeys(key for league in found for key in league.odds_keys))


def local_system(
    settings: Settings, venues: Venues, folder: Path, clock: Clock, options: RunOptions
) -> Parts:
    """A whole system on embedded backends in ``folder``, reading ``venues``, trading on paper or live."""
    from shared.backends.local.warehouse import DuckWarehouse

    resources = AsyncExitStack()
    documents = SqliteDocuments(folder / DOCUMENTS)
    bus, stats, rng = LocalBus(clock), Stats(), SystemRandom()
    pages = FileBlobs(folder)
    raw = pages if options.keep_raw else None
    kalshi = kalshi_client(venues, clock, resources, raw)
    detecting = DetectorSettings(
        profile=options.profile,
        max_quote_age=quote_age(options.pace.listing),
        order=Quantity(settings.max_contracts_per_trade * LOTS),
        quotes=quote_limits(options),
    )
    detector = EdgeDetector(Board(detecting), documents, bus, clock)
    if options.live:
        desk = live_desk(settings, venues, clock, resources, documents, bus, rng, options)
    else:
        desk = paper_desk(settings, documents, bus, clock, rng, options)
    return Parts(
        clock=clock,
        pace=options.pace,
        documents=documents,
        bus=bus,
        warehouse=DuckWarehouse(folder, clock),
        scraper=KalshiScraper(kalshi, bus, clock, settings.leagues),
        odds=odds_scraper(settings, venues, documents, bus, clock, options, resources, raw),
        mapper=EventMapper(documents, bus, clock, rng),
        floor=TradingFloor(detector, desk.keeper, desk.execution.executor, clock, desk.paper, stats.latency),
        execution=desk.execution,
        settler=Settler(kalshi, desk.execution.account, desk.execution.journal),
        stream=book_stream(venues, clock, resources, account=options.live),
        live=desk.feed,
        results=ResultWatch(kalshi, documents, bus, clock),
        props=props_scraper(settings, venues, documents, bus, pages, clock, resources, options.daily_credits),
        props_rows=props_processor(documents, bus, pages, clock),
        stats=stats,
        resources=resources,
        bankroll=settings.paper_bankroll_usd,
    )


def execution_service(
    settings: Settings, venues: Venues, platform: Platform, clock: Clock, options: RunOptions
) -> ExecutionService:
    """An executor of its own on the platform that the settings name: live with a key, on paper without."""
    resources, stats, rng = AsyncExitStack(), Stats(), SystemRandom()
    documents, bus = platform.documents, platform.heard
    if options.live:
        desk = live_desk(settings, venues, clock, resources, documents, bus, rng, options)
    else:
        desk = paper_desk(settings, documents, bus, clock, rng, options)
    # It is told what to trade: its board weighs nothing, and only passes books on.
    detector = EdgeDetector(
        Board(DetectorSettings(profile=options.profile, quotes=quote_limits(options))), documents, bus, clock
    )
    kalshi = kalshi_client(venues, clock, resources, None)
    parts = TradingParts(
        clock=clock,
        pace=options.pace,
        documents=documents,
        bus=bus,
        floor=TradingFloor(detector, desk.keeper, desk.execution.executor, clock, desk.paper, stats.latency),
        execution=desk.execution,
        settler=Settler(kalshi, desk.execution.account, desk.execution.journal),
        stream=book_stream(venues, clock, resources, account=options.live),
        stats=stats,
        resources=resources,
        bankroll=settings.paper_bankroll_usd,
        live=desk.feed,
    )
    return ExecutionService(parts, rng, platform.close, platform.pull)


def settlement(
    documents: Documents, bus: Bus, clock: Clock, client: KalshiClient, settings: Settings
) -> Settlement:
    """Pays out an account that another process trades: it shares the book, and never reserves."""

    async def nothing_is_sent(_: Proposal) -> Safeguards:
        raise RefusedError("this process sends no orders")

    stored = StoredBook(documents, ACCOUNT, clock, SystemRandom())
    holder = f"settlement/{RandomIds().new()}"
    reservations = Reservations(stored, holder, Gate(risk_limits(settings)), nothing_is_sent)
    journal = Journal(reservations, bus, clock, "live" if settings.live_orders else "paper")
    settler = Settler(client, Account(stored), journal)
    return Settlement(stored, settler, journal, ResultWatch(client, documents, bus, clock))


def odds_scraper(
    settings: Settings,
    venues: Venues,
    documents: Documents,
    bus: Bus,
    clock: Clock,
    options: RunOptions,
    resources: AsyncExitStack,
    raw: Blobs | None,
) -> OddsScraper | None:
    if not venues.odds_key:
        return None
    made = transport(clock, resources, "odds_api", raw, connections=4)
    client = OddsApiClient(made, clock, retry(clock, 2.0), base_url=venues.odds_base_url, key=venues.odds_key)
    return OddsScraper(
        client,
        documents,
        bus,
        clock,
        SystemRandom(),
        sport_keys(settings.leagues),
        options.daily_credits,
        settings.odds_regions,
        settings.odds_bookmakers,
        settings.odds_poll_seconds,
    )


def props_scraper(
    settings: Settings,
    venues: Venues,
    documents: Documents,
    bus: Bus,
    blobs: Blobs,
    clock: Clock,
    resources: AsyncExitStack,
    daily_credits: int | None = None,
) -> PropsScraper:
    """Scraper of player props; without a key of the odds feed it reads the exchange alone.

    ``daily_credits`` is the whole day's limit, by default the settings'; props have a share of it.
    """
    share = settings.props_daily_credits
    whole = settings.odds_daily_credits if daily_credits is None else daily_credits
    pages = [_recorder(blobs, clock, resources, 50)]
    kalshi = KalshiClient(pages[0], clock, retry(clock), base_url=venues.kalshi_base_url)
    books = None
    if venues.odds_key:
        pages.append(_recorder(blobs, clock, resources, 4))
        client = OddsApiClient(
            pages[1], clock, retry(clock, 2.0), base_url=venues.odds_base_url, key=venues.odds_key
        )
        rng = SystemRandom()
        purses = [
            DailyCredits(documents, clock, rng, PROPS_BUDGET, share),
            DailyCredits(documents, clock, rng, BUDGET, whole),
        ]
        asked = BookSettings(settings.odds_regions, settings.odds_bookmakers, settings.props_alternate_lines)
        books = BookLines(client, purses, asked)
    leagues, tokens = settings.leagues, settings.props_run_tokens
    return PropsScraper(kalshi, books, pages, documents, bus, clock, SystemRandom(), leagues, tokens)


def _recorder(blobs: Blobs, clock: Clock, resources: AsyncExitStack, connections: int) -> RunRecorder:
    """A transport that stores every page; closed with ``resources``."""
    made = RunRecorder(AiohttpTransport(max_connections=connections), blobs, clock)
    resources.push_async_callback(made.close)
    return made


def props_processor(
    documents: Documents, bus: Bus, blobs: Blobs, clock: Clock, predictor: Predictor | None = None
) -> PropsProcessor:
    """Processor of scraped props; ``predictor`` is the model asked, the market's consensus by default."""
    reader = DayReader(predictor or MarketConsensus())
    return PropsProcessor(documents, blobs, bus, clock, SystemRandom(), reader)
