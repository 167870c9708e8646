"""Figures of the local backends: ``python -m benchmarks.backends``. Medians; one line per measurement."""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from shared import cas
from shared.backends.local.bus import LocalBus
from shared.backends.local.documents import SqliteDocuments
from shared.backends.local.warehouse import DuckWarehouse
from shared.clock import Instant, SystemClock
from shared.messages import Message, TickSeen, decode, encode, seal
from shared.money import Price, Quantity
from shared.ports import Value

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


def _say(what: str, figure: float, unit: str) -> None:
    print(f"{what:<58}{figure:>12,.1f} {unit}")


async def _each(count: int, work: Callable[[int], Awaitable[object]]) -> float:
    """Median microseconds of one call."""
    took = []
    for n in range(count):
        started = time.perf_counter_ns()
        await work(n)
        took.append(time.perf_counter_ns() - started)
    return statistics.median(took) / 1_000


async def documents(folder: Path) -> None:
    """Compare-and-set, alone and contended."""
    store, rng = SqliteDocuments(folder / "documents.db"), random.Random(1)  # noqa: S311 - jitter

    async def increment(_: int) -> None:
        await cas.update(store, "c/hot", _plus_one, clock=CLOCK, rng=rng)

    _say("documents: create", await _each(2_000, lambda n: store.create(f"c/{n}", {"n": n})), "us")
    _say("documents: get", await _each(2_000, lambda n: store.get(f"c/{n}")), "us")
    one = await _each(2_000, increment)
    _say("documents: get + compare-and-set", one, "us")
    _say("documents: get + compare-and-set", 1_000_000 / one, "per s")
    started = time.perf_counter()
    await asyncio.gather(*(increment(n) for n in range(50)))
    _say("documents: 50 concurrent increments of one document", (time.perf_counter() - started) * 1_000, "ms")
    await store.close()


def _plus_one(value: Value | None) -> Value:
    return {"n": (value or {"n": 0})["n"] + 1}


async def bus(ticks: Sequence[TickSeen]) -> None:
    """One hop, for a stream of messages and for one alone."""
    hub, seen = LocalBus(CLOCK), list[int]()

    async def handle(_: Message) -> None:
        seen.append(time.perf_counter_ns())

    hub.subscribe(TickSeen.TOPIC, "bench", handle)
    started = time.perf_counter()
    for tick in ticks:
        await hub.publish(TickSeen.TOPIC, [tick])
    await hub.drain()
    _say("bus: one message of a stream", (time.perf_counter() - started) / len(ticks) * 1e6, "us")

    waits = []
    for tick in ticks[:2_000]:
        published = time.perf_counter_ns()
        await hub.publish(TickSeen.TOPIC, [tick])
        await hub.drain()
        waits.append(seen[-1] - published)
    _say("bus: publish to handler, queue empty", statistics.median(waits) / 1_000, "us")
    await hub.close()


def wire(ticks: Sequence[TickSeen]) -> None:
    """Sealing, encoding and decoding one message."""
    bare = [
        TickSeen(observed_at=tick.observed_at, ticker=tick.ticker, yes_bid=tick.yes_bid) for tick in ticks
    ]
    encoded = [encode(tick) for tick in ticks]
    for name, work in (
        ("seal", lambda: [seal(tick) for tick in bare]),
        ("encode", lambda: [encode(tick) for tick in ticks]),
        ("decode", lambda: [decode(TickSeen.TOPIC, data) for data in encoded]),
    ):
        started = time.perf_counter()
        work()
        _say(f"wire: {name}", (time.perf_counter() - started) / len(ticks) * 1e6, "us")


async def warehouse(folder: Path, ticks: Sequence[TickSeen]) -> None:
    """Appending, querying, copying to Parquet."""
    store = DuckWarehouse(folder, CLOCK)
    started = time.perf_counter()
    for first in range(0, len(ticks), 100):
        await store.append(ticks[first : first + 100])
    await store.flush()
    _say("warehouse: append and flush", len(ticks) / (time.perf_counter() - started), "rows/s")
    query = "SELECT ticker, max(yes_bid) FROM kalshi_ticks_latest GROUP BY ticker"
    _say(
        "warehouse: last state of 300 markets, without duplicates",
        await _each(5, lambda _: store.query(query)) / 1_000,
        "ms",
    )
    started = time.perf_counter()
    await store.export()
    _say("warehouse: copy to Parquet", len(ticks) / (time.perf_counter() - started), "rows/s")
    await store.close()


async def main() -> None:
    """Run everything in a temporary folder."""
    ticks = _ticks(50_000)
    with tempfile.TemporaryDirectory() as folder:
        await documents(Path(folder))
        await bus(ticks)
        wire(ticks)
        await warehouse(Path(folder), ticks)


if __name__ == "__main__":
    asyncio.run(main())
