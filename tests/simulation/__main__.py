"""Runs seeds: ``python -m tests.simulation 500``, or one plan again with ``--plan``.

Prints progress and the combined hash of all runs. A failure prints its seed, its plan made as small as it
gets, and the command that plays it again.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import shlex
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator

from tests.simulation import soak
from tests.simulation.plan import Plan, decode, drawn, encode
from tests.simulation.programs import PROGRAMS
from tests.simulation.shrink import shrunk
from tests.simulation.world import Result, run

_MOST_FAILURES = 20
_SHOWN = 40


def main() -> int:
    """Exit status: 0 when every run was clean."""
    asked = _asked()
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets of words depends on it, and with that the bytes of a run.
        os.execve(  # noqa: S606 - ourselves again
            sys.executable,
            [sys.executable, "-m", "tests.simulation", *sys.argv[1:]],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    # A process that is killed leaves behind what it had not begun.
    warnings.filterwarnings("ignore", r"coroutine '.*' was never awaited", RuntimeWarning)
    if asked.soak:
        return soak.main(asked.program, asked.soak)
    if asked.plan:
        return _replay(asked.program, decode(asked.plan), verbose=True)
    return _sweep(asked.program, range(asked.first, asked.first + asked.seeds), asked.workers)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.simulation", description=__doc__)
    parser.add_argument("seeds", type=int, nargs="?", default=500, help="how many seeds")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes to spread over")
    parser.add_argument("--program", choices=sorted(PROGRAMS), default="service", help="what is tested")
    parser.add_argument("--plan", default="", help="a plan in JSON, to be played again")
    parser.add_argument("--soak", type=float, default=0.0, metavar="HOURS", help="one long run instead")
    return parser.parse_args()


def _sweep(program: str, seeds: range, workers: int) -> int:
    began, combined, total = time.monotonic(), hashlib.blake2b(digest_size=16), Counter[str]()
    failures: list[Result] = []
    for number, result in enumerate(_results(program, seeds, workers), 1):
        combined.update(result.digest.encode())
        total.update(result.counts)
        total["steps"] += result.steps
        total["virtual seconds"] += int(result.seconds)
        if result.failure:
            failures.append(result)
            print(f"seed {result.plan.seed}: {result.text}", flush=True)
        if number % 100 == 0 or number == len(seeds):
            _progress(number, len(seeds), time.monotonic() - began, len(failures))
        if len(failures) >= _MOST_FAILURES:
            break
    print(f"hash {combined.hexdigest()} over {len(seeds)} seeds from {seeds.start}")
    print(", ".join(f"{count} {name}" for name, count in sorted(total.items()) if "fault" not in name))
    print("faults: " + ", ".join(f"{n} {name[6:]}" for name, n in sorted(total.items()) if "fault" in name))
    for failed in failures[:1]:
        _explain(program, failed)
    return 1 if failures else 0


def _results(program: str, seeds: range, workers: int) -> Iterator[Result]:
    jobs = [(program, seed) for seed in seeds]
    if workers <= 1:
        yield from map(_one, jobs)
        return
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        yield from pool.imap(_one, jobs, chunksize=4)


def _one(job: tuple[str, int]) -> Result:
    program, seed = job
    return run(drawn(seed), PROGRAMS[program])


def _progress(done: int, of: int, seconds: float, failed: int) -> None:
    print(f"{done} of {of} seeds, {done / seconds:.1f} seeds/s, {failed} failed", flush=True)


def _explain(program: str, failed: Result) -> None:
    print(f"\nseed {failed.plan.seed} fails {failed.failure}; making its plan smaller …", flush=True)
    small = shrunk(failed.plan, lambda plan: run(plan, PROGRAMS[program]).failure == failed.failure)
    _replay(program, small, verbose=False)
    print(f"plan, {len(small.faults)} of {len(failed.plan.faults)} faults:\n{encode(small)}")
    print(f"play it again: .venv/bin/python -m tests.simulation --program {program} --plan {_quoted(small)}")


def _quoted(plan: Plan) -> str:
    return shlex.quote(encode(plan))


def _replay(program: str, plan: Plan, *, verbose: bool) -> int:
    result = run(plan, PROGRAMS[program])
    if verbose or result.failure:
        print("\n".join(result.last[-_SHOWN:]))
    print(result.text or "clean")
    print(f"hash {result.digest}, {result.steps} steps, {result.seconds:.1f} virtual seconds")
    return 1 if result.failure else 0


if __name__ == "__main__":
    sys.exit(main())
