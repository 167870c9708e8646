"""The execution service as a process: settings, secrets, signals of the system, API and alerts around it."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import AsyncExitStack, suppress
from secrets import token_urlsafe

import msgspec

from shared.backends.local.secrets import KALSHI_PRIVATE_KEY
from shared.bootstrap import execution_service
from shared.clock import SystemClock
from shared.config import Backend, LogFormat, Secret, Settings, load
from shared.desks import LEASE_TURNS, RunOptions, Venues
from shared.platforms import Platform, open_platform, with_secrets
from shared.runtime.trading import Pace
from shared.service.attach import attached
from shared.service.logs import log_to_stdout
from shared.service.redact import Redactor, secrets_of

_log = logging.getLogger(__name__)

# The folder of embedded engines, beside those of other ways to run.
FOLDER = "execution"


async def serve() -> None:
    """Trade until SIGTERM or SIGINT; raises what ended it otherwise.

    It is live when an exchange key is set and ``LIVE_ORDERS`` says so, else it trades on paper.
    """
    clock, settings = SystemClock(), load()
    platform = open_platform(settings, clock, settings.data_dir / FOLDER)
    async with AsyncExitStack() as closing:
        closing.push_async_callback(platform.close)
        settings = await with_secrets(settings, platform)
        venues = await _venues(settings, platform)
        redact = Redactor([*secrets_of(settings), venues.kalshi_private_key.decode(errors="replace")])
        log_to_stdout(LogFormat.JSON, redact)
        live = settings.live_orders and bool(venues.kalshi_key_id)
        pace = Pace(lease=settings.executor_lease_seconds / LEASE_TURNS)
        options = RunOptions(pace, settings.profile, settings.odds_daily_credits, live=live)
        service = execution_service(settings, venues, platform, clock, options)
        closing.pop_all()  # the service closes the platform, when everything on its way has arrived
        _end_on_signals(service.stop)
        in_cloud = settings.backend is Backend.GCP
        async with attached(service, _served(settings), redact, behind_proxy=in_cloud) as port:
            _log.info("%s, account %s, API on port %s", "live" if live else "paper", "main", port)
            await service.run()


def _served(settings: Settings) -> Settings:
    """On the platform the container must listen where it is told, or it is taken for dead.

    Without a token, as in a new project, nobody may ask for more than whether it lives.
    """
    if settings.port is None:
        return settings
    token = settings.api_token or Secret(token_urlsafe())
    return msgspec.structs.replace(settings, api_port=settings.port, api_token=token)


async def _venues(settings: Settings, platform: Platform) -> Venues:
    key = await platform.secrets.get(KALSHI_PRIVATE_KEY) if settings.kalshi_key_id else b""
    return Venues(
        settings.kalshi_base_url,
        settings.kalshi_ws_url,
        settings.kalshi_key_id,
        key,
        settings.odds_api_base_url,
        settings.odds_api_key,
    )


def _end_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
