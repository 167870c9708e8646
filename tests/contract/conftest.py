"""Every backend of a port runs the same tests; those of the cloud on its emulators, where there are any."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.ports import Documents
from tests.support.backends import CLOUD, DOCUMENTS, BusBench, open_bus, open_documents


@pytest.fixture(params=DOCUMENTS)
def documents_backend(request: pytest.FixtureRequest) -> str:
    """The name of each ``Documents`` backend in turn."""
    return _available(request)


@pytest.fixture
async def documents(documents_backend: str, tmp_path: Path) -> AsyncIterator[Documents]:
    """Each ``Documents`` backend in turn, empty."""
    async with open_documents(documents_backend, tmp_path) as backend:
        yield backend


@pytest.fixture
def bus_backend(request: pytest.FixtureRequest) -> str:
    """The name of a ``Bus`` backend; tests say by parameter for which they hold."""
    return _available(request)


@pytest.fixture
async def bench(bus_backend: str) -> AsyncIterator[BusBench]:
    """Each ``Bus`` backend in turn, without messages."""
    async with open_bus(bus_backend) as bench:
        yield bench


def _available(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name in CLOUD:
        request.getfixturevalue("emulators")
    return name
