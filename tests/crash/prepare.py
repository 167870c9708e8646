"""What is done to a process before its program begins, as its environment says."""

from __future__ import annotations

import os


def prepare() -> None:
    """Set its clock, give it its key where no cloud holds one, and lay its trap."""
    clock, trap = os.environ.get("CRASH_CLOCK"), os.environ.get("CRASH_TRAP")
    if clock:
        from tests.crash import quick

        quick.install(clock)
    if os.environ.get("CRASH_SECRETS"):
        _secrets_from_the_environment()
    if trap:
        from tests.crash import traps

        traps.install(traps.parsed(trap))


def _secrets_from_the_environment() -> None:
    """Google has no emulator of its Secret Manager."""
    from shared.backends.gcp.secrets import ManagedSecrets

    async def get(_: ManagedSecrets, name: str) -> bytes:
        return os.environ[name].replace("\\n", "\n").encode()

    ManagedSecrets.get = get  # type: ignore[method-assign, assignment]
