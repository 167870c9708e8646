"""One change of one book, through the trading floor, until it is decided whether anything is worth it."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from benchmarks.report import Figure, Goal, Line
from benchmarks.timing import no_collector, p50_p99
from benchmarks.world import NOW, board, fair, ticker
from shared.backends.memory.bus import DirectBus
from shared.backends.memory.documents import MemoryDocuments
from shared.books.firewall import QuoteLimits
from shared.clock import Instant, ManualClock
from shared.config import load
from shared.desks import risk_limits
from shared.execution.assemble import Rules, assemble
from shared.execution.books import BookKeeper
from shared.execution.paper import PaperGateway
from shared.execution.safety import SafetyPolicy
from shared.money import Price, Quantity
from shared.pipeline.detect import EdgeDetector
from shared.runtime.floor import TradingFloor
from shared.terms import Side
from shared.venues.kalshi.events import BookDelta, BookSnapshot

GROUP = "book change"
_LEVELS, _GAP = 8, 5  # of bids, and cents between the best and the fair price
_BETTER = (6, 7, 8, 9)  # cents: the other side is then offered 1c to 4c below its worth
_CENT = 10_000
_TOUCHED = 100  # markets that change, whatever the size of the universe
_WORTH_A_LOOK = 0.02


def figures(quick: bool) -> list[Line]:
    """Latency with 1,000 markets, and the cost in a small and a large universe."""
    count = 20_000 if quick else 100_000
    took, looked = _measure(1_000, 1_000, count)
    p50, p99 = p50_p99(took)
    look50, look99 = p50_p99([took[i] for i in looked])
    share = f"{_WORTH_A_LOOK:.0%} worth a look"
    lines: list[Line] = [
        Figure(GROUP, f"change to decision, 1,000 markets, {share}", p50, "us", p99, goal=Goal("p99", 100.0)),
        Figure(GROUP, "those worth a look alone: both sides weighed, all reasons", look50, "us", look99),
    ]
    rounds = [
        [p50_p99(_measure(size, _TOUCHED, count // 5)[0])[0] for size in (100, 10_000)] for _ in range(3)
    ]
    small, large = (sorted(column)[1] for column in zip(*rounds, strict=True))
    lines.append(
        Figure(
            GROUP,
            f"the same {_TOUCHED} books in a universe of 10,000 markets",
            large,
            "us",
            ratio=large / small,
            against="to a universe of 100",
            goal=Goal("ratio", 1.2),
        )
    )
    return lines


def _measure(markets: int, touched: int, count: int) -> tuple[list[int], list[int]]:
    """Nanoseconds of each change, and which of them were worth a look."""
    floor = _floor(markets)
    events = list(_events(touched, count))
    took: list[int] = []
    looked: list[int] = []
    clock = time.perf_counter_ns
    with no_collector():
        for index, event in enumerate(events):
            started = clock()
            found = floor.heard(event)
            took.append(clock() - started)
            if found is not None:
                looked.append(index)
    assert floor.book_changes == count
    return took, looked


def _floor(markets: int) -> TradingFloor:
    clock, bus, documents = ManualClock(NOW), DirectBus(), MemoryDocuments()
    keeper, settings = BookKeeper(), load()
    for number in range(markets):
        keeper.apply(_snapshot(number))
    paper = PaperGateway(keeper.book_of, lambda ticker: None, clock, 0.05)
    rules = Rules(risk_limits(settings), QuoteLimits(), SafetyPolicy("bench", clean_fills=0), is_alone=True)
    rng = random.Random(1)  # noqa: S311 - figures, not secrets
    executor = assemble(documents, bus, clock, rng, paper, keeper.book_of, rules).executor
    detector = EdgeDetector(board(markets), documents, bus, clock)
    return TradingFloor(detector, keeper, executor, clock, paper)


def _snapshot(number: int) -> BookSnapshot:
    """Eight cents of bids on either side of the fair price."""
    middle = round(fair(number) * 100)
    yes, no = middle - _GAP, 100 - middle - _GAP
    return BookSnapshot(
        at=NOW,
        ticker=ticker(number),
        sid=1,
        seq=None,
        yes_bids=tuple((Price((yes - n) * _CENT), Quantity(10_000)) for n in range(_LEVELS)),
        no_bids=tuple((Price((no - n) * _CENT), Quantity(10_000)) for n in range(_LEVELS)),
    )


def _events(touched: int, count: int) -> Iterator[BookDelta]:
    """Sizes change near the best price; now and then an offer a few cents better comes and goes."""
    rng = random.Random(7)  # noqa: S311 - figures, not secrets
    made = 0
    while made < count:
        number = rng.randrange(touched)
        middle = round(fair(number) * 100)
        side = rng.choice((Side.YES, Side.NO))
        best = (middle if side is Side.YES else 100 - middle) - _GAP
        if rng.random() < 2 * _WORTH_A_LOOK and made + 2 <= count:
            better = best + rng.choice(_BETTER)
            steps = [(better, 5_000), (better, -5_000)]
        else:
            level = best - rng.randrange(_LEVELS)
            steps = [(level, 500), (level, -500)]
        for cents, lots in steps[: count - made]:
            made += 1
            yield BookDelta(
                at=Instant(NOW + made),
                ticker=ticker(number),
                sid=1,
                seq=None,
                side=side,
                price=Price(cents * _CENT),
                delta=Quantity(lots),
            )
