"""What a check found: one line for a person, one state for a program, and together whether to start."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"  # it works, and somebody should look
    BAD = "bad"  # nothing may be traded before it is mended


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was found, and what to do about it."""

    check: str
    state: State
    found: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.check}: {self.found}" + (f" ({self.fix})" if self.fix else "")


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was checked, in order."""

    findings: tuple[Finding, ...]

    @property
    def is_green(self) -> bool:
        """Whether trading may start: something was checked, and nothing is bad."""
        return bool(self.findings) and not self.reasons

    @property
    def reasons(self) -> tuple[str, ...]:
        """Every reason why trading may not start, with the fix."""
        return tuple(str(finding) for finding in self.findings if finding.state is State.BAD)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What somebody should look at."""
        return tuple(str(finding) for finding in self.findings if finding.state is State.WARN)
