"""Odds scraper.

Called on a schedule; asks for prices only where there is a mapped market, inside the budget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.entry import Answer, answered
from shared.worker import Skipped, worker

if TYPE_CHECKING:
    from shared.pipeline.odds_scrape import OddsReport, OddsScraper


async def handle(scraper: OddsScraper) -> OddsReport:
    """One poll of the odds feed."""
    return await scraper.scrape()


async def _turn(scraper: OddsScraper) -> OddsReport:
    await scraper.slates()
    return await handle(scraper)


async def _work(request: object) -> OddsReport | Skipped:
    async with worker() as parts:
        return await parts.scheduled("odds_scraper", request, lambda: _turn(parts.odds_scraper))


def main(request: object) -> Answer:
    """HTTP entry point of the deployed function."""
    return answered(lambda: _work(request))
