"""How long a page of 1,000 markets takes from bytes to structs and on to messages, against the standard json.

The page is made here in the exchange's shape of today: 42 fields a market, about
as large as a real one (2.1 MB).
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from benchmarks.report import Figure, Goal, Line
from benchmarks.timing import median_s
from shared.clock import Instant
from shared.venues.kalshi import wire
from shared.venues.kalshi.normalise import market_rows

GROUP = "decoding"
ROWS = 1000
NOW = Instant(1_789_000_000_000_000)


class TypedPage(msgspec.Struct):
    """A page with every row decoded at once."""

    markets: list[wire.Market]
    cursor: str = ""


def page() -> bytes:
    """A page in today's shape, with every field the exchange sends."""
    return json.dumps({"cursor": "", "markets": [market(n) for n in range(ROWS)]}).encode()


def market(number: int) -> dict[str, Any]:
    """One market: prices, sizes and texts differ by ``number``."""
    bid = number % 97 + 1
    moment = f"2026-09-29T{number % 24:02d}:15:00.{number:06d}Z"
    rules = "If the named team wins the game originally scheduled for Sep 28, 2026, then Yes. "
    prices = ("last_price", "previous_yes_bid", "previous_yes_ask", "previous_price", "notional_value")
    times = ("created", "updated", "open", "close", "expiration", "latest_expiration", "expected_expiration")
    return {
        "ticker": f"KXNFLGAME-26SEP28T{number:04d}-PHI",
        "event_ticker": f"KXNFLGAME-26SEP28T{number // 2:04d}",
        "market_type": "binary",
        "title": f"Team {number} wins",
        "yes_sub_title": f"Team {number}",
        "no_sub_title": f"Team {number}",
        "status": "active",
        "result": "",
        "exchange_index": number % 4,
        "occurrence_datetime": moment,
        "can_close_early": True,
        "early_close_condition": "This market will close and expire after a winner is declared.",
        "settlement_timer_seconds": 60,
        "settlement_bounds_type": "default",
        "expiration_value": "",
        "yes_bid_dollars": f"0.{bid:02d}00",
        "yes_bid_size_fp": f"{number}.25",
        "yes_ask_dollars": f"0.{bid + 1:02d}00",
        "yes_ask_size_fp": f"{number * 7}.00",
        "no_bid_dollars": f"0.{99 - bid:02d}00",
        "no_ask_dollars": f"0.{100 - bid:02d}00",
        "volume_fp": f"{number * 13}.77",
        "volume_24h_fp": f"{number * 3}.77",
        "open_interest_fp": f"{number * 5}.11",
        "price_level_structure": "linear_cent",
        "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}],
        "strike_type": "structured",
        "custom_strike": {"football_team": f"bc65405b-5bda-425c-b7c5-{number:012d}"},
        "rules_primary": rules * 2,
        "rules_secondary": rules * 8,
        **{f"{name}_dollars": f"0.{bid:02d}00" for name in prices},
        **{f"{name}_time": moment for name in times},
    }


def figures(quick: bool) -> list[Line]:
    """Each way of reading the page, with its ratio to ``json.loads``."""
    rounds = 10 if quick else 30
    data = page()
    typed = msgspec.json.Decoder(TypedPage)
    rows = wire.decode(wire.RowsPage, data).markets or []
    assert len(market_rows(rows, NOW, "/markets")[0]) == ROWS

    def by_row() -> object:
        return [wire.decode(wire.Market, row) for row in wire.decode(wire.RowsPage, data).markets or ()]

    def messages() -> object:
        return market_rows(wire.decode(wire.RowsPage, data).markets or (), NOW, "/markets")

    def from_json() -> object:
        return [wire.convert(wire.Market, row) for row in json.loads(data)["markets"]]

    measured = {
        "json.loads": median_s(lambda: json.loads(data), rounds),
        "json.loads, then structs": median_s(from_json, rounds),
        "typed, whole page": median_s(lambda: typed.decode(data), rounds),
        "typed, row by row (used)": median_s(by_row, rounds),
        "bytes to messages": median_s(messages, rounds),
    }
    floor = measured["json.loads"]
    return [
        Figure(
            GROUP,
            f"{name}, {ROWS:,} markets, {len(data) / 1e6:.1f} MB",
            took * 1e3,
            "ms",
            ratio=None if took == floor else floor / took,
            against="faster than json.loads",
            goal=Goal("ratio", 1.0, at_least=True) if name.endswith("(used)") else None,
        )
        for name, took in measured.items()
    ]
