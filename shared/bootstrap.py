"""The composition root: the only place where parts are chosen and joined."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib import metadata
from math import inf
from pathlib import Path
from random import SystemRandom
from typing import TypeVar

from shared.backends.local.blobs import FileBlobs
from shared.backends.local.bus import LocalBus
from shared.backends.local.documents import SqliteDocuments
from shared.books.firewall import QuoteLimits
from shared.clock import SECOND, Clock
from shared.config import Secret, Settings
from shared.edges.board import Board
from shared.edges.detector import DetectorSettings
from shared.errors import RefusedError
from shared.execution.account import Account
from shared.execution.assemble import Rules, assemble
from shared.execution.books import BookKeeper
from shared.execution.journal import Journal
from shared.execution.paper import PaperGateway
from shared.execution.reservations import Reservations
from shared.execution.safety import SafetyPolicy
from shared.execution.stored_book import ACCOUNT, StoredBook
from shared.fees.kalshi import FeeSchedule
from shared.ids import RandomIds
from shared.mapping.tables import leagues
from shared.money import LOTS, Quantity, price_from_cents
from shared.pipeline.detect import EdgeDetector
from shared.pipeline.kalshi_scrape import KalshiScraper
from shared.pipeline.map_events import EventMapper
from shared.pipeline.odds_scrape import OddsScraper
from shared.pipeline.places import quote_age
from shared.pipeline.settle import Settler
from shared.pipeline.settlement import Settlement
from shared.platforms import DOCUMENTS
from shared.ports import Blobs, Bus, Documents
from shared.risk.controls import Proposal
from shared.risk.gate import Gate
from shared.risk.limits import RiskLimits
from shared.risk.safeguards import Safeguards
from shared.runtime.floor import TradingFloor
from shared.runtime.local import Pace, Parts
from shared.runtime.stats import Stats
from shared.terms import Profile
from shared.venues.http import AiohttpTransport, Transport
from shared.venues.kalshi.client import KalshiClient
from shared.venues.kalshi.sign import Signer, load_private_key
from shared.venues.kalshi.stream import AiohttpConnect, KalshiStream
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
    """How a run differs from the settings: its pace, its latency, its patience, its profile."""

    pace: Pace
    profile: Profile
    daily_credits: int
    paper_latency_s: float = 0.05
    keep_raw: bool = True
    max_book_age_s: float = 5.0


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


def sport_keys(names: tuple[str, ...]) -> list[str]:
    """Odds feed keys of leagues by lower-case name; of every league when none is named."""
    found = [league for league in leagues() if not names or league.name.lower() in names]
    return list(dict.fromkeys(key for league in found for key in league.odds_keys))


def paper_system(
    settings: Settings, venues: Venues, folder: Path, clock: Clock, options: RunOptions
) -> Parts:
    """A whole system on embedded backends in ``folder``, reading ``venues`` and trading on paper."""
    from shared.backends.local.warehouse import DuckWarehouse

    resources = AsyncExitStack()
    documents = SqliteDocuments(folder / DOCUMENTS)
    bus, stats, rng = LocalBus(clock), Stats(), SystemRandom()
    raw = FileBlobs(folder) if options.keep_raw else None
    kalshi = kalshi_client(venues, clock, resources, raw)
    quotes = QuoteLimits(max_age=int(options.max_book_age_s * SECOND))
    detecting = DetectorSettings(
        profile=options.profile,
        max_quote_age=quote_age(options.pace.listing),
        order=Quantity(settings.max_contracts_per_trade * LOTS),
        quotes=quotes,
    )
    detector = EdgeDetector(Board(detecting), documents, bus, clock)
    keeper = BookKeeper()

    def schedule_of(ticker: str) -> FeeSchedule | None:
        return execution.executor.schedules.get(ticker)

    paper = PaperGateway(keeper.book_of, schedule_of, clock, options.paper_latency_s)
    rules = Rules(
        risk_limits(settings),
        quotes,
        SafetyPolicy(deploy=version(), clean_fills=0),
        holder="paper",
        max_age_s=inf,
        lease_s=LEASE_TURNS * options.pace.lease,
    )
    execution = assemble(documents, bus, clock, rng, paper, paper.book_of, rules)
    return Parts(
        clock=clock,
        pace=options.pace,
        documents=documents,
        bus=bus,
        warehouse=DuckWarehouse(folder, clock),
        scraper=KalshiScraper(kalshi, bus, clock, settings.leagues),
        odds=odds_scraper(settings, venues, documents, bus, clock, options, resources, raw),
        mapper=EventMapper(documents, bus, clock, rng),
        floor=TradingFloor(detector, keeper, execution.executor, clock, paper, stats.latency),
        execution=execution,
        settler=Settler(kalshi, execution.account, execution.journal),
        stream=_stream(venues, clock, resources),
        stats=stats,
        resources=resources,
        bankroll=settings.paper_bankroll_usd,
    )


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


def _stream(venues: Venues, clock: Clock, resources: AsyncExitStack) -> KalshiStream | None:
    """The book stream; every connection is signed, so without a key there is none."""
    signer = _signer(venues)
    if signer is None:
        return None
    connect = AiohttpConnect(venues.kalshi_ws_url, signer, clock)
    resources.push_async_callback(connect.close)
    return KalshiStream(connect, clock, SystemRandom().random)


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
