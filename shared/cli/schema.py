"""``arb schema``."""

from __future__ import annotations

from pathlib import Path

from shared import schema
from shared.cli.output import console, errors
from shared.errors import StorageError
from shared.schema import staging


def schema_command(folder: Path, views: Path, check: bool) -> int:
    """Write or check the generated schemas and staging views; 1 when they drift."""
    return _check(folder, views) if check else _write(folder, views)


def _write(folder: Path, views: Path) -> int:
    try:
        schema.write(folder)
        staging.write(views)
    except OSError as exc:
        place = exc.filename or folder
        raise StorageError(
            f"{place}: cannot be written ({exc.strerror}); name another with --folder, --views"
        ) from exc
    console.print(f"schemas written to {folder}, staging views to {views}")
    return 0


def _check(folder: Path, views: Path) -> int:
    drifted = [folder / name for name in schema.check(folder)]
    drifted += [views / name for name in staging.check(views)]
    for path in drifted:
        errors.print(f"[red]drifted[/]: {path}")
    if drifted:
        errors.print("run [bold]arb schema[/] and commit the result")
        return 1
    console.print(f"schemas in {folder} and views in {views} match the messages")
    return 0
