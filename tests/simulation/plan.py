"""The fault plan: everything that will go wrong in one run, as data that can be printed, shrunk and replayed.

A plan is all there is to a run: the same plan gives the same bytes. Times are seconds since its beginning.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

EVERYONE = -1

# Named places where a process can die or freeze: around its effects on the outside.
BOUNDARIES = (
    "intent:before",  # about to store intent and reservation
    "intent:after",  # they are stored, the answer has not come
    "send:before",  # the order is about to leave
    "send:after",  # it has left, no answer yet
    "answer:after",  # the answer is here, nothing is made of it
    "booking:before",  # about to store what became of the order
    "booking:after",  # it is stored, the answer has not come
    "lease:after",  # the lease is stored, the answer has not come
)


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that goes wrong.

    It begins at ``at`` and lasts ``seconds``; ``who`` is the number of a process, or everyone. ``share`` is
    the part of calls or messages it strikes, ``value`` its measure, ``word`` its sort.
    """

    at: float
    kind: str
    seconds: float = 0.0
    who: int = EVERYONE
    share: float = 1.0
    value: float = 0.0
    word: str = ""


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """One run. ``skews`` are the processes' clock errors in seconds; ``signals`` come this many a minute.

    ``maker`` lets orders rest before they take; ``canary`` is how many clean fills a deploy must show before
    an order may be larger than one contract.
    """

    seed: int
    seconds: float
    skews: tuple[float, ...]
    signals: float = 12.0
    tightness: int = 0
    maker: bool = False
    canary: int = 0
    faults: tuple[Fault, ...] = ()

    @property
    def processes(self) -> int:
        """How many executors run."""
        return len(self.skews)

    def without_faults(self) -> Plan:
        """The same run on a fine day."""
        return msgspec.structs.replace(self, faults=())


def encode(plan: Plan) -> str:
    """The plan as one line of JSON."""
    return msgspec.json.encode(plan).decode()


def decode(text: str | bytes) -> Plan:
    """A plan from JSON; raises ``msgspec.ValidationError``."""
    return msgspec.json.decode(text, type=Plan)


# --- drawing a plan ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sort:
    """How one kind of fault is drawn: how often beside the others, and by what."""

    weight: float
    draw: Callable[[random.Random, int], dict[str, object]]


def _nothing(_: random.Random, __: int) -> dict[str, object]:
    return {}


def _window(low: float, high: float, share: tuple[float, float] = (0.1, 0.8)) -> _Draw:
    def draw(rng: random.Random, _: int) -> dict[str, object]:
        return {"seconds": round(rng.uniform(low, high), 2), "share": round(rng.uniform(*share), 2)}

    return draw


def _measured(
    low: float, high: float, window: tuple[float, float], share: tuple[float, float] = (1, 1)
) -> _Draw:
    def draw(rng: random.Random, _: int) -> dict[str, object]:
        return {
            "seconds": round(rng.uniform(*window), 2),
            "share": round(rng.uniform(*share), 2),
            "value": round(rng.uniform(low, high), 3),
        }

    return draw


def _one(draw: _Draw) -> _Draw:
    """The same, for one process."""

    def drawn(rng: random.Random, processes: int) -> dict[str, object]:
        return {"who": rng.randrange(processes), **draw(rng, processes)}

    return drawn


def _boundary(rng: random.Random, processes: int) -> dict[str, object]:
    return {
        "who": rng.randrange(processes),
        "word": rng.choice(BOUNDARIES),
        "value": float(rng.randrange(1, 4)),
        "seconds": round(rng.uniform(0.05, 20), 2),
    }


def _steps(rng: random.Random, processes: int) -> dict[str, object]:
    steps = float(rng.randrange(1, 400))
    return {"who": rng.randrange(processes), "value": steps, "seconds": round(rng.uniform(0.05, 20), 2)}


def _status(rng: random.Random, _: int) -> dict[str, object]:
    word = rng.choice(("401", "404", "409", "429", "500", "503", "html", "empty"))
    seconds, share = round(rng.uniform(0.5, 10), 2), round(rng.uniform(0.2, 1), 2)
    return {"word": word, "seconds": seconds, "share": share}


def _settled(rng: random.Random, _: int) -> dict[str, object]:
    word = rng.choice(("yes", "no", "scalar"))
    return {"word": word, "value": float(rng.randrange(1, 4)), "seconds": round(rng.uniform(0, 15), 2)}


def _jump(rng: random.Random, processes: int) -> dict[str, object]:
    return {"who": rng.randrange(processes), "value": round(rng.choice((-1, 1)) * rng.uniform(0.1, 40), 2)}


_Draw = Callable[[random.Random, int], dict[str, object]]

SORTS: dict[str, _Sort] = {
    # processes
    "crash": _Sort(1.0, _one(_window(0.05, 25, (1, 1)))),
    "crash_step": _Sort(2.0, _steps),
    "crash_boundary": _Sort(4.0, _boundary),
    "stop": _Sort(0.7, _one(_window(0.05, 10, (1, 1)))),
    "stall": _Sort(1.0, _one(_window(0.5, 40, (1, 1)))),
    "stall_boundary": _Sort(2.0, _boundary),
    "clock_jump": _Sort(0.7, _jump),
    # lease and people
    "lease_taken": _Sort(1.0, _window(1, 20, (1, 1))),
    "halt": _Sort(1.0, _window(3, 30, (1, 1))),
    # store
    "store_slow": _Sort(1.0, _measured(0.05, 2.0, (1, 20), (0.2, 1))),
    "store_conflict": _Sort(1.0, _window(1, 20)),
    "store_unreadable": _Sort(1.0, _one(_window(0.5, 15, (0.3, 1)))),
    "store_lost_answer": _Sort(1.5, _window(1, 20)),
    "watch_silent": _Sort(1.0, _one(_window(2, 30, (1, 1)))),
    "watch_dies": _Sort(0.5, _one(_window(0.5, 10, (1, 1)))),
    # bus
    "bus_duplicate": _Sort(1.0, _window(2, 30)),
    "bus_late": _Sort(1.0, _measured(0.5, 30, (2, 30), (0.2, 1))),
    "bus_down": _Sort(0.5, _one(_window(0.5, 10, (0.3, 1)))),
    # venue: requests
    "http_dropped": _Sort(1.5, _window(0.5, 15)),
    "http_lost_answer": _Sort(2.5, _window(0.5, 15)),
    "http_late": _Sort(1.5, _measured(0.2, 14, (1, 15), (0.2, 1))),
    "http_status": _Sort(2.0, _status),
    "http_done_but_500": _Sort(1.0, _window(0.5, 10)),
    "no_order_id": _Sort(0.5, _window(1, 10)),
    "truncated": _Sort(0.5, _window(1, 8, (0.1, 0.5))),
    "read_lag": _Sort(1.0, _measured(1, 12, (3, 30))),
    # venue: stream
    "stream_drop": _Sort(1.0, _one(_nothing)),
    "stream_refused": _Sort(0.5, _window(1, 15)),
    "stream_silent": _Sort(1.0, _one(_window(2, 40, (1, 1)))),
    "stream_gap": _Sort(1.5, _window(1, 15, (0.05, 0.5))),
    "snapshots_lost": _Sort(1.0, _window(3, 20, (1, 1))),
    "fills_lost": _Sort(1.0, _window(2, 30)),
    "fills_twice": _Sort(1.0, _window(2, 30)),
    "fills_swapped": _Sort(0.7, _window(2, 30)),
    # venue: the market
    "snatched": _Sort(2.0, _window(5, 60)),  # somebody takes a part of what an order came for
    "shard_paused": _Sort(0.7, _window(1, 20, (1, 1))),
    "market_halted": _Sort(0.7, _window(1, 20, (1, 1))),
    "market_settled": _Sort(1.5, _settled),  # trading ends at once, money comes after a while
}


def drawn(seed: int) -> Plan:
    """The plan of a seed."""
    rng = random.Random(f"{seed}/plan")  # noqa: S311 - reproducible
    processes = rng.choices((1, 2, 3), (3, 5, 2))[0]
    # Swarm testing: each run knows only some sorts of faults, so that rare combinations are not drowned.
    known = [kind for kind in SORTS if rng.random() < 0.5] or ["crash"]
    plan = _plan(rng, seed, processes, known, rng.randrange(0, 13), rng.randrange(4))
    maker, canary = rng.random() < 0.25, rng.choices((0, rng.randrange(1, 6)), (3, 1))[0]
    return msgspec.structs.replace(plan, maker=maker, canary=canary)


def focused(
    seed: int, kinds: tuple[str, ...], processes: int = 2, faults: int = 8, tightness: int = 0
) -> Plan:
    """A plan of many faults of few kinds, to find what only they can bring to light."""
    rng = random.Random(f"{seed}/focus")  # noqa: S311 - reproducible
    plan = _plan(rng, seed, processes, list(kinds) or ["crash"], faults if kinds else 0, tightness)
    return msgspec.structs.replace(plan, signals=30.0)


def _plan(
    rng: random.Random, seed: int, processes: int, kinds: list[str], faults: int, tightness: int
) -> Plan:
    seconds = round(rng.uniform(30, 90), 1)
    chosen = rng.choices(kinds, [SORTS[kind].weight for kind in kinds], k=faults)
    drawn_faults = [_fault(rng, kind, seconds, processes) for kind in chosen]
    return Plan(
        seed=seed,
        seconds=seconds,
        skews=tuple(round(rng.uniform(-0.9, 0.9), 3) for _ in range(processes)),
        signals=round(rng.uniform(10, 60), 1),
        tightness=tightness,
        faults=tuple(sorted(drawn_faults, key=lambda fault: (fault.at, fault.kind))),
    )


def _fault(rng: random.Random, kind: str, seconds: float, processes: int) -> Fault:
    at = round(rng.uniform(1, seconds), 2)
    return msgspec.convert({"at": at, "kind": kind, **SORTS[kind].draw(rng, processes)}, Fault)
