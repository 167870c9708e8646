"""History in BigQuery, to read: every topic reaches its table through a subscription, without any code.

A query may not read more than a set number of bytes: a forgotten filter costs an error, not money.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from functools import cached_property
from typing import Any, TypeVar

import requests
from google.api_core import exceptions as said
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from shared.backends.gcp.errors import translated
from shared.errors import ConfigError, MalformedError, QuotaExhaustedError, RetryLaterError
from shared.messages import Message

_ROLE = "roles/bigquery.jobUser, and roles/bigquery.dataViewer on the dataset"
_TIMEOUT_S = 60.0
# A tenth of a cent at the price of one query in 2026.
MAX_BYTES = 20 * 2**30

T = TypeVar("T")


class BigQueryWarehouse:
    """The ``Warehouse`` port over one dataset. The client blocks, so it works in a thread of its own."""

    def __init__(self, project: str, dataset: str, max_bytes: int = MAX_BYTES) -> None:
        self._project, self._dataset, self._max_bytes = project, dataset, max_bytes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="bigquery")

    async def append(self, rows: Sequence[Message]) -> None:
        """Raises :class:`ConfigError`: to be kept, a message is published; a subscription writes the row."""
        if rows:
            raise ConfigError(f"{rows[0].TABLE}: rows reach BigQuery by being published on {rows[0].TOPIC}")

    async def flush(self) -> None:
        """Nothing is held back here."""

    async def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Rows of a query in BigQuery's dialect, its parameters written ``?``.

        Raises :class:`MalformedError` for a wrong statement, :class:`QuotaExhaustedError` for one that reads
        too much.
        """
        typed = [_parameter(value) for value in parameters]
        return await self._run(lambda: self._rows(sql, typed))

    async def close(self) -> None:
        """Finish what was asked."""
        await asyncio.to_thread(self._thread.shutdown)

    @cached_property
    def _client(self) -> bigquery.Client:
        emulated = os.environ.get("BIGQUERY_EMULATOR_HOST")
        return bigquery.Client(self._project, AnonymousCredentials() if emulated else None)

    def _rows(self, sql: str, parameters: list[Any]) -> list[dict[str, Any]]:
        config = bigquery.QueryJobConfig(
            query_parameters=parameters,
            default_dataset=f"{self._project}.{self._dataset}",
            maximum_bytes_billed=self._max_bytes,
            labels={"system": "arb"},
        )
        found = self._client.query_and_wait(
            sql, job_config=config, wait_timeout=_TIMEOUT_S, api_timeout=_TIMEOUT_S
        )
        return [dict(row.items()) for row in found]

    async def _run(self, work: Callable[[], T]) -> T:
        with translated(f"BigQuery {self._dataset}", _ROLE):
            try:
                return await asyncio.get_running_loop().run_in_executor(self._thread, work)
            except said.GoogleAPICallError as exc:
                if any(one.get("reason") == "bytesBilledLimitExceeded" for one in _details(exc)):
                    raise QuotaExhaustedError(
                        f"the query reads more than {self._max_bytes} bytes: filter by observed_at"
                    ) from exc
                raise
            except (requests.RequestException, TimeoutError) as exc:
                raise RetryLaterError(f"BigQuery {self._dataset}: {type(exc).__name__}") from exc


def _details(cause: said.GoogleAPICallError) -> list[dict[str, Any]]:
    return [one for one in cause.errors if isinstance(one, dict)]


def _parameter(value: Any) -> Any:
    if isinstance(value, list | tuple):
        kinds = {_kind(item) for item in value} or {"STRING"}
        if len(kinds) > 1:
            raise MalformedError(f"a list of {', '.join(sorted(kinds))} is no query parameter")
        return bigquery.ArrayQueryParameter(None, kinds.pop(), list(value))
    return bigquery.ScalarQueryParameter(None, _kind(value), value)


def _kind(value: object) -> str:
    match value:
        case None:
            return "STRING"
        case bool():
            return "BOOL"
        case int():
            return "INT64"
        case float():
            return "FLOAT64"
        case str():
            return "STRING"
        case bytes():
            return "BYTES"
        case datetime():
            return "TIMESTAMP"
        case date():
            return "DATE"
        case _:
            raise MalformedError(f"{type(value).__name__} is no query parameter")
