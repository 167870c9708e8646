"""The exchange's public endpoints: listings, books, trades, candles and games, with filters and pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.clock import SECOND, Instant, format_instant, parse_instant
from shared.errors import MalformedError
from shared.simulator.contracts import Event
from shared.simulator.kalshi_rows import (
    STATUS_FILTERS,
    book_rows,
    candle_rows,
    event_row,
    market_row,
    milestone_row,
    series_row,
    status_body,
    target_row,
    trade_row,
)
from shared.simulator.league import LEAGUES
from shared.simulator.market import Market
from shared.simulator.query import BadQuery, number, page
from shared.simulator.tickets import Refusal
from shared.simulator.web import Query, Reply, Request, Route, reply
from shared.simulator.world import Contest, World

Json = dict[str, Any]
_MAX_CANDLES = 10_000
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class PublicApi:
    """Handlers of the endpoints that need no key; :meth:`routes` says which is which."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._exchange = world.exchange

    def routes(self) -> list[Route[Reply]]:
        """Every public endpoint."""
        table: list[tuple[str, Callable[..., Reply]]] = [
            ("/exchange/status", self.status),
            ("/exchange/schedule", self.schedule),
            ("/series", self.series_list),
            ("/series/fee_changes", self.series_fee_changes),
            ("/series/{ticker}", self.series_one),
            ("/series/{ticker}/markets/{ticker}/candlesticks", self.candles_one),
            ("/events", self.events),
            ("/events/fee_changes", self.event_fee_changes),
            ("/events/{ticker}", self.event_one),
            ("/markets", self.markets),
            ("/markets/orderbooks", self.orderbooks),
            ("/markets/trades", self.trades),
            ("/markets/candlesticks", self.candles_many),
            ("/markets/{ticker}", self.market_one),
            ("/markets/{ticker}/orderbook", self.orderbook),
            ("/milestones", self.milestones),
            ("/structured_targets", self.targets),
            ("/structured_targets/{id}", self.target_one),
        ]
        return [Route("GET", pattern, handler) for pattern, handler in table]

    # --- exchange ------------------------------------------------------------------------------------------

    def status(self, _: Request, __: Query) -> Reply:
        return reply(status_body(self._exchange))

    def schedule(self, _: Request, __: Query) -> Reply:
        hours: Json = {day: [{"open_time": "00:00", "close_time": "00:00"}] for day in _WEEK}
        hours["thursday"] = [
            {"open_time": "00:00", "close_time": "03:00"},
            {"open_time": "05:00", "close_time": "00:00"},
        ]
        span = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2030-01-01T00:00:00Z"}
        return reply({"schedule": {"standard_hours": [span | hours], "maintenance_windows": []}})

    # --- series and events ---------------------------------------------------------------------------------

    def series_list(self, _: Request, query: Query) -> Reply:
        category, tags = query.one("category"), set(query.csv("tags"))
        rows = [series_row(series) for series in self._exchange.series.values()]
        rows = [
            row
            for row in rows
            if (category is None or category in row["categories"]) and (not tags or tags & set(row["tags"]))
        ]
        return reply({"series": rows})

    def series_one(self, _: Request, __: Query, ticker: str) -> Reply:
        series = self._exchange.series.get(ticker)
        if series is None:
            raise Refusal(404, "not_found")
        return reply({"series": series_row(series)})

    def series_fee_changes(self, _: Request, __: Query) -> Reply:
        return reply({"series_fee_change_arr": []})

    def event_fee_changes(self, _: Request, query: Query) -> Reply:
        limit = number(query, "limit", "GetEventFeeChanges", 100, 1, 1000)
        wanted = query.one("event_ticker")
        found = [
            event
            for event in self._exchange.events.values()
            if event.multiplier_override is not None and wanted in (None, event.ticker)
        ]
        rows, cursor = page(found, lambda event: (0, event.ticker), limit, query.one("cursor"))
        return reply({"event_fee_changes": [_fee_change(event) for event in rows], "cursor": cursor})

    def events(self, _: Request, query: Query) -> Reply:
        limit = number(query, "limit", "GetEvents", 200, 1, 200)
        rows, cursor = page(self._events(query), lambda event: (0, event.ticker), limit, query.one("cursor"))
        nested = query.flag("with_nested_markets")
        body: Json = {"events": [self._event(event, nested) for event in rows], "cursor": cursor}
        if query.flag("with_milestones"):
            tickers = {event.ticker for event in rows}
            contests = [c for c in self._world.contests if tickers & {event.ticker for event in c.events}]
            body["milestones"] = [milestone_row(contest) for contest in contests]
        return reply(body)

    def _events(self, query: Query) -> list[Event]:
        series, tickers, statuses = query.one("series_ticker"), set(query.csv("tickers")), _statuses(query)
        return [
            event
            for event in self._exchange.events.values()
            if event.game is not None
            and series in (None, event.series.ticker)
            and (not tickers or event.ticker in tickers)
            and (statuses is None or any(market.status in statuses for market in self._markets_of(event)))
        ]

    def _markets_of(self, event: Event) -> list[Market]:
        return [self._exchange.markets[contract.ticker] for contract in event.contracts]

    def _event(self, event: Event, nested: bool) -> Json:
        row = event_row(event)
        return row | {"markets": [market_row(m) for m in self._markets_of(event)]} if nested else row

    def event_one(self, _: Request, query: Query, ticker: str) -> Reply:
        event = self._exchange.events.get(ticker)
        if event is None:
            raise Refusal(404, "not_found")
        nested, without = query.flag("with_nested_markets"), query.flag("exclude_markets")
        if nested and without:
            raise Refusal(400, "invalid_parameters", "with_nested_markets and exclude_markets")
        if nested:
            return reply({"event": self._event(event, True), "markets": []})
        markets = [] if without else [market_row(market) for market in self._markets_of(event)]
        return reply({"event": event_row(event), "markets": markets})

    # --- markets -------------------------------------------------------------------------------------------

    def markets(self, _: Request, query: Query) -> Reply:
        limit = number(query, "limit", "GetMarkets", 100, 0, 1000) or 100
        rows, cursor = page(self._markets(query), _newest_first, limit, query.one("cursor"))
        return reply({"cursor": cursor, "markets": [market_row(market) for market in rows]})

    def _markets(self, query: Query) -> list[Market]:
        series, event = query.one("series_ticker"), query.one("event_ticker")
        tickers, statuses, combos = set(query.csv("tickers")), _statuses(query), query.one("mve_filter")
        spans = _spans(query)
        return [
            market
            for market in self._exchange.listing
            if series in (None, market.contract.series_ticker)
            and event in (None, market.contract.event_ticker)
            and (not tickers or market.ticker in tickers)
            and (statuses is None or market.status in statuses)
            and (combos is None or (combos == "only") == ("mve_collection_ticker" in market.contract.fields))
            and all(low <= moment(market) // SECOND <= high for moment, low, high in spans)
        ]

    def market_one(self, _: Request, __: Query, ticker: str) -> Reply:
        market = self._exchange.markets.get(ticker)
        if market is None:
            raise Refusal(404, "not_found")
        return reply({"market": market_row(market)})

    def orderbook(self, _: Request, query: Query, ticker: str) -> Reply:
        depth = number(query, "depth", "GetMarketOrderbook", 0, 0, 100)
        return reply({"orderbook_fp": book_rows(self._exchange.markets.get(ticker), depth)})

    def orderbooks(self, _: Request, query: Query) -> Reply:
        tickers = query.all("tickers")
        if not 1 <= len(tickers) <= 100:
            tag = "required" if not tickers else "max"
            key = "GetMarketOrderbooksParams.Tickers"
            raise BadQuery(
                {
                    "msg": f"Parameter validation failed for GetMarketOrderbooks: Key: '{key}' "
                    f"Error:Field validation for 'Tickers' failed on the '{tag}' tag"
                }
            )
        books = [(ticker, book_rows(self._exchange.markets.get(ticker))) for ticker in tickers]
        return reply({"orderbooks": [{"ticker": ticker, "orderbook_fp": book} for ticker, book in books]})

    def trades(self, _: Request, query: Query) -> Reply:
        limit = number(query, "limit", "GetTrades", 100, 0, 1000) or 100
        ticker = query.one("ticker")
        low = number(query, "min_ts", "GetTrades", 0, 0, 10**12)
        high = number(query, "max_ts", "GetTrades", 10**12, 0, 10**12)
        market = self._exchange.markets.get(ticker) if ticker else None
        tape = self._exchange.tape if ticker is None else (market.trades if market else ())
        kept = [] if query.flag("is_block_trade") else [t for t in tape if low <= t.at // SECOND <= high]
        rows, cursor = page(kept, lambda trade: (-trade.number, ""), limit, query.one("cursor"))
        return reply({"cursor": cursor, "trades": [trade_row(trade) for trade in rows]})

    # --- candles -------------------------------------------------------------------------------------------

    def candles_one(self, _: Request, query: Query, __: str, ticker: str) -> Reply:
        market = self._exchange.markets.get(ticker)
        if market is None:
            raise Refusal(404, "not_found")
        return reply({"ticker": ticker, "candlesticks": candle_rows(market, *_candle_span(query))})

    def candles_many(self, _: Request, query: Query) -> Reply:
        tickers = query.csv("market_tickers")
        if not 1 <= len(tickers) <= 100:
            raise Refusal(400, "invalid_parameters", "market_tickers")
        span = _candle_span(query)
        if len(tickers) * (span[1] - span[0]) / (span[2] * 60) > _MAX_CANDLES:
            raise Refusal(400, "invalid_parameters", f"more than {_MAX_CANDLES} candlesticks")
        known = [self._exchange.markets[ticker] for ticker in tickers if ticker in self._exchange.markets]
        rows = [{"market_ticker": m.ticker, "candlesticks": candle_rows(m, *span)} for m in known]
        return reply({"markets": rows})

    # --- games and names -----------------------------------------------------------------------------------

    def milestones(self, _: Request, query: Query) -> Reply:
        limit = number(query, "limit", "GetMilestones", 100, 1, 500)
        found = [contest for contest in self._world.contests if _milestone_fits(contest, query)]
        rows, cursor = page(found, lambda c: (c.game.start, c.game.milestone_id), limit, query.one("cursor"))
        return reply({"milestones": [milestone_row(contest) for contest in rows], "cursor": cursor})

    def targets(self, _: Request, query: Query) -> Reply:
        limit = number(query, "page_size", "GetStructuredTargets", 100, 1, 2000)
        ids, kind = set(query.all("ids")), query.one("type")
        found = [
            (league, team)
            for league in LEAGUES
            for team in league.teams
            if (not ids or team.id in ids) and kind in (None, league.strike_key)
        ]
        rows, cursor = page(found, lambda item: (0, item[1].id), limit, query.one("cursor"))
        return reply({"structured_targets": [target_row(*item) for item in rows], "cursor": cursor})

    def target_one(self, _: Request, __: Query, target_id: str) -> Reply:
        for league in LEAGUES:
            for team in league.teams:
                if team.id == target_id:
                    return reply({"structured_target": target_row(league, team)})
        raise Refusal(404, "not_found")


def _newest_first(market: Market) -> tuple[int, str]:
    return -market.contract.opens, market.ticker


def _statuses(query: Query) -> frozenset[object] | None:
    word = query.one("status")
    if word is None:
        return None
    found = STATUS_FILTERS.get(word)
    if found is None:
        raise Refusal(400, "invalid_status_filter")
    return frozenset(found)


def _spans(query: Query) -> list[tuple[Callable[[Market], int], int, int]]:
    moments: dict[str, Callable[[Market], int]] = {
        "created": lambda market: market.contract.opens,
        "close": lambda market: market.closes,
        "settled": lambda market: market.settled_at or 0,
        "updated": lambda market: market.updated,
    }
    spans = []
    for name, moment in moments.items():
        low, high = f"min_{name}_ts", f"max_{name}_ts"
        if query.one(low) or query.one(high):
            bounds = (
                number(query, low, "GetMarkets", 0, 0, 10**12),
                number(query, high, "GetMarkets", 10**12, 0, 10**12),
            )
            spans.append((moment, *bounds))
    return spans


def _candle_span(query: Query) -> tuple[int, int, int]:
    bounds = []
    for name in ("start_ts", "end_ts", "period_interval"):
        if query.one(name) is None:
            field = name.title().replace("_", "")
            raise BadQuery(
                {
                    "msg": "Parameter validation failed: "
                    f"Field validation for '{field}' failed on the 'required' tag"
                }
            )
        bounds.append(number(query, name, "GetMarketCandlesticks", 0, 0, 10**12))
    if bounds[2] not in (1, 60, 1440):
        raise Refusal(400, "invalid_parameters", "period_interval")
    return bounds[0], bounds[1], bounds[2]


def _milestone_fits(contest: Contest, query: Query) -> bool:
    league = contest.game.league
    wanted = {"category": "Sports", "competition": league.competition, "type": league.milestone_type}
    if any(query.one(name) not in (None, value) for name, value in wanted.items()):
        return False
    related, since = query.one("related_event_ticker"), query.one("minimum_start_date")
    if related is not None and related not in {event.ticker for event in contest.events}:
        return False
    return since is None or contest.game.start >= _date(since)


def _date(text: str) -> Instant:
    try:
        return parse_instant(text) or Instant(0)
    except MalformedError:
        raise BadQuery({"msg": "Parameter validation failed: minimum_start_date is not RFC 3339"}) from None


def _fee_change(event: Event) -> Json:
    return {
        "id": f"fee-{event.ticker}",
        "event_ticker": event.ticker,
        "series_ticker": event.series.ticker,
        "fee_type_override": event.fields["fee_type_override"],
        "fee_multiplier_override": event.multiplier_override,
        "scheduled_ts": format_instant(event.contracts[0].opens),
    }
