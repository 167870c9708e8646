"""``arb props``: a day's ladders beside the books, edges first; one ladder as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shared.analytics import history
from shared.analytics import props as asked
from shared.backends.local.history import open_history
from shared.cli.output import Styled, console, contracts, errors, escape, print_json, table
from shared.cli.places import newest
from shared.cli.props_html import page
from shared.clock import SystemClock
from shared.errors import ConfigError, StorageError
from shared.money import MICROS
from shared.pipeline.props_days import TODAY, day_of
from shared.props.names import lookup_key

_UNIT = "prices micro-dollars, quantities hundredths, edges dollars per contract"
_REASON = 44


def props_command(
    date: str, player: str, prop: str, limit: int, chart: Path | None, data_dir: Path | None, json: bool
) -> None:
    """Print the day's table, or write one ladder's chart."""
    kept = open_history(newest(data_dir), SystemClock())
    try:
        if kept.notice:
            errors.print(f"[yellow]{kept.notice}[/]")
        day = _day(kept.query, date)
        rows = asked.table(kept.query, day, lookup_key(player), prop)
        if chart is not None:
            _chart(kept.query, day, rows, chart)
        elif json:
            print_json({"date": day, "props": rows[:limit] if limit else rows, "unit": _UNIT})
        else:
            _print(day, rows, limit)
    finally:
        kept.close()


def _day(query: history.Query, date: str) -> str:
    """The day asked for; today's place is taken by the newest day with ladders when today has none."""
    day, known = day_of(date, SystemClock().now()), asked.days(query)
    if date.upper() not in ("", TODAY) or day in known or not known:
        return day
    errors.print(f"[yellow]no ladders of {day} yet: this is {known[0]}[/]")
    return known[0]


def _print(day: str, rows: history.Rows, limit: int) -> None:
    if not rows:
        console.print(f"no ladders of {day}; arb run reads them, or the props functions do")
        return
    columns = (
        "player", "prop", ">rung", ">bid", ">ask", ">fair", "way", ">YES net", ">NO net", ">at no loss",
        "liquidity", "not traded because",
    )  # fmt: skip
    shown = rows[:limit] if limit else rows
    console.print(table(f"Player props of {day}, edges first", columns, map(_cells, shown)))
    traded = sum(bool(row["tradable"]) for row in rows)
    ladders = len({(row["player_lookup"], row["player_team"], row["prop_type"]) for row in rows})
    direct = sum(row["method"] == "direct" for row in rows)
    console.print(
        f"{len(rows):,} rungs of {ladders:,} ladders, {direct:,} on a line of the books, "
        f"{traded:,} without a reason against them"
    )


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    reasons = list(row["reasons"] or ())
    first = reasons[0][:_REASON] if reasons else ""
    more = f" (+{len(reasons) - 1})" if len(reasons) > 1 else ""
    lots = (
        row["yes_quantity"]
        if (row["yes_net_edge"] or -1) >= (row["no_net_edge"] or -1)
        else row["no_quantity"]
    )
    return (
        row["player_name"] or row["player_lookup"],
        row["prop_type"],
        f"{row['threshold']}+",
        _cents(row["yes_bid"]),
        _cents(row["yes_ask"]),
        "-" if row["fair"] is None else f"{row['fair']:.3f}",
        row["method"] or "-",
        _edge(row["yes_net_edge"]),
        _edge(row["no_net_edge"]),
        "-" if lots is None else contracts(lots),
        row["liquidity"],
        Styled("[green]-[/]") if row["tradable"] else first + more,
    )


def _chart(query: history.Query, day: str, rows: history.Rows, file: Path) -> None:
    """One player's prop; which one must be clear from what was asked."""
    parts = ("player_lookup", "player_name", "prop_type", "player_team")
    ladders = sorted({tuple(str(row[part]) for part in parts) for row in rows})
    if len(ladders) != 1:
        named = ", ".join(f"{name or lookup} {kind}" for lookup, name, kind, _ in ladders[:6])
        fit = f"{len(ladders)} fit: {named}" if named else "none fits"
        raise ConfigError(f"a chart is of one ladder: name it with --player and --prop; {fit}")
    ((lookup, name, prop, _),) = ladders
    text = page(f"{name or lookup}, {prop}, {day}", rows, asked.quotes(query, day, lookup, prop))
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise StorageError(f"{file}: cannot be written ({exc.strerror})") from exc
    console.print(f"chart of {escape(name or lookup)}, {prop}, in {escape(str(file))}", soft_wrap=True)


def _cents(price: int | None) -> str:
    return "-" if price is None else f"{100 * price / MICROS:g}c"


def _edge(edge: float | None) -> Styled | str:
    if edge is None:
        return "-"
    style = "green" if edge > 0 else "dim"
    return Styled(f"[{style}]{100 * edge:+.2f}c[/]")
