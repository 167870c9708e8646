"""``arb run``: the whole system in one process, with a live view, until Ctrl-C."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from shutil import which

import msgspec
from rich.console import Group
from rich.live import Live

from functions.edge_detector import main as edge_detector
from functions.event_mapper import main as event_mapper
from functions.kalshi_scraper import main as kalshi_scraper
from functions.odds_scraper import main as odds_scraper
from functions.props_processor import main as props_processor
from functions.props_scraper import main as props_scraper
from shared.bootstrap import local_system
from shared.cli.confirm import confirm_live, stakes_of
from shared.cli.doctor import examine_all
from shared.cli.output import colored, console, contracts, errors, escape, print_json, usd
from shared.cli.places import make
from shared.cli.view import line, screen
from shared.clock import Clock, Instant, ScaledClock, SystemClock, to_datetime
from shared.config import LogFormat, Secret, Settings, load
from shared.desks import RunOptions, Venues
from shared.errors import ArbError, ConfigError
from shared.runtime.local import Handlers, LocalSystem, Parts
from shared.runtime.trading import Pace
from shared.service.api import HOST, check_token
from shared.service.attach import attached
from shared.service.logs import logging_to
from shared.service.redact import Redactor, secrets_of
from shared.terms import Profile

_log = logging.getLogger(__name__)

HANDLERS = Handlers(
    kalshi_scraper.handle,
    odds_scraper.handle,
    event_mapper.handle,
    edge_detector.handle,
    props_scraper.handle,
    props_processor.handle,
)
_DEMO_PACE = Pace(
    listing=20.0,
    odds=20.0,
    settle=20.0,
    account=60.0,
    books=2.0,
    sweep=30.0,
    housekeeping=120.0,
    lease=300.0,
    trader=15.0,
    reconcile=60.0,
    look=15.0,
)
# At 60 times real time a book that is a real half second behind is half a minute old.
_DEMO_BOOK_AGE_S = 60.0
_DEMO_LEAGUES = ("nfl", "nba", "mlb", "nhl", "ncaaf", "epl")
# A minute of the demo is an hour of trading: the day's counts would stop it within a minute, and a run of
# losses within ten.
_DEMO_LIMITS = {
    "max_trades_per_day": 100_000,
    "max_contracts_per_day": 10_000_000,
    "max_consecutive_losses": 1_000,
}
# A machine too slow for the speed asked for gets a slower season instead of a late one.
_DEMO_STRIDE_S = 5.0
_DEMO_CREDITS = 1_000_000
_VIEW_EVERY_S = 0.25
_LINE_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is about to run."""

    title: str
    folder: Path
    clock: Clock
    settings: Settings
    options: RunOptions


def run_command(
    demo: bool,
    live: bool,
    profile: Profile | None,
    seed: int,
    speed: float,
    seconds: float | None,
    plain: bool,
    json: bool,
    api: int | None,
    log_json: bool,
) -> None:
    """Choose between demo and real market data, then run."""
    settings = _with_options(load(), api, log_json)
    if live and demo:
        raise ConfigError("--demo trades on paper against the simulator: leave out one of --live and --demo")
    if live:
        settings = msgspec.structs.replace(settings, profile=profile or settings.profile)
        confirm_live(stakes_of(settings))
        _must_be_green(settings)
    if not live and (demo or settings.demo):
        work = _demo(settings, profile, seed, speed, seconds, plain, json)
    else:
        work = _real(settings, profile, seconds, plain, json, live)
    asyncio.run(work)


def _must_be_green(settings: Settings) -> None:
    """Nothing is traded with real money before every check is green."""
    with errors.status("checking"):
        report = asyncio.run(examine_all(settings))
    if not report.is_green:
        raise ConfigError("live trading did not start: " + "; ".join(report.reasons))


def _with_options(settings: Settings, api: int | None, log_json: bool) -> Settings:
    """Options win over settings; an API that could not start is refused before anything else does."""
    port = settings.api_port if api is None else api
    if port is not None:
        check_token(settings.api_token)
    form = LogFormat.JSON if log_json else settings.log_format
    return msgspec.structs.replace(settings, api_port=port, log_format=form)


async def _demo(
    settings: Settings,
    profile: Profile | None,
    seed: int,
    speed: float,
    seconds: float | None,
    plain: bool,
    json: bool,
) -> None:
    """Against the built-in simulator, on its accelerated clock."""
    from shared.simulator.schedule import DEMO
    from shared.simulator.server import serve
    from shared.simulator.world import World

    if not 1 <= speed <= 600:
        raise ConfigError(f"--speed {speed:g}: choose 1 to 600 simulated seconds per second")
    start = Instant(time.time_ns() // 1000)
    clock = ScaledClock(start, speed, _DEMO_STRIDE_S)
    folder = make(settings.data_dir, f"demo-{to_datetime(start):%Y%m%dT%H%M%S}")
    given = msgspec.structs.replace(
        settings,
        leagues=_DEMO_LEAGUES,
        odds_poll_seconds=_DEMO_PACE.odds,
        props_daily_credits=_DEMO_CREDITS,
        **_DEMO_LIMITS,
    )
    options = RunOptions(
        _DEMO_PACE,
        profile or Profile.AGGRESSIVE,
        _DEMO_CREDITS,
        max_book_age_s=_DEMO_BOOK_AGE_S * speed / 60,
        keep_raw=False,
    )
    with errors.status("making up a season"):
        world = World(seed, start, DEMO)
    async with serve(world, clock) as urls:
        venues = Venues(
            urls.kalshi_base_url,
            urls.kalshi_ws_url,
            urls.key_id,
            urls.private_key_pem.encode(),
            urls.odds_base_url,
            Secret(urls.odds_api_key),
        )
        title = f"demo, season {seed}, {speed:g}x real time, profile {options.profile}"
        await _run(Plan(title, folder, clock, given, options), venues, seconds, plain, json)


async def _real(
    settings: Settings, profile: Profile | None, seconds: float | None, plain: bool, json: bool, live: bool
) -> None:
    """Against the real market, on paper or ``live``."""
    from shared.backends.local.secrets import KALSHI_PRIVATE_KEY, SettingsSecrets

    key = await SettingsSecrets(settings).get(KALSHI_PRIVATE_KEY)
    venues = Venues(
        settings.kalshi_base_url,
        settings.kalshi_ws_url,
        settings.kalshi_key_id,
        key,
        settings.odds_api_base_url,
        settings.odds_api_key,
    )
    if not settings.odds_api_key:
        errors.print("[yellow]ODDS_API_KEY is not set[/]: markets are listed, but nothing can be priced")
    pace = Pace(listing=settings.kalshi_poll_seconds, odds=settings.odds_poll_seconds)
    options = RunOptions(pace, profile or settings.profile, settings.odds_daily_credits, live=live)
    folder = make(settings.data_dir, "live" if live else "paper")
    title = f"{'live orders' if live else 'paper on live data'}, profile {options.profile}"
    await _run(Plan(title, folder, SystemClock(), settings, options), venues, seconds, plain, json)


async def _run(plan: Plan, venues: Venues, seconds: float | None, plain: bool, json: bool) -> None:
    settings, plain = plan.settings, plain or json or not console.is_terminal
    keys = [venues.kalshi_private_key.decode(errors="replace"), venues.odds_key.reveal()]
    redact = Redactor([*secrets_of(settings), *keys])
    # On a terminal log lines would tear the view: there they go to the file alone.
    with logging_to(plan.folder / "arb.log", settings.log_format, redact, stderr=plain and _logs_json(plan)):
        parts = local_system(settings, venues, plan.folder, plan.clock, plan.options)
        await _watched(LocalSystem(parts, HANDLERS, SystemRandom()), plan, redact, seconds, plain)
    if json:
        print_json(summary(parts, plan.folder))
    else:
        _farewell(parts, plan.folder)


async def _watched(
    system: LocalSystem, plan: Plan, redact: Redactor, seconds: float | None, plain: bool
) -> None:
    """Run with everything beside it: signals, API, alerts, and the view or its lines."""
    _stop_on_signals(system, plan, plain)
    try:
        async with attached(system, plan.settings, redact) as port:
            if port is not None:
                _announce(plan, f"API on http://{HOST}:{port}")
            if seconds is not None:
                asyncio.get_running_loop().call_later(seconds, system.stop.set)
            async with _shown(system.parts, plan, plain):
                await system.run()
    except ArbError:
        _announce(plan, f"history until then is in {plan.folder}")
        raise


def _logs_json(plan: Plan) -> bool:
    return plan.settings.log_format is LogFormat.JSON


def _announce(plan: Plan, text: str) -> None:
    """One line for people; a log line where machines read."""
    if _logs_json(plan):
        _log.info(text)
    else:
        errors.print(escape(text), highlight=False, soft_wrap=True)


def _stop_on_signals(system: LocalSystem, plan: Plan, plain: bool) -> None:
    """Ctrl-C and a service manager's stop end the run in order; a second one ends it at once."""
    loop = asyncio.get_running_loop()

    def stop(number: signal.Signals) -> None:
        loop.remove_signal_handler(number)
        told = "stopping: letting orders under way arrive, writing history"
        # The view knows how to move for its own console, and for no other.
        if plain:
            _announce(plan, told)
        else:
            console.print(told)
        system.stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, stop, number)


@asynccontextmanager
async def _shown(parts: Parts, plan: Plan, plain: bool) -> AsyncIterator[None]:
    """The live view, or a line every few seconds, for as long as the block runs."""
    shower = asyncio.create_task(_lines(parts, plan) if plain else _view(parts, plan))
    try:
        yield
    finally:
        shower.cancel()
        with suppress(asyncio.CancelledError):
            await shower


async def _view(parts: Parts, plan: Plan) -> None:
    def now() -> Group:
        return screen(parts, plan.title, console.size)

    with Live(now(), console=console, screen=False, auto_refresh=False) as live:
        try:
            while True:
                await asyncio.sleep(_VIEW_EVERY_S)
                live.update(now(), refresh=True)
        finally:
            live.update(now(), refresh=True)


async def _lines(parts: Parts, plan: Plan) -> None:
    _announce(plan, f"{plan.title}, state and history in {plan.folder}")
    while True:
        await asyncio.sleep(_LINE_EVERY_S)
        _announce(plan, line(parts))
        for name, text in sorted(parts.stats.alerts.items()):
            _announce(plan, f"{name}: {text}")


def summary(parts: Parts, folder: Path) -> dict[str, object]:
    """What a run did, as data. Money in micro-dollars, contracts in hundredths."""
    stats, account = parts.stats, parts.executor.account
    return {
        "folder": str(folder),
        "markets": len(stats.tickers),
        "mapped": len(stats.mapped),
        "abstained": len(stats.abstained),
        "abstained_because": dict(stats.top_abstentions(20)),
        "assessed": stats.assessed,
        "edges": stats.accepted,
        "signals": stats.signals,
        "props": len(stats.props),
        "props_compared": len(stats.props_compared),
        "orders": dict(stats.orders),
        "fills": stats.fills,
        "contracts": stats.contracts,
        "settled": stats.settled,
        "quarantined": stats.quarantined,
        "cash": account.cash,
        "fees": account.fees,
        "open_cost": account.open_cost,
        "pnl": account.pnl,
        "alerts": stats.alerts,
        "latency": {stage: latency.summary() for stage, latency in stats.latencies.items()},
    }


def _farewell(parts: Parts, folder: Path) -> None:
    stats, account = parts.stats, parts.executor.account
    console.print(
        f"{stats.signals} signals, {stats.fills} fills ({contracts(stats.contracts)} contracts), "
        f"{stats.settled} settled, fees {usd(account.fees)}, profit {colored(account.pnl)}"
    )
    # Started by make, the command is in no PATH: name it as it can be typed.
    arb = "arb" if which("arb") else escape(sys.argv[0])
    console.print(
        f"history is in [bold]{escape(str(folder))}[/]; ask it: "
        + ", ".join(f"{arb} {question}" for question in ("pnl", "signals", "props", "why ID")),
        highlight=False,
        soft_wrap=True,
    )
