"""The command line for tests: called in this process, or started as a real one."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.cli import app
from shared.config import Settings

_REPOSITORY = Path(__file__).resolve().parents[2]
SETTINGS = frozenset(name.upper() for name in Settings.__struct_fields__)


@dataclass(frozen=True)
class Result:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


@dataclass
class Terminal:
    """Commands of one person in one folder, without any setting of the machine."""

    folder: Path
    patch: pytest.MonkeyPatch
    captured: pytest.CaptureFixture[str]

    def __post_init__(self) -> None:
        self.patch.chdir(self.folder)
        for name in SETTINGS & os.environ.keys():
            self.patch.delenv(name)

    def arb(self, *arguments: object) -> Result:
        """Run a command in this process."""
        self.captured.readouterr()
        self.patch.setattr(sys, "argv", ["arb", *map(str, arguments)])
        code = 0
        try:
            app.main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
        out, err = self.captured.readouterr()
        assert "Traceback" not in out + err
        return Result(code, out, err)


def spawn(folder: Path, *arguments: object, **settings: str) -> subprocess.Popen[str]:
    """Start a command as a process of its own in ``folder``; its streams are pipes."""
    kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    command = [sys.executable, "-m", "shared.cli.app", *map(str, arguments)]
    return subprocess.Popen(  # noqa: S603 - our own interpreter and program
        command,
        cwd=folder,
        env=kept | {"PYTHONPATH": str(_REPOSITORY), "PYTHONUNBUFFERED": "1"} | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )


def finish(process: subprocess.Popen[str], timeout_s: float = 30) -> Result:
    """Wait for the end of a process."""
    out, err = process.communicate(timeout=timeout_s)
    assert "Traceback" not in out + err, err
    return Result(process.returncode, out, err)
