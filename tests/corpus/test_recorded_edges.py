"""Both venues recorded at one instant, through the whole engine, against the edges somebody else computed.

The other computation and ours agree on lines, asks and the series' half fee. They differ, by less than a cent
and a half, in the fair value: it averages every book that quotes the line with equal weight after one way of
removing the margin; ours weights sharp books, leaves out a few books (stale or outlying, one to three a
line), and takes the least favourable of four ways. It looks at YES alone, needs two books, and refuses one
game (whose names it cannot match) that our mapping certifies.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.corpus import corpus_path

pytestmark = pytest.mark.corpus

ROOT = Path(__file__).parents[2]
RAW = ("paired", "mlb_spread_total_kalshi_and_odds_api_20260820T2126Z.json")
EDGES = ("paired", "mlb_spread_total_edge_rows_20260820T2126Z.json")
_METHODS_DIFFER_BY = 0.015
_FEES_AND_METHODS_DIFFER_BY = 0.015


def replayed(seed: str) -> bytes:
    """Output of ``arb replay --json`` on the recording, in a process with its own order of sets."""
    command = [sys.executable, "-m", "shared.cli.app", "replay", str(corpus_path(*RAW)), "--json"]
    environment = {"PYTHONHASHSEED": seed, "PATH": "", "HOME": "/nonexistent"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True, timeout=60)  # noqa: S603
    return done.stdout


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return json.loads(replayed("1"))  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def expected() -> list[dict[str, Any]]:
    return json.loads(corpus_path(*EDGES).read_text())["rows"]  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def bought_yes(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["ticker"]: one for one in found["best"] if one["side"] == "yes"}


def test_every_recorded_line_is_found_at_its_ask(
    expected: list[dict[str, Any]], bought_yes: dict[str, dict[str, Any]]
) -> None:
    assert len(expected) == 23
    for row in expected:
        assert bought_yes[row["ticker"]]["ask"] == row["ask_tenths"] * 1000


def test_every_recorded_fair_value_is_within_a_cent_and_a_half(
    expected: list[dict[str, Any]], bought_yes: dict[str, dict[str, Any]]
) -> None:
    for row in expected:
        fair = bought_yes[row["ticker"]]["fair"]["probability"]
        assert fair == pytest.approx(row["fair"], abs=_METHODS_DIFFER_BY), row["ticker"]


def test_every_net_edge_has_the_recorded_sign_and_size(
    expected: list[dict[str, Any]], bought_yes: dict[str, dict[str, Any]]
) -> None:
    for row in expected:
        edge = bought_yes[row["ticker"]]["net_edge"]
        charged = row["edge_net_tenths_charged"] / 1000
        assert (edge > 0) == (charged > 0), row["ticker"]
        assert edge == pytest.approx(charged, abs=_FEES_AND_METHODS_DIFFER_BY), row["ticker"]


def test_nothing_is_worth_buying_and_every_refusal_says_why(found: dict[str, Any]) -> None:
    assert found["signals"] == found["fills"] == []
    assert all(one["reasons"] for one in found["best"])
    assert (found["events"], len(found["mapped"]), found["quarantined"]) == (217, 203, [])


def test_the_series_half_fee_is_charged(found: dict[str, Any]) -> None:
    assert found["assumed_fees"] == []


def test_the_same_recording_gives_the_same_bytes_in_another_process(found: dict[str, Any]) -> None:
    again = replayed("2")
    assert again == replayed("3")
    assert json.loads(again)["digest"] == found["digest"]
