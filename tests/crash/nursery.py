"""Starts the execution service again and again without loading it anew: run as ``-m tests.crash.nursery``.

Loading the program takes two seconds of processor time, five hundred times. So it is loaded once, and each
line of JSON on standard input makes a fork of this process, which becomes the program with the environment
and in the folder of that line. The answers are ``{"pid": …}`` and, when it has ended, ``{"status": …}``.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import signal
import sys
import time
from typing import Any

from shared.messages import MESSAGES
from shared.schema.duckdb import create_table
from tests.crash import prepare

_LOOK_S = 0.005
PROGRAM = "functions.execution.main"
# What the program loads when it is first needed.
_LATER = {
    "local": (
        "shared.backends.local.documents",
        "shared.backends.local.bus",
        "shared.backends.local.warehouse",
    ),
    "gcp": ("shared.backends.gcp.documents", "shared.backends.gcp.bus"),
}


def main() -> None:
    """Serve until standard input ends."""
    for module in (PROGRAM, *_LATER[os.environ.get("BACKEND", "local")]):
        importlib.import_module(module)
    for kind in MESSAGES:
        create_table(kind)  # its columns are worked out once
    gc.freeze()
    _say({"ready": True})
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if not pid:
            _become(asked)
        _say({"pid": pid})
        _say({"status": _ended(pid)})


def _ended(pid: int) -> int:
    """Wait for the end of a child; if whoever asked is gone meanwhile, nobody lives on."""
    asked_by = os.getppid()
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if os.getppid() != asked_by:
            os.kill(pid, signal.SIGKILL)
            sys.exit(1)
        time.sleep(_LOOK_S)


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


def _become(asked: dict[str, Any]) -> None:
    """Be the program; never returns."""
    code = 1
    try:
        os.setsid()
        _redirect(asked["log"])
        os.environ.update(asked["environment"])
        os.chdir(asked["folder"])
        prepare.prepare()
        sys.argv = [PROGRAM]
        sys.modules.pop(PROGRAM, None)
        runpy.run_module(PROGRAM, run_name="__main__", alter_sys=True)
        code = 0
    except BaseException:  # whatever it is, it must not go on as a second nursery
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _redirect(log: str) -> None:
    nothing, out = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for held, number in ((nothing, 0), (out, 1), (out, 2)):
        os.dup2(held, number)


if __name__ == "__main__":
    main()
