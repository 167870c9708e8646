"""Every view: said what it is for, understood by GoogleSQL, run by DuckDB, and pinned by a golden test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlglot import exp

from shared.backends.local.dialect import parsed
from shared.messages import BY_TABLE, MESSAGES
from shared.schema import staging
from shared.schema.views import HEADER, View, folder, needed
from tests.support.googlesql import Analyser
from tests.support.lake import Lake, all_views

REPOSITORY = Path(__file__).resolve().parents[2]
VIEWS = all_views()
WRITTEN = tuple(view for view in VIEWS if not view.is_staging)

each_view = pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
each_written_view = pytest.mark.parametrize("view", WRITTEN, ids=lambda view: view.name)


@pytest.fixture(scope="module")
def analysed() -> dict[str, dict[str, str] | str]:
    """Types of the columns of each view by GoogleSQL, or what it says is wrong with it."""
    analyser = Analyser()
    found: dict[str, dict[str, str] | str] = {}
    for view in VIEWS:
        try:
            found[view.name] = analyser.add(view)
        except Exception as exc:  # whatever it raises is about this view, and is shown with it
            found[view.name] = str(exc)
    return found


@pytest.fixture(scope="module")
def empty() -> Lake:
    return Lake()


@each_view
def test_googlesql_understands_it(view: View, analysed: dict[str, dict[str, str] | str]) -> None:
    assert isinstance(analysed[view.name], dict), analysed[view.name]


@each_view
def test_duckdb_runs_it_with_columns_of_the_same_names_and_kinds(
    view: View, analysed: dict[str, dict[str, str] | str], empty: Lake
) -> None:
    said = analysed[view.name]
    assert isinstance(said, dict), said
    found = empty.column_types(view.name)
    assert list(found) == list(said)
    assert {name: _kind_of_duckdb(kind) for name, kind in found.items()} == {
        name: _kind_of_googlesql(kind) for name, kind in said.items()
    }
    # An aggregate without groups has a row of nothing; no other view has one.
    assert empty.rows(view.name) == []


def _kind_of_duckdb(kind: str) -> str:
    if kind.endswith("[]"):
        return "list"
    kinds = {"BIGINT": "int", "HUGEINT": "int", "INTEGER": "int", "DOUBLE": "float", "VARCHAR": "text"}
    return kinds.get(kind, "record" if kind.startswith("STRUCT") else kind.split()[0])


def _kind_of_googlesql(kind: str) -> str:
    kinds = {"INT64": "int", "FLOAT64": "float", "STRING": "text", "BOOL": "BOOLEAN"}
    return kinds.get(kind, {"ARRAY": "list", "STRUCT": "record"}.get(kind.partition("<")[0], kind))


@each_view
def test_its_header_says_question_grain_and_units(view: View) -> None:
    assert all(view.header.get(word) for word in HEADER), view.header
    assert "?" in view.question
    assert view.name == view.name.lower()


@each_view
def test_it_reads_every_table_and_view_by_the_placeholder(view: View) -> None:
    tree = parsed(view.query)
    inside = {cte.alias for cte in tree.find_all(exp.CTE)}
    named = {
        table.name for table in tree.find_all(exp.Table) if table.name not in inside and not _is_array(table)
    }
    assert named == view.reads
    assert set(re.findall(r"\$\{(\w+)\}", view.text)) == {"dataset"}
    assert "%{" not in view.text  # the other mark of a template


def _is_array(table: exp.Expression) -> bool:
    return isinstance(table.this, exp.Dot) or "." in table.sql("bigquery").replace("`", "")


@each_written_view
def test_only_staging_reads_a_table(view: View) -> None:
    assert not view.reads & BY_TABLE.keys(), (
        "read stg_<table>: copies are dropped there, and partitions filtered"
    )


@each_written_view
def test_it_keeps_to_what_both_engines_do_alike(view: View) -> None:
    tree = parsed(view.query)
    banned = (exp.CurrentDate, exp.CurrentDatetime, exp.Rand, exp.SafeFunc, exp.ApproxQuantiles, exp.Limit)
    found = [
        node.sql("bigquery") for node in tree.find_all(*banned) if not isinstance(node.parent, exp.ArrayAgg)
    ]
    assert not found
    assert not tree.args.get("order"), "a view has no order"


@each_written_view
def test_money_is_never_a_float_without_saying_so(
    view: View, analysed: dict[str, dict[str, str] | str]
) -> None:
    said = analysed[view.name]
    assert isinstance(said, dict), said
    amounts = {
        "pnl",
        "fees",
        "fee",
        "cost",
        "staked",
        "revenue",
        "cash",
        "equity",
        "saved",
        "would_have",
        "at_risk",
    }
    assert not [name for name, kind in said.items() if name in amounts and kind != "INT64"]
    assert all(kind == "FLOAT64" for name, kind in said.items() if name.endswith("_usd"))


@each_written_view
def test_some_test_says_what_it_answers(view: View) -> None:
    here = Path(__file__).name
    texts = [
        path.read_text("utf-8") for path in (REPOSITORY / "tests").rglob("test_*.py") if path.name != here
    ]
    quoted = f'"{view.name}"'
    assert any(quoted in text and "Lake" in text for text in texts), "write a golden test of it"


@each_written_view
def test_the_documentation_lists_it_with_its_question(view: View) -> None:
    text = (REPOSITORY / "docs" / "history.md").read_text("utf-8")
    assert f"| `{view.name}` | {view.question} |" in text


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
def test_staging_filters_partitions_and_keeps_every_column(kind: type, analysed: dict[str, object]) -> None:
    from shared.schema.columns import columns

    view = next(view for view in VIEWS if view.name == f"stg_{kind.TABLE}")  # type: ignore[attr-defined]
    assert re.search(r"WHERE `\w+` >= (TIMESTAMP|DATE) '2025-01-01", view.text)
    said = analysed[view.name]
    assert isinstance(said, dict)
    assert list(said) == [column.name for column in columns(kind)]


def test_generated_files_are_current() -> None:
    assert staging.check(folder().parent) == [], "run: make schema"


def test_views_are_listed_in_an_order_in_which_they_can_be_made() -> None:
    made: set[str] = set()
    for view in VIEWS:
        assert view.reads <= made | BY_TABLE.keys()
        made.add(view.name)


def test_what_a_view_needs_ends_with_itself() -> None:
    for view in VIEWS:
        assert needed(VIEWS, view.name)[-1] is view
