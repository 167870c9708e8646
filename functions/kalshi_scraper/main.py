"""Kalshi scraper: called on a schedule; lists every market of our leagues onto ``kalshi-markets``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.entry import Answer, answered
from shared.worker import Skipped, worker

if TYPE_CHECKING:
    from shared.pipeline.kalshi_scrape import KalshiScraper, ScrapeReport


async def handle(scraper: KalshiScraper) -> ScrapeReport:
    """One poll of the exchange."""
    return await scraper.scrape()


async def _work(request: object) -> ScrapeReport | Skipped:
    async with worker() as parts:
        scraper = parts.kalshi_scraper
        scraper.forget_unlisted(parts.clock.now())
        return await parts.scheduled("kalshi_scraper", request, lambda: handle(scraper))


def main(request: object) -> Answer:
    """HTTP entry point of the deployed function."""
    return answered(lambda: _work(request))
