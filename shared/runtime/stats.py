"""What the terminal shows: counts, reasons, money and latencies, gathered from the messages that pass by."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from dataclasses import dataclass, field

from shared.clock import Instant
from shared.messages import (
    FillRecorded,
    MappingDecided,
    MarketListed,
    MarketSettled,
    Message,
    OddsSeen,
    OpportunityAssessed,
    OrderUpdated,
    PropCompared,
    PropListed,
    Quarantined,
    SignalRaised,
)
from shared.terms import OrderStatus

Shown = SignalRaised | FillRecorded | MarketSettled

_RECENT = 3
_SAMPLES = 5_000
# Upper bounds of the latency buckets, nanoseconds: 10 us to 1 s, each budget of a stage among them.
BUCKETS_NS = tuple(
    microseconds * 1_000
    for microseconds in (
        *(10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000),
        *(100_000, 200_000, 300_000, 500_000, 1_000_000),
    )
)


def percentile(values: list[int], share: float) -> int | None:
    """Nearest-rank percentile, ``None`` of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@dataclass(slots=True)
class Latency:
    """One stage, nanoseconds: the last samples, and how many of all fell into each bucket.

    ``counts`` has one more entry than :data:`BUCKETS_NS`: what was slower than the last bound.
    """

    samples: deque[int] = field(default_factory=lambda: deque(maxlen=_SAMPLES))
    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_NS) + 1))
    total_ns: int = 0

    def add(self, nanoseconds: int) -> None:
        """One more sample."""
        self.samples.append(nanoseconds)
        self.counts[bisect_left(BUCKETS_NS, nanoseconds)] += 1
        self.total_ns += nanoseconds

    def summary(self) -> dict[str, float | int | None]:
        """Count, median, 95th and 99th percentile in microseconds."""
        values = sorted(self.samples)
        found = {"p50_us": 0.5, "p95_us": 0.95, "p99_us": 0.99}
        ranks = {name: percentile(values, share) for name, share in found.items()}
        in_us = {name: None if rank is None else rank / 1000 for name, rank in ranks.items()}
        return {"count": len(values), **in_us}


@dataclass(slots=True)
class Stats:
    """Everything counted since the start of this process."""

    listings: int = 0
    odds_polls: int = 0
    credits_remaining: int | None = None
    assessed: int = 0
    accepted: int = 0
    signals: int = 0
    fills: int = 0
    contracts: int = 0
    settled: int = 0
    quarantined: int = 0
    tickers: set[str] = field(default_factory=set)
    odds_events: set[str] = field(default_factory=set)
    mapped: set[str] = field(default_factory=set)
    abstained: dict[str, str] = field(default_factory=dict)
    rejections: Counter[str] = field(default_factory=Counter)
    orders: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    props: set[str] = field(default_factory=set)
    props_compared: set[str] = field(default_factory=set)  # with a fair value by the books
    alerts: dict[str, str] = field(default_factory=dict)
    exhausted: set[str] = field(default_factory=set)  # loops that wait for paid credits
    turns: dict[str, Instant] = field(default_factory=dict)  # when each loop last did its work
    note: str = ""
    latencies: dict[str, Latency] = field(default_factory=dict)
    _recent: dict[str, deque[Shown]] = field(default_factory=dict)

    async def hear(self, message: Message) -> None:
        """Count one message."""
        match message:
            case MarketListed():
                self.listings += 1
                self.tickers.add(message.ticker)
            case OddsSeen():
                self._odds(message)
            case MappingDecided():
                self._mapping(message)
            case OpportunityAssessed():
                self._opportunity(message)
            case SignalRaised():
                self.signals += 1
                self._remember(message)
            case OrderUpdated():
                self._order(message)
            case FillRecorded():
                self.fills += 1
                self.contracts += message.quantity
                self._remember(message)
            case MarketSettled():
                self.settled += 1
                self._remember(message)
            case Quarantined():
                self.quarantined += message.count
            case _:
                self._prop(message)

    def latency(self, stage: str, nanoseconds: int) -> None:
        """One sample of one stage."""
        self.latencies.setdefault(stage, Latency()).add(nanoseconds)

    def recent(self) -> list[Shown]:
        """The last few of each kind, newest first: a burst of signals does not hide the fills."""
        shown = [message for kept in self._recent.values() for message in kept]
        return sorted(shown, key=lambda message: -message.observed_at)

    def top_abstentions(self, count: int = 5) -> list[tuple[str, int]]:
        """Most frequent reasons why markets were not mapped."""
        return Counter(reason_code(reason) for reason in self.abstained.values()).most_common(count)

    def _remember(self, message: Shown) -> None:
        self._recent.setdefault(message.TOPIC, deque(maxlen=_RECENT)).append(message)

    def _prop(self, message: Message) -> None:
        if isinstance(message, PropListed):
            self.props.add(message.ticker)
        elif isinstance(message, PropCompared) and message.fair is not None:
            self.props_compared.add(message.ticker)

    def _odds(self, message: OddsSeen) -> None:
        self.odds_polls += 1
        self.odds_events.add(message.odds_event_id)
        if message.credits_remaining is not None:
            self.credits_remaining = message.credits_remaining

    def _mapping(self, message: MappingDecided) -> None:
        if message.odds_event_id:
            self.mapped.add(message.ticker)
            self.abstained.pop(message.ticker, None)
        else:
            self.mapped.discard(message.ticker)
            self.abstained[message.ticker] = message.reason

    def _opportunity(self, message: OpportunityAssessed) -> None:
        self.assessed += 1
        self.accepted += message.accepted
        self.rejections.update(reason_code(reason) for reason in message.reasons)

    def _order(self, message: OrderUpdated) -> None:
        if message.status is not OrderStatus.PENDING:
            self.orders[message.status] += 1
        if message.status is OrderStatus.REJECTED:
            self.refusals.update(reason_code(reason) for reason in message.reasons)
        for stage, nanoseconds in message.latency_ns.items():
            self.latency(f"look to {stage}", nanoseconds)


def reason_code(reason: str) -> str:
    """The part of a reason that groups with others: the words before its colon."""
    return reason.partition(":")[0]
