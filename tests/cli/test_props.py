"""``arb props`` over a history that a day of props has written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.backends.local.warehouse import DuckWarehouse
from shared.clock import ManualClock
from shared.messages import Message, PropCompared, PropListed, PropQuoted
from tests.pipeline.test_props import day
from tests.props.build import DAY, NOW
from tests.support.arb import Terminal
from tests.support.props import PropDesk


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A run's folder with one day of one player's points."""
    desk = PropDesk(day(), ManualClock(NOW))
    await desk.run()
    kept = tmp_path / "run"
    warehouse = DuckWarehouse(kept, ManualClock(NOW))
    rows: list[Message] = [*desk.said(PropListed), *desk.said(PropQuoted), *desk.said(PropCompared)]
    await warehouse.append(rows)
    await warehouse.close()
    return kept


async def test_the_table_has_what_may_be_traded_first(folder: Path, terminal: Terminal) -> None:
    found = terminal.arb("props", "--date", DAY, "--data-dir", folder, "--json")
    rows = json.loads(found.out)["props"]
    assert found.code == 0
    assert [row["threshold"] for row in rows][-1] in (20, 25, 30)
    traded = [row["tradable"] for row in rows]
    assert traded == sorted(traded, reverse=True)
    assert {row["method"] for row in rows} == {"direct", "modelled"}
    assert {row["line"] for row in rows} == {19.5, 24.5, 29.5}


async def test_people_see_players_prices_and_reasons(folder: Path, terminal: Terminal) -> None:
    found = terminal.arb("props", "--date", DAY, "--data-dir", folder)
    assert found.code == 0
    assert "Jayson Tatum" in found.out
    assert "3 rungs of 1 ladders" in found.out


async def test_players_and_props_can_be_chosen(folder: Path, terminal: Terminal) -> None:
    for options in (("--player", "brown"), ("--prop", "assists"), ("--date", "2026-01-01")):
        found = terminal.arb("props", "--data-dir", folder, "--json", "--date", DAY, *options)
        assert json.loads(found.out)["props"] == []


async def test_today_without_ladders_shows_the_newest_day_and_says_so(
    folder: Path, terminal: Terminal
) -> None:
    found = terminal.arb("props", "--data-dir", folder)
    assert "Jayson Tatum" in found.out
    assert f"this is {DAY}" in found.err.replace("\n", " ")


async def test_a_chart_is_one_page_that_loads_nothing(
    folder: Path, terminal: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "tatum.html"
    found = terminal.arb("props", "--date", DAY, "--data-dir", folder, "--player", "tatum", "--chart", file)
    assert found.code == 0, found.err
    text = file.read_text()
    assert text.count('class="bar"') == 3
    assert text.count('class="dot"') == 8
    assert 'class="fair"' in text
    assert "http" not in text
    assert "25+ (over 24.5)" in text


async def test_a_chart_of_several_ladders_or_of_none_is_refused(folder: Path, terminal: Terminal) -> None:
    found = terminal.arb(
        "props", "--date", DAY, "--data-dir", folder, "--player", "nobody", "--chart", "x.html"
    )
    assert (found.code, "none fits" in found.err) == (2, True)


def test_without_a_run_the_command_says_what_to_do(terminal: Terminal) -> None:
    assert terminal.arb("props").code == 2
