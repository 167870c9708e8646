"""Versioned documents in Firestore: every write is one commit with preconditions, never a transaction.

A document's version is its update time in microseconds, which is what Firestore resolves it to; the server
never gives one twice. Contended transactions of the client fail 49 of 50 times where this succeeds (see
:mod:`shared.cas`). All fields are kept in Firestore's own types, so that a person can read them in the
console, and halt trading there.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import grpc
from google.api_core import exceptions as said
from google.api_core.retry import AsyncRetry, if_exception_type
from google.cloud.firestore_v1 import types
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from shared.backends.gcp.errors import translated
from shared.backends.gcp.values import field_path, fill, plain, put
from shared.errors import ConflictError, MalformedError, RetryLaterError
from shared.ports import Create, Delete, Document, Replace, Value, Write

_log = logging.getLogger(__name__)

DATABASE = "(default)"
_ROLE = "roles/datastore.user"
_TIMEOUT_S = 10.0
# Only what certainly did not reach the server is sent again. A commit that did and was cut off may then meet
# its own first copy and be told that it lost: callers read again, as after any lost race.
_RETRY = AsyncRetry(
    predicate=if_exception_type(said.ServiceUnavailable), initial=0.05, maximum=1.0, timeout=_TIMEOUT_S
)
# A dead line is noticed within a minute, and a document of 1 MiB in its envelope fits.
_CHANNEL = [
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.max_receive_message_length", -1),
]
# A listener that was cut off connects again after these waits; then its reader is told.
_RECONNECT_S = (0.1, 0.5, 1.0, 2.0, 4.0)
_PASSING = (
    said.ServiceUnavailable,
    said.InternalServerError,
    said.DeadlineExceeded,
    said.Aborted,
    said.Unknown,
    # Seen of the emulator while many states follow each other: the next line says the newest again.
    DecodeError,
)
_TARGET = 1

_Commit, _Query, _Listen = types.CommitRequest.pb(), types.RunQueryRequest.pb(), types.ListenRequest.pb()
_Get = types.BatchGetDocumentsRequest.pb()


class FirestoreDocuments:
    """The ``Documents`` port on one database of ``project``. Belongs to the event loop that first uses it.

    With ``FIRESTORE_EMULATOR_HOST`` set it talks to the emulator there. Every method raises
    :class:`CredentialsError` without permission, :class:`ConfigError` without the database,
    :class:`RateLimitedError` over quota and :class:`RetryLaterError` when Firestore cannot be reached; one
    that writes raises :class:`OutcomeUnknownError` when it was cut off.
    """

    def __init__(self, project: str, database: str = DATABASE) -> None:
        self._database = f"projects/{project}/databases/{database}"
        self._root = f"{self._database}/documents"
        self._metadata = [("google-cloud-resource-prefix", self._database)]
        self._made: FirestoreAsyncClient | None = None

    async def get(self, path: str) -> Document | None:
        """The document, or ``None``."""
        request = _Get(database=self._database, documents=[self._name(path)])
        with self._translated(path):
            answers = await self._api.batch_get_documents(
                types.BatchGetDocumentsRequest.wrap(request), **self._call
            )
            async for answer in answers:
                found = types.BatchGetDocumentsResponse.pb(answer)
                if found.HasField("found"):
                    return self._document(found.found)
        return None

    async def create(self, path: str, value: Value) -> int:
        """First version of a new document; raises ``AlreadyExistsError``."""
        return (await self._commit([Create(path, value)]))[0]

    async def replace_if(self, path: str, value: Value, version: int) -> int:
        """Next version of a document still at ``version``; raises ``ConflictError``."""
        return (await self._commit([Replace(path, value, version)]))[0]

    async def delete_if(self, path: str, version: int) -> None:
        """Remove a document still at ``version``; raises ``ConflictError``."""
        await self._commit([Delete(path, version)])

    async def batch(self, writes: Sequence[Write]) -> list[int]:
        """All writes or none, and their versions; raises ``ConflictError`` or ``AlreadyExistsError``."""
        return await self._commit(writes) if writes else []

    async def query(
        self, collection: str, where: Mapping[str, Any] | None = None, limit: int = 1000
    ) -> list[Document]:
        """Documents of ``collection`` whose top-level fields equal ``where``, ordered by id.

        Equality and the order of ids need no composite index.
        """
        request = _Query(parent=self._root)
        query = request.structured_query
        query.CopyFrom(_in(collection))
        query.limit.value = limit
        for field, wanted in (where or {}).items():
            _filter(query, field, wanted)
        with self._translated(collection):
            answers = await self._api.run_query(types.RunQueryRequest.wrap(request), **self._call)
            rows = [types.RunQueryResponse.pb(answer) async for answer in answers]
            return [self._document(row.document) for row in rows if row.HasField("document")]

    async def watch(self, collection: str) -> AsyncGenerator[Document, None]:
        """Each document of ``collection`` as it is now, then later states; removals are not shown.

        The newest state always comes; of several that follow each other at once the service may leave out
        those between. A line that stays cut raises :class:`RetryLaterError`: silence is never taken for news.
        """
        token, failures = b"", 0
        told: dict[str, int] = {}
        with self._translated(collection):
            while True:
                cause: Exception = RetryLaterError("the line was closed")
                try:
                    async for change in self._listened(collection, token):
                        token, failures = change.target_change.resume_token or token, 0
                        if _is_now(change):
                            document = self._document(change.document_change.document)
                            # After a reconnect, and now and then without one, a state comes again.
                            if document.version > told.get(document.path, 0):
                                told[document.path] = document.version
                                yield document
                except _PASSING as exc:
                    cause = exc
                if failures == len(_RECONNECT_S):
                    raise RetryLaterError(f"Firestore {collection}: the watch is cut off: {cause}") from cause
                _log.info("watching %s: %s; connecting again", collection, cause)
                await asyncio.sleep(_RECONNECT_S[failures])
                failures += 1

    async def close(self) -> None:
        """Close the line."""
        if self._made is not None:
            made, self._made = self._made, None
            await made.transport.close()

    # --- the wire -------------------------------------------------------------------------------------------

    @property
    def _api(self) -> FirestoreAsyncClient:
        """The client, made at first use: its channel belongs to the running loop."""
        if self._made is None:
            self._made = FirestoreAsyncClient(transport=_transport())
        return self._made

    @property
    def _call(self) -> dict[str, Any]:
        return {"retry": _RETRY, "timeout": _TIMEOUT_S, "metadata": self._metadata}

    def _translated(self, what: str, *, writes: bool = False) -> AbstractContextManager[None]:
        return translated(f"Firestore {what}", _ROLE, writes=writes)

    async def _commit(self, writes: Sequence[Write]) -> list[int]:
        request = _Commit(database=self._database)
        for write in writes:
            self._put(request.writes.add(), write)
        paths = ", ".join(write.path for write in writes[:3])
        with self._translated(paths, writes=True):
            try:
                answer = await self._api.commit(types.CommitRequest.wrap(request), **self._call)
            except said.NotFound as exc:
                # The database itself may be missing, which is another matter.
                if "/documents/" not in str(exc):
                    raise
                raise ConflictError(f"{paths}: gone: {exc}") from exc
        results = types.CommitResponse.pb(answer).write_results
        return [result.update_time.ToMicroseconds() for result in results]

    def _put(self, made: Any, write: Write) -> None:
        name = self._name(write.path)
        if isinstance(write, Create):
            made.current_document.exists = False
        elif write.version <= 0:
            raise ConflictError(f"{write.path} was never at version {write.version}")
        else:
            made.current_document.update_time.FromMicroseconds(write.version)
        if isinstance(write, Delete):
            made.delete = name
        else:
            made.update.name = name
            fill(made.update.fields, write.value, write.path)

    async def _listened(self, collection: str, token: bytes) -> AsyncIterator[Any]:
        """What the server says about ``collection`` from ``token`` on, as long as the line holds."""
        request = _Listen(database=self._database)
        request.add_target.target_id = _TARGET
        request.add_target.query.parent = self._root
        request.add_target.query.structured_query.CopyFrom(_in(collection))
        if token:
            request.add_target.resume_token = token
        done = asyncio.Event()
        try:
            # Without the client's own retries, which would be silent for a day.
            line = await self._api.listen(_once(request, done), retry=None, metadata=self._metadata)
            async for answer in line:
                change = types.ListenResponse.pb(answer)
                if change.target_change.HasField("cause"):
                    cause = change.target_change.cause
                    raise said.from_grpc_status(cause.code, cause.message)
                yield change
        finally:
            done.set()

    def _name(self, path: str) -> str:
        collection, _, name = path.partition("/")
        if not collection or not name or "/" in name or name in (".", ".."):
            raise MalformedError(f"document path {path!r} is not collection/id")
        return f"{self._root}/{path}"

    def _document(self, held: Any) -> Document:
        path = held.name[len(self._root) + 1 :]
        return Document(path, plain(held.fields), held.update_time.ToMicroseconds())


def _transport() -> FirestoreGrpcAsyncIOTransport:
    emulator = os.environ.get("FIRESTORE_EMULATOR_HOST")
    if emulator:
        return FirestoreGrpcAsyncIOTransport(channel=grpc.aio.insecure_channel(emulator, options=_CHANNEL))
    channel = FirestoreGrpcAsyncIOTransport.create_channel(options=_CHANNEL)
    return FirestoreGrpcAsyncIOTransport(channel=channel)


def _in(collection: str) -> Any:
    """Every document of a collection, by id."""
    query = types.StructuredQuery.pb()()
    query.from_.add(collection_id=collection)
    return query


def _filter(query: Any, field: str, wanted: Any) -> None:
    """Also ask for ``field`` to equal ``wanted``; a missing field equals nothing, not even null."""
    query.where.composite_filter.op = types.StructuredQuery.CompositeFilter.Operator.AND
    one = query.where.composite_filter.filters.add()
    if wanted is None:
        one.unary_filter.field.field_path = field_path(field)
        one.unary_filter.op = types.StructuredQuery.UnaryFilter.Operator.IS_NULL
        return
    one.field_filter.field.field_path = field_path(field)
    one.field_filter.op = types.StructuredQuery.FieldFilter.Operator.EQUAL
    put(one.field_filter.value, wanted)


def _is_now(change: Any) -> bool:
    """Whether this tells of a document that is in the collection."""
    return bool(change.HasField("document_change") and _TARGET in change.document_change.target_ids)


async def _once(request: Any, done: asyncio.Event) -> AsyncIterator[types.ListenRequest]:
    """One request, then silence until ``done``: the line stays open as long as this does."""
    yield types.ListenRequest.wrap(request)
    await done.wait()
