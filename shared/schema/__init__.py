"""Schemas of topics and tables, generated from ``shared.messages``: nothing else describes a table.

``infra/schemas/`` holds the result: ``bigquery/<table>.json``, ``bigquery/tables.json`` (partitioning,
clustering, topic), ``pubsub/<topic>.proto`` and ``duckdb/tables.sql``.
"""

from __future__ import annotations

import json
from pathlib import Path

from shared.messages import MESSAGES, SCHEMA_VERSION
from shared.schema import bigquery, duckdb, protobuf


def files() -> dict[str, str]:
    """Text of every generated file by its path below the schema folder."""
    found = {f"pubsub/{kind.TOPIC}.proto": protobuf.schema(kind) for kind in MESSAGES}
    found |= {f"bigquery/{kind.TABLE}.json": _json(bigquery.schema(kind)) for kind in MESSAGES}
    found["bigquery/tables.json"] = _json({kind.TABLE: bigquery.table(kind) for kind in MESSAGES})
    head = f"-- Generated from shared/messages.py, schema version {SCHEMA_VERSION}.\n"
    tables = [duckdb.create_table(kind) + duckdb.create_view(kind) for kind in MESSAGES]
    found["duckdb/tables.sql"] = "\n".join([head, *tables])
    return found


def write(folder: Path) -> None:
    """Write every file below ``folder`` and remove generated files that no longer belong."""
    wanted = files()
    for name in _present(folder) - wanted.keys():
        (folder / name).unlink()
    for name, text in wanted.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def check(folder: Path) -> list[str]:
    """Paths below ``folder`` that are missing, superfluous or differ from what would be generated; sorted."""
    wanted = files()
    present = _present(folder)
    differing = {
        name for name in present & wanted.keys() if (folder / name).read_text("utf-8") != wanted[name]
    }
    return sorted((present ^ wanted.keys()) | differing)


def _present(folder: Path) -> set[str]:
    places = ("pubsub/*.proto", "bigquery/*.json", "duckdb/*.sql")
    return {path.relative_to(folder).as_posix() for place in places for path in folder.glob(place)}


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
