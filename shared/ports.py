"""The seams to the outside, as small protocols. Local and cloud backends pass one contract suite each.

All methods are coroutines; none blocks the event loop for longer than a local disk write.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.clock import Instant
from shared.messages import Message

Handler = Callable[[Message], Awaitable[None]]
Value = dict[str, Any]


class Bus(Protocol):
    """Publish and subscribe. Delivery is at least once, unordered, possibly duplicated."""

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Hand over sealed messages; returns when they are accepted for delivery."""
        ...

    def subscribe(self, topic: str, name: str, handler: Handler) -> None:
        """Call ``handler`` for each message on ``topic``. ``name`` identifies the subscription."""
        ...


@dataclass(frozen=True, slots=True)
class Document:
    """A stored value and the version that a compare-and-set must name."""

    path: str
    value: Value
    version: int


@dataclass(frozen=True, slots=True)
class Create:
    """Write that succeeds only if ``path`` does not exist."""

    path: str
    value: Value


@dataclass(frozen=True, slots=True)
class Replace:
    """Write that succeeds only if ``path`` is still at ``version``."""

    path: str
    value: Value
    version: int


@dataclass(frozen=True, slots=True)
class Delete:
    """Removal that succeeds only if ``path`` is still at ``version``."""

    path: str
    version: int


Write = Create | Replace | Delete


class Documents(Protocol):
    """Versioned documents with compare-and-set. A path is ``collection/id``; values are JSON objects."""

    async def get(self, path: str) -> Document | None:
        """The document, or ``None``."""
        ...

    async def create(self, path: str, value: Value) -> int:
        """First version of a new document; raises ``AlreadyExistsError``."""
        ...

    async def replace_if(self, path: str, value: Value, version: int) -> int:
        """Next version of a document still at ``version``; raises ``ConflictError``."""
        ...

    async def delete_if(self, path: str, version: int) -> None:
        """Remove a document still at ``version``; raises ``ConflictError``."""
        ...

    async def batch(self, writes: Sequence[Write]) -> list[int]:
        """All writes or none; the new version of each, in order (of a removal it means nothing).

        Raises ``ConflictError`` or ``AlreadyExistsError``, leaving nothing.
        """
        ...

    async def query(
        self, collection: str, where: Mapping[str, Any] | None = None, limit: int = 1000
    ) -> list[Document]:
        """Documents of ``collection`` whose top-level fields equal ``where``, ordered by id."""
        ...

    def watch(self, collection: str) -> AsyncIterator[Document]:
        """Each document of ``collection`` as it is now, then later states; removals are not shown.

        Embedded stores show every state; a cloud store may leave out one that was replaced at once.
        """
        ...


class Warehouse(Protocol):
    """History. Appends are buffered; a flush makes them durable and visible to queries."""

    async def append(self, rows: Sequence[Message]) -> None:
        """Queue rows for their tables; a repeated ``event_id`` is kept once by the views."""
        ...

    async def flush(self) -> None:
        """Write everything queued."""
        ...

    async def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Rows of a query as dictionaries."""
        ...


class Blobs(Protocol):
    """Raw payloads, written once."""

    async def put(self, path: str, data: bytes) -> None:
        """Store ``data``; writing the same path again replaces it."""
        ...

    async def get(self, path: str) -> bytes:
        """Stored bytes; raises ``KeyError``."""
        ...

    async def list(self, prefix: str) -> list[str]:
        """Paths that start with ``prefix``, sorted."""
        ...


class Secrets(Protocol):
    """Keys and passwords by name."""

    async def get(self, name: str) -> bytes:
        """The secret; raises ``CredentialsError`` that names it and says where to put it."""
        ...


@dataclass(frozen=True, slots=True)
class Term:
    """A held lease: who, in which epoch, until when."""

    holder: str
    epoch: int
    expires_at: Instant


class Lease(Protocol):
    """One holder at a time. The epoch grows with every change of holder."""

    async def acquire(self) -> Term | None:
        """Take or renew the lease; ``None`` if another holder's term still runs."""
        ...

    async def release(self) -> None:
        """Give it up if held."""
        ...
