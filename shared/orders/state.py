"""The life of an order: which state may follow which, and nothing else can be expressed.

::

    pending ─► submitted ─► resting ─► partial ─► filled
       │           │  │        └──────────┴─────► canceled, expired
       │           │  └─► unknown ─► any state the venue reports
       └───────────┴────► rejected
"""

from __future__ import annotations

from shared.errors import ArbError
from shared.terms import OrderStatus as S

TERMINAL = frozenset({S.FILLED, S.CANCELED, S.REJECTED, S.EXPIRED})

_LIVE = frozenset({S.RESTING, S.PARTIAL, S.FILLED, S.CANCELED, S.EXPIRED})

NEXT: dict[S, frozenset[S]] = {
    S.PENDING: frozenset({S.SUBMITTED, S.REJECTED}),
    S.SUBMITTED: _LIVE | {S.REJECTED, S.UNKNOWN},
    S.RESTING: _LIVE | {S.UNKNOWN},
    S.PARTIAL: (_LIVE - {S.RESTING}) | {S.UNKNOWN},
    # Only the venue's answer leaves this state, and it may be any of them.
    S.UNKNOWN: _LIVE | {S.REJECTED},
    **dict.fromkeys(TERMINAL, frozenset[S]()),
}


class IllegalTransitionError(ArbError):
    """A state was asked to follow one it cannot follow."""


def advance(current: S, following: S) -> S:
    """``following`` if it may come after ``current``; raises :class:`IllegalTransitionError`."""
    if following not in NEXT[current]:
        raise IllegalTransitionError(f"an order cannot go from {current} to {following}")
    return following
