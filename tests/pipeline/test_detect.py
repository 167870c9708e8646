"""Detection as a handler: each signal is raised once, whoever comes second."""

from __future__ import annotations

from shared.clock import Instant
from shared.edges.board import Board
from shared.messages import OpportunityAssessed, SignalRaised, TickSeen
from shared.pipeline.detect import EdgeDetector
from tests.edges.floor import NOW, SETTINGS, mapping, market, odds
from tests.pipeline.conftest import Desk


def detector(desk: Desk) -> EdgeDetector:
    desk.clock.set(NOW)
    return EdgeDetector(Board(SETTINGS), desk.documents, desk.bus, desk.clock)


async def fed(found: EdgeDetector) -> None:
    for message in (market(), mapping(), odds()):
        await found.handle(message)


async def test_an_edge_is_assessed_and_raised(desk: Desk) -> None:
    await fed(detector(desk))
    assert any(assessed.accepted for assessed in desk.said(OpportunityAssessed))
    (signal,) = desk.said(SignalRaised)
    assert await desk.documents.get(f"signals/{signal.signal_id}") is not None


async def test_every_refusal_is_published_with_all_its_reasons(desk: Desk) -> None:
    await fed(detector(desk))
    refused = [assessed for assessed in desk.said(OpportunityAssessed) if not assessed.accepted]
    assert refused
    assert all(assessed.reasons for assessed in refused)


async def test_a_second_instance_stays_silent_about_the_same_signal(desk: Desk) -> None:
    await fed(detector(desk))
    await fed(detector(desk))
    assert len(desk.said(SignalRaised)) == 1


async def test_a_message_of_another_kind_is_nothing_to_it(desk: Desk) -> None:
    await detector(desk).handle(TickSeen(observed_at=Instant(1), ticker="A"))
    assert desk.heard == []
