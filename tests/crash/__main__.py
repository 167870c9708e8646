"""Kills the real execution service, again and again: ``python -m tests.crash 500``.

The service runs by its own command against ``arb sim`` on sockets, with its state in SQLite and, where there
are emulators, in Firestore. Every kill is a SIGKILL: most at a boundary between two steps, the others at
random. Exit status 0 when no order was sent twice, no fill was lost and no limit was broken.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.crash.trial import Asked, Trial, summary


def main() -> int:
    """Run what was asked for, and print the table."""
    parser = argparse.ArgumentParser(prog="tests.crash", description=__doc__)
    parser.add_argument("kills", type=int, nargs="?", default=500, help="how many kills in all")
    parser.add_argument("--lanes", type=int, default=4, help="accounts that are traded beside each other")
    parser.add_argument("--speed", type=float, default=8.0, help="how fast the clock of the trial runs")
    parser.add_argument("--seed", default="1", help="of signals, faults and deaths")
    parser.add_argument("--backend", choices=("all", "local", "gcp"), default="all", help="where state lives")
    parser.add_argument("--keep", type=Path, help="keep logs and stores in this folder")
    given = parser.parse_args()
    asked = Asked(given.kills, given.lanes, given.speed, given.seed, given.backend)
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(asked, given.keep or Path(folder), lambda text: print(text, flush=True))
        try:
            asyncio.run(trial.run())
        finally:
            print(summary(trial))
    return 1 if trial.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
