"""What is done to a process before its program begins, as its environment says."""

from __future__ import annotations

import os
import threading
import time

_LOOK_S = 1.0


def prepare() -> None:
    """Set its clock, give it its key where no cloud holds one, and lay its trap."""
    clock, trap = os.environ.get("CRASH_CLOCK"), os.environ.get("CRASH_TRAP")
    if trial := os.environ.get("CRASH_TRIAL"):
        threading.Thread(target=_end_with, args=(int(trial),), daemon=True).start()
    if clock:
        from tests.crash import quick

        quick.install(clock)
    if os.environ.get("CRASH_SECRETS"):
        _secrets_from_the_environment()
    if trap:
        from tests.crash import traps

        traps.install(traps.parsed(trap))


def _end_with(trial: int) -> None:
    """A trial that was cut off leaves nothing running."""
    while True:
        try:
            os.kill(trial, 0)
        except ProcessLookupError:
            os._exit(1)
        time.sleep(_LOOK_S)


def _secrets_from_the_environment() -> None:
    """Google has no emulator of its Secret Manager."""
    from shared.backends.gcp.secrets import ManagedSecrets

    async def get(_: ManagedSecrets, name: str) -> bytes:
        return os.environ[name].replace("\\n", "\n").encode()

    ManagedSecrets.get = get  # type: ignore[method-assign, assignment]
