"""What one cycle of the deployed functions needs: messages, bytes, calls, documents, processor time.

``python -m benchmarks.cloud_cycle --out shared/analytics/measured.json`` runs the scrapers, the mapper and
the detector over the simulated season of the demo (six leagues), a poll at a time, each message through its
wire form as over Pub/Sub. Processor time is that of the measuring thread; the venues run in another. What a
push costs before any handler sees it is measured on functions-framework itself; what a streaming system says,
on the history of ``arb run --demo``. ``arb cost`` makes a month's bill of the result.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import gzip
import json
import os
import platform
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom
from typing import Any

import httpx
import msgspec

from shared.analytics.cost import Deployment
from shared.backends.memory.documents import MemoryDocuments
from shared.bootstrap import sport_keys
from shared.clock import Clock, Instant, ScaledClock
from shared.config import Secret
from shared.edges.board import Board
from shared.edges.detector import DetectorSettings
from shared.messages import BY_TABLE, MarketListed, Message, OddsSeen, decode, encode
from shared.pipeline.detect import EdgeDetector
from shared.pipeline.kalshi_scrape import KalshiScraper
from shared.pipeline.map_events import EventMapper
from shared.pipeline.odds_scrape import OddsScraper
from shared.pipeline.places import quote_age
from shared.ports import Document, Value, Write
from shared.simulator.schedule import DEMO
from shared.simulator.server import Urls, serve
from shared.simulator.world import World
from shared.terms import Profile
from shared.venues.http import AiohttpTransport, Params, Response, Transport
from shared.venues.kalshi.client import KalshiClient
from shared.venues.odds_api.client import OddsApiClient
from shared.venues.raw import RawKeeper
from shared.venues.retry import Retry

LEAGUES = ("nfl", "nba", "mlb", "nhl", "ncaaf", "epl")
ROOT = Path(__file__).resolve().parents[1]
COMMAND = "python -m benchmarks.cloud_cycle --out shared/analytics/measured.json"
_CREDITS = 1_000_000
_FRAMEWORK_PUSHES = 1_500
_DEMO_SPEED = 60.0
_MEMORY_GIB = 0.5

# Said to the framework in place of a function: what every pushed call does before its handler.
_BARE = """
from shared.entry import delivery_of
from shared.messages import decode

def main(request):
    found = delivery_of(request, "kalshi-markets")
    decode(found.topic, found.data)
    return b"", 204, {}
"""


@dataclass
class Tally:
    """What was counted since it was made."""

    messages: Counter[str] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    reads: Counter[str] = field(default_factory=Counter)
    writes: Counter[str] = field(default_factory=Counter)
    cpu_ms: Counter[str] = field(default_factory=Counter)
    objects: int = 0
    object_bytes: int = 0


class Bench:
    """Counts everything that would be billed, for the function named in ``now``."""

    def __init__(self) -> None:
        self.tally, self.now = Tally(), ""
        self.waiting: dict[str, list[bytes]] = defaultdict(list)

    @contextlib.contextmanager
    def doing(self, function: str) -> Iterator[None]:
        """Charge what happens inside to ``function``."""
        self.now, start = function, time.thread_time_ns()
        yield
        self.tally.cpu_ms[function] += (time.thread_time_ns() - start) / 1e6  # type: ignore[assignment]


class CountingBus:
    """Takes messages in their wire form and keeps them for whoever is pushed to."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        for message in messages:
            data = encode(message)
            self._bench.tally.messages[topic] += 1
            self._bench.tally.bytes[topic] += len(data)
            self._bench.waiting[topic].append(data)

    def subscribe(self, topic: str, name: str, handler: object) -> None:
        raise NotImplementedError("pushed, not subscribed")


class CountingDocuments(MemoryDocuments):
    """Documents in memory that count as Firestore does: a read for each document, one for an empty answer."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._bench = bench

    async def get(self, path: str) -> Document | None:
        self._bench.tally.reads[self._bench.now] += 1
        return await super().get(path)

    async def query(
        self, collection: str, where: Mapping[str, Any] | None = None, limit: int = 1000
    ) -> list[Document]:
        found = await super().query(collection, where, limit)
        self._bench.tally.reads[self._bench.now] += max(1, len(found))
        return found

    async def create(self, path: str, value: Value) -> int:
        self._bench.tally.writes[self._bench.now] += 1
        return await super().create(path, value)

    async def replace_if(self, path: str, value: Value, version: int) -> int:
        self._bench.tally.writes[self._bench.now] += 1
        return await super().replace_if(path, value, version)

    async def batch(self, writes: Sequence[Write]) -> list[int]:
        self._bench.tally.writes[self._bench.now] += len(writes)
        return await super().batch(writes)


class CountingBlobs:
    """Counts objects and their compressed bytes."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    async def put(self, path: str, data: bytes) -> None:
        self._bench.tally.objects += 1
        self._bench.tally.object_bytes += len(gzip.compress(data, 3, mtime=0))

    async def get(self, path: str) -> bytes:
        raise KeyError(path)

    async def list(self, prefix: str) -> list[str]:
        return []


class CountingTransport:
    """Counts requests to venues."""

    def __init__(self, inner: Transport, bench: Bench) -> None:
        self._inner, self._bench = inner, bench

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Params = (),
        body: bytes | None = None,
        seconds: float = 10.0,
    ) -> Response:
        self._bench.tally.requests[self._bench.now] += 1
        return await self._inner.request(
            method, url, headers=headers, params=params, body=body, seconds=seconds
        )

    async def close(self) -> None:
        await self._inner.close()


@dataclass
class Pipeline:
    """The four functions that work in a cycle."""

    bench: Bench
    kalshi: KalshiScraper
    odds: OddsScraper
    mapper: EventMapper
    detector: EdgeDetector
    lines: Sequence[Transport]

    async def close(self) -> None:
        """Close the lines to the venues."""
        for line in self.lines:
            await line.close()

    async def cycle(self) -> None:
        """One poll, and all that follows from it."""
        with self.bench.doing("kalshi_scraper"):
            await self.kalshi.scrape()
        with self.bench.doing("odds_scraper"):
            await self.odds.slates()
            await self.odds.scrape()
        listings, odds = self._take(MarketListed.TOPIC), self._take(OddsSeen.TOPIC)
        with self.bench.doing("event_mapper"):
            await self.mapper.restore()
            await _handed(MarketListed.TOPIC, listings, self.mapper.handle)
            await self.mapper.flush()
        with self.bench.doing("edge_detector"):
            await _handed(MarketListed.TOPIC, listings, self.detector.handle)
            await _handed("mapped-events", self._take("mapped-events"), self.detector.handle)
            await _handed(OddsSeen.TOPIC, odds, self.detector.handle)
        self.bench.waiting.clear()

    def _take(self, topic: str) -> list[bytes]:
        return self.bench.waiting.pop(topic, [])


async def _handed(topic: str, waiting: Sequence[bytes], handle: Callable[[Message], Awaitable[None]]) -> None:
    for data in waiting:
        await handle(decode(topic, data))


def pipeline(urls: Urls, clock: Clock, bench: Bench, pace_s: float) -> Pipeline:
    """The functions over simulated venues, everything counted."""
    bus, documents = CountingBus(bench), CountingDocuments(bench)

    def transport(venue: str) -> Transport:
        kept = RawKeeper(AiohttpTransport(), CountingBlobs(bench), clock, venue)
        return CountingTransport(kept, bench)

    retry = Retry(clock, SystemRandom().random)
    lines = [transport("kalshi"), transport("odds_api")]
    kalshi = KalshiClient(lines[0], clock, retry, base_url=urls.kalshi_base_url, signer=None)
    feed = OddsApiClient(lines[1], clock, retry, base_url=urls.odds_base_url, key=Secret(urls.odds_api_key))
    keys = sport_keys(LEAGUES)
    board = Board(DetectorSettings(profile=Profile.STANDARD, max_quote_age=quote_age(pace_s)))
    return Pipeline(
        bench,
        KalshiScraper(kalshi, bus, clock, LEAGUES),
        OddsScraper(
            feed, documents, bus, clock, SystemRandom(), keys, _CREDITS, ("us",), (), min_interval_s=pace_s
        ),
        EventMapper(documents, bus, clock, SystemRandom()),
        EdgeDetector(board, documents, bus, clock),
        lines,
    )


async def measured(urls: Urls, clock: Clock, pace_s: float, cycles: int) -> tuple[dict[str, object], int]:
    """Averages of ``cycles`` polls ``pace_s`` apart, after two that find everything new; and the markets."""
    bench = Bench()
    work = pipeline(urls, clock, bench, pace_s)
    due = clock.now()
    markets = 0.0
    for turn in range(cycles + 2):
        if turn == 2:
            bench.tally = Tally()
        await work.cycle()
        markets = max(markets, bench.tally.messages[MarketListed.TOPIC] if turn == 0 else 0)
        due = Instant(due + int(pace_s * 1e6))
        await clock.sleep(max(0.0, (due - clock.now()) / 1e6))
        print(
            f"  {pace_s:g} s, cycle {turn + 1} of {cycles + 2}: {dict(bench.tally.messages)}", file=sys.stderr
        )
    await work.close()
    return _averages(bench.tally, cycles, pace_s), int(markets)


def _averages(tally: Tally, cycles: int, pace_s: float) -> dict[str, object]:
    def each(counts: Mapping[str, float]) -> dict[str, float]:
        return {name: round(value / cycles, 2) for name, value in sorted(counts.items())}

    return {
        "pace_s": pace_s,
        "messages": each(tally.messages),
        "bytes": each(tally.bytes),
        "venue_requests": each(tally.requests),
        "document_reads": each(tally.reads),
        "document_writes": each(tally.writes),
        "cpu_ms": each(tally.cpu_ms),
        "objects": round(tally.objects / cycles, 2),
        "object_bytes": round(tally.object_bytes / cycles, 0),
    }


def framework_ms(pushes: int = _FRAMEWORK_PUSHES) -> float:
    """Processor time of one push in functions-framework, with a handler that only decodes."""
    few, many = _framework_cpu_s(100), _framework_cpu_s(pushes + 100)
    return round((many - few) / pushes * 1_000, 3)


def _framework_cpu_s(pushes: int) -> float:
    """Processor time of a server and its workers, from start to end, over ``pushes`` calls."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        source = Path(folder) / "main.py"
        source.write_text(_BARE)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        command = [
            str(Path(sys.executable).parent / "functions-framework"),
            *("--source", str(source), "--target", "main", "--signature-type", "http"),
            *("--host", "127.0.0.1", "--port", str(port)),
        ]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        server = subprocess.Popen(
            command,
            env=environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _push(f"http://127.0.0.1:{port}/projects/p/topics/kalshi-markets", pushes)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(20)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _push(url: str, pushes: int) -> None:
    data = base64.b64encode(_listing()).decode()
    message = {"data": data, "messageId": "1", "attributes": {"topic": "kalshi-markets"}}
    body = {"message": message, "subscription": "projects/p/subscriptions/s"}
    with httpx.Client() as client:
        for _ in range(600):
            with contextlib.suppress(httpx.TransportError):
                client.get(url)
                break
            time.sleep(0.1)
        for _ in range(pushes):
            client.post(url, json=body).raise_for_status()


def _listing() -> bytes:
    text = "If the away side wins the game scheduled for Sep 28, 2026, then the market resolves to Yes."
    message = MarketListed(
        observed_at=Instant(1), ticker="T", event_ticker="E", series_ticker="S", rules_primary=text * 5
    )
    return encode(message)


def streaming(seconds: float) -> dict[str, object]:
    """Rows and bytes of a simulated minute of ``arb run --demo``, by topic, from its history."""
    import duckdb

    with tempfile.TemporaryDirectory() as folder:
        command = [
            str(Path(sys.executable).parent / "arb"),
            "run",
            "--demo",
            "--plain",
            "--seconds",
            f"{seconds:g}",
        ]
        environment = {**os.environ, "DATA_DIR": folder}
        subprocess.run(
            [*command, "--speed", f"{_DEMO_SPEED:g}"], env=environment, check=True, capture_output=True
        )
        [history] = Path(folder).glob("demo-*/history.duckdb")
        with duckdb.connect(str(history), read_only=True) as warehouse:
            rows = {table: _kept(warehouse, table) for table in BY_TABLE}
    spans = [(first, last) for _, _, first, last in rows.values() if first is not None]
    minutes = (max(last for _, last in spans) - min(first for first, _ in spans)).total_seconds() / 60
    found = {BY_TABLE[table].TOPIC: (count, size) for table, (count, size, _, _) in rows.items() if count}
    return {
        "pace_s": 60.0,
        "messages": {topic: round(count / minutes, 2) for topic, (count, _) in sorted(found.items())},
        "bytes": {topic: round(size / minutes, 2) for topic, (_, size) in sorted(found.items())},
    }


def _kept(warehouse: Any, table: str) -> tuple[int, float, Any, Any]:
    query = (
        "SELECT count(*), coalesce(sum(length(to_json(t)::VARCHAR)), 0), min(observed_at), max(observed_at)"
    )
    row: tuple[int, float, Any, Any] = warehouse.execute(f"{query} FROM {table} t").fetchone()
    return row


def deployment() -> Deployment:
    """What Terraform deploys, as far as it is paid for."""
    functions = json.loads((ROOT / "terraform" / "functions.json").read_text())
    pushed: dict[str, tuple[str, ...]] = {}
    for name, function in functions.items():
        for topic in function["pushed"]:
            pushed[topic] = (*pushed.get(topic, ()), name)
    calls = {name: calls_a_minute(one["schedule"]) for name, one in functions.items() if one["schedule"]}
    for name, one in functions.items():
        calls |= {
            f"{name} {turn}": calls_a_minute(call["cron"]) for turn, call in one.get("also", {}).items()
        }
    secrets = {secret for function in functions.values() for secret in function["secrets"]}
    return Deployment(pushed, calls, _MEMORY_GIB, len(secrets))


def calls_a_minute(cron: str) -> float:
    """Calls a minute of a line ``*/N * * * *``; other lines are once an hour at most and count as that."""
    minute = cron.split()[0]
    if minute == "*":
        return 1.0
    return round(1 / int(minute.removeprefix("*/")), 4) if minute.startswith("*/") else round(1 / 60, 4)


@contextlib.contextmanager
def venues(speed: float) -> Iterator[tuple[Urls, Clock]]:
    """The demo's venues in a thread of their own, on a clock ``speed`` times as fast as real time."""
    start = Instant(1_796_000_000_000_000)
    clock = ScaledClock(start, speed, 5.0)
    loop, stop, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    found: list[Urls] = []

    async def run() -> None:
        async with serve(World(1, start, DEMO), clock) as urls:
            found.append(urls)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    ready.wait(60)
    try:
        yield found[0], clock
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cloud_cycle", description=__doc__)
    parser.add_argument("--cycles", type=int, default=12, help="polls to average, after two")
    parser.add_argument("--speed", type=float, default=20.0, help="simulated seconds per second")
    parser.add_argument("--seconds", type=float, default=45.0, help="how long arb run runs")
    parser.add_argument("--out", type=Path, help="file to write; default: standard output")
    options = parser.parse_args(argv)
    result: dict[str, object] = {
        "command": COMMAND,
        "season": "the demo's season 1, six leagues",
        "python": platform.python_version(),
        "framework_ms": framework_ms(),
        "deployment": deployment(),
    }
    for name, pace_s in (("one_minute", 60.0), ("ten_seconds", 10.0)):
        with venues(options.speed) as (urls, clock):
            result[name], markets = asyncio.run(measured(urls, clock, pace_s, options.cycles))
            result.setdefault("markets", markets)
    # A streaming system still polls listings and odds by the minute: it reads, writes and keeps what they do.
    polls = msgspec.convert(result["one_minute"], dict[str, Any])
    result["streaming"] = {**polls, **streaming(options.seconds)}
    text = msgspec.json.format(msgspec.json.encode(result), indent=2).decode() + "\n"
    if options.out is None:
        sys.stdout.write(text)
    else:
        options.out.write_text(text)


if __name__ == "__main__":
    main()
