"""Every backend of a port runs the same tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.ports import Documents
from tests.support.backends import DOCUMENTS, open_documents


@pytest.fixture(params=DOCUMENTS)
async def documents(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Documents]:
    """Each ``Documents`` backend in turn, empty."""
    async with open_documents(request.param, tmp_path) as backend:
        yield backend
