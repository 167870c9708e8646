"""Where the mapping commands take markets and odds events from: recorded files, or the newest run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.analytics.mappings import newest_decisions, newest_listings
from shared.backends.local.documents import SqliteDocuments
from shared.backends.local.history import open_history
from shared.cli.output import errors, escape
from shared.cli.places import DOCUMENTS, newest
from shared.clock import Instant, SystemClock, parse_instant
from shared.errors import ConfigError, MalformedError
from shared.mapping.mapper import map_markets
from shared.mapping_files import read_files
from shared.messages import MappingDecided, MarketListed, OddsEvent, Quarantined
from shared.pipeline.map_events import slate_of
from shared.pipeline.places import SLATES

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Source:
    """Markets, the odds events they may map to, and where both are from.

    ``decided`` holds the decisions a run made; it is empty for files, where they are made when asked for.
    """

    markets: Sequence[MarketListed]
    events: Sequence[OddsEvent]
    name: str
    decided: Sequence[MappingDecided] = ()

    def decisions(self) -> list[tuple[MarketListed, MappingDecided]]:
        """Each market with its decision; markets a run has not decided yet are left out."""
        if not self.decided:
            return list(zip(self.markets, map_markets(self.markets, self.events), strict=True))
        by_ticker = {decision.ticker: decision for decision in self.decided}
        return [(one, by_ticker[one.ticker]) for one in self.markets if one.ticker in by_ticker]


def source(markets: Sequence[Path], odds: Sequence[Path], data_dir: Path | None) -> Source:
    """Recorded files if any are named, else the run in ``data_dir``, else the newest run."""
    if markets or odds:
        return of_files(markets, odds)
    return of_run(data_dir)


def of_files(markets: Sequence[Path], odds: Sequence[Path], as_of: Instant | None = None) -> Source:
    """Recorded files; damaged records are listed on standard error."""
    if not markets or not odds:
        missing = "--odds" if markets else "--markets"
        raise ConfigError(
            f"{missing} is missing: files of both venues are needed, or neither for the newest run"
        )
    damaged: list[Quarantined] = []
    with errors.status(f"reading {len(markets)} market file(s) and {len(odds)} odds file(s)"):
        listed, events = read_files(markets, odds, as_of, damaged.append)
    show_damage(damaged)
    return Source(listed, events, f"{len(markets)} market file(s), {len(odds)} odds file(s)")


def of_run(data_dir: Path | None) -> Source:
    """Listings and decisions from a run's history, odds events from its documents."""
    folder = newest(data_dir)
    kept = open_history(folder, SystemClock())
    try:
        if kept.notice:
            errors.print(f"[yellow]{kept.notice}[/]")
        markets, decided = newest_listings(kept.query), newest_decisions(kept.query)
    finally:
        kept.close()
    return Source(markets, _slates(folder / DOCUMENTS), str(folder), decided)


def moment(as_of: str | None) -> Instant | None:
    """The moment an option names; raises :class:`ConfigError` that shows how to write it."""
    try:
        return parse_instant(as_of) if as_of else None
    except MalformedError as exc:
        raise ConfigError(f"--as-of: {exc}; write it like 2026-08-20T21:26:16Z") from exc


def show_damage(damaged: Sequence[Quarantined]) -> None:
    """The first damaged records, and how many more there are."""
    for record in damaged[:_SHOWN]:
        errors.print(f"[yellow]not usable[/]: {escape(record.reason)}", highlight=False)
    if len(damaged) > _SHOWN:
        errors.print(f"[yellow]not usable[/]: {len(damaged) - _SHOWN:,} more")


def _slates(path: Path) -> list[OddsEvent]:
    if not path.exists():
        return []

    async def read() -> list[OddsEvent]:
        documents = SqliteDocuments(path)
        try:
            return [event for one in await documents.query(SLATES) for event in slate_of(one.value)]
        finally:
            await documents.close()

    return asyncio.run(read())
