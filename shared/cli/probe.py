"""``arb probe``: how far the venues are from where this runs."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence

from shared.cli.output import console, errors, print_json, table
from shared.config import load
from shared.venues.http import AiohttpTransport
from shared.venues.latency import Latency, Target, measure, targets

# Set by deployment to the region a job runs in.
_FROM = "PROBE_FROM"
_COLUMNS = ("venue", "host", ">open ms", ">median ms", ">p90 ms", ">answered", ">failed", "error")


def probe_command(lines: int, questions: int, json: bool) -> int:
    """Measure every venue, one after the other; 1 if one did not answer at all."""
    with errors.status("measuring"):
        found = asyncio.run(measured(targets(load()), lines, questions))
    place = os.environ.get(_FROM, "here")
    if json:
        print_json({"from": place, "venues": [_data(one) for one in found]})
    else:
        rows = [tuple("" if cell is None else cell for cell in _data(one).values()) for one in found]
        console.print(table(f"from {place}", _COLUMNS, rows))
    return int(any(one.answered == 0 for one in found))


async def measured(asked: Sequence[Target], lines: int, questions: int) -> list[Latency]:
    """Every target, one at a time: two measurements at once would wait for each other."""
    return [
        await measure(
            target, lambda: AiohttpTransport(max_connections=1), time.perf_counter_ns, lines, questions
        )
        for target in asked
    ]


def _data(one: Latency) -> dict[str, object]:
    return {name: getattr(one, name) for name in Latency.__dataclass_fields__}
