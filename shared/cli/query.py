"""``arb query``: the views over history, listed by their questions, or one of them run on this machine."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.cli.history import opened
from shared.cli.output import console, print_json, table
from shared.errors import ConfigError
from shared.schema.views import View, load


def query_command(name: str, since: str, limit: int, data_dir: Path | None, json: bool) -> None:
    """List the views, or run one on local history."""
    moment = _moment(since) if since else None
    views = load()
    if name:
        _run(name, views, moment, limit, data_dir, json)
    else:
        _list(views, json)


def _list(views: tuple[View, ...], json: bool) -> None:
    """The written views; staging only as a word, since there are two for each table."""
    written = sorted((view for view in views if not view.is_staging), key=lambda view: view.name)
    if json:
        print_json([{"name": view.name, "reads": sorted(view.reads)} | view.header for view in views])
        return
    console.print(table("Questions history answers: arb query NAME", ("name", "question"),
                        [(view.name, view.question) for view in written]))  # fmt: skip
    console.print("and stg_<table>, every message once; usd_<table>, the same in dollars and contracts")


def _run(
    name: str, views: tuple[View, ...], since: datetime | None, limit: int, data_dir: Path | None, json: bool
) -> None:
    view = next((view for view in views if view.name == name), None)
    if view is None:
        raise ConfigError(f"there is no view {name!r}; arb query lists them")
    with opened(data_dir) as kept:
        rows = kept.ask(name, views, since, limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    if json:
        print_json({"name": name, "rows": rows, "more": more} | view.header)
        return
    console.print(view.question, highlight=False, markup=False)
    if not rows:
        console.print("no rows")
        return
    columns = [f">{column}" if _is_number(rows, column) else column for column in rows[0]]
    console.print(table(name, columns, [[_shown(value) for value in row.values()] for row in rows]))
    if more:
        console.print(f"these are {limit} rows of more: --limit, --since or --json show others")
    console.print(f"grain: {view.header['Grain']}", highlight=False, markup=False)
    console.print(f"units: {view.header['Units']}", highlight=False, markup=False)


def _is_number(rows: list[dict[str, Any]], column: str) -> bool:
    found = next((row[column] for row in rows if row[column] is not None), None)
    return isinstance(found, int | float) and not isinstance(found, bool)


def _shown(value: object) -> str:
    match value:
        case None:
            return "-"
        case float():
            return f"{value:,.6g}"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case list():
            return "; ".join(map(_shown, value))
        case _:
            return str(value)


def _moment(text: str) -> datetime:
    """A day, or a moment with or without its offset; without one it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise ConfigError(f"--since {text}: give a day (2026-11-28) or a moment (2026-11-28T18:00Z)") from exc
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
