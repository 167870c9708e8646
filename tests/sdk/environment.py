"""The official SDK's own environment: another Python, its own packages, made once in a cache folder."""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
import subprocess
import sys
from pathlib import Path

SDK = "kalshi_python_async==3.34.0"
_CACHE = "ARB_SDK_CACHE"
_NEEDS = (3, 13)
_SLOW_S = 400.0


class CannotInstallError(Exception):
    """Why the SDK cannot be had here."""


def interpreter() -> Path:
    """Python of an environment with the SDK in it, made if need be; raises :class:`CannotInstallError`."""
    folder = _folder()
    python, done = folder / "bin" / "python", folder / "done"
    if done.is_file() and _version(str(python)):
        return python
    base = _base()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (done.is_file() and _version(str(python))):
            shutil.rmtree(folder, ignore_errors=True)
            _run(str(base), "-m", "venv", str(folder))
            _run(str(python), "-m", "pip", "install", "--quiet", "--retries", "1", SDK)
            done.touch()
    return python


def _folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get(_CACHE) or Path(cache) / "kalshi-arb") / f"sdk-{SDK.partition('==')[2]}"


def _base() -> Path:
    """A Python that is new enough."""
    names = [f"python3.{minor}" for minor in range(_NEEDS[1], _NEEDS[1] + 3)]
    installed = sorted(glob.glob(str(Path.home() / ".pyenv" / "versions" / "3.*" / "bin" / "python")))
    for candidate in (sys.executable, *filter(None, map(shutil.which, names)), *installed):
        # A shim on the path may stand for a version that is not active.
        if _version(candidate) >= _NEEDS:
            return Path(candidate)
    raise CannotInstallError(f"Python {_NEEDS[0]}.{_NEEDS[1]} or newer is not installed here")


def _version(python: str) -> tuple[int, ...]:
    asked = "import sys; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", asked], capture_output=True, text=True, timeout=20)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(int(part) for part in done.stdout.split()) if done.returncode == 0 else ()


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SLOW_S)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise CannotInstallError(f"{SDK} could not be installed: {type(exc).__name__}") from exc
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise CannotInstallError(f"{SDK} could not be installed: {' '.join(last)}")
