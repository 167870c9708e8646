"""Raw payloads in a Cloud Storage bucket, as the same gzip files under the same names as on one machine.

A copied bucket is a folder that ``arb replay`` reads.
"""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TypeVar

import requests
from google.api_core import exceptions as said
from google.cloud.storage import Bucket, Client
from google.cloud.storage.retry import DEFAULT_RETRY

from shared.backends.gcp.errors import translated
from shared.errors import MalformedError, RetryLaterError, StorageError

_ROLE = "roles/storage.objectUser on the bucket"
_SUFFIX = ".gz"
_LEVEL = 3
_TIMEOUT_S = 30.0
# Every write replaces an object by the same content: sending it again is safe.
_RETRY = DEFAULT_RETRY.with_timeout(_TIMEOUT_S)

T = TypeVar("T")
Names = list[str]


class BucketBlobs:
    """The ``Blobs`` port on one bucket. The client blocks, so it works in a thread of its own."""

    def __init__(self, project: str, bucket: str) -> None:
        self._project, self._name = project, bucket
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="blobs")

    async def put(self, path: str, data: bytes) -> None:
        """Store ``data``, compressed; writing the same path again replaces it."""
        await self._run(path, lambda: self._put(_checked(path), data))

    async def get(self, path: str) -> bytes:
        """Stored bytes; raises ``KeyError``, or :class:`StorageError` for a damaged object."""
        return await self._run(path, lambda: self._get(path))

    async def list(self, prefix: str) -> Names:
        """Paths that start with ``prefix``, sorted."""
        return await self._run(prefix, lambda: self._names(prefix))

    async def close(self) -> None:
        """Finish what was handed over."""
        await asyncio.to_thread(self._thread.shutdown)

    @cached_property
    def _bucket(self) -> Bucket:
        return Client(project=self._project).bucket(self._name)

    def _put(self, path: str, data: bytes) -> None:
        # A fixed time keeps equal payloads equal objects.
        packed = gzip.compress(data, _LEVEL, mtime=0)
        self._bucket.blob(path + _SUFFIX).upload_from_string(
            packed, content_type="application/gzip", timeout=_TIMEOUT_S, retry=_RETRY
        )

    def _get(self, path: str) -> bytes:
        try:
            packed = self._bucket.blob(path + _SUFFIX).download_as_bytes(timeout=_TIMEOUT_S, retry=_RETRY)
        except said.NotFound:
            raise KeyError(path) from None
        try:
            return gzip.decompress(packed)
        except (gzip.BadGzipFile, EOFError, zlib.error) as exc:
            raise StorageError(f"gs://{self._name}/{path}{_SUFFIX} is damaged: restore it ({exc})") from exc

    def _names(self, prefix: str) -> Names:
        found = self._bucket.list_blobs(prefix=prefix, timeout=_TIMEOUT_S, retry=_RETRY)
        return sorted(blob.name.removesuffix(_SUFFIX) for blob in found if blob.name.endswith(_SUFFIX))

    async def _run(self, path: str, work: Callable[[], T]) -> T:
        what = f"gs://{self._name}/{path}"
        with translated(what, _ROLE):
            try:
                return await asyncio.get_running_loop().run_in_executor(self._thread, work)
            except requests.RequestException as exc:
                raise RetryLaterError(f"{what}: {type(exc).__name__}") from exc


def _checked(path: str) -> str:
    parts = path.split("/")
    if not all(parts) or {".", ".."} & set(parts) or "\0" in path or "\\" in path:
        raise MalformedError(f"blob path {path!r}: names joined by / are needed, none of them empty, . or ..")
    return path
