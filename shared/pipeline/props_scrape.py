"""Scrapes one day's player props: raw pages first, then one message that says where they are.

Series come from the exchange's own list, markets from their events, depth a hundred books a call. A series or
a game that cannot be read is named in the report and the rest goes on; an exchange that is down is an alert,
and the bookmakers are asked all the same.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from shared.clock import DAY, Clock, Instant, format_instant, to_datetime
from shared.errors import ArbError, OperatorError
from shared.ids import digest
from shared.mapping.ticker import parse_event, split_series
from shared.messages import AlertRaised, MarketListed, PropsScraped, seal
from shared.pipeline.props_books import BookLines, PropsReport, each, known_games, remember_games
from shared.pipeline.props_days import TODAY, YESTERDAY, day_begins, day_of, is_due
from shared.pipeline.props_raw import PREFIX, RunRecorder
from shared.ports import Bus, Documents
from shared.props.series import PropSeries, discover
from shared.terms import MarketStatus
from shared.venues.kalshi import wire
from shared.venues.kalshi.client import KalshiClient
from shared.venues.kalshi.normalise import starts_by_event

BUDGET = "budgets/props"
SOURCE = "props"

_TOKENS_A_CALL = 10
_BOOKS_PER_CALL = 100
_PAST = ("open", "closed", "settled")

Listed = tuple[PropSeries, MarketListed]


class PropsScraper:
    """Scrapes one day at a time. ``pages`` are the transports of the clients, which store every answer."""

    def __init__(
        self,
        kalshi: KalshiClient,
        books: BookLines | None,
        pages: Sequence[RunRecorder],
        documents: Documents,
        bus: Bus,
        clock: Clock,
        rng: random.Random,
        leagues: Sequence[str] = (),
        tokens: int = 6_000,
    ) -> None:
        """``leagues`` in lower case, empty for all; ``tokens`` of the exchange's rate limit a run may take.

        The first of ``pages`` is the exchange's.
        """
        self._kalshi, self._books, self._pages = kalshi, books, tuple(pages)
        self._documents, self._bus, self._clock, self._rng = documents, bus, clock, rng
        self._leagues, self._tokens = tuple(leagues), tokens
        self._turn = asyncio.Lock()

    async def turn(self) -> list[PropsReport]:
        """What a schedule asks for: yesterday once its results are in, today as often as a start asks for."""
        found = [await self.scrape(day, only_if_due=True) for day in (YESTERDAY, TODAY)]
        return [report for report in found if report.due]

    async def scrape(self, day: str = "", *, only_if_due: bool = False) -> PropsReport:
        """One scrape of ``day`` (a date, TODAY or YESTERDAY; empty: today, Eastern)."""
        async with self._turn:
            now = self._clock.now()
            day = day_of(day.strip(), now)
            last, games = await known_games(self._documents, day)
            if only_if_due and not is_due(last, now, [game.starts_at for game in games]):
                return PropsReport(game_date=day, due=False)
            return await self._scrape(day, now)

    async def _scrape(self, day: str, now: Instant) -> PropsReport:
        run = f"{to_datetime(now):%Y%m%dT%H%M%S}-{digest('props', day, str(now))[:8]}"
        report = PropsReport(game_date=day, run_id=run, prefix=f"{PREFIX}/{day}/{run}")
        for number, recorder in enumerate(self._pages):
            recorder.begin(f"{report.prefix}/{number}")
        markets = await self._markets(day, now, report)
        await self._depth(markets, report)
        await self._lines(day, markets, now, report)
        report.calls = self._pages[0].calls
        await self._bus.publish(PropsScraped.TOPIC, [seal(_message(report, now))])
        return report

    async def _markets(self, day: str, now: Instant, report: PropsReport) -> list[Listed]:
        """Every prop market of the day; none, with an alert, while the exchange is down."""
        begins = day_begins(day)
        try:
            listed = await self._kalshi.series_list(category="Sports")
            since = format_instant(Instant(begins - DAY))
            milestones = await self._kalshi.milestones(category="Sports", min_start=since)
        except OperatorError:
            raise
        except ArbError as exc:
            report.kalshi_available = False
            report.failed["kalshi"] = str(exc)
            await self._alert("kalshi_down", day, f"no prop ladders of {day}: {exc}", now)
            return []
        by_ticker = {series.ticker: series for series in listed}
        starts = starts_by_event(milestones.rows)
        wanted = discover(((one.ticker, one.title) for one in listed), self._leagues)
        report.series = len(wanted)
        found: list[Listed] = []
        # A day that is over has closed and settled markets too: their results are what calibration needs.
        statuses = _PAST if begins + DAY <= now else _PAST[:1]

        async def one(series: PropSeries) -> None:
            for status in statuses:
                since = None if status == "open" else begins
                found.extend(await self._of_series(series, day, status, since, by_ticker, starts))

        await each(wanted, lambda series: series.ticker, one, report)
        report.markets = len(found)
        return sorted(found, key=lambda pair: pair[1].ticker)

    async def _of_series(
        self,
        series: PropSeries,
        day: str,
        status: str,
        since: Instant | None,
        by_ticker: dict[str, wire.Series],
        starts: dict[str, Instant],
    ) -> list[Listed]:
        rows = await self._kalshi.events(
            series.ticker, status=status, min_close=since, series=by_ticker, starts=starts
        )
        return [(series, market) for market in rows.rows if day_of_event(market) == day]

    async def _depth(self, markets: Sequence[Listed], report: PropsReport) -> None:
        """Order books of the markets that trade, as far as the run's tokens reach."""
        tickers = [market.ticker for _, market in markets if market.status is MarketStatus.ACTIVE]
        calls = max(0, self._tokens - self._pages[0].calls * _TOKENS_A_CALL) // _TOKENS_A_CALL
        affordable = calls * _BOOKS_PER_CALL
        if affordable < len(tickers):
            left_out = len(tickers) - affordable
            report.failed["depth"] = f"{left_out} books not read: the run's tokens are used up"
        chunks = [tickers[at : at + _BOOKS_PER_CALL] for at in range(0, len(tickers), _BOOKS_PER_CALL)]

        async def one(chunk: list[str]) -> None:
            books = await self._kalshi.books(chunk)
            report.books += len(books.rows)

        await each(chunks[:calls], lambda chunk: f"books of {chunk[0]} and on", one, report)

    async def _lines(self, day: str, markets: Sequence[Listed], now: Instant, report: PropsReport) -> None:
        """Bookmaker lines of the day's games; the games are known to the next turn, and to one without us."""
        games = await self._books.games(markets, now, report) if self._books and markets else []
        await remember_games(self._documents, day, games, now, self._clock, self._rng)
        if not report.kalshi_available:
            games = (await known_games(self._documents, day))[1]
        if self._books is not None and games:
            await self._books.read(games, now, report)

    async def _alert(self, code: str, subject: str, text: str, now: Instant) -> None:
        alert = AlertRaised(observed_at=now, source=SOURCE, code=code, subject=subject, text=text)
        await self._bus.publish(alert.TOPIC, [seal(alert)])


def day_of_event(market: MarketListed) -> str:
    """Eastern day in a market's event ticker, empty when there is none."""
    _, rest = split_series(market.event_ticker, market.series_ticker)
    event = parse_event(rest)
    return event.day.isoformat() if event else ""


def _message(report: PropsReport, now: Instant) -> PropsScraped:
    return PropsScraped(
        observed_at=now,
        run_id=report.run_id,
        game_date=report.game_date,
        prefix=report.prefix,
        series=report.series,
        markets=report.markets,
        books=report.books,
        games=report.games,
        calls=report.calls,
        credits_used=report.spent,
        kalshi_available=report.kalshi_available,
        failed=dict(sorted(report.failed.items())),
    )
