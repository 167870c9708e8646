"""What history says of mapping: the newest listing and the newest decision of every market."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from shared.clock import from_datetime
from shared.messages import MappingDecided, MarketListed, Message

Query = Callable[[str, Sequence[Any]], list[dict[str, Any]]]
M = TypeVar("M", bound=Message)

# Quotes change with every row and say nothing about mapping.
_TEXT = (
    "observed_at, ticker, event_ticker, series_ticker, shape, status, is_combo, title, event_title,"
    " event_sub_title, yes_sub_title, rules_primary, rules_secondary, strike_type, floor_strike,"
    " cap_strike, custom_strike, starts_at"
)
_NEWEST = "QUALIFY row_number() OVER (PARTITION BY ticker ORDER BY observed_at DESC) = 1 ORDER BY ticker"


def newest_decisions(query: Query) -> list[MappingDecided]:
    """The last decision about each market."""
    rows = query(f"SELECT * FROM mappings {_NEWEST}", ())  # noqa: S608 - our own constant
    return [_message(MappingDecided, row) for row in rows]


def newest_listings(query: Query, series_ticker: str = "") -> list[MarketListed]:
    """The last listing of each market, quotes left out; of one series if it is named."""
    where = "WHERE series_ticker = ? OR ? = ''"
    rows = query(f"SELECT {_TEXT} FROM kalshi_markets {where} {_NEWEST}", (series_ticker, series_ticker))  # noqa: S608
    return [_message(MarketListed, row) for row in rows]


def _message(kind: type[M], row: dict[str, Any]) -> M:
    return msgspec.convert(_plain(row), kind)


def _plain(value: Any) -> Any:
    """A stored value in the message's own terms: instants, mappings, and no columns without a value."""
    if isinstance(value, datetime):
        return from_datetime(value)
    if isinstance(value, dict):
        return {key: _plain(held) for key, held in value.items() if held not in (None, [])}
    if isinstance(value, list):
        if value and all(isinstance(one, dict) and one.keys() == {"key", "value"} for one in value):
            return {one["key"]: _plain(one["value"]) for one in value}
        return [_plain(one) for one in value]
    return value
