"""``arb map``, ``arb mapping report``, ``arb mapping explain``: what maps, what does not, and why."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.cli.mapping_html import page
from shared.cli.mapping_source import moment, of_files, show_damage, source
from shared.cli.output import STDOUT, console, errors, escape, print_json, table
from shared.errors import StorageError
from shared.mapping.coverage import Cell, Unknown, refusal_code, tally, unknowns
from shared.mapping.explain import explain
from shared.mapping_files import csv_rows, map_files, write_csv
from shared.messages import Quarantined

_UNKNOWN_SHOWN = 20


def map_command(markets: list[Path], odds: list[Path], out: Path, as_of: str | None) -> None:
    """Map, write the CSV, and sum up on the terminal."""
    at = moment(as_of)
    damaged: list[Quarantined] = []
    with errors.status(f"mapping {len(markets)} market file(s) to {len(odds)} odds file(s)"):
        decisions = map_files(markets, odds, at, damaged.append)
    if out == STDOUT:
        csv.writer(sys.stdout).writerows(csv_rows(decisions))
    else:
        write_csv(decisions, out)
    mapped = sum(bool(decision.odds_event_id) for decision in decisions)
    errors.print(
        f"{len(decisions):,} markets: {mapped:,} mapped, {len(decisions) - mapped:,} refused",
        f"-> {escape(str(out))}",
    )
    refused = Counter(refusal_code(decision) for decision in decisions if not decision.odds_event_id)
    if refused:
        errors.print(table("Refused because", ("reason", ">markets"), refused.most_common()))
    show_damage(damaged)
    if not decisions:
        errors.print("no markets were found in these files")


# --- report ------------------------------------------------------------------------------------------------


def report_command(
    markets: list[Path],
    odds: list[Path],
    data_dir: Path | None,
    league: str,
    rows: int,
    html: Path | None,
    json: bool,
) -> None:
    """Coverage by league, day and kind; reasons; unknown series, codes and templates."""
    read = source(markets, odds, data_dir)
    decided = [pair for pair in read.decisions() if not league or pair[1].league.lower() == league.lower()]
    cells, strange = tally(decision for _, decision in decided), unknowns(decided)
    if html is not None:
        _write(html, page(read.name, cells, strange))
        errors.print(f"written: {escape(str(html))}")
    if json:
        print_json({"source": read.name, "cells": [_plain(cell) for cell in cells], "unknown": strange})
        return
    _print_report(cells, strange, rows)


def _plain(cell: Cell) -> dict[str, Any]:
    return {
        "league": cell.league, "day": cell.day, "kind": cell.kind.value, "markets": cell.markets,
        "mapped": cell.mapped, "certified": cell.certified, "refused": dict(cell.refused),
        "abstention": round(cell.abstention, 6),
    }  # fmt: skip


def merged(cells: Sequence[Cell], by: str) -> list[Cell]:
    """Cells summed over everything but one attribute: ``league``, ``day`` or ``kind``."""
    sums: dict[Any, Cell] = {}
    for cell in cells:
        key = getattr(cell, by)
        one = sums.setdefault(key, Cell("", "", cell.kind))
        setattr(one, by, key)
        one.markets += cell.markets
        one.mapped += cell.mapped
        one.certified += cell.certified
        one.refused += cell.refused
    return [sums[key] for key in sorted(sums)]


def _print_report(cells: Sequence[Cell], strange: Sequence[Unknown], rows: int) -> None:
    leagues = merged(cells, "league")
    console.print(
        table(
            "By league",
            ("league", ">markets", ">mapped", ">share", ">may be priced", "most refused because"),
            [_row(cell, cell.league or "no game") for cell in sorted(leagues, key=lambda c: -c.markets)],
        )
    )
    columns = ("league", "day", "kind", ">markets", ">mapped", ">share", ">may be priced", "refused because")
    shown = sorted(cells, key=lambda cell: -cell.markets)[:rows]
    console.print(
        table(
            f"By league, day and kind: the {len(shown):,} largest of {len(cells):,}",
            columns,
            [_row(c, c.league or "no game", c.day or "-", c.kind.value) for c in shown],
        )
    )
    refused = sum((cell.refused for cell in cells), Counter[str]())
    console.print(table("Refused because", ("reason", ">markets"), refused.most_common()))
    if strange:
        listed = [(one.code, one.subject, one.count, one.example) for one in strange[:_UNKNOWN_SHOWN]]
        title = f"Unknown to every table: {len(listed)} of {len(strange)}"
        console.print(table(title, ("what", "subject", ">markets", "seen in"), listed))


def _row(cell: Cell, *names: str) -> tuple[str, ...]:
    share = f"{100 * (1 - cell.abstention):.1f} %"
    why = ", ".join(f"{code} {count:,}" for code, count in cell.refused.most_common(2))
    return (*names, f"{cell.markets:,}", f"{cell.mapped:,}", share, f"{cell.certified:,}", why)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise StorageError(f"{path}: cannot be written ({exc.strerror})") from exc


# --- explain -----------------------------------------------------------------------------------------------


def explain_command(
    ticker: str,
    markets: list[Path],
    odds: list[Path],
    data_dir: Path | None,
    as_of: str | None,
    json: bool,
) -> None:
    """One market, step by step."""
    at = moment(as_of)
    read = of_files(markets, odds, at) if markets or odds else source((), (), data_dir)
    told = explain(ticker, read.markets, read.events, at)
    if json:
        steps = [{"step": step.name, "lines": step.lines} for step in told.steps]
        print_json({"ticker": ticker, "source": read.name, "steps": steps, "decision": told.decision})
        return
    console.print(f"[bold]{escape(ticker)}[/] from {escape(read.name)}", highlight=False)
    for step in told.steps:
        console.print(f"[bold cyan]{step.name}[/]")
        for line in step.lines:
            console.print(f"  {escape(line)}", highlight=False, soft_wrap=True)
