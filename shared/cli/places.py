"""Where runs keep their state: ``DATA_DIR/<run>/``, and ``DATA_DIR/current`` that names the newest."""

from __future__ import annotations

from pathlib import Path

from shared.config import load
from shared.errors import ConfigError, StorageError

DOCUMENTS = "documents.sqlite"
_CURRENT = "current"


def make(base: Path, name: str) -> Path:
    """Folder of a run, created and made the current one; raises :class:`StorageError`."""
    folder = base / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (base / _CURRENT).write_text(name, encoding="utf-8")
    except OSError as exc:
        raise StorageError(
            f"{folder}: cannot be written ({exc.strerror}); set DATA_DIR to a folder of yours"
        ) from exc
    return folder


def newest(given: Path | None) -> Path:
    """The folder asked for, or that of the newest run; raises :class:`ConfigError` when there is none."""
    if given is not None:
        if not given.is_dir():
            raise ConfigError(f"{given} is not a folder; --data-dir names the folder of one run")
        return given
    base = load().data_dir
    try:
        folder = base / (base / _CURRENT).read_text(encoding="utf-8").strip()
    except OSError as exc:
        raise ConfigError(f"nothing has run in {base} yet; start with: arb run") from exc
    return folder
