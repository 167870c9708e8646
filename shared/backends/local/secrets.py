"""Secrets of one machine: the values of the settings, and the key file they name."""

from __future__ import annotations

import asyncio
from pathlib import Path

from shared.config import Secret, Settings
from shared.errors import CredentialsError

KALSHI_PRIVATE_KEY = "KALSHI_PRIVATE_KEY"
KALSHI_KILL_PRIVATE_KEY = "KALSHI_KILL_PRIVATE_KEY"


class SettingsSecrets:
    """The ``Secrets`` port over :class:`Settings`: a secret's name is its variable's name."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def get(self, name: str) -> bytes:
        """The secret; raises :class:`CredentialsError` that names it and says where to put it."""
        value = getattr(self._settings, name.lower(), None)
        if isinstance(value, Secret) and value:
            return value.reveal().encode()
        path = getattr(self._settings, f"{name.lower()}_path", None)
        if isinstance(path, Path):
            return await asyncio.to_thread(_read_key, name, path)
        raise CredentialsError(f"{name} is not set: put it in the environment or in .env", code="missing")


def _read_key(name: str, path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise CredentialsError(
            f"{name}_PATH: {path} cannot be read ({exc.strerror}); check its permissions", code="unreadable"
        ) from exc
    if b"PRIVATE KEY" not in data[:100]:
        raise CredentialsError(
            f"{name}_PATH: {path} is not a PEM private key; download it again", code="not_pem"
        )
    return data
