"""What exists, what mapped, what was refused and why; and every code or template nobody has taught us yet.

Pure counting over decisions, shared by the report of a recording and the watchdog of a running system.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.mapping.ticker import parse_event, split_series
from shared.messages import MappingDecided, MarketListed
from shared.terms import MarketKind

# A dated series that ends like this prices a game, so a league we lack is worth a look.
_GAME_ENDINGS = ("GAME", "MATCH", "FIGHT", "BOUT", "SPREAD", "TOTAL", "BTTS")
_TEMPLATE = "no template fits"


@dataclass(slots=True)
class Cell:
    """Markets of one league, Eastern day and kind. ``refused`` counts by the reason's short code."""

    league: str
    day: str
    kind: MarketKind
    markets: int = 0
    mapped: int = 0
    certified: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def abstention(self) -> float:
        """Share of markets without an odds event."""
        return 1 - self.mapped / self.markets if self.markets else 0.0


@dataclass(slots=True)
class Unknown:
    """A series, a ticker's codes or a text that no table or template knows, and how often it was met.

    ``code`` is ``unknown_series``, ``unknown_code`` or ``unknown_template``.
    """

    code: str
    subject: str
    text: str
    example: str
    count: int = 0


def refusal_code(decision: MappingDecided) -> str:
    """The short code a refusal starts with; empty for a mapped market."""
    return "" if decision.odds_event_id else decision.reason.partition(":")[0]


def day_of(decision: MappingDecided) -> str:
    """Eastern day of a market's ticker, empty when it names none."""
    event = parse_event(split_series(decision.event_ticker, "")[1])
    return event.day.isoformat() if event else ""


def tally(decisions: Iterable[MappingDecided]) -> list[Cell]:
    """Counts by league, day and kind, in that order."""
    cells: dict[tuple[str, str, MarketKind], Cell] = {}
    for decision in decisions:
        key = (decision.league, day_of(decision), decision.kind)
        cell = cells.setdefault(key, Cell(*key))
        cell.markets += 1
        cell.mapped += bool(decision.odds_event_id)
        cell.certified += decision.selection is not None
        if code := refusal_code(decision):
            cell.refused[code] += 1
    return [cells[key] for key in sorted(cells)]


def unknowns(decided: Iterable[tuple[MarketListed, MappingDecided]]) -> list[Unknown]:
    """Everything unknown in these decisions, once per code and subject, most frequent first."""
    found: dict[tuple[str, str], Unknown] = {}
    for market, decision in decided:
        one = _unknown(market, decision)
        if one is not None:
            found.setdefault((one.code, one.subject), one).count += 1
    return sorted(found.values(), key=lambda one: (-one.count, one.code, one.subject))


def _unknown(market: MarketListed, decision: MappingDecided) -> Unknown | None:
    if decision.certificate is not None:
        return _unknown_template(market, decision)
    code = refusal_code(decision)
    if code == "unknown_series":
        return _unknown_series(market)
    if code == "sides_unproven":
        subject = f"{decision.league} {_codes(market)}"
        return Unknown("unknown_code", subject, decision.reason, decision.ticker)
    return None


def _unknown_template(market: MarketListed, decision: MappingDecided) -> Unknown | None:
    assert decision.certificate is not None  # noqa: S101 - the caller has looked
    problem = decision.certificate.evidence[-1]
    if not problem.startswith(_TEMPLATE):
        return None
    series, _ = split_series(market.event_ticker, market.series_ticker)
    text = f"{problem}: {market.rules_primary[:200]!r}"
    return Unknown("unknown_template", series, text, decision.ticker)


def _unknown_series(market: MarketListed) -> Unknown | None:
    series, rest = split_series(market.event_ticker, market.series_ticker)
    if parse_event(rest) is None or not series.endswith(_GAME_ENDINGS):
        return None
    text = f"series {series} prices a game and is in no table"
    return Unknown("unknown_series", series, text, market.ticker)


def _codes(market: MarketListed) -> str:
    event = parse_event(split_series(market.event_ticker, market.series_ticker)[1])
    return event.codes if event else ""
