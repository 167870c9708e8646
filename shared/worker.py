"""One deployed function's parts, made once a process and kept warm between calls."""

from __future__ import annotations

import asyncio
import atexit
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import SystemRandom
from typing import TYPE_CHECKING, TypeVar, cast

from shared import entry
from shared.clock import MINUTE, SECOND, Clock, Instant, SystemClock
from shared.config import Backend, LogFormat, Settings, load
from shared.delivery import Delivery
from shared.entry import Event
from shared.errors import ArbError, ConfigError, MalformedError, OperatorError
from shared.ids import Ids, RandomIds
from shared.lease import DocumentLease
from shared.messages import AlertRaised, seal
from shared.platforms import Platform, open_platform, with_secrets
from shared.ports import Blobs, Handler
from shared.service.logs import log_to_stdout
from shared.service.redact import Redactor, secrets_of

if TYPE_CHECKING:
    from shared.desks import Venues
    from shared.pipeline.audit import Auditor
    from shared.pipeline.coverage import CoverageWatch
    from shared.pipeline.detect import EdgeDetector
    from shared.pipeline.kalshi_scrape import KalshiScraper
    from shared.pipeline.map_events import EventMapper
    from shared.pipeline.odds_scrape import OddsScraper
    from shared.pipeline.props_process import PropsProcessor
    from shared.pipeline.props_scrape import PropsScraper
    from shared.pipeline.settlement import Settlement
    from shared.service.messenger import Messenger

_log = logging.getLogger(__name__)

T = TypeVar("T")

# A call that is still under way when the next is due is let finish; one that died is forgotten by then.
_CALL_S = 55.0
_MARGIN_S = 2.0
# A schedule fires within seconds; more than this is a wrong clock, or a queue that stood still.
_SKEW = MINUTE


@dataclass(frozen=True, slots=True)
class Skipped:
    """A call that did nothing, and why."""

    skipped: str


@dataclass(slots=True)
class Worker:
    """The parts of one deployed function.

    Each handler's own part is made, and what it needs is imported, when it is first asked for: a function
    that maps loads no client of a venue.
    """

    settings: Settings
    clock: Clock
    platform: Platform
    ids: Ids = field(default_factory=RandomIds)
    resources: AsyncExitStack = field(default_factory=AsyncExitStack)
    _made: dict[str, object] = field(default_factory=dict)

    @property
    def redact(self) -> Redactor:
        """Removes this process's secrets from text."""
        return self._once("redact", lambda: Redactor(secrets_of(self.settings)))

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
        return self._once("event_mapper", self._new_event_mapper)

    @property
    def coverage(self) -> CoverageWatch:
        """Watch over what the mapper knows."""
        return self._once("coverage", self._new_coverage)

    @property
    def edge_detector(self) -> EdgeDetector:
        """Detector with its board."""
        return self._once("edge_detector", self._new_edge_detector)

    @property
    def props_scraper(self) -> PropsScraper:
        """Scraper of player props."""
        return self._once("props_scraper", self._new_props_scraper)

    @property
    def props_processor(self) -> PropsProcessor:
        """Processor of scraped player props."""
        return self._once("props_processor", self._new_props_processor)

    @property
    def settlement(self) -> Settlement:
        """Pays out what the account holds."""
        return self._once("settlement", self._new_settlement)

    @property
    def auditor(self) -> Auditor:
        """Compares the account's book with its own records."""
        return self._once("auditor", self._new_auditor)

    @property
    def messenger(self) -> Messenger:
        """Tells people, by the channels that are set."""
        return self._once("messenger", self._new_messenger)

    async def receive(self, event: Event, topic: str, handler: Handler) -> None:
        """Run ``handler`` on a pushed message by the rules of delivery; raises when it must come again."""
        intake = self.platform.intake
        try:
            delivery = entry.delivery_of(event, topic)
        except MalformedError as exc:
            await intake.refuse(Delivery(topic, entry.body_of(event)), exc)
            return
        await intake.take(delivery, handler)

    async def scheduled(self, name: str, request: object, work: Callable[[], Awaitable[T]]) -> T | Skipped:
        """Do scheduled ``work`` unless another call of ``name`` is under way; tell what a person must mend.

        The exchange of schedules may call twice, and a late call may overlap the next.
        """
        await self._check_time(name, entry.scheduled_at(request))
        path, documents = f"leases/{name}", self.platform.documents
        lease = DocumentLease(
            documents, self.clock, self.ids.new(), path=path, life_s=_CALL_S, margin_s=_MARGIN_S
        )
        if await lease.acquire() is None:
            _log.info("%s: another call is under way", name)
            return Skipped("another call is under way")
        try:
            return await work()
        except OperatorError as exc:
            await self._tell(name, type(exc).__name__.removesuffix("Error").lower(), str(exc))
            raise
        finally:
            # What was done is done; a lease that cannot be given back runs out by itself.
            with suppress(ArbError):
                await lease.release()

    async def close(self) -> None:
        """Close everything that was opened."""
        await self.resources.aclose()
        await self.platform.close()

    async def _check_time(self, name: str, due: Instant | None) -> None:
        if due is None or abs(gap := self.clock.now() - due) <= _SKEW:
            return
        direction = "late" if gap > 0 else "early"
        text = f"{name}: called {abs(gap) / SECOND:.0f} s {direction}: a clock is wrong, or calls wait"
        _log.warning(text)
        await self._tell(name, "clock_skew", text)

    async def _tell(self, name: str, code: str, text: str) -> None:
        alert = AlertRaised(
            observed_at=self.clock.now(), source=name, code=code, subject=name, text=self.redact(text)
        )
        try:
            await self.platform.bus.publish(alert.TOPIC, [seal(alert)])
        except ArbError as exc:
            _log.error("%s: an alert was not raised: %s", name, exc)

    def _new_props_scraper(self) -> PropsScraper:
        from shared.bootstrap import props_scraper

        p, raw, venues = self.platform, self._props_raw(), _venues(self.settings)
        return props_scraper(self.settings, venues, p.documents, p.bus, raw, self.clock, self.resources)

    def _new_props_processor(self) -> PropsProcessor:
        from shared.bootstrap import props_processor

        p = self.platform
        return props_processor(p.documents, p.bus, self._props_raw(), self.clock)

    def _props_raw(self) -> Blobs:
        """Where raw pages of props are kept; without it a run could not be repeated."""
        raw = self.platform.raw
        if raw is None:
            raise ConfigError("RAW_BUCKET is not set: player props are made from their raw pages alone")
        return raw

    def _new_kalshi_scraper(self) -> KalshiScraper:
        from shared.desks import kalshi_client
        from shared.pipeline.kalshi_scrape import KalshiScraper

        p = self.platform
        client = kalshi_client(_venues(self.settings), self.clock, self.resources, p.raw)
        return KalshiScraper(client, p.bus, self.clock, self.settings.leagues)

    def _new_odds_scraper(self) -> OddsScraper:
        from shared.bootstrap import odds_scraper
        from shared.desks import RunOptions
        from shared.runtime.trading import Pace

        settings, p = self.settings, self.platform
        pace = Pace(listing=settings.kalshi_poll_seconds, odds=settings.odds_poll_seconds)
        options = RunOptions(pace, settings.profile, settings.odds_daily_credits)
        made = odds_scraper(
            settings,
            _venues(settings),
            p.documents,
            p.bus,
            self.clock,
            options,
            self.resources,
            p.raw,
        )
        if made is None:
            raise ConfigError(
                "ODDS_API_KEY is not set: put it in the environment or in .env, or pin it in SECRET_VERSIONS"
            )
        return made

    def _new_event_mapper(self) -> EventMapper:
        from shared.pipeline.map_events import EventMapper

        return EventMapper(self.platform.documents, self.platform.bus, self.clock, SystemRandom())

    def _new_coverage(self) -> CoverageWatch:
        from shared.pipeline.coverage import CoverageWatch

        return CoverageWatch(self.event_mapper, self.platform.bus, self.clock)

    def _new_edge_detector(self) -> EdgeDetector:
        from shared.edges.board import Board
        from shared.edges.detector import DetectorSettings
        from shared.pipeline.detect import EdgeDetector
        from shared.pipeline.places import quote_age

        age = quote_age(self.settings.kalshi_poll_seconds)
        board = Board(DetectorSettings(profile=self.settings.profile, max_quote_age=age))
        return EdgeDetector(board, self.platform.documents, self.platform.bus, self.clock)

    def _new_settlement(self) -> Settlement:
        from shared.bootstrap import settlement
        from shared.desks import kalshi_client

        p = self.platform
        client = kalshi_client(_venues(self.settings), self.clock, self.resources, None)
        return settlement(p.documents, p.bus, self.clock, client, self.settings)

    def _new_auditor(self) -> Auditor:
        from shared.pipeline.audit import Auditor

        # A process with the trading key gives its Reconciler as the venue here.
        return Auditor(self.platform.documents, self.platform.bus, self.clock)

    def _new_messenger(self) -> Messenger:
        from shared.service.channels import channels_of
        from shared.service.messenger import Messenger
        from shared.venues.http import AiohttpTransport

        transport = AiohttpTransport(max_connections=2)
        self.resources.push_async_callback(transport.close)
        return Messenger(channels_of(self.settings, transport), self.clock, self.redact)

    def _once(self, name: str, make: Callable[[], T]) -> T:
        if name not in self._made:
            self._made[name] = make()
        return cast("T", self._made[name])


_workers: dict[str, Worker] = {}
_making = asyncio.Lock()


@asynccontextmanager
async def worker() -> AsyncIterator[Worker]:
    """This process's worker, made at the first call and kept warm; all it published is kept at the end.

    Raises :class:`OperatorError` when settings or secrets are not fit; the next call tries again.
    """
    async with _making:
        held = _workers.get("")
        if held is None:
            held = _workers[""] = await _new_worker(load())
    try:
        yield held
    finally:
        await held.platform.settle()


async def _new_worker(settings: Settings) -> Worker:
    clock = SystemClock()
    platform = open_platform(settings, clock, settings.data_dir / "functions")
    try:
        settings = await with_secrets(settings, platform)
    except ArbError:
        await platform.close()
        raise
    made = Worker(settings, clock, platform)
    if settings.backend is Backend.GCP:
        log_to_stdout(LogFormat.JSON, made.redact)
        atexit.register(_end)
    return made


def _venues(settings: Settings) -> Venues:
    from shared.desks import Venues

    return Venues(
        kalshi_base_url=settings.kalshi_base_url,
        kalshi_ws_url=settings.kalshi_ws_url,
        # Listings are public, and unsigned reads draw on a bucket of their own.
        kalshi_key_id="",
        kalshi_private_key=b"",
        odds_base_url=settings.odds_api_base_url,
        odds_key=settings.odds_api_key,
    )


def _end() -> None:
    """The platform takes the instance away: what is buffered is stored."""
    held = _workers.pop("", None)
    if held is not None:
        entry.run(held.close())
