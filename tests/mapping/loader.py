"""Recorded markets and odds events as messages, read with no more than the mapper's own fields."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from shared.clock import Instant, parse_instant
from shared.messages import MarketListed, OddsEvent
from shared.terms import MarketShape, StrikeType


def lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def market(row: dict[str, Any]) -> MarketListed:
    """A market from any recorded shape; unknown text fields are empty."""
    custom = row.get("custom_strike")
    return MarketListed(
        observed_at=Instant(0),
        ticker=row["ticker"],
        event_ticker=row.get("event_ticker") or row["ticker"].rpartition("-")[0],
        series_ticker=row.get("series_ticker") or "",
        shape=MarketShape(row.get("market_type", "unknown")),
        is_combo=bool(row.get("mve_collection_ticker")),
        title=row.get("title") or "",
        event_title=row.get("event_title") or "",
        event_sub_title=row.get("event_sub_title") or "",
        yes_sub_title=row.get("yes_sub_title") or "",
        rules_primary=row.get("rules_primary") or "",
        strike_type=StrikeType(row.get("strike_type") or ""),
        floor_strike=row.get("floor_strike"),
        cap_strike=row.get("cap_strike"),
        custom_strike={k: str(v) for k, v in custom.items()} if isinstance(custom, dict) else {},
    )


def event(row: dict[str, Any]) -> OddsEvent:
    return OddsEvent(
        id=row["id"],
        sport_key=row["sport_key"],
        starts_at=parse_instant(row["commence_time"]),
        home=row["home_team"],
        away=row["away_team"],
    )
