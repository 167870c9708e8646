"""Staging views, generated: ``stg_<table>`` keeps one row of each event, ``usd_<table>`` shows it in dollars.

Every other view reads staging, never a table: delivery is at least once, and each table demands a filter on
its partitions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from shared.messages import MESSAGES, Message
from shared.schema import bigquery
from shared.schema.columns import Column, columns, summary
from shared.schema.views import View, found, manifest, ordered

# No row is older: the filter that every table demands, for readers that want all of history.
FIRST_DAY = "2025-01-01"
# By the unit of a field: what its shown name ends in, and how many of the unit make one of what is shown.
_SCALES = {"price": ("usd", 1_000_000), "usd": ("usd", 1_000_000), "quantity": ("contracts", 100)}
_GENERATED = "-- Generated from shared/messages.py by arb schema; do not edit.\n"
STAGING = "views/staging"
MANIFEST = "views.json"


def files(root: Path) -> dict[str, str]:
    """Text of every generated file by its path below ``root`` (``infra/bigquery``), the manifest included."""
    staged = {f"{name}.sql": text for kind in MESSAGES for name, text in _views(kind)}
    made = [View(name.removesuffix(".sql"), f"staging/{name}", text) for name, text in staged.items()]
    written = [view for view in found(root / "views") if not view.is_staging]
    listed = json.dumps(manifest(ordered([*made, *written])), indent=2, ensure_ascii=False) + "\n"
    return {MANIFEST: listed} | {f"{STAGING}/{name}": text for name, text in staged.items()}


def write(root: Path) -> None:
    """Write every generated file below ``root``, and remove those that no longer belong."""
    wanted = files(root)
    for name in _present(root) - wanted.keys():
        (root / name).unlink()
    for name, text in wanted.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def check(root: Path) -> list[str]:
    """Paths below ``root`` that are missing, superfluous or differ from what would be generated; sorted."""
    wanted, present = files(root), _present(root)
    differing = {name for name in present & wanted.keys() if (root / name).read_text("utf-8") != wanted[name]}
    return sorted((present ^ wanted.keys()) | differing)


def _present(root: Path) -> set[str]:
    places = (MANIFEST, f"{STAGING}/*.sql")
    return {path.relative_to(root).as_posix() for place in places for path in root.glob(place)}


def _views(kind: type[Message]) -> Iterator[tuple[str, str]]:
    yield f"stg_{kind.TABLE}", _staged(kind)
    if any(_scale(column) for column in columns(kind)):
        yield f"usd_{kind.TABLE}", _shown_to_people(kind)


def _staged(kind: type[Message]) -> str:
    """A copy has the event's id and its time, so that a reader's own filter on the time reaches the table."""
    partition = bigquery.table(kind)["partition_field"]
    names = ",\n".join(f"  `{column.name}`" for column in columns(kind))
    keys = ", ".join(dict.fromkeys(f"`{name}`" for name in ("event_id", "observed_at", partition)))
    return (
        f"{_GENERATED}"
        f"-- Question: What is in {kind.TABLE}, each event once? {summary(kind)}\n"
        "-- Grain: one row per event_id; copies delivered more than once are dropped.\n"
        "-- Units: as in the table: money in micro-dollars, quantities in hundredths of a contract.\n"
        f"SELECT\n{names}\n"
        f"FROM `${{dataset}}.{kind.TABLE}`\n"
        f"WHERE `{partition}` >= {_first(kind, partition)}\n"
        f"QUALIFY ROW_NUMBER() OVER (PARTITION BY {keys} ORDER BY `trace_id`) = 1\n"
    )


def _first(kind: type[Message], partition: str) -> str:
    is_date = any(field["name"] == partition and field["type"] == "DATE" for field in bigquery.schema(kind))
    return f"DATE '{FIRST_DAY}'" if is_date else f"TIMESTAMP '{FIRST_DAY} 00:00:00+00'"


def _shown_to_people(kind: type[Message]) -> str:
    shown = ",\n".join(f"  {_shown(column)}" for column in columns(kind))
    return (
        f"{_GENERATED}"
        f"-- Question: What is in {kind.TABLE}, in dollars and contracts, for people to read?\n"
        "-- Grain: one row per event_id.\n"
        "-- Units: `_usd` in dollars, `_contracts` in contracts, both FLOAT64: sum the integers, not these.\n"
        f"SELECT\n{shown}\nFROM `${{dataset}}.stg_{kind.TABLE}`\n"
    )


def _shown(column: Column) -> str:
    scale = _scale(column)
    if scale is None:
        return f"`{column.name}`"
    suffix, factor = scale
    return f"`{column.name}` / {factor} AS `{column.name}_{suffix}`"


def _scale(column: Column) -> tuple[str, int] | None:
    """How a top-level amount is shown; amounts inside records stay as they are."""
    return None if column.repeated else _SCALES.get(column.unit)
