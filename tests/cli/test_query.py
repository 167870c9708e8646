"""``arb query``: the views listed by their questions, and run on local history."""

from __future__ import annotations

import asyncio
import json

import pytest

from shared.backends.local.warehouse import DuckWarehouse
from shared.clock import DAY, Instant, SystemClock
from shared.messages import AccountSeen, TickSeen, seal
from shared.money import Usd
from shared.schema.views import load
from shared.terms import Side
from tests.support.arb import Terminal
from tests.support.lake import at
from tests.views.make import cents, fill, settled


@pytest.fixture
def traded(terminal: Terminal) -> Terminal:
    """A history with one market won on 2026-11-10 and one lost the day after."""
    messages = [
        fill("a", "G-1-A", Side.YES, 45, 10, fee=100_000), settled("G-1-A"),
        fill("b", "H-1-A", Side.YES, 30, 10, fee=50_000), settled("H-1-A", 0, days=1),
        AccountSeen(observed_at=at(), mode="paper", cash=Usd(5)),
    ]  # fmt: skip

    async def keep() -> None:
        warehouse = DuckWarehouse(terminal.folder / "var" / "paper", SystemClock())
        await warehouse.append([seal(message) for message in messages])
        await warehouse.close()

    asyncio.run(keep())
    (terminal.folder / "var" / "current").write_text("paper")
    return terminal


def test_without_a_name_every_written_view_is_listed_with_its_question(terminal: Terminal) -> None:
    out = terminal.arb("query").out
    written = [view for view in load() if not view.is_staging]
    assert all(view.name in out and view.question in out for view in written)
    assert "stg_fills" not in out


def test_the_list_as_json_has_staging_too(terminal: Terminal) -> None:
    listed = json.loads(terminal.arb("query", "--json").out)
    (fills,) = (view for view in listed if view["name"] == "stg_fills")
    assert (fills["reads"], len(listed)) == (["fills"], len(load()))


def test_a_view_answers_from_the_newest_run_newest_first(traded: Terminal) -> None:
    found = json.loads(traded.arb("query", "pnl_by_day", "--json").out)
    assert [(row["day"], row["pnl"]) for row in found["rows"]] == [
        ("2026-11-11", -3_050_000), ("2026-11-10", 5_400_000),
    ]  # fmt: skip
    assert (found["more"], "micro-dollars" in found["Units"]) == (False, True)


@pytest.mark.parametrize("since", ["2026-11-11", "2026-11-11T00:00Z", "2026-11-10T20:00-04:00"])
def test_only_days_since_a_moment_are_shown(traded: Terminal, since: str) -> None:
    found = json.loads(traded.arb("query", "pnl_by_day", "--json", "--since", since).out)
    assert [row["day"] for row in found["rows"]] == ["2026-11-11"]


def test_a_limit_says_that_there_is_more(traded: Terminal) -> None:
    assert json.loads(traded.arb("query", "fills_once", "--json", "--limit", 1).out)["more"]
    assert "these are 1 rows of more" in traded.arb("query", "fills_once", "--limit", 1).out


def test_a_table_is_followed_by_what_a_row_is_and_its_units(traded: Terminal) -> None:
    out = traded.arb("query", "pnl_by_sport").out
    assert "Which sports earn, after fees?" in out
    assert "NBA" in out
    assert "grain: one row per mode and league" in " ".join(out.split())
    assert "units: staked, fees" in " ".join(out.split())


def test_a_view_without_rows_says_so(traded: Terminal) -> None:
    assert "no rows" in traded.arb("query", "breaker_history").out


def test_a_view_without_a_time_can_not_be_asked_since_when(traded: Terminal) -> None:
    result = traded.arb("query", "pnl_by_sport", "--since", "2026-11-11")
    assert (result.code, "has no day and no time" in result.err) == (2, True)


def test_the_views_see_the_historys_own_time(traded: Terminal) -> None:
    """A quote of the day before is a mark still, whatever this machine's clock says by now."""
    seen = [
        fill("c", "I-1-A", Side.YES, 45, 10),
        TickSeen(observed_at=at(), ticker="I-1-A", yes_bid=cents(50), yes_ask=cents(52)),
        AccountSeen(observed_at=Instant(at() + DAY), mode="paper", cash=Usd(1)),
    ]

    async def keep() -> None:
        warehouse = DuckWarehouse(traded.folder / "var" / "paper", SystemClock())
        await warehouse.append([seal(message) for message in seen])
        await warehouse.close()

    asyncio.run(keep())
    found = json.loads(traded.arb("query", "open_positions", "--json").out)
    assert [(row["ticker"], row["value_at_bid"]) for row in found["rows"]] == [("I-1-A", 5_000_000)]
