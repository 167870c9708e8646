"""The detector: one mapped market against the books, both sides weighed, every reason kept.

Nothing is rejected silently: each side of each market gives one :class:`OpportunityAssessed`, and a rejected
one carries *all* the reasons. An accepted one becomes a signal, which only permits a look at the live book.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from shared.books.firewall import QuoteLimits, quote_refusals
from shared.clock import HOUR, MINUTE, SECOND, Instant
from shared.edges.confidence import ConfidenceInputs, confidence
from shared.edges.expected_value import contract_value, executable, highest_price
from shared.edges.fair import FairPair
from shared.edges.profiles import RULES, ProfileRule
from shared.edges.states import contract_worth
from shared.errors import MalformedError
from shared.fees.kalshi import FeeSchedule, schedule_for, schedule_problem
from shared.fees.protocol import Level
from shared.ids import digest
from shared.messages import (
    ConfidenceScore,
    FairValue,
    MappingDecided,
    MarketListed,
    OpportunityAssessed,
    SignalRaised,
)
from shared.money import LOTS, ONE, Price, Quantity, complement
from shared.terms import MarketShape, MarketStatus, Profile, Side


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """What the detector asks of a quote, and how long a signal lives. Times in microseconds."""

    profile: Profile = Profile.STANDARD
    max_quote_age: int = 90 * SECOND  # the listing is polled, and cached for up to 15 s
    max_odds_age_s: float | None = None  # None: by time to the start, see consensus.staleness_limit
    signal_ttl: int = 2 * MINUTE
    order: Quantity = Quantity(10_000)  # intended size, for the liquidity part of the confidence
    quotes: QuoteLimits = field(default_factory=QuoteLimits)

    @property
    def rule(self) -> ProfileRule:
        """The profile's band."""
        return RULES[self.profile]


@dataclass(frozen=True, slots=True)
class Quotes:
    """Both sides of one market: offers of YES and of NO, cheapest first, and when they were seen."""

    asks: dict[Side, tuple[Level, ...]]
    seen_at: Instant

    @property
    def best(self) -> tuple[Level | None, Level | None]:
        """Cheapest offers of YES and of NO."""
        yes, no = self.asks[Side.YES], self.asks[Side.NO]
        return (yes[0] if yes else None, no[0] if no else None)

    def bid(self, side: Side) -> Level | None:
        """Best bid of ``side``: the complement of the other side's best offer."""
        other = self.asks[side.other]
        return (complement(other[0][0]), other[0][1]) if other else None


def listed_quotes(market: MarketListed) -> Quotes:
    """The top of the book as the listing shows it."""
    yes: tuple[Level, ...] = ()
    no: tuple[Level, ...] = ()
    if market.yes_ask is not None and market.yes_ask_size is not None:
        yes = ((market.yes_ask, market.yes_ask_size),)
    if market.yes_bid is not None and market.yes_bid_size is not None:
        no = ((complement(market.yes_bid), market.yes_bid_size),)
    return Quotes({Side.YES: yes, Side.NO: no}, market.observed_at)


def schedule_of(market: MarketListed, now: Instant) -> FeeSchedule | None:
    """Fee schedule of a listed market, ``None`` when the fee is not known: such a market is not traded."""
    try:
        return schedule_for(market.fee_type, market.fee_multiplier_micro, now)
    except MalformedError:
        return None


def start_of(market: MarketListed, mapping: MappingDecided) -> Instant | None:
    """When the game starts by whoever says the earlier; ``None`` when the feed does not say.

    A game moved up, or listed by the feed under a wrong time, must not be traded on prices from before it.
    """
    if mapping.starts_at is None or market.starts_at is None:
        return mapping.starts_at
    return min(mapping.starts_at, market.starts_at)


def assess(
    market: MarketListed,
    mapping: MappingDecided,
    fair: FairPair | str,
    quotes: Quotes,
    settings: DetectorSettings,
    now: Instant,
) -> tuple[OpportunityAssessed, OpportunityAssessed]:
    """YES and NO of one market, weighed. ``fair`` is the books' opinion, or why there is none."""
    common = (*_market_reasons(market, now), *_mapping_reasons(mapping, start_of(market, mapping), now))
    if isinstance(fair, str):
        common = (*common, fair)
    age = now - quotes.seen_at
    if abs(age) > settings.max_quote_age:  # from the future: the clock was set back
        common = (*common, f"stale_quote: last seen {age / SECOND:.0f} s ago")
    case = _Case(market, mapping, fair, quotes, schedule_of(market, now), settings, now, common)
    return _side(case, Side.YES), _side(case, Side.NO)


class _Case(NamedTuple):
    """What both sides of a market are weighed by; ``common`` are the reasons against either."""

    market: MarketListed
    mapping: MappingDecided
    fair: FairPair | str
    quotes: Quotes
    schedule: FeeSchedule | None
    settings: DetectorSettings
    now: Instant
    common: tuple[str, ...]


def _side(case: _Case, side: Side) -> OpportunityAssessed:
    market, mapping, fair, quotes, schedule, settings, now, common = case
    asks = quotes.asks[side]
    if not asks:
        return _rejected(case, side, (*common, f"no_quote: nobody offers {side.value}"), None)
    ask = asks[0][0]
    reasons = (*common, *quote_refusals(asks[0], quotes.bid(side), settings.quotes, market.price_ranges))
    if isinstance(fair, str) or schedule is None or mapping.certificate is None:
        return _rejected(case, side, reasons, ask)
    value = fair.of(side, now)
    worth = contract_worth(value.probability, mapping.certificate.differences, side, ask)
    found = executable(worth, asks, schedule, required_edge=settings.rule.min_net_edge)
    best = contract_value(worth, ask, schedule)
    score = _score(case, side, value, fair.book_range, best.net_edge, found.quantity)
    reasons = (*reasons, *_edge_reasons(best.net_edge, score, value.books, settings.rule))
    return msgspec.structs.replace(
        _rejected(case, side, reasons, ask),
        accepted=not reasons,
        fee=found.fee,
        all_in=best.all_in,
        quantity=found.quantity,
        fair=value,
        gross_edge=best.gross_edge,
        net_edge=best.net_edge,
        expected_value=found.net_value,
        confidence=score,
    )


def signal_of(
    opportunity: OpportunityAssessed,
    market: MarketListed,
    mapping: MappingDecided,
    settings: DetectorSettings,
    now: Instant,
) -> SignalRaised | None:
    """The signal of an accepted opportunity; ``None`` if no orderable price keeps the required edge."""
    schedule, certificate, start = schedule_of(market, now), mapping.certificate, start_of(market, mapping)
    if not opportunity.accepted or schedule is None or certificate is None:
        return None
    if opportunity.fair is None or opportunity.ask is None or not opportunity.quantity:
        return None
    differences = certificate.differences
    worth = contract_worth(opportunity.fair.probability, differences, opportunity.side, opportunity.ask)
    limit = highest_price(worth, settings.rule.min_net_edge, schedule, market.price_ranges)
    if limit is None or limit < opportunity.ask:
        return None
    return SignalRaised(
        observed_at=now,
        trace_id=opportunity.trace_id,
        signal_id=_signal_id(opportunity, limit, now, settings.signal_ttl),
        opportunity_id=opportunity.opportunity_id,
        ticker=market.ticker,
        event_ticker=market.event_ticker,
        side=opportunity.side,
        profile=settings.profile,
        limit=limit,
        quantity=opportunity.quantity,
        fair_probability=worth,
        required_edge=settings.rule.min_net_edge,
        net_edge=opportunity.net_edge or 0.0,
        confidence=opportunity.confidence.total if opportunity.confidence else 0.0,
        league=mapping.league,
        kind=mapping.kind,
        odds_event_id=mapping.odds_event_id,
        certificate=certificate,
        exchange_index=market.exchange_index,
        price_ranges=market.price_ranges,
        fee_type=market.fee_type,
        fee_multiplier_micro=market.fee_multiplier_micro,
        starts_at=start,
        expires_at=Instant(min(now + settings.signal_ttl, start or now)),
    )


def _signal_id(opportunity: OpportunityAssessed, limit: Price, now: Instant, ttl: int) -> str:
    """The same price against the same fair value in the same stretch of time is the same opportunity."""
    parts = (opportunity.ticker, opportunity.side, opportunity.profile, str(opportunity.ask), str(limit))
    return digest("signal", *parts, str(now // ttl))


def _score(
    case: _Case, side: Side, value: FairValue, book_range: float, net_edge: float, depth: Quantity
) -> ConfidenceScore:
    bid, ask = case.quotes.bid(side), case.quotes.asks[side][0]
    start = start_of(case.market, case.mapping)
    return confidence(
        ConfidenceInputs(
            net_edge=net_edge,
            effective_books=value.effective_books,
            book_range=book_range,
            depth=depth / LOTS,
            order=case.settings.order / LOTS,
            spread=None if bid is None else (ask[0] - bid[0]) / ONE,
            hours_to_start=None if start is None else (start - case.now) / HOUR,
            quote_age_s=value.age_s,
        )
    )


def _market_reasons(market: MarketListed, now: Instant) -> tuple[str, ...]:
    reasons = []
    if market.status is not MarketStatus.ACTIVE:
        reasons.append(f"status: the market is {market.status.value}")
    if market.shape is not MarketShape.BINARY:
        reasons.append(f"shape: a {market.shape.value} market does not pay $1 or $0")
    if market.closes_at is not None and now >= market.closes_at:
        reasons.append("closed: past its close time")
    problem = schedule_problem(market.fee_type, market.fee_multiplier_micro)
    if problem:
        reasons.append(f"fees: {problem}")
    return tuple(reasons)


def _mapping_reasons(mapping: MappingDecided, start: Instant | None, now: Instant) -> tuple[str, ...]:
    certificate = mapping.certificate
    if not mapping.odds_event_id or certificate is None:
        return (f"unmapped: {mapping.reason}",)
    if certificate.verdict == "refused":
        return (f"certificate: {mapping.reason}",)
    if start is None:
        return ("no_start: the true start is not known",)
    if now >= start:
        return ("started: a pre-game price is no longer a fair price",)
    return ()


def _edge_reasons(net_edge: float, score: ConfidenceScore, books: int, rule: ProfileRule) -> Sequence[str]:
    reasons = []
    if net_edge < rule.min_net_edge:
        reasons.append(f"thin_edge: net {100 * net_edge:.2f}c, needs {100 * rule.min_net_edge:.0f}c")
    if net_edge > rule.max_net_edge:
        reasons.append(f"too_good: net {100 * net_edge:.2f}c, more than {100 * rule.max_net_edge:.0f}c")
    if books < rule.min_books:
        reasons.append(f"few_books: {books}, needs {rule.min_books}")
    if score.total < rule.min_confidence:
        reasons.append(f"confidence: {score.total:.0f}, needs {rule.min_confidence:.0f}")
    return reasons


def _rejected(case: _Case, side: Side, reasons: tuple[str, ...], ask: Price | None) -> OpportunityAssessed:
    market, mapping, settings, now = case.market, case.mapping, case.settings, case.now
    return OpportunityAssessed(
        observed_at=now,
        trace_id=mapping.trace_id,
        opportunity_id=digest("opportunity", market.ticker, side, settings.profile, str(now)),
        ticker=market.ticker,
        event_ticker=market.event_ticker,
        side=side,
        profile=settings.profile,
        accepted=False,
        reasons=reasons,
        league=mapping.league,
        kind=mapping.kind,
        odds_event_id=mapping.odds_event_id,
        starts_at=start_of(market, mapping),
        ask=ask,
        quantity=Quantity(0),
        quote_age_s=(now - case.quotes.seen_at) / SECOND,
    )
