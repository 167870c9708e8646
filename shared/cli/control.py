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
from shared.cli.output import colored, console, escape, print_json, table, usd
from shared.cli.places import DOCUMENTS, newest
from shared.clock import SystemClock
from shared.errors import ConfigError
from shared.execution import halt as halting
from shared.execution.breakers import Breakers, read_board
from shared.execution.stored_book import ACCOUNT, StoredBook
from shared.ports import Document, Documents
from shared.risk.breaker import Person, State

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
    reasons = _with(folder, _stopped_by)
    if not reasons:
        console.print(f"trading in {escape(str(folder))} is not halted, and every breaker is closed")
        return
    for reason in reasons:
        console.print(escape(reason))
    typer.confirm("Is the cause removed, and should trading go on?", abort=True)
    _with(folder, _resume)
    console.print("[green]resumed[/]")


async def _stopped_by(documents: Documents) -> list[str]:
    halted, board = await halting.halted(documents), await read_board(documents)
    open_ones = [one for one in board.breakers.values() if one.state is not State.CLOSED]
    said = [f"breaker {one.name} is {one.state}: {one.actor}: {one.reason}" for one in open_ones]
    return [*([f"halted by {halted}"] if halted else []), *said]


async def _resume(documents: Documents) -> None:
    """Lift the halt and close every breaker: a person has looked."""
    clock, rng, user = SystemClock(), SystemRandom(), _user()
    await Breakers(documents, clock, rng, user).close_all(Person(user), "arb resume")
    await halting.resume(documents, clock, rng, user)


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
    for name, state in found["breakers"].items():
        console.print(f"breaker {escape(name)} is [bold red]{escape(state)}[/]; arb resume closes it")
    if found["unknown_orders"]:
        rows = [(order["order_id"], order["ticker"], order["status"]) for order in found["unknown_orders"]]
        console.print(table("Orders without a known outcome", ("order", "market", "status"), rows))


async def _status(documents: Documents) -> dict[str, Any]:
    stored = StoredBook(documents, ACCOUNT, SystemClock(), SystemRandom())
    book = await stored.read() if await stored.exists() else stored.seen
    breakers = (await read_board(documents)).breakers
    stopped = {name: one.state.value for name, one in breakers.items() if one.state is not State.CLOSED}
    held = {ticker: one.position.quantity for ticker, one in sorted(book.holdings.items())}
    orders = [(order_id, await documents.get(f"orders/{order_id}")) for order_id in sorted(book.reserved)]
    return {
        "halted": await halting.halted(documents),
        "breakers": stopped,
        "cash": book.cash,
        "open_cost": book.open_cost,
        "fees": book.fees,
        "pnl": book.pnl,
        "positions": {ticker: quantity for ticker, quantity in held.items() if quantity},
        "unknown_orders": [
            {"order_id": order_id, "ticker": book.reserved[order_id].ticker, "status": _status_of(found)}
            for order_id, found in orders
        ],
    }


def _status_of(order: Document | None) -> str:
    return "missing" if order is None else str(order.value["order"]["status"])


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
