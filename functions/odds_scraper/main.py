"""Odds scraper.

Called on a schedule; asks for prices only where there is a mapped market, inside the budget.
"""

from __future__ import annotations

from shared.entry import Answer, answered
from shared.pipeline.odds_scrape import OddsReport, OddsScraper
from shared.worker import worker


async def handle(scraper: OddsScraper) -> OddsReport:
    """One poll of the odds feed."""
    return await scraper.scrape()


async def _work() -> OddsReport:
    async with worker() as parts:
        await parts.odds_scraper.slates()
        return await handle(parts.odds_scraper)


def main(request: object) -> Answer:
    """HTTP entry point of the deployed function."""
    return answered(_work)
