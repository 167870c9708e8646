"""The lease among holders whose clocks disagree: never two who may act for longer than that can explain."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shared.backends.memory.documents import MemoryDocuments
from shared.clock import SECOND, Instant
from shared.lease import DocumentLease
from shared.ports import Document, Documents, Term, Value
from tests.support.backends import at_once

LIFE, MARGIN = 15.0, 2.0
NAMES = ("one", "two", "three")
START = 1_790_000_000 * SECOND


@dataclass
class World:
    """The true time, in microseconds."""

    now: int = START


@dataclass
class Skewed:
    """A clock that is ``skew`` microseconds ahead of the true time."""

    world: World
    skew: int

    def now(self) -> Instant:
        """What this clock shows."""
        return Instant(self.world.now + self.skew)

    async def sleep(self, seconds: float) -> None:
        """Nobody sleeps here."""
        raise AssertionError


class Snapshot(MemoryDocuments):
    """Over another store; a read may show what stood there a moment ago, as two calls at once see it."""

    def __init__(self, held: Documents) -> None:
        super().__init__()
        self._real = held
        self.before: list[Document | None] = []

    async def get(self, path: str) -> Document | None:
        """What was there when the caller began."""
        return self.before.pop() if self.before else await self._real.get(path)

    async def create(self, path: str, value: Value) -> int:
        """As the real store."""
        return await self._real.create(path, value)

    async def replace_if(self, path: str, value: Value, version: int) -> int:
        """As the real store."""
        return await self._real.replace_if(path, value, version)


@dataclass
class Holder:
    """One process: its clock, its view of the store, and the term it believes to hold."""

    clock: Skewed
    documents: Snapshot
    lease: DocumentLease
    term: Term | None = None
    epochs: list[int] = field(default_factory=list)

    @property
    def may_act(self) -> bool:
        """As the trader asks it."""
        return self.term is not None and self.clock.now() < self.term.expires_at


def _halves(count: int) -> int:
    """So many half seconds: coarse, so that terms, margins and skews meet at their edges."""
    return count * SECOND // 2


class LeaseMachine(RuleBasedStateMachine):
    """The model is the true time, which nobody here can read."""

    @initialize(skews=st.lists(st.integers(-6, 6).map(_halves), min_size=3, max_size=3))
    def start(self, skews: list[int]) -> None:
        """Three processes that start at once."""
        self.world, self.store = World(), MemoryDocuments()
        self.holders: dict[str, Holder] = {}
        self.highest = 0
        for name, skew in zip(NAMES, skews, strict=True):
            clock, documents = Skewed(self.world, skew), Snapshot(self.store)
            lease = DocumentLease(documents, clock, name, life_s=LIFE, margin_s=MARGIN)
            self.holders[name] = Holder(clock, documents, lease)

    @rule(passed=st.sampled_from([1, 3, 10, 20, 24, 27, 29, 30, 31, 34, 120]).map(_halves))
    def time_passes(self, passed: int) -> None:
        """For everybody alike."""
        self.world.now += passed

    @rule(name=st.sampled_from(NAMES))
    def somebody_asks(self, name: str) -> None:
        """Takes, renews, or is refused."""
        self._acquire(self.holders[name])

    @rule(name=st.sampled_from(NAMES), late=st.integers(-1, 5).map(_halves))
    def somebody_waits_for_the_end_of_the_term(self, name: str, late: int) -> None:
        """And asks when it, or a little more, is over by the own clock."""
        holder, found = self.holders[name], at_once(self.store.get("leases/executor"))
        if found is not None:
            self.world.now = max(self.world.now, found.value["expires_at"] - holder.clock.skew + late)
        self._acquire(holder)

    @rule(first=st.sampled_from(NAMES), second=st.sampled_from(NAMES))
    def two_ask_at_once(self, first: str, second: str) -> None:
        """The second has read before the first has written."""
        if first == second:
            return
        seen = at_once(self.store.get("leases/executor"))
        self._acquire(self.holders[first])
        self.holders[second].documents.before.append(seen)
        self._acquire(self.holders[second])

    @rule(name=st.sampled_from(NAMES))
    def somebody_resigns(self, name: str) -> None:
        """Whether it holds the lease or not."""
        holder = self.holders[name]
        holder.term = None
        at_once(holder.lease.release())

    @rule(name=st.sampled_from(NAMES))
    def somebody_starts_anew(self, name: str) -> None:
        """A process that died knows nothing of its term; its successor has another name in the store."""
        self.holders[name].term = None

    def _acquire(self, holder: Holder) -> None:
        before = holder.term
        holder.term = term = at_once(holder.lease.acquire())
        if term is None:
            return
        renewed = before is not None and before.epoch == term.epoch
        assert renewed or term.epoch not in holder.epochs or term.epoch == holder.epochs[-1]
        assert all(term.epoch not in one.epochs for one in self.holders.values() if one is not holder)
        holder.epochs.append(term.epoch)
        assert term.epoch >= self.highest
        self.highest = term.epoch

    @invariant()
    def nobody_acts_beyond_what_the_margin_leaves_of_the_skew(self) -> None:
        """With clocks no further apart than the margin that is: never two."""
        acting = [one for one in getattr(self, "holders", {}).values() if one.may_act]
        for old in acting:
            for new in acting:
                if old.term is None or new.term is None or old.term.epoch >= new.term.epoch:
                    continue
                apart = new.clock.skew - old.clock.skew
                left = old.term.expires_at - old.clock.now()
                assert left <= max(0, apart - int(MARGIN * SECOND)), (old.term, new.term, apart)

    @invariant()
    def the_epoch_in_the_store_only_grows(self) -> None:
        """Also when nobody holds it."""
        found = at_once(self.store.get("leases/executor")) if hasattr(self, "store") else None
        if found is not None:
            assert found.value["epoch"] >= getattr(self, "stored", 0)
            self.stored = found.value["epoch"]


TestLease = LeaseMachine.TestCase
TestLease.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
