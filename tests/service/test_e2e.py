"""A real ``arb run`` with its API: it becomes ready, halts and resumes through it, and leaks no token."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from tests.service.test_exposition import read
from tests.support.arb import finish, spawn

TOKEN = "a-token-for-tests-0123456789"

pytestmark = pytest.mark.e2e

# Many signals soon: the test waits for one that is refused and one that is filled.
_RUN = ("run", "--plain", "--profile", "any_edge", "--speed", 120, "--api", 0, "--log-json")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = spawn(tmp_path, *_RUN, API_TOKEN=TOKEN)
    yield process
    process.kill()
    process.communicate()


def address(process: subprocess.Popen[str]) -> str:
    """Where the API listens, from the log."""
    assert process.stderr is not None
    for line in process.stderr:
        text: str = json.loads(line)["message"]
        if text.startswith("API on "):
            return text.removeprefix("API on ")
    raise AssertionError("it never said where")


def until(look: Callable[[], Any], seconds: float = 8.0) -> Any:
    """What ``look`` finds, asked again until it is something."""
    end = monotonic() + seconds
    while not (found := look()):
        assert monotonic() < end, "it did not happen"
        sleep(0.05)
    return found


def test_a_person_halts_and_resumes_a_run_from_outside(run: subprocess.Popen[str], tmp_path: Path) -> None:
    with httpx.Client(base_url=address(run), headers={"Authorization": f"Bearer {TOKEN}"}) as api:
        until(lambda: api.get("/ready").status_code == 200)
        until(lambda: api.get("/state").json()["fills"])
        halted = api.post("/halt", json={"reason": "a storm", "actor": "ann"})
        assert halted.json() == {"halted": "ann: a storm"}
        assert api.get("/ready").json()["reasons"] == ["halted: ann: a storm"]
        # What was on its way when the halt came has arrived.
        until(lambda: api.get("/risk").json()["reserved_usd"] == "0.00")
        before = api.get("/state").json()["filled_contracts"]
        until(lambda: "halt" in str(api.get("/orders?status=rejected").json()))
        assert api.get("/state").json()["filled_contracts"] == before
        wrong = api.post("/resume", json={"reason": "x", "actor": "bob", "confirm": "another storm"})
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (409, "not_confirmed")
        right = api.post("/resume", json={"reason": "over", "actor": "bob", "confirm": "ann: a storm"})
        assert right.json() == {"halted": ""}
        until(lambda: api.get("/state").json()["filled_contracts"] != before)
        metrics = read(api.get("/metrics").text)
        assert metrics["arb_fills_total"].samples[("arb_fills_total", ())] > 0
        assert sum(metrics["arb_alerts_total"].samples.values()) >= 2
    run.send_signal(signal.SIGTERM)
    result = finish(run, 10)
    assert result.code == 0
    logged = [json.loads(line) for line in result.err.splitlines()]
    assert any(line["message"] == "halted by ann: a storm" for line in logged)
    assert any(line["message"].startswith("filled: ") and line["order_id"] for line in logged)
    [log] = tmp_path.glob("var/*/arb.log")
    assert TOKEN not in result.out + result.err + log.read_text(encoding="utf-8")


def test_without_a_token_the_run_does_not_start(tmp_path: Path) -> None:
    result = finish(spawn(tmp_path, "run", "--plain", "--api", 0))
    assert result.code == 2
    assert "API_TOKEN" in result.err
    assert not (tmp_path / "var").exists()
