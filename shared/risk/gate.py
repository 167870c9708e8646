"""The gate: runs every control and, only if all pass, builds the one type of order a gateway accepts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.errors import ArbError
from shared.risk.controls import CONTROLS, Control, Proposal, RiskView
from shared.risk.limits import RiskLimits

_KEY = object()


class UngatedOrderError(ArbError):
    """Someone tried to build an order without a passing verdict."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One control that failed, and why."""

    control: str
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all controls said about one proposal."""

    proposal: Proposal
    passed: tuple[str, ...]
    refusals: tuple[Refusal, ...]

    @property
    def approved(self) -> bool:
        """True when nothing refused."""
        return not self.refusals

    @property
    def reasons(self) -> tuple[str, ...]:
        """Every refusal in words."""
        return tuple(f"{refusal.control}: {refusal.reason}" for refusal in self.refusals)

    def also(self, refusal: Refusal) -> Verdict:
        """The same, refused for one more reason."""
        return replace(self, refusals=(*self.refusals, refusal))


class ApprovedOrder:
    """An order every control has passed. Only :meth:`Gate.approve` can build one."""

    __slots__ = ("controls", "proposal")

    def __init__(self, key: object, proposal: Proposal, controls: tuple[str, ...]) -> None:
        if key is not _KEY:
            raise UngatedOrderError("an order can only be built by Gate.approve")
        self.proposal = proposal
        self.controls = controls


class Gate:
    """All controls under one set of limits."""

    def __init__(self, limits: RiskLimits, controls: tuple[Control, ...] = CONTROLS) -> None:
        self.limits = limits
        self._controls = controls

    def judge(self, proposal: Proposal, view: RiskView) -> Verdict:
        """Run every control; a halted account refuses before anything else is asked, and says so too."""
        refusals = [Refusal("halt", view.halted)] if view.halted else []
        passed = []
        for control in self._controls:
            reason = control(proposal, view, self.limits)
            if reason is None:
                passed.append(control.__name__)
            else:
                refusals.append(Refusal(control.__name__, reason))
        return Verdict(proposal, tuple(passed), tuple(refusals))

    def approve(self, verdict: Verdict) -> ApprovedOrder:
        """The order of a passing verdict; raises :class:`UngatedOrderError` otherwise."""
        if not verdict.approved or len(verdict.passed) != len(self._controls):
            raise UngatedOrderError(f"refused: {'; '.join(verdict.reasons) or 'controls are missing'}")
        return ApprovedOrder(_KEY, verdict.proposal, verdict.passed)
