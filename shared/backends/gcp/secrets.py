"""Keys from Secret Manager, in the versions that were pinned: nobody's key changes under a running system.

During a rotation two versions are pinned, newest first. A version that was disabled is passed over and told
of; when none is left, or permission is missing, the error says which command mends it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import google_crc32c
from google.api_core import exceptions as said
from google.cloud.secretmanager_v1 import SecretManagerServiceAsyncClient
from google.cloud.secretmanager_v1.types import SecretPayload

from shared.backends.gcp.errors import translated
from shared.errors import ConfigError, CredentialsError, RetryLaterError

_log = logging.getLogger(__name__)

_ROLE = "roles/secretmanager.secretAccessor on the secret"
_TIMEOUT_S = 10.0


class ManagedSecrets:
    """The ``Secrets`` port on ``project``. ``KALSHI_PRIVATE_KEY`` is the secret ``kalshi-private-key``.

    ``pinned`` gives the numbers of the versions to use, newest first, by secret id.
    """

    def __init__(
        self,
        project: str,
        pinned: Mapping[str, Sequence[str]],
        client: SecretManagerServiceAsyncClient | None = None,
    ) -> None:
        self._project, self._pinned = project, pinned
        self._made = client

    async def get(self, name: str) -> bytes:
        """The newest usable version; raises :class:`CredentialsError` that says what to do without one."""
        return (await self.versions(name))[0]

    async def versions(self, name: str) -> list[bytes]:
        """Every usable pinned version, newest first: during a rotation the venue may know only one of them.

        Raises :class:`CredentialsError` when there is none, :class:`RetryLaterError` when it cannot be asked.
        """
        secret = secret_id(name)
        found = [await self._version(secret, number) for number in self._numbers(secret)]
        usable = [value for value in found if value is not None]
        if not usable:
            raise CredentialsError(
                f"secret {secret}: every pinned version ({', '.join(self._numbers(secret))}) is disabled or"
                f" destroyed: enable one (gcloud secrets versions enable N --secret={secret}), or pin another"
                " in SECRET_VERSIONS",
                code="disabled",
            )
        return usable

    async def close(self) -> None:
        """Close the line."""
        if self._made is not None:
            made, self._made = self._made, None
            await made.transport.close()

    def _numbers(self, secret: str) -> Sequence[str]:
        numbers = self._pinned.get(secret, ())
        if not numbers:
            raise ConfigError(f"SECRET_VERSIONS pins no version of {secret}: add {secret}=1")
        return numbers

    async def _version(self, secret: str, number: str) -> bytes | None:
        """Content of one version, ``None`` if it is disabled or destroyed."""
        path = f"projects/{self._project}/secrets/{secret}/versions/{number}"
        what = f"secret {secret} version {number}"
        if self._made is None:
            with translated(what, _ROLE):
                self._made = SecretManagerServiceAsyncClient()
        with translated(what, _ROLE):
            try:
                answer = await self._made.access_secret_version(name=path, timeout=_TIMEOUT_S)
            except said.FailedPrecondition as exc:
                _log.error("%s is not used: %s", what, exc.message)
                return None
            except said.NotFound as exc:
                raise CredentialsError(
                    f"{what} is not there: add it (gcloud secrets versions add {secret} --data-file=-), then"
                    f" pin its number in SECRET_VERSIONS ({exc.message})",
                    code="missing",
                ) from exc
        return _checked(answer.payload, what)


def secret_id(name: str) -> str:
    """Id of the secret for a variable's name."""
    return name.lower().replace("_", "-")


def pinned_versions(entries: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """``kalshi-private-key=4/3`` and its likes, by secret id; raises :class:`ConfigError` for others."""
    found: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        secret, _, numbers = entry.partition("=")
        versions = tuple(number.strip() for number in numbers.split("/"))
        if not secret or not all(number.isdigit() for number in versions):
            raise ConfigError(f"SECRET_VERSIONS: {entry!r} is neither secret=number nor secret=newer/older")
        found[secret.strip()] = versions
    return found


def _checked(payload: SecretPayload, what: str) -> bytes:
    data = bytes(payload.data)
    if payload.data_crc32c and google_crc32c.value(data) != payload.data_crc32c:
        raise RetryLaterError(f"{what}: it was damaged on the way")
    return data
