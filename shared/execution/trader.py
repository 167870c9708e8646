"""The trader: one executor's right to act. It holds the lease, has recovered, and the venue agrees.

::

    standby ─► lease taken ─► fenced, recovered ─► the venue agrees, all checks green ─► trading
       ▲                                                  │ else: safe, only cancels        │
       └────────────────────────── lease lost, or not renewed in time ─────────────────────┘

A new epoch fences the book first, so that an executor which does not know yet that it lost the lease can
reserve nothing; then every order that may still spend is asked for at the venue, before anything is sent.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from shared.clock import SECOND, Clock, Instant
from shared.errors import ArbError
from shared.execution.account import Account
from shared.execution.executor import Executor
from shared.execution.journal import Journal
from shared.execution.reconcile import Reconciler
from shared.execution.stored_book import StoredBook
from shared.ports import Lease, Term

_log = logging.getLogger(__name__)

# Why nothing may be sent, each in words; empty when all is well.
Examine = Callable[[], Awaitable[Sequence[str]]]


@dataclass(slots=True)
class Authority:
    """Whether this process may send right now: by its own clock its term runs, and it is ready."""

    clock: Clock
    term: Term | None = None
    is_ready: bool = False

    def epoch(self) -> int | None:
        """The lease epoch to act under, ``None`` for not at all."""
        term = self.term
        if term is None or not self.is_ready or self.clock.now() >= term.expires_at:
            return None
        return term.epoch


async def nothing_to_examine() -> Sequence[str]:
    """The start-up gate where there is nothing to look at: paper."""
    return ()


class Trader:
    """Leads one executor from standby to trading and back.

    Args:
        examine: the start-up gate; asked after every change of epoch until it finds nothing.
        examine_s: seconds between two of its looks while it finds something.
    """

    def __init__(
        self,
        authority: Authority,
        lease: Lease,
        stored: StoredBook,
        account: Account,
        journal: Journal,
        executor: Executor,
        reconciler: Reconciler,
        clock: Clock,
        examine: Examine = nothing_to_examine,
        examine_s: float = 30.0,
    ) -> None:
        self.authority, self.reconciler = authority, reconciler
        self._lease, self._stored, self._account = lease, stored, account
        self._journal, self._executor, self._clock = journal, executor, clock
        self._examine, self._examine_every = examine, int(examine_s * SECOND)
        self._recovered: int | None = None
        self._passed: int | None = None
        self._examined_at: Instant | None = None
        self._findings: Sequence[str] = ()

    async def renew(self) -> None:
        """Take or keep the lease; due every third of its life. A store that fails lets the term run out."""
        try:
            term = await self._lease.acquire()
        except (ArbError, OSError) as exc:
            _log.warning("the lease could not be renewed: %s", exc)
            return
        before, self.authority.term = self.authority.term, term
        if term is None or before is None or term.epoch != before.epoch:
            self.authority.is_ready = False
            self._waits("recovering" if term else "another executor holds the lease")

    async def turn(self) -> None:
        """Recover if the lease is new, ask about unknown outcomes, and see whether trading may go on."""
        await self._journal.tell()
        term = self.authority.term
        if term is None or self._clock.now() >= term.expires_at:
            self.authority.is_ready = False
            self._waits("no lease: another executor holds it, or the store does not answer")
            return
        if self._recovered != term.epoch:
            await self._recover(term.epoch)
        await self._executor.resolve()
        reasons = await self._unready(term.epoch)
        # While we asked, the lease may have gone to another; a term that was only renewed is still ours.
        held = self.authority.term
        self.authority.is_ready = not reasons and held is not None and held.epoch == term.epoch
        self._waits("; ".join(reasons))

    def _waits(self, reason: str) -> None:
        """Why nothing is sent, empty when it may be; said once, when it changes."""
        if reason != self._account.waiting:
            _log.info("trading %s", f"waits: {reason}" if reason else "goes on")
        self._account.waiting = reason

    async def reconcile(self) -> None:
        """Compare with the venue once, while holding the lease."""
        if self.authority.term is not None and self._recovered == self.authority.term.epoch:
            await self.reconciler.turn()

    async def resign(self) -> None:
        """Give the lease to whoever waits; nothing is sent from here on."""
        self.authority.is_ready, self.authority.term = False, None
        await self._lease.release()

    async def _recover(self, epoch: int) -> None:
        """No older epoch can reserve from here on; what it may have sent is asked for first of all."""
        await self._stored.fence(epoch)
        for kept in await self._journal.unfinished():
            reason = f"order {kept.order.order_id} was under way when its executor ended"
            self._executor.block(kept.proposal, reason)
        # Another may have traded since the venue last agreed with us.
        self.reconciler.agreed_at = None
        self._recovered, self._passed, self._examined_at = epoch, None, None

    async def _unready(self, epoch: int) -> list[str]:
        """Why this process may only cancel."""
        reasons = [] if self.reconciler.agreed_at else ["the venue has not agreed with the book yet"]
        if self._passed != epoch:
            reasons += await self._look(epoch)
        return reasons

    async def _look(self, epoch: int) -> Sequence[str]:
        now = self._clock.now()
        if self._examined_at is None or now - self._examined_at >= self._examine_every:
            self._examined_at = now
            self._findings = await self._examine()
            if not self._findings:
                self._passed = epoch
        return self._findings
