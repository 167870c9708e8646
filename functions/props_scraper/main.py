"""Props scraper.

Called at 02:00 Eastern with ``?date=YESTERDAY,TODAY``, and every five minutes with ``?when=due``: then it
reads only when a game is near enough for another turn.
"""

from __future__ import annotations

from shared.entry import Answer, answered, argument
from shared.pipeline.props_books import PropsReport
from shared.pipeline.props_scrape import PropsScraper
from shared.worker import Skipped, worker


async def handle(scraper: PropsScraper, dates: str = "", *, only_if_due: bool = False) -> list[PropsReport]:
    """One scrape of each day in ``dates``, separated by commas; empty is today, Eastern."""
    return [await scraper.scrape(day.strip(), only_if_due=only_if_due) for day in dates.split(",")]


async def _work(request: object) -> list[PropsReport] | Skipped:
    dates, is_due = argument(request, "date"), argument(request, "when") == "due"
    async with worker() as parts:
        return await parts.scheduled(
            "props_scraper", request, lambda: handle(parts.props_scraper, dates, only_if_due=is_due)
        )


def main(request: object) -> Answer:
    """HTTP entry point of the deployed function."""
    return answered(lambda: _work(request))
