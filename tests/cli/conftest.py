"""A terminal in an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.arb import Terminal


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(tmp_path, monkeypatch, capsys)
