"""Where the recorded data is: tests that read it are skipped where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[2]


def corpus_path(*parts: str) -> Path:
    """Path of a recorded file under ``CORPUS_DIR`` (default ``../shared/data``); skips the test if absent."""
    root = Path(os.environ.get("CORPUS_DIR") or _REPOSITORY.parent / "shared" / "data")
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"recorded data is absent: {path} (set CORPUS_DIR)")
    return path
