"""The venue's official SDK, of its own version of Python, trades on ``arb sim`` and knows no difference."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from shared.clock import Instant, ScaledClock
from shared.simulator.schedule import Preset
from shared.simulator.server import serve
from shared.simulator.world import World
from tests.sdk.environment import CannotInstallError, interpreter
from tests.support.arb import finish, spawn

pytestmark = [pytest.mark.e2e, pytest.mark.sdk]

_MEMBER = Path(__file__).with_name("member.py")
# A game that is over, and paid, within ten seconds at the speed below.
_SHORT = Preset(
    counts={"NFL": 1}, first_start_s=60, span_s=60, length_s=60, slate_every_s=None, determine_after_s=10,
    combos=2,
)  # fmt: skip
_SPEED = 20.0
_PATIENCE_S = 120.0


@pytest.fixture(scope="session")
def python() -> Path:
    try:
        return interpreter()
    except CannotInstallError as why:
        pytest.skip(f"the official SDK is not tried: {why}")


def _command(python: Path, base_url: str, ws_url: str, key_id: str, *steps: str) -> list[str]:
    return [str(python), str(_MEMBER), base_url, ws_url, key_id, *steps]


def _settings(simulator: subprocess.Popen[str]) -> dict[str, str]:
    """The settings that ``arb sim`` prints once it is up."""
    assert simulator.stdout is not None
    found = {}
    for line in simulator.stdout:
        name, _, value = line.strip().partition("=")
        found[name] = value
        if name == "ODDS_API_KEY":
            return found
    raise AssertionError("arb sim did not come up")


def test_every_part_of_the_sdk_that_trades_works_against_arb_sim(python: Path, tmp_path: Path) -> None:
    simulator = spawn(tmp_path, "sim", "--port", 0, "--seconds", _PATIENCE_S)
    try:
        settings = _settings(simulator)
        pem = settings["KALSHI_PRIVATE_KEY"].replace("\\n", "\n")
        addresses = (settings["KALSHI_BASE_URL"], settings["KALSHI_WS_URL"], settings["KALSHI_KEY_ID"])
        command = _command(python, *addresses, "look", "trade", "account", "group", "stream")
        done = subprocess.run(  # noqa: S603 - our own interpreter and program
            command, input=pem, capture_output=True, text=True, timeout=_PATIENCE_S
        )
    finally:
        simulator.send_signal(signal.SIGINT)
        finish(simulator)
    assert done.returncode == 0, done.stderr
    saw: dict[str, Any] = json.loads(done.stdout)
    order_id = saw.pop("order_id")
    assert (saw.pop("markets") > 300, min(saw.pop("book")) > 0) == (True, True)
    assert saw == {
        "trading": True,
        "shards": [0, 1, 2, 3],
        "schedule": 1,
        "series": "quadratic_with_maker_fees",
        "resting": ["0.00", "1.00"],
        "order": ["resting", "0.0100"],
        "amended": True,
        "decreased": "1.00",
        "canceled": "1.00",
        "taken": ["1.00", "0.00"],
        "refused": "invalid_price",
        "fills": [[order_id, "1.00", True]],
        "position": ["1.00"],
        "balance": [0, 1, 2, 3],
        "orders": 2,
        "tier": "basic",
        "scopes": ["read", "write"],
        "group": True,
        "frames": ["subscribed", "orderbook_snapshot"],
    }


async def test_the_sdk_reads_how_its_market_was_settled(python: Path) -> None:
    start = Instant(time.time_ns() // 1000)
    world, clock = World(3, start, _SHORT), ScaledClock(start, _SPEED)
    async with serve(world, clock) as urls:
        command = _command(
            python, urls.kalshi_base_url, urls.kalshi_ws_url, urls.key_id, "look", "trade", "settled"
        )
        member = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            talk = member.communicate(urls.private_key_pem.encode())
            out, err = await asyncio.wait_for(talk, _PATIENCE_S)
        finally:
            if member.returncode is None:
                member.kill()
    assert member.returncode == 0, err.decode()
    saw = json.loads(out)
    result, count, revenue = saw["settlement"]
    assert (count, revenue) == ("1.00", {"yes": 100, "no": 0}[result])
