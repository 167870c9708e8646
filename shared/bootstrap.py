"""The composition root: the only place where parts are chosen and joined."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib import metadata
from math import inf
from os import getpid
from pathlib import Path
from random import Random, SystemRandom
from socket import gethostname
from typing import TypeVar

from shared.backends.local.blobs import FileBlobs
from shared.backends.local.bus import LocalBus
from shared.backends.local.documents import SqliteDocuments
from shared.books.firewall import QuoteLimits
from shared.clock import HOUR, SECOND, Clock, Instant
from shared.config import Secret, Settings
from shared.edges.board import Board
from shared.edges.detector import DetectorSettings
from shared.errors import RefusedError
from shared.execution.account import Account
from shared.execution.assemble import Execution, Rules, assemble
from shared.execution.books import BookKeeper
from shared.execution.journal import Journal
from shared.execution.live import LiveGateway
from shared.execution.paper import PaperGateway
from shared.execution.policy import OrderPolicy
from shared.execution.reservations import Reservations
from shared.execution.safety import SafetyPolicy
from shared.execution.stored_book import ACCOUNT, StoredBook
from shared.execution.trader import Examine, nothing_to_examine
from shared.fees.kalshi import FeeSchedule
from shared.ids import RandomIds
from shared.mapping.tables import leagues
from shared.money import LOTS, Quantity, price_from_cents
from shared.pipeline.credits import DailyCredits
from shared.pipeline.detect import EdgeDetector
from shared.pipeline.kalshi_scrape import HEARTBEAT, KalshiScraper
from shared.pipeline.map_events import EventMapper
from shared.pipeline.odds_scrape import BUDGET, OddsScraper
from shared.pipeline.props_books import BookLines, BookSettings
from shared.pipeline.props_process import PropsProcessor
from shared.pipeline.props_raw import RunRecorder
from shared.pipeline.props_scrape import BUDGET as PROPS_BUDGET
from shared.pipeline.props_scrape import PropsScraper
from shared.pipeline.results import ResultWatch
from shared.pipeline.settle import Settler
from shared.pipeline.settlement import Settlement
from shared.platforms import DOCUMENTS
from shared.ports import Blobs, Bus, Documents
from shared.props.day import DayReader
from shared.props.predict import MarketConsensus, Predictor
from shared.risk.controls import Proposal
from shared.risk.gate import Gate
from shared.risk.limits import RiskLimits
from shared.risk.safeguards import Safeguards
from shared.runtime.feed import LiveFeed
from shared.runtime.floor import TradingFloor
from shared.runtime.local import Parts
from shared.runtime.stats import Stats
from shared.runtime.trading import Pace
from shared.terms import Profile
from shared.venues.http import AiohttpTransport, Transport
from shared.venues.kalshi.client import KalshiClient
from shared.venues.kalshi.portfolio import KalshiPortfolio
from shared.venues.kalshi.private import PrivateFeed
from shared.venues.kalshi.protocol import StreamProtocol
from shared.venues.kalshi.sign import Signer, load_private_key
from shared.venues.kalshi.stream import AiohttpConnect, KalshiStream
from shared.venues.kalshi.trading import KalshiTrading
from shared.venues.odds_api.client import OddsApiClient
from shared.venues.raw import RawKeeper
from shared.venues.retry import Retry

T = TypeVar("T")

# A lease lives for three of its renewals: two may fail.
LEASE_TURNS = 3


@dataclass(frozen=True, slots=True)
class Venues:
    """Where the venues are and what opens them; a missing key leaves that part of the system out."""

    kalshi_base_url: str
    kalshi_ws_url: str
    kalshi_key_id: str
    kalshi_private_key: bytes
    odds_base_url: str
    odds_key: Secret


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run differs from the settings: its pace, its latency, its patience, its profile.

    ``live`` sends real orders; ``examine`` is then the start-up gate.
    """

    pace: Pace
    profile: Profile
    daily_credits: int
    paper_latency_s: float = 0.05
    keep_raw: bool = True
    max_book_age_s: float = 5.0
    live: bool = False
    examine: Examine = nothing_to_examine


def risk_limits(settings: Settings) -> RiskLimits:
    """The limits of the settings, in the units the controls count in."""
    return RiskLimits(
        max_quantity_per_trade=Quantity(settings.max_contracts_per_trade * LOTS),
        max_risk_per_trade=settings.max_risk_per_trade_usd,
        min_price=price_from_cents(settings.min_price_cents),
        max_price=price_from_cents(settings.max_price_cents),
        max_daily_loss=settings.max_daily_loss_usd,
        max_weekly_loss=settings.max_weekly_loss_usd,
        max_trades_per_day=settings.max_trades_per_day,
        max_quantity_per_day=Quantity(settings.max_contracts_per_day * LOTS),
        max_consecutive_losses=settings.max_consecutive_losses,
        max_quantity_per_event=Quantity(settings.max_contracts_per_event * LOTS),
        max_sport_share_basis_points=round(settings.max_sport_share_percent * 100),
        max_orders_per_minute=settings.max_orders_per_minute,
        min_order_gap_ms=settings.min_order_gap_ms,
    )


def quote_age(listing_s: float) -> int:
    """Oldest usable listing, microseconds: one that stands still is said again at the poll after a minute."""
    return HEARTBEAT + int(2 * listing_s * SECOND)


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
        quotes=_quotes(options),
    )
    detector = EdgeDetector(Board(detecting), documents, bus, clock)
    if options.live:
        desk = live_desk(settings, venues, clock, resources, documents, bus, rng, options)
    else:
        desk = _paper(settings, documents, bus, clock, rng, options)
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
        stream=_stream(venues, clock, resources, account=options.live),
        live=desk.feed,
        results=ResultWatch(kalshi, documents, bus, clock),
        props=props_scraper(settings, venues, documents, bus, pages, clock, resources, options.daily_credits),
        props_rows=props_processor(documents, bus, pages, clock),
        stats=stats,
        resources=resources,
        bankroll=settings.paper_bankroll_usd,
    )


@dataclass(frozen=True, slots=True)
class Desk:
    """The execution of a run, the books it looks at, and what belongs to one of the two ways to trade."""

    execution: Execution
    keeper: BookKeeper
    paper: PaperGateway | None = None
    feed: LiveFeed | None = None


def _paper(
    settings: Settings, documents: Documents, bus: Bus, clock: Clock, rng: Random, options: RunOptions
) -> Desk:
    """Orders that fill against the live books, and nowhere else. There is no venue to agree with."""
    keeper = BookKeeper()

    def schedule_of(ticker: str) -> FeeSchedule | None:
        return execution.executor.schedules.get(ticker)

    paper = PaperGateway(keeper.book_of, schedule_of, clock, options.paper_latency_s)
    rules = Rules(
        risk_limits(settings),
        _quotes(options),
        SafetyPolicy(deploy=version(), clean_fills=0),
        order_policy(settings),
        holder="paper",
        max_age_s=inf,
        lease_s=LEASE_TURNS * options.pace.lease,
    )
    execution = assemble(documents, bus, clock, rng, paper, paper.book_of, rules)
    return Desk(execution, keeper, paper=paper)


def live_desk(
    settings: Settings,
    venues: Venues,
    clock: Clock,
    resources: AsyncExitStack,
    documents: Documents,
    bus: Bus,
    rng: Random,
    options: RunOptions,
) -> Desk:
    """Real orders, on a connection of their own that nothing else fills up."""
    keeper = BookKeeper()
    client = kalshi_client(venues, clock, resources, None)
    trading, portfolio = KalshiTrading(client, clock), KalshiPortfolio(client, clock)
    fills = PrivateFeed(clock, Instant(max(0, clock.now() - HOUR)))
    # The market's shard comes with the signal; where it does not, nothing is sent.
    gateway = LiveGateway(trading, portfolio, fills, lambda _: None, clock)
    rules = Rules(
        risk_limits(settings),
        _quotes(options),
        SafetyPolicy(deploy=version(), clean_fills=settings.canary_clean_fills),
        order_policy(settings),
        holder=f"{gethostname()}-{getpid()}-{rng.getrandbits(32):08x}",
        lease_s=LEASE_TURNS * options.pace.lease,
    )
    execution = assemble(documents, bus, clock, rng, gateway, keeper.book_of, rules, options.examine)
    return Desk(execution, keeper, feed=LiveFeed(fills, portfolio, trading, clock))


def order_policy(settings: Settings) -> OrderPolicy:
    """How orders are worked, as the settings say."""
    return OrderPolicy(rests_first=settings.maker_first, rest_s=settings.maker_rest_seconds)


def _quotes(options: RunOptions) -> QuoteLimits:
    return QuoteLimits(max_age=int(options.max_book_age_s * SECOND))


def settlement(
    documents: Documents, bus: Bus, clock: Clock, client: KalshiClient, settings: Settings
) -> Settlement:
    """Pays out an account that another process trades: it shares the book, and never reserves."""

    async def nothing_is_sent(_: Proposal) -> Safeguards:
        raise RefusedError("this process sends no orders")

    stored = StoredBook(documents, ACCOUNT, clock, SystemRandom())
    holder = f"settlement/{RandomIds().new()}"
    reservations = Reservations(stored, holder, Gate(risk_limits(settings)), nothing_is_sent)
    journal = Journal(reservations, bus, clock, "live" if settings.kalshi_key_id else "paper")
    return Settlement(stored, Settler(client, Account(stored), journal), journal)


def version() -> str:
    """The running version, as canary mode names it."""
    try:
        return metadata.version("kalshi-arb")
    except metadata.PackageNotFoundError:
        return "unpackaged"


def _retry(clock: Clock, first_s: float = 0.1) -> Retry:
    return Retry(clock, SystemRandom().random, first_s=first_s)


def _signer(venues: Venues) -> Signer | None:
    if not venues.kalshi_key_id:
        return None
    return Signer(venues.kalshi_key_id, load_private_key(venues.kalshi_private_key))


def _transport(
    clock: Clock, resources: AsyncExitStack, venue: str, raw: Blobs | None, connections: int = 50
) -> Transport:
    """A transport that closes with ``resources`` and keeps raw answers in ``raw``, if given."""
    plain = AiohttpTransport(max_connections=connections)
    made = plain if raw is None else RawKeeper(plain, raw, clock, venue)
    resources.push_async_callback(made.close)
    return made


def kalshi_client(venues: Venues, clock: Clock, resources: AsyncExitStack, raw: Blobs | None) -> KalshiClient:
    transport = _transport(clock, resources, "kalshi", raw)
    signer = _signer(venues)
    return KalshiClient(transport, clock, _retry(clock), base_url=venues.kalshi_base_url, signer=signer)


def _stream(
    venues: Venues, clock: Clock, resources: AsyncExitStack, account: bool = False
) -> KalshiStream | None:
    """The stream of books, and of our own ``account``; it is signed, so without a key there is none."""
    signer = _signer(venues)
    if signer is None:
        return None
    connect = AiohttpConnect(venues.kalshi_ws_url, signer, clock)
    resources.push_async_callback(connect.close)
    return KalshiStream(connect, clock, SystemRandom().random, StreamProtocol(account=account))


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
    transport = _transport(clock, resources, "odds_api", raw, connections=4)
    client = OddsApiClient(
        transport, clock, _retry(clock, 2.0), base_url=venues.odds_base_url, key=venues.odds_key
    )
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
    kalshi = KalshiClient(pages[0], clock, _retry(clock), base_url=venues.kalshi_base_url)
    books = None
    if venues.odds_key:
        pages.append(_recorder(blobs, clock, resources, 4))
        client = OddsApiClient(
            pages[1], clock, _retry(clock, 2.0), base_url=venues.odds_base_url, key=venues.odds_key
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
