"""What a disk or an embedded engine says, turned into a sentence for the person who must act."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from shared.errors import StorageError

_FIXES = {
    "full": "the disk is full: free space on the volume of {folder}, then start again",
    "busy": "another process keeps {path} locked: stop the other arb that uses this DATA_DIR, or set another",
    "readonly": "{path} is not writable: give this user write access to {folder}, or set another DATA_DIR",
    "damaged": "{path} is damaged: move it away, restore a backup, reconcile before trading",
    "open": "{path} cannot be opened: check that {folder} exists and this user may read and write it",
    "io": "reading or writing {path} failed: check the disk and the system log",
}

# Primary result codes of SQLite (the low byte of the extended code).
_SQLITE = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_READONLY: "readonly",
    sqlite3.SQLITE_PERM: "readonly",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
    sqlite3.SQLITE_CANTOPEN: "open",
}
# DuckDB has one exception class for all of these; its words tell them apart.
_WORDS = {
    "no space left": "full",
    "set lock on file": "busy",
    "permission denied": "readonly",
    "read-only": "readonly",
    "not a valid duckdb database": "damaged",
    "corrupt": "damaged",
    "cannot open file": "open",
}
_OS = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EROFS: "readonly",
    errno.EACCES: "readonly",
    errno.EPERM: "readonly",
    errno.ENOENT: "open",
    errno.ENOTDIR: "open",
    errno.EEXIST: "open",
}


def storage_error(path: Path, cause: Exception) -> StorageError:
    """The :class:`StorageError` for ``cause``, naming the file and the fix."""
    return refusal(path, _kind(cause), cause)


def refusal(path: Path, kind: str, cause: Exception) -> StorageError:
    """The same for a ``kind`` already known: full, busy, readonly, damaged, open or io."""
    return StorageError(f"{_FIXES[kind].format(path=path, folder=path.parent)} ({cause})")


def _kind(cause: Exception) -> str:
    if isinstance(cause, sqlite3.Error):
        return _SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF, "io")
    if isinstance(cause, OSError):
        return _OS.get(cause.errno or 0, "io")
    text = str(cause).lower()
    return next((kind for words, kind in _WORDS.items() if words in text), "io")
