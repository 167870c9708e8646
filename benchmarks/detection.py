"""Detection over all markets: the vectorised kernel, a cycle with objects and reasons, every object."""

from __future__ import annotations

from benchmarks.report import Figure, Goal, Line
from benchmarks.timing import median_s
from benchmarks.world import LINES, NOW, board, book_at, fair, odds, ticker
from shared.clock import SECOND, Instant
from shared.edges.board import Board
from shared.edges.detector import Quotes
from shared.edges.sweep import NEVER, Sweep, row_of

GROUP = "detection"
_LEAST = 0.01


def figures(quick: bool) -> list[Line]:
    """Kernel, cycle and full sweep."""
    lines: list[Line] = []
    for markets in (1_000, 10_000):
        made = board(markets)
        lines += [_kernel(made, markets), _cycle(made, markets, 10 if quick else 50)]
    lines += _everything(3 if quick else 9)
    return lines


def _kernel(made: Board, markets: int) -> Figure:
    sweep = Sweep()
    for name, mapping in made.mappings.items():
        quotes, market = made.quotes[name], made.markets[name]
        sweep.put(name, row_of(market, mapping, made.fair_of(mapping, NOW), quotes, NEVER, NEVER, NOW))
    took = median_s(lambda: sweep.select(_LEAST, NOW), 200)
    goal = Goal("figure", 1.0) if markets == 10_000 else None
    what = f"kernel: all-in cost and net edge, both sides of {markets:,} markets"
    return Figure(GROUP, what, took * 1e3, "ms", goal=goal)


def _cycle(made: Board, markets: int, runs: int) -> Figure:
    """Between two cycles 1 % of the books move by a cent; every fifth of those is worth it."""
    made.cycle({}, NOW)
    moved: dict[str, Quotes] = {}
    turn = 0

    def prepare() -> None:
        nonlocal turn
        turn += 1
        for place, number in enumerate(range(0, markets, 100)):
            middle = round(fair(number) * 100) - (6 if place % 5 == 0 else 0)
            moved[ticker(number)] = book_at(middle + turn % 2, _at(turn))

    took = median_s(lambda: made.cycle(moved, _at(turn)), runs, prepare)
    goal = Goal("figure", 10.0) if markets == 10_000 else None
    what = f"cycle over {markets:,} markets, 1 % of books moved: objects, all reasons"
    return Figure(GROUP, what, took * 1e3, "ms", goal=goal)


def _at(turn: int) -> Instant:
    return Instant(NOW + turn * SECOND // 10)


def _everything(runs: int) -> list[Line]:
    made = board(1_000)
    names = list(made.mappings)

    def fresh() -> None:
        for event in range(1_000 // LINES):
            made.odds[f"{event:032x}"] = odds(event)
        made._fair.clear()

    known = median_s(lambda: made.sweep(names, NOW), runs)
    new = median_s(lambda: made.sweep(names, NOW), runs, made._said.clear)
    odd = median_s(lambda: made.sweep(names, NOW), runs, fresh)
    ceiling = Goal("figure", 100.0)
    what = "every object and reason of 1,000 markets"
    return [
        Figure(GROUP, f"{what}, nothing new to say", known * 1e3, "ms", goal=ceiling),
        Figure(GROUP, f"{what}, everything new", new * 1e3, "ms", goal=ceiling),
        Figure(GROUP, f"{what}, every consensus worked out anew", odd * 1e3, "ms"),
    ]
