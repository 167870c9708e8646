"""One-to-one assignment of markets' games to bookmaker events, with the right to abstain.

Rows and columns are matched so that the total score is the highest possible; a row takes nothing where its
best use is below the threshold. A greedy choice would take the wrong pair as soon as two games look alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from shared.errors import MalformedError


def assign(scores: Sequence[Sequence[float]], threshold: float, margin: float = 0.0) -> list[int | None]:
    """Column of every row, ``None`` where it abstains.

    A row abstains when no assignment at or above ``threshold`` serves the total, or when another column that
    nobody took scores within ``margin`` of its own. Raises :class:`MalformedError` for a ragged or NaN
    matrix.
    """
    width = _checked_width(scores)
    if not width:
        return [None] * len(scores)
    # One private dummy column per row, worth the threshold: taking it is abstaining.
    blocked = math.fsum(abs(score) for row in scores for score in row) + abs(threshold) * len(scores) + 1
    costs = [
        [-score if score >= threshold else blocked for score in row]
        + [-threshold if other == index else blocked for other in range(len(scores))]
        for index, row in enumerate(scores)
    ]
    chosen: list[int | None] = [column if column < width else None for column in _least_cost(costs)]
    return [
        None if column is not None and _is_ambiguous(scores[row], column, chosen, margin) else column
        for row, column in enumerate(chosen)
    ]


def _checked_width(scores: Sequence[Sequence[float]]) -> int:
    width = len(scores[0]) if scores else 0
    if any(len(row) != width for row in scores):
        raise MalformedError("assignment: rows of different length")
    if not all(math.isfinite(score) for row in scores for score in row):
        raise MalformedError("assignment: a score is not a number")
    return width


def _is_ambiguous(row: Sequence[float], column: int, chosen: Sequence[int | None], margin: float) -> bool:
    return any(
        row[column] - score < margin
        for other, score in enumerate(row)
        if other != column and other not in chosen
    )


def _least_cost(costs: Sequence[Sequence[float]]) -> list[int]:
    """Column of every row at the least total cost; no more rows than columns.

    Shortest augmenting paths with potentials (Kuhn 1955, Munkres 1957; cubic time). Index 0 is the root of
    the search, real rows and columns count from 1.
    """
    rows, columns = len(costs), len(costs[0])
    row_price, column_price = [0.0] * (rows + 1), [0.0] * (columns + 1)
    owner = [0] * (columns + 1)
    for row in range(1, rows + 1):
        owner[0] = row
        _augment(costs, row_price, column_price, owner)
    result = [0] * rows
    for column in range(1, columns + 1):
        if owner[column]:
            result[owner[column] - 1] = column - 1
    return result


def _augment(
    costs: Sequence[Sequence[float]], row_price: list[float], column_price: list[float], owner: list[int]
) -> None:
    """Give the row waiting at column 0 a column, moving other rows along the cheapest path."""
    columns = len(owner) - 1
    slack, came_from, done = [math.inf] * (columns + 1), [0] * (columns + 1), [False] * (columns + 1)
    here = 0
    while owner[here]:
        done[here] = True
        row = costs[owner[here] - 1]
        offset = row_price[owner[here]]
        step, following = math.inf, 0
        for column in range(1, columns + 1):
            if done[column]:
                continue
            reduced = row[column - 1] - offset - column_price[column]
            if reduced < slack[column]:
                slack[column], came_from[column] = reduced, here
            if slack[column] < step:
                step, following = slack[column], column
        _reprice(step, row_price, column_price, owner, slack, done)
        here = following
    while here:
        owner[here] = owner[came_from[here]]
        here = came_from[here]


def _reprice(
    step: float,
    row_price: list[float],
    column_price: list[float],
    owner: list[int],
    slack: list[float],
    done: list[bool],
) -> None:
    for column, finished in enumerate(done):
        if finished:
            row_price[owner[column]] += step
            column_price[column] -= step
        else:
            slack[column] -= step
