"""Odds that a recorder flattened to CSV rows, gathered back into the feed's own events.

Three layouts are known: one price a row; an over and an under a row; and one row per bookmaker with the
moneyline, spread and total in columns. Rows of one event taken at one time become one event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

Row = dict[str, Any]
_Quote = tuple[str, dict[str, Any]]

_ID = ("event_id", "odds_event_id", "game_id")
_BOOK = ("bookmaker_key", "bookmaker", "book")
_LINE = ("point", "line")
_SEEN = ("snapshot_time", "fetched_at", "fetched_ms", "snapshot_taken_at_utc", "last_updated", "source_file")
_LAST_UPDATE = ("last_update", "bookmaker_last_update_utc")

_SPORT_KEYS = {
    "NBA": "basketball_nba",
    "NHL": "icehockey_nhl",
    "WNBA": "basketball_wnba",
    "BASKETBALL_WNBA": "basketball_wnba",
}


def is_flattened(row: Any) -> bool:
    """Whether a document is a CSV row with prices of one event."""
    return isinstance(row, dict) and bool(_first(row, _ID)) and _layout(row) is not None


def gather(rows: Iterable[Row]) -> Iterator[tuple[dict[str, Any], Row]]:
    """Events in the feed's shape, each with the first of its rows (for the capture time)."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((_first(row, _ID), _first(row, _SEEN)), []).append(row)
    for (identity, _), members in groups.items():
        yield _event(identity, members), members[0]


def _event(identity: str, rows: list[Row]) -> dict[str, Any]:
    books: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        layout = _layout(row)
        markets = books.setdefault(_first(row, _BOOK), {})
        for key, outcome in layout(row) if layout else ():
            market = markets.setdefault(key, {"key": key, "outcomes": []})
            if _first(row, _LAST_UPDATE):
                market["last_update"] = _first(row, _LAST_UPDATE)
            market["outcomes"].append(outcome)
    first = rows[0]
    return {
        "id": identity,
        "sport_key": first.get("sport_key") or _SPORT_KEYS.get(first.get("sport", ""), ""),
        "sport_title": first.get("sport_title") or first.get("sport") or "",
        "commence_time": first.get("commence_time") or None,
        "home_team": first.get("home_team") or None,
        "away_team": first.get("away_team") or None,
        "bookmakers": [{"key": key, "markets": list(markets.values())} for key, markets in books.items()],
    }


def _layout(row: Row) -> Callable[[Row], Iterator[_Quote]] | None:
    if "price" in row and ("outcome_name" in row or "over_under" in row):
        return _one_price
    if "over_price" in row or "over_odds" in row:
        return _over_under
    return _wide if "ml_home" in row else None


def _one_price(row: Row) -> Iterator[_Quote]:
    yield _quote(row, row["market"], row.get("outcome_name") or row.get("over_under"), row["price"])


def _over_under(row: Row) -> Iterator[_Quote]:
    market = row.get("market") or row.get("base_market", "")
    if row.get("is_alternate") == "1":
        market += "_alternate"
    for name, column in (("Over", "over"), ("Under", "under")):
        price = row.get(f"{column}_price") or row.get(f"{column}_odds")
        if price:
            yield _quote(row, market, name, price)


def _wide(row: Row) -> Iterator[_Quote]:
    home, away = row.get("home_team", ""), row.get("away_team", "")
    cells = (
        ("h2h", home, "ml_home", None),
        ("h2h", away, "ml_away", None),
        ("spreads", home, "spread_home_odds", "spread_home"),
        ("spreads", away, "spread_away_odds", "spread_away"),
        ("totals", "Over", "total_over_odds", "total_line"),
        ("totals", "Under", "total_under_odds", "total_line"),
    )
    for market, name, price, line in cells:
        if row.get(price):
            yield market, {"name": name, "price": row[price], "point": row.get(line or "") or None}


def _quote(row: Row, market: str, name: Any, price: Any) -> _Quote:
    point = _first(row, _LINE) or None
    return market, {"name": name, "price": price, "point": point, "description": row.get("player")}


def _first(row: Row, names: tuple[str, ...]) -> str:
    return next((str(row[name]) for name in names if row.get(name)), "")
