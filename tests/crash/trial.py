"""A whole trial: lanes beside each other on every kind of store there is, one tally, one table."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from shared.backends.local.documents import SqliteDocuments
from shared.executor import FOLDER
from shared.platforms import DOCUMENTS
from tests.crash.judge import contracts
from tests.crash.lane import Ground, Lane, Tally
from tests.crash.plan import PROFILES
from tests.crash.quick import QuickClock
from tests.crash.traps import boundaries

# Of all kills, where there are emulators.
_IN_THE_CLOUD = 0.2
_REST_EVERY = 30
_COLD_EVERY = 15
_TOLD_EVERY = 25


@dataclass(frozen=True, slots=True)
class Asked:
    """What a trial is to be."""

    kills: int
    lanes: int
    speed: float
    seed: str
    backend: str = "all"


@dataclass
class Trial:
    """Lanes, and what they have seen."""

    asked: Asked
    folder: Path
    say: Callable[[str], None]
    lanes: list[Lane] = field(default_factory=list)
    skipped: str = ""
    seconds: float = 0.0
    _told: int = 0

    @property
    def tally(self) -> Tally:
        """Of all lanes together."""
        total = Tally()
        for one in (lane.tally for lane in self.lanes):
            total.boundaries += one.boundaries
            total.faults += one.faults
            total.wrong += one.wrong
            total.stops_s += one.stops_s
            for name in (
                "kills",
                "at_random",
                "started",
                "signals",
                "orders",
                "fills",
                "lots",
                "unfilled",
                "rests",
            ):
                setattr(total, name, getattr(total, name) + getattr(one, name))
        return total

    @property
    def wrong(self) -> list[str]:
        """Everything that does not hold."""
        return self.tally.wrong

    async def run(self) -> None:
        """All lanes to their end."""
        self._began = time.monotonic()
        with ExitStack() as closing:
            shares = self._shares(closing)
            async with asyncio.TaskGroup() as group:
                for lane, count in shares:
                    self.lanes.append(lane)
                    group.create_task(lane.run(count, _REST_EVERY))
        self.seconds = time.monotonic() - self._began

    def _shares(self, closing: ExitStack) -> list[tuple[Lane, int]]:
        asked = self.asked
        cloud = self._cloud(closing) if asked.backend in ("all", "gcp") else None
        if asked.backend == "gcp" and cloud is None:
            raise RuntimeError(f"no emulators: {self.skipped}")
        in_cloud = (
            0
            if cloud is None
            else asked.kills
            if asked.backend == "gcp"
            else round(asked.kills * _IN_THE_CLOUD)
        )
        clock = QuickClock.starting_now(asked.speed)
        lanes: list[tuple[Lane, int]] = []
        for backend, kills in (("local", asked.kills - in_cloud), ("gcp", in_cloud)):
            count = min(kills, max(1, round(asked.lanes * kills / asked.kills)))
            for place in range(count):
                number = len(lanes)
                lanes.append(
                    (self._lane(number, backend, clock, cloud), kills // count + (place < kills % count))
                )
        return lanes

    def _lane(self, number: int, backend: str, clock: QuickClock, cloud: Callable[[], Ground] | None) -> Lane:
        folder = self.folder / f"lane-{number}"
        ground = local(folder) if backend == "local" or cloud is None else cloud()
        seed = f"{self.asked.seed}/{number}"
        profile = PROFILES[number % len(PROFILES)]
        return Lane(number, seed, folder, ground, profile, clock, _COLD_EVERY, self._progress, self.say)

    def _cloud(self, closing: ExitStack) -> Callable[[], Ground] | None:
        from tests.support.emulators import NotInstalledError, emulators

        try:
            found = closing.enter_context(emulators())
        except NotInstalledError as exc:
            self.skipped = str(exc)
            return None
        return lambda: in_cloud(found.environment)

    def _progress(self) -> None:
        total = self.tally
        if total.kills < self._told + _TOLD_EVERY and total.kills < self.asked.kills:
            return
        self._told = total.kills
        seconds = time.monotonic() - self._began
        self.say(
            f"{total.kills} of {self.asked.kills} kills, {sum(total.boundaries.values())} at boundaries, "
            f"{total.orders} orders, {total.fills} fills, {len(total.wrong)} faults, {seconds:.0f} s"
        )


def local(folder: Path) -> Ground:
    """SQLite in the folder of the lane."""
    path = folder / "var" / FOLDER / DOCUMENTS
    return Ground("local", lambda: SqliteDocuments(path), {"BACKEND": "local"})


def in_cloud(environment: dict[str, str]) -> Ground:
    """Firestore and Pub/Sub, on emulators, in a project of its own."""
    import os

    from shared.backends.gcp.documents import FirestoreDocuments
    from tests.support.emulators import make_topics, project

    os.environ.update(environment)
    where = project()
    make_topics(where)
    settings = {"BACKEND": "gcp", "GOOGLE_CLOUD_PROJECT": where, "CRASH_SECRETS": "1", **environment}
    return Ground("gcp", lambda: FirestoreDocuments(where), settings)


def summary(trial: Trial) -> str:
    """The table at the end."""
    total, asked = trial.tally, trial.asked
    lines = [f"{total.kills} kills in {trial.seconds:.0f} s, clock x{asked.speed:g}, seed {asked.seed}"]
    lines += [_lane(lane) for lane in trial.lanes]
    lines.append(f"at boundaries {sum(total.boundaries.values())}, at random {total.at_random}:")
    lines += _boundaries(total.boundaries)
    lines.append("faults of the exchange: " + (_counted(total.faults) or "none"))
    if total.stops_s:
        lines.append(f"stops in order: {len(total.stops_s)}, slowest {max(total.stops_s):.1f} s")
    if trial.skipped:
        lines.append(f"Firestore was left out: {trial.skipped}")
    lines.append(_verdict(total.wrong))
    return "\n".join([*lines, *(f"  {text}" for text in total.wrong[:40])])


def _lane(lane: Lane) -> str:
    one = lane.tally
    return (
        f"  lane {lane.number} {lane.ground.backend:5} {lane.profile.name:8} {one.kills:4} kills,"
        f" {one.signals:5} signals, {one.orders:4} orders ({one.unfilled} without a fill),"
        f" {one.fills:4} fills, {contracts(one.lots)} contracts, {one.rests} rests"
    )


def _boundaries(seen: Counter[str]) -> list[str]:
    rows = [f"{moment} {step}" for step, moment in boundaries()]
    width = max(map(len, rows))
    cells = [f"{row:{width}} {seen[row]:4}" for row in rows]
    return ["  " + "   ".join(cells[place : place + 3]) for place in range(0, len(cells), 3)]


# What is promised, and the questions that ask for it.
_PROMISES = {
    "duplicate orders": ("one_order_for_each_id", "one_order_for_each_attempt"),
    "lost or doubled fills": ("every_fill_is_booked_once", "documents_equal_the_exchange"),
    "limits broken": (
        "signals_are_not_overfilled", "order_limits_hold", "order_rate_holds", "reserved_rate_holds",
        "counts_of_a_day_hold", "event_limits_hold", "replayed_limits_hold",
    ),
    "books unequal": (
        "cash_equals_the_exchange", "positions_equal_the_exchange", "fees_equal_the_exchange",
        "profit_equals_the_exchange",
    ),
}  # fmt: skip


def _verdict(wrong: list[str]) -> str:
    names = [text.partition(": ")[2].partition(":")[0] for text in wrong]
    counts = {promise: sum(name in asked for name in names) for promise, asked in _PROMISES.items()}
    counts["other faults"] = len(wrong) - sum(counts.values())
    return ", ".join(f"{promise} {count}" for promise, count in counts.items())


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common() if count)
