"""Breakers in the document store: one board for all executors, watched live, with every transition kept.

``control/breakers`` is the board; ``breaker-transitions/{number}`` is one transition, written in the same
batch. If the board cannot be read, reading it raises, and whoever asked must not trade.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import msgspec

from shared import cas
from shared.clock import SECOND, Clock, Instant, age
from shared.errors import AlreadyExistsError, ConflictError, MalformedError
from shared.ports import Create, Document, Documents, Replace, Write
from shared.risk.board import Board, Moved, decode_board, encode_board
from shared.risk.breaker import BreakerPolicy, Cause, Person, State, Transition
from shared.risk.tripwire import Trip

PATH = "control/breakers"
TRANSITIONS = "breaker-transitions"
# A watch that has died in silence is noticed within this time.
MAX_AGE_S = 5.0
_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Claim:
    """Why an order may not be sent, empty if it may, and what asking has moved."""

    refusals: tuple[str, ...]
    moved: tuple[Transition, ...]


class Breakers:
    """The board of all executors on these documents, as one of them sees and moves it.

    ``actor`` names this executor in the transitions it makes.
    """

    def __init__(
        self,
        documents: Documents,
        clock: Clock,
        rng: random.Random,
        actor: str,
        policy: BreakerPolicy | None = None,
        max_age_s: float = MAX_AGE_S,
    ) -> None:
        self._documents, self._clock, self._rng, self._actor = documents, clock, rng, actor
        self._policy = policy or BreakerPolicy()
        self._max_age = int(max_age_s * SECOND)
        self._board: Board | None = None
        self._seen_at = Instant(0)

    async def board(self) -> Board:
        """The board as it was at most ``max_age_s`` ago; raises what kept it from being read."""
        if self._board is None or age(self._seen_at, self._clock.now()) > self._max_age:
            self._board = None
            self._keep((await self._read())[0])
        assert self._board is not None  # noqa: S101 - kept just now
        return self._board

    async def follow(self) -> None:
        """Keep the board true to the store, for ever; runs until cancelled."""
        while True:
            try:
                async for document in self._documents.watch("control"):
                    if document.path == PATH:
                        self._keep(decode_board(document.value))
            except asyncio.CancelledError:
                raise
            except Exception:  # whatever it is, the board is not known until it can be read again
                self._board = None
            await self._clock.sleep(_AGAIN_S)

    async def trip(self, name: str, trip: Trip) -> tuple[Transition, ...]:
        """Open the breaker ``name``; gives the transition to alarm about, none if it was open for that."""
        cause, reason = trip.cause, trip.reason
        return await self._move(lambda b, now: b.trip(name, cause, reason, self._actor, now, self._policy))

    async def trip_by(self, name: str, by: Person, reason: str) -> tuple[Transition, ...]:
        """A person opens the breaker ``name``."""
        policy = self._policy
        return await self._move(lambda b, now: b.trip(name, Cause.PERSON, reason, by.name, now, policy))

    async def close(self, name: str, by: Person, reason: str) -> tuple[Transition, ...]:
        """A person closes the breaker ``name``."""
        return await self._move(lambda b, now: b.close(name, by, reason, now))

    async def close_all(self, by: Person, reason: str) -> tuple[Transition, ...]:
        """A person closes every breaker that is not closed."""
        names = [
            name for name, one in (await self._read())[0].breakers.items() if one.state is not State.CLOSED
        ]
        return tuple([moved for name in names for moved in await self.close(name, by, reason)])

    async def claim(self, endpoints: Iterable[str], order_id: str) -> Claim:
        """Make ``order_id`` the probe of what stands in its way, if one is due.

        Needed only when :meth:`Board.stopped` names something.
        """
        names = tuple(endpoints)
        moved = await self._move(lambda b, now: b.claim(names, order_id, now, self._policy))
        return Claim((await self.board()).refusals(names, order_id, self._clock.now()), moved)

    async def ended(self, order_id: str, failure: str = "") -> tuple[Transition, ...]:
        """A probe has its answer: a good one when ``failure`` is empty. Harmless for other orders."""
        return await self._move(lambda b, now: b.ended(order_id, failure, now, self._policy))

    async def unclaim(self, order_id: str) -> None:
        """Give back a probe that was never sent, because something else refused the order."""
        await self._move(lambda b, now: (b.unclaimed(order_id), ()))

    async def _move(self, move: Callable[[Board, Instant], Moved]) -> tuple[Transition, ...]:
        """Store the next board and its transitions at once."""

        async def step() -> tuple[Transition, ...]:
            before, found = await self._read()
            after, transitions = move(before, self._clock.now())
            if after != before:
                after = replace(after, seq=before.seq + 1)
                await self._store(before, after, transitions, found)
            self._keep(after)
            return transitions

        return await cas.retried(step, PATH, clock=self._clock, rng=self._rng)

    async def _store(
        self, before: Board, after: Board, transitions: tuple[Transition, ...], found: Document | None
    ) -> None:
        value = encode_board(after)
        writes: list[Write] = [Create(PATH, value) if found is None else Replace(PATH, value, found.version)]
        for number, transition in enumerate(transitions, before.moves + 1):
            writes.append(Create(f"{TRANSITIONS}/{number:012}", msgspec.to_builtins(transition)))
        try:
            await self._documents.batch(writes)
        except AlreadyExistsError as exc:
            raise ConflictError(f"{PATH} was moved by another writer") from exc

    async def _read(self) -> tuple[Board, Document | None]:
        found = await self._documents.get(PATH)
        return _board_of(found), found

    def _keep(self, board: Board) -> None:
        """Remember ``board`` unless a newer one is known: a watch may still tell of what was before."""
        if self._board is None or board.seq >= self._board.seq:
            self._board, self._seen_at = board, self._clock.now()


async def read_board(documents: Documents) -> Board:
    """The board as it is stored; raises :class:`MalformedError` for one that makes no sense."""
    return _board_of(await documents.get(PATH))


def _board_of(found: Document | None) -> Board:
    return Board() if found is None else decode_board(found.value)


async def transitions(documents: Documents, limit: int = 1_000) -> list[Transition]:
    """Every transition so far, oldest first; raises :class:`MalformedError` for one that makes no sense."""
    try:
        return [msgspec.convert(d.value, Transition) for d in await documents.query(TRANSITIONS, limit=limit)]
    except msgspec.ValidationError as exc:
        raise MalformedError(f"{TRANSITIONS}: {exc}") from exc
