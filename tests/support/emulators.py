"""The real Pub/Sub and Firestore emulators for a test session: started on free ports, ended as a group.

Emulators that run already are used if ``PUBSUB_EMULATOR_HOST`` and ``FIRESTORE_EMULATOR_HOST`` say where.
Every test takes a project of its own, so they never meet.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from shared.messages import BY_TOPIC
from shared.topology import DEAD_LETTERS

_START = Path(__file__).parents[2] / "infra" / "emulators" / "start"
_READY_S = 60.0
_END_S = 10.0
PUBSUB, FIRESTORE = "PUBSUB_EMULATOR_HOST", "FIRESTORE_EMULATOR_HOST"


class NotInstalledError(Exception):
    """There is no emulator on this machine; the text says which."""


@dataclass(frozen=True)
class Emulators:
    """Addresses, as the client libraries read them from the environment."""

    pubsub: str
    firestore: str

    @property
    def environment(self) -> dict[str, str]:
        """Variables that point every client of a process here."""
        return {PUBSUB: self.pubsub, FIRESTORE: self.firestore}


@contextmanager
def emulators() -> Iterator[Emulators]:
    """The emulators inside the block; raises :class:`NotInstalledError` where there are none."""
    given = os.environ.get(PUBSUB), os.environ.get(FIRESTORE)
    if given[0] and given[1]:
        yield Emulators(given[0], given[1])
        return
    ports = free_ports(2)
    # A pipe that nobody reads would fill with their log, and stop them.
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(  # noqa: S603 - our own script
            [_START, *map(str, ports), "attached"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=told,
            start_new_session=True,
        )
        try:
            _wait(process, ports, told)
            yield Emulators(*(f"127.0.0.1:{port}" for port in ports))
        finally:
            _end(process)


def project() -> str:
    """A project nobody else has."""
    return f"test-{secrets.token_hex(6)}"


def make_topics(project_id: str, subscriptions: Sequence[tuple[str, str]] = ()) -> None:
    """Every topic of the system, and pull subscriptions ``(topic, name)`` as deployment makes them."""
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        for topic in [*BY_TOPIC, DEAD_LETTERS]:
            publisher.create_topic(name=f"projects/{project_id}/topics/{topic}")
        for topic, name in [(DEAD_LETTERS, ""), *subscriptions]:
            make_subscription(subscriber, project_id, topic, name)


def make_subscription(
    subscriber: SubscriberClient, project_id: str, topic: str, name: str = "", push: str = ""
) -> None:
    """The subscription ``{topic}-{name}``; with ``push`` it calls that address."""
    wanted: dict[str, object] = {
        "name": f"projects/{project_id}/subscriptions/{topic}-{name}".removesuffix("-"),
        "topic": f"projects/{project_id}/topics/{topic}",
        "ack_deadline_seconds": 60,
    }
    if name:
        wanted["dead_letter_policy"] = {
            "dead_letter_topic": f"projects/{project_id}/topics/{DEAD_LETTERS}",
            "max_delivery_attempts": 10,
        }
    if push:
        wanted["push_config"] = {"push_endpoint": push}
    subscriber.create_subscription(request=wanted)


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return ports


def _wait(process: subprocess.Popen[bytes], ports: Sequence[int], log: IO[str]) -> None:
    """Until both ports answer, which the emulators' own output does not tell in the same way."""
    until = time.monotonic() + _READY_S
    waiting = list(ports)
    while waiting:
        if process.poll() is not None:
            log.seek(0)
            told = log.read().strip()
            if process.returncode == 3:
                raise NotInstalledError(told)
            raise RuntimeError(f"the emulators ended: {told[-500:]}")
        if time.monotonic() > until:
            raise RuntimeError(f"the emulators did not answer within {_READY_S:g} s")
        waiting = [port for port in waiting if not _answers(port)]


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
    except OSError:
        time.sleep(0.05)
        return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole group: the script and both of its Java processes."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, kind)
        except ProcessLookupError:
            break
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            continue
        break
    if process.stdin:
        process.stdin.close()
