"""What log lines know about the message they belong to."""

from __future__ import annotations

import asyncio

from shared.clock import Instant
from shared.messages import Quarantined
from shared.trace import Ids, about, current


def test_outside_of_any_block_nothing_is_known() -> None:
    assert current() == {}


def test_inside_a_block_the_ids_of_the_subject_are_known_and_afterwards_those_of_the_outer_one() -> None:
    with about(Ids(trace_id="t1", order_id="o1")):
        with about(Ids(signal_id="s1", ticker="KX")):
            assert current() == {"signal_id": "s1", "ticker": "KX"}
        assert current() == {"trace_id": "t1", "order_id": "o1"}
    assert current() == {}


def test_a_message_gives_the_ids_it_has() -> None:
    with about(Quarantined(observed_at=Instant(0), source="x", reason="y", trace_id="t2")):
        assert current() == {"trace_id": "t2"}


async def test_a_task_keeps_the_subject_it_was_started_under() -> None:
    async def look() -> dict[str, str]:
        await asyncio.sleep(0)
        return current()

    with about(Ids(order_id="o1")):
        task = asyncio.create_task(look())
    assert await task == {"order_id": "o1"}
