"""The live view fits the terminal it is shown on, whatever has been counted."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console, ConsoleDimensions

from shared.cli.view import screen
from shared.money import Usd
from shared.runtime.local import Parts
from tests.execution.conftest import signal
from tests.support.rig import parts

SIZES = [(80, 24), (100, 30), (150, 45), (220, 60)]
REASONS = {
    "thin_edge": 123_456,
    "no_books": 98_765,
    "consecutive_losses": 54_321,
    "event_concentration": 9_876,
}
TITLE = "demo, season 1, 60x real time, profile very_aggressive"


@pytest.fixture
async def busy(tmp_path: Path) -> AsyncIterator[Parts]:
    made = parts(tmp_path)
    stats = made.stats
    stats.rejections.update(REASONS)
    stats.refusals.update(REASONS)
    stats.abstained.update({f"KXNFLGAME-{k}": "dates_disagree: [somebody else's]" for k in range(1_500)})
    stats.listings = stats.assessed = 1_234_567
    stats.credits_remaining = 4_999_868
    stored = made.execution.stored
    stored.seen = replace(stored.seen, fees=Usd(1_234_560_000), realized=Usd(-8_641_980_000))
    for stage in ("book change to decision", "look to decided", "look to durable", "look to answered"):
        stats.latency(stage, 998_765_000)
    for k in range(3):
        await stats.hear(signal(signal_id=f"s{k}", ticker="KXNCAAFSPREAD-26NOV21MICHMISS-MISS14"))
    yield made
    await made.bus.close()
    await made.warehouse.close()
    await made.documents.close()


def shown(made: Parts, width: int, height: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height)
    with console.capture() as captured:
        console.print(screen(made, TITLE, ConsoleDimensions(width, height)))
    return captured.get().splitlines()


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_the_view_fits_the_terminal(busy: Parts, width: int, height: int) -> None:
    lines = shown(busy, width, height)
    assert len(lines) < height
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_no_number_and_no_reason_is_cut(busy: Parts, width: int, height: int) -> None:
    text = "\n".join(shown(busy, width, height))
    for whole in (
        "1,234,567",
        "4,999,868",
        "-$9,876.54",
        "dates_disagree 1,500",
        "thin_edge 123,456",
        "999 ms",
        "net profit",
    ):
        assert whole in text
    numbers = text.partition("latest")[0].partition("\n")[2]
    assert "…" not in numbers


async def test_a_halt_is_the_first_thing_to_be_seen(busy: Parts) -> None:
    busy.executor.account.halted = "somebody: [market] looks wrong"
    assert shown(busy, 80, 24)[0].startswith("HALTED: somebody: [market] looks wrong")
