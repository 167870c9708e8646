"""The board: the breakers of every endpoint and the global one, moved together and counted.

Immutable: every move gives the next board and its transitions, so that one compare-and-set stores both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import msgspec

from shared.clock import Instant
from shared.errors import MalformedError
from shared.risk.breaker import Breaker, BreakerPolicy, Cause, Person, State, Transition

# The breaker that stops everything; the others are named by the endpoint they guard.
GLOBAL = "global"

Moved = tuple["Board", tuple[Transition, ...]]


@dataclass(frozen=True, slots=True)
class Board:
    """Every breaker that was ever moved.

    ``trips`` counts openings, ``moves`` all transitions, ``seq`` the states stored: a higher one is newer.
    """

    breakers: dict[str, Breaker] = field(default_factory=dict)
    trips: int = 0
    moves: int = 0
    seq: int = 0

    def of(self, name: str) -> Breaker:
        """The breaker called ``name``; one that was never moved is closed."""
        return self.breakers.get(name) or Breaker(name)

    def refusals(self, endpoints: Iterable[str], order_id: str, now: Instant) -> tuple[str, ...]:
        """Why an order that uses ``endpoints`` may not be sent; empty when every breaker lets it through."""
        found = (self.of(name).refusal(order_id, now) for name in _with_global(endpoints))
        return tuple(reason for reason in found if reason)

    def stopped(self, endpoints: Iterable[str]) -> tuple[str, ...]:
        """Breakers among ``endpoints`` and the global one that are not closed: an order has to probe them."""
        return tuple(name for name in _with_global(endpoints) if self.of(name).state is not State.CLOSED)

    def trip(
        self, name: str, cause: Cause, reason: str, actor: str, now: Instant, policy: BreakerPolicy
    ) -> Moved:
        """Open one breaker."""
        return self._moved([self.of(name).trip(cause, reason, actor, now, policy)])

    def close(self, name: str, by: Person, reason: str, now: Instant) -> Moved:
        """A person closes one breaker."""
        return self._moved([self.of(name).close(by, reason, now)])

    def claim(self, endpoints: Iterable[str], order_id: str, now: Instant, policy: BreakerPolicy) -> Moved:
        """Make ``order_id`` the probe of every breaker in its way, or of none.

        Look at :meth:`refusals` afterwards: it is empty when the order may be sent. Breakers whose last probe
        was lost open again either way.
        """
        asked = [self.of(name).claim(order_id, now, policy) for name in _with_global(endpoints)]
        if all(breaker.refusal(order_id, now) is None for breaker, _ in asked):
            return self._moved(asked)
        return self._moved([(breaker, moved) for breaker, moved in asked if breaker.state is State.OPEN])

    def ended(self, order_id: str, failure: str, now: Instant, policy: BreakerPolicy) -> Moved:
        """The probe ``order_id`` has ended: well when ``failure`` is empty. Other orders change nothing."""
        if failure:
            return self._moved([b.failed(order_id, failure, now, policy) for b in self.breakers.values()])
        return self._moved([b.succeeded(order_id, now, policy) for b in self.breakers.values()])

    def unclaimed(self, order_id: str) -> Board:
        """Give back a probe that was never sent."""
        changed = {name: breaker.unclaimed(order_id) for name, breaker in self.breakers.items()}
        return replace(self, breakers=changed)

    def _moved(self, changes: list[tuple[Breaker, Transition | None]]) -> Moved:
        transitions = tuple(moved for _, moved in changes if moved is not None)
        breakers = self.breakers | {
            breaker.name: breaker for breaker, _ in changes if breaker != self.of(breaker.name)
        }
        trips = sum(one.after is State.OPEN is not one.before for one in transitions)
        moves = self.moves + len(transitions)
        return replace(self, breakers=breakers, trips=self.trips + trips, moves=moves), transitions


def encode_board(board: Board) -> dict[str, object]:
    """The board as a JSON object."""
    value: dict[str, object] = msgspec.to_builtins(board)
    return value


def decode_board(value: object) -> Board:
    """The board of a JSON object; raises :class:`MalformedError` for anything that is not exactly one."""
    try:
        board = msgspec.convert(value, Board)
    except msgspec.ValidationError as exc:
        raise MalformedError(f"breakers: {exc}") from exc
    wrong = [name for name, breaker in board.breakers.items() if breaker.name != name]
    if wrong:
        raise MalformedError(f"breakers: {wrong[0]!r} holds another breaker's state")
    return board


def _with_global(endpoints: Iterable[str]) -> list[str]:
    return list(dict.fromkeys((GLOBAL, *endpoints)))
