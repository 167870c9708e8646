"""``arb map``: recorded markets against recorded odds events, one row per market."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from shared.cli.output import console, errors, table
from shared.clock import parse_instant
from shared.errors import ConfigError, MalformedError
from shared.mapping_files import map_files, write_csv
from shared.messages import Quarantined


def map_command(markets: list[Path], odds: list[Path], out: Path, as_of: str | None) -> None:
    """Map, write the CSV, and sum up on the terminal."""
    try:
        moment = parse_instant(as_of) if as_of else None
    except MalformedError as exc:
        raise ConfigError(f"--as-of: {exc}; write it like 2026-08-20T21:26:16Z") from exc
    damaged: list[Quarantined] = []
    with errors.status(f"mapping {len(markets)} market file(s) to {len(odds)} odds file(s)"):
        decisions = map_files(markets, odds, moment, damaged.append)
        write_csv(decisions, out)
    mapped = sum(bool(decision.odds_event_id) for decision in decisions)
    errors.print(
        f"{len(decisions):,} markets: {mapped:,} mapped, {len(decisions) - mapped:,} refused -> {out}"
    )
    refused = Counter(d.reason.partition(":")[0] for d in decisions if not d.odds_event_id)
    if refused:
        errors.print(table("Refused because", ("reason", ">markets"), refused.most_common()))
    for record in damaged[:10]:
        errors.print(f"[yellow]not usable[/]: {record.reason}")
    if not decisions:
        console.print("no markets were found in these files")
