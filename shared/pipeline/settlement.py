"""Results to profit and loss, as a scheduled call: one read of the book, then what is held is asked about.

The always-on service does the same as it trades; whoever comes second finds the market paid.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import ConfigError
from shared.execution.journal import Journal
from shared.execution.stored_book import StoredBook
from shared.pipeline.settle import Settler


@dataclass(frozen=True, slots=True)
class SettlementReport:
    """What one call did: markets held before it, and how many of them were paid out."""

    held: int
    paid: int
    note: str = ""


class Settlement:
    """Settles one account whose book is in the document store."""

    def __init__(self, stored: StoredBook, settler: Settler, journal: Journal) -> None:
        self._stored, self._settler, self._journal = stored, settler, journal

    async def turn(self) -> SettlementReport:
        """Ask about everything held and pay it out.

        A payout that was booked and could not be told to history is told by the next call.
        """
        try:
            await self._stored.read()
        except ConfigError:
            return SettlementReport(0, 0, "there is no book: nothing was ever traded")
        await self._journal.tell()
        held = len(self._settler.held())
        return SettlementReport(held, await self._settler.poll())
