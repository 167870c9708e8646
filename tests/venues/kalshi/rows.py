"""A market row as the exchange sends it today, for tests to change."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from shared.clock import Instant
from shared.messages import MarketListed
from shared.venues.kalshi import wire
from shared.venues.kalshi.normalise import market_listed

NOW = Instant(1_789_000_000_000_000)

MARKET: dict[str, Any] = {
    "ticker": "KXNFLGAME-26SEP28PHICHI-PHI",
    "event_ticker": "KXNFLGAME-26SEP28PHICHI",
    "market_type": "binary",
    "title": "Philadelphia wins",
    "yes_sub_title": "Philadelphia",
    "no_sub_title": "Philadelphia",
    "status": "active",
    "result": "",
    "exchange_index": 0,
    "updated_time": "2026-09-15T20:01:06.651255Z",
    "open_time": "2026-09-15T16:16:00Z",
    "close_time": "2026-10-01T00:15:00Z",
    "expected_expiration_time": "2026-09-29T06:15:00Z",
    "occurrence_datetime": "2026-09-29T03:15:00Z",
    "yes_bid_dollars": "0.4800",
    "yes_bid_size_fp": "2.00",
    "yes_ask_dollars": "0.5000",
    "yes_ask_size_fp": "646.11",
    "last_price_dollars": "0.5000",
    "volume_fp": "1096.77",
    "open_interest_fp": "1096.77",
    "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}],
    "strike_type": "structured",
    "custom_strike": {"football_team": "bc65405b-5bda-425c-b7c5-681c382e6a5a"},
    "rules_primary": "If Philadelphia wins the Philadelphia vs Chicago Pro Football game ...",
}


def raw(row: Any) -> msgspec.Raw:
    """A value as an undecoded row."""
    return msgspec.Raw(json.dumps(row).encode())


def listed(**changes: Any) -> MarketListed:
    """The row with ``changes`` (``...`` removes a field), as our message."""
    row = {key: value for key, value in (MARKET | changes).items() if value is not ...}
    return market_listed(wire.decode(wire.Market, raw(row)), NOW)
