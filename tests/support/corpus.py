"""Where the recorded data is: tests that read it are skipped where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_DEFAULT = Path(__file__).resolve().parents[3] / "shared" / "data"
# Resolved once: a test may change the folder it runs in.
CORPUS = Path(os.environ.get("CORPUS_DIR") or _DEFAULT).absolute()


def corpus_path(*parts: str) -> Path:
    """Path of a recorded file under ``CORPUS_DIR`` (default ``../shared/data``); skips the test if absent.

    A part may hold ``*``; the first match counts.
    """
    if not CORPUS.is_dir():
        pytest.skip("there is no recorded data here: set CORPUS_DIR")
    found = sorted(CORPUS.glob("/".join(parts)))
    if not found:
        pytest.skip(f"the recorded data has no {'/'.join(parts)}")
    return found[0]
