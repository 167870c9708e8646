"""``arb cost`` and ``arb probe`` as a person calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.cloud_cycle import calls_a_minute, deployment
from shared.cli.cost import bills_of, load_measured, savings_of
from shared.cli.probe import measured
from shared.clock import SystemClock
from shared.errors import ConfigError
from shared.simulator.schedule import SMALL
from shared.simulator.server import serve
from shared.simulator.world import World
from shared.venues.latency import Target
from tests.support.arb import Terminal


def test_the_bill_has_every_way_to_operate(terminal: Terminal) -> None:
    result = terminal.arb("cost", "--json")
    data = json.loads(result.out)
    assert set(data["modes"]) == {"one minute", "ten seconds", "streaming", "streaming, one process"}
    for mode in data["modes"].values():
        assert mode["usd"] == pytest.approx(sum(item["usd"] for item in mode["items"]), abs=0.06)


def test_the_table_says_what_was_measured_and_whether_the_goal_is_met(terminal: Terminal) -> None:
    out = terminal.arb("cost").out
    assert "benchmarks.cloud_cycle" in out
    assert "the goal of $60" in out
    assert "odds feed not included" in out


def test_more_markets_cost_more(terminal: Terminal) -> None:
    few, many = (json.loads(terminal.arb("cost", "--json", "--markets", n).out) for n in ("100", "5000"))
    assert many["modes"]["one minute"]["usd"] > few["modes"]["one minute"]["usd"]


def test_a_measurement_that_is_none_is_refused(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "measured.json").write_text('{"markets": "many"}')
    with pytest.raises(ConfigError, match="no measurement"):
        load_measured(tmp_path / "measured.json")


def test_the_measurement_is_of_what_terraform_deploys() -> None:
    found = load_measured()
    assert found.deployment == deployment(), f"measure again: {found.command}"


def test_every_bill_of_the_measurement_is_positive() -> None:
    found = load_measured()
    assert all(item.usd >= 0 for bill in bills_of(found, found.markets) for item in bill.items)


def test_the_document_says_what_the_model_says() -> None:
    found = load_measured()
    text = (Path(__file__).parents[2] / "docs" / "cost.md").read_text()
    totals = " | ".join(f"**{bill.usd:,.2f}**" for bill in bills_of(found, found.markets))
    assert f"| **total** | {totals} |" in text
    for way in savings_of(found, found.markets):
        assert f"| {way.change} | {way.usd:,.2f} |" in text


@pytest.mark.parametrize(
    ("cron", "calls"),
    [("* * * * *", 1.0), ("*/5 * * * *", 0.2), ("0 6 * * *", 1 / 60), ("7 * * * 1", 1 / 60)],
)
def test_calls_are_counted_from_the_cron_line(cron: str, calls: float) -> None:
    assert calls_a_minute(cron) == pytest.approx(calls, abs=1e-4)


@pytest.mark.e2e
async def test_the_probe_measures_a_venue_that_answers_and_tells_of_one_that_does_not() -> None:
    clock = SystemClock()
    async with serve(World(7, clock.now(), SMALL), clock) as urls:
        near, gone = await measured(
            (
                Target("near", f"{urls.kalshi_base_url}/exchange/status"),
                Target("gone", "http://127.0.0.1:9/"),
            ),
            2,
            3,
        )
    assert near.answered == 8
    assert near.median_ms is not None
    assert 0 < near.median_ms < 5_000
    assert (gone.answered, gone.failed) == (0, 2)
    assert gone.error
