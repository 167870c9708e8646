"""Handlers that may be called twice: drop what has been done, and what is older than what has been seen."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from shared.clock import Instant
from shared.messages import Message
from shared.ports import Handler

K = TypeVar("K", bound=Hashable)

# About 200 bytes each: some 20 MB, and hours of a busy topic.
CAPACITY = 100_000


class Seen(Generic[K]):
    """The last ``capacity`` keys, least recently seen forgotten first."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._keys: OrderedDict[K, None] = OrderedDict()

    def __contains__(self, key: K) -> bool:
        return key in self._keys

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: K) -> None:
        """Remember ``key``."""
        self._keys[key] = None
        self._keys.move_to_end(key)
        if len(self._keys) > self._capacity:
            self._keys.popitem(last=False)


class Newest(Generic[K]):
    """The newest instant seen for each of the last ``capacity`` keys."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._newest: OrderedDict[K, Instant] = OrderedDict()

    def admit(self, key: K, instant: Instant) -> bool:
        """True if ``instant`` is newer than any seen for ``key``; it is then the newest."""
        newest = self._newest.get(key)
        if newest is not None and instant <= newest:
            return False
        self._newest[key] = instant
        self._newest.move_to_end(key)
        if len(self._newest) > self._capacity:
            self._newest.popitem(last=False)
        return True


def once(handler: Handler, capacity: int = CAPACITY) -> Handler:
    """``handler``, called once per ``event_id``.

    An id is remembered only after the handler has returned: a failure leaves the message to its redelivery.
    Two copies in flight at the same moment both run, so lasting effects still need a compare-and-set.
    """
    done: Seen[str] = Seen(capacity)

    async def handle(message: Message) -> None:
        if message.event_id not in done:
            await handler(message)
            done.add(message.event_id)

    return handle
