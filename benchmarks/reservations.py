"""Many processes against one set of limits: ``python -m benchmarks.reservations [PROCESSES [ATTEMPTS]]``.

Each process reserves, fills, cancels and is paid as fast as it can, all on one SQLite file; this one watches
every state of the risk book that is ever stored. It fails if one state is over a limit by a micro-dollar, if
a write is lost, if the orders' own documents add up to anything else, or if nobody gets on.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from shared.backends.local.documents import SqliteDocuments
from shared.clock import Instant, SystemClock
from shared.execution.reservations import Refused, Reservations
from shared.execution.stored_book import StoredBook
from shared.money import LOTS, MICROS, Price, Quantity, Usd, format_usd
from shared.orders.ledger import Fill
from shared.ports import Value
from shared.risk.book import Book, decode_book
from shared.risk.controls import CONTROLS, SAFEGUARDS, Proposal
from shared.risk.gate import ApprovedOrder, Gate
from shared.risk.limits import RiskLimits
from shared.risk.safeguards import Safeguards
from shared.terms import OrderStatus, Side

PROCESSES, ATTEMPTS = 8, 1_000
DEPOSIT = Usd(1_000 * MICROS)
# What each market pays; it is paid again and again, for whatever is held in it by then.
PAYOUTS = {
    f"{sport}-{game}-X": Price(n * MICROS // 4) for sport in ("NFL", "NBA") for n, game in enumerate("ABCDE")
}
TICKERS = tuple(PAYOUTS)
# Small enough that every one of them refuses in a run of the full size.
LIMITS = RiskLimits(
    max_quantity_per_trade=Quantity(90 * LOTS),
    max_risk_per_trade=Usd(80 * MICROS),
    min_price=Price(50_000),
    max_price=Price(950_000),
    max_daily_loss=Usd(120 * MICROS),
    max_weekly_loss=Usd(125 * MICROS),
    max_trades_per_day=4_000,
    max_quantity_per_day=Quantity(200_000 * LOTS),
    max_consecutive_losses=100_000,
    max_quantity_per_event=Quantity(10_000 * LOTS),
    max_sport_share_basis_points=2_000,
    max_orders_per_minute=100_000,
    min_order_gap_ms=0,
)


async def _nothing_stands_in_the_way(_: Proposal) -> Safeguards:
    return Safeguards(halted="", generation="bench/0", clean_fills_needed=0)


def _intent(order: ApprovedOrder) -> Value:
    return {"proposal": asdict(order.proposal), "fills": []}


def _with_fills(value: Value, fills: tuple[Fill, ...]) -> Value:
    return value | {"fills": value["fills"] + [asdict(one) for one in fills]}


# --- one of the processes -----------------------------------------------------------------------------------


@dataclass
class Worker:
    """One executor that never waits for a market."""

    reservations: Reservations
    number: int
    rng: random.Random
    granted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    took_us: list[float] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    async def run(self, attempts: int) -> None:
        """Every attempt ends in a reservation or in reasons."""
        for attempt in range(attempts):
            order = self._order(f"{self.number}-{attempt}")
            started = time.perf_counter_ns()
            answer = await self.reservations.reserve(order, _intent)
            self.took_us.append((time.perf_counter_ns() - started) / 1_000)
            if isinstance(answer, Refused):
                self.refused.update(one.control for one in answer.verdict.refusals)
                await self._reconcile()
            else:
                self.granted += 1
                await self._live(answer.order.proposal)

    def _order(self, order_id: str) -> Proposal:
        """A random order whose fee budget is an odd number of micro-dollars."""
        ticker, price = self.rng.choice(TICKERS), Price(self.rng.randint(4, 96) * 10_000)
        quantity = Quantity(self.rng.randint(1, 100) * LOTS)
        risk = Usd(price * quantity // LOTS + self.rng.randint(1, 99_999))
        sport, side = ticker.partition("-")[0], self.rng.choice(list(Side))
        return Proposal(
            order_id, ticker, ticker[:-2], sport, side, price, quantity, risk, SystemClock().now()
        )

    async def _live(self, order: Proposal) -> None:
        """A third fills in part, a tenth stays in flight for a while, and now and then a market pays."""
        order_id, fate = order.client_order_id, self.rng.random()
        if fate < 0.1:
            await self.reservations.settle(order_id, OrderStatus.UNKNOWN)
            self.unknown.append(order_id)
            return
        fills = [self._fill(order)] if fate < 0.4 else []
        await self.reservations.settle(order_id, OrderStatus.CANCELED, fills, change=_with_fills)
        if fills and self.rng.random() < 0.5:
            await self.reservations.pay(order.ticker, PAYOUTS[order.ticker], lambda _: {})

    async def _reconcile(self) -> None:
        """Now and then the venue says that it never had the order."""
        if self.unknown and self.rng.random() < 0.5:
            await self.reservations.release(self.unknown.pop(0))

    def _fill(self, order: Proposal) -> Fill:
        quantity = Quantity(self.rng.randint(1, order.quantity // LOTS) * LOTS)
        budget = order.risk - order.limit * order.quantity // LOTS
        fee = Usd(self.rng.randint(0, budget))
        event = order.event_ticker
        return Fill(f"{order.client_order_id}-f", order.ticker, event, order.side, order.limit, quantity, fee)


async def work(path: Path, number: int, attempts: int) -> None:
    """Body of one process; prints what it saw as one line of JSON."""
    documents, rng = SqliteDocuments(path), random.Random(number)  # noqa: S311 - reproducible, not secret
    book = StoredBook(documents, "main", SystemClock(), rng)
    gate = Gate(LIMITS, CONTROLS + SAFEGUARDS)
    reservations = Reservations(book, f"process-{number}", gate, _nothing_stands_in_the_way, max_age_s=86_400)
    worker = Worker(reservations, number, rng)
    await worker.run(attempts)
    await documents.close()
    print(json.dumps({"granted": worker.granted, "refused": worker.refused, "took_us": worker.took_us}))


# --- the one that watches -----------------------------------------------------------------------------------


@dataclass
class Watch:
    """Every state of the book, checked as it comes; ``closest`` is the least that any limit had left."""

    last: Book | None = None
    states: int = 0
    closest: int = LIMITS.max_daily_loss

    def see(self, book: Book) -> None:
        """Assert that ``book`` follows the one before and is over no limit."""
        before, self.last = self.last, book
        self.states += 1
        assert before is None or book.seq == before.seq + 1, f"write {book.seq} follows {before}"
        assert book.cash >= book.reserved_risk
        assert book.trades_today <= LIMITS.max_trades_per_day
        assert book.quantity_today <= LIMITS.max_quantity_per_day
        if before is None or book.reserved.keys() <= before.reserved.keys():
            return
        # Money at risk grows only with a reservation; what is held may lose, which nobody can refuse.
        view = book.view(TICKERS[0][:-2], "NFL", Instant(max(book.recent)))
        left = [LIMITS.max_daily_loss - view.lost_today, LIMITS.max_weekly_loss - view.lost_this_week]
        assert min(left) >= 0, f"over a limit by {format_usd(Usd(-min(left)))}"
        self.closest = min(self.closest, *left)
        for ticker in TICKERS:
            view = book.view(ticker[:-2], ticker.partition("-")[0], Instant(max(book.recent)))
            assert view.event_quantity <= LIMITS.max_quantity_per_event


async def _watch(documents: SqliteDocuments, watch: Watch) -> None:
    async with aclosing(documents.watch("risk")) as states:
        async for document in states:
            watch.see(decode_book(document.value))


def _received(ticker: str, fills: Sequence[Value], book: Book) -> int:
    """What the fills of a market have brought in: its payout for each but what is still held."""
    mine = [one for one in fills if one["ticker"] == ticker]
    yes, no = (sum(int(one["quantity"]) for one in mine if one["side"] == side) for side in Side)
    held = book.holdings.get(ticker)
    unpaid = held.position.quantity if held else 0
    payout = PAYOUTS[ticker]
    return (payout * (yes - max(unpaid, 0)) + (MICROS - payout) * (no - max(-unpaid, 0))) // LOTS


async def _tally(documents: SqliteDocuments, book: Book, granted: int) -> None:
    """The orders' own documents must add up to the book, to the micro-dollar."""
    orders = [one.value for one in await documents.query("orders", limit=10**6)]
    assert len(orders) == granted == book.trades_today, "an order was lost or sent twice"
    fills = [one for value in orders for one in value["fills"]]
    spent = sum(one["price"] * one["quantity"] // LOTS + one["fee"] for one in fills)
    assert book.fees == sum(one["fee"] for one in fills)
    assert book.cash + book.open_cost == DEPOSIT + book.realized - book.fees
    assert book.cash == DEPOSIT - spent + sum(_received(ticker, fills, book) for ticker in TICKERS)
    asked = {one["proposal"]["client_order_id"]: one["proposal"]["risk"] for one in orders}
    assert book.reserved_risk == sum(asked[order_id] for order_id in book.reserved)


@dataclass(frozen=True)
class Result:
    """One run: what was granted and refused by whom, how long a reservation took, what the watch saw."""

    granted: int
    refused: Counter[str]
    took_us: list[float]
    watch: Watch
    seconds: float


async def run(folder: Path, processes: int, attempts: int, timeout_s: float = 600) -> Result:
    """The whole trial on one file in ``folder``; raises if a limit, the tally or the time is broken."""
    path = folder / "documents.db"
    documents, watch, clock = SqliteDocuments(path), Watch(), SystemClock()
    book = StoredBook(documents, "main", clock, random.Random(0))  # noqa: S311 - jitter
    await book.open(DEPOSIT)
    watching = asyncio.create_task(_watch(documents, watch))
    started = time.perf_counter()
    async with asyncio.timeout(timeout_s):
        said = await asyncio.gather(*(_process(path, number, attempts) for number in range(processes)))
    seconds = time.perf_counter() - started
    last = await book.read()
    await _until_seen(watch, watching, last.seq)
    granted = sum(one["granted"] for one in said)
    await _tally(documents, last, granted)
    await documents.close()
    refused = sum((Counter(one["refused"]) for one in said), Counter[str]())
    # An order that lost thirty races is old by then and refused; that has to stay rare.
    assert refused["risk_state"] <= processes * attempts // 100, "the store is too slow for so many"
    return Result(granted, refused, [us for one in said for us in one["took_us"]], watch, seconds)


async def _process(path: Path, number: int, attempts: int) -> Value:
    arguments = ("-m", "benchmarks.reservations", "work", str(path), str(number), str(attempts))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=Path(__file__).parents[1], stdout=asyncio.subprocess.PIPE
    )
    try:
        out, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    assert process.returncode == 0, f"process {number} failed"
    said: Value = json.loads(out)
    return said


async def _until_seen(watch: Watch, watching: asyncio.Task[None], seq: int) -> None:
    """Wait for the last state; an assertion that failed in the watch is raised here."""
    # A watch that failed would never set an event.
    while not watching.done() and (watch.last is None or watch.last.seq < seq):  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    if not watching.done():
        watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def main(processes: int, attempts: int) -> None:
    """Run and print."""
    with tempfile.TemporaryDirectory() as folder:
        result = await run(Path(folder), processes, attempts)
    took, total = sorted(us / 1_000 for us in result.took_us), processes * attempts
    rate, median, p99 = total / result.seconds, statistics.median(took), took[int(len(took) * 0.99)]
    refused = dict(result.refused.most_common())
    print(f"{processes} processes x {attempts} attempts in {result.seconds:.1f} s, {rate:,.0f} per s")
    print(f"granted {result.granted}, refused {total - result.granted}: {refused}")
    print(f"one attempt: median {median:.2f} ms, p99 {p99:.1f} ms, worst {took[-1]:.0f} ms")
    print(f"states of the book watched: {result.watch.states}, none over a limit;", end=" ")
    print(f"closest to one: ${format_usd(Usd(result.watch.closest))}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        asyncio.run(work(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
    else:
        given = [int(text) for text in sys.argv[1:3]]
        asyncio.run(main(*(given + [PROCESSES, ATTEMPTS][len(given) :])))
