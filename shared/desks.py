"""How one account trades, chosen and joined: on paper against live books, or live; and its venue reached.

The other half of the composition root is :mod:`shared.bootstrap`, for everything that does not trade.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib import metadata
from math import inf
from os import getpid
from random import Random, SystemRandom
from socket import gethostname

from shared.books.firewall import QuoteLimits
from shared.clock import HOUR, SECOND, Clock, Instant
from shared.config import Secret, Settings
from shared.execution.assemble import Execution, Rules, assemble
from shared.execution.books import BookKeeper
from shared.execution.live import LiveGateway
from shared.execution.paper import PaperGateway
from shared.execution.policy import OrderPolicy
from shared.execution.safety import SafetyPolicy
from shared.fees.kalshi import FeeSchedule
from shared.money import LOTS, Quantity, price_from_cents
from shared.ports import Blobs, Bus, Documents
from shared.risk.limits import RiskLimits
from shared.runtime.feed import LiveFeed
from shared.runtime.trading import Pace
from shared.terms import Profile
from shared.venues.http import AiohttpTransport, Transport
from shared.venues.kalshi.client import KalshiClient
from shared.venues.kalshi.examine import Examination, examine
from shared.venues.kalshi.portfolio import KalshiPortfolio
from shared.venues.kalshi.private import PrivateFeed
from shared.venues.kalshi.protocol import StreamProtocol
from shared.venues.kalshi.sign import Signer, load_private_key
from shared.venues.kalshi.stream import AiohttpConnect, KalshiStream
from shared.venues.kalshi.trading import KalshiTrading
from shared.venues.raw import RawKeeper
from shared.venues.retry import Retry

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
    """How a run differs from the settings: its pace, latency, patience, profile, and real orders."""

    pace: Pace
    profile: Profile
    daily_credits: int
    paper_latency_s: float = 0.05
    keep_raw: bool = True
    max_book_age_s: float = 5.0
    live: bool = False


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


@dataclass(frozen=True, slots=True)
class Desk:
    """The execution of a run, the books it looks at, and what belongs to one of the two ways to trade."""

    execution: Execution
    keeper: BookKeeper
    paper: PaperGateway | None = None
    feed: LiveFeed | None = None


def paper_desk(
    settings: Settings, documents: Documents, bus: Bus, clock: Clock, rng: Random, options: RunOptions
) -> Desk:
    """Orders that fill against the live books, and nowhere else. There is no venue to agree with."""
    keeper = BookKeeper()

    def schedule_of(ticker: str) -> FeeSchedule | None:
        return execution.executor.schedules.get(ticker)

    paper = PaperGateway(keeper.book_of, schedule_of, clock, options.paper_latency_s)
    rules = Rules(
        risk_limits(settings),
        quote_limits(options),
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
    key = load_private_key(venues.kalshi_private_key)
    connect = AiohttpConnect(venues.kalshi_ws_url, Signer(venues.kalshi_key_id, key), clock)
    resources.push_async_callback(connect.close)
    series = [f"KX{league.upper()}GAME" for league in settings.leagues]
    examination = Examination(client, clock, venues.kalshi_key_id, key, connect, series)

    async def gate() -> Sequence[str]:
        return (await examine(examination)).reasons

    trading, portfolio = KalshiTrading(client, clock), KalshiPortfolio(client, clock)
    fills = PrivateFeed(clock, Instant(max(0, clock.now() - HOUR)))
    # The market's shard comes with the signal; where it does not, nothing is sent.
    gateway = LiveGateway(trading, portfolio, fills, lambda _: None, clock)
    rules = Rules(
        risk_limits(settings),
        quote_limits(options),
        SafetyPolicy(deploy=version(), clean_fills=settings.canary_clean_fills),
        order_policy(settings),
        holder=f"{gethostname()}-{getpid()}-{rng.getrandbits(32):08x}",
        lease_s=LEASE_TURNS * options.pace.lease,
    )
    execution = assemble(documents, bus, clock, rng, gateway, keeper.book_of, rules, gate)
    return Desk(execution, keeper, feed=LiveFeed(fills, portfolio, trading, clock))


def order_policy(settings: Settings) -> OrderPolicy:
    """How orders are worked, as the settings say."""
    return OrderPolicy(rests_first=settings.maker_first, rest_s=settings.maker_rest_seconds)


def quote_limits(options: RunOptions) -> QuoteLimits:
    return QuoteLimits(max_age=int(options.max_book_age_s * SECOND))


def version() -> str:
    """The running version, as canary mode names it."""
    try:
        return metadata.version("kalshi-arb")
    except metadata.PackageNotFoundError:
        return "unpackaged"


def retry(clock: Clock, first_s: float = 0.1) -> Retry:
    return Retry(clock, SystemRandom().random, first_s=first_s)


def signer_of(venues: Venues) -> Signer | None:
    if not venues.kalshi_key_id:
        return None
    return Signer(venues.kalshi_key_id, load_private_key(venues.kalshi_private_key))


def transport(
    clock: Clock, resources: AsyncExitStack, venue: str, raw: Blobs | None, connections: int = 50
) -> Transport:
    """A transport that closes with ``resources`` and keeps raw answers in ``raw``, if given."""
    plain = AiohttpTransport(max_connections=connections)
    made = plain if raw is None else RawKeeper(plain, raw, clock, venue)
    resources.push_async_callback(made.close)
    return made


def kalshi_client(venues: Venues, clock: Clock, resources: AsyncExitStack, raw: Blobs | None) -> KalshiClient:
    made = transport(clock, resources, "kalshi", raw)
    signer = signer_of(venues)
    return KalshiClient(made, clock, retry(clock), base_url=venues.kalshi_base_url, signer=signer)


def book_stream(
    venues: Venues, clock: Clock, resources: AsyncExitStack, account: bool = False
) -> KalshiStream | None:
    """The stream of books, and of our own ``account``; it is signed, so without a key there is none."""
    signer = signer_of(venues)
    if signer is None:
        return None
    connect = AiohttpConnect(venues.kalshi_ws_url, signer, clock)
    resources.push_async_callback(connect.close)
    return KalshiStream(connect, clock, SystemRandom().random, StreamProtocol(account=account))
