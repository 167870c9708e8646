"""The real GoogleSQL analyser and evaluator, over the generated schemas (dev dependency ``zetasql``).

It is the engine's own front end compiled to WebAssembly: a strong check, not proof, since it accepts some
things that BigQuery does not. Compiling takes 15 s and a gigabyte once; the result is kept in the user's
cache folder (``XDG_CACHE_HOME`` or ``~/.cache``), after which a process starts it in a third of a second.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from shared.messages import MESSAGES
from shared.schema import bigquery
from shared.schema.views import View

_SIMPLE = {
    "INT64": "TYPE_INT64",
    "FLOAT64": "TYPE_DOUBLE",
    "STRING": "TYPE_STRING",
    "BOOL": "TYPE_BOOL",
    "TIMESTAMP": "TYPE_TIMESTAMP",
    "DATE": "TYPE_DATE",
    "JSON": "TYPE_JSON",
}


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kalshi-arb" / "wasmtime"


@cache
def engine() -> Any:
    """The package, set to keep its compiled module; skips the test where it is not installed."""
    wasmtime = pytest.importorskip("wasmtime", reason="zetasql is not installed: uv sync --all-extras")
    pytest.importorskip("zetasql", reason="zetasql is not installed: uv sync --all-extras")
    folder = _cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder.parent / "wasmtime.toml"
    settings.write_text(f'[cache]\ndirectory = "{folder}"\n', encoding="utf-8")
    plain = wasmtime.Config.__init__

    def caching(self: Any) -> None:
        plain(self)
        self.cache = str(settings)

    wasmtime.Config.__init__ = caching
    import zetasql.api

    try:
        zetasql.api.Analyzer(_options()).analyze_statement("SELECT 1")
    finally:
        wasmtime.Config.__init__ = plain
    return zetasql


def _options() -> Any:
    import zetasql.types

    language = zetasql.types.LanguageOptions.maximum_features()  # the default refuses QUALIFY
    return zetasql.types.AnalyzerOptions(language_options=language, default_timezone="UTC")


class Analyser:
    """Tables of the generated schemas and every view analysed so far, each with the type of its columns."""

    def __init__(self) -> None:
        self._zetasql = engine()
        types = self._zetasql.types
        options = _options()
        functions = types.ZetaSQLBuiltinFunctionOptions(language_options=options.language_options)
        self._functions, self._options = functions, options
        self._tables: dict[str, Any] = {}
        for kind in MESSAGES:
            fields = bigquery.schema(kind)
            self._add(kind.TABLE, [(field["name"], self._type(field)) for field in fields])

    def add(self, view: View) -> dict[str, str]:
        """Analyse a view and let later ones read it; types of its columns by name. Raises what is wrong."""
        found = self.analyse(view.query, view.reads)
        self._add(view.name, found)
        return {name: self._spelt(kind) for name, kind in found}

    def analyse(self, query: str, reads: Iterable[str] = ()) -> list[tuple[str, Any]]:
        """Names and types of the columns of a query that reads those tables. Raises what is wrong with it."""
        analyser = self._zetasql.api.Analyzer(self._options, self._catalog(reads))
        columns = analyser.analyze_statement(query).output_column_list
        return [(column.name, column.column.type) for column in columns]

    def evaluate(self, query: str) -> list[dict[str, Any]]:
        """Rows of a query that gives JSON objects and reads no table, by the reference implementation."""
        builder = self._zetasql.api.PreparedQuery.builder().set_sql(query)
        builder = builder.set_analyzer_options(self._options).set_catalog(self._catalog(()))
        with builder.prepare() as prepared:
            table = prepared.execute().content.table_data
            return [json.loads(row.cell[0].string_value) for row in table.row]

    def _add(self, name: str, columns: Iterable[tuple[str, Any]]) -> None:
        table = self._zetasql.api.TableBuilder(name)
        for column, kind in columns:
            table.add_column(column, kind)
        self._tables[name] = table.build()

    def _catalog(self, reads: Iterable[str]) -> Any:
        # Every analysis sends its whole catalog over: the few tables that are read, not all of them.
        builder = self._zetasql.api.CatalogBuilder("history").with_builtin_functions(self._functions)
        for name in sorted(reads):
            builder.add_table(self._tables[name])
        return builder.build()

    def _type(self, field: Mapping[str, Any]) -> Any:
        factory = self._zetasql.api.TypeFactory
        if field["type"] == "RECORD":
            inner = [(inner["name"], self._type(inner)) for inner in field["fields"]]
            made = factory.create_struct_type(inner)
        else:
            kinds = self._zetasql.types.TypeKind
            made = factory.create_simple_type(getattr(kinds, _SIMPLE[field["type"]]))
        return factory.create_array_type(made) if field["mode"] == "REPEATED" else made

    def _spelt(self, kind: Any) -> str:
        kinds = self._zetasql.types.TypeKind
        if kind.type_kind == kinds.TYPE_ARRAY:
            return f"ARRAY<{self._spelt(kind.array_type.element_type)}>"
        if kind.type_kind == kinds.TYPE_STRUCT:
            inner = (f"{one.field_name} {self._spelt(one.field_type)}" for one in kind.struct_type.field)
            return f"STRUCT<{', '.join(inner)}>"
        name: str = kind.type_kind.name
        return "FLOAT64" if name == "TYPE_DOUBLE" else name.removeprefix("TYPE_")
