"""The views over history: found in a folder, read by their headers, ordered so that they can be made.

A view is one file, ``<view>.sql``: a header comment, then one query in BigQuery's dialect whose tables and
views are named `` `${dataset}.name` ``. The header says what a reader must know::

    -- Question: which question the view answers.
    -- Grain: what one row is.
    -- Units: in which units its columns are.

``staging/`` is generated (:mod:`shared.schema.staging`), all else is written. ``views.json`` beside the
folder lists them in the order of creation: whoever deploys them reads nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from shared.errors import ConfigError
from shared.messages import BY_TABLE

# In a checkout the views stand where Terraform reads them; the wheel carries a copy beside this module.
_CHECKOUT = Path(__file__).resolve().parents[2] / "infra" / "bigquery" / "views"
_INSTALLED = Path(__file__).resolve().parent / "bigquery_views"

HEADER = ("Question", "Grain", "Units")
_REFERENCE = re.compile(r"`\$\{dataset\}\.(\w+)`")
_LINE = re.compile(r"-- (?:(\w+): )?(.*)")


@dataclass(frozen=True)
class View:
    """One view: its name, where its file is below the folder of views, and the text of the file."""

    name: str
    path: str
    text: str

    @cached_property
    def header(self) -> dict[str, str]:
        """What the header says, by its words; a line without a word goes on from the one before."""
        found: dict[str, str] = {}
        word = ""
        for line in self.text.splitlines():
            match = _LINE.fullmatch(line)
            if match is None:
                break
            word = match[1] if match[1] in HEADER else word
            if word:
                found[word] = f"{found.get(word, '')} {match[2].strip()}".strip()
        return found

    @property
    def is_staging(self) -> bool:
        """Whether it is generated: one table's messages, each once."""
        return self.path.startswith("staging/")

    @property
    def question(self) -> str:
        """The question it answers, one line."""
        return self.header.get("Question", "")

    @cached_property
    def query(self) -> str:
        """The query, without the header and without the dataset: names as they are on one machine."""
        body = [line for line in self.text.splitlines() if not line.startswith("--")]
        return _REFERENCE.sub(r"`\1`", "\n".join(body)).strip().rstrip(";")

    @cached_property
    def reads(self) -> frozenset[str]:
        """Names of the tables and views it reads."""
        return frozenset(_REFERENCE.findall(self.text))


def folder() -> Path:
    """Where the views are."""
    return _CHECKOUT if _CHECKOUT.is_dir() else _INSTALLED


def load(root: Path | None = None) -> tuple[View, ...]:
    """Every view below ``root`` (every ``.sql`` file at any depth), in an order in which they can be made.

    Raises :class:`ConfigError` for two views of one name, a view named like a table, a name that is neither
    table nor view, and views that read each other.
    """
    return ordered(found(root or folder()))


def found(root: Path) -> list[View]:
    """Every ``.sql`` file below ``root``, at any depth."""
    return [
        View(file.stem, file.relative_to(root).as_posix(), file.read_text("utf-8"))
        for file in sorted(root.rglob("*.sql"))
    ]


def ordered(views: Iterable[View]) -> tuple[View, ...]:
    """``views`` with each one after all it reads; otherwise in the order of their names."""
    waiting: dict[str, View] = {}
    for view in sorted(views, key=lambda view: view.name):
        if view.name in waiting or view.name in BY_TABLE:
            raise ConfigError(f"{view.path}: there is another view or table of this name")
        waiting[view.name] = view
    made: dict[str, View] = {}
    while waiting:
        ready = [view for view in waiting.values() if view.reads <= made.keys() | BY_TABLE.keys()]
        if not ready:
            raise ConfigError(_stuck(waiting, made))
        for view in ready:
            made[view.name] = waiting.pop(view.name)
    return tuple(made.values())


def needed(views: Iterable[View], name: str) -> tuple[View, ...]:
    """The view ``name`` and all it reads, at any depth, in order; raises :class:`ConfigError` if unknown."""
    views = tuple(views)
    by_name = {view.name: view for view in views}
    if name not in by_name:
        raise ConfigError(f"there is no view {name!r}; arb query lists them")
    wanted, todo = set(), [name]
    while todo:
        view = by_name.get(todo.pop())
        if view is not None and view.name not in wanted:
            wanted.add(view.name)
            todo.extend(view.reads)
    return tuple(view for view in views if view.name in wanted)


def manifest(views: Iterable[View]) -> list[dict[str, object]]:
    """``views.json``: every view in the order of creation, what it answers and reads, and its level.

    A view of level 0 reads tables only, one of level n at least one view of level n - 1 and none above it.
    """
    levels: dict[str, int] = {}
    listed: list[dict[str, object]] = []
    for view in views:
        levels[view.name] = max((levels[name] + 1 for name in view.reads & levels.keys()), default=0)
        listed.append(
            {
                "name": view.name,
                "level": levels[view.name],
                "file": f"views/{view.path}",
                "description": " ".join(view.header[word] for word in HEADER if word in view.header),
                "reads": sorted(view.reads),
            }
        )
    return listed


def _stuck(waiting: Mapping[str, View], made: Mapping[str, View]) -> str:
    for view in waiting.values():
        unknown = view.reads - made.keys() - waiting.keys() - BY_TABLE.keys()
        if unknown:
            return f"{view.path}: there is no table or view {sorted(unknown)[0]!r}"
    return f"views read each other in a circle: {', '.join(sorted(waiting))}"
