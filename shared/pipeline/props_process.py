"""Makes rows of a scrape's raw pages: each market and line once per change, and what follows from it.

A row is published when its content differs from what was known just before it, and remembered afterwards: a
crash in between publishes it again under the same ``event_id``, which history keeps once. Running a day again
from its pages writes nothing new.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from shared.clock import Clock
from shared.errors import MalformedError
from shared.ids import digest
from shared.messages import (
    AlertRaised,
    Message,
    PropCompared,
    PropListed,
    PropPredicted,
    PropQuoted,
    PropsScraped,
    Quarantined,
    seal,
)
from shared.pipeline.props_memory import ChangeMemory, Item, LineStore
from shared.pipeline.props_raw import Gathered, Page, gather, read_run
from shared.ports import Blobs, Bus, Documents
from shared.props.day import DayReader, PropDay, Scraped
from shared.props.rows import identified
from shared.props.series import prop_series

_MOST_REASONS = 50

M = TypeVar("M", bound=Message)


@dataclass(slots=True)
class ProcessReport:
    """Rows that were read and rows that were written, by table; records of what was not usable."""

    run_id: str = ""
    pages: int = 0
    markets: int = 0
    rows_in: dict[str, int] = field(default_factory=dict)
    rows_written: dict[str, int] = field(default_factory=dict)
    findings: int = 0
    quarantined: int = 0


class PropsProcessor:
    """Processes runs. ``reader`` holds the model and the rules of age."""

    def __init__(
        self,
        documents: Documents,
        blobs: Blobs,
        bus: Bus,
        clock: Clock,
        rng: random.Random,
        reader: DayReader,
    ) -> None:
        self._blobs, self._bus, self._clock, self._reader = blobs, bus, clock, reader
        self._memory = ChangeMemory(documents, clock, rng)
        self.lines = LineStore(documents, clock, rng)

    async def handle(self, message: Message) -> ProcessReport | None:
        """Process the run a scrape has announced; anything else is ignored."""
        return await self.process(message) if isinstance(message, PropsScraped) else None

    async def process(self, run: PropsScraped) -> ProcessReport:
        """Process one run; a run without pages raises :class:`MalformedError`."""
        pages = await read_run(self._blobs, [run.prefix])
        if not pages and run.kalshi_available:
            raise MalformedError(f"run {run.run_id}: no raw pages under {run.prefix}")
        # A day of pages is half a second of work: whoever trades in this process must not wait for it.
        gathered, day = await asyncio.to_thread(self._read, run, pages)
        report = ProcessReport(run.run_id, pages=len(pages), markets=len(gathered.markets))
        await self._write_all(run, day, report)
        await self._quarantine(run, [*gathered.quarantined, *day.quarantined], report)
        if not run.kalshi_available:
            await self._alert(run)
        await self.lines.keep(run.game_date, day.lines)
        report.findings = sum(len(row.findings) for row in day.listed)
        return report

    def _read(self, run: PropsScraped, pages: Sequence[Page]) -> tuple[Gathered, PropDay]:
        gathered = gather(pages)
        return gathered, self._reader.read(_scraped(run, gathered))

    async def purge(self, before: str) -> int:
        """Forget what was kept about days before ``before``; gives how many documents went."""
        return await self._memory.purge(before)

    async def _write_all(self, run: PropsScraped, day: PropDay, report: ProcessReport) -> None:
        now = self._clock.now()
        listed = [identified(row, now) for row in day.listed]
        quoted = [identified(row, now) for row in day.quoted]
        await self._write(run, listed, _listed_item, report)
        await self._write(run, quoted, _quoted_item, report)
        await self._write(run, day.compared, _compared_item, report)
        await self._write(run, day.predicted, _predicted_item, report)

    async def _write(
        self, run: PropsScraped, rows: Sequence[M], item_of: Callable[[M], Item], report: ProcessReport
    ) -> None:
        if not rows:
            return
        news = await self._memory.news(run.game_date, rows, item_of)
        table = rows[0].TABLE
        report.rows_in[table], report.rows_written[table] = len(rows), len(news)
        if news:
            await self._bus.publish(rows[0].TOPIC, news)
            await self._memory.remember(run.game_date, news, item_of)

    async def _quarantine(
        self, run: PropsScraped, records: Iterable[Quarantined], report: ProcessReport
    ) -> None:
        """Publish each reason once a run; a run repeated says nothing again."""
        sealed = {record.event_id: record for record in map(seal, records)}
        news = await self._memory.news(run.game_date, list(sealed.values()), _quarantine_item)
        report.quarantined = len(sealed)
        if news:
            await self._bus.publish(Quarantined.TOPIC, news[:_MOST_REASONS])
            await self._memory.remember(run.game_date, news, _quarantine_item)

    async def _alert(self, run: PropsScraped) -> None:
        alert = AlertRaised(
            observed_at=run.observed_at,
            source="props",
            code="kalshi_unavailable",
            subject=run.game_date,
            text=f"run {run.run_id} has no ladders; lines and predictions go on with bookmakers alone",
            example=next(iter(run.failed.values()), ""),
        )
        await self._bus.publish(alert.TOPIC, [seal(alert)])


def _scraped(run: PropsScraped, found: Gathered) -> Scraped:
    kinds = {
        ticker: kind
        for ticker in {market.series_ticker for market in found.markets.values()}
        if (kind := prop_series(ticker, found.series[ticker].title if ticker in found.series else ""))
    }
    return Scraped(
        day=run.game_date,
        run_id=run.run_id,
        at=max(run.observed_at, found.newest),
        kinds=kinds,
        markets=list(found.markets.values()),
        books=found.books,
        slate=[event for slate in found.slates.values() for event in slate.values()],
        odds=list(found.odds.values()),
        kalshi_available=run.kalshi_available,
    )


def _listed_item(row: PropListed) -> Item:
    return Item(row.event_ticker, row.ticker, row.observed_at, row.content_hash)


def _quoted_item(row: PropQuoted) -> Item:
    key = f"{row.market}/{row.is_alternate}/{row.player_name}/{row.line}"
    return Item(f"{row.odds_event_id}_{row.bookmaker}", key, row.observed_at, row.content_hash)


def _compared_item(row: PropCompared) -> Item:
    """A comparison is news when a price, the value to a tenth of a cent, or the verdict has changed."""
    fair = "" if row.fair is None else f"{row.fair:.3f}"
    content = digest(row.method, fair, str(row.yes_ask), str(row.no_ask), str(row.tradable), *row.reasons)
    return Item(f"compared_{row.event_ticker}", row.ticker, row.observed_at, content)


def _predicted_item(row: PropPredicted) -> Item:
    content = digest(
        str(row.line), row.line_source, f"{row.over_probability:.3f}", str(row.kalshi_line),
        str(row.kalshi_yes_price), str(row.kalshi_no_price), str(row.kalshi_available), str(row.is_stale),
    )  # fmt: skip
    key = f"{row.league}/{row.player_lookup}/{row.prop_type}/{row.model}/{row.model_version}"
    return Item(f"predicted_{row.player_lookup[:1]}", key, row.observed_at, content)


def _quarantine_item(row: Quarantined) -> Item:
    return Item("quarantine", f"{row.source}/{row.reason}", row.observed_at, row.reason)
