"""The deployed functions for tests: each a process of its own, called as the cloud calls them.

The execution service, which nobody calls, is one more of them where settings are given for it.

Topics push into a relay in the test's process, which hands on to the functions: as they come, or as badly as
the cloud may: twice, in any order.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from google.api_core.exceptions import DeadlineExceeded
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from shared.clock import SystemClock, format_instant
from shared.messages import BY_TOPIC
from shared.topology import BY_NAME, DEAD_LETTERS, EXECUTION_TOPICS, FUNCTIONS, Function
from tests.support.arb import SETTINGS
from tests.support.emulators import Emulators, free_ports, make_subscription

EXECUTION = Function("execution")

_ROOT = Path(__file__).parents[2]
# Gives a process its key from the environment: there is no emulator of Secret Manager.
_SITE = _ROOT / "tests" / "crash" / "site"
_READY_S = 60.0
_QUIET_S = 0.6
_LOOK_S = 0.05
_AT_ONCE = 8
_PULL_S = 1.5


@dataclass
class Process:
    """One function's server."""

    function: Function
    port: int
    environment: Mapping[str, str]
    log: Path
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> float:
        """Start it; gives the seconds until it answered."""
        began = asyncio.get_running_loop().time()
        self._spawn()
        async with asyncio.timeout(_READY_S):
            while not await self._answers():
                assert self._process is not None
                assert self._process.poll() is None, self.told
                await asyncio.sleep(_LOOK_S)
        return asyncio.get_running_loop().time() - began

    @property
    def _command(self) -> list[str]:
        if self.function == EXECUTION:
            return [sys.executable, "-m", "functions.execution.main"]
        framework = str(Path(sys.executable).with_name("functions-framework"))
        source = _ROOT / "functions" / self.function.name / "main.py"
        return [framework, "--target=main", f"--source={source}", "--host=127.0.0.1", f"--port={self.port}"]

    def _spawn(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and program
                self._command,
                cwd=self.log.parent,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self) -> None:
        """End it as the platform does: a signal, then no mercy."""
        if self._process is None:
            return
        for kind in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, kind)
            except ProcessLookupError:
                break
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                continue
            break
        self._process = None

    def look(self) -> None:
        """Fail with its log if it has ended."""
        assert self._process is not None
        assert self._process.poll() is None, self.told[-3000:]

    @property
    def told(self) -> str:
        """Its log so far."""
        return self.log.read_text(errors="replace")

    @property
    def memory_mb(self) -> float:
        """Resident memory of the process that handles, megabytes."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        status = Path(f"/proc/{children[0]}/status").read_text().splitlines()
        [line] = [line for line in status if line.startswith("VmRSS")]
        return int(line.split()[1]) / 1024

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True


@dataclass
class Push:
    """A message on its way to one function."""

    function: str
    topic: str
    body: bytes


@dataclass
class Relay:
    """Takes every push at once, and hands on when it is told to; ``badly`` twice and in any order."""

    rng: random.Random
    badly: bool = False
    waiting: list[Push] = field(default_factory=list)
    delivered: int = 0
    size: int = 0
    refused: int = 0
    _last: float = 0.0

    async def take(self, request: web.Request) -> web.Response:
        """The endpoint of every push subscription."""
        _, function, topic = request.path.split("/")
        body = await request.read()
        self.size += len(body)
        self.waiting += [Push(function, topic, body)] * (2 if self.badly else 1)
        self._last = asyncio.get_running_loop().time()
        return web.Response(status=204)

    @property
    def quiet_s(self) -> float:
        """Seconds since the last message came."""
        return asyncio.get_running_loop().time() - self._last

    def batch(self) -> list[Push]:
        """Everything that waits, in the order it goes out."""
        batch, self.waiting = self.waiting, []
        if self.badly:
            self.rng.shuffle(batch)
        return batch


@dataclass
class Deployment:
    """Every function that is called by a schedule or a topic, the relay, and the project they live in."""

    project: str
    processes: dict[str, Process]
    relay: Relay
    http: aiohttp.ClientSession

    async def call(self, name: str, **headers: str) -> dict[str, Any]:
        """Call a function as its schedule does; gives its report."""
        given = {"X-CloudScheduler-ScheduleTime": format_instant(SystemClock().now()), **headers}
        async with self.http.post(self.processes[name].url, headers=given) as answer:
            report: dict[str, Any] = await answer.json()
            assert answer.status == 200, (name, report, self.processes[name].told[-3000:])
            return report

    async def deliver(self, restart: Sequence[str] = ()) -> None:
        """Hand on what was published, and what comes of it, until all is quiet.

        The functions named in ``restart`` are ended and started again in the middle of the first batch.
        """
        restarts = list(restart)
        while self.relay.waiting or self.relay.quiet_s < _QUIET_S:
            batch = self.relay.batch()
            half = len(batch) // 2
            await self._hand_on(batch[:half])
            if restarts and batch:
                await self.restart(restarts)
                restarts = []
            await self._hand_on(batch[half:])
            await asyncio.sleep(_LOOK_S)

    async def restart(self, names: Sequence[str]) -> None:
        """End functions and start them again, with nothing in memory."""
        await asyncio.gather(*(asyncio.to_thread(self.processes[name].stop) for name in names))
        await asyncio.gather(*(self.processes[name].start() for name in names))

    async def _hand_on(self, pushes: Sequence[Push]) -> None:
        turn = asyncio.Semaphore(_AT_ONCE)

        async def one(push: Push) -> None:
            async with turn:
                url = f"{self.processes[push.function].url}/{push.topic}"
                headers = {"content-type": "application/json"}
                async with self.http.post(url, data=push.body, headers=headers) as answer:
                    if answer.status >= 300:
                        self.relay.refused += 1
                        self.relay.waiting.append(push)
                        assert self.relay.refused < 50, (push, self.processes[push.function].told[-3000:])
                    else:
                        self.relay.delivered += 1

        await asyncio.gather(*(one(push) for push in pushes))


@asynccontextmanager
async def deployed(
    emulators: Emulators,
    project: str,
    settings: Mapping[str, str],
    folder: Path,
    rng: random.Random,
    trading: Mapping[str, str] | None = None,
) -> AsyncIterator[Deployment]:
    """All functions, running, with their topics and subscriptions as deployment makes them.

    With ``trading`` settings the execution service runs beside them.
    """
    relay = Relay(rng)
    kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    environment = {
        **kept,
        **emulators.environment,
        "BACKEND": "gcp",
        "GOOGLE_CLOUD_PROJECT": project,
        "PYTHONPATH": str(_ROOT),
        **settings,
    }
    # All at once: a port that nobody holds yet is given twice.
    *ports, port = free_ports(len(FUNCTIONS) + 1)
    processes = {
        function.name: Process(function, port, environment, folder / f"{function.name}.log")
        for function, port in zip(FUNCTIONS, ports, strict=True)
    }
    if trading is not None:
        given = {**environment, "PYTHONPATH": f"{_SITE}{os.pathsep}{_ROOT}", "PORT": str(port), **trading}
        processes[EXECUTION.name] = Process(EXECUTION, port, given, folder / "execution.log")
    # A connection for each call: a server closes an idle one just as the next call takes it.
    connector = aiohttp.TCPConnector(force_close=True)
    session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(60), connector=connector)
    async with session as http, _listening(relay) as url:
        await asyncio.to_thread(_make, project, url)
        made = Deployment(project, processes, relay, http)
        try:
            await made.restart(list(processes))
            yield made
        finally:
            # In threads: the exchange that a process waits for may live in this loop.
            await asyncio.gather(*(asyncio.to_thread(process.stop) for process in processes.values()))


@asynccontextmanager
async def _listening(relay: Relay) -> AsyncIterator[str]:
    app = web.Application(client_max_size=32 * 2**20)
    app.router.add_post("/{function}/{topic}", relay.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        [address] = runner.addresses
        yield f"http://127.0.0.1:{address[1]}"
    finally:
        await runner.cleanup()


def _make(project: str, url: str) -> None:
    """Topics, and the push subscriptions of every function."""
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        for topic in [*BY_TOPIC, DEAD_LETTERS]:
            publisher.create_topic(name=f"projects/{project}/topics/{topic}")
            # What history would keep, to be looked at.
            make_subscription(subscriber, project, topic)
        for function in BY_NAME.values():
            for topic in function.topics:
                endpoint = f"{url}/{function.name}/{topic}"
                make_subscription(subscriber, project, topic, function.service, endpoint)
        for topic in EXECUTION_TOPICS:
            make_subscription(subscriber, project, topic, EXECUTION.service)


def kept(project: str, topic: str) -> list[Any]:
    """Every message on ``topic`` since the beginning, as history would keep it."""
    with SubscriberClient() as subscriber:
        path = f"projects/{project}/subscriptions/{topic}"
        found: list[Any] = []
        while page := _page(subscriber, path):
            subscriber.acknowledge(subscription=path, ack_ids=[one.ack_id for one in page])
            found += [one.message for one in page]
        return found


def _page(subscriber: SubscriberClient, path: str) -> list[Any]:
    """What waits there; a subscription without messages says nothing for long."""
    try:
        answer = subscriber.pull(subscription=path, max_messages=1000, timeout=_PULL_S, retry=None)
    except DeadlineExceeded:
        return []
    return list(answer.received_messages)
