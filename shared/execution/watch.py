"""A signal being worked: what it still wants, what has been tried, and what leaves it its ground."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field

from shared.clock import MINUTE, Instant
from shared.execution.decide import limit_holds
from shared.fees.kalshi import FeeSchedule
from shared.fees.protocol import Level
from shared.messages import OpportunityAssessed, SignalRaised
from shared.money import Price, Quantity
from shared.terms import Side

_PASSING = frozenset(
    {"order_rate", "cooldown", "breaker", "canary", "risk_state", "lease", "market", "decision"}
)
# Reasons that speak of the quote of the moment, not of what the contract is worth. Where nobody offers the
# side no worth is told, and a signal could outlive what it was raised on.
_OF_THE_QUOTE = frozenset(
    {"thin_edge", "stale_quote", "thin", "wide", "one_sided", "crossed", "off_grid", "sentinel"}
)


# No signal lives so long.
_REMEMBERED = 10 * MINUTE


@dataclass(slots=True)
class Watch:
    """A signal being worked: what it still wants, and what has been tried.

    ``first_ask`` is the offer when it was first looked at, ``next_at`` when the next order may go out;
    ``offers`` are those within its limit, ``tried`` the ones that the last order was sent to take.
    """

    signal: SignalRaised
    schedule: FeeSchedule
    wanted: Quantity
    attempt: int = 0
    last_reason: str = ""
    first_ask: Price | None = None
    next_at: Instant = Instant(0)
    reported: set[str] = field(default_factory=set)
    offers: tuple[Level, ...] = ()
    tried: tuple[Level, ...] | None = None


def passes(controls: Set[str]) -> bool:
    """Whether a refusal by ``controls`` passes by itself; any other is repeated as long as the signal lives.

    Where the risk state was not to be had, the rest was judged by a book that may be old.
    """
    return "risk_state" in controls or controls <= _PASSING


def stands(signal: SignalRaised, schedule: FeeSchedule, opportunity: OpportunityAssessed) -> bool:
    """Whether a newer assessment of its side leaves a signal's ground as it was."""
    fair = opportunity.fair
    if fair is not None and not limit_holds(signal, schedule, fair.probability):
        return False
    if opportunity.accepted:
        return True
    codes = {reason.partition(":")[0] for reason in opportunity.reasons}
    in_reach = opportunity.ask is not None and opportunity.ask <= signal.limit
    return not in_reach and codes <= _OF_THE_QUOTE


class Ground:
    """The last assessment of every side: a bus may bring a signal after what takes its ground away."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, Side], OpportunityAssessed] = {}  # in the order in which they came

    def weighed(self, opportunity: OpportunityAssessed) -> None:
        """Remember an assessment, unless a newer one is known; those older than any signal are let go."""
        key = (opportunity.ticker, opportunity.side)
        known = self._last.get(key)
        if known is not None and known.observed_at > opportunity.observed_at:
            return
        self._last.pop(key, None)
        self._last[key] = opportunity
        while (oldest := next(iter(self._last.values()))).observed_at < opportunity.observed_at - _REMEMBERED:
            del self._last[oldest.ticker, oldest.side]

    def gone(self, signal: SignalRaised, schedule: FeeSchedule) -> str:
        """Why a signal has lost its ground since it was raised, or empty."""
        last = self._last.get((signal.ticker, signal.side))
        if last is None or last.observed_at <= signal.observed_at or stands(signal, schedule, last):
            return ""
        return "withdrawn: weighed again since, " + ("; ".join(last.reasons) or "it is worth less")
