"""Alerts and dashboards: each alert is explained, each log line that is counted is one that is written."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest

from shared.clock import Instant, ManualClock
from shared.messages import AlertRaised, seal
from shared.service.alerts import Alerter
from tests.infra.terraform import ALERTS, ROOT, alert_names, functions, log_patterns

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
DASHBOARDS = sorted((ROOT / "infra" / "dashboards").glob("*.json"))


def sections() -> set[str]:
    """Alerts the runbook has a section for."""
    return set(re.findall(r"^### `(\w+)`", RUNBOOK, re.MULTILINE))


def test_every_alert_has_a_section_in_the_runbook_and_no_section_is_about_nothing() -> None:
    assert sections() == alert_names()


def test_there_are_alerts_at_all() -> None:
    assert {"halted", "no_executor", "dead_letters", "no_listing"} <= alert_names()


async def test_an_alert_of_the_system_is_counted_by_its_code(caplog: pytest.LogCaptureFixture) -> None:
    alert = AlertRaised(observed_at=Instant(1), source="risk", code="halted", subject="x", text="because")
    with caplog.at_level(logging.INFO):
        Alerter((), ManualClock(Instant(1_800_000_000_000_000)), lambda: 0.5, lambda text: text).take(
            seal(alert)
        )
    [pattern] = log_patterns()["alerts"]
    assert [record.getMessage() for record in caplog.records if re.search(pattern, record.getMessage())]


def test_the_label_of_an_alert_is_read_by_the_same_pattern_that_counts_it() -> None:
    [extracted] = re.findall(r'REGEXP_EXTRACT\(jsonPayload\.message, \\"(.*?)\\"\)', ALERTS.read_text())
    found = re.search(extracted, "alert stream_lost: no live books for 30 s")
    assert found is not None
    assert found[1] == "stream_lost"


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_a_dashboard_has_named_tiles_that_do_not_cover_each_other(path: Any) -> None:
    board = json.loads(path.read_text())
    taken: set[tuple[int, int]] = set()
    for tile in board["mosaicLayout"]["tiles"]:
        assert tile["widget"]["title"]
        columns = range(tile.get("xPos", 0), tile.get("xPos", 0) + tile["width"])
        cells = {(x, y) for x in columns for y in range(tile["yPos"], tile["yPos"] + tile["height"])}
        assert max(columns) < board["mosaicLayout"]["columns"]
        assert not cells & taken
        taken |= cells


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_a_dashboard_shows_only_metrics_and_services_that_are_there(path: Any) -> None:
    text = path.read_text()
    assert set(re.findall(r"user/arb/(\w+)", text)) <= set(log_patterns())
    services = {name.replace("_", "-") for name in functions()}
    assert set(re.findall(r'service_name=\\"([\w-]+)\\"', text)) <= services
