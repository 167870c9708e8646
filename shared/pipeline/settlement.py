"""Results to profit and loss, as a scheduled call: how mapped games ended, and what that pays us.

The always-on service does the same as it trades; whoever comes second finds the market paid.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import ConfigError
from shared.execution.journal import Journal
from shared.execution.stored_book import StoredBook
from shared.pipeline.results import ResultWatch
from shared.pipeline.settle import Settler


@dataclass(frozen=True, slots=True)
class SettlementReport:
    """What one call did: markets held before it, how many of them were paid out, and results told."""

    held: int
    paid: int
    results: int = 0
    note: str = ""


class Settlement:
    """Settles one account whose book is in the document store, and tells the results of all mapped games."""

    def __init__(self, stored: StoredBook, settler: Settler, journal: Journal, results: ResultWatch) -> None:
        self._stored, self._settler, self._journal, self._results = stored, settler, journal, results

    async def turn(self) -> SettlementReport:
        """Ask about everything held and pay it out; then ask how other games ended.

        A payout that was booked and could not be told to history is told by the next call.
        """
        try:
            await self._stored.read()
        except ConfigError:
            told = await self._results.poll()
            return SettlementReport(0, 0, told, "there is no book: nothing was ever traded")
        await self._journal.tell()
        held = len(self._settler.held())
        paid = await self._settler.poll()
        return SettlementReport(held, paid, await self._results.poll())
