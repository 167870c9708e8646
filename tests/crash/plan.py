"""What each life of a trial dies of, and in which weather: drawn from one seed, to be drawn again.

Seven of ten lives end at a boundary, dealt out so that every boundary has its turn; the others at random.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.simulator.scenario import Fault, Kind, Scenario
from tests.crash.traps import AFTER, BEFORE, DURING, Trap, boundaries

_AT_RANDOM = 0.3
# Of those: while it trades, not while it starts.
_TRADING = 0.6
# Passed once a life, however long it is.
_ONCE = frozenset({"book opened", "book fenced", "recovered", "lease given up"})
# Only a resting order is canceled.
MAKER_ONLY = frozenset({"order canceled"})
FIRST_ONLY = frozenset({"book opened"})
GRACEFUL = frozenset({"lease given up"})


@dataclass(frozen=True)
class Profile:
    """How a lane trades: settings by name, as in the environment."""

    name: str
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def is_maker(self) -> bool:
        """Whether it rests orders first."""
        return "MAKER_FIRST" in self.settings


_WIDE = {
    "CANARY_CLEAN_FILLS": "0",
    "MAX_CONTRACTS_PER_TRADE": "50",
    "MAX_RISK_PER_TRADE_USD": "100",
    "MAX_TRADES_PER_DAY": "100000",
    "MAX_CONTRACTS_PER_DAY": "1000000",
    "MAX_CONTRACTS_PER_EVENT": "100000",
    "MAX_SPORT_SHARE_PERCENT": "90",
    "MAX_ORDERS_PER_MINUTE": "60",
    "MIN_ORDER_GAP_MS": "0",
    "MAX_CONSECUTIVE_LOSSES": "1000",
}
PROFILES = (
    Profile("wide", _WIDE),
    Profile("resting", _WIDE | {"MAKER_FIRST": "true", "MAKER_REST_SECONDS": "2"}),
    # Limits that bind within the trial, and let some orders pass all the same.
    Profile(
        "tight",
        _WIDE
        | {
            "MAX_CONTRACTS_PER_TRADE": "3",
            "MAX_RISK_PER_TRADE_USD": "2",
            "MAX_CONTRACTS_PER_EVENT": "60",
            "MAX_SPORT_SHARE_PERCENT": "0.5",
            "MAX_ORDERS_PER_MINUTE": "10",
            "MIN_ORDER_GAP_MS": "200",
        },
    ),
    Profile("canary", _WIDE | {"CANARY_CLEAN_FILLS": "5", "MAX_DAILY_LOSS_USD": "25"}),
)

_ON_CREATE = (
    Fault(kind=Kind.TIMEOUT, on="create", share=0.4, seconds=2.0),
    Fault(kind=Kind.LOST_ANSWER, on="create", share=0.4),
    Fault(kind=Kind.LATE_ANSWER, on="create", share=0.5, seconds=1.0, spread_s=3.0),
    Fault(kind=Kind.LATE_REQUEST, on="create", share=0.5, seconds=0.5, spread_s=2.0),
    Fault(kind=Kind.NO_ORDER_ID, on="create", share=0.4),
    Fault(kind=Kind.TRUNCATE, on="create", share=0.4),
    Fault(kind=Kind.DROP, on="create", share=0.4),
    Fault(kind=Kind.REFUSE, on="create", share=0.4, status=503),
    Fault(kind=Kind.HTML, on="create", share=0.4, status=502),
)
_ON_THE_STREAM = (
    Fault(kind=Kind.LOSE, on="fill", share=0.5),
    Fault(kind=Kind.DUPLICATE, on="fill", share=0.5, seconds=1.0),
    Fault(kind=Kind.LATE, on="fill", share=0.5, seconds=3.0),
    Fault(kind=Kind.DISCONNECT, on="private", share=0.2),
    Fault(kind=Kind.LOSE, on="orderbook_delta", share=0.1),
)
_ON_READS = (
    Fault(kind=Kind.READ_LAG, seconds=3.0),
    Fault(kind=Kind.TRUNCATE, on="fills", share=0.3),
    Fault(kind=Kind.DROP, on="orders", share=0.3),
)


@dataclass(frozen=True, slots=True)
class Life:
    """One life of the process: its trap, or when it is killed; what goes wrong at the exchange meanwhile.

    A life without a trap ends ``seconds`` (of the trial's clock) after its start or, where it waits for
    trading, after its first order.
    """

    trap: Trap | None
    seconds: float
    weather: Scenario
    waits_for_trading: bool = False

    @property
    def is_graceful(self) -> bool:
        """Whether it is asked to stop, and dies over it."""
        return self.trap is not None and self.trap.step in GRACEFUL


def lives(count: int, profile: Profile, seed: str, *, is_first: bool = True) -> Iterator[Life]:
    """So many lives for a lane; only the first may open the account."""
    rng = random.Random(f"{seed}/lives")  # noqa: S311 - reproducible
    deck: list[tuple[str, str]] = []
    for number in range(count):
        weather = _weather(rng, f"{seed}/{number}")
        if number == 0 and is_first:
            trap: Trap | None = Trap("book opened", rng.choice((BEFORE, AFTER)))
        elif rng.random() < _AT_RANDOM:
            trap = None
        else:
            deck = deck or _shuffled(rng, profile)
            trap = _trap(rng, *deck.pop())
        waits = rng.random() < _TRADING or (trap is not None and trap.step in GRACEFUL)
        yield Life(trap, rng.uniform(0.0, 8.0) if waits else rng.uniform(0.2, 30.0), weather, waits)


def _shuffled(rng: random.Random, profile: Profile) -> list[tuple[str, str]]:
    left_out = FIRST_ONLY if profile.is_maker else FIRST_ONLY | MAKER_ONLY
    deck = [(step, moment) for step, moment in boundaries() if step not in left_out]
    rng.shuffle(deck)
    return deck


def _trap(rng: random.Random, step: str, moment: str) -> Trap:
    passing = 1 if step in _ONCE else rng.choice((1, 1, 1, 2, 3))
    after_ms = round(rng.choice((0.2, 1.0, 5.0)) * rng.uniform(0.5, 2.0), 3) if moment == DURING else 0.0
    return Trap(step, moment, passing, after_ms)


def _weather(rng: random.Random, name: str) -> Scenario:
    """Half of all lives have fair weather; the others one or two faults."""
    faults: tuple[Fault, ...] = ()
    if rng.random() < 0.5:
        faults = tuple(
            rng.choice(kinds) for kinds in (_ON_CREATE, _ON_THE_STREAM, _ON_READS) if rng.random() < 0.5
        )
    return Scenario(name=name, seed=rng.getrandbits(31), faults=faults)
