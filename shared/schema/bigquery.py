"""BigQuery tables. Every column is NULLABLE or REPEATED.

The strict check is ``messages.decode``; a REQUIRED column would add a second one that stops the whole export
subscription (state SCHEMA_MISMATCH) instead of one message.
"""

from __future__ import annotations

from typing import Any

from shared.messages import Message
from shared.schema.columns import Column, Kind, columns, summary

_TYPES = {
    Kind.INSTANT: "TIMESTAMP",
    Kind.DAY: "DATE",
    Kind.INTEGER: "INT64",
    Kind.FLOAT: "FLOAT64",
    Kind.STRING: "STRING",
    Kind.BOOLEAN: "BOOL",
    Kind.RECORD: "RECORD",
}

# Written by the subscription itself (``write_metadata``): when and as what Pub/Sub delivered a row. Only
# BigQuery has them; no view reads them, so that views run anywhere.
METADATA = tuple(
    {"name": name, "type": kind, "mode": "NULLABLE", "description": description}
    for name, kind, description in (
        ("subscription_name", "STRING", "the Pub/Sub subscription that wrote the row"),
        ("message_id", "STRING", "Pub/Sub's id of the delivered message; a message published twice has two"),
        ("publish_time", "TIMESTAMP", "when Pub/Sub took the message"),
        ("attributes", "JSON", "attributes of the message: trace and schema version"),
    )
)
# Topic schema: our maps are objects in JSON, which only its ``map`` fields turn into repeated records. A
# message of a newer version may carry more than the table has; a field is dropped rather than the row.
_SUBSCRIPTION = {"use_topic_schema": True, "write_metadata": True, "drop_unknown_fields": True}


def schema(kind: type[Message]) -> list[dict[str, Any]]:
    """Value of ``google_bigquery_table.schema``: the message's columns, then what the subscription adds."""
    return [*(_field(column) for column in columns(kind)), *METADATA]


def table(kind: type[Message]) -> dict[str, Any]:
    """What a table needs besides columns.

    Partitions are UTC days of our own clock, or the Eastern day of the game where the table is about games.
    """
    return {
        "description": summary(kind),
        "topic": kind.TOPIC,
        "partition_field": kind.PARTITION,
        "partition_type": "DAY",
        "require_partition_filter": True,
        "clustering": list(kind.CLUSTER),
        "subscription": _SUBSCRIPTION,
    }


def _field(column: Column) -> dict[str, Any]:
    # TIMESTAMP takes the wire's microseconds as they are; INT64 keeps money exact where FLOAT64 would not.
    found: dict[str, Any] = {
        "name": column.name,
        "type": _TYPES[column.kind],
        "mode": "REPEATED" if column.repeated else "NULLABLE",
    }
    if column.description:
        found["description"] = column.description
    if column.fields:
        found["fields"] = [_field(inner) for inner in column.fields]
    return found
