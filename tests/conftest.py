"""What tests of several rooms share: the emulators of Google's services, one pair a session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import emulators as emulation


@pytest.fixture(scope="session")
def emulator_session() -> Iterator[emulation.Emulators]:
    """Running emulators; skipped, with the reason in one line, where none are installed."""
    try:
        with emulation.emulators() as running:
            yield running
    except emulation.NotInstalledError as exc:
        pytest.skip(str(exc))


@pytest.fixture
def emulators(emulator_session: emulation.Emulators, monkeypatch: pytest.MonkeyPatch) -> emulation.Emulators:
    """The same, with this process pointed at them."""
    for name, value in emulator_session.environment.items():
        monkeypatch.setenv(name, value)
    return emulator_session
