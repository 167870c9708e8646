"""Kalshi scraper: called on a schedule; lists every market of our leagues onto ``kalshi-markets``."""

from __future__ import annotations

from shared.entry import Answer, answered
from shared.pipeline.kalshi_scrape import KalshiScraper, ScrapeReport
from shared.worker import worker


async def handle(scraper: KalshiScraper) -> ScrapeReport:
    """One poll of the exchange."""
    return await scraper.scrape()


async def _work() -> ScrapeReport:
    async with worker() as parts:
        return await handle(parts.kalshi_scraper)


def main(request: object) -> Answer:
    """HTTP entry point of the deployed function."""
    return answered(_work)
