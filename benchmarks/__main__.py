"""All benchmarks in one table: ``python -m benchmarks [NAME…] [--json] [--quick]``."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.report import Line, Skipped, as_data, cells

NAMES = (
    "detection",
    "mapping",
    "decode_page",
    "changes",
    "orders",
    "replay",
    "backends",
    "http_transport",
    "simulator",
    "props",
    "imports",
)
_COLUMNS = ("group", "what", "median", "p99", "against", "goal", "")
_COLOURS = {"met": "green", "not met": "red"}


def main(argv: Sequence[str] | None = None) -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; none: all")
    parser.add_argument("--json", action="store_true", help="print data instead of a table")
    parser.add_argument("--quick", action="store_true", help="fewer runs; no peers are installed")
    options = parser.parse_args(argv)
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    lines: list[Line] = []
    for name in options.names or NAMES:
        print(f"{name} …", file=sys.stderr, flush=True)
        lines += importlib.import_module(f"benchmarks.{name}").figures(options.quick)
    if options.json:
        json.dump(as_data(lines), sys.stdout, indent=1, ensure_ascii=False)
        print()
    else:
        show(lines)


def show(lines: Sequence[Line]) -> None:
    """The table, wide enough to be copied when it is not a terminal."""
    console = Console(width=None if sys.stdout.isatty() else 190)
    table = Table(*_COLUMNS, title="Benchmarks: medians, measured in this run", title_justify="left")
    group = ""
    for line in lines:
        if line.group != group and group:
            table.add_section()
        group = line.group
        *rest, last = cells(line)
        style = "dim" if isinstance(line, Skipped) else None
        table.add_row(*rest, f"[{_COLOURS[last]}]{last}[/]" if last else "", style=style)
    console.print(table)


if __name__ == "__main__":
    main()
