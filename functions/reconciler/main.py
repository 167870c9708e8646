"""Reconciler: called on a schedule; compares the account's book with its records, tells what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.entry import Answer, answered
from shared.worker import Skipped, worker

if TYPE_CHECKING:
    from shared.pipeline.audit import Auditor, AuditReport


async def handle(auditor: Auditor) -> AuditReport:
    """Look once."""
    return await auditor.turn()


async def _work(request: object) -> AuditReport | Skipped:
    async with worker() as parts:
        return await parts.scheduled("reconciler", request, lambda: handle(parts.auditor))


def main(request: object) -> Answer:
    """HTTP entry point of the deployed function."""
    return answered(lambda: _work(request))
