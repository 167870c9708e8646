"""Checks that can fail: of one rung by itself, and of a ladder as a whole.

Identities prove nothing (a YES ask *is* one less the best NO bid). What is checked: a book must not be
crossed, a size needs a price, a threshold must be one the statistic can reach, and nobody may pay more for a
higher threshold than the lower one costs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.clock import Instant
from shared.edges.detector import schedule_of
from shared.fees.kalshi import FeeSchedule
from shared.messages import BookSeen
from shared.money import MICROS, Price, format_price
from shared.props.market import PropMarket
from shared.props.quotes import Depth, depth_of


@dataclass(frozen=True, slots=True)
class Rung:
    """A market of a ladder with its book and its fees; without these it is not traded."""

    prop: PropMarket
    depth: Depth
    schedule: FeeSchedule | None = None

    @classmethod
    def of(cls, prop: PropMarket, book: BookSeen | None, now: Instant) -> Rung:
        """A market with its book, if that was read, and its fees."""
        return cls(prop, depth_of(prop.market, book), schedule_of(prop.market, now))


def rung_findings(rung: Rung) -> list[str]:
    """What is wrong with one rung, each ``code: detail``."""
    prop, depth = rung.prop, rung.depth
    found = [prop.finding] if prop.finding else []
    if prop.team.issue:
        found.append(f"team: {prop.team.issue}")
    if not 1 <= prop.threshold <= prop.kind.statistic.highest:
        found.append(f"range: {prop.threshold}+ {prop.kind.statistic.name} is beyond reach")
    bid, ask = depth.best_bid, depth.best_ask
    if bid is not None and ask is not None and bid >= ask:
        found.append(f"crossed: bid {format_price(bid)}, ask {format_price(ask)}")
    for price, size in (*depth.yes_bids, *depth.no_bids):
        if size <= 0 or not 0 < price < MICROS:
            found.append(f"level: {size} at {price}")
    return found


def ladder_findings(rungs: Sequence[Rung]) -> dict[str, list[str]]:
    """What is wrong between the rungs of one ladder, by ticker of the higher rung."""
    found: dict[str, list[str]] = defaultdict(list)
    ordered = sorted(rungs, key=lambda rung: (rung.prop.threshold, rung.prop.market.ticker))
    for index, high in enumerate(ordered):
        ticker = high.prop.market.ticker
        for low in ordered[:index]:
            if low.prop.threshold == high.prop.threshold:
                found[ticker].append(f"duplicate: {low.prop.market.ticker} asks the same")
            elif problem := _compared(low, high):
                found[ticker].append(problem)
    return dict(found)


def _compared(low: Rung, high: Rung) -> str:
    """Why two rungs contradict each other; empty if they do not."""
    below = low.prop.market.ticker
    ask, bid = low.depth.best_ask, high.depth.best_bid
    if ask is not None and bid is not None and bid > ask:
        return f"ladder_arbitrage: bid {format_price(bid)} over the ask {format_price(ask)} of {below}"
    if _dearer(high.depth.best_bid, low.depth.best_bid) and _dearer(high.depth.best_ask, low.depth.best_ask):
        return f"ladder_inverted: dearer on both sides than {below}"
    return ""


def _dearer(one: Price | None, other: Price | None) -> bool:
    return one is not None and other is not None and one > other


def findings_of(rungs: Iterable[Rung]) -> dict[str, tuple[str, ...]]:
    """Every finding by ticker, of rungs and of the ladders they make."""
    ladders: dict[tuple[str, str, str, str], list[Rung]] = defaultdict(list)
    found: dict[str, list[str]] = defaultdict(list)
    for rung in rungs:
        ladders[rung.prop.ladder].append(rung)
        found[rung.prop.market.ticker] += rung_findings(rung)
    for ladder in ladders.values():
        for ticker, problems in ladder_findings(ladder).items():
            found[ticker] += problems
    return {ticker: tuple(problems) for ticker, problems in found.items() if problems}
