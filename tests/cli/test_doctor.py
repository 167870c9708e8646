"""``arb doctor`` as a person runs it, against the simulated venues on sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Thread

import pytest

from shared.clock import SystemClock
from shared.simulator.auth import demo_key
from shared.simulator.schedule import SMALL
from shared.simulator.server import Urls, serve
from shared.simulator.world import World
from tests.support.arb import Result, Terminal

pytestmark = pytest.mark.e2e

_SEED = 1


@asynccontextmanager
async def _venues() -> AsyncIterator[Urls]:
    clock = SystemClock()
    async with serve(World(_SEED, clock.now(), SMALL), clock) as urls:
        urls.kalshi.add_key("brake", demo_key(_SEED)[1].public_key(), urls.account)
        yield urls


@pytest.fixture
def urls() -> Iterator[Urls]:
    """Venues in a thread of their own: the command runs a loop of its own in this one."""
    ready: Future[tuple[Urls, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        over = asyncio.Event()
        async with _venues() as urls:
            ready.set_result((urls, asyncio.get_running_loop(), over))
            await over.wait()

    thread = Thread(target=lambda: asyncio.run(run()))
    thread.start()
    urls, loop, over = ready.result(30)
    yield urls
    loop.call_soon_threadsafe(over.set)
    thread.join(10)


@pytest.fixture
def member(terminal: Terminal, urls: Urls) -> Terminal:
    """A terminal with a member's settings."""
    for name, value in {
        "KALSHI_BASE_URL": urls.kalshi_base_url,
        "KALSHI_WS_URL": urls.kalshi_ws_url,
        "KALSHI_KEY_ID": urls.key_id,
        "KALSHI_PRIVATE_KEY": urls.private_key_pem,
        "ODDS_API_BASE_URL": urls.odds_base_url,
        "ODDS_API_KEY": urls.odds_api_key,
        "LEAGUES": "nfl,nba",
    }.items():
        terminal.patch.setenv(name, value)
    return terminal


def _states(result: Result) -> dict[str, str]:
    return {row["check"]: row["state"] for row in json.loads(result.out)}


def test_a_member_with_money_and_keys_is_green(member: Terminal) -> None:
    result = member.arb("doctor", "--json")
    states = _states(result)
    assert (result.code, "bad" in states.values()) == (0, False)
    green = {"exchange", "clock", "schedule", "exchange key", "scopes", "account reads", "balance", "stream"}
    assert {check for check, state in states.items() if state == "ok"} >= green | {"odds key"}
    assert states["kill key"] == "warn"
    assert "next pause" in member.arb("doctor").out


def test_a_kill_key_of_its_own_is_looked_at(member: Terminal, urls: Urls, tmp_path: Path) -> None:
    path = tmp_path / "kill.pem"
    path.write_text(urls.private_key_pem)
    member.patch.setenv("KALSHI_KILL_KEY_ID", "brake")
    member.patch.setenv("KALSHI_KILL_PRIVATE_KEY_PATH", str(path))
    assert _states(member.arb("doctor", "--json"))["kill key"] == "ok"
    member.patch.setenv("KALSHI_KILL_KEY_ID", "nobody")
    result = member.arb("doctor", "--json")
    assert (result.code, _states(result)["kill key"]) == (1, "bad")
    path.unlink()
    rows = json.loads(member.arb("doctor", "--json").out)
    assert "KALSHI_KILL_PRIVATE_KEY_PATH" in next(r["found"] for r in rows if r["check"] == "kill key")


def test_an_empty_account_and_a_lost_scope_are_red_with_the_fix(member: Terminal, urls: Urls) -> None:
    urls.account.cash = dict.fromkeys(urls.account.cash, 0)
    urls.account.note(urls.kalshi.world.exchange.started)
    urls.kalshi.add_key(urls.key_id, demo_key(_SEED)[1].public_key(), urls.account, ("read",))
    result = member.arb("doctor", "--json")
    rows = {row["check"]: row for row in json.loads(result.out)}
    assert result.code == 1
    assert (rows["balance"]["state"], rows["scopes"]["state"]) == ("bad", "bad")
    assert "write::trade" in rows["scopes"]["fix"]


def test_an_exchange_that_is_not_there_is_red_with_keys_and_yellow_without(member: Terminal) -> None:
    member.patch.setenv("KALSHI_BASE_URL", "http://127.0.0.1:9/trade-api/v2")
    result = member.arb("doctor", "--json")
    assert (result.code, _states(result)["exchange"]) == (1, "bad")
    for name in ("KALSHI_KEY_ID", "KALSHI_PRIVATE_KEY"):
        member.patch.delenv(name)
    result = member.arb("doctor", "--json")
    assert (result.code, _states(result)["exchange"]) == (0, "warn")
