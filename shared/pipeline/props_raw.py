"""Raw pages of a props scrape: stored one by one as they arrive, and read back into what they said.

Everything the processor knows comes from here, so a run can be repeated from its pages alone. A page is the
answer as it came, beside its path and time; a page that was cut off is kept too, and named when it is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count

import msgspec

from shared.clock import Clock, Instant
from shared.errors import MalformedError
from shared.messages import BookSeen, MarketListed, OddsEvent, OddsSeen, Quarantined
from shared.ports import Blobs
from shared.venues.http import Params, Response, Transport, place
from shared.venues.kalshi import wire
from shared.venues.kalshi.normalise import book_rows, event_rows, market_rows, quarantined, starts_by_event
from shared.venues.odds_api import wire as odds_wire
from shared.venues.odds_api.normalise import odds_event, odds_seen

PREFIX = "raw/props"


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One answer as it is stored. ``body`` is the JSON itself, or text when it is not JSON."""

    captured_at: Instant
    path: str
    body: msgspec.Raw


class RunRecorder:
    """A :class:`Transport` that stores every good answer before anybody reads it.

    :meth:`begin` says where. ``calls`` counts requests since then. A store that refuses stops the scrape: a
    run that cannot be repeated is not begun.
    """

    def __init__(self, transport: Transport, blobs: Blobs, clock: Clock) -> None:
        self._transport, self._blobs, self._clock = transport, blobs, clock
        self._prefix, self._numbers = "", count(1)
        self.calls = 0

    def begin(self, prefix: str) -> None:
        """Store what comes now below ``prefix``."""
        self._prefix, self._numbers, self.calls = prefix, count(1), 0

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Params = (),
        body: bytes | None = None,
        seconds: float = 10.0,
    ) -> Response:
        """See :class:`Transport`."""
        self.calls += 1
        response = await self._transport.request(
            method, url, headers=headers, params=params, body=body, seconds=seconds
        )
        if response.status == 200 and self._prefix:
            # Queries are not kept: a key may travel in them.
            page = Page(captured_at=self._clock.now(), path=place(url), body=_json(response.body))
            path = f"{self._prefix}/{next(self._numbers):05d}.json"
            await self._blobs.put(path, msgspec.json.encode(page))
        return response

    async def close(self) -> None:
        """Close the transport."""
        await self._transport.close()


def _json(body: bytes) -> msgspec.Raw:
    """The body as it came if it is JSON, else as a JSON text."""
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return msgspec.Raw(msgspec.json.encode(body.decode(errors="replace")))
    return msgspec.Raw(body)


@dataclass(slots=True)
class Gathered:
    """What the pages of one run said, and a record of everything that was not usable."""

    series: dict[str, wire.Series] = field(default_factory=dict)
    markets: dict[str, MarketListed] = field(default_factory=dict)
    books: dict[str, BookSeen] = field(default_factory=dict)
    slates: dict[str, dict[str, OddsEvent]] = field(default_factory=dict)
    odds: dict[str, OddsSeen] = field(default_factory=dict)
    quarantined: list[Quarantined] = field(default_factory=list)
    newest: Instant = Instant(0)


async def read_run(blobs: Blobs, prefixes: Iterable[str]) -> list[Page]:
    """The stored pages of a run, in the order in which they came from each venue."""
    pages: list[Page] = []
    for prefix in prefixes:
        for path in await blobs.list(prefix + "/"):
            pages.append(_page(path, await blobs.get(path)))  # noqa: PERF401 - awaits
    return pages


def _page(path: str, data: bytes) -> Page:
    try:
        return msgspec.json.decode(data, type=Page)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise MalformedError(f"{path}: not a stored page: {exc}") from exc


def gather(pages: Iterable[Page]) -> Gathered:
    """Everything the pages said; one bad page or row never costs another. Never raises for a page's body."""
    found, starts = Gathered(), dict[str, Instant]()
    ordered = sorted(pages, key=_order)
    for page in ordered:
        found.newest = max(found.newest, page.captured_at)
        try:
            _read(page, found, starts)
        except MalformedError as exc:
            sample = bytes(page.body)[:300].decode(errors="replace")
            found.quarantined.append(quarantined(page.path, f"page: {exc}", sample, page.captured_at))
    return found


def _order(page: Page) -> int:
    """Series and starts first: markets are joined with them."""
    return 0 if page.path.endswith(("/series", "/milestones")) else 1


def _read(page: Page, found: Gathered, starts: dict[str, Instant]) -> None:
    at, source, tail = page.captured_at, page.path, page.path.rpartition("/")[2]
    if "/sports" in page.path:
        _read_odds(page, found)
    elif tail == "series":
        listed = wire.decode(wire.SeriesList, page.body).series or []
        found.series |= {series.ticker: series for series in listed}
    elif tail == "milestones":
        rows = wire.decode(wire.RowsPage, page.body).milestones or []
        starts |= starts_by_event(_milestones(rows))
    elif tail == "events":
        rows = wire.decode(wire.RowsPage, page.body).events or []
        _keep_markets(found, *event_rows(rows, at, source, series=found.series, starts=starts))
    elif tail == "markets":
        rows = wire.decode(wire.RowsPage, page.body).markets or []
        _keep_markets(found, *market_rows(rows, at, source, series=found.series, starts=starts))
    elif tail == "orderbooks":
        books, bad = book_rows(wire.decode(wire.BooksAnswer, page.body).orderbooks or (), at, source)
        found.books |= {book.ticker: book for book in books}
        found.quarantined += bad


def _milestones(rows: Iterable[msgspec.Raw]) -> Iterable[wire.Milestone]:
    for row in rows:
        try:
            yield wire.decode(wire.Milestone, row)
        except MalformedError:  # a game without a readable start is a game without a start
            continue


def _keep_markets(found: Gathered, markets: list[MarketListed], bad: list[Quarantined]) -> None:
    found.markets |= {market.ticker: market for market in markets}
    found.quarantined += bad


def _read_odds(page: Page, found: Gathered) -> None:
    """``/sports/{key}/events`` and ``/sports/{key}/events/{id}/odds``."""
    parts = page.path.partition("/sports/")[2].split("/")
    if len(parts) == 2 and parts[1] == "events":
        rows = odds_wire.decode(list[msgspec.Raw], page.body)
        slate = found.slates.setdefault(parts[0], {})
        for row in rows:
            try:
                event = odds_event(odds_wire.decode(odds_wire.Event, row))
            except MalformedError as exc:
                found.quarantined.append(quarantined(page.path, str(exc), bytes(row)[:300], page.captured_at))
                continue
            slate[event.id] = event
    elif parts[-1] == "odds":
        seen = odds_seen(odds_wire.decode(odds_wire.Event, page.body), page.captured_at)
        found.odds[seen.odds_event_id] = seen
