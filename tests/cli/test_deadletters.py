"""``arb deadletters``: look, replay, and what it says where there are none."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from shared.backends.gcp.bus import PubSubBus
from shared.clock import SystemClock
from shared.delivery import Delivery
from shared.messages import encode
from tests.support.arb import Terminal
from tests.support.backends import tick
from tests.support.deployment import kept
from tests.support.emulators import Emulators, make_topics, project


def bury(where: str) -> None:
    async def buried() -> None:
        bus = PubSubBus(where, SystemClock())
        for n in range(2):
            sent = tick(n)
            await bus.bury(
                Delivery(sent.TOPIC, encode(sent), {"event_id": sent.event_id}), "ValueError: boom"
            )
        await bus.close()

    asyncio.run(buried())


@pytest.fixture
def cloud(emulators: Emulators, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> str:
    where = project()
    make_topics(where, [("kalshi-ticks", "")])
    monkeypatch.setenv("BACKEND", "gcp")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", where)
    return where


def test_letters_are_listed_and_replayed_by_event(cloud: str, terminal: Terminal) -> None:
    bury(cloud)
    listed = json.loads(terminal.arb("deadletters", "list", "--json").out)
    assert {(one["topic"], one["reason"]) for one in listed} == {("kalshi-ticks", "ValueError: boom")}
    done = terminal.arb("deadletters", "replay", "--event", tick(1).event_id[:12], "--yes")
    assert done.code == 0
    assert "1 letters" in done.out
    assert [one.data for one in kept(cloud, "kalshi-ticks")] == [encode(tick(1))]
    assert "1 letters" in terminal.arb("deadletters", "list", "--topic", "kalshi-ticks").out


def test_on_one_machine_it_says_where_unusable_input_is(terminal: Terminal, tmp_path: Path) -> None:
    result = terminal.arb("deadletters", "list")
    assert result.code == 2
    assert "quarantine table" in result.err.replace("\n", " ")
