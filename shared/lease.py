"""A lease on any ``Documents`` backend: one holder at a time, every change of holder a new epoch."""

from __future__ import annotations

from shared.clock import SECOND, Clock, Instant
from shared.errors import AlreadyExistsError, ConflictError
from shared.ports import Document, Documents, Term, Value

LIFE_S = 15.0


class DocumentLease:
    """The ``Lease`` port as one document ``{holder, epoch, expires_at}``, changed by compare-and-set.

    Renew at a third of ``life_s``. The holder must stop acting at ``expires_at`` of its last term by its own
    clock; a successor waits ``margin_s`` longer, which covers that much difference between two clocks.
    """

    def __init__(
        self,
        documents: Documents,
        clock: Clock,
        holder: str,
        *,
        path: str = "leases/executor",
        life_s: float = LIFE_S,
        margin_s: float = 2.0,
    ) -> None:
        self._documents, self._clock, self._holder = documents, clock, holder
        self._path = path
        self._life, self._margin = int(life_s * SECOND), int(margin_s * SECOND)

    async def acquire(self) -> Term | None:
        """Take or renew the lease; ``None`` if another holder's term still runs or took it first."""
        found = await self._documents.get(self._path)
        if found is not None and not self._may_take(found.value):
            return None
        term = Term(self._holder, self._epoch(found), Instant(self._clock.now() + self._life))
        return term if await self._store(term, found) else None

    async def release(self) -> None:
        """Give it up if held; the epoch stays, so the next holder's is higher."""
        found = await self._documents.get(self._path)
        if found is not None and found.value["holder"] == self._holder:
            await self._store(Term("", found.value["epoch"], Instant(0)), found)

    def _may_take(self, value: Value) -> bool:
        if value["holder"] in (self._holder, ""):
            return True
        return self._clock.now() >= int(value["expires_at"]) + self._margin

    def _epoch(self, found: Document | None) -> int:
        """The epoch goes on only while an unexpired term is renewed: after a lapse others may have acted."""
        if found is None:
            return 1
        value = found.value
        renewed = value["holder"] == self._holder and self._clock.now() < value["expires_at"]
        return int(value["epoch"]) + (0 if renewed else 1)

    async def _store(self, term: Term, found: Document | None) -> bool:
        value: Value = {"holder": term.holder, "epoch": term.epoch, "expires_at": term.expires_at}
        try:
            if found is None:
                await self._documents.create(self._path, value)
            else:
                await self._documents.replace_if(self._path, value, found.version)
        except (ConflictError, AlreadyExistsError):
            return False
        return True
