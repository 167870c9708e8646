"""Views as files: found at any depth, read by their heads, ordered, refused by name when they do not fit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.errors import ConfigError
from shared.messages import MESSAGES, FillRecorded, Message
from shared.schema import staging
from shared.schema.views import View, folder, load, needed, ordered


def view(name: str, *reads: str, path: str = "") -> View:
    """A view that reads others."""
    tables = ", ".join(f"`${{dataset}}.{one}`" for one in reads)
    return View(name, path or f"{name}.sql", f"-- Question: what?\n-- Grain: a row.\nSELECT * FROM {tables}")


def test_a_header_is_read_by_its_words_and_goes_on_over_lines() -> None:
    text = "-- Question: how\n--   much?\n-- Grain: one.\n-- Units: none.\nSELECT 1 -- Units: not here\n"
    assert View("v", "v.sql", text).header == {"Question": "how much?", "Grain": "one.", "Units": "none."}


def test_a_query_loses_its_header_and_its_dataset() -> None:
    found = View("v", "v.sql", "-- Question: q?\nSELECT *\nFROM `${dataset}.fills`;\n")
    assert (found.query, found.reads) == ("SELECT *\nFROM `fills`", frozenset({"fills"}))


def test_views_are_found_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "props" / "deep").mkdir(parents=True)
    (tmp_path / "props" / "deep" / "b.sql").write_text(view("b", "a").text)
    (tmp_path / "a.sql").write_text(view("a", "fills").text)
    (tmp_path / "README.md").write_text("no view")
    assert [(one.name, one.path) for one in load(tmp_path)] == [("a", "a.sql"), ("b", "props/deep/b.sql")]


def test_each_view_comes_after_all_it_reads() -> None:
    made = ordered([view("a", "b", "c"), view("b", "c"), view("c", "fills"), view("d", "orders")])
    assert [one.name for one in made] == ["c", "d", "b", "a"]


@pytest.mark.parametrize(
    ("views", "said"),
    [
        ([view("a", "nowhere")], r"a\.sql: there is no table or view 'nowhere'"),
        ([view("a", "b"), view("b", "a")], "circle: a, b"),
        ([view("a", "a")], "circle: a"),
        ([view("a", "fills"), view("a", "fills", path="x/a.sql")], r"another view or table of this name"),
        ([view("fills", "orders")], r"another view or table of this name"),
    ],
)
def test_views_that_do_not_fit_are_named(views: list[View], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        ordered(views)


def test_a_view_needs_what_it_reads_and_no_more() -> None:
    made = ordered([view("a", "b"), view("b", "fills"), view("c", "fills")])
    assert [one.name for one in needed(made, "a")] == ["b", "a"]
    with pytest.raises(ConfigError, match="no view 'z'"):
        needed(made, "z")


def test_levels_say_what_can_be_made_together(tmp_path: Path) -> None:
    (tmp_path / "views").mkdir()
    (tmp_path / "views" / "a.sql").write_text(view("a", "b", "stg_fills").text)
    (tmp_path / "views" / "b.sql").write_text(view("b", "stg_fills").text)
    staging.write(tmp_path)
    levels = {one["name"]: one["level"] for one in json.loads((tmp_path / "views.json").read_text())}
    assert (levels["stg_fills"], levels["usd_fills"], levels["b"], levels["a"]) == (0, 1, 1, 2)


def test_what_was_written_passes_the_check_until_something_drifts(tmp_path: Path) -> None:
    staging.write(tmp_path)
    assert staging.check(tmp_path) == []
    (tmp_path / "views" / "staging" / "stg_fills.sql").write_text("SELECT 1")
    (tmp_path / "views" / "staging" / "stg_old.sql").write_text("SELECT 1")
    (tmp_path / "views" / "new.sql").write_text(view("new", "stg_fills").text)
    assert staging.check(tmp_path) == [
        "views.json",
        "views/staging/stg_fills.sql",
        "views/staging/stg_old.sql",
    ]
    staging.write(tmp_path)
    assert staging.check(tmp_path) == []
    assert (tmp_path / "views" / "new.sql").exists()


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
def test_every_table_has_its_staging_view(kind: type[Message]) -> None:
    assert (folder() / "staging" / f"stg_{kind.TABLE}.sql").exists()


def test_dollars_are_shown_where_a_table_has_amounts() -> None:
    names = {one.name for one in load()}
    assert f"usd_{FillRecorded.TABLE}" in names
    assert "usd_alerts" not in names
