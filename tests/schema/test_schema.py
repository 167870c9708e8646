"""Schemas are generated from the messages, the same bytes every time, and the committed ones are current."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import duckdb as engine
import msgspec
import pytest
from msgspec import Meta

from shared import schema
from shared.messages import (
    MESSAGES,
    InstantField,
    MarketListed,
    Message,
    OddsSeen,
    OrderUpdated,
    Record,
    SignalRaised,
)
from shared.schema import bigquery, duckdb, protobuf
from shared.schema.columns import _UNITS, Column, Kind, columns
from shared.schema.glossary import WORDS

REPOSITORY = Path(__file__).resolve().parents[2]


def _column(kind: type[Message], name: str) -> Column:
    return next(column for column in columns(kind) if column.name == name)


def _field(kind: type[Message], name: str) -> dict[str, Any]:
    return next(field for field in bigquery.schema(kind) if field["name"] == name)


def test_the_committed_files_are_current() -> None:
    assert schema.check(REPOSITORY / "infra" / "schemas") == [], "run: make schema"


def test_what_was_written_passes_the_check(tmp_path: Path) -> None:
    schema.write(tmp_path)
    assert schema.check(tmp_path) == []


def test_the_check_names_what_is_missing_changed_or_superfluous(tmp_path: Path) -> None:
    schema.write(tmp_path)
    (tmp_path / "pubsub" / "fills.proto").unlink()
    (tmp_path / "bigquery" / "orders.json").write_text("[]")
    (tmp_path / "bigquery" / "old.json").write_text("[]")
    assert schema.check(tmp_path) == ["bigquery/old.json", "bigquery/orders.json", "pubsub/fills.proto"]


def test_writing_removes_files_of_tables_that_are_gone(tmp_path: Path) -> None:
    schema.write(tmp_path)
    (tmp_path / "bigquery" / "old.json").write_text("[]")
    (tmp_path / "README.md").write_text("kept")
    schema.write(tmp_path)
    assert schema.check(tmp_path) == []
    assert (tmp_path / "README.md").exists()


def test_another_interpreter_generates_the_same_bytes() -> None:
    program = "import sys; from shared import schema; sys.stdout.write(repr(sorted(schema.files().items())))"
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        env={"PYTHONHASHSEED": "123", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode() == repr(sorted(schema.files().items()))


def test_money_is_an_integer_that_names_its_unit() -> None:
    assert _field(OrderUpdated, "limit") == {
        "name": "limit",
        "type": "INT64",
        "mode": "NULLABLE",
        "description": "micro-dollars per contract",
    }
    assert _field(OrderUpdated, "quantity")["description"] == "hundredths of a contract"


def test_an_instant_is_a_timestamp_at_any_depth() -> None:
    assert _field(MarketListed, "observed_at")["type"] == "TIMESTAMP"
    assert _field(MarketListed, "opens_at")["type"] == "TIMESTAMP"
    (last_update,) = (f for f in _field(OddsSeen, "quotes")["fields"] if f["name"] == "last_update")
    assert last_update["type"] == "TIMESTAMP"


def test_a_list_of_records_is_a_repeated_record() -> None:
    quotes = _field(OddsSeen, "quotes")
    (outcomes,) = (field for field in quotes["fields"] if field["name"] == "outcomes")
    assert (quotes["type"], quotes["mode"]) == ("RECORD", "REPEATED")
    assert (outcomes["type"], outcomes["mode"]) == ("RECORD", "REPEATED")


def test_free_keys_become_a_repeated_record_of_key_and_value() -> None:
    found = _field(OrderUpdated, "latency_ns")
    assert (found["type"], found["mode"]) == ("RECORD", "REPEATED")
    assert [(field["name"], field["type"]) for field in found["fields"]] == [
        ("key", "STRING"),
        ("value", "INT64"),
    ]
    assert "map<string, int64> latency_ns" in protobuf.schema(OrderUpdated)


def test_an_enum_says_which_words_it_knows() -> None:
    assert _column(OrderUpdated, "side").description == "yes | no"


def test_a_field_description_keeps_the_unit_of_its_type() -> None:
    described = "highest price that keeps the required net edge (micro-dollars per contract)"
    assert _field(SignalRaised, "limit")["description"] == described


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
def test_every_column_says_what_it_holds(kind: type[Message]) -> None:
    """Words of its own in shared/messages.py, or those of its name in shared/schema/glossary.py."""

    def silent(fields: list[dict[str, Any]], place: str) -> list[str]:
        found = [f"{place}{field['name']}" for field in fields if not field.get("description")]
        inner = [silent(field["fields"], f"{place}{field['name']}.") for field in fields if "fields" in field]
        return sum(inner, found)

    assert silent(bigquery.schema(kind), f"{kind.TABLE}.") == []


def test_the_glossary_has_no_word_for_what_is_gone() -> None:
    def names(found: tuple[Column, ...]) -> set[str]:
        return {column.name for column in found}.union(*(names(column.fields) for column in found))

    assert set(WORDS) <= set().union(*(names(columns(kind)) for kind in MESSAGES))


def test_amounts_name_their_unit_in_every_description() -> None:
    amounts = {column.name: column for kind in MESSAGES for column in columns(kind) if column.unit in _UNITS}
    assert amounts
    assert all(_UNITS[column.unit] in column.description for column in amounts.values())


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
def test_no_table_has_a_column_of_its_own_name(kind: type[Message]) -> None:
    """In BigQuery that name would mean the whole row."""
    assert kind.TABLE not in {column.name for column in columns(kind)}


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
def test_a_bigquery_table_ends_in_what_its_subscription_writes(kind: type[Message]) -> None:
    written = [(field["name"], field["type"]) for field in bigquery.schema(kind)[len(columns(kind)) :]]
    assert written == [
        ("subscription_name", "STRING"),
        ("message_id", "STRING"),
        ("publish_time", "TIMESTAMP"),
        ("attributes", "JSON"),
    ]
    assert bigquery.table(kind)["subscription"]["write_metadata"]
    assert not {name for name, _ in written} & {column.name for column in columns(kind)}


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
def test_every_table_is_partitioned_by_a_time_and_needs_a_filter(kind: type[Message]) -> None:
    found = bigquery.table(kind)
    assert (found["partition_field"], found["partition_type"]) == (kind.PARTITION, "DAY")
    assert _field(kind, kind.PARTITION)["type"] in ("TIMESTAMP", "DATE")
    assert found["require_partition_filter"]
    assert found["clustering"] == list(kind.CLUSTER)
    assert all(
        len(field.get("description", "")) <= 1024 for field in bigquery.schema(kind)
    )  # BigQuery's limit


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
def test_a_topic_schema_is_one_message_with_distinct_numbers(kind: type[Message]) -> None:
    text = protobuf.schema(kind)
    numbers = [
        int(line.rsplit("= ", 1)[1].rstrip(";"))
        for line in text.splitlines()
        if "= " in line and "syntax" not in line
    ]
    assert sum(line.startswith("message ") for line in text.splitlines()) == 1
    assert text.count("{") == text.count("}")
    assert all(20_000 <= number < 2**29 for number in numbers)


def test_a_field_keeps_its_number_wherever_it_stands() -> None:
    assert protobuf.number("observed_at") == 65_602_473


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
def test_the_engine_accepts_every_table_and_spells_its_types_alike(kind: type[Message]) -> None:
    db = engine.connect()
    db.execute(duckdb.create_table(kind) + duckdb.create_view(kind))
    db.execute(duckdb.load(kind), ["[]"])
    found = db.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ?", [kind.TABLE]
    )
    spelt = {name: text.replace('"', "") for name, text in found.fetchall()}
    assert spelt == {column.name: duckdb.type_of(column).replace('"', "") for column in columns(kind)}
    db.close()


class _Pair(Record, frozen=True, kw_only=True):
    """A nested record with a map and an instant, which no message has yet."""

    at: InstantField | None = None
    labels: dict[str, int] = {}  # noqa: RUF012 - copied for each instance


class _Deep(Message, frozen=True, kw_only=True):
    """Every shape at once."""

    TOPIC = "deep"
    TABLE = "deep"

    flag: Annotated[bool, Meta(description="yes or no")] = False
    one: _Pair | None = None
    many: tuple[_Pair, ...] = ()


def test_shapes_no_message_has_yet_load_as_well() -> None:
    db = engine.connect()
    db.execute(duckdb.create_table(_Deep))
    pair = _Pair(at=5, labels={"a": 1})  # type: ignore[arg-type]  # an instant is an integer
    rows = [_Deep(observed_at=1, one=pair, many=(pair, _Pair())), _Deep(observed_at=2)]  # type: ignore[arg-type]
    db.execute(duckdb.load(_Deep), [msgspec.json.encode(rows).decode()])
    found = db.execute(
        "SELECT epoch_us(one.at), one.labels, len(many), epoch_us(many[1].at) FROM deep"
    ).fetchall()
    assert found == [(5, [{"key": "a", "value": 1}], 2, 5), (None, None, 0, None)]
    db.close()


class _Nested(Message, frozen=True, kw_only=True):
    """A list of lists."""

    rows: tuple[tuple[int, ...], ...] = ()


class _Odd(Message, frozen=True, kw_only=True):
    """A type without a column."""

    raw: bytes = b""


@pytest.mark.parametrize("kind", [_Nested, _Odd])
def test_a_shape_without_a_table_form_is_refused_by_name(kind: type[Message]) -> None:
    with pytest.raises(TypeError, match=r"rows|raw"):
        columns(kind)


def test_kinds_have_a_type_in_every_dialect() -> None:
    assert set(bigquery._TYPES) == set(Kind)
