"""A deterministic event loop: virtual time, one ready callback at a time picked by a seeded generator.

There is no selector, no thread and no wall clock: time stands still while anything is ready and then jumps to
the next timer. Any ready callback may be next, so every ``await`` is a point where others can get in between.
Everything scheduled belongs to the owner in whose context it was scheduled; what belongs to a dead owner is
dropped unrun, which is what a killed process looks like from outside.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import random
import sys
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from functools import partial
from itertools import count
from typing import Any, Protocol, TypeVar, TypeVarTuple

from tests.simulation.record import Record

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_MANY_CANCELED = 200
# How often closing a dead coroutine may run into another ``await`` of its cleaning up.
_STUBBORN = 100
# Longest that work given to a thread takes.
_THREAD_S = 0.005


class Owner(Protocol):
    """Whose callbacks these are."""

    name: str

    @property
    def is_alive(self) -> bool:
        """Whether its callbacks may run."""
        ...

    @property
    def stalled_until(self) -> float:
        """Loop time before which none of its callbacks run."""
        ...

    def stepped(self) -> bool:
        """Count a step about to be taken; false if the owner dies before it."""
        ...


OWNER: ContextVar[Owner | None] = ContextVar("owner", default=None)


class SimulationError(AssertionError):
    """The run itself went wrong, whatever the code under test believes."""


class DeadlockError(SimulationError):
    """Nothing is ready and nothing is scheduled; the message names the tasks that wait."""


class StepLimitError(SimulationError):
    """The run took more steps than it may: something spins."""


class _Handle(asyncio.Handle):
    """A callback and whose it is. Made for every step, so without the base class's looking around."""

    __slots__ = ("owner",)

    def __init__(
        self, callback: Callable[..., object], args: Any, loop: SimulationLoop, context: Context | None
    ) -> None:
        self._context = context = copy_context() if context is None else context
        self._loop, self._callback, self._args = loop, callback, args
        self._cancelled, self._repr, self._source_traceback = False, None, None
        self.owner = context.get(OWNER)


class _Timer(asyncio.TimerHandle):
    """The same with a time."""

    __slots__ = ("owner",)

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: Any,
        loop: SimulationLoop,
        context: Context | None,
    ) -> None:
        self._context = context = copy_context() if context is None else context
        self._loop, self._callback, self._args = loop, callback, args
        self._cancelled, self._repr, self._source_traceback = False, None, None
        self._when, self._scheduled = when, True
        self.owner = context.get(OWNER)


class _Task(asyncio.Task[T]):
    """A task that hashes by its number: sets of tasks then have the same order in every run."""

    def __init__(self, coro: Coroutine[Any, Any, T], number: int, **options: Any) -> None:
        self.number = number  # first: the base class puts the task into a set
        self.owner = OWNER.get()
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self.number


class _Future(asyncio.Future[Any]):
    """A future that hashes by its number."""

    def __init__(self, number: int, loop: asyncio.AbstractEventLoop) -> None:
        self.number = number
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self.number


class SimulationLoop(asyncio.BaseEventLoop):
    """The loop of one run."""

    def __init__(self, seed: int | str, record: Record | None = None, max_steps: int = 5_000_000) -> None:
        super().__init__()
        self.record = record or Record()
        self.record.now = self.time
        self.steps = 0
        self.max_steps = max_steps
        self.failures: list[str] = []
        self._stopping: bool = False  # set by the base class's stop()
        self._fatal: BaseException | None = None
        self._random = random.Random(f"{seed}/schedule").random  # noqa: S311 - reproducible
        self._now = 0.0
        self._ready_now: list[_Handle | _Timer] = []
        self._timers: list[tuple[float, int, _Timer]] = []
        self._canceled = 0
        self._numbers = count(1)
        self._dead: list[_Task[Any]] = []

    # --- what the base class asks of a loop -----------------------------------------------------------------

    def time(self) -> float:
        """Virtual seconds since the run began."""
        return self._now

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """See the base class; nothing is promised about the order."""
        handle = _Handle(callback, args, self, context)
        self._ready_now.append(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """There is one thread."""
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """See the base class."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """See the base class."""
        timer = _Timer(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._numbers), timer))
        return timer

    def create_future(self) -> asyncio.Future[Any]:
        """See the base class."""
        return _Future(next(self._numbers), self)

    def create_task(  # type: ignore[override]
        self,
        coro: Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        """See the base class; names are numbers in order of creation, the same in every run."""
        number = next(self._numbers)
        return _Task(coro, number, loop=self, name=name or f"task-{number}", context=context)

    def run_in_executor(self, executor: object, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """A thread's work is one step of this loop, some time later: there are no threads here."""
        answer: asyncio.Future[T] = self.create_future()
        self.call_later(self._random() * _THREAD_S, self._worked, answer, partial(func, *args))
        return answer

    def _worked(self, answer: asyncio.Future[T], work: Callable[[], T]) -> None:
        if answer.done():
            return
        try:
            answer.set_result(work())
        except Exception as error:
            answer.set_exception(error)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """An error nobody took: it fails the run, unless its owner is dead anyway."""
        owner = OWNER.get()
        task = context.get("task") or context.get("future")
        owner = getattr(task, "owner", owner)
        if owner is None or owner.is_alive:
            error = context.get("exception")
            self.failures.append(f"{context.get('message')}: {type(error).__name__}: {error} ({task!r})")

    def fail(self, error: BaseException) -> None:
        """End the run with ``error`` after the present step; the first one counts."""
        self._fatal = self._fatal or error

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        self._canceled += 1

    def _run_once(self) -> None:
        """Steps until somebody asks the loop to stop: one callback each, drawn from all that are ready."""
        ready, draw, decided = self._ready_now, self._random, self.record.decided
        while not self._stopping:
            if not ready:
                self._wake()
            among = len(ready)
            chosen = int(draw() * among)
            handle = ready[chosen]
            ready[chosen] = ready[-1]
            ready.pop()
            if handle._cancelled:
                continue
            owner = handle.owner
            if owner is not None and not self._may_run(owner, handle):
                continue
            self.steps += 1
            decided(chosen, among)
            self._step(handle)
            if self._fatal is not None:
                raise self._fatal
            if self.steps > self.max_steps:
                raise StepLimitError(f"{self.steps} steps at {self._now:.3f} s: something spins")

    def _step(self, handle: _Handle | _Timer) -> None:
        try:
            handle._context.run(handle._callback, *handle._args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:
            self.call_exception_handler({"message": f"in {handle._callback!r}", "exception": exc})

    def _may_run(self, owner: Owner, handle: _Handle | _Timer) -> bool:
        if not owner.is_alive:
            return False
        if owner.stalled_until > self._now:
            self._again(handle, owner.stalled_until)
            return False
        return owner.stepped()

    def _again(self, handle: _Handle | _Timer, when: float) -> None:
        """Try a stalled owner's callback at a later time; it keeps its identity, so it can be canceled."""
        later = _Timer(when, self._resume, (handle,), self, handle._context)
        later.owner = None  # it is the loop's own
        heapq.heappush(self._timers, (when, next(self._numbers), later))

    def _resume(self, handle: _Handle | _Timer) -> None:
        self._ready_now.append(handle)

    # --- time -----------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        """Jump to the next timer and make ready all that are due then."""
        timers = self._timers
        if self._canceled > _MANY_CANCELED and self._canceled * 2 > len(timers):
            timers[:] = [entry for entry in timers if not entry[2].cancelled()]
            heapq.heapify(timers)
            self._canceled = 0
        while timers and timers[0][2].cancelled():
            heapq.heappop(timers)
        if not timers:
            raise DeadlockError(f"nothing can happen any more; waiting: {', '.join(self.waiting())}")
        self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            timer = heapq.heappop(timers)[2]
            timer._scheduled = False
            if not timer.cancelled():
                self._ready_now.append(timer)

    # --- tasks ----------------------------------------------------------------------------------------------

    def tasks_of(self, owner: Owner | None) -> list[asyncio.Task[Any]]:
        """Unfinished tasks of an owner, oldest first."""
        return [task for task in self._unfinished() if task.owner is owner]

    def waiting(self) -> list[str]:
        """Every unfinished task in words."""
        return [
            f"{task.owner.name if task.owner else 'outside'}/{task.get_name()} {task.get_coro()!r}"
            for task in self._unfinished()
        ]

    def _unfinished(self) -> list[_Task[Any]]:
        found = [task for task in asyncio.all_tasks(self) if isinstance(task, _Task)]
        return sorted(found, key=lambda task: task.number)

    def bury(self, owner: Owner) -> int:
        """Keep the tasks of an owner that has died from being cleaned up before the run is over."""
        gone = [task for task in self._unfinished() if task.owner is owner]
        self._dead += gone
        return len(gone)

    def close(self) -> None:
        """Throw away everything unfinished. Nothing outside may listen any more."""
        if self.is_closed():
            return
        asyncio._set_running_loop(self)  # what cleans up may ask for it
        hook, sys.unraisablehook = sys.unraisablehook, lambda _: None  # and its complaints are nobody's
        try:
            known: set[_Task[Any]] = set()
            # Cleaning up may start new tasks, which are put down as well.
            while fresh := {*self._dead, *self._unfinished()} - known:
                known |= fresh
                for task in sorted(fresh, key=lambda task: task.number):
                    task._log_destroy_pending = False  # type: ignore[attr-defined]
                    coroutine = task.get_coro()
                    if isinstance(coroutine, (Coroutine, Generator)):
                        _put_down(coroutine)
        finally:
            sys.unraisablehook = hook
            asyncio._set_running_loop(None)
        self._dead.clear()
        self._ready_now.clear()
        self._timers.clear()
        super().close()

    def _asyncgen_finalizer_hook(self, agen: Any) -> None:
        """A generator that nobody iterates any more: closed in its turn, or forgotten with its owner."""
        owner = OWNER.get()
        if self.is_running() and (owner is None or owner.is_alive):
            self.create_task(agen.aclose())


def _put_down(coroutine: Any) -> None:
    for _ in range(_STUBBORN):
        try:
            coroutine.close()
        except RuntimeError:
            continue  # its cleaning up waits for something: not any more
        except BaseException:  # noqa: S110 - whatever a dead process would have said
            pass
        return


@contextlib.contextmanager
def owned(owner: Owner | None) -> Generator[None]:
    """Everything scheduled inside the block belongs to ``owner``."""
    token = OWNER.set(owner)
    try:
        yield
    finally:
        OWNER.reset(token)
