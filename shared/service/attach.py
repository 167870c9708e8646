"""Puts API, alerts and order log beside a running system, and takes them away again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from random import SystemRandom
from typing import Any

from shared.clock import SystemClock
from shared.config import Settings
from shared.messages import AlertRaised
from shared.service import logs
from shared.service.alerts import Alerter
from shared.service.api import serving
from shared.service.channels import channels_of
from shared.service.desk import Desk
from shared.service.facts import Running
from shared.service.watch import Watcher
from shared.venues.http import AiohttpTransport

_log = logging.getLogger(__name__)

# Real seconds that the last alerts of a run may take to be delivered.
_LAST_ALERTS_S = 3.0


@asynccontextmanager
async def attached(
    system: Running, settings: Settings, redact: Callable[[str], str], *, behind_proxy: bool = False
) -> AsyncIterator[int | None]:
    """Watch, alert and, if a port is set, serve inside the block, in which ``system`` runs; gives the port.

    What ends the block is told to people before it goes on. Raises :class:`ConfigError` when the API has no
    token or its port is taken.
    """
    bus, clock, rng = system.parts.bus, SystemClock(), SystemRandom()
    async with AsyncExitStack() as closing:
        transport = AiohttpTransport(max_connections=2)
        closing.push_async_callback(transport.close)
        alerter = Alerter(channels_of(settings, transport), clock, rng.random, redact)
        watcher = Watcher(system, clock, alerter.take)
        for topic in logs.TOLD:
            bus.subscribe(topic, "log", logs.tell)
        for topic in Watcher.TOPICS:
            bus.subscribe(topic, "watch-over", watcher.hear)
        bus.subscribe(AlertRaised.TOPIC, "alerts", alerter.hear)
        # What comes last goes first: the API, the watch, and the alerts when the last one is delivered.
        await closing.enter_async_context(_beside(alerter.run()))
        closing.push_async_callback(_last_alerts, alerter)
        await closing.enter_async_context(_beside(watcher.run()))
        bound = None
        if settings.api_port is not None:
            desk = Desk(system, rng, alerter, watcher.look)
            bound = await closing.enter_async_context(
                serving(desk, settings.api_token, settings.api_port, behind_proxy=behind_proxy)
            )
        try:
            yield bound
        except Exception as exc:
            await watcher.ended(exc)
            raise


async def _last_alerts(alerter: Alerter) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_LAST_ALERTS_S):
            await alerter.flushed()


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run ``work`` inside the block; if it fails that is logged, and the block goes on."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            try:
                await task
            except Exception:
                _log.exception("something beside the run failed")
