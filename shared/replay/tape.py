"""The tape: recorded files of any kind, as one run of dated events in the order in which they were received.

Files may hold listings, odds, or stream frames; each is read by the venue's own reader. A frame file of one
market cannot prove that it is complete (the exchange numbers all markets of a subscription together), so
its book is believed from its first snapshot until a delta contradicts it.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from shared.clock import Instant
from shared.errors import ConfigError, MalformedError
from shared.messages import MarketListed, OddsSeen, Quarantined
from shared.venues.kalshi import frames
from shared.venues.kalshi.events import BookDelta, BookSnapshot
from shared.venues.kalshi.recorded import read_markets
from shared.venues.odds_api.recorded import read_odds

TapeEvent = OddsSeen | MarketListed | BookSnapshot | BookDelta

_SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv")
# At the same instant the books speak before the exchange is judged by them.
_ORDER: dict[type[TapeEvent], int] = {OddsSeen: 0, MarketListed: 1, BookSnapshot: 2, BookDelta: 3}


@dataclass(slots=True)
class Tape:
    """Events in the order of receipt, and everything that could not be used."""

    events: list[tuple[Instant, TapeEvent]] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    files: int = 0


def load(paths: Iterable[Path]) -> Tape:
    """The tape of these files and folders; raises :class:`ConfigError` if there is nothing to play."""
    tape = Tape()
    for path in _files(paths):
        tape.files += 1
        _read(path, tape)
    if not tape.events:
        reasons = "; ".join(record.reason for record in tape.quarantined[:3])
        raise ConfigError(f"nothing to replay in {tape.files} files{': ' + reasons if reasons else ''}")
    tape.events.sort(key=lambda dated: (dated[0], _ORDER[type(dated[1])]))
    return tape


def _files(paths: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise ConfigError(f"{path} does not exist")
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        found += [one for one in inside if one.is_file() and (one == path or _is_recording(one))]
    if not found:
        raise ConfigError("no recorded files (.json, .jsonl, .ndjson, .csv, also .gz) were found there")
    return found


def _is_recording(path: Path) -> bool:
    return path.name.removesuffix(".gz").endswith(_SUFFIXES)


def _read(path: Path, tape: Tape) -> None:
    if _holds_frames(path):
        tape.events += _frame_events(path, tape.quarantined)
        return
    odds, markets = read_odds(path), read_markets(path)
    tape.events += [(event.observed_at, event) for event in odds.events]
    tape.events += [(market.observed_at, market) for market in markets.markets]
    # A file of one venue holds nothing of the other: that is no damage.
    if not odds.events:
        tape.quarantined += markets.quarantined
    elif not markets.markets:
        tape.quarantined += odds.quarantined
    else:
        tape.quarantined += [*odds.quarantined, *markets.quarantined]


def _holds_frames(path: Path) -> bool:
    try:
        with _opened(path) as lines:
            head = lines.readline(4096)
    except (OSError, EOFError):
        return False
    return b'"type":"orderbook_' in head.replace(b" ", b"")


def _opened(path: Path) -> gzip.GzipFile:
    return gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb")  # type: ignore[return-value]


def _frame_events(path: Path, damage: list[Quarantined]) -> Iterator[tuple[Instant, TapeEvent]]:
    """Book frames, subscription after subscription, each in its own numbers' order.

    A recorder that reconnects gets a new subscription, whose numbers start again. A frame without a time
    takes that of the frame after it.
    """
    decoder = msgspec.json.Decoder(frames.Frame)
    subscriptions: dict[int, int] = {}
    numbered: list[tuple[int, int, BookSnapshot | BookDelta]] = []
    with _opened(path) as lines:
        for line in _lines(lines, path, damage):
            try:
                event = frames.event_of(decoder.decode(line), Instant(0), yes_priced=False)
            except (msgspec.DecodeError, MalformedError) as exc:
                damage.append(_damaged(path, str(exc), line))
                continue
            if isinstance(event, (BookSnapshot, BookDelta)):
                subscription = subscriptions.setdefault(event.sid, len(subscriptions))
                numbered.append((subscription, event.seq or 0, event))
    numbered.sort(key=lambda one: one[:2])
    later = Instant(0)
    dated: list[tuple[Instant, TapeEvent]] = []
    for _, _, event in reversed(numbered):
        moment = getattr(event, "source_at", None) or later
        later = moment
        dated.append((moment, msgspec.structs.replace(event, at=moment)))
    return reversed([one for one in dated if one[0]])


def _lines(lines: gzip.GzipFile, path: Path, damage: list[Quarantined]) -> Iterator[bytes]:
    try:
        for line in lines:
            if line.strip():
                yield line
    except (OSError, EOFError) as exc:
        damage.append(_damaged(path, f"cut off: {exc}", b""))


def _damaged(path: Path, reason: str, line: bytes) -> Quarantined:
    sample = line[:200].decode(errors="replace")
    return Quarantined(
        observed_at=Instant(0), source=path.name, reason=f"{path.name}: {reason}", sample=sample
    )
