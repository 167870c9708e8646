"""The rules of the house hold in every file, and the checker has teeth."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.architecture import violations

REPOSITORY = Path(__file__).resolve().parents[1]
FILES = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for top in ("shared", "functions")
    for path in (REPOSITORY / top).rglob("*.py")
)


def test_every_file_keeps_the_rules_of_the_house() -> None:
    broken = [one for path in FILES for one in violations(path, (REPOSITORY / path).read_text("utf-8"))]
    assert not broken, "\n" + "\n".join(broken)


@pytest.mark.parametrize(
    ("path", "source", "says"),
    [
        ("shared/odds/bad.py", "import time", "imports time"),
        ("shared/odds/bad.py", "from os import environ", "imports os"),
        ("shared/fees/bad.py", "import random", "imports random"),
        ("shared/books/bad.py", "import asyncio", "imports asyncio"),
        ("shared/edges/bad.py", "def f():\n    import aiohttp", "imports aiohttp"),
        ("shared/edges/bad.py", "import numpy", "imports numpy"),
        ("shared/risk/bad.py", "from datetime import datetime as d\nd.now()", "calls datetime.datetime.now"),
        ("shared/risk/bad.py", "import datetime\ndatetime.date.today()", "calls datetime.date.today"),
        ("shared/orders/bad.py", "open('x')", "calls open"),
        ("shared/orders/bad.py", "p.read_text()", "calls p.read_text"),
        ("shared/orders/bad.py", "f().write_bytes(b'')", "calls write_bytes"),
        ("shared/sizing/bad.py", "from shared.clock import SystemClock", "uses shared.clock.SystemClock"),
        ("shared/sizing/bad.py", "from shared import config", "imports shared"),
        ("shared/mapping/names.py", "from importlib import resources", "imports importlib"),
        ("shared/mapping/names.py", "import rapidfuzz", "imports rapidfuzz"),
        ("shared/money.py", "from shared.odds import devig", "not below it"),
        ("shared/odds/bad.py", "from shared.execution.executor import Executor", "not below it"),
        ("shared/odds/bad.py", "from shared import fees", "not below it"),
        ("shared/odds/bad.py", "from . import devig", "relative import"),
        ("shared/helpers/bad.py", "", "no place in LAYERS"),
        ("shared/edges/bad.py", "row['yes_bid_dollars']", "venue's word"),
        ("shared/edges/bad.py", "row.count_fp", "venue's word"),
        ("shared/edges/bad.py", "def f(commence_time): ...", "venue's word"),
        ("functions/x/main.py", "import json", "only shared"),
        ("shared/backends/gcp/bus.py", "print('x')", "print belongs"),
        ("shared/replay/bad.py", "import duckdb", "slow to import"),
        (
            "shared/replay/bad.py",
            "try:\n    from rich import table\nexcept ImportError: ...",
            "slow to import",
        ),
    ],
)
def test_a_broken_rule_is_named(path: str, source: str, says: str) -> None:
    assert any(says in one for one in violations(path, source))


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (
            "shared/mapping/tables.py",
            "from importlib import resources\nresources.files('x').joinpath('y').read_text()",
        ),
        ("shared/mapping/names.py", "def f():\n    from rapidfuzz import fuzz"),
        (
            "shared/edges/good.py",
            "from datetime import datetime\nfrom shared.odds import devig\ndatetime(2026, 1, 1)",
        ),
        ("shared/edges/good.py", "def f(clock):\n    return clock.now()"),
        ("shared/venues/kalshi/wire.py", "row['yes_bid_dollars']"),
        ("shared/backends/local/duck.py", "import duckdb"),
        ("shared/backends/gcp/bus.py", "def f():\n    from google.cloud import pubsub_v1"),
        ("shared/cli/app.py", "import typer\nprint('x')"),
        ("functions/x/main.py", "from __future__ import annotations\nfrom shared.pipeline import detect"),
    ],
)
def test_what_the_rules_allow_is_not_flagged(path: str, source: str) -> None:
    assert violations(path, source) == []


def test_the_contracts_and_local_adapters_load_no_heavy_module() -> None:
    """Read from a fresh interpreter, which is steadier than a limit on time."""
    program = (
        "import sys\n"
        "import shared.messages, shared.ports, shared.config, shared.cas, shared.lease, shared.idempotence\n"
        "import shared.backends.local.documents, shared.backends.local.bus, shared.backends.local.blobs\n"
        "heavy = {'duckdb', 'numpy', 'rich', 'typer', 'rapidfuzz', 'functions_framework', 'grpc'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
