"""How the exchange writes what it knows: rows of its endpoints, every number a string of fixed places."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from shared.clock import MINUTE, SECOND, Instant, format_instant
from shared.money import MICROS, Price, Quantity, complement, format_price, format_quantity
from shared.simulator.contracts import Event, Series
from shared.simulator.exchange import SHARDS, Exchange
from shared.simulator.league import League, Team
from shared.simulator.market import Market, Trade
from shared.simulator.world import Contest
from shared.terms import MarketStatus, Result

Json = dict[str, Any]

# The filter's word on the left is not the field's value.
STATUS_FILTERS: dict[str, frozenset[MarketStatus]] = {
    "unopened": frozenset({MarketStatus.INITIALIZED}),
    "open": frozenset({MarketStatus.ACTIVE}),
    "paused": frozenset({MarketStatus.INACTIVE}),
    "closed": frozenset(
        {MarketStatus.CLOSED, MarketStatus.DETERMINED, MarketStatus.DISPUTED, MarketStatus.AMENDED}
    ),
    "settled": frozenset({MarketStatus.FINALIZED}),
}


@lru_cache(maxsize=4096)
def _price(price: int) -> str:
    return format_price(Price(price))


def _count(lots: int) -> str:
    return format_quantity(Quantity(lots))


def market_row(market: Market) -> Json:
    """A market as ``/markets`` writes it. No bid is 0.0000, no ask 1.0000: only sizes tell."""
    quote, last = market.quote, market.last or 0
    bid, ask = quote.bid or 0, MICROS if quote.ask is None else quote.ask
    closes = format_instant(market.closes)
    row = market.contract.fields | {
        "status": market.status.value,
        "result": market.result.value,
        "close_time": closes,
        "expiration_time": closes,
        "latest_expiration_time": format_instant(market.contract.closes),
        "updated_time": format_instant(market.updated),
        "yes_bid_dollars": _price(bid),
        "yes_bid_size_fp": _count(quote.bid_size),
        "yes_ask_dollars": _price(ask),
        "yes_ask_size_fp": _count(quote.ask_size),
        "no_bid_dollars": _price(MICROS - ask),
        "no_ask_dollars": _price(MICROS - bid),
        "last_price_dollars": _price(last),
        "previous_yes_bid_dollars": _price(bid),
        "previous_yes_ask_dollars": _price(ask),
        "previous_price_dollars": _price(last),
        "volume_fp": _count(market.lots_traded),
        "volume_24h_fp": _count(market.lots_traded),
        "open_interest_fp": _count(market.open_interest),
    }
    return row | _settlement(market) if market.payout is not None else row


def _settlement(market: Market) -> Json:
    assert market.payout is not None  # noqa: S101 - the caller has looked
    words = {Result.YES: "yes", Result.NO: "no"}
    row: Json = {
        "settlement_value_dollars": _price(market.payout),
        "expiration_value": words.get(market.result, ""),
    }
    if market.settled_at is not None:
        row["settlement_ts"] = format_instant(market.settled_at)
    return row


def event_row(event: Event) -> Json:
    """An event without its markets."""
    return event.fields


def series_row(series: Series) -> Json:
    """A series; category and tags exist only here."""
    multiplier = series.multiplier_micro / MICROS
    return {
        "ticker": series.ticker,
        "title": series.title,
        "category": "Sports",
        "categories": ["Sports"],
        "tags": [series.league.tag],
        "frequency": "custom",
        "settlement_sources": [{"name": "the Governing League", "url": series.league.source}],
        "contract_url": f"https://example.invalid/contracts/{series.ticker}.pdf",
        "contract_terms_url": f"https://example.invalid/terms/{series.ticker}.pdf",
        "fee_type": series.fee_type.value,
        "fee_multiplier": int(multiplier) if multiplier.is_integer() else multiplier,
        "additional_prohibitions": [],
        "exchange_index": series.shard,
    }


def book_rows(market: Market | None, depth: int = 0) -> Json:
    """Bids only on both sides, ascending: the best is the last. An unknown market has an empty book."""
    if market is None:
        return {"no_dollars": [], "yes_dollars": []}
    yes, no = market.book.levels(True), market.book.levels(False)
    if depth:
        yes, no = yes[:depth], no[:depth]
    return {
        "no_dollars": [[_price(complement(price)), _count(size)] for price, size in reversed(no)],
        "yes_dollars": [[_price(price), _count(size)] for price, size in reversed(yes)],
    }


def trade_row(trade: Trade) -> Json:
    """One public trade."""
    side = "yes" if trade.taker_bid else "no"
    return {
        "trade_id": trade.id,
        "ticker": trade.ticker,
        "count_fp": _count(trade.lots),
        "created_time": format_instant(trade.at),
        "is_block_trade": False,
        "yes_price_dollars": _price(trade.price),
        "no_price_dollars": _price(MICROS - trade.price),
        "taker_side": side,
        "taker_outcome_side": side,
        "taker_book_side": "bid" if trade.taker_bid else "ask",
    }


def status_body(exchange: Exchange) -> Json:
    """``/exchange/status``: the flags on top describe shard 0 only."""
    return {
        **_activity(exchange, 0),
        "intra_exchange_transfers_active": True,
        "exchange_estimated_resume_time": None,
        "exchange_index_statuses": [
            {
                "exchange_index": shard,
                "description": description,
                **_activity(exchange, shard),
                "intra_exchange_transfers_active": True,
            }
            for shard, description in SHARDS.items()
        ],
    }


def _activity(exchange: Exchange, shard: int) -> Json:
    active = shard not in exchange.paused_shards
    return {"exchange_active": active, "trading_active": active and shard not in exchange.quiet_shards}


def milestone_row(contest: Contest) -> Json:
    """A game; ``start_date`` is the only official machine-readable start."""
    game, related = contest.game, [event.ticker for event in contest.events]
    status = "live" if contest.latent.now.played > 0 else "scheduled"
    return {
        "id": game.milestone_id,
        "category": "Sports",
        "type": game.league.milestone_type,
        "title": f"{game.away.place} at {game.home.place}",
        "start_date": format_instant(game.start),
        "end_date": None,
        "related_event_tickers": related,
        "primary_event_tickers": related[:1],
        "details": {
            "league": game.league.key,
            "home_team_id": game.home.id,
            "away_team_id": game.away.id,
            "status": status,
        },
        "source_ids": {},
        "notification_message": "",
        "last_updated_ts": format_instant(
            contest.latent.now.at if status == "live" else contest.latent.states[0].at
        ),
    }


def target_row(league: League, team: Team) -> Json:
    """The name behind a ``custom_strike`` id."""
    return {
        "id": team.id,
        "name": team.name,
        "type": league.strike_key,
        "details": {"league": league.key, "abbreviation": team.code, "short_name": team.place},
    }


def candle_rows(market: Market, start: int, end: int, minutes: int) -> list[Json]:
    """Candles that end in (start, end], Unix seconds; only periods in which something moved."""
    width = minutes * MINUTE
    periods: dict[int, tuple[list[Json], list[Trade]]] = {}
    for at, top in market.tops:
        quote = {"bid": top.bid or 0, "ask": MICROS if top.ask is None else top.ask}
        periods.setdefault(-(-at // width), ([], []))[0].append(quote)
    for trade in market.trades:
        periods.setdefault(-(-trade.at // width), ([], []))[1].append(trade)
    return [
        _candle(period * width // SECOND, *periods[period], market)
        for period in sorted(periods)
        if start < period * width // SECOND <= end
    ]


def _candle(ends: int, quotes: list[Json], trades: list[Trade], market: Market) -> Json:
    prices = [trade.price for trade in trades]
    volume = sum(trade.lots for trade in trades)
    price = _ohlc(list(prices))
    if volume:
        mean = sum(trade.price * trade.lots for trade in trades) // volume
        price["mean_dollars"] = _price(mean)
    return {
        "end_period_ts": ends,
        "yes_bid": _ohlc([quote["bid"] for quote in quotes]),
        "yes_ask": _ohlc([quote["ask"] for quote in quotes]),
        "price": price,
        "volume_fp": _count(volume),
        "open_interest_fp": _count(market.open_interest),
    }


def _ohlc(values: list[int]) -> Json:
    if not values:
        return {}
    return {
        "open_dollars": _price(values[0]),
        "low_dollars": _price(min(values)),
        "high_dollars": _price(max(values)),
        "close_dollars": _price(values[-1]),
    }


def seconds(instant: Instant) -> int:
    """Unix seconds."""
    return instant // SECOND
