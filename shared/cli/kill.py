"""``arb kill``: the kill program as a process of its own, and beside it the halt document where one is."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from shared.cli.output import errors, escape

_HALT_S = 20.0
_REASON = "arb kill"


def kill_command(seconds: float, settle: float, data_dir: Path | None, json: bool) -> int:
    """Cancel everything; the kill program's exit code, whether trading could be halted or not."""
    killing = subprocess.Popen(  # noqa: S603 - our own interpreter and program
        [*_program("shared.kill"), "--seconds", f"{seconds:g}", "--settle", f"{settle:g}"]
        + (["--json"] if json else [])
    )
    errors.print(f"[bold]{escape(_halted(data_dir))}[/]", highlight=False, soft_wrap=True)
    return killing.wait()


def _program(module: str) -> list[str]:
    """The file itself: nothing else of this project is imported with it."""
    spec = find_spec(module)
    assert spec is not None  # noqa: S101 - it is a part of this package
    assert spec.origin is not None  # noqa: S101
    return [sys.executable, "-P", spec.origin]


def _halted(data_dir: Path | None) -> str:
    """Write the halt document from another process, which may fail or hang as it likes."""
    where = [] if data_dir is None else ["--data-dir", str(data_dir)]
    command = [sys.executable, "-m", "shared.cli", "halt", _REASON, *where]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_HALT_S)  # noqa: S603
    except subprocess.TimeoutExpired:
        return "trading was not halted: the documents did not answer"
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:]
        return f"trading was not halted: {' '.join(said)}"
    return "trading is halted until somebody says arb resume"
