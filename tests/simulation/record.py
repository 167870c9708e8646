"""The record of a run: every scheduling decision and outside effect, in order, as one hash.

Two runs are the same run exactly when their digests are equal.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from struct import Struct

_DECISION = Struct("<II").pack
_FLUSH = 1 << 16
_KEPT = 400


class Record:
    """What happened, hashed as it happens; the last effects are kept in words for a report."""

    def __init__(self, now: Callable[[], float] = lambda: 0.0) -> None:
        self._hash = hashlib.blake2b(digest_size=16)
        self._pending = bytearray()
        self.now = now
        self.effects = 0
        self.last: deque[str] = deque(maxlen=_KEPT)

    def decided(self, chosen: int, among: int) -> None:
        """The scheduler ran one of several ready callbacks."""
        pending = self._pending
        pending += _DECISION(chosen, among)
        if len(pending) > _FLUSH:
            self._flush()

    def effect(self, who: str, what: str, detail: str = "") -> None:
        """Something left a process, or came to it."""
        line = f"{self.now():.6f} {who} {what} {detail}"
        self.effects += 1
        self.last.append(line)
        self._pending += line.encode()

    @property
    def digest(self) -> str:
        """Hash of everything so far, 32 hexadecimal digits."""
        self._flush()
        return self._hash.copy().hexdigest()

    def _flush(self) -> None:
        self._hash.update(self._pending)
        self._pending.clear()
