"""The labelled mapping suite scored and printed: by league and kind, every false match, every refusal.

Run: ``python -m tests.corpus.mapping_table [--suite DIR]``. ``MAPPING_SUITE`` names another directory of the
same make as well. Exits 1 when a market is mapped to an event that is not its own.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from shared.mapping.mapper import map_markets
from shared.messages import MappingDecided, MarketListed, OddsEvent
from tests.mapping.loader import event, lines, market

Row = dict[str, str]
Suite = tuple[dict[str, MarketListed], dict[str, OddsEvent], dict[str, Row]]

_REPOSITORY = Path(__file__).resolve().parents[2]
_Z = 1.959963984540054  # 95 %


@dataclass(frozen=True, slots=True)
class Outcome:
    """One labelled market: what it should map to (empty: nothing) and what was decided."""

    row: Row
    decision: MappingDecided

    @property
    def wanted(self) -> str:
        return self.row["odds_event_id"]

    @property
    def is_right(self) -> bool:
        return bool(self.wanted) and self.decision.odds_event_id == self.wanted

    @property
    def is_false(self) -> bool:
        return bool(self.decision.odds_event_id) and not self.is_right


def default_suite() -> Path:
    """``MAPPING_SUITE``, or the suite in the recorded data."""
    if named := os.environ.get("MAPPING_SUITE"):
        return Path(named)
    return Path(os.environ.get("CORPUS_DIR") or _REPOSITORY.parent / "shared" / "data") / "mapping"


@lru_cache(maxsize=2)
def load(path: Path) -> Suite:
    """Markets, odds events and expected rows of a suite."""
    markets = {row["ticker"]: market(row) for row in lines(path / "markets.jsonl.gz")}
    events = {row["id"]: event(row) for row in lines(path / "odds_events.jsonl.gz")}
    return markets, events, {row["kalshi_ticker"]: row for row in rows(path / "expected.csv")}


def rows(path: Path) -> list[Row]:
    """Rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@lru_cache(maxsize=2)
def outcomes(path: Path) -> tuple[Outcome, ...]:
    """Every labelled market with its decision, all decided together."""
    markets, events, expected = load(path)
    decided = {d.ticker: d for d in map_markets(list(markets.values()), list(events.values()))}
    return tuple(Outcome(row, decided[ticker]) for ticker, row in expected.items())


def wilson(right: int, total: int) -> tuple[float, float]:
    """95 % bounds of a share (Wilson 1927); the whole range when there is nothing."""
    if total == 0:
        return 0.0, 1.0
    share, scale = right / total, 1 + _Z * _Z / total
    middle = share + _Z * _Z / (2 * total)
    spread = _Z * math.sqrt(share * (1 - share) / total + _Z * _Z / (4 * total * total))
    return (middle - spread) / scale, min(1.0, (middle + spread) / scale)


def groups(found: Sequence[Outcome]) -> dict[str, Counter[str]]:
    """Counts of expected, mapped, right and false markets: of all, of titled ones, by league, by kind."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for one in found:
        titled = "title recorded" if one.row["title_recorded"] == "1" else "ticker only"
        for group in ("all", "league " + one.row["league"], "kind " + one.row["kind"], titled):
            table[group].update(
                rows=1,
                expected=bool(one.wanted),
                mapped=bool(one.decision.odds_event_id),
                right=one.is_right,
                false=one.is_false,
            )
    return table


def coverage(group: Counter[str]) -> float:
    """Share of the expected markets that were found; 1 when none is expected."""
    return group["right"] / group["expected"] if group["expected"] else 1.0


def report(path: Path) -> Iterator[str]:
    """The whole report, line by line."""
    found = outcomes(path)
    head = f"{'group':30} {'rows':>6} {'expect':>6} {'mapped':>6} {'false':>5}"
    yield f"{head}  precision [95 %]           coverage [95 %]"
    for name, group in sorted(groups(found).items(), key=lambda item: (item[0] != "all", item[0])):
        yield (
            f"{name:30} {group['rows']:6} {group['expected']:6} {group['mapped']:6} {group['false']:5}  "
            f"{_share(group['right'], group['mapped'])}   {_share(group['right'], group['expected'])}"
        )
    false = [one for one in found if one.is_false]
    yield f"\nfalse matches: {len(false)}"
    yield from (
        f"  {one.decision.ticker}: {one.decision.reason}; wanted {one.wanted or 'none'}" for one in false
    )
    missed = [one for one in found if one.wanted and not one.decision.odds_event_id]
    yield f"\nmissed: {len(missed)}"
    yield from (f"  {one.decision.ticker}: {one.decision.reason}" for one in missed)
    yield from _refusals([one.decision for one in found if not one.wanted and not one.decision.odds_event_id])


def _share(right: int, total: int) -> str:
    low, high = wilson(right, total)
    return f"{right / total:6.4f} [{low:.4f} {high:.4f}]" if total else "     - [  -      -   ]"


def _refusals(refused: Sequence[MappingDecided]) -> Iterator[str]:
    """Every refusal that is right, one line a game and reason."""
    counted = Counter((one.reason, one.event_ticker) for one in refused)
    yield f"\nrefused as they must be: {len(refused)} markets of {len({t for _, t in counted})} events"
    for (reason, event_ticker), count in sorted(counted.items()):
        yield f"  {event_ticker} ({count}): {reason}"


def main(argv: Sequence[str] | None = None) -> int:
    """Print the report; 1 for a false match, 0 when the suite is absent."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus.mapping_table", description=__doc__)
    parser.add_argument("--suite", type=Path, default=default_suite(), help="folder of a labelled suite")
    path = parser.parse_args(argv).suite
    if not (path / "expected.csv").exists():
        print(f"no mapping suite in {path}: set CORPUS_DIR")
        return 0
    for line in report(path):
        print(line)
    return int(any(one.is_false for one in outcomes(path)))


if __name__ == "__main__":
    sys.exit(main())
