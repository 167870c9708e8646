"""Real processes for tests of crashes and of several processes on one file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[2]


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    """Run ``program`` in a fresh interpreter; its standard output is a pipe of lines."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(  # noqa: S603 - our own interpreter and program
        command, cwd=_REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str], timeout_s: float = 30) -> str:
    """Output of a process that must succeed."""
    out, err = process.communicate(timeout=timeout_s)
    assert process.returncode == 0, err
    return out


def lines_until_killed(process: subprocess.Popen[str], count: int) -> list[str]:
    """Read ``count`` lines, kill the process without warning, and return every line it had written."""
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(count)]
    process.kill()
    rest, _ = process.communicate(timeout=30)
    # The last line may be cut off: it was not acknowledged.
    return [line.strip() for line in [*lines, *rest.splitlines(keepends=True)] if line.endswith("\n")]
