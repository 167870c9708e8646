"""``arb aliases propose`` and ``arb aliases check``: the team tables, extended and examined by a person."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

from shared.cli.mapping_source import source
from shared.cli.output import STDOUT, console, errors, escape, print_json
from shared.errors import MalformedError, StorageError
from shared.mapping.proposals import COLUMNS, Proposal, propose, rows
from shared.mapping.tables import Team, leagues, read_teams
from shared.mapping.validate import problems


def propose_command(
    markets: list[Path], odds: list[Path], data_dir: Path | None, out: Path, json: bool
) -> None:
    """Write what may be missing from the team tables; nothing is changed."""
    read = source(markets, odds, data_dir)
    with errors.status("comparing names"):
        proposals = propose(read.markets, read.events)
    if json:
        print_json(proposals)
    elif out == STDOUT:
        _write(sys.stdout, proposals)
    else:
        try:
            with out.open("w", encoding="utf-8", newline="") as file:
                _write(file, proposals)
        except OSError as exc:
            raise StorageError(f"{out}: cannot be written ({exc.strerror})") from exc
    unknown = len({(one.league, one.column, one.alias) for one in proposals})
    errors.print(f"{unknown} unknown names and codes, {len(proposals)} proposals to review")


def _write(file: IO[str], proposals: Iterable[Proposal]) -> None:
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows(rows(proposals))


def check_command(files: Sequence[Path], json: bool) -> int:
    """1 if a knowledge file contradicts itself or another; ``files`` replace the tables of their name."""
    found: list[str] = []
    replaced: dict[str, Sequence[Team]] = {}
    for path in files:
        try:
            replaced[path.stem] = read_teams(_text(path))
        except MalformedError as exc:
            found.append(f"{path.name}: {exc}")
    found += problems(replaced)
    if json:
        print_json({"problems": found})
        return int(bool(found))
    for problem in found:
        console.print(f"[red]{escape(problem)}[/]", highlight=False)
    if not found:
        tables = {table for league in leagues() for table in league.tables}
        console.print(f"[green]{len(leagues())} leagues, {len(tables)} team tables: no contradiction[/]")
    return int(bool(found))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as exc:
        raise MalformedError(f"not UTF-8 text: {exc.reason}") from exc
    except OSError as exc:
        raise StorageError(f"{path}: cannot be read ({exc.strerror})") from exc
