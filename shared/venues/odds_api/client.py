"""Asks the sportsbook feed, at most four calls at a time, and never without the credits for it.

The key can only travel as a query parameter. It is added in the one call that sends, and the transport shows
no query in any error; nothing else here ever holds a URL with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

import msgspec

from shared.clock import Clock, Instant, format_instant
from shared.config import Secret
from shared.errors import (
    ArbError,
    CredentialsError,
    MalformedError,
    QuotaExhaustedError,
    RateLimitedError,
    RefusedError,
    VenueDownError,
)
from shared.messages import OddsEvent, OddsSeen, Quarantined
from shared.venues.http import Params, Response, Transport
from shared.venues.odds_api import wire
from shared.venues.odds_api.credits import Ledger, odds_cost, scores_cost
from shared.venues.odds_api.normalise import PriceFormat, odds_event, odds_seen
from shared.venues.retry import Retry

T = TypeVar("T")

# Users were refused at eight concurrent streams; the documented limit is 30 calls a second.
_CONCURRENT = 4
_MAX_SAMPLE = 300

_KEY_FIXES = {
    "INVALID_KEY": "the key is not valid: check ODDS_API_KEY against the one in the vendor's mail",
    "MISSING_KEY": "no key was sent: set ODDS_API_KEY",
    "DEACTIVATED_KEY": "the key was deactivated: renew the plan at the vendor, then set ODDS_API_KEY",
    "HISTORICAL_UNAVAILABLE_ON_FREE_USAGE_PLAN": "historical odds need a paid plan at the vendor",
}


@dataclass(frozen=True, slots=True)
class OddsPage:
    """Usable events of one answer, what was not usable, and what the call cost by the feed's own word."""

    events: list[OddsSeen]
    quarantined: list[Quarantined]
    credits_used: int | None
    credits_remaining: int | None


class OddsApiClient:
    """The feed's REST API (v4). One instance a key: it keeps the ledger of its credits."""

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        retry: Retry,
        *,
        base_url: str,
        key: Secret,
        ledger: Ledger | None = None,
        seconds: float = 15.0,
    ) -> None:
        """``retry`` should start at 2 s: the feed asks for that after a 429. No ledger: unlimited so far."""
        self._transport, self._clock, self._retry = transport, clock, retry
        self._base_url, self._key, self._seconds = base_url.rstrip("/"), key, seconds
        self._lane = asyncio.Semaphore(_CONCURRENT)
        self.ledger = ledger

    # --- free ---------------------------------------------------------------------------------------------

    async def sports(self, *, everything: bool = False) -> list[wire.Sport]:
        """Sports in season, or all of them. Free."""
        params = [("all", "true")] if everything else []
        return _decoded(list[wire.Sport], await self._get("/sports", params, cost=0))

    async def events(
        self, sport_key: str, *, starts_from: Instant | None = None, starts_to: Instant | None = None
    ) -> tuple[list[OddsEvent], list[Quarantined]]:
        """Who plays whom, without prices. Free."""
        path = f"/sports/{_segment(sport_key)}/events"
        response = await self._get(path, _window(starts_from, starts_to), cost=0)
        events: list[OddsEvent] = []
        bad: list[Quarantined] = []
        for raw in _decoded(list[msgspec.Raw], response):
            try:
                events.append(odds_event(wire.decode(wire.Event, raw)))
            except MalformedError as exc:
                bad.append(self._quarantined(path, exc, raw))
        return events, bad

    # --- for credits --------------------------------------------------------------------------------------

    async def odds(
        self,
        sport_key: str,
        markets: Sequence[str],
        *,
        regions: Sequence[str] = (),
        bookmakers: Sequence[str] = (),
        event_ids: Sequence[str] = (),
        starts_from: Instant | None = None,
        starts_to: Instant | None = None,
        price_format: PriceFormat = PriceFormat.DECIMAL,
    ) -> OddsPage:
        """Featured markets (h2h, spreads, totals, outrights) of a sport's games."""
        params = [
            *_priced(markets, regions, bookmakers, price_format),
            *_listed("eventIds", event_ids),
            *_window(starts_from, starts_to),
        ]
        path = f"/sports/{_segment(sport_key)}/odds"
        response = await self._get(path, params, cost=odds_cost(markets, regions, bookmakers))
        return self._page(path, _decoded(list[msgspec.Raw], response), response, price_format)

    async def event_odds(
        self,
        sport_key: str,
        event_id: str,
        markets: Sequence[str],
        *,
        regions: Sequence[str] = (),
        bookmakers: Sequence[str] = (),
        price_format: PriceFormat = PriceFormat.DECIMAL,
    ) -> OddsPage:
        """Any markets of one event, player props included; charged for those that come back."""
        path = f"/sports/{_segment(sport_key)}/events/{_segment(event_id)}/odds"
        params = _priced(markets, regions, bookmakers, price_format)
        response = await self._get(path, params, cost=odds_cost(markets, regions, bookmakers))
        return self._page(path, [msgspec.Raw(response.body)], response, price_format)

    async def scores(self, sport_key: str, days_from: int | None = None) -> list[wire.EventScore]:
        """Scores of live and coming games, and of those finished up to ``days_from`` (1-3) days ago."""
        params = [] if days_from is None else [("daysFrom", str(days_from))]
        path = f"/sports/{_segment(sport_key)}/scores"
        response = await self._get(path, params, cost=scores_cost(days_from))
        return _decoded(list[wire.EventScore], response)

    # --- core ---------------------------------------------------------------------------------------------

    async def _get(self, path: str, params: Params, *, cost: int) -> Response:
        async def attempt() -> Response:
            async with self._lane:
                return await self._once(path, params, cost)

        return await self._retry.read(attempt)

    async def _once(self, path: str, params: Params, cost: int) -> Response:
        """One call, its highest cost set aside before and settled after. The key is added here only."""
        if not self._key:
            raise CredentialsError(_KEY_FIXES["MISSING_KEY"], "MISSING_KEY")
        self._reserve(path, cost)
        since, stated = self.ledger.settled if self.ledger else 0, None
        try:
            response = await self._transport.request(
                "GET",
                self._base_url + path,
                params=[*params, ("apiKey", self._key.reveal())],
                seconds=self._seconds,
            )
            stated = _header(response, "x-requests-remaining")
        finally:
            self._settle(cost, stated, since)
        if response.status != 200:
            raise self._refused(response, path)
        return response

    def _reserve(self, path: str, cost: int) -> None:
        if self.ledger is None:
            return
        if cost > self.ledger.available:
            raise QuotaExhaustedError(
                f"GET {path} costs up to {cost} credits, {self.ledger.available} are left; "
                "they renew on the first of the month, or raise the plan at the vendor"
            )
        self.ledger = self.ledger.reserve(cost)

    def _settle(self, cost: int, stated: int | None, since: int) -> None:
        if self.ledger is not None:
            self.ledger = self.ledger.settle(cost, stated, since)
        elif stated is not None:
            self.ledger = Ledger(stated)

    def _refused(self, response: Response, path: str) -> ArbError:
        error = refusal_of(response, f"GET {path}")
        if isinstance(error, QuotaExhaustedError) and self.ledger is not None:
            self.ledger = self.ledger.exhausted()
        return error

    def _page(
        self, path: str, rows: Iterable[msgspec.Raw], response: Response, price_format: PriceFormat
    ) -> OddsPage:
        used = _header(response, "x-requests-last")
        remaining = _header(response, "x-requests-remaining")
        now = self._clock.now()
        events: list[OddsSeen] = []
        bad: list[Quarantined] = []
        for raw in rows:
            try:
                event = wire.decode(wire.Event, raw)
                made = odds_seen(event, now, price_format, credits_used=used, credits_remaining=remaining)
                events.append(made)
            except MalformedError as exc:
                bad.append(self._quarantined(path, exc, raw))
        return OddsPage(events, bad, used, remaining)

    def _quarantined(self, path: str, error: MalformedError, raw: msgspec.Raw) -> Quarantined:
        sample = bytes(raw)[:_MAX_SAMPLE].decode(errors="replace")
        reason = str(error)[:_MAX_SAMPLE]
        return Quarantined(observed_at=self._clock.now(), source=path, reason=reason, sample=sample)

    def __repr__(self) -> str:
        return f"OddsApiClient({self._base_url!r})"


def refusal_of(response: Response, where: str) -> ArbError:
    """The error for an answer that is not 200, by the feed's own ``error_code``."""
    try:
        said = wire.decode(wire.Refusal, response.body)
    except MalformedError:
        said = wire.Refusal()
    told = f"{where}: {response.status} {said.error_code} {said.message[:_MAX_SAMPLE]}".rstrip()
    if said.error_code == "OUT_OF_USAGE_CREDITS":
        return QuotaExhaustedError(f"{told}; credits renew on the first of the month, or raise the plan")
    if response.status == 429 or said.error_code == "EXCEEDED_FREQ_LIMIT":
        return RateLimitedError(told)
    if response.status in (401, 403):
        fix = _KEY_FIXES.get(said.error_code, "check ODDS_API_KEY and the plan at the vendor")
        return CredentialsError(f"{where}: {response.status} {said.error_code}; {fix}", said.error_code)
    if response.status >= 500 or not said.error_code:
        return VenueDownError(told)
    return RefusedError(told, said.error_code, response.status)


def _decoded(kind: type[T], response: Response) -> T:
    return wire.decode(kind, response.body)


def _header(response: Response, name: str) -> int | None:
    """A counter header; the feed writes decimal text and leaves it out on errors."""
    text = response.headers.get(name, "").split(".", 1)[0]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None


def _segment(text: str) -> str:
    return quote(text, safe="")


def _listed(name: str, values: Sequence[str]) -> list[tuple[str, str]]:
    """A comma list. A space in it is refused by the feed (422 INVALID_MARKET)."""
    return [(name, ",".join(value.strip() for value in values))] if values else []


def _priced(
    markets: Sequence[str], regions: Sequence[str], bookmakers: Sequence[str], price_format: PriceFormat
) -> list[tuple[str, str]]:
    return [
        *_listed("bookmakers", bookmakers),
        *([] if bookmakers else _listed("regions", regions)),
        *_listed("markets", markets),
        ("oddsFormat", price_format.value),
        ("dateFormat", "iso"),
    ]


def _window(starts_from: Instant | None, starts_to: Instant | None) -> list[tuple[str, str]]:
    """Start-time bounds in the only form the feed takes: whole seconds, UTC, ``Z``."""
    bounds = (("commenceTimeFrom", starts_from), ("commenceTimeTo", starts_to))
    return [(name, format_instant(_whole_second(at))) for name, at in bounds if at is not None]


def _whole_second(at: Instant) -> Instant:
    return Instant(at - at % 1_000_000)
