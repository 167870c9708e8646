"""``arb kill`` as processes: the exchange in one, the kill program in another, and unreadable documents."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import SystemRandom
from typing import Any
from urllib.request import Request, urlopen

import pytest

from shared import kill
from shared.backends.local.documents import SqliteDocuments
from shared.clock import SystemClock
from shared.execution import halt
from shared.money import Price, Quantity
from shared.simulator.scenario import Fault, Kind, Scenario, dumps
from shared.terms import Side
from shared.venues.http import AiohttpTransport
from shared.venues.kalshi.client import KalshiClient
from shared.venues.kalshi.order_wire import OrderTicket, TimeInForce
from shared.venues.kalshi.sign import Signer, load_private_key
from shared.venues.kalshi.trading import KalshiTrading
from shared.venues.retry import Retry
from tests.support.arb import Terminal, finish, spawn

pytestmark = pytest.mark.e2e

_QUICK = ("--seconds", 40, "--settle", 1.5)


class Market:
    """``arb sim`` as another process, and a member who has rested orders there."""

    def __init__(self, folder: Path) -> None:
        self.process = spawn(folder, "sim", "--port", 0, "--seconds", 120)
        self.settings: dict[str, str] = {}
        assert self.process.stdout is not None
        for line in self.process.stdout:
            name, _, value = line.strip().partition("=")
            if name.isupper():
                self.settings[name] = value
            if line.startswith("faults"):
                break
        self.root = self.settings["KALSHI_BASE_URL"].removesuffix("/trade-api/v2")

    def sim(self, method: str, path: str, body: bytes | None = None) -> Any:
        """One request to the simulation's own endpoints."""
        with urlopen(Request(f"{self.root}/sim{path}", body, method=method)) as answer:  # noqa: S310 - loopback
            return json.load(answer)

    def resting(self) -> int:
        """Orders that rest, by the exchange's own books."""
        return sum(order["status"] == "resting" for order in self.sim("GET", "/truth")["orders"])


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    made = Market(tmp_path)
    try:
        yield made
    finally:
        made.process.send_signal(signal.SIGINT)
        finish(made.process)


def _rest_orders(market: Market, count: int) -> None:
    asyncio.run(_place(market.settings, count))
    assert market.resting() == count


async def _place(settings: dict[str, str], count: int) -> None:
    """Rest orders on two shards, by the client that the kill program shares nothing with."""
    clock, wire = SystemClock(), AiohttpTransport()
    signer = Signer(settings["KALSHI_KEY_ID"], load_private_key(settings["KALSHI_PRIVATE_KEY"]))
    retry = Retry(clock, SystemRandom().random)
    client = KalshiClient(wire, clock, retry, base_url=settings["KALSHI_BASE_URL"], signer=signer)
    try:
        listed = [(await client.events(series)).rows[0] for series in ("KXNFLGAME", "KXNBAGAME")]
        for number in range(count):
            row = listed[number % 2]
            assert row.exchange_index is not None
            ticket = OrderTicket(
                row.ticker, row.exchange_index, Side.YES, Price(10_000), Quantity(100), f"0-{number}",
                TimeInForce.GTC,
            )  # fmt: skip
            await KalshiTrading(client, clock).create(ticket)
    finally:
        await wire.close()


def test_arb_kill_leaves_nothing_resting_and_halts_what_it_can_reach(market: Market, tmp_path: Path) -> None:
    _rest_orders(market, 4)
    (tmp_path / "run").mkdir()

    async def halted(create: bool) -> str:
        documents = SqliteDocuments(tmp_path / "run" / "documents.sqlite")
        try:
            if create:
                await documents.create("orders/x", {"a": 1})
            return await halt.halted(documents)
        finally:
            await documents.close()

    assert asyncio.run(halted(create=True)) == ""
    killing = spawn(tmp_path, "kill", "--data-dir", "run", "--json", *_QUICK, **market.settings)
    result = finish(killing, 60)
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert (report["outcome"], report["resting"]) == ("clear", [])
    assert market.resting() == 0
    assert "trading is halted" in result.err
    assert asyncio.run(halted(create=False)).endswith("arb kill")


def test_documents_that_cannot_be_read_and_a_storm_do_not_stop_it(market: Market, tmp_path: Path) -> None:
    _rest_orders(market, 4)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "documents.sqlite").write_bytes(b"not a database" * 1000)
    storm = [
        Fault(kind=Kind.REFUSE, status=429, code="too_many_requests", share=0.3),
        Fault(kind=Kind.HTML, status=502, share=0.2),
        Fault(kind=Kind.TIMEOUT, on="write", nth=(1,)),
        Fault(kind=Kind.DROP, share=0.2),
    ]
    market.sim("PUT", "/scenario", dumps(Scenario(seed=2, faults=tuple(storm))))
    killing = spawn(tmp_path, "kill", "--data-dir", "run", *_QUICK, **market.settings)
    result = finish(killing, 90)
    assert result.code == 0, result.err
    assert "trading was not halted" in result.err
    assert "nothing rests" in result.err
    assert market.resting() == 0


def test_without_any_key_it_says_what_to_set(terminal: Terminal) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KALSHI")}
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-P", kill.__file__, "--json"],
        cwd=terminal.folder, env=kept, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert json.loads(done.stdout)["outcome"] == "cannot_act"
    assert "set KALSHI_KILL_KEY_ID" in done.stderr
