"""Kills the process it is in, at one boundary between two steps, without a word of farewell.

A boundary is before, during or after a call through one of the seams below, on its n-th passing: ``during``
is some milliseconds after the call began, when its request is on the wire or its transaction under way.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.ports import Create, Replace, Write

BEFORE, DURING, AFTER = "before", "during", "after"
# Where the trap says that it has sprung, for whoever counts.
NOTE = "CRASH_NOTE"

_LOCAL, _CLOUD = "shared.backends.local", "shared.backends.gcp"
# A step, and the call it is made by.
SEAMS = {
    "lease taken": ("shared.lease", "DocumentLease", "acquire"),
    "lease given up": ("shared.lease", "DocumentLease", "release"),
    "book opened": ("shared.execution.stored_book", "StoredBook", "open"),
    "book fenced": ("shared.execution.stored_book", "StoredBook", "fence"),
    "book confirmed": ("shared.execution.stored_book", "StoredBook", "confirm"),
    "recovered": ("shared.execution.journal", "Journal", "unfinished"),
    "signal taken": ("shared.execution.executor", "Executor", "on_signal"),
    "judged": ("shared.execution.guard", "OrderGuard", "__call__"),
    "intent made": ("shared.execution.journal", "Journal", "intend"),
    "intent told": ("shared.execution.journal", "Journal", "intended"),
    "order placed": ("shared.execution.live", "LiveGateway", "place"),
    "order sent": ("shared.venues.kalshi.trading", "KalshiTrading", "create"),
    "order canceled": ("shared.venues.kalshi.trading", "KalshiTrading", "cancel"),
    "fill heard": ("shared.venues.kalshi.private", "PrivateFeed", "add"),
    "outcome counted": ("shared.execution.safety", "Safety", "happened"),
    "outcome recorded": ("shared.execution.journal", "Journal", "record"),
    "outcome asked": ("shared.execution.live", "LiveGateway", "resolve"),
    "statement read": ("shared.execution.live", "LiveGateway", "statement"),
}
# Commits of the store, by what they carry; the class is that of the platform in use.
COMMITS = ("intent committed", "outcome committed", "book committed")
STORES = {
    "local": (f"{_LOCAL}.documents", "SqliteDocuments", "batch"),
    "gcp": (f"{_CLOUD}.documents", "FirestoreDocuments", "batch"),
}
BUSES = {
    "local": (f"{_LOCAL}.bus", "LocalBus", "publish"),
    "gcp": (f"{_CLOUD}.bus", "PubSubBus", "publish"),
}
TOLD = "history told"
# Calls that wait for disk or network: only these can be cut in two.
_SLOW = frozenset(
    {
        "lease taken", "book fenced", "book confirmed", "intent made", "order placed", "order sent",
        "order canceled", "outcome recorded", "outcome asked", "statement read", TOLD, *COMMITS,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trap:
    """Dies at the ``passing``-th passing of a boundary; ``after_ms`` into the call where it is ``during``."""

    step: str
    moment: str
    passing: int = 1
    after_ms: float = 0.0

    @property
    def boundary(self) -> str:
        """Which boundary it is, in words."""
        return f"{self.moment} {self.step}"

    @property
    def text(self) -> str:
        """As :func:`parsed` takes it."""
        return f"{self.step}|{self.moment}|{self.passing}|{self.after_ms:g}"


def parsed(text: str) -> Trap:
    """The trap that ``text`` describes."""
    step, moment, passing, after_ms = text.split("|")
    return Trap(step, moment, int(passing), float(after_ms))


def boundaries() -> list[tuple[str, str]]:
    """Every boundary there is, as step and moment."""
    steps = [*SEAMS, *COMMITS, TOLD]
    return [
        (step, moment)
        for step in steps
        for moment in (BEFORE, DURING, AFTER)
        if moment != DURING or step in _SLOW
    ]


def install(trap: Trap, backend: str = "") -> None:
    """Lay the trap: the program may be loaded or not yet, but must not have begun."""
    backend = backend or os.environ.get("BACKEND", "local")
    if trap.step in SEAMS:
        _wrap(SEAMS[trap.step], _Counted(trap, lambda _: True))
    elif trap.step == TOLD:
        _wrap(BUSES[backend], _Counted(trap, lambda _: True))
    else:
        _wrap(STORES[backend], _Counted(trap, lambda arguments: commit_of(arguments[1]) == trap.step))


def commit_of(writes: Sequence[Write]) -> str:
    """Which of :data:`COMMITS` a batch is."""
    orders = [write for write in writes if write.path.startswith("orders/")]
    if any(isinstance(write, Create) for write in orders):
        return "intent committed"
    return "outcome committed" if any(isinstance(write, Replace) for write in orders) else "book committed"


@dataclass
class _Counted:
    """Counts passings of the trap's seam, and dies at the right one."""

    trap: Trap
    is_meant: Callable[[Sequence[Any]], bool]
    passed: int = 0

    def enters(self, arguments: Sequence[Any]) -> bool:
        """A call begins; true if it is the one."""
        if not self.is_meant(arguments):
            return False
        self.passed += 1
        if self.passed != self.trap.passing:
            return False
        if self.trap.moment == BEFORE:
            die(self.trap)
        if self.trap.moment == DURING:
            threading.Timer(self.trap.after_ms / 1_000, die, [self.trap]).start()
        return True

    def leaves(self) -> None:
        """The call that was meant has returned or raised."""
        if self.trap.moment == AFTER:
            die(self.trap)


def _wrap(seam: tuple[str, str, str], counted: _Counted) -> None:
    module, name, method = seam
    owner = getattr(importlib.import_module(module), name)
    real = getattr(owner, method)

    @functools.wraps(real)
    async def awaited(*arguments: Any, **named: Any) -> Any:
        is_it = counted.enters(arguments)
        try:
            return await real(*arguments, **named)
        finally:
            if is_it:
                counted.leaves()

    @functools.wraps(real)
    def called(*arguments: Any, **named: Any) -> Any:
        is_it = counted.enters(arguments)
        try:
            return real(*arguments, **named)
        finally:
            if is_it:
                counted.leaves()

    setattr(owner, method, awaited if inspect.iscoroutinefunction(real) else called)


def die(trap: Trap) -> None:
    """Say where, and be gone: nothing is flushed, closed or given back."""
    note = os.environ.get(NOTE)
    if note:
        held = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(held, f"{trap.boundary}\n".encode())
    os.kill(os.getpid(), signal.SIGKILL)
