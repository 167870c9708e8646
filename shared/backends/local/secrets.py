"""Secrets of one machine: the values of the settings, and the key file they name."""

from __future__ import annotations

import asyncio

from shared.config import Secret, Settings
from shared.errors import CredentialsError

KALSHI_PRIVATE_KEY = "KALSHI_PRIVATE_KEY"


class SettingsSecrets:
    """The ``Secrets`` port over :class:`Settings`: a secret's name is its variable's name."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def get(self, name: str) -> bytes:
        """The secret; raises :class:`CredentialsError` that names it and says where to put it."""
        value = getattr(self._settings, name.lower(), None)
        if isinstance(value, Secret) and value:
            return value.reveal().encode()
        if name == KALSHI_PRIVATE_KEY and self._settings.kalshi_private_key_path is not None:
            return await asyncio.to_thread(self._read_key)
        raise CredentialsError(f"{name} is not set: put it in the environment or in .env", code="missing")

    def _read_key(self) -> bytes:
        path = self._settings.kalshi_private_key_path
        try:
            data = path.read_bytes() if path is not None else b""
        except OSError as exc:
            raise CredentialsError(
                f"KALSHI_PRIVATE_KEY_PATH: {path} cannot be read ({exc.strerror}); check its permissions",
                code="unreadable",
            ) from exc
        if b"PRIVATE KEY" not in data[:100]:
            raise CredentialsError(
                f"KALSHI_PRIVATE_KEY_PATH: {path} is not a PEM private key; download it again",
                code="not_pem",
            )
        return data
