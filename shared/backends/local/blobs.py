"""Raw payloads as gzip files: written beside their place and renamed, so a reader never sees half of one."""

from __future__ import annotations

import asyncio
import gzip
import os
import zlib
from itertools import count
from pathlib import Path

from shared.backends.local.errors import refusal, storage_error
from shared.errors import MalformedError

_SUFFIX = ".gz"
# Two writers of one path never share a part.
_parts = count()
# Level 6 takes three times as long for a few percent of JSON.
_LEVEL = 3


class FileBlobs:
    """The ``Blobs`` port in one folder. Raises :class:`StorageError` when the disk refuses."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, path: str, data: bytes) -> None:
        """Store ``data``, compressed; writing the same path again replaces it."""
        await asyncio.to_thread(self._put, self._file(path), data)

    async def get(self, path: str) -> bytes:
        """Stored bytes; raises ``KeyError``."""
        return await asyncio.to_thread(self._get, self._file(path), path)

    async def list(self, prefix: str) -> list[str]:
        """Paths that start with ``prefix``, sorted."""
        return await asyncio.to_thread(_names, self._folder, prefix)

    def _file(self, path: str) -> Path:
        parts = path.split("/")
        if not all(parts) or {".", ".."} & set(parts) or "\0" in path or "\\" in path:
            raise MalformedError(
                f"blob path {path!r}: names joined by / are needed, none of them empty, . or .."
            )
        return self._folder.joinpath(*parts[:-1], parts[-1] + _SUFFIX)

    def _put(self, file: Path, data: bytes) -> None:
        part = file.with_name(f".{file.name}.{os.getpid()}.{next(_parts)}")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            # A fixed time keeps equal payloads equal files.
            part.write_bytes(gzip.compress(data, _LEVEL, mtime=0))
            part.replace(file)
        except OSError as exc:
            part.unlink(missing_ok=True)
            raise storage_error(file, exc) from exc

    def _get(self, file: Path, path: str) -> bytes:
        try:
            return gzip.decompress(file.read_bytes())
        except FileNotFoundError:
            raise KeyError(path) from None
        except (gzip.BadGzipFile, EOFError, zlib.error) as exc:
            raise refusal(file, "damaged", exc) from exc
        except OSError as exc:
            raise storage_error(file, exc) from exc


def _names(folder: Path, prefix: str) -> list[str]:
    files = folder.rglob(f"*{_SUFFIX}")
    names = (file.relative_to(folder).as_posix().removesuffix(_SUFFIX) for file in files)
    return sorted(name for name in names if name.startswith(prefix))
