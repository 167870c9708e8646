"""``arb status``, ``arb halt``, ``arb resume``: one document, read and written beside a running process."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import SystemRandom
from typing import Any, TypeVar

import typer

from shared.backends.local.documents import SqliteDocuments
from shared.backends.memory.bus import DirectBus
from shared.cli.output import colored, console, escape, print_json, table, usd
from shared.cli.places import DOCUMENTS, newest
from shared.clock import SystemClock
from shared.config import load
from shared.errors import ConfigError
from shared.execution import halt as halting
from shared.execution.journal import Journal
from shared.orders.ledger import Ledger
from shared.ports import Documents
from shared.risk.account import Account

T = TypeVar("T")


def halt_command(reason: str, data_dir: Path | None) -> None:
    """Stop all trading."""
    folder = newest(data_dir)
    _with(
        folder,
        lambda documents: halting.halt(documents, SystemClock(), SystemRandom(), reason, _user()),
    )
    console.print(f"[bold red]halted[/] in {escape(str(folder))}; arb resume lets trading go on")


def resume_command(data_dir: Path | None) -> None:
    """Let trading go on, after a person has said so."""
    folder = newest(data_dir)
    reason = _with(folder, halting.halted)
    if not reason:
        console.print(f"trading in {escape(str(folder))} is not halted")
        return
    console.print(f"halted by {escape(reason)}")
    typer.confirm("Is the cause removed, and should trading go on?", abort=True)
    _with(folder, lambda documents: halting.resume(documents, SystemClock(), SystemRandom(), _user()))
    console.print("[green]resumed[/]")


def status_command(data_dir: Path | None, json: bool) -> None:
    """Halted or not, money, orders without a known outcome."""
    folder = newest(data_dir)
    found = _with(folder, _status)
    if json:
        print_json({"folder": str(folder), **found})
        return
    state = "[green]trading allowed[/]"
    if found["halted"]:
        state = f"[bold red]halted[/] by {escape(found['halted'])}"
    console.print(f"{escape(str(folder))}: {state}")
    console.print(
        f"cash {usd(found['cash'])}, open {usd(found['open_cost'])}, fees {usd(found['fees'])}, "
        f"profit {colored(found['pnl'])}"
    )
    if found["unknown_orders"]:
        rows = [(order["order_id"], order["ticker"], order["status"]) for order in found["unknown_orders"]]
        console.print(table("Orders without a known outcome", ("order", "market", "status"), rows))


async def _status(documents: Documents) -> dict[str, Any]:
    account = Account(Ledger(load().paper_bankroll_usd))
    unknown = await Journal(documents, DirectBus(), SystemClock()).restore(account)
    ledger = account.ledger
    return {
        "halted": await halting.halted(documents),
        "cash": ledger.cash,
        "open_cost": ledger.open_cost,
        "fees": ledger.fees,
        "pnl": ledger.pnl,
        "positions": {t: p.quantity for t, p in sorted(ledger.positions.items()) if p.quantity},
        "unknown_orders": [
            {"order_id": order.order_id, "ticker": order.ticker, "status": order.status} for order in unknown
        ],
    }


def _user() -> str:
    """Who asks; a container's user may have no name, and a halt must not fail for that."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


def _with(folder: Path, work: Callable[[Documents], Awaitable[T]]) -> T:
    path = folder / DOCUMENTS
    if not path.exists():
        raise ConfigError(f"{folder} holds no state; --data-dir names the folder of one run")

    async def scoped() -> T:
        documents = SqliteDocuments(path)
        try:
            return await work(documents)
        finally:
            await documents.close()

    return asyncio.run(scoped())
