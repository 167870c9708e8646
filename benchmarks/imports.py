"""Cold start of each deployed function: its imports, the parts of its first call, and their memory."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.report import Figure, Goal, Line
from shared.topology import FUNCTIONS

GROUP = "cold start"
_ROOT = Path(__file__).parents[1]
# A fresh interpreter reports on itself: CPU seconds, so that a busy neighbour does not count.
_PROGRAM = """
import json, resource, sys, time
began = time.process_time()
import functions_framework
import functions.{name}.main
imported = time.process_time()
from shared.worker import Worker, _new_worker
from shared import entry
from shared.config import load
async def parts():
    made = await _new_worker(load(dotenv=None))
    made.platform.documents, made.platform.bus, made.{part}
    await made.close()
entry.run(parts())
print(json.dumps([imported - began, time.process_time() - imported,
    resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""
PARTS = {
    "kalshi_scraper": "kalshi_scraper",
    "odds_scraper": "odds_scraper",
    "props_scraper": "props_scraper",
    "props_processor": "props_processor",
    "event_mapper": "event_mapper",
    "edge_detector": "edge_detector",
    "settlement": "settlement",
    "reconciler": "auditor",
    "alerts": "messenger",
}


def figures(quick: bool) -> list[Line]:
    """Median CPU seconds and megabytes of each function, with the cloud's clients loaded."""
    lines: list[Line] = []
    for function in FUNCTIONS:
        if function.name not in PARTS:
            continue
        runs = [_measured(function.name) for _ in range(1 if quick else 5)]
        imports, parts, memory = (statistics.median(column) for column in zip(*runs, strict=True))
        lines += [
            Figure(GROUP, f"{function.name}: imports", imports, "s CPU"),
            Figure(GROUP, f"{function.name}: parts of the first call", parts, "s CPU"),
            Figure(GROUP, f"{function.name}: memory", memory, "MB", goal=Goal("figure", 150)),
        ]
    return lines


def _measured(name: str) -> list[float]:
    environment = os.environ | {
        "BACKEND": "gcp",
        "GOOGLE_CLOUD_PROJECT": "nowhere",
        "ODDS_API_KEY": "none",
        "RAW_BUCKET": "none",
        # Nothing is called; the clients only must not look for credentials.
        "PUBSUB_EMULATOR_HOST": "127.0.0.1:9",
        "FIRESTORE_EMULATOR_HOST": "127.0.0.1:9",
        "STORAGE_EMULATOR_HOST": "http://127.0.0.1:9",
    }
    program = _PROGRAM.format(name=name, part=PARTS[name])
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[float] = json.loads(done.stdout.splitlines()[-1])
    return found
