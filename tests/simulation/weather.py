"""The weather: which faults hold at this moment, and whether one strikes now."""

from __future__ import annotations

import random

from tests.simulation.plan import EVERYONE, Fault


class Weather:
    """Faults that last for a while. Each has its own stream of chances, so that taking one out of a plan
    changes as little as possible about the others."""

    def __init__(self, seed: int | str) -> None:
        self._seed = seed
        self._active: dict[str, list[tuple[Fault, random.Random]]] = {}
        self._begun = 0

    def begin(self, fault: Fault) -> None:
        """A fault sets in."""
        self._begun += 1
        chances = random.Random(f"{self._seed}/{fault.kind}/{fault.at}/{self._begun}")  # noqa: S311
        self._active.setdefault(fault.kind, []).append((fault, chances))

    def end(self, fault: Fault) -> None:
        """It is over."""
        left = [entry for entry in self._active.get(fault.kind, ()) if entry[0] is not fault]
        if left:
            self._active[fault.kind] = left
        else:
            self._active.pop(fault.kind, None)

    def clear(self) -> None:
        """A fine day."""
        self._active.clear()

    def strikes(self, kind: str, who: int) -> Fault | None:
        """A fault of that kind that hits process ``who`` now, if any."""
        active = self._active.get(kind)
        if active is None:
            return None
        for fault, chances in active:
            if fault.who in (EVERYONE, who) and chances.random() < fault.share:
                return fault
        return None
