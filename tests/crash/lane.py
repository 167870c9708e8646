"""One lane of a trial: one account at one exchange, one store, and the lives and deaths of its executor.

The executor is a process of its own, and what kills it is SIGKILL. Exchange and store live on; this process
puts signals into the store, plays the operator, and asks the judge after every death and when all is at rest.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec

from shared.clock import SECOND, Instant
from shared.config import load
from shared.desks import risk_limits
from shared.errors import ArbError
from shared.execution import halt
from shared.execution.breakers import Breakers
from shared.messages import SignalRaised
from shared.ports import Document, Documents
from shared.risk.book import Book, decode_book
from shared.risk.breaker import Person
from shared.simulator.scenario import Scenario
from tests.crash import judge
from tests.crash.exchange import exchange
from tests.crash.plan import Life, Profile, lives
from tests.crash.quick import QuickClock
from tests.crash.traps import NOTE
from tests.simulation.case import Intent, intent_of

REPOSITORY = Path(__file__).resolve().parents[2]
SITE = Path(__file__).resolve().parent / "site"
PROGRAM = "functions.execution.main"
BOOK = "risk/main"
_MARKETS = 9
# Seconds of the trial's clock.
_SIGNAL_EVERY_S = 1.2
_LIFE_S = 45.0
_REST_S = 300.0
_QUIET_S = 8.0
_LOOKS_AFTER = 7 * SECOND
_TRADES_AGAIN_S = 120.0
# Of the processor: a start by itself takes two and a half, of one already loaded a half.
_LIFE_CPU_S = 2.0
_REST_CPU_S = 10.0
_STOP_CPU_S = 1.5
# Real seconds.
_LONGEST_S = 600.0
_LOOK_S = 0.1
_LOOK_AT_REST_S = 0.4
_STOP_S = 10.0
_ASKED_AGAIN = 10
# So many signals, and each refused for a limit of the account.
_REFUSED = 5
_LIMITS = tuple(
    f"{control}: "
    for control in ("event_concentration", "sport_exposure", "daily_loss", "weekly_loss", "daily_trades")
)


class Store(Documents, Protocol):
    """Documents that can be closed."""

    async def close(self) -> None:
        """Close them."""
        ...


@dataclass(frozen=True)
class Ground:
    """Where the state of a lane lives: its documents, opened here, and what points the process at them."""

    backend: str
    open: Callable[[], Store]
    settings: dict[str, str]


@dataclass
class Tally:
    """What a lane has seen."""

    kills: int = 0
    boundaries: Counter[str] = field(default_factory=Counter)
    at_random: int = 0
    started: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    signals: int = 0
    orders: int = 0
    fills: int = 0
    lots: int = 0
    unfilled: int = 0
    rests: int = 0
    wrong: list[str] = field(default_factory=list)
    starts_s: list[float] = field(default_factory=list)
    stops_s: list[float] = field(default_factory=list)


@dataclass
class Lane:
    """One account, and everything around it."""

    number: int
    seed: str
    folder: Path
    ground: Ground
    profile: Profile
    clock: QuickClock
    cold_every: int
    told: Callable[[], None]
    say: Callable[[str], None]
    tally: Tally = field(default_factory=Tally)
    raised: dict[str, SignalRaised] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._rng = random.Random(f"{self.seed}/lane")  # noqa: S311 - reproducible
        self._note = self.folder / "sprung"
        self._log, self._told = self.folder / "process.log", 0

    async def run(self, count: int, rest_every: int) -> Tally:
        """So many kills, with a rest now and then and at the end."""
        environment = self._environment()
        async with exchange(self.folder, environment, self.clock, self._rng.getrandbits(30)) as venue:
            await venue.choose(_MARKETS)
            self._venue, self._documents = venue, self.ground.open()
            async with nursery(self.folder, environment | venue.settings) as cradle:
                self._cradle = cradle
                for number, life in enumerate(lives(count, self.profile, self.seed), 1):
                    await self._live(life, is_cold=number % self.cold_every == 0)
                    if number % rest_every == 0 or number == count:
                        await self._rest()
            await self._documents.close()
        return self.tally

    # --- one life ---------------------------------------------------------------------------------------

    async def _live(self, life: Life, *, is_cold: bool) -> None:
        await self._look_after()
        await self._venue.play(life.weather)
        self._note.unlink(missing_ok=True)
        trap = {"CRASH_TRAP": life.trap.text, NOTE: str(self._note)} if life.trap else {}
        process = await self._born(trap, is_cold=is_cold)
        await self._until_dead(process, life)
        self._buried(life)
        self.tally.faults.update(await self._venue.struck())
        self._judge("always", judge.faults_of(await self._evidence(), judge.ALWAYS))
        self.told()

    async def _until_dead(self, process: Process, life: Life) -> None:
        """Raise signals until the trap springs, or the time comes."""
        patience, orders = (
            Patience(self.clock, process, _LIFE_S, _LIFE_CPU_S),
            (await self._venue.truth()).orders,
        )
        doom = None if life.waits_for_trading else self._doom(life)
        raising = asyncio.create_task(self._raise_signals())
        try:
            while not process.ended.done():
                if doom is None and len((await self._venue.truth()).orders) > len(orders):
                    doom = self._doom(life)
                if patience.is_over or (doom is not None and self.clock.now() >= doom):
                    self._end(process, life)
                    doom = None if life.is_graceful else doom
                await asyncio.wait([process.ended], timeout=_LOOK_S)
        finally:
            raising.cancel()
            with suppress(asyncio.CancelledError):
                await raising
        await process.over()

    def _doom(self, life: Life) -> Instant | None:
        """When a life ends that no trap ends."""
        is_trapped = life.trap is not None and not life.is_graceful
        return None if is_trapped else Instant(self.clock.now() + int(life.seconds * SECOND))

    def _end(self, process: Process, life: Life) -> None:
        if life.is_graceful and not process.is_asked:
            process.ask_to_stop()
        else:
            process.kill()

    def _buried(self, life: Life) -> None:
        """Count a death by what it was of."""
        self.tally.kills += 1
        if life.trap is not None and self._note.exists():
            self.tally.boundaries[life.trap.boundary] += 1
        else:
            self.tally.at_random += 1

    async def _raise_signals(self) -> None:
        while True:
            try:
                await self._raise_one()
            except (ArbError, OSError) as exc:
                _note(self.folder / "driver.log", f"no signal: {exc}")
            await self.clock.sleep(self._rng.expovariate(1 / _SIGNAL_EVERY_S))

    async def _raise_one(self) -> None:
        made = await self._venue.signal()
        if made is None:
            return
        # Known before it is stored: an order may follow within a millisecond.
        self.raised[made.signal_id] = made
        self.tally.signals += 1
        await self._documents.create(f"signals/{made.signal_id}", msgspec.to_builtins(made))

    async def _look_after(self) -> None:
        """The operator closes breakers and lets trading go on."""
        operator, rng = Person("operator"), self._rng
        await Breakers(self._documents, self.clock, rng, "operator").close_all(operator, "looked at it")
        if await halt.halted(self._documents):
            await halt.resume(self._documents, self.clock, rng, "operator")

    # --- rest -------------------------------------------------------------------------------------------

    async def _rest(self) -> None:
        """Fair weather and a process nobody kills: all must end, agree with the exchange, and trade again."""
        await self._venue.play(Scenario())
        process = await self._born({}, is_cold=True)
        began = time.monotonic()
        try:
            await self._until(self._is_at_rest, _REST_S, "it does not come to rest", process)
            self._judge("at rest", await self._unequal())
            self._told = _size(self._log)
            await self._until(self._trades, _TRADES_AGAIN_S, "it does not trade again", process)
            await self._until(self._is_at_rest, _REST_S, "it does not come to rest again", process)
        finally:
            self.tally.starts_s.append(time.monotonic() - began)
            asked = time.monotonic()
            process.ask_to_stop()
            await self._stopped(process)
            self.tally.stops_s.append(time.monotonic() - asked)
        self._judge("after the stop", judge.faults_of(await self._evidence(), judge.AT_REST))
        self.tally.rests += 1

    async def _stopped(self, process: Process) -> None:
        """It must end by itself, in order and in time."""
        patience = Patience(self.clock, process, _STOP_S * self.clock.speed, _STOP_CPU_S)
        while not process.ended.done() and not patience.is_over:
            await asyncio.wait([process.ended], timeout=_LOOK_S)
        if not process.ended.done():
            self._judge("stop", [f"it has not stopped {_STOP_S:g} s after SIGTERM"])
            process.kill()
        status = await process.over()
        if status:
            self._judge("stop", [f"it ended with status {status}"])

    async def _until(
        self, asked: Callable[[], Awaitable[bool]], limit_s: float, otherwise: str, process: Process
    ) -> None:
        """Wait until something holds for a while; that it never does is a fault too."""
        patience, looked_after = Patience(self.clock, process, limit_s, _REST_CPU_S), self.clock.now()
        since: Instant | None = None
        while True:
            now = self.clock.now()
            if process.ended.done():
                self._judge("rest", [f"the process ended by itself with {process.ended.result()}"])
                return
            if not await asked():
                since = None
            elif since is None:
                since = now
            elif now - since > _QUIET_S * SECOND:
                return
            if patience.is_over:
                self._judge("rest", [otherwise, *await self._why()])
                return
            if now - looked_after > _LOOKS_AFTER:
                looked_after = now
                await self._look_after()
            await asyncio.sleep(_LOOK_AT_REST_S)

    async def _is_at_rest(self) -> bool:
        seen = await self._evidence()
        booked = sum(one.filled for one in seen.intents.values())
        return (
            not seen.book.reserved
            and all(one.is_over for one in seen.intents.values())
            and booked == sum(one.filled for one in seen.truth.orders)
        )

    async def _trades(self) -> bool:
        """Whether an order came to the exchange since it was last at rest; raises signals until it does.

        Or none can: the limits of an account are used up some day.
        """
        orders = len((await self._venue.truth()).orders)
        if orders > self.tally.orders or self._is_at_a_limit():
            return True
        if self._rng.random() < 0.3:
            await self._raise_one()
        return False

    def _is_at_a_limit(self) -> bool:
        """Whether the last orders refused since it was at rest all met a limit that time does not lift.

        A signal that only expired says nothing of what could be traded.
        """
        with self._log.open(errors="replace") as log:
            log.seek(self._told)
            told = [line for line in log if '"message":"order rejected: ' in line]
        refused = [line for line in told if "(the signal has expired" not in line][-_REFUSED:]
        return len(refused) == _REFUSED and all(any(one in line for one in _LIMITS) for line in refused)

    async def _unequal(self) -> list[str]:
        """What is wrong at rest, also when asked again: one order more may have come between two reads."""
        faults = await self._why()
        for _ in range(_ASKED_AGAIN):
            if not faults:
                break
            await asyncio.sleep(_LOOK_AT_REST_S)
            faults = await self._why()
        return faults

    async def _why(self) -> list[str]:
        return judge.faults_of(await self._evidence(), judge.AT_REST)

    # --- judging ----------------------------------------------------------------------------------------

    async def _evidence(self) -> judge.Evidence:
        """Documents first: what the exchange has more than they is no fault of theirs."""
        intents = await self._intents()
        book = await self._book()
        truth = await self._venue.truth()
        # An order may have come since, but none without its intent.
        for order_id, intent in (await self._intents()).items():
            intents.setdefault(order_id, intent)
        self.tally.orders, self.tally.fills = len(truth.orders), len(truth.fills)
        self.tally.lots = sum(one.lots for one in truth.fills)
        self.tally.unfilled = sum(not one.filled for one in truth.orders)
        return judge.Evidence(truth, intents, book, self.raised, risk_limits(self._settings))

    async def _intents(self) -> dict[str, Intent]:
        found = await self._documents.query("orders", limit=1_000_000)
        intents = [intent_of(one.value) for one in found]
        return {one.order_id: one for one in intents}

    async def _book(self) -> Book:
        found: Document | None = await self._documents.get(BOOK)
        if found is not None:
            return decode_book(found.value)
        cash = sum((await self._venue.truth()).deposited.values())
        return Book(cash, self.clock.now(), cash)  # type: ignore[arg-type]  # not opened yet

    def _judge(self, when: str, faults: list[str]) -> None:
        known = set(self.tally.wrong)
        for fault in faults:
            text = f"lane {self.number} ({self.profile.name}), {when}: {fault}"
            if text not in known:
                self.tally.wrong.append(text)
                self.say(f"WRONG: {text}")

    # --- processes --------------------------------------------------------------------------------------

    @property
    def _settings(self):  # type: ignore[no-untyped-def]
        return load({**self.profile.settings, "DATA_DIR": str(self.folder)}, None)

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return {
            **kept,
            "PYTHONPATH": f"{SITE}{os.pathsep}{REPOSITORY}",
            "PYTHONUNBUFFERED": "1",
            "CRASH_CLOCK": self.clock.text,
            "CRASH_TRIAL": str(os.getpid()),
            "DATA_DIR": str(self.folder / "var"),
            "LEAGUES": "nfl,nba,nhl",
            "LIVE_ORDERS": "true",
            **self.profile.settings,
            **self.ground.settings,
        }

    async def _born(self, trap: dict[str, str], *, is_cold: bool) -> Process:
        self.tally.started += 1
        log = self._log
        _note(log, f"--- life {self.tally.started}: {trap.get('CRASH_TRAP', 'no trap')}")
        if is_cold:
            return await cold(self.folder, log, self._environment() | self._venue.settings | trap)
        return await self._cradle.bear(log, trap)


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _note(log: Path, line: str) -> None:
    """Add a line to what a person reads afterwards."""
    with log.open("a") as out:
        out.write(f"{line}\n")


class Patience:
    """Is over when a process has had its time: seconds of the trial's clock, and of the processor.

    On a machine with much else to do a process may get a fiftieth of a processor: it is slow, not stuck.
    """

    def __init__(self, clock: QuickClock, process: Process, seconds: float, cpu_s: float) -> None:
        self._clock, self._until = clock, clock.now() + int(seconds * SECOND)
        self._process, self._cpu_s = process, process.cpu_s + cpu_s
        self._last = time.monotonic() + _LONGEST_S

    @property
    def is_over(self) -> bool:
        """Whether to give up."""
        had_time = self._clock.now() > self._until and self._process.cpu_s > self._cpu_s
        return had_time or time.monotonic() > self._last


@dataclass
class Process:
    """A running executor; ``ended`` gives its exit status."""

    pid: int
    ended: asyncio.Future[int]
    is_asked: bool = False

    @property
    def cpu_s(self) -> float:
        """Processor time it has had; where the system does not tell, as if it never waited."""
        try:
            used = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        except OSError:
            return time.monotonic()
        return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """kill -9, unless it is dead already."""
        self._send(signal.SIGKILL)

    def ask_to_stop(self) -> None:
        """SIGTERM."""
        self.is_asked = True
        self._send(signal.SIGTERM)

    async def over(self) -> int:
        """Its exit status, when it has ended."""
        return await self.ended

    def _send(self, what: signal.Signals) -> None:
        if not self.ended.done():
            with suppress(ProcessLookupError):
                os.kill(self.pid, what)


async def cold(folder: Path, log: Path, environment: dict[str, str]) -> Process:
    """The program by its real command line, loaded from nothing."""
    with log.open("a") as out:
        started = await asyncio.create_subprocess_exec(
            sys.executable, "-m", PROGRAM,
            cwd=folder, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out,
        )  # fmt: skip
    return Process(started.pid, asyncio.ensure_future(started.wait()))


@dataclass
class Nursery:
    """Bears one process after the other, already loaded."""

    process: asyncio.subprocess.Process
    folder: Path

    async def bear(self, log: Path, environment: dict[str, str]) -> Process:
        """A process with ``environment`` beside that of the nursery."""
        asked = {"log": str(log), "folder": str(self.folder), "environment": environment}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asked).encode() + b"\n")
        await self.process.stdin.drain()
        pid = (await self.said())["pid"]
        return Process(pid, asyncio.ensure_future(self._status()))

    async def _status(self) -> int:
        return (await self.said())["status"]

    async def said(self) -> dict[str, int]:
        """The next line of the nursery."""
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if not line:
            raise RuntimeError("the nursery has ended; see nursery.log")
        told: dict[str, int] = json.loads(line)
        return told


@asynccontextmanager
async def nursery(folder: Path, environment: dict[str, str]) -> AsyncIterator[Nursery]:
    """A nursery inside the block."""
    with (folder / "nursery.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.crash.nursery",
            cwd=folder, env=environment, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )  # fmt: skip
    made = Nursery(process, folder)
    try:
        await made.said()
        yield made
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
