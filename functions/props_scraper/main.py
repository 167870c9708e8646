"""Props scraper.

Called every five minutes: reads yesterday at 02:00 Eastern (its results are in), and today as often as the
nearest start asks for. ``?date=`` names days instead, separated by commas: those are read at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.entry import Answer, answered, argument
from shared.worker import Skipped, worker

if TYPE_CHECKING:
    from shared.pipeline.props_books import PropsReport
    from shared.pipeline.props_scrape import PropsScraper


async def handle(scraper: PropsScraper, dates: str = "") -> list[PropsReport]:
    """One scrape of each day in ``dates`` (YYYY-MM-DD, TODAY, YESTERDAY); empty: the days that are due."""
    return await scraper.turn() if not dates else [await scraper.scrape(day) for day in dates.split(",")]


async def _work(request: object) -> list[PropsReport] | Skipped:
    async with worker() as parts:
        dates = argument(request, "date")
        return await parts.scheduled("props_scraper", request, lambda: handle(parts.props_scraper, dates))


def main(request: object) -> Answer:
    """HTTP entry point of the deployed function."""
    return answered(lambda: _work(request))
