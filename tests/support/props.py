"""Recorded and made-up prop days as the venues would answer them, and the whole path over them."""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shared.backends.memory.bus import DirectBus
from shared.backends.memory.documents import MemoryDocuments
from shared.clock import Instant, ManualClock, format_instant
from shared.config import Secret
from shared.messages import BY_TOPIC, Message, PropsScraped
from shared.pipeline.credits import DailyCredits
from shared.pipeline.odds_scrape import BUDGET
from shared.pipeline.props_books import BookLines, BookSettings, PropsReport
from shared.pipeline.props_process import ProcessReport, PropsProcessor
from shared.pipeline.props_raw import RunRecorder
from shared.pipeline.props_scrape import BUDGET as PROPS_BUDGET
from shared.pipeline.props_scrape import PropsScraper
from shared.props.day import DayReader
from shared.props.predict import MarketConsensus, Predictor
from shared.venues.http import Response
from shared.venues.kalshi.client import KalshiClient
from shared.venues.odds_api.client import OddsApiClient
from shared.venues.retry import Retry
from tests.venues.fakes import Answer, Call, FakeTransport, answer

Json = dict[str, Any]


class MemoryBlobs:
    """The ``Blobs`` port in a dictionary."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    async def put(self, path: str, data: bytes) -> None:
        self.held[path] = data

    async def get(self, path: str) -> bytes:
        return self.held[path]

    async def list(self, prefix: str) -> list[str]:
        return sorted(path for path in self.held if path.startswith(prefix))


@dataclass
class VenueDay:
    """What both venues answer. ``broken`` maps a path's end to an answer that replaces the right one."""

    series: list[Json] = field(default_factory=list)
    events: dict[str, list[Json]] = field(default_factory=dict)
    milestones: list[Json] = field(default_factory=list)
    books: dict[str, Json] = field(default_factory=dict)
    slates: dict[str, list[Json]] = field(default_factory=dict)
    odds: dict[str, Json] = field(default_factory=dict)
    broken: dict[str, Answer] = field(default_factory=dict)

    def answer(self, call: Call) -> Answer:
        path = urlsplit(call.url).path
        for end, instead in self.broken.items():
            if (path + "?" + call.params.get("series_ticker", "")).endswith(end) or path.endswith(end):
                return instead
        if "/sports/" in path:
            return self._odds(path.split("/sports/")[1].split("/"))
        return self._kalshi(path.rpartition("/")[2], call)

    def _odds(self, parts: list[str]) -> Answer:
        if parts[-1] == "events":
            return answer(self.slates.get(parts[0], []), x_requests_remaining="900")
        body = self.odds.get(parts[2])
        markets = {m["key"] for book in (body or {}).get("bookmakers", []) for m in book["markets"]}
        if body is None:
            return answer({"message": "gone", "error_code": "EVENT_NOT_FOUND"}, 404)
        return answer(body, x_requests_remaining="900", x_requests_last=str(len(markets)))

    def _kalshi(self, name: str, call: Call) -> Answer:
        if name == "series":
            return answer({"series": self.series})
        if name == "milestones":
            return answer({"milestones": self.milestones, "cursor": ""})
        if name == "events":
            status = call.params["status"]
            events = self.events.get(call.params["series_ticker"], []) if status == "open" else []
            return answer({"events": events, "cursor": ""})
        asked = [value for key, value in call.all_params if key == "tickers"]
        books = [{"ticker": t, "orderbook_fp": self.books[t]} for t in asked if t in self.books]
        return answer({"orderbooks": books})


@dataclass
class PropDesk:
    """The whole path in memory over the answers of one day."""

    venues: VenueDay
    clock: ManualClock
    credits: int = 1_000
    max_age_s: float | None = None
    tokens: int = 6_000
    predictor: Predictor = field(default_factory=MarketConsensus)
    blobs: MemoryBlobs = field(default_factory=MemoryBlobs)
    documents: MemoryDocuments = field(default_factory=MemoryDocuments)
    bus: DirectBus = field(default_factory=DirectBus)
    heard: list[Message] = field(default_factory=list)
    with_odds: bool = True

    def __post_init__(self) -> None:
        async def hear(message: Message) -> None:
            self.heard.append(message)

        for topic in BY_TOPIC:
            self.bus.subscribe(topic, "test", hear)
        self.transport = FakeTransport(decide=self.venues.answer)
        self.rng = random.Random(7)  # noqa: S311 - jitter of retries
        self.scraper = self._scraper()
        self.processor = self.new_processor()

    def _scraper(self) -> PropsScraper:
        clock, rng = self.clock, self.rng
        retry = Retry(clock, rng.random, attempts=1)
        pages = [
            RunRecorder(self.transport, self.blobs, clock),
            RunRecorder(self.transport, self.blobs, clock),
        ]
        kalshi = KalshiClient(pages[0], clock, retry, base_url="https://exchange.test/trade-api/v2")
        feed = OddsApiClient(pages[1], clock, retry, base_url="https://feed.test/v4", key=Secret("k"))
        purses = [
            DailyCredits(self.documents, clock, rng, path, self.credits) for path in (PROPS_BUDGET, BUDGET)
        ]
        books = BookLines(feed, purses, BookSettings()) if self.with_odds else None
        return PropsScraper(kalshi, books, pages, self.documents, self.bus, clock, rng, (), self.tokens)

    def new_processor(self) -> PropsProcessor:
        """Another processor over the same stores, as after a restart."""
        reader = DayReader(self.predictor, self.max_age_s)
        return PropsProcessor(self.documents, self.blobs, self.bus, self.clock, self.rng, reader)

    async def run(self, day: str = "") -> tuple[PropsReport, ProcessReport]:
        """One scrape and its processing."""
        scraped = await self.scraper.scrape(day)
        return scraped, await self.processor.process(self.said(PropsScraped)[-1])

    def said(self, kind: type[Any]) -> list[Any]:
        """Messages of one kind so far."""
        return [message for message in self.heard if isinstance(message, kind)]


def ok(value: Any) -> Response:
    """A good answer with any JSON."""
    return answer(value)


# --- recorded ----------------------------------------------------------------------------------------------


def mlb_day(kalshi: Path, rungs: Path, slate: Path, now: Instant) -> VenueDay:
    """15 August 2026 as recorded: two prop series of four games, and 41,827 book rungs of twenty."""
    recorded = json.loads(gzip.decompress(kalshi.read_bytes()))
    with gzip.open(slate, "rt") as file:
        games = {game["id"]: game for game in map(json.loads, file)}
    odds = feed_events(csv_rows(rungs), games, "base_market", now)
    return VenueDay(
        series=[
            {
                "ticker": name,
                "title": "",
                "category": "Sports",
                "fee_type": "quadratic",
                "fee_multiplier": 0.5,
            }
            for name in recorded["events_by_series"]
        ],
        events=recorded["events_by_series"],
        slates={"baseball_mlb": [games[event] for event in odds if event in games]},
        odds=odds,
    )


def csv_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a gzipped CSV."""
    with gzip.open(path, "rt") as file:
        return list(csv.DictReader(file))


def feed_events(
    rows: Sequence[Mapping[str, str]], games: Mapping[str, Json], market: str, now: Instant
) -> dict[str, Json]:
    """Flattened over/under rows in the feed's own shape, decimal odds, as last seen ``now``."""
    nested: dict[str, dict[str, dict[str, list[Json]]]] = {}
    for row in rows:
        key = row[market] + ("_alternate" if row.get("is_alternate") == "1" else "")
        books = nested.setdefault(row["odds_event_id"], {})
        outcomes = books.setdefault(row["bookmaker"], {}).setdefault(key, [])
        line = {"description": row["player"], "point": float(row["point"])}
        for name, price in (("Over", row["over_price"]), ("Under", row["under_price"])):
            if price:
                outcomes.append({"name": name, "price": float(price), **line})
    seen = format_instant(now)

    def book(name: str, markets: Mapping[str, list[Json]]) -> Json:
        rows = [{"key": key, "last_update": seen, "outcomes": found} for key, found in markets.items()]
        return {"key": name, "markets": rows}

    return {
        event: {
            **games.get(event, {"id": event, "sport_key": "", "commence_time": None}),
            "bookmakers": [book(name, markets) for name, markets in sorted(books.items())],
        }
        for event, books in nested.items()
    }
