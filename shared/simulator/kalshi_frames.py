"""Bodies of the exchange's stream messages about markets."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from shared.clock import SECOND, format_instant
from shared.ids import as_uuid, digest
from shared.money import LOTS, MICROS, Price, Quantity, complement, format_price, format_quantity
from shared.simulator.market import Market, Trade

Json = dict[str, Any]


@lru_cache(maxsize=8192)
def market_id(ticker: str) -> str:
    """The market's UUID (invented)."""
    return as_uuid(digest("market", ticker))


def snapshot_body(market: Market | None, ticker: str, yes_price: bool) -> Json:
    """Both sides in ascending order of the NO or YES price they are written in; an empty side is absent."""
    body: Json = {"market_ticker": ticker, "market_id": market_id(ticker)}
    if market is None:
        return body
    yes, no = market.book.levels(True)[::-1], market.book.levels(False)[::-1]
    if yes:
        body["yes_dollars_fp"] = [_level(price, size) for price, size in yes]
    if no:
        rows = [_level(price if yes_price else complement(price), size) for price, size in no]
        body["no_dollars_fp"] = rows[::-1] if yes_price else rows
    return body


def _level(price: Price, size: Quantity) -> list[str]:
    return [format_price(price), format_quantity(size)]


def ticker_body(market: Market) -> Json:
    """Best quotes and counters."""
    quote, updated = market.quote, market.updated
    return {
        "market_id": market_id(market.ticker),
        "market_ticker": market.ticker,
        "price_dollars": format_price(market.last or Price(0)),
        "yes_bid_dollars": format_price(quote.bid or Price(0)),
        "yes_ask_dollars": format_price(Price(MICROS) if quote.ask is None else quote.ask),
        "volume_fp": format_quantity(Quantity(market.lots_traded)),
        "open_interest_fp": format_quantity(Quantity(market.open_interest)),
        "dollar_volume": market.lots_traded // LOTS,
        "dollar_open_interest": market.open_interest // LOTS,
        "yes_bid_size_fp": format_quantity(Quantity(quote.bid_size)),
        "yes_ask_size_fp": format_quantity(Quantity(quote.ask_size)),
        "last_trade_size_fp": format_quantity(Quantity(market.last_size)),
        "ts": updated // SECOND,
        "ts_ms": updated // 1000,
        "time": format_instant(updated),
    }


def trade_body(trade: Trade) -> Json:
    """A public trade."""
    side = "yes" if trade.taker_bid else "no"
    return {
        "trade_id": trade.id,
        "market_ticker": trade.ticker,
        "yes_price_dollars": format_price(trade.price),
        "no_price_dollars": format_price(complement(trade.price)),
        "count_fp": format_quantity(Quantity(trade.lots)),
        "taker_side": side,
        "taker_outcome_side": side,
        "taker_book_side": "bid" if trade.taker_bid else "ask",
        "is_block_trade": False,
        "ts": trade.at // SECOND,
        "ts_ms": trade.at // 1000,
    }


def event_body(market: Market) -> Json:
    """The event of a market that was just created."""
    fields = market.event.fields
    return {
        "event_ticker": market.event.ticker,
        "exchange_index": market.contract.shard,
        "title": fields.get("title", ""),
        "subtitle": fields.get("sub_title", ""),
        "collateral_return_type": fields.get("collateral_return_type", ""),
        "series_ticker": market.event.series.ticker,
    }


_METADATA = (
    "title", "yes_sub_title", "no_sub_title", "rules_primary", "rules_secondary", "can_close_early",
    "event_ticker", "strike_type", "floor_strike", "custom_strike",
)  # fmt: skip


def life_body(market: Market, event_type: str) -> Json:
    """What happened to a market, with the members that belong to it."""
    body: Json = {"market_ticker": market.ticker, "event_type": event_type}
    contract = market.contract
    if event_type == "created":
        body |= {
            "exchange_index": contract.shard,
            "open_ts": contract.opens // SECOND,
            "close_ts": market.closes // SECOND,
            "price_level_structure": contract.structure,
            "additional_metadata": {
                "name": contract.fields["yes_sub_title"],
                **{name: contract.fields[name] for name in _METADATA if name in contract.fields},
            },
        }
    elif event_type in ("activated", "deactivated"):
        body["is_deactivated"] = event_type == "deactivated"
    elif event_type == "close_date_updated":
        body["close_ts"] = market.closes // SECOND
    elif event_type == "determined":
        body |= {
            "result": market.result.value,
            "settlement_value": format_price(market.payout or Price(0)),
            "determination_ts": (market.determined_at or 0) // SECOND,
        }
    elif event_type == "settled":
        body["settled_ts"] = (market.settled_at or 0) // SECOND
    return body
