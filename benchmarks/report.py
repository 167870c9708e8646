"""What a benchmark reports: figures with their goal, and one table of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Goal:
    """A limit on the figure itself, on its p99 or on its ratio to the floor or peer."""

    on: Literal["figure", "p99", "ratio"]
    limit: float
    at_least: bool = False

    def __str__(self) -> str:
        name = "" if self.on == "figure" else f"{self.on} "
        return f"{name}{'≥' if self.at_least else '<'} {plain(self.limit)}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    ``figure`` is a median; ``p99`` is given where it is a latency. ``ratio`` is to what ``against`` says,
    measured in the same run.
    """

    group: str
    what: str
    figure: float
    unit: str
    p99: float | None = None
    ratio: float | None = None
    against: str = ""
    goal: Goal | None = None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; ``None`` without one."""
        if self.goal is None:
            return None
        value = {"figure": self.figure, "p99": self.p99, "ratio": self.ratio}[self.goal.on]
        if value is None:
            return None
        return value >= self.goal.limit if self.goal.at_least else value < self.goal.limit


@dataclass(frozen=True, slots=True)
class Skipped:
    """A measurement that could not be made here, and why."""

    group: str
    what: str
    why: str


Line = Figure | Skipped


def plain(value: float) -> str:
    """A number with three figures, thousands separated."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def as_data(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Lines for ``--json``."""
    return [
        {**asdict(line), "goal": str(line.goal) if line.goal else None, "met": line.met}
        if isinstance(line, Figure)
        else asdict(line)
        for line in lines
    ]


def cells(line: Line) -> tuple[str, ...]:
    """One line of the table."""
    if isinstance(line, Skipped):
        return line.group, line.what, "skipped", "", "", line.why, ""
    ratio = "" if line.ratio is None else f"{line.against}: {plain(line.ratio)}x"
    p99 = "" if line.p99 is None else f"{plain(line.p99)} {line.unit}"
    met = {None: "", True: "met", False: "not met"}[line.met]
    goal = "" if line.goal is None else str(line.goal)
    return line.group, line.what, f"{plain(line.figure)} {line.unit}", p99, ratio, goal, met
