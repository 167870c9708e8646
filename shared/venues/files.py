"""Reads recorded payload files: JSON, JSON lines and CSV, plain or gzipped, whole or damaged.

A file is a run of documents. Damage never raises: what comes before it is kept, and the damage itself is a
quarantine record that names the file. Only a file that cannot be opened at all raises, because then a person
must act.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from shared.clock import SECOND, Instant, parse_instant
from shared.errors import MalformedError, StorageError
from shared.messages import Quarantined

# A gzip bomb stops here; the largest recording is far below.
_MAX_BYTES = 1 << 30
_CHUNK = 4096
# Objects that may fail to parse while salvaging a cut-off document: its open envelopes and the last row.
_MAX_FAILURES = 64
_MAX_CELL = 20_000

_TIME_KEYS = (
    "captured_at", "taken_at", "captured_utc", "fetched_at", "snapshot_time", "committed_at", "recorded_at",
    "snapshot_taken_at_utc", "last_updated", "timestamp", "captured_ms", "fetched_ms", "received_ms",
    "cached_ts",
)  # fmt: skip


def documents(path: Path) -> Iterator[Any]:
    """Every document of the file: decoded JSON values, CSV rows as dictionaries, :class:`Quarantined` damage.

    Raises :class:`StorageError` when the file cannot be opened or read.
    """
    try:
        raw = path.read_bytes()
    except OSError as exc:
        raise StorageError(f"{path}: cannot be read ({exc.strerror}); check the path and its rights") from exc
    data, damage = _inflate(raw) if raw[:2] == b"\x1f\x8b" else (raw, "")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if data.strip():
        yield from _csv(path, data) if _kind(path) == "csv" else _json(path, data)
    elif not damage:
        damage = "empty file"
    if damage:
        yield _damage(path, damage)


def capture_time(document: dict[str, Any]) -> Instant | None:
    """When the recorder says it took this document, from whichever of the usual names it used."""
    for key in _TIME_KEYS:
        value = document.get(key)
        if isinstance(value, str):
            try:
                moment = parse_instant(value)
            except MalformedError:
                continue
            if moment is not None:
                return moment
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            # Milliseconds since about 1973 are over 1e11; seconds stay below until the year 5138.
            return Instant(int(value * (1000 if value > 1e11 else SECOND)))
    return None


def _kind(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).suffix.lstrip(".").lower()


def _damage(path: Path, reason: str, sample: str = "") -> Quarantined:
    return Quarantined(
        observed_at=Instant(0), source=path.name, reason=f"{path.name}: {reason}", sample=sample[:300]
    )


def _inflate(raw: bytes) -> tuple[bytes, str]:
    """Decompressed bytes of every member, and what was wrong with the rest."""
    out = bytearray()
    state = zlib.decompressobj(31)
    for start in range(0, len(raw), _CHUNK):
        chunk = raw[start : start + _CHUNK]
        while chunk:
            try:
                out += state.decompress(chunk, _MAX_BYTES + 1 - len(out))
            except zlib.error as exc:
                return bytes(out), f"damaged gzip: {exc}"
            if len(out) > _MAX_BYTES:
                return bytes(out[:_MAX_BYTES]), f"more than {_MAX_BYTES} bytes when unpacked"
            chunk = state.unused_data
            if state.eof and chunk.strip(b"\0"):
                state = zlib.decompressobj(31)
            else:
                break
    return bytes(out), "" if state.eof else "cut-off gzip: the end is missing"


def _json(path: Path, data: bytes) -> Iterator[Any]:
    try:
        yield msgspec.json.decode(data)
        return
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        whole = str(exc)
    if _kind(path) in ("jsonl", "ndjson") or _first_line_is_a_document(data):
        yield from _lines(path, data)
        return
    found = False
    for document in _salvage(data):
        found = True
        yield document
    yield _damage(path, f"not JSON: {whole}" if not found else f"damaged JSON, rows before it kept: {whole}")


def _first_line_is_a_document(data: bytes) -> bool:
    line = data.split(b"\n", 1)[0]
    try:
        return isinstance(msgspec.json.decode(line), (dict, list))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _lines(path: Path, data: bytes) -> Iterator[Any]:
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            sample = line[:300].decode(errors="replace")
            yield _damage(path, f"line {number}: {exc}", sample)


def _salvage(data: bytes) -> Iterator[Any]:
    """Complete objects inside a document that is not: found by trying every opening brace in turn."""
    text = data.decode(errors="replace")
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    at, failures = text.find("{"), 0
    while at != -1 and failures < _MAX_FAILURES:
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            failures += 1
            end = at + 1
        else:
            yield value
        at = text.find("{", end)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _csv(path: Path, data: bytes) -> Iterator[Any]:
    text = data.decode(errors="replace")
    try:
        for row in csv.DictReader(io.StringIO(text, newline="")):
            yield {key.lower(): _cell(cell or "") for key, cell in row.items() if key}
    except csv.Error as exc:
        yield _damage(path, f"damaged CSV: {exc}")


def _cell(text: str) -> Any:
    """A cell as it was: structures were written in the notation of the program that wrote them."""
    if text[:1] not in ("[", "{") or len(text) > _MAX_CELL:
        return text
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text
