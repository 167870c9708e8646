"""A scenario in force: which of its faults strike this request and that frame, drawn from their own streams.

Every fault counts its own occasions and draws from its own seeded stream, so that adding one changes nothing
about the others.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

import msgspec

from shared.clock import SECOND, Instant
from shared.simulator.scenario import (
    ON_FRAMES,
    ON_REQUESTS,
    PRIVATE_FRAMES,
    WRITES,
    Fault,
    Kind,
    Scenario,
)
from shared.simulator.web import Reply, Request, reply

_HTML = b"<html><head><title>%d</title></head><body><h1>The server said no</h1></body></html>"
_ORDERS = r"/portfolio/events/orders"
_NAMES = tuple(
    (method, re.compile(pattern), name)
    for method, pattern, name in (
        ("POST", _ORDERS, "create"),
        ("DELETE", _ORDERS, "cancel_all"),
        ("POST", rf"{_ORDERS}/batched", "batch_create"),
        ("DELETE", rf"{_ORDERS}/batched", "batch_cancel"),
        ("DELETE", rf"{_ORDERS}/[^/]+", "cancel"),
        ("POST", rf"{_ORDERS}/[^/]+/amend", "amend"),
        ("POST", rf"{_ORDERS}/[^/]+/decrease", "decrease"),
        ("POST|PUT|DELETE", r"/portfolio/order_groups/.*", "group"),
        ("POST", r"/portfolio/intra_exchange_instance_transfer", "transfer"),
        ("GET", r"/portfolio/orders/[^/]+", "order"),
        ("GET", r"/portfolio/(orders|fills|positions|balance|settlements)", ""),
        ("GET", r"/account/(limits)", ""),
        ("GET", r"/(?:exchange/)?(status|schedule)", ""),
        ("GET", r"/exchange/user_data_timestamp", "timestamp"),
        ("GET", r"/api_keys", "keys"),
        ("GET", r"/markets/orderbooks", "books"),
        ("GET", r"/markets/[^/]+/orderbook", "book"),
        ("GET", r"/markets/[^/]+", "market"),
        ("GET", r"/markets", "markets"),
        ("GET", r".*/ws/v2", "handshake"),
    )
)
_INSTEAD = (Kind.REFUSE, Kind.HTML, Kind.DROP)


def name_of(request: Request, prefix: str) -> str:
    """What a request is called in a scenario."""
    path = request.path.removeprefix(prefix)
    for method, pattern, name in _NAMES:
        found = pattern.fullmatch(path) if request.method in method.split("|") else None
        if found:
            return name or found.group(1)
    return "other"


@dataclass(frozen=True, slots=True)
class Struck:
    """What strikes one request."""

    faults: tuple[tuple[Fault, float], ...] = ()

    def seconds(self, *kinds: Kind) -> float:
        """Seconds that faults of these kinds add."""
        return sum(seconds for fault, seconds in self.faults if fault.kind in kinds)

    @property
    def instead(self) -> Reply | None:
        """The answer that comes instead of the real one, nothing having been done."""
        for fault, _ in self.faults:
            if fault.kind is Kind.REFUSE:
                body = {"error": {"code": fault.code, "message": fault.code.replace("_", " ")}}
                return reply(body, fault.status)
            if fault.kind is Kind.HTML:
                return Reply(fault.status, _HTML % fault.status, {"content-type": "text/html"})
            if fault.kind is Kind.DROP:
                return Reply(503, lost=True)
        return None

    def changed(self, answer: Reply) -> Reply:
        """What becomes of the real answer."""
        for fault, _ in self.faults:
            answer = _changed(fault, answer)
        return answer


NOTHING = Struck()


def _changed(fault: Fault, answer: Reply) -> Reply:
    if fault.kind is Kind.TIMEOUT:
        return Reply(503, lost=True)
    if fault.kind is Kind.LOST_ANSWER:
        return Reply(fault.status, b"", {"content-type": "text/plain"})
    if not 200 <= answer.status < 300:
        return answer
    if fault.kind is Kind.NO_ORDER_ID:
        return reply({"msg": "accepted"}, 200)
    if fault.kind is Kind.TRUNCATE:
        return Reply(answer.status, answer.body[: len(answer.body) // 2], answer.headers)
    return _about_another(answer) if fault.kind is Kind.WRONG_ORDER else answer


def _about_another(answer: Reply) -> Reply:
    """The same answer with another order's id in it, as cancels and amends have been seen to answer."""
    body = msgspec.json.decode(answer.body) if answer.body else None
    if not isinstance(body, dict) or not body.get("order_id"):
        return answer
    other = body | {"order_id": body["order_id"][::-1].replace("-", "0")}
    return Reply(answer.status, msgspec.json.encode(other), answer.headers)


class _Occasions:
    """One fault's count and stream."""

    def __init__(self, fault: Fault, seed: int, index: int) -> None:
        self.fault = fault
        self.seen = self.struck = 0
        self._rng = random.Random(f"{seed}/{index}/{fault.kind}")  # noqa: S311 - a simulation

    def strikes(self) -> bool:
        """Note one occasion; whether the fault happens at it."""
        fault = self.fault
        self.seen += 1
        if fault.most is not None and self.struck >= fault.most:
            return False
        hit = self.seen in fault.nth if fault.nth else fault.share >= 1 or self._rng.random() < fault.share
        self.struck += hit
        return hit

    def seconds(self) -> float:
        """How long it takes this time."""
        spread = self.fault.spread_s
        return self.fault.seconds + (self._rng.random() * spread if spread else 0.0)


class Plan:
    """The running scenario. ``now`` is the exchange's time."""

    def __init__(self, scenario: Scenario, now: Callable[[], Instant]) -> None:
        self.scenario = scenario
        self.began = now()
        self._now = now
        self._all = [_Occasions(f, scenario.seed, index) for index, f in enumerate(scenario.faults)]
        self._requests = [one for one in self._all if one.fault.kind in ON_REQUESTS]
        self._frames = [one for one in self._all if one.fault.kind in ON_FRAMES]

    @property
    def elapsed_s(self) -> float:
        """Seconds since the scenario began."""
        return (self._now() - self.began) / SECOND

    @property
    def delays_frames(self) -> bool:
        """Whether frames may have to be sent while nobody asks for anything."""
        return any(one.fault.kind in (Kind.LATE, Kind.DUPLICATE, Kind.SWAP) for one in self._frames)

    def request(self, name: str) -> Struck:
        """What strikes a request of that name; this is one occasion of every fault that covers it."""
        words = {name, "any", "write" if name in WRITES else "read"}
        return Struck(tuple(self._struck(self._requests, words)))

    def frame(self, kind: str) -> tuple[Kind, float] | None:
        """The first fault that strikes a frame of that type, and its seconds."""
        words = {kind, "any"} | ({"private"} if kind in PRIVATE_FRAMES else set())
        return next(((fault.kind, s) for fault, s in self._struck(self._frames, words)), None)

    def now_in_force(self, kind: Kind) -> Fault | None:
        """The last fault of a kind of the exchange whose time it is."""
        elapsed = self.elapsed_s
        fitting = [f for f in self.scenario.faults if f.kind is kind and f.covers(elapsed)]
        return fitting[-1] if fitting else None

    def occasion(self, kind: Kind, ticker: str) -> Fault | None:
        """Note one occasion for faults of a kind in a market; the first that happens."""
        elapsed = self.elapsed_s
        fitting = [
            one
            for one in self._all
            if one.fault.kind is kind and one.fault.covers(elapsed) and fnmatchcase(ticker, one.fault.ticker)
        ]
        struck = [one.fault for one in fitting if one.strikes()]
        return struck[0] if struck else None

    def counts(self) -> list[dict[str, object]]:
        """Occasions and strikes of every fault, in order."""
        return [
            {"kind": one.fault.kind, "on": one.fault.on, "seen": one.seen, "struck": one.struck}
            for one in self._all
        ]

    def _struck(self, candidates: Iterable[_Occasions], words: set[str]) -> list[tuple[Fault, float]]:
        elapsed = self.elapsed_s
        return [
            (one.fault, one.seconds())
            for one in candidates
            if one.fault.on in words and one.fault.covers(elapsed) and one.strikes()
        ]
