"""Ports in memory, a hand-moved clock, and everything that was published, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from shared.backends.memory.bus import DirectBus
from shared.backends.memory.documents import MemoryDocuments
from shared.clock import Instant, ManualClock, parse_instant
from shared.messages import BY_TOPIC, Message

M = TypeVar("M", bound=Message)
NOW = Instant(parse_instant("2026-09-28T12:00:00Z") or 0)


@dataclass
class Desk:
    """What a pipeline room needs, and what it said."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))
    bus: DirectBus = field(default_factory=DirectBus)
    documents: MemoryDocuments = field(default_factory=MemoryDocuments)
    heard: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        async def hear(message: Message) -> None:
            self.heard.append(message)

        for topic in BY_TOPIC:
            self.bus.subscribe(topic, "test", hear)

    def said(self, kind: type[M]) -> list[M]:
        """Messages of one kind so far."""
        return [message for message in self.heard if isinstance(message, kind)]


@pytest.fixture
def desk() -> Desk:
    return Desk()
