"""Reads any recorded page of the exchange into :class:`MarketListed`, whatever envelope it was kept in.

A recording may be one answer of the API, a list of them, lines of markets, an index in CSV, or a program's
own notes with markets somewhere inside. The reader walks the document, takes every object that is a market,
and joins it with the events and series found in the same file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.clock import Instant, parse_instant
from shared.errors import MalformedError
from shared.messages import MarketListed, Quarantined
from shared.venues.files import capture_time, documents
from shared.venues.kalshi import wire
from shared.venues.kalshi.normalise import market_listed, quarantined, series_ticker

# What only a market has. A ticker alone also sits on trades, fills, candles and books.
_MARKET_SIGNS = frozenset(
    {"event_ticker", "title", "yes_sub_title", "rules_primary", "market_type", "status", "yes_ask",
     "yes_ask_dollars", "recorded", "close_time"}
)  # fmt: skip
_NOT_A_MARKET = frozenset({"trade_id", "order_id", "fill_id", "revenue", "frequency", "contract_terms_url"})

# Column and field names other recorders gave to the exchange's fields.
_RENAMED = {
    "event": "event_ticker",
    "series": "series_ticker",
    "outcome_name": "yes_sub_title",
    "yes_team": "yes_sub_title",
    "game_title": "title",
}
# The exchange's own integers never have a decimal point: with one, the value is dollars or contracts.
_FRACTIONS = {
    "yes_bid": "yes_bid_dollars",
    "yes_ask": "yes_ask_dollars",
    "last_price": "last_price_dollars",
    "volume": "volume_fp",
    "open_interest": "open_interest_fp",
}
# A CSV cell that could not be read back into a structure says nothing usable.
_STRUCTURES = ("custom_strike", "mve_selected_legs", "price_ranges")

# Real recordings nest eight deep.
_MAX_DEPTH = 40


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What a file held: usable markets in file order, and a record of everything that was not usable."""

    markets: list[MarketListed]
    quarantined: list[Quarantined]


@dataclass(slots=True)
class _Found:
    """Objects picked out of the documents, before they are joined."""

    markets: list[tuple[dict[str, Any], Instant | None, dict[str, Any]]] = field(default_factory=list)
    nameless: list[dict[str, Any]] = field(default_factory=list)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    series: dict[str, dict[str, Any]] = field(default_factory=dict)


def read_markets(path: Path | str, observed_at: Instant | None = None) -> ReadResult:
    """Every market recorded in ``path``.

    ``observed_at`` overrides the recorder's own capture time; without either, the market's last update or the
    epoch stands in. Damage is quarantined with the file's name. Raises :class:`StorageError` when the file
    cannot be opened.
    """
    path = Path(path)
    found = _Found()
    result = ReadResult([], [])
    for document in documents(path):
        if isinstance(document, Quarantined):
            result.quarantined.append(document)
        elif not _walk(document, found):
            result.quarantined.append(quarantined(path.name, f"{path.name}: nested too deep"))
    for row in found.nameless:
        result.quarantined.append(quarantined(path.name, f"{path.name}: a market without a ticker", row))
    joined = _Join(found, observed_at)
    for row, seen, around in found.markets:
        try:
            result.markets.append(joined.market(row, seen, around))
        except MalformedError as exc:
            result.quarantined.append(quarantined(path.name, f"{path.name}: {exc}", row))
    if not result.markets and not result.quarantined:
        result.quarantined.append(quarantined(path.name, f"{path.name}: no markets in this file"))
    return result


def _walk(document: Any, found: _Found) -> bool:
    """Collect markets, events and series in document order; False if some of it was nested too deep."""
    complete = True
    stack: list[tuple[Any, int, Instant | None, dict[str, Any]]] = [(document, 0, None, {})]
    while stack:
        node, depth, seen, around = stack.pop()
        if depth > _MAX_DEPTH:
            complete = False
            continue
        children: list[Any] = []
        if isinstance(node, dict):
            node = _renamed(node)
            seen = capture_time(node) or seen
            children = _visit(node, seen, around, found)
            around = node if "event_ticker" in node else around
        elif isinstance(node, list):
            children = node
        stack.extend((child, depth + 1, seen, around) for child in reversed(children))
    return complete


def _visit(node: dict[str, Any], seen: Instant | None, around: dict[str, Any], found: _Found) -> list[Any]:
    """Keep what ``node`` is; answer with what is left to look into."""
    if _is_market(node):
        found.markets.append((node, seen, around))
        return []
    rows = node.get("markets")
    if isinstance(rows, list):
        found.nameless += [row for row in rows if _is_nameless(row)]
    if isinstance(node.get("event_ticker"), str):
        found.events.setdefault(node["event_ticker"], node)
    if "fee_multiplier" in node and isinstance(node.get("ticker"), str):
        found.series[node["ticker"]] = node
    for key, child in node.items():
        if isinstance(child, dict) and "fee_multiplier" in child and "ticker" not in child:
            found.series[key] = child
    return [child for child in node.values() if isinstance(child, (dict, list))]


def _is_market(node: dict[str, Any]) -> bool:
    if not isinstance(node.get("ticker"), str) or node.keys() & _NOT_A_MARKET:
        return False
    if not (node.keys() & _MARKET_SIGNS or node.keys() == {"ticker"}):
        return False
    return not any(_holds_a_market(child) for child in node.values())


def _is_nameless(row: Any) -> bool:
    """A row of a page of markets that says what a market says, but not which one it is."""
    if not isinstance(row, dict) or not row.keys() & _MARKET_SIGNS:
        return False
    return not isinstance(_renamed(row).get("ticker"), str) and not any(map(_holds_a_market, row.values()))


def _holds_a_market(child: Any) -> bool:
    """Whether an envelope's child is, or directly wraps, a market: then the envelope is not one."""
    if not isinstance(child, dict):
        return False
    return "ticker" in child or any(isinstance(v, dict) and "ticker" in v for v in child.values())


class _Join:
    """Turns raw rows into messages, with the event and the series each belongs to."""

    def __init__(self, found: _Found, observed_at: Instant | None) -> None:
        self._observed_at = observed_at
        self._events = dict(_typed(found.events, wire.Event, "event_ticker"))
        self._series = dict(_typed(found.series, wire.Series, "ticker"))

    def market(self, row: dict[str, Any], seen: Instant | None, around: dict[str, Any]) -> MarketListed:
        typed = wire.convert(wire.Market, _as_exchange_wrote_it(row, around))
        event = self._events.get(typed.event_ticker)
        series = self._series.get(series_ticker(typed, event))
        at = self._observed_at or seen or _updated(typed) or Instant(0)
        return market_listed(typed, at, event=event, series=series)


def _updated(row: wire.Market) -> Instant | None:
    return parse_instant(row.updated_time) if row.updated_time else None


def _typed(raw: dict[str, dict[str, Any]], kind: Any, key: str) -> Iterator[tuple[str, Any]]:
    """Typed events or series; one that does not fit is left out, its markets stand without it."""
    for name, node in raw.items():
        flat = {k: v for k, v in node.items() if v is not None and not isinstance(v, (dict, list))}
        try:
            yield name, wire.convert(kind, {**flat, key: name})
        except MalformedError:
            continue


def _as_exchange_wrote_it(row: dict[str, Any], around: dict[str, Any]) -> dict[str, Any]:
    """The row in the exchange's own shape: fractions of other recorders are dollars, blanks are nothing."""
    out = {key: value for key, value in row.items() if value is not None and value != ""}
    for name, today in _FRACTIONS.items():
        value = out.get(name)
        if isinstance(value, float) or (isinstance(value, str) and "." in value):
            out.setdefault(today, str(out.pop(name)))
    for name in _STRUCTURES:
        if isinstance(out.get(name), str):
            del out[name]
    if isinstance(around.get("event_ticker"), str):
        out.setdefault("event_ticker", around["event_ticker"])
    return out


def _renamed(node: dict[str, Any]) -> dict[str, Any]:
    if not node.keys() & _RENAMED.keys():
        return node
    out = dict(node)
    for theirs, ours in _RENAMED.items():
        if isinstance(out.get(theirs), str) and ours not in out:
            out[ours] = out.pop(theirs)
    return out
