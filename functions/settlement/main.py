"""Settlement: called on a schedule; asks how held markets ended, pays them out, tells profit and loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.entry import Answer, answered
from shared.worker import Skipped, worker

if TYPE_CHECKING:
    from shared.pipeline.settlement import Settlement, SettlementReport


async def handle(settlement: Settlement) -> SettlementReport:
    """Settle what has ended."""
    return await settlement.turn()


async def _work(request: object) -> SettlementReport | Skipped:
    async with worker() as parts:
        return await parts.scheduled("settlement", request, lambda: handle(parts.settlement))


def main(request: object) -> Answer:
    """HTTP entry point of the deployed function."""
    return answered(lambda: _work(request))
