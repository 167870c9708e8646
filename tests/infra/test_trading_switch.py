"""The switch that needs nothing of the system, against a document store of one document."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.infra.terraform import ROOT

SWITCH = ROOT / "infra" / "operate" / "trading"
PATH = "/v1/projects/demo/databases/(default)/documents/control/halt"


class Store(HTTPServer):
    """Answers as Firestore does; ``held`` is the document, ``refuses`` a status instead."""

    held: dict[str, Any] | None = None
    refuses = 0


class Answers(BaseHTTPRequestHandler):
    server: Store

    def do_GET(self) -> None:
        assert self.path == PATH
        if self.server.refuses:
            self._say(self.server.refuses, {"error": {"status": "PERMISSION_DENIED"}})
        elif self.server.held is None:
            self._say(404, {"error": {"status": "NOT_FOUND"}})
        else:
            self._say(200, self.server.held)

    def do_PATCH(self) -> None:
        assert (self.path, self.headers["Authorization"]) == (PATH, "Bearer owner")
        if self.server.refuses:
            self._say(self.server.refuses, {"error": {"status": "PERMISSION_DENIED"}})
            return
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.held = {"name": "x", "fields": body["fields"], "updateTime": "2026-11-28T00:00:00Z"}
        self._say(200, self.server.held)

    def _say(self, status: int, body: dict[str, Any]) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body, indent=2).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def store() -> Iterator[Store]:
    server = Store(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join(10)
    server.server_close()


def switch(store: Store, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FIRESTORE_EMULATOR_HOST": f"127.0.0.1:{store.server_port}", "USER": "ann"}
    environment["CLOUDSDK_CORE_ACCOUNT"] = "ann@example.com"
    command = [str(SWITCH), *arguments]
    return subprocess.run(  # noqa: S603 - our own program
        command, input=said, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def values(store: Store) -> dict[str, Any]:
    """Fields of the document, without their types."""
    assert store.held is not None
    return {name: next(iter(typed.values())) for name, typed in store.held["fields"].items()}


@pytest.mark.e2e
def test_a_halt_writes_what_executors_read(store: Store) -> None:
    assert switch(store, "halt", "demo", 'odd "fills" \\ now').returncode == 0
    found = values(store)
    assert (found["halted"], found["reason"]) == (True, 'odd "fills" \\ now')
    assert found["actor"]
    assert int(found["at"]) > 1_790_000_000_000_000
    assert set(found) == {"halted", "reason", "actor", "at"}


@pytest.mark.e2e
def test_status_says_why_and_that_there_is_nothing(store: Store) -> None:
    assert switch(store, "status", "demo").stdout == "not halted\n"
    switch(store, "halt", "demo", "odd fills")
    assert switch(store, "status", "demo").stdout.endswith(": odd fills\n")


@pytest.mark.e2e
def test_only_who_types_the_reason_resumes(store: Store) -> None:
    switch(store, "halt", "demo", "odd fills")
    refused = switch(store, "resume", "demo", said="yes\n")
    assert refused.returncode == 1
    assert values(store)["halted"] is True
    assert switch(store, "resume", "demo", said="odd fills\n").returncode == 0
    assert values(store)["halted"] is False


@pytest.mark.e2e
def test_a_store_that_refuses_is_no_answer(store: Store) -> None:
    store.refuses = 403
    assert switch(store, "halt", "demo", "odd fills").returncode != 0
    assert switch(store, "status", "demo").returncode == 1
    assert "not halted" not in switch(store, "resume", "demo", said="\n").stdout


@pytest.mark.e2e
def test_a_halt_needs_a_reason(store: Store) -> None:
    refused = switch(store, "halt", "demo")
    assert refused.returncode == 2
    assert "trading halt PROJECT" in refused.stdout
