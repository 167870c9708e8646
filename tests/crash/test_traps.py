"""Traps: each boundary can be laid, springs at the passing that was meant, and leaves a note of it."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.ports import Create, Replace
from tests.crash.lane import REPOSITORY, SITE
from tests.crash.plan import PROFILES, lives
from tests.crash.traps import BUSES, SEAMS, STORES, Trap, boundaries, commit_of, parsed

# Calls a seam of the product three times, and says before each that it lives.
_PROGRAM = """
import asyncio
from shared.backends.memory.documents import MemoryDocuments
from shared.clock import SystemClock
from shared.lease import DocumentLease

async def main():
    lease = DocumentLease(MemoryDocuments(), SystemClock(), "me")
    for number in range(3):
        print(number, flush=True)
        await lease.acquire()
        print("taken", flush=True)

asyncio.run(main())
"""


def run(trap: Trap, note: Path) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = kept | {
        "PYTHONPATH": f"{SITE}{os.pathsep}{REPOSITORY}",
        "CRASH_TRAP": trap.text,
        "CRASH_NOTE": str(note),
    }
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", _PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("moment", "passing", "said"),
    [("before", 2, ["0", "taken", "1"]), ("after", 2, ["0", "taken", "1"]), ("before", 1, ["0"])],
)
def test_a_trap_kills_at_its_passing_and_leaves_a_note(
    moment: str, passing: int, said: list[str], tmp_path: Path
) -> None:
    ended = run(Trap("lease taken", moment, passing), tmp_path / "note")
    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout.split() == said
    assert (tmp_path / "note").read_text() == f"{moment} lease taken\n"


@pytest.mark.e2e
def test_a_trap_that_is_never_reached_harms_nobody(tmp_path: Path) -> None:
    ended = run(Trap("lease taken", "after", 4), tmp_path / "note")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert not (tmp_path / "note").exists()


@pytest.mark.parametrize("seam", [*SEAMS.values(), *STORES.values(), *BUSES.values()])
def test_every_seam_is_there(seam: tuple[str, str, str]) -> None:
    module, name, method = seam
    assert callable(getattr(getattr(importlib.import_module(module), name), method))


def test_a_trap_survives_its_way_through_the_environment() -> None:
    trap = Trap("order sent", "during", 2, 1.25)
    assert parsed(trap.text) == trap


def test_commits_are_told_apart_by_what_they_carry() -> None:
    book = Replace("risk/main", {}, 1)
    assert commit_of([Create("orders/a", {}), book]) == "intent committed"
    assert commit_of([Replace("orders/a", {}, 1), book]) == "outcome committed"
    assert commit_of([book]) == "book committed"


def test_every_boundary_has_its_turn() -> None:
    dealt = {
        (life.trap.step, life.trap.moment)
        for profile in PROFILES
        for life in lives(200, profile, profile.name)
        if life.trap is not None
    }
    assert dealt == set(boundaries())


def test_the_same_seed_deals_the_same_lives() -> None:
    assert list(lives(20, PROFILES[0], "a")) == list(lives(20, PROFILES[0], "a"))
    assert list(lives(20, PROFILES[0], "a")) != list(lives(20, PROFILES[0], "b"))
