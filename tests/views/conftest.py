"""An empty history for each test."""

from __future__ import annotations

import pytest

from tests.support.lake import Lake


@pytest.fixture
def lake() -> Lake:
    return Lake()
