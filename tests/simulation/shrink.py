"""Shrinks a failing plan: the fewest and mildest faults that still fail in the same way (delta debugging)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from tests.simulation.plan import Fault, Plan

Fails = Callable[[Plan], bool]


def shrunk(plan: Plan, fails: Fails, budget: int = 200) -> Plan:
    """The smallest plan found that ``fails``; ``plan`` itself must. At most ``budget`` runs are made."""
    tries = _Tries(fails, budget)
    faults = _fewest(plan, list(plan.faults), tries)
    plan = msgspec.structs.replace(plan, faults=tuple(faults))
    for simpler in (_one_process, _half_as_long):
        candidate = simpler(plan)
        if candidate is not None and tries.fail(candidate):
            plan = candidate
    return _mildest(plan, tries)


class _Tries:
    def __init__(self, fails: Fails, budget: int) -> None:
        self._fails, self._left = fails, budget

    def fail(self, plan: Plan) -> bool:
        """Whether ``plan`` fails; false once the budget is used up."""
        if self._left <= 0:
            return False
        self._left -= 1
        return self._fails(plan)


def _fewest(plan: Plan, faults: list[Fault], tries: _Tries) -> list[Fault]:
    """ddmin: leave out ever smaller parts of the list while it still fails."""
    parts = 2
    while faults:
        size = -(-len(faults) // parts)
        for first in range(0, len(faults), size):
            rest = faults[:first] + faults[first + size :]
            if tries.fail(msgspec.structs.replace(plan, faults=tuple(rest))):
                faults, parts = rest, max(2, parts - 1)
                break
        else:
            if size == 1:
                return faults
            parts = min(len(faults), parts * 2)
    return faults


def _one_process(plan: Plan) -> Plan | None:
    if plan.processes == 1 or any(fault.who > 0 for fault in plan.faults):
        return None
    return msgspec.structs.replace(plan, skews=plan.skews[:1])


def _half_as_long(plan: Plan) -> Plan | None:
    last = max((fault.at + fault.seconds for fault in plan.faults), default=0.0)
    return msgspec.structs.replace(plan, seconds=round(max(last + 1, plan.seconds / 2), 1))


def _mildest(plan: Plan, tries: _Tries) -> Plan:
    """Each fault as short as it may be."""
    for place in range(len(plan.faults)):
        for factor in (0.1, 0.5):
            fault = plan.faults[place]
            shorter = msgspec.structs.replace(fault, seconds=round(fault.seconds * factor, 2))
            candidate = _with(plan.faults, place, shorter)
            if fault.seconds > 1 and tries.fail(msgspec.structs.replace(plan, faults=candidate)):
                plan = msgspec.structs.replace(plan, faults=candidate)
                break
    return plan


def _with(faults: Sequence[Fault], place: int, fault: Fault) -> tuple[Fault, ...]:
    return (*faults[:place], fault, *faults[place + 1 :])
