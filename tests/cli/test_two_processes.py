"""One folder, several processes: the second run is refused, everybody else may ask and may halt."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.arb import Result, finish, spawn

pytestmark = pytest.mark.e2e


def settings_of(simulator: subprocess.Popen[str]) -> dict[str, str]:
    """The settings a simulator prints, each as it would be pasted into ``.env``."""
    assert simulator.stdout is not None
    found: dict[str, str] = {}
    while "ODDS_API_KEY" not in found:
        name, _, value = simulator.stdout.readline().strip().partition("=")
        if name.isupper():
            found[name] = value
    return found


@pytest.fixture
def venues(tmp_path: Path) -> Iterator[dict[str, str]]:
    simulator = spawn(tmp_path, "sim", "--port", 0, "--seconds", 60)
    try:
        yield settings_of(simulator)
    finally:
        simulator.send_signal(signal.SIGINT)
        finish(simulator)


@pytest.fixture
def running(tmp_path: Path, venues: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A paper run on the simulated venues, with keys as for the real ones."""
    process = spawn(tmp_path, "run", "--plain", **venues)
    assert process.stderr is not None
    assert "paper on live data" in process.stderr.readline()
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def ask(folder: Path, venues: dict[str, str], *arguments: str) -> Result:
    return finish(spawn(folder, *arguments, **venues))


def test_a_second_run_is_refused_and_the_first_goes_on(
    tmp_path: Path, venues: dict[str, str], running: subprocess.Popen[str]
) -> None:
    time.sleep(2)
    second = ask(tmp_path, venues, "run", "--plain", "--seconds", "1")
    assert second.code == 2
    assert "stop the other arb that uses this DATA_DIR, or set another" in second.err
    pnl = ask(tmp_path, venues, "pnl")
    assert pnl.code == 0
    assert "arb is running" in pnl.err
    assert ask(tmp_path, venues, "halt", "enough").code == 0
    assert "enough" in json.loads(ask(tmp_path, venues, "status", "--json").out)["halted"]
    running.send_signal(signal.SIGTERM)
    first = finish(running)
    assert first.code == 0
    assert "history is in" in first.out
    after = ask(tmp_path, venues, "pnl")
    assert (after.code, after.err) == (0, "")


def test_a_key_the_exchange_does_not_know_ends_the_run_with_the_fix(
    tmp_path: Path, venues: dict[str, str]
) -> None:
    stranger = venues | {"KALSHI_KEY_ID": "00000000-0000-0000-0000-000000000000"}
    refused = ask(tmp_path, stranger, "run", "--plain", "--seconds", "20")
    assert refused.code == 2
    assert "check KALSHI_KEY_ID" in refused.err
    assert "history until then is in" in refused.err
    assert ask(tmp_path, venues, "pnl").code == 0
