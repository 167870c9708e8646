"""The Odds API v4 over the same world: events, odds, scores, its parameter checks, and the ledger of credits.

Cost is markets x regions (event odds: markets really returned x regions; each started ten bookmakers count as
a region); empty answers and the free endpoints cost nothing. Thirty requests a second, then 429.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared.clock import HOUR, SECOND, Clock, Instant, format_instant
from shared.ids import digest
from shared.simulator.bookmakers import (
    ALTERNATE,
    FEATURED,
    Bookmaker,
    Listed,
    american,
    decimal,
    sport_of,
)
from shared.simulator.faults import Faults
from shared.simulator.league import LEAGUES
from shared.simulator.limits import Buckets, Rate
from shared.simulator.odds_query import OddsError, Shape, flag_of, moment_of, shape_of, unix_of
from shared.simulator.players import PLAYER_MARKETS
from shared.simulator.web import Query, Reply, Request, Route, Router, reply
from shared.simulator.world import World

Json = dict[str, Any]
PREFIX = "/v4"
_RATE = Rate(30, 30)
_EVENT_ID = re.compile(r"[0-9a-f]{32}")
_TITLES = {league.sport_key: league.sport_title for league in LEAGUES}


@dataclass
class Credits:
    """What a key has used and has left."""

    left: int
    used: int = 0
    last: int = 0

    def spend(self, cost: int) -> None:
        """Count one call."""
        self.left, self.used, self.last = self.left - cost, self.used + cost, cost

    @property
    def headers(self) -> Mapping[str, str]:
        """The three headers every 200 carries."""
        return {
            "x-requests-remaining": str(self.left),
            "x-requests-used": str(self.used),
            "x-requests-last": str(self.last),
        }


def demo_odds_key(seed: int) -> str:
    """The demo member's key: derived from the seed, worth nothing outside the simulator."""
    return digest("odds key", str(seed))


class OddsApi:
    """Answers requests under ``/v4`` for one world."""

    def __init__(self, world: World, clock: Clock, faults: Faults) -> None:
        self.world = world
        self.clock = clock
        self.faults = faults
        self.credits: dict[str, Credits] = {}
        self._buckets = Buckets()
        sport = "/sports/{sport}"
        self._router: Router[tuple[object, int]] = Router(
            [
                Route("GET", "/sports", self._sports),
                Route("GET", f"{sport}/events", self._events),
                Route("GET", f"{sport}/odds", self._odds),
                Route("GET", f"{sport}/events/{{id}}/odds", self._event_odds),
                Route("GET", f"{sport}/events/{{id}}/markets", self._event_markets),
                Route("GET", f"{sport}/scores", self._scores),
            ]
        )

    def add_key(self, key: str, amount: int) -> None:
        """Admit a key with so many credits."""
        self.credits[key] = Credits(amount)

    def handle(self, request: Request) -> Reply:
        """Answer one request; ``request.path`` is the full path with its prefix."""
        now = self.clock.now()
        self.world.advance(now)
        struck = self.faults.before(request)
        if struck is not None:
            return struck
        try:
            answer = self._route(request, self.world.now)
        except OddsError as error:
            answer = reply(error.body, error.status)
        return self.faults.after(request, answer)

    def _route(self, request: Request, now: Instant) -> Reply:
        query = Query(request.query)
        account = self._account(query)
        if not self._buckets.take(query.one("apiKey") or "", _RATE, 1, now):
            raise OddsError(429, "EXCEEDED_FREQ_LIMIT", "Requests are made too frequently. Slow down.")
        found = self._router.find(request.method, request.path.removeprefix(PREFIX))
        if found is None:
            return reply({"message": "Not Found"}, 404)
        route, values = found
        if values and values[0] != "upcoming" and values[0] not in _TITLES:
            raise OddsError(404, "UNKNOWN_SPORT", "Unknown sport")
        body, cost = route.handler(query, *values)
        if cost > account.left:
            raise self._exhausted()
        account.spend(cost)
        return reply(body, 200, account.headers)

    def _account(self, query: Query) -> Credits:
        key = query.one("apiKey")
        if key is None:
            raise OddsError(401, "MISSING_KEY", "API key is missing")
        account = self.credits.get(key)
        if account is None:
            raise OddsError(401, "INVALID_KEY", "API key is not valid. Check the key you were sent by email.")
        if self.faults.out_of_credits:
            raise self._exhausted()
        return account

    def _exhausted(self) -> OddsError:
        text = "Usage quota has been reached. See usage plans at https://the-odds-api.com"
        return OddsError(401, "OUT_OF_USAGE_CREDITS", text)

    # --- endpoints: each returns (body, credits) -----------------------------------------------------------

    def _sports(self, query: Query) -> tuple[object, int]:
        if query.one("all") not in (None, "true", "false"):
            raise OddsError(422, "INVALID_ALL_SPORTS_PARAM", "all must be true or false")
        return [sport_of(league) for league in LEAGUES], 0

    def _events(self, query: Query, sport: str) -> tuple[object, int]:
        unix, rotation = (
            unix_of(query),
            flag_of(query, "includeRotationNumbers", "INVALID_INCLUDE_ROTATION_NUMBERS"),
        )
        return [_event(listed, unix, rotation) for listed in self._wanted(query, sport)], 0

    def _odds(self, query: Query, sport: str) -> tuple[object, int]:
        shape = shape_of(query, FEATURED)
        events = self._wanted(query, sport)
        body = [self._with_books(listed, shape) for listed in events]
        return body, len(shape.markets) * shape.regions if body else 0

    def _event_odds(self, query: Query, sport: str, event_id: str) -> tuple[object, int]:
        shape = shape_of(query, FEATURED + ALTERNATE + PLAYER_MARKETS)
        body = self._with_books(self._one(sport, event_id), shape)
        returned = {market["key"] for book in body["bookmakers"] for market in book["markets"]}
        return body, len(returned - {"h2h_lay"}) * shape.regions

    def _event_markets(self, query: Query, sport: str, event_id: str) -> tuple[object, int]:
        shape = shape_of(query, FEATURED + ALTERNATE + PLAYER_MARKETS)
        wide = replace(shape, markets=FEATURED + ALTERNATE + PLAYER_MARKETS)
        body = self._with_books(self._one(sport, event_id), wide)
        for book in body["bookmakers"]:
            book["markets"] = [{"key": m["key"], "last_update": m["last_update"]} for m in book["markets"]]
        return body, 1

    def _scores(self, query: Query, sport: str) -> tuple[object, int]:
        days = query.one("daysFrom")
        if days is not None and days not in ("1", "2", "3"):
            raise OddsError(422, "INVALID_SCORES_DAYS_FROM", "daysFrom must be an integer from 1 to 3")
        unix = unix_of(query)
        listed = self.world.feed.events(sport)
        if days is not None:
            oldest = self.world.now - int(days) * 24 * HOUR
            listed = [e for e in self.world.feed.completed(sport) if e.game.start >= oldest] + listed
        chosen = set(query.csv("eventIds"))
        rows = [self._score(e, unix) for e in listed if not chosen or e.game.odds_id in chosen]
        return rows, (2 if days else 1) if rows else 0

    # --- rows ----------------------------------------------------------------------------------------------

    def _wanted(self, query: Query, sport: str) -> list[Listed]:
        if sport == "upcoming":
            events = self.world.feed.events(None)
            live = [listed for listed in events if listed.in_play]
            return live + [listed for listed in events if not listed.in_play][:8]
        low, high = moment_of(query, "commenceTimeFrom"), moment_of(query, "commenceTimeTo")
        if low is not None and high is not None and low > high:
            raise OddsError(
                422, "INVALID_COMMENCE_TIME_RANGE", "commenceTimeFrom must be before commenceTimeTo"
            )
        ids = query.csv("eventIds")
        if not all(_EVENT_ID.fullmatch(event_id) for event_id in ids):
            raise OddsError(422, "INVALID_EVENT_IDS", "Invalid eventIds parameter")
        return [
            listed
            for listed in self.world.feed.events(sport)
            if (low is None or listed.game.commence >= low)
            and (high is None or listed.game.commence <= high)
            and (not ids or listed.game.odds_id in ids)
        ]

    def _one(self, sport: str, event_id: str) -> Listed:
        if not _EVENT_ID.fullmatch(event_id):
            raise OddsError(422, "INVALID_EVENT_ID", "Invalid event id: must be 32 characters")
        for listed in self.world.feed.events(sport):
            if listed.game.odds_id == event_id:
                return listed
        raise OddsError(404, "EVENT_NOT_FOUND", "Event not found. The event may have concluded.")

    def _with_books(self, listed: Listed, shape: Shape) -> Json:
        books = [row for book in shape.books if (row := self._book(listed, book, shape))]
        return _event(listed, shape.unix, shape.rotation) | {"bookmakers": books}

    def _book(self, listed: Listed, book: Bookmaker, shape: Shape) -> Json | None:
        names = list(shape.markets)
        if "h2h" in names:
            # Betting exchanges return their lay prices unasked.
            names.insert(names.index("h2h") + 1, "h2h_lay")
        quotes = [quote for name in names if (quote := self.world.feed.quote(listed, book, name))]
        if not quotes:
            return None
        newest = max(quote["last_update"] for quote in quotes)
        return {
            "key": book.key,
            "title": book.title,
            "last_update": _time(newest, shape.unix),
            **{name: None for name in shape.extras if name != "bet_limit"},
            "markets": [_market(quote, shape) for quote in quotes],
        }

    def _score(self, listed: Listed, unix: bool) -> Json:
        contest, row = listed.contest, _event(listed, unix, False)
        started = listed.in_play or contest.over
        scores = None
        if started:
            scores = [
                {"name": listed.game.home.name, "score": str(contest.home_score)},
                {"name": listed.game.away.name, "score": str(contest.away_score)},
            ]
        updated = _time(contest.latent.now.at, unix) if started else None
        return row | {"completed": contest.over, "scores": scores, "last_update": updated}


def _event(listed: Listed, unix: bool, rotation: bool) -> Json:
    game = listed.game
    row: Json = {
        "id": game.odds_id,
        "sport_key": game.league.sport_key,
        "sport_title": game.league.sport_title,
        "commence_time": _time(game.commence, unix),
        "home_team": game.home.name,
        "away_team": game.away.name,
    }
    if rotation:
        number = 101 + int(game.odds_id[:2], 16) * 2
        row |= {"home_rotation": number + 1, "away_rotation": number}
    return row


def _market(quote: Json, shape: Shape) -> Json:
    price = american if shape.american else decimal
    extras: Json = dict.fromkeys(shape.extras)
    outcomes = [outcome | {"price": price(outcome["price"])} | extras for outcome in quote["outcomes"]]
    row: Json = {"key": quote["key"], "last_update": _time(quote["last_update"], shape.unix)}
    row |= {name: None for name in shape.extras if name != "bet_limit"}
    return row | {"outcomes": outcomes}


def _time(instant: int, unix: bool) -> int | str:
    whole = instant // SECOND
    return whole if unix else format_instant(Instant(whole * SECOND))
