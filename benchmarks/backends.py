"""Figures of the local backends, in wall time: they wait for the disk and for each other."""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from benchmarks.report import Figure, Line
from benchmarks.timing import median_s, p50_p99
from shared import cas
from shared.backends.local.bus import LocalBus
from shared.backends.local.documents import SqliteDocuments
from shared.backends.local.warehouse import DuckWarehouse
from shared.clock import Instant, SystemClock
from shared.messages import Message, TickSeen, decode, encode, seal
from shared.money import Price, Quantity
from shared.ports import Value

GROUP = "backends"
CLOCK = SystemClock()


def _ticks(count: int) -> list[TickSeen]:
    return [
        seal(
            TickSeen(
                observed_at=Instant(1_790_000_000_000_000 + n * 1_000),
                ticker=f"KXTEST-{n % 300}",
                yes_bid=Price(480_000 + n % 100),
                yes_ask=Price(490_000),
                yes_bid_size=Quantity(100),
                yes_ask_size=Quantity(2_000),
            )
        )
        for n in range(count)
    ]


async def _each(count: int, work: Callable[[int], Awaitable[object]]) -> float:
    """Median microseconds of one call."""
    took = []
    for n in range(count):
        started = time.perf_counter_ns()
        await work(n)
        took.append(time.perf_counter_ns() - started)
    return statistics.median(took) / 1_000


async def _documents(folder: Path) -> list[Line]:
    """Compare-and-set, alone and contended."""
    store, rng = SqliteDocuments(folder / "documents.db"), random.Random(1)  # noqa: S311 - jitter

    async def increment(_: int) -> None:
        await cas.update(store, "c/hot", _plus_one, clock=CLOCK, rng=rng)

    lines: list[Line] = [
        Figure(
            GROUP, "documents: create", await _each(2_000, lambda n: store.create(f"c/{n}", {"n": n})), "us"
        ),
        Figure(GROUP, "documents: get", await _each(2_000, lambda n: store.get(f"c/{n}")), "us"),
    ]
    one = await _each(2_000, increment)
    lines.append(Figure(GROUP, "documents: get and compare-and-set", one, "us"))
    started = time.perf_counter()
    await asyncio.gather(*(increment(n) for n in range(50)))
    took = (time.perf_counter() - started) * 1_000
    lines.append(Figure(GROUP, "documents: 50 concurrent increments of one document", took, "ms"))
    await store.close()
    return lines


def _plus_one(value: Value | None) -> Value:
    return {"n": (value or {"n": 0})["n"] + 1}


async def _bus(ticks: Sequence[TickSeen]) -> list[Line]:
    """One hop, for a stream of messages and for one alone."""
    hub, seen = LocalBus(CLOCK), list[int]()

    async def handle(_: Message) -> None:
        seen.append(time.perf_counter_ns())

    hub.subscribe(TickSeen.TOPIC, "bench", handle)
    started = time.perf_counter()
    for tick in ticks:
        await hub.publish(TickSeen.TOPIC, [tick])
    await hub.drain()
    stream = (time.perf_counter() - started) / len(ticks) * 1e6
    waits = []
    for tick in ticks[:2_000]:
        published = time.perf_counter_ns()
        await hub.publish(TickSeen.TOPIC, [tick])
        await hub.drain()
        waits.append(seen[-1] - published)
    await hub.close()
    p50, p99 = p50_p99(waits)
    return [
        Figure(GROUP, "bus: one message of a stream", stream, "us"),
        Figure(GROUP, "bus: publish to handler, queue empty", p50, "us", p99),
    ]


def _wire(ticks: Sequence[TickSeen]) -> list[Line]:
    """Sealing, encoding and decoding one message."""
    bare = [
        TickSeen(observed_at=tick.observed_at, ticker=tick.ticker, yes_bid=tick.yes_bid) for tick in ticks
    ]
    encoded = [encode(tick) for tick in ticks]
    works: dict[str, Callable[[], object]] = {
        "seal": lambda: [seal(tick) for tick in bare],
        "encode": lambda: [encode(tick) for tick in ticks],
        "decode": lambda: [decode(TickSeen.TOPIC, data) for data in encoded],
    }
    return [
        Figure(GROUP, f"wire: {name}", median_s(work, 3) / len(ticks) * 1e6, "us")
        for name, work in works.items()
    ]


async def _warehouse(folder: Path, ticks: Sequence[TickSeen]) -> list[Line]:
    """Appending, querying, copying to Parquet."""
    store = DuckWarehouse(folder, CLOCK)
    started = time.perf_counter()
    for first in range(0, len(ticks), 100):
        await store.append(ticks[first : first + 100])
    await store.flush()
    appended = len(ticks) / (time.perf_counter() - started)
    query = "SELECT ticker, max(yes_bid) FROM kalshi_ticks_latest GROUP BY ticker"
    asked = await _each(5, lambda _: store.query(query)) / 1_000
    started = time.perf_counter()
    await store.export()
    copied = len(ticks) / (time.perf_counter() - started)
    await store.close()
    return [
        Figure(GROUP, "warehouse: append and flush", appended, "rows/s"),
        Figure(GROUP, "warehouse: last state of 300 markets, without duplicates", asked, "ms"),
        Figure(GROUP, "warehouse: copy to Parquet", copied, "rows/s"),
    ]


def figures(quick: bool) -> list[Line]:
    """Everything, in a temporary folder."""
    return asyncio.run(_all(_ticks(10_000 if quick else 50_000)))


async def _all(ticks: Sequence[TickSeen]) -> list[Line]:
    with tempfile.TemporaryDirectory() as folder:
        lines = await _documents(Path(folder))
        lines += await _bus(ticks)
        lines += _wire(ticks)
        lines += await _warehouse(Path(folder), ticks)
    return lines
