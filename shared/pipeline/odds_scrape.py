"""Scrapes the odds feed: slates for free, prices only for games with a certified market, inside the budget.

The slate of each sport goes into ``odds_events/{sport_key}`` for the mapper. Prices are asked for by sport,
the sport with the nearest start first, no more often than odds move, and never beyond the day's credits,
which are counted in ``budgets/odds`` for every process and instance.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from shared.cas import update
from shared.clock import DAY, HOUR, MINUTE, SECOND, Clock, Instant, age
from shared.errors import ArbError, OperatorError
from shared.mapping.tables import matches_key
from shared.messages import CreditsSpent, OddsEvent, OddsSeen, Quarantined, seal
from shared.pipeline.credits import DailyCredits
from shared.pipeline.places import MAPPINGS, SLATES
from shared.ports import Bus, Documents
from shared.venues.odds_api.client import OddsApiClient, OddsPage
from shared.venues.odds_api.credits import OddsRequest, plan, poll_interval_s

BUDGET = "budgets/odds"
FEATURED_MARKETS = ("h2h", "spreads", "totals")

_SLATE_TTL = 10 * MINUTE
# A sport out of season is not an error worth a call per poll; the list of sports is free.
_SEASON_TTL = HOUR
_HORIZON = DAY


@dataclass(slots=True)
class OddsReport:
    """What one poll did. ``failed`` names each sport that could not be read, with the reason."""

    asked: list[str] = field(default_factory=list)
    events: int = 0
    published: int = 0
    spent: int = 0
    skipped: str = ""
    failed: dict[str, str] = field(default_factory=dict)


class OddsScraper:
    """Polls the feed for the sports of our leagues, with ``daily_credits`` to spend a UTC day."""

    def __init__(
        self,
        client: OddsApiClient,
        documents: Documents,
        bus: Bus,
        clock: Clock,
        rng: random.Random,
        sport_keys: Sequence[str],
        daily_credits: int,
        regions: Sequence[str] = ("us",),
        bookmakers: Sequence[str] = (),
        min_interval_s: float = 0.0,
    ) -> None:
        self._client, self._documents, self._bus = client, documents, bus
        self._clock, self._rng = clock, rng
        self._sport_keys = tuple(sport_keys)
        self._credits = DailyCredits(documents, clock, rng, BUDGET, daily_credits)
        self._regions, self._bookmakers = tuple(regions), tuple(bookmakers)
        self._min_interval_s = min_interval_s
        self._slates_read: dict[str, Instant] = {}
        self._asked: dict[str, Instant] = {}
        self._active: list[str] = []
        self._active_at: Instant | None = None

    async def slates(self) -> dict[str, list[OddsEvent]]:
        """Read the slates that are due, free of charge; keep each in the document store."""
        now = self._clock.now()
        read: dict[str, list[OddsEvent]] = {}
        for key in await self._in_season(now):
            last = self._slates_read.get(key)
            if last is not None and age(last, now) < _SLATE_TTL:
                continue
            events, bad = await self._client.events(key)
            await self._send(bad)
            await self._keep(key, events)
            self._slates_read[key] = now
            read[key] = events
        return read

    async def _in_season(self, now: Instant) -> list[str]:
        """Feed keys of our leagues that list games now; tennis has one per tournament, new ones weekly."""
        if self._active_at is None or age(self._active_at, now) >= _SEASON_TTL:
            active = sorted(sport.key for sport in await self._client.sports())
            meant = [key for pattern in self._sport_keys for key in active if matches_key(key, pattern)]
            self._active = list(dict.fromkeys(meant))
            self._active_at = now
        return self._active

    async def scrape(self) -> OddsReport:
        """Ask for the prices that are due and affordable; raises what only a person can fix."""
        report = OddsReport()
        now = self._clock.now()
        mapped = await self._mapped(now)
        budget = await self._budget(now)
        requests = [self._request(key, min(starts.values())) for key, starts in mapped.items()]
        due = [request for request in requests if self._is_due(request, now)]
        chosen = plan(due, budget, now)
        if len(chosen) < len(due):
            report.skipped = f"{len(due) - len(chosen)} sports wait: {budget} credits are left for today"
        for request in chosen:
            await self._ask(request, frozenset(mapped[request.sport_key]), report)
        return report

    async def _ask(self, request: OddsRequest, wanted: frozenset[str], report: OddsReport) -> None:
        report.asked.append(request.sport_key)
        self._asked[request.sport_key] = self._clock.now()
        await self._credits.spend(request.cost)
        try:
            page = await self._client.odds(
                request.sport_key,
                request.markets,
                regions=request.regions,
                bookmakers=request.bookmakers,
                event_ids=sorted(wanted),
            )
        except OperatorError:
            raise
        except ArbError as exc:
            report.failed[request.sport_key] = str(exc)
            await self._tell(request, failure=str(exc))
            return
        if page.credits_used is not None:
            await self._credits.spend(page.credits_used - request.cost)
        report.spent += page.credits_used or 0
        report.events += len(page.events)
        await self._send(page.quarantined)
        news = [seal(_with_credits(event, page.credits_used, page.credits_remaining)) for event in page.events
                if event.odds_event_id in wanted]  # fmt: skip
        report.published += len(news)
        await self._tell(request, page, len(news))
        if news:
            await self._bus.publish(OddsSeen.TOPIC, news)

    async def _tell(
        self, request: OddsRequest, page: OddsPage | None = None, published: int = 0, failure: str = ""
    ) -> None:
        """What a call cost and brought, for history."""
        spent = CreditsSpent(
            observed_at=self._clock.now(),
            sport_key=request.sport_key,
            call="event_odds" if request.event_id else "odds",
            odds_event_id=request.event_id,
            markets=request.markets,
            planned=request.cost,
            used=page.credits_used if page else None,
            remaining=page.credits_remaining if page else None,
            events=len(page.events) if page else 0,
            published=published,
            failure=failure,
        )
        await self._bus.publish(CreditsSpent.TOPIC, [seal(spent)])

    async def _mapped(self, now: Instant) -> dict[str, dict[str, Instant]]:
        """Starts of mapped games that have not begun, by sport and odds event: the reverse index."""
        found: dict[str, dict[str, Instant]] = {}
        for document in await self._documents.query(MAPPINGS, limit=100_000):
            value = document.value
            start = value["starts_at"]
            if value["odds_event_id"] and start is not None and now < start < now + _HORIZON:
                found.setdefault(value["sport_key"], {})[value["odds_event_id"]] = Instant(start)
        return found

    def _request(self, sport_key: str, starts_at: Instant) -> OddsRequest:
        return OddsRequest(sport_key, FEATURED_MARKETS, starts_at, self._regions, self._bookmakers)

    def _is_due(self, request: OddsRequest, now: Instant) -> bool:
        last = self._asked.get(request.sport_key)
        wait = max(self._min_interval_s, poll_interval_s(request.starts_at, now))
        return last is None or age(last, now) >= wait * SECOND

    async def _budget(self, now: Instant) -> int:
        """Credits left of today's own limit, and of what the feed says is left."""
        left, ledger = await self._credits.left(now), self._client.ledger
        return left if ledger is None else min(left, ledger.available)

    async def _keep(self, sport_key: str, events: Sequence[OddsEvent]) -> None:
        value = {"events": [msgspec.to_builtins(event) for event in events], "at": self._clock.now()}
        path = f"{SLATES}/{sport_key}"
        await update(self._documents, path, lambda _: value, clock=self._clock, rng=self._rng)

    async def _send(self, quarantined: Sequence[Quarantined]) -> None:
        if quarantined:
            await self._bus.publish(Quarantined.TOPIC, [seal(record) for record in quarantined])


def _with_credits(event: OddsSeen, used: int | None, remaining: int | None) -> OddsSeen:
    return msgspec.structs.replace(event, credits_used=used, credits_remaining=remaining)
