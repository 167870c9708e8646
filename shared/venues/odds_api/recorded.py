"""Reads any recorded answer of the sportsbook feed into :class:`OddsSeen`, whatever envelope it was kept in.

Known envelopes: the bare list or event, lines of ``{committed_at, event}``, the historical envelope with its
``timestamp``, other recorders' ``payload`` or ``events``, and flattened CSV. Prices are decimal or American;
the event itself tells which.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.clock import Instant
from shared.errors import MalformedError
from shared.messages import OddsSeen, Quarantined
from shared.venues.files import capture_time, documents
from shared.venues.odds_api import flattened, wire
from shared.venues.odds_api.normalise import guess_format, odds_seen

_MAX_DEPTH = 40
_MAX_SAMPLE = 300

_SPORT_KEYS = {"NCAAF": "americanfootball_ncaaf", "NCAAB": "basketball_ncaab"}
_RESHAPED = {"moneyline": "h2h", "spreads": "spreads", "totals": "totals"}


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What a file held: usable events in file order, and a record of everything that was not usable."""

    events: list[OddsSeen]
    quarantined: list[Quarantined]


def read_odds(path: Path | str, observed_at: Instant | None = None) -> ReadResult:
    """Every event recorded in ``path``, with its quotes; an event polled twice appears twice.

    ``observed_at`` overrides the recorder's capture time; without either, the newest ``last_update`` or the
    epoch stands in. Damage is quarantined with the file's name. Raises :class:`StorageError` when the file
    cannot be opened.
    """
    path = Path(path)
    result = ReadResult([], [])
    for raw, seen in _events(path, result.quarantined):
        try:
            result.events.append(_message(raw, observed_at or seen))
        except MalformedError as exc:
            result.quarantined.append(_quarantined(path, str(exc), raw))
    if not result.events and not result.quarantined:
        result.quarantined.append(_quarantined(path, "no odds events in this file"))
    return result


def _message(raw: dict[str, Any], seen: Instant | None) -> OddsSeen:
    event = wire.convert(raw)
    made = odds_seen(event, seen or Instant(0), guess_format(event))
    if seen is None and made.source_at is not None:
        return odds_seen(event, made.source_at, guess_format(event))
    return made


def _quarantined(path: Path, reason: str, sample: object = "") -> Quarantined:
    text = str(sample)[:_MAX_SAMPLE]
    reason = f"{path.name}: {reason}"[:_MAX_SAMPLE]
    return Quarantined(observed_at=Instant(0), source=path.name, reason=reason, sample=text)


def _events(path: Path, damage: list[Quarantined]) -> Iterator[tuple[dict[str, Any], Instant | None]]:
    rows: list[dict[str, Any]] = []
    for document in documents(path):
        if isinstance(document, Quarantined):
            damage.append(document)
        elif flattened.is_flattened(document):
            rows.append(document)
        else:
            yield from _walk(document, path, damage)
    for event, first in flattened.gather(rows):
        yield event, capture_time(_with_numbers(first))


def _with_numbers(row: dict[str, Any]) -> dict[str, Any]:
    """Times that CSV turned into text, as numbers again."""
    return {
        k: float(v) if k.endswith("_ms") and isinstance(v, str) and v.isdigit() else v for k, v in row.items()
    }


def _walk(
    document: Any, path: Path, damage: list[Quarantined]
) -> Iterator[tuple[dict[str, Any], Instant | None]]:
    stack: list[tuple[Any, int, Instant | None]] = [(document, 0, None)]
    while stack:
        node, depth, seen = stack.pop()
        if depth > _MAX_DEPTH:
            damage.append(_quarantined(path, "nested too deep"))
            continue
        children: list[Any] = []
        if isinstance(node, dict):
            seen = capture_time(node) or seen
            if _is_event(node):
                yield node, seen
                continue
            children = list(node.values())
        elif isinstance(node, list):
            pair = _reshaped(node)
            children = node if pair is None else [pair]
        stack.extend((c, depth + 1, seen) for c in reversed(children) if isinstance(c, (dict, list)))


def _is_event(node: dict[str, Any]) -> bool:
    return isinstance(node.get("id"), str) and "commence_time" in node


def _reshaped(node: list[Any]) -> dict[str, Any] | None:
    """``[game, [one object per bookmaker]]`` of one recorder, as one event again."""
    if len(node) != 2 or not isinstance(node[0], dict) or not isinstance(node[1], list):
        return None
    game, books = node
    if not _is_event(game) or not all(isinstance(book, dict) and "bookmaker" in book for book in books):
        return None
    return {
        **game,
        "sport_key": game.get("sport_key") or _SPORT_KEYS.get(game.get("sport_title", ""), ""),
        "bookmakers": [
            {
                "key": book["bookmaker"],
                "last_update": book.get("last_update"),
                "markets": [
                    _market(book, theirs, ours) for theirs, ours in _RESHAPED.items() if theirs in book
                ],
            }
            for book in books
        ],
    }


def _market(book: dict[str, Any], theirs: str, ours: str) -> dict[str, Any]:
    outcomes = [
        {**outcome, "name": outcome.get("name") or outcome.get("team")}
        for outcome in book[theirs] or []
        if isinstance(outcome, dict)
    ]
    return {"key": ours, "outcomes": outcomes}
