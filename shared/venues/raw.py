"""Keeps every answer of a venue as it came, so that anything later made from it can be made again.

A transport around the transport: each successful body becomes one line ``{captured_at, path, body}`` and
lines are stored as one blob about every half minute. Queries are not kept: a key may travel in them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

import msgspec

from shared.clock import SECOND, Clock, Instant, format_instant, utc_day
from shared.errors import ArbError
from shared.ports import Blobs
from shared.venues.http import Params, Response, Transport, place

_log = logging.getLogger(__name__)

_EVERY = 30 * SECOND
_MAX_BYTES = 16 * 1024 * 1024


class RawKeeper:
    """A :class:`Transport` that also stores what comes back below ``raw/{venue}/{day}/``."""

    def __init__(self, transport: Transport, blobs: Blobs, clock: Clock, venue: str) -> None:
        self._transport, self._blobs, self._clock, self._venue = transport, blobs, clock, venue
        self._lines: list[bytes] = []
        self._size = 0
        self._since = clock.now()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Params = (),
        body: bytes | None = None,
        seconds: float = 10.0,
    ) -> Response:
        """See :class:`Transport`."""
        response = await self._transport.request(
            method, url, headers=headers, params=params, body=body, seconds=seconds
        )
        if response.status == 200:
            await self._keep(url, response.body)
        return response

    async def close(self) -> None:
        """Store what is left, then close the transport."""
        await self._flush(self._clock.now())
        await self._transport.close()

    async def _keep(self, url: str, body: bytes) -> None:
        now = self._clock.now()
        line = {"captured_at": format_instant(now), "path": place(url), "body": _json(body)}
        self._lines.append(msgspec.json.encode(line))
        self._size += len(body)
        if now - self._since >= _EVERY or self._size >= _MAX_BYTES:
            await self._flush(now)

    async def _flush(self, now: Instant) -> None:
        """Store the lines. A store that refuses costs the raw copy, never the trading: it is logged."""
        lines, self._lines, self._size, self._since = self._lines, [], 0, now
        if not lines:
            return
        moment = format_instant(now).replace(":", "")
        path = f"raw/{self._venue}/{utc_day(now)}/{moment}.jsonl"
        try:
            await self._blobs.put(path, b"\n".join(lines) + b"\n")
        except ArbError as exc:
            _log.error("raw copy lost: %s", exc)


def _json(body: bytes) -> msgspec.Raw | str:
    """The body as it came if it is JSON, else as text."""
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return body.decode(errors="replace")
    return msgspec.Raw(body)
