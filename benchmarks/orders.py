"""From a signal to bytes on the socket, beside the least it could cost, and from a fill's frame to our books.

The order path is the whole of it: live book, decision, all controls, intent and reservation durable in SQLite
(synchronous FULL), signature (RSA, 2048 bits), TLS. The floor signs and sends the same body with the same
HTTP client and nothing else; both take turns in one process, each after the machine was idle. "On the
socket" is when the last ``send`` of the request has returned. The exchange answers from another process, over
loopback.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from asyncio import selector_events
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from typing import Any

from benchmarks.report import Figure, Goal, Line
from benchmarks.timing import no_collector, p50_p99

GROUP = "order"
RUNS, QUICK_RUNS = 600, 60
FILLS, QUICK_FILLS = 200, 30
_WARM_UP = 20
_DISK_S = 0.02
_US = "us"


def figures(quick: bool) -> list[Line]:
    """Measure in processes of their own: a certificate is trusted from the beginning or not at all."""
    with tempfile.TemporaryDirectory() as folder, _exchange(Path(folder)) as port:
        runs, fills = (QUICK_RUNS, QUICK_FILLS) if quick else (RUNS, FILLS)
        environment = os.environ | {"SSL_CERT_FILE": str(Path(folder) / "server.pem")}
        command = [sys.executable, "-m", "benchmarks.orders"]
        said = subprocess.run(
            [*command, "client", str(port), folder, str(runs)],
            env=environment, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, check=True,
        )  # fmt: skip
        told = subprocess.run(
            [*command, "fills", str(fills)],
            cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, check=True,
        )  # fmt: skip
    took: dict[str, list[int]] = json.loads(said.stdout) | json.loads(told.stdout)
    return list(_lines(took))


def _lines(took: dict[str, list[int]]) -> Iterator[Line]:
    for way in ("signed on the way", "signed ahead"):
        floor50, floor99 = p50_p99(took[f"floor, {way}"])
        p50, p99 = p50_p99(took[f"order, {way}"])
        yield Figure(GROUP, f"floor: sign and send, {way}", floor50, _US, p99=floor99)
        yield Figure(
            GROUP, f"signal to socket, {way}", p50, _US, p99=p99,
            ratio=p50 / floor50, against="to the floor", goal=Goal("p99", 5_000),
        )  # fmt: skip
    # The protocol lets a signature be kept ready, which a bare client does not do.
    floor50, _ = p50_p99(took["floor, signed on the way"])
    p50, p99 = p50_p99(took["order, signed ahead"])
    yield Figure(
        GROUP, "signal to socket as it runs: signed ahead", p50, _US, p99=p99,
        ratio=p50 / floor50, against="to sign and send", goal=Goal("p99", 5_000),
    )  # fmt: skip
    for stage in ("decided", "durable"):
        p50, p99 = p50_p99(took[stage])
        yield Figure(GROUP, f"signal to {stage}, of the above", p50, _US, p99=p99)
    p50, p99 = p50_p99(took["commit"])
    yield Figure(GROUP, "the durable commit alone: intent and book in one batch", p50, _US, p99=p99)
    yield Figure(
        GROUP, "gate alone: all controls on a view", took["gate"][0] / 1_000, _US, goal=Goal("figure", 50)
    )
    p50, p99 = p50_p99(took["fill"])
    yield Figure(GROUP, "a fill's frame, sent to seen", p50, _US, p99=p99, goal=Goal("p99", 5_000))


# --- the exchange: a certificate of its own, one answer ---------------------------------------------------


@contextmanager
def _exchange(folder: Path) -> Iterator[int]:
    from tests.support.certificates import self_signed

    self_signed(folder / "server.pem")
    command = [sys.executable, "-m", "benchmarks.orders", "server", str(folder)]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


async def _serve(folder: Path) -> None:
    """Take every order and fill none."""
    from aiohttp import web

    async def create(request: web.BaseRequest) -> web.StreamResponse:
        asked = json.loads(await request.read())
        answer = {
            "order_id": f"venue-{asked['client_order_id']}",
            "client_order_id": asked["client_order_id"],
            "fill_count": "0.00",
            "remaining_count": "0.00",
        }
        return web.json_response(answer, status=201)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    runner = web.ServerRunner(web.Server(create))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


# --- the client: order path and floor in turns ------------------------------------------------------------


class Socket:
    """Notes when the last write to any socket of this process has returned."""

    def __init__(self) -> None:
        self.written_at = 0
        real = selector_events._SelectorSocketTransport.write  # type: ignore[attr-defined]

        def write(transport: Any, data: Any) -> None:
            real(transport, data)
            self.written_at = time.perf_counter_ns()

        selector_events._SelectorSocketTransport.write = write  # type: ignore[attr-defined]


@dataclass
class Bench:
    """One executor as it trades live, and what measures it."""

    socket: Socket
    floor: Any
    trading: Any
    send: Callable[[bytes], Awaitable[None]]
    presign: Callable[[], Awaitable[None]]
    signal: Callable[[int], Any]
    body: Callable[[int], bytes]
    calm: Callable[[], Awaitable[None]]
    took: dict[str, list[int]] = field(default_factory=dict)

    async def both(self, number: int, way: str) -> None:
        """One order and one floor, each from its beginning to its last byte."""
        await self.calm()
        ahead = way == "signed ahead"
        if ahead:
            await self.trading.warm()
        signal = self.signal(number)
        started = time.perf_counter_ns()
        await self.floor.on_message(signal)
        await self.floor.idle()
        # What is written of the order afterwards goes to disk, not to a socket.
        self._note(f"order, {way}", self.socket.written_at - started)
        await self.calm()
        if ahead:
            await self.presign()
        body = self.body(number)
        started = time.perf_counter_ns()
        await self.send(body)
        self._note(f"floor, {way}", self.socket.written_at - started)

    def _note(self, what: str, nanoseconds: int) -> None:
        self.took.setdefault(what, []).append(nanoseconds)


async def _client(port: int, folder: Path, runs: int) -> dict[str, list[int]]:
    async with AsyncExitStack() as closing:
        bench, stamps, commit = await _bench(port, folder, closing)
        for number in range(_WARM_UP):
            await bench.both(number, "signed on the way")
        bench.took.clear()
        stamps.clear()
        number = _WARM_UP
        with no_collector():
            for _ in range(runs):
                for way in ("signed on the way", "signed ahead"):
                    await bench.both(number, way)
                    number += 1
        took = dict(bench.took)
        for stage in ("decided", "durable"):
            took[stage] = [one[stage] for one in stamps]
        took["commit"] = [await commit(n) for n in range(runs)]
        took["gate"] = [_gate()]
    return took


async def _bench(
    port: int, folder: Path, closing: AsyncExitStack
) -> tuple[Bench, list[dict[str, int]], Callable[[int], Awaitable[int]]]:
    """The parts of the live desk, over the exchange of this benchmark and a store on disk."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    from benchmarks import order_parts as parts
    from shared.backends.local.bus import LocalBus
    from shared.backends.local.documents import SqliteDocuments
    from shared.clock import SystemClock
    from shared.edges.board import Board
    from shared.edges.detector import DetectorSettings
    from shared.execution.assemble import Rules, assemble
    from shared.execution.books import BookKeeper
    from shared.execution.live import LiveGateway
    from shared.execution.safety import SafetyPolicy
    from shared.messages import Message, OrderUpdated
    from shared.money import MICROS, Usd
    from shared.pipeline.detect import EdgeDetector
    from shared.ports import Create, Replace, Write
    from shared.runtime.floor import TradingFloor
    from shared.venues.http import AiohttpTransport
    from shared.venues.kalshi.client import KalshiClient
    from shared.venues.kalshi.portfolio import KalshiPortfolio
    from shared.venues.kalshi.private import PrivateFeed
    from shared.venues.kalshi.sign import Signer
    from shared.venues.kalshi.trading import ORDERS, KalshiTrading
    from shared.venues.retry import Retry

    clock, rng = SystemClock(), random.Random(1)  # noqa: S311 - jitter
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    documents, bus = SqliteDocuments(folder / "documents.sqlite"), LocalBus(clock)
    closing.push_async_callback(documents.close)
    closing.push_async_callback(bus.close)
    url = f"https://127.0.0.1:{port}/trade-api/v2"

    def client() -> KalshiClient:
        transport = AiohttpTransport()
        closing.push_async_callback(transport.close)
        made = KalshiClient(
            transport, clock, Retry(clock, rng.random), base_url=url, signer=Signer("key", key)
        )
        made.buckets.write.configure(per_second=10**6, capacity=10**6)
        return made

    trading = KalshiTrading(client(), clock)
    feed, keeper = PrivateFeed(clock, clock.now()), BookKeeper()
    gateway = LiveGateway(trading, KalshiPortfolio(trading.client, clock), feed, lambda _: 0, clock)
    rules = Rules(
        parts.LIMITS,
        parts.QUOTES,
        SafetyPolicy("bench", clean_fills=0, missed_rest_s=0.0),
        holder="bench",
        is_alone=True,
        max_age_s=inf,
    )
    execution = assemble(documents, bus, clock, rng, gateway, keeper.book_of, rules)
    stored = execution.stored
    await stored.open(Usd(1_000_000 * MICROS), parts.holdings())
    detector = EdgeDetector(Board(DetectorSettings(quotes=parts.QUOTES)), documents, bus, clock)
    floor = TradingFloor(detector, keeper, execution.executor, clock)
    stamps: list[dict[str, int]] = []

    async def told(message: Message) -> None:
        if isinstance(message, OrderUpdated) and message.latency_ns:
            stamps.append(dict(message.latency_ns))

    bus.subscribe(OrderUpdated.TOPIC, "bench", told)
    bare, signer = AiohttpTransport(), Signer("key", key)
    closing.push_async_callback(bare.close)
    path = f"/trade-api/v2{ORDERS}"

    async def send(body: bytes) -> None:
        headers = signer.headers("POST", path, clock.now()) | {"Content-Type": "application/json"}
        await bare.request("POST", url + ORDERS, headers=headers, body=body)

    async def presign() -> None:
        await asyncio.to_thread(signer.prepare, "POST", path, clock.now())

    def signal(number: int) -> Message:
        keeper.apply(parts.snapshot(number, clock.now()))
        return parts.signal(number, clock.now())

    async def calm() -> None:
        """Leave the book as a minute of trading leaves it: ten orders, not the thousands of a benchmark.

        And the disk idle: orders come seconds apart.
        """
        book, found = await stored.found()
        after = replace(book, recent=book.recent[-parts.ORDERS_A_MINUTE :])
        await stored.batch([stored.write(after, found)], after)
        await asyncio.sleep(_DISK_S)

    async def commit(number: int) -> int:
        """What one reservation writes, and nothing else."""
        found = await documents.get(stored.path)
        order = (await documents.query("orders", limit=1))[0].value
        assert found is not None
        writes: list[Write] = [
            Create(f"orders/commit-{number}", order),
            Replace(found.path, found.value | {"seq": found.value["seq"] + 1}, found.version),
        ]
        await asyncio.sleep(_DISK_S)
        started = time.perf_counter_ns()
        await documents.batch(writes)
        return time.perf_counter_ns() - started

    return Bench(Socket(), floor, trading, send, presign, signal, parts.body, calm), stamps, commit


def _gate() -> int:
    """Median nanoseconds of CPU time of one verdict."""
    from benchmarks import order_parts as parts
    from shared.clock import Instant
    from shared.money import MICROS, Usd
    from shared.risk.book import Book
    from shared.risk.controls import CONTROLS, SAFEGUARDS
    from shared.risk.gate import Gate

    gate, now = Gate(parts.LIMITS, CONTROLS + SAFEGUARDS), Instant(1_790_000_000_000_000)
    book = Book(Usd(10_000 * MICROS), now, Usd(10_000 * MICROS)).rolled(now)
    proposal = parts.proposal(now)
    taken = []
    for _ in range(200):
        started = time.process_time_ns()
        for _ in range(20):
            view = book.view(proposal.event, proposal.sport, now)
            gate.approve(gate.judge(proposal, view))
        taken.append((time.process_time_ns() - started) // 20)
    return round(statistics.median(taken))


def main(words: list[str]) -> None:
    """One of the processes."""
    match words:
        case ["server", folder]:
            asyncio.run(_serve(Path(folder)))
        case ["client", port, folder, runs]:
            print(json.dumps(asyncio.run(_client(int(port), Path(folder), int(runs)))))
        case ["fills", count]:
            from benchmarks.fills import measured

            print(json.dumps({"fill": asyncio.run(measured(int(count)))}))


if __name__ == "__main__":
    main(sys.argv[1:])
