"""The demo as real processes: it trades, it stops on Ctrl-C without a loss, and its answers agree."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from shared.backends.local.documents import SqliteDocuments
from tests.support.arb import finish, spawn
from tests.support.rig import history

pytestmark = pytest.mark.e2e


def answer(folder: Path, *arguments: str) -> Any:
    """JSON that a command prints about the newest run."""
    result = finish(spawn(folder, *arguments, "--json"))
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_a_demo_trades_and_its_books_agree_to_the_micro_dollar(tmp_path: Path) -> None:
    result = finish(
        spawn(tmp_path, "run", "--json", "--seconds", 15, "--speed", 120, "--profile", "any_edge"),
        timeout_s=90,
    )
    assert result.code == 0, result.err
    said = json.loads(result.out)
    assert said["markets"] > 500
    assert said["mapped"] > 0.9 * said["markets"]
    assert min(said["edges"], said["signals"], said["fills"]) > 0
    assert said["quarantined"] == 0
    totals, status = answer(tmp_path, "pnl")["totals"], answer(tmp_path, "status")
    assert (totals["pnl"], totals["fees"], totals["open_cost"]) == (
        said["pnl"],
        said["fees"],
        said["open_cost"],
    )
    assert (status["pnl"], status["cash"], status["unknown_orders"]) == (said["pnl"], said["cash"], [])
    filled = [one for one in answer(tmp_path, "signals", "--limit", "1000")["signals"] if one["filled_lots"]]
    story = answer(tmp_path, "why", filled[0]["signal_id"])
    assert story["mapping"]["certificate"]["evidence"]
    assert sum(fill["quantity"] for fill in story["fills"]) == filled[0]["filled_lots"]


def test_ctrl_c_ends_a_demo_cleanly_says_where_the_history_is_and_loses_nothing(tmp_path: Path) -> None:
    process = spawn(tmp_path, "run", "--plain", "--speed", 120, "--profile", "any_edge")
    assert process.stderr is not None
    first = process.stderr.readline()
    assert "state and history in" in first
    time.sleep(4)
    process.send_signal(signal.SIGINT)
    result = finish(process, timeout_s=30)
    assert result.code == 0
    assert "stopping" in result.err
    (folder,) = re.findall(r"history is in (\S+);", result.out)
    totals, status = answer(tmp_path, "pnl")["totals"], answer(tmp_path, "status")
    assert totals["pnl"] == status["pnl"]
    assert orders_in_history(tmp_path / folder) == orders_in_documents(tmp_path / folder)
    assert leftovers(tmp_path / folder) == []


def orders_in_history(folder: Path) -> dict[str, str]:
    """Last status of every order that was sent, by history."""
    rows = history(
        folder,
        "SELECT order_id, arg_max(status, (observed_at, status <> 'pending')) AS status FROM orders "
        "WHERE status <> 'rejected' GROUP BY order_id",
    )
    return {row["order_id"]: row["status"] for row in rows}


def orders_in_documents(folder: Path) -> dict[str, str]:
    """The same by the document store."""

    async def read() -> dict[str, str]:
        documents = SqliteDocuments(folder / "documents.sqlite")
        try:
            found = [document.value["order"] for document in await documents.query("orders", limit=100_000)]
        finally:
            await documents.close()
        return {order["order_id"]: order["status"] for order in found if order["status"] != "rejected"}

    return asyncio.run(read())


def leftovers(folder: Path) -> list[str]:
    """Orders whose outcome nobody knows."""
    open_states = ("pending", "submitted", "unknown")
    return [one for one, status in orders_in_documents(folder).items() if status in open_states]
