"""``arb schema``."""

from __future__ import annotations

from pathlib import Path

from shared.cli.output import console, errors
from shared.errors import StorageError
from shared.schema import check as drifted
from shared.schema import write


def schema_command(folder: Path, check: bool) -> int:
    """Write or check the generated schemas; 1 when they drift."""
    if not check:
        try:
            write(folder)
        except OSError as exc:
            raise StorageError(
                f"{folder}: cannot be written ({exc.strerror}); name another with --folder"
            ) from exc
        console.print(f"schemas written to {folder}")
        return 0
    names = drifted(folder)
    for name in names:
        errors.print(f"[red]drifted[/]: {folder / name}")
    if names:
        errors.print("run [bold]arb schema[/] and commit the result")
        return 1
    console.print(f"schemas in {folder} match the messages")
    return 0
