"""The live view and the plain line: every state of a run can be shown, with any text from outside in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rich.console import Console

from shared.cli.output import escape
from shared.cli.view import line, screen
from shared.messages import (
    FillRecorded,
    MappingDecided,
    MarketListed,
    MarketSettled,
    OpportunityAssessed,
    OrderUpdated,
    Quarantined,
)
from shared.money import Price, Quantity, Usd
from shared.runtime.local import Parts
from shared.terms import OrderStatus, Profile, Result, Side
from tests.edges.floor import mapping, market, odds
from tests.execution.conftest import START, signal
from tests.support.rig import parts

HOSTILE = "[/bold] \x1b[2J [link=x]"


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Parts]:
    made = parts(tmp_path)
    yield made
    await made.bus.close()
    await made.warehouse.close()
    await made.resources.aclose()
    await made.documents.close()


def shown(made: Parts) -> str:
    console = Console(width=150, file=None, record=True, force_terminal=False)
    with console.capture() as captured:
        console.print(screen(made, "a [demo]", console.size))
        console.print(escape(line(made)), highlight=False, soft_wrap=True)
    return captured.get()


async def test_a_run_that_has_seen_nothing_can_be_shown(made: Parts) -> None:
    text = shown(made)
    assert "no signal yet" in text
    assert "a [demo]" in text


async def test_a_halt_is_seen_in_the_view_and_in_the_line(made: Parts) -> None:
    made.executor.account.halted = HOSTILE
    text = shown(made)
    assert text.count("HALTED: [/bold]") == 2
    assert "\x1b" not in text


async def test_everything_that_can_happen_is_counted_and_shown(made: Parts) -> None:
    order = OrderUpdated(
        observed_at=START,
        order_id="o",
        signal_id="s",
        ticker=HOSTILE,
        event_ticker="E",
        side=Side.YES,
        status=OrderStatus.REJECTED,
        limit=Price(500_000),
        quantity=Quantity(100),
        reasons=(f"{HOSTILE}: too much",),
        latency_ns={"decided": 12_000},
    )
    fill = FillRecorded(
        observed_at=START,
        fill_id="f",
        order_id="o",
        signal_id="s",
        ticker=HOSTILE,
        event_ticker="E",
        side=Side.YES,
        price=Price(500_000),
        quantity=Quantity(1_000),
        fee=Usd(200_000),
    )
    refused = OpportunityAssessed(
        observed_at=START,
        opportunity_id="o",
        ticker="T",
        event_ticker="E",
        side=Side.NO,
        profile=Profile.STANDARD,
        accepted=False,
        reasons=(f"{HOSTILE}: no",),
    )
    settled = MarketSettled(
        observed_at=START,
        ticker=HOSTILE,
        event_ticker="E",
        result=Result.NO,
        payout_yes=Price(0),
    )
    for message in (market(ticker=HOSTILE), mapping(), odds(), signal(ticker=HOSTILE), order, fill, refused,
                    settled, Quarantined(observed_at=START, source="s", reason="r", count=3)):  # fmt: skip
        await made.stats.hear(message)
    made.stats.alerts["listing"] = HOSTILE
    text = shown(made)
    stats = made.stats
    assert (stats.listings, len(stats.mapped), stats.fills, stats.quarantined) == (1, 1, 1, 3)
    assert (stats.settled, stats.orders, stats.refusals[HOSTILE]) == (1, {"rejected": 1}, 1)
    assert "10 yes at $0.50" in text
    assert "\x1b" not in text


async def test_a_market_that_is_no_longer_mapped_is_counted_as_abstained(made: Parts) -> None:
    stats = made.stats
    await stats.hear(mapping())
    refused = MappingDecided(
        observed_at=START, ticker=mapping().ticker, event_ticker="E", reason="no_event: none that day"
    )
    await stats.hear(refused)
    assert (stats.mapped, stats.top_abstentions()) == (set(), [("no_event", 1)])


async def test_a_message_nobody_counts_changes_nothing(made: Parts) -> None:
    before = line(made)
    await made.stats.hear(MarketListed(observed_at=START, ticker="T", event_ticker="E", series_ticker="S"))
    assert line(made) != before
