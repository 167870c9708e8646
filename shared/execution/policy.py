"""How orders of a signal are worked: take at once or rest first, how often to try, how long to wait."""

from __future__ import annotations

from dataclasses import dataclass

from shared.money import Price


@dataclass(frozen=True, slots=True)
class OrderPolicy:
    """One way to work a signal. Seconds of the clock.

    By default an immediate-or-cancel order at the highest price that keeps the required net edge: it has time
    priority over nobody it could wait for, and better offers fill at their own price. ``rests_first`` tries a
    post-only order one tick below the offer first, for ``rest_s``, or ``partial_rest_s`` more once some of it
    has filled, and takes what is left.

    ``max_attempts`` orders a signal at most, ``retry_gap_s`` apart. ``max_slippage`` is how far the offer may
    have moved up since the signal was first looked at: what runs away from us knows something.
    """

    rests_first: bool = False
    rest_s: float = 5.0
    partial_rest_s: float = 5.0
    max_attempts: int = 10
    retry_gap_s: float = 0.25
    max_slippage: Price = Price(30_000)
