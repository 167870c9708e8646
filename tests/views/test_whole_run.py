"""A whole run on the simulator, asked every question: the views see what it did, and earn what it earned."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.backends.local.history import open_history
from shared.clock import SystemClock
from shared.messages import MarketResolved, MarketSettled
from shared.pipeline import results
from tests.support.lake import Rows, all_views
from tests.support.rig import parts, run_until, simulated, system


@pytest.mark.e2e
async def test_every_view_answers_on_the_history_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "_SHORTEST_GAME", 0)  # the simulated games last two minutes
    told: set[str] = set()
    earned: dict[str, int] = {}

    async def note(message: object) -> None:
        if isinstance(message, MarketResolved):
            told.add(message.ticker)
        elif isinstance(message, MarketSettled):
            earned[message.ticker] = message.pnl

    async with simulated() as rig:
        made = parts(tmp_path, rig.venues, rig.clock)
        for topic in (MarketResolved.TOPIC, MarketSettled.TOPIC):
            made.bus.subscribe(topic, "test", note)
        stats = made.stats
        await run_until(system(made), lambda: stats.settled > 0 and stats.fills > 0 and bool(told))
    account = made.executor.account
    answers = _all(tmp_path)

    settled = [row for row in answers["pnl_by_market"] if row["pnl"] is not None]
    assert {row["ticker"]: row["pnl"] for row in settled} == earned
    assert answers["pnl_versus_ledger"] == []
    assert sum(row["fees"] for row in answers["pnl_by_day"]) == account.fees
    held = {name: held.quantity for name, held in account.positions.items() if held.quantity}
    assert {row["ticker"]: row["quantity"] for row in answers["open_positions"]} == held
    assert told <= {row["ticker"] for row in answers["market_results"]}
    assert sum(row["spent"] for row in answers["odds_credits_by_day"]) > 0
    for view in ("fill_quality", "latency_by_stage", "funnel_by_day", "rejections_by_day", "equity_by_day"):
        assert answers[view], view


def _all(folder: Path) -> dict[str, Rows]:
    kept = open_history(folder, SystemClock())
    try:
        return {view.name: kept.ask(view.name, all_views()) for view in all_views() if not view.is_staging}
    finally:
        kept.close()
