"""Taking times: medians and percentiles, the collector held still so that it hits no side by chance.

Work that only computes is measured in CPU time: it does not move when a neighbour is busy.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def no_collector() -> Iterator[None]:
    """Run without garbage collection."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def median_s(work: Callable[[], object], runs: int, before: Callable[[], object] = lambda: None) -> float:
    """Median CPU seconds of ``work``; ``before`` prepares each run and is not counted."""
    taken = []
    for _ in range(runs):
        before()
        with no_collector():
            started = time.process_time()
            work()
            taken.append(time.process_time() - started)
    return statistics.median(taken)


def p50_p99(nanoseconds: list[int], unit_ns: float = 1_000.0) -> tuple[float, float]:
    """Median and 99th percentile, in microseconds unless told otherwise."""
    ordered = sorted(nanoseconds)
    return ordered[len(ordered) // 2] / unit_ns, ordered[len(ordered) * 99 // 100] / unit_ns
