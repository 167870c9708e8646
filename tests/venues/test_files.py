"""Files as they really come: packed, cut off, empty, or not what their name says."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import StorageError
from shared.messages import Quarantined
from shared.venues.files import capture_time, documents


def _split(path: Path) -> tuple[list[Any], list[Quarantined]]:
    found = list(documents(path))
    return (
        [d for d in found if not isinstance(d, Quarantined)],
        [d for d in found if isinstance(d, Quarantined)],
    )


def _write(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.ndjson"])
def test_lines_and_whole_documents_are_told_apart_by_content(tmp_path: Path, name: str) -> None:
    assert _split(_write(tmp_path / name, '{"a":1}\n{"a":2}\n')) == ([{"a": 1}, {"a": 2}], [])
    assert _split(_write(tmp_path / name, "[\n 1,\n 2]\n")) == ([[1, 2]], [])


def test_a_bad_line_costs_one_line(tmp_path: Path) -> None:
    good, bad = _split(_write(tmp_path / "a.jsonl", '{"a":1}\n{"a":NaN}\n\n{"a":3}\n'))
    assert good == [{"a": 1}, {"a": 3}]
    assert [b.reason.startswith("a.jsonl: line 2:") for b in bad] == [True]


def test_a_cut_off_gzip_keeps_the_lines_before_the_cut(tmp_path: Path) -> None:
    lines = [json.dumps({"n": n, "noise": str(n * 7919 % 10007) * 20}) for n in range(3000)]
    packed = gzip.compress("\n".join(lines).encode())
    good, bad = _split(_write(tmp_path / "a.jsonl.gz", packed[: len(packed) // 2]))
    assert [d["n"] for d in good] == list(range(len(good)))
    assert len(good) > 500
    assert any("cut-off gzip" in b.reason for b in bad)


def test_a_cut_off_document_keeps_its_whole_objects(tmp_path: Path) -> None:
    text = json.dumps({"markets": [{"ticker": f"T-{n}", "legs": [{"a": 1}]} for n in range(10)]})
    good, bad = _split(_write(tmp_path / "a.json", text[: len(text) * 2 // 3]))
    assert [d["ticker"] for d in good if "ticker" in d] == [f"T-{n}" for n in range(6)]
    assert "damaged JSON, rows before it kept" in bad[0].reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"  \n ", "empty file"),
        (b"<html>503</html>", "not JSON"),
        (b"\x1f\x8b\x08garbage", "gzip"),
        (b"\xff\xfe{\x00", "not JSON"),
    ],
)
def test_what_is_not_data_is_one_quarantine_record_that_names_the_file(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    good, bad = _split(_write(tmp_path / "page.json", data))
    assert good == []
    assert reason in bad[0].reason
    assert bad[0].source == "page.json"


def test_a_file_that_cannot_be_opened_is_for_a_person(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"missing\.json"):
        list(documents(tmp_path / "missing.json"))


def test_deep_nesting_is_damage_not_a_crash(tmp_path: Path) -> None:
    good, bad = _split(_write(tmp_path / "deep.json", "[" * 200_000))
    assert (good, len(bad)) == ([], 1)
    good, bad = _split(_write(tmp_path / "deep.json", '{"a":' * 100_000))
    assert (good, len(bad)) == ([], 1)


def test_csv_cells_that_hold_structures_are_read_back(tmp_path: Path) -> None:
    text = "Ticker,custom_strike,legs\nA-1,\"{'team': 'x'}\",\"[not, python]\"\n"
    good, _ = _split(_write(tmp_path / "a.csv", text))
    assert good == [{"ticker": "A-1", "custom_strike": {"team": "x"}, "legs": "[not, python]"}]


@given(data=st.binary(max_size=300), packed=st.booleans())
@settings(max_examples=150, deadline=None)
def test_no_bytes_make_the_reader_raise(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, packed: bool
) -> None:
    path = tmp_path_factory.mktemp("any") / "a.json"
    path.write_bytes(gzip.compress(data) if packed else data)
    list(documents(path))


@pytest.mark.parametrize(
    ("document", "micros"),
    [
        ({"captured_at": "2026-08-07T00:00:01Z"}, 1_786_060_801_000_000),
        ({"captured_ms": 1_786_060_801_000}, 1_786_060_801_000_000),
        ({"cached_ts": 1_786_060_801.5}, 1_786_060_801_500_000),
        ({"fetched_at": "2026-04-26", "captured_ms": True}, None),
        ({}, None),
    ],
)
def test_capture_times_are_found_under_every_recorders_name(
    document: dict[str, Any], micros: int | None
) -> None:
    assert capture_time(document) == micros
