"""The rules of the house, checked by reading imports and calls: nothing is executed.

:func:`violations` takes a path relative to the repository and its source, so a test can feed it bad sources.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# From the ground up: a room imports what stands before it, never beside or after it.
LAYERS: tuple[frozenset[str], ...] = tuple(
    _words(tier)
    for tier in (
        # Alone on purpose: what stops everything must not share a line with what it stops.
        "kill",
        "errors",
        "ids money clock terms trace",
        "messages",
        "ports",
        "config cas findings idempotence lease schema topology",
        "delivery",
        "entry",
        "backends",
        "odds fees",
        "books",
        "mapping",
        "edges",
        "props",
        "lanes",
        "sizing",
        "orders",
        "risk",
        "analytics",
        "venues",
        "execution mapping_files",
        "pipeline",
        "runtime",
        "service",
        "simulator",
        "replay",
        "platforms",
        "desks",
        "bootstrap",
        "worker executor",
        "cli",
    )
)
_RANK = {room: rank for rank, tier in enumerate(LAYERS) for room in tier}

PURE = _words("money terms errors odds fees books mapping edges lanes sizing risk orders props")
_PURE_NEIGHBOURS = PURE | {"clock", "ids", "messages"}
_PURE_MODULES = _words(
    "__future__ abc bisect collections csv dataclasses datetime decimal enum fractions functools hashlib"
    " heapq io itertools json math msgspec numbers operator re statistics string types typing unicodedata"
    " zoneinfo"
)
# Computation only: allowed in pure rooms, inside a function.
_PURE_LAZY = frozenset({"numpy", "rapidfuzz"})
_IMPURE_NAMES = frozenset(
    {
        "shared.clock.SystemClock",
        "shared.clock.ScaledClock",
        "shared.ids.RandomIds",
        "io.open",
        "io.open_code",
    }
)
_IMPURE_CALLS = frozenset(
    {"open", "input", "exec", "eval", "compile", "__import__", "breakpoint"}
    | {f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")}
    | {"datetime.date.today"}
)
_FILE_METHODS = _words("read_text write_text read_bytes write_bytes mkdir unlink touch iterdir glob rglob")
_READS_PACKAGE_DATA = "shared/mapping/tables.py"

HEAVY = _words("duckdb numpy rich typer rapidfuzz functions_framework google scipy sqlglot")
_MAY_BE_HEAVY = ("shared/cli/", "shared/backends/local/", "shared/backends/gcp/")

_SPEAKS_VENUE = ("shared/venues/", "shared/simulator/")
_VENUE_WORD = re.compile(
    r"[a-z_]+(_dollars|_fp)|commence_time|home_team|away_team|clobTokenIds|outcomePrices|negRisk|conid"
)


@dataclass(frozen=True)
class _Import:
    line: int
    module: str
    name: str  # dotted, as far as the statement says
    alias: str
    lazy: bool


class _Source:
    """One file, read once."""

    def __init__(self, path: str, source: str) -> None:
        self.path = path
        parts = path.removesuffix(".py").split("/")
        self.top = parts[0]
        self.room = parts[1] if len(parts) > 1 else ""
        self.tree = ast.parse(source)

    @cached_property
    def imports(self) -> list[_Import]:
        return list(_imports(self.tree, lazy=False))

    @cached_property
    def names(self) -> dict[str, str]:
        """What each local name stands for."""
        return {found.alias: found.name for found in self.imports}

    def dotted(self, node: ast.expr) -> str:
        """Full name of ``a.b.c`` with import aliases resolved; empty for anything else."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value)
            return f"{base}.{node.attr}" if base else ""
        return ""


def violations(path: str, source: str) -> list[str]:
    """Every broken rule in one file, as ``path:line: what is wrong``."""
    file = _Source(path, source)
    rules = (_layers, _purity, _impure_calls, _venue_words, _functions, _printing, _heaviness)
    # A statement that imports two names breaks a rule once.
    return list(dict.fromkeys(f"{path}:{line}: {text}" for rule in rules for line, text in rule(file)))


Found = Iterator[tuple[int, str]]


def _imports(node: ast.AST, *, lazy: bool) -> Iterator[_Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for one in child.names:
                bound = one.asname or one.name.split(".")[0]
                yield _Import(child.lineno, one.name, one.name if one.asname else bound, bound, lazy)
        elif isinstance(child, ast.ImportFrom):
            module = "." * child.level + (child.module or "")
            for one in child.names:
                yield _Import(child.lineno, module, f"{module}.{one.name}", one.asname or one.name, lazy)
        else:
            yield from _imports(child, lazy=lazy or _runs_later(child))


def _runs_later(node: ast.AST) -> bool:
    typing_only = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
    return typing_only or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def _room(found: _Import) -> str:
    """Room of ``shared`` that is imported, or empty."""
    parts = found.name.split(".") if found.module == "shared" else found.module.split(".")
    return parts[1] if parts[0] == "shared" and len(parts) > 1 else ""


def _layers(file: _Source) -> Found:
    if file.top != "shared" or file.room == "__init__":
        return
    if file.room not in _RANK:
        yield 1, f"room {file.room!r} has no place in LAYERS"
        return
    for found in file.imports:
        room = _room(found)
        if found.module.startswith("."):
            yield found.line, "relative import: write it from shared"
        elif room and room != file.room and _RANK.get(room, len(LAYERS)) >= _RANK[file.room]:
            yield found.line, f"{file.room} imports {room}, which is not below it"


def _purity(file: _Source) -> Found:
    if file.top != "shared" or file.room not in PURE:
        return
    for found in file.imports:
        top = found.module.split(".")[0]
        if top == "importlib" and file.path == _READS_PACKAGE_DATA:
            continue
        if found.name in _IMPURE_NAMES:
            yield found.line, f"pure room {file.room} uses {found.name}"
        elif top == "shared" and _room(found) not in _PURE_NEIGHBOURS:
            yield found.line, f"pure room {file.room} imports {found.module}"
        elif top != "shared" and top not in _PURE_MODULES and not (found.lazy and top in _PURE_LAZY):
            yield found.line, f"pure room {file.room} imports {top}"


def _impure_calls(file: _Source) -> Found:
    if file.top != "shared" or file.room not in PURE or file.path == _READS_PACKAGE_DATA:
        return
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Call):
            name = file.dotted(node.func)
            method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if name in _IMPURE_CALLS | _IMPURE_NAMES or method in _FILE_METHODS:
                yield node.lineno, f"pure room {file.room} calls {name or method}"


def _venue_words(file: _Source) -> Found:
    if file.top not in {"shared", "functions"} or file.path.startswith(_SPEAKS_VENUE):
        return
    for node in ast.walk(file.tree):
        word = _word(node)
        if _VENUE_WORD.fullmatch(word):
            yield getattr(node, "lineno", 1), f"{word!r} is a venue's word: translate it in shared/venues"


def _word(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    return (node.arg or "") if isinstance(node, ast.arg | ast.keyword) else ""


def _functions(file: _Source) -> Found:
    if file.top != "functions":
        return
    for found in file.imports:
        if found.module.split(".")[0] not in {"shared", "__future__", "asyncio", "typing"}:
            yield found.line, f"a function imports {found.module}: only shared"


def _printing(file: _Source) -> Found:
    if file.top == "shared" and file.room != "cli":
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Call) and file.dotted(node.func) == "print":
                yield node.lineno, "print belongs to shared/cli"


def _heaviness(file: _Source) -> Found:
    if file.top not in {"shared", "functions"} or file.path.startswith(_MAY_BE_HEAVY):
        return
    for found in file.imports:
        top = found.module.split(".")[0]
        if top in HEAVY and not found.lazy:
            yield found.line, f"{top} is slow to import: import it inside the function that needs it"
