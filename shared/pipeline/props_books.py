"""Asks the bookmakers about a day's players: one call a game, only games with props here, inside the credits.

The games of a day are kept in ``prop_games/{day}``: while the exchange is down the last known ones are asked
for, so that predictions do not wait for it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from shared.cas import update
from shared.clock import Clock, Instant
from shared.errors import ArbError, OperatorError, QuotaExhaustedError, RefusedError
from shared.mapping.mapper import map_markets
from shared.messages import MarketListed, OddsEvent
from shared.pipeline.credits import DailyCredits
from shared.ports import Documents, Value
from shared.props.series import PropSeries
from shared.venues.odds_api.client import OddsApiClient
from shared.venues.odds_api.credits import OddsRequest, plan

GAMES = "prop_games"
_CONCURRENCY = 4
_ALTERNATE = "_alternate"

T = TypeVar("T")


@dataclass(slots=True)
class PropsReport:
    """What one scrape did. ``failed`` names each part that could not be read, with the reason."""

    game_date: str = ""
    run_id: str = ""
    prefix: str = ""
    due: bool = True
    series: int = 0
    markets: int = 0
    books: int = 0
    games: int = 0
    calls: int = 0
    spent: int = 0
    kalshi_available: bool = True
    skipped: str = ""
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Game:
    """A game to ask about: its event at the feed, and the markets that the exchange's props answer."""

    sport_key: str
    event_id: str
    starts_at: Instant
    markets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BookSettings:
    """Whom to ask, and whether for alternate lines too, which cost as much again."""

    regions: tuple[str, ...] = ("us",)
    bookmakers: tuple[str, ...] = ()
    alternates: bool = True


async def each(
    parts: Iterable[T], name: Callable[[T], str], work: Callable[[T], Awaitable[None]], report: PropsReport
) -> None:
    """Do each part, a few at a time; one that fails is named, what a person must mend raises."""
    turn = asyncio.Semaphore(_CONCURRENCY)

    async def guarded(part: T) -> None:
        async with turn:
            try:
                await work(part)
            except OperatorError:
                raise
            except ArbError as exc:
                report.failed[name(part)] = str(exc)

    await asyncio.gather(*(guarded(part) for part in parts))


class BookLines:
    """The feed's half of a props scrape. Calls are counted in every purse of ``purses``."""

    def __init__(
        self,
        client: OddsApiClient,
        purses: Sequence[DailyCredits],
        settings: BookSettings,
    ) -> None:
        self._client, self._purses, self._settings = client, tuple(purses), settings

    async def games(
        self, markets: Sequence[tuple[PropSeries, MarketListed]], now: Instant, report: PropsReport
    ) -> list[Game]:
        """Games with props here, each proven by the mapper against the feed's own slate (free of charge)."""
        slate: list[OddsEvent] = []

        async def one(sport_key: str) -> None:
            try:
                slate.extend((await self._client.events(sport_key))[0])
            except RefusedError as exc:
                if exc.status != 404:  # a sport out of season has no games
                    raise

        sports = dict.fromkeys(key for series, _ in markets for key in series.league.odds_keys)
        await each(sports, lambda key: f"slate of {key}", one, report)
        decided = map_markets([market for _, market in markets], slate, now)
        found: dict[str, Game] = {}
        for (series, _), decision in zip(markets, decided, strict=True):
            start, market = decision.starts_at, series.statistic.book_market
            if decision.odds_event_id and start is not None and market:
                known = found.get(decision.odds_event_id)
                asked = {*(known.markets if known else ()), market}
                game = Game(decision.sport_key, decision.odds_event_id, start, tuple(sorted(asked)))
                found[decision.odds_event_id] = game
        return list(found.values())

    async def read(self, games: Sequence[Game], now: Instant, report: PropsReport) -> None:
        """Lines of the games that have not begun, nearest start first, never beyond the credits left."""
        budget = min([await purse.left(now) for purse in self._purses])
        if self._client.ledger is not None:
            budget = min(budget, self._client.ledger.available)
        requests = [self._request(game) for game in games if game.starts_at > now]
        chosen = plan(requests, budget, now)
        if len(chosen) < len(requests):
            report.skipped = f"{len(requests) - len(chosen)} games wait: {budget} credits are left for today"
        for request in chosen:
            try:
                spent = await self._ask(request)
                report.spent += spent
                report.games += 1
            except QuotaExhaustedError as exc:
                report.failed["odds"] = str(exc)
                return
            except OperatorError:
                raise
            except ArbError as exc:
                report.failed[f"odds of {request.event_id}"] = str(exc)

    def _request(self, game: Game) -> OddsRequest:
        settings = self._settings
        more = tuple(market + _ALTERNATE for market in game.markets) if settings.alternates else ()
        return OddsRequest(
            game.sport_key, game.markets + more, game.starts_at, settings.regions, settings.bookmakers,
            game.event_id,
        )  # fmt: skip

    async def _ask(self, request: OddsRequest) -> int:
        """One game's lines, counted as spent before the answer; gives what it really cost."""
        await self._count(request.cost)
        try:
            used = await self._event_odds(request, request.markets)
        except RefusedError as exc:
            if exc.code != "INVALID_MARKET":
                raise
            # Not every market has alternate lines; which ones, the feed says only by refusing.
            plain = [market for market in request.markets if not market.endswith(_ALTERNATE)]
            used = await self._event_odds(request, plain)
        if used is None:
            return request.cost
        await self._count(used - request.cost)
        return used

    async def _count(self, credits_used: int) -> None:
        for purse in self._purses:
            await purse.spend(credits_used)

    async def _event_odds(self, request: OddsRequest, markets: Sequence[str]) -> int | None:
        page = await self._client.event_odds(
            request.sport_key,
            request.event_id,
            markets,
            regions=request.regions,
            bookmakers=request.bookmakers,
        )
        return page.credits_used


async def remember_games(
    documents: Documents, day: str, games: Sequence[Game], now: Instant, clock: Clock, rng: random.Random
) -> None:
    """Add ``games`` to those known of ``day``, and note the turn."""

    def kept(held: Value | None) -> Value:
        known: dict[str, Any] = {game["event_id"]: game for game in (held["games"] if held else [])}
        known |= {game.event_id: msgspec.to_builtins(game) for game in games}
        return {"at": now, "games": [known[event] for event in sorted(known)]}

    await update(documents, f"{GAMES}/{day}", kept, clock=clock, rng=rng)


async def known_games(documents: Documents, day: str) -> tuple[Instant | None, list[Game]]:
    """When ``day`` was last scraped, and the games known of it."""
    document = await documents.get(f"{GAMES}/{day}")
    if document is None:
        return None, []
    return Instant(document.value["at"]), msgspec.convert(document.value["games"], list[Game])
