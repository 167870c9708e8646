"""Asks the exchange over REST: public market data unsigned, account reads signed, each inside its rate limit.

Reads are repeated while the exchange is down or asks us to slow down; pages are followed to their end; rows
that cannot be used are handed back as quarantine records beside the rest. :meth:`KalshiClient.call` is the
core that order entry uses too: it sends exactly once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from shared.clock import SECOND, Clock, Instant
from shared.errors import CredentialsError, MalformedError, RateLimitedError
from shared.messages import BookSeen, MarketListed, Quarantined, TradeSeen
from shared.venues.http import Params, Response, Transport
from shared.venues.kalshi import candles, normalise, wire
from shared.venues.kalshi.answers import error_of
from shared.venues.kalshi.buckets import Buckets
from shared.venues.kalshi.sign import Signer
from shared.venues.kalshi.units import time_of
from shared.venues.rate import TokenBucket
from shared.venues.retry import Retry

T = TypeVar("T")

DEFAULT_COST = 10  # tokens; the exchange lists the exceptions under /account/endpoint_costs
_MARKETS_PAGE = 1000
_EVENTS_PAGE = 200
_MILESTONES_PAGE = 500
_BOOKS_PER_CALL = 100
# 55,000 open markets were 55 pages of 1,000 in October 2026.
_MAX_PAGES = 500


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """Usable rows in the exchange's order, and a record of each that was not."""

    rows: list[T]
    quarantined: list[Quarantined]


class KalshiClient:
    """The exchange's REST API. Without a signer only public endpoints answer."""

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        retry: Retry,
        *,
        base_url: str,
        signer: Signer | None = None,
        buckets: Buckets | None = None,
        seconds: float = 10.0,
    ) -> None:
        """``base_url`` ends in ``/trade-api/v2``; ``seconds`` is the longest any one call may take."""
        self._transport, self._clock, self._retry, self._signer = transport, clock, retry, signer
        self._base_url = base_url.rstrip("/")
        self._base_path = urlsplit(self._base_url).path
        self._seconds = seconds
        self.buckets = buckets or Buckets(clock)

    # --- core ---------------------------------------------------------------------------------------------

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Params = (),
        body: bytes | None = None,
        signed: bool = True,
        bucket: TokenBucket | None = None,
        cost: int = DEFAULT_COST,
        waits: bool = True,
    ) -> Response:
        """One request, sent once, after its tokens are there; the answer if it is 2xx.

        Raises the error the answer stands for: see :mod:`shared.venues.kalshi.answers`. A method other than
        GET that may have been executed raises :class:`OutcomeUnknownError`. Without ``waits`` missing tokens
        raise :class:`RateLimitedError` at once.
        """
        bucket = bucket or self._bucket(method, signed)
        if waits:
            await bucket.take(cost)
        elif not bucket.try_take(cost):
            raise RateLimitedError(f"{method} {path}: not sent, the rate limit is used up")
        headers = self._sign(method, path) if signed else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        response = await self._transport.request(
            method,
            self._base_url + path,
            headers=headers,
            params=params,
            body=body,
            seconds=self._seconds,
        )
        if not 200 <= response.status < 300:
            raise error_of(response, f"{method} {path}", write=method != "GET")
        return response

    async def presign(self, method: str, path: str) -> None:
        """Have the headers of a request ready before it is wanted; due about once a second.

        An RSA signature takes 0.7 ms, most of an order's way out. It is made in a thread of its own.
        """
        await asyncio.to_thread(self.prepare, method, path)

    def prepare(self, method: str, path: str) -> None:
        """The same at once, for whoever has a millisecond to wait for something else anyway."""
        if self._signer is not None:
            self._signer.prepare(method, self._base_path + path, self._clock.now())

    async def get(
        self,
        kind: type[T],
        path: str,
        params: Params = (),
        *,
        signed: bool = False,
        bucket: TokenBucket | None = None,
        cost: int = DEFAULT_COST,
    ) -> T:
        """A read decoded as ``kind``, repeated while it may succeed later."""

        async def attempt() -> Response:
            return await self.call("GET", path, params=params, signed=signed, bucket=bucket, cost=cost)

        return wire.decode(kind, (await self._retry.read(attempt)).body)

    def _bucket(self, method: str, signed: bool) -> TokenBucket:
        if not signed:
            return self.buckets.public
        return self.buckets.read if method == "GET" else self.buckets.write

    def _sign(self, method: str, path: str) -> dict[str, str]:
        if self._signer is None:
            raise CredentialsError(f"{method} {path} needs a key: set KALSHI_KEY_ID and a private key")
        return self._signer.headers(method, self._base_path + path, self._clock.now())

    async def pages(
        self,
        path: str,
        params: Params,
        pick: Callable[[wire.RowsPage], list[msgspec.Raw] | None],
        make: Callable[[Iterable[msgspec.Raw], Instant], tuple[list[T], list[Quarantined]]],
        *,
        signed: bool = False,
    ) -> Rows[T]:
        """All pages. A cursor that comes back, or pages without end, stop the listing with a record of it."""
        result: Rows[T] = Rows([], [])
        cursor, seen = "", {""}
        for _ in range(_MAX_PAGES):
            page = await self.get(wire.RowsPage, path, [*params, *pairs(cursor=cursor)], signed=signed)
            rows, bad = make(pick(page) or (), self._clock.now())
            result.rows.extend(rows)
            result.quarantined.extend(bad)
            cursor = page.cursor or ""
            if not cursor:
                return result
            if cursor in seen:
                return self._stopped(result, path, "the cursor repeats")
            seen.add(cursor)
        return self._stopped(result, path, f"more than {_MAX_PAGES} pages")

    def _stopped(self, result: Rows[T], path: str, why: str) -> Rows[T]:
        reason = f"GET {path}: listing is incomplete: {why}"
        result.quarantined.append(normalise.quarantined(path, reason, at=self._clock.now()))
        return result

    # --- exchange and account -----------------------------------------------------------------------------

    async def status(self) -> wire.ExchangeStatus:
        """Whether the exchange and each of its engines trade. Answers also while the exchange is down."""
        await self.buckets.public.take(DEFAULT_COST)
        response = await self._transport.request(
            "GET", f"{self._base_url}/exchange/status", seconds=self._seconds
        )
        try:
            return wire.decode(wire.ExchangeStatus, response.body)
        except MalformedError:
            if 200 <= response.status < 300:
                raise
        raise error_of(response, "GET /exchange/status", write=False)

    async def schedule(self) -> wire.Schedule:
        """Regular hours (Eastern) and planned maintenance."""
        return (await self.get(wire.ScheduleAnswer, "/exchange/schedule")).schedule

    async def user_data_as_of(self) -> Instant | None:
        """Up to when balances, orders, fills and positions read by REST are valid."""
        answer = await self.get(wire.UserDataTimestamp, "/exchange/user_data_timestamp")
        return time_of(answer.as_of_time)

    async def account_limits(self) -> wire.AccountLimits:
        """What this account may spend; the buckets are set to it."""
        limits = await self.get(wire.AccountLimits, "/account/limits", signed=True)
        self.buckets.configure(limits)
        return limits

    # --- what is listed -----------------------------------------------------------------------------------

    async def series(self, ticker: str) -> wire.Series:
        """One series: category, tags and fee formula."""
        return (await self.get(wire.SeriesAnswer, f"/series/{quote(ticker, safe='')}")).series

    async def series_list(self, category: str = "", tags: str = "") -> list[wire.Series]:
        """Every series of a category; all of them are one answer of 2.3 MB."""
        answer = await self.get(wire.SeriesList, "/series", pairs(category=category, tags=tags))
        return answer.series or []

    async def events(
        self,
        series_ticker: str,
        *,
        status: str = "open",
        min_close: Instant | None = None,
        series: Mapping[str, wire.Series] | None = None,
        starts: Mapping[str, Instant] | None = None,
    ) -> Rows[MarketListed]:
        """Every market of a series by way of its events: with event titles, fee parameters, start times.

        ``min_close`` leaves out events that closed before it: settled ones reach back for months.
        """
        params = pairs(
            limit=_EVENTS_PAGE,
            series_ticker=series_ticker,
            status=status,
            with_nested_markets="true",
            min_close_ts=unix_of(min_close),
        )

        def make(rows: Iterable[msgspec.Raw], now: Instant) -> tuple[list[MarketListed], list[Quarantined]]:
            return normalise.event_rows(rows, now, "/events", series=series, starts=starts)

        return await self.pages("/events", params, lambda page: page.events, make)

    async def event(self, ticker: str, series: Mapping[str, wire.Series] | None = None) -> Rows[MarketListed]:
        """The markets of one event."""
        path = f"/events/{quote(ticker, safe='')}"
        answer = await self.get(wire.EventAnswer, path, pairs(with_nested_markets="true"))
        now = self._clock.now()
        rows, bad = normalise.event_rows([answer.event], now, path, series=series)
        if not rows and answer.markets:
            event = wire.decode(wire.Event, answer.event)
            rows, bad = normalise.market_rows(answer.markets, now, path, event=event, series=series)
        return Rows(rows, bad)

    async def markets(
        self,
        *,
        series_ticker: str = "",
        event_ticker: str = "",
        tickers: Sequence[str] = (),
        status: str = "",
        combos: bool = False,
        min_close_ts: int | None = None,
        max_close_ts: int | None = None,
    ) -> Rows[MarketListed]:
        """Every market that fits. Quotes here are cached for up to 15 s: never trade on them.

        ``status`` is a filter word (unopened, open, paused, closed, settled), not a market's own status.
        An unfiltered listing is almost only combos; they are excluded unless asked for.
        """
        params = pairs(
            limit=_MARKETS_PAGE,
            series_ticker=series_ticker,
            event_ticker=event_ticker,
            tickers=",".join(tickers),
            status=status,
            mve_filter="" if combos else "exclude",
            min_close_ts=min_close_ts,
            max_close_ts=max_close_ts,
        )

        def make(rows: Iterable[msgspec.Raw], now: Instant) -> tuple[list[MarketListed], list[Quarantined]]:
            return normalise.market_rows(rows, now, "/markets")

        return await self.pages("/markets", params, lambda page: page.markets, make)

    async def market(self, ticker: str) -> MarketListed:
        """One market; raises :class:`RefusedError` with code ``not_found`` for an unknown ticker."""
        answer = await self.get(wire.MarketAnswer, f"/markets/{quote(ticker, safe='')}")
        return normalise.market_listed(answer.market, self._clock.now())

    async def milestones(
        self, *, event_ticker: str = "", min_start: str = "", category: str = ""
    ) -> Rows[wire.Milestone]:
        """Real-world games, with the only official start times."""
        params = pairs(
            limit=_MILESTONES_PAGE,
            related_event_ticker=event_ticker,
            minimum_start_date=min_start,
            category=category,
        )
        return await self.pages("/milestones", params, lambda p: p.milestones, _typed(wire.Milestone))

    async def series_fee_changes(self, series_ticker: str = "") -> list[wire.SeriesFeeChange]:
        """Scheduled changes of series fees."""
        params = pairs(series_ticker=series_ticker)
        answer = await self.get(wire.SeriesFeeChanges, "/series/fee_changes", params)
        return answer.series_fee_change_arr or []

    async def event_fee_changes(self, event_ticker: str = "") -> Rows[wire.EventFeeChange]:
        """Scheduled fee overrides of events."""
        params = pairs(event_ticker=event_ticker, limit=_MARKETS_PAGE)
        make = _typed(wire.EventFeeChange)
        return await self.pages("/events/fee_changes", params, lambda p: p.event_fee_changes, make)

    # --- books, trades, candles ---------------------------------------------------------------------------

    async def book(self, ticker: str, depth: int = 0) -> BookSeen:
        """Full depth of one market, uncached. An unknown ticker gives an empty book, not an error."""
        path = f"/markets/{quote(ticker, safe='')}/orderbook"
        answer = await self.get(wire.BookAnswer, path, pairs(depth=depth or None))
        return normalise.book_seen(ticker, answer, self._clock.now())

    async def books(self, tickers: Sequence[str]) -> Rows[BookSeen]:
        """Depth of many markets, a hundred a call. A ticker without an answer is quarantined."""
        result: Rows[BookSeen] = Rows([], [])
        for first in range(0, len(tickers), _BOOKS_PER_CALL):
            asked = tickers[first : first + _BOOKS_PER_CALL]
            params = [("tickers", ticker) for ticker in asked]
            answer = await self.get(wire.BooksAnswer, "/markets/orderbooks", params)
            now = self._clock.now()
            rows, bad = normalise.book_rows(answer.orderbooks or (), now, "/markets/orderbooks")
            result.rows.extend(rows)
            result.quarantined.extend(bad)
            for ticker in sorted(set(asked) - {row.ticker for row in rows}):
                reason = f"/markets/orderbooks: no usable book for {ticker}"
                result.quarantined.append(normalise.quarantined("/markets/orderbooks", reason, at=now))
        return result

    async def trades(
        self, *, ticker: str = "", since: Instant | None = None, until: Instant | None = None
    ) -> Rows[TradeSeen]:
        """Public trades, newest first. Block trades are marked: leave them out of price logic."""
        params = pairs(limit=_MARKETS_PAGE, ticker=ticker, min_ts=unix_of(since), max_ts=unix_of(until))

        def make(rows: Iterable[msgspec.Raw], now: Instant) -> tuple[list[TradeSeen], list[Quarantined]]:
            return normalise.trade_rows(rows, now, "/markets/trades")

        return await self.pages("/markets/trades", params, lambda page: page.trades, make)

    async def candles(
        self, series_ticker: str, ticker: str, since: Instant, until: Instant, minutes: int = 1
    ) -> list[candles.Candle]:
        """Candles of one market; ``minutes`` is 1, 60 or 1440."""
        path = f"/series/{quote(series_ticker, safe='')}/markets/{quote(ticker, safe='')}/candlesticks"
        params = pairs(start_ts=unix_of(since), end_ts=unix_of(until), period_interval=minutes)
        answer = await self.get(wire.CandlesAnswer, path, params)
        return [candles.candle(row) for row in answer.candlesticks or ()]

    def __repr__(self) -> str:
        return f"KalshiClient({self._base_url!r})"


def _typed(
    kind: type[T],
) -> Callable[[Iterable[msgspec.Raw], Instant], tuple[list[T], list[Quarantined]]]:
    """Rows decoded and otherwise left as they are."""

    def make(rows: Iterable[msgspec.Raw], now: Instant) -> tuple[list[T], list[Quarantined]]:
        return normalise.each(rows, lambda raw: wire.decode(kind, raw), kind.__name__, now)

    return make


def pairs(**given: str | int | None) -> list[tuple[str, str]]:
    """Query parameters that were given: nothing for ``None`` and empty text."""
    return [(name, str(value)) for name, value in given.items() if value is not None and value != ""]


def unix_of(instant: Instant | None) -> int | None:
    """Unix seconds, as the filters of listings take them."""
    return None if instant is None else instant // SECOND
