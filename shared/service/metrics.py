"""What a running system measures, as Prometheus families: money, orders, books, latencies, alarms.

Counters start at zero with the process. Latencies come twice: as histograms over everything, and as p50, p95
and p99 of the last 5,000 samples beside the stage's ceiling.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from shared.clock import SECOND, Clock, age
from shared.money import LOTS, MICROS
from shared.ports import Documents, Term
from shared.runtime.stats import BUCKETS_NS, Latency
from shared.runtime.trading import TradingParts
from shared.service.alerts import Alerter
from shared.service.exposition import Family, Kind, Sample, counter, gauge, histogram
from shared.service.facts import BUDGET_NS, books_by_state, connected

LEASE = "leases/executor"

_NS = 1_000_000_000
_QUANTILES = {"0.5": "p50_us", "0.95": "p95_us", "0.99": "p99_us"}
# Reasons come from data: a page lists so many and adds up the rest.
_MOST = 50


def collect(parts: TradingParts, term: Term | None) -> list[Family]:
    """Every family of one run; ``term`` is the executor lease, if there is one."""
    return [
        *_seen(parts),
        *_found(parts),
        *_orders(parts),
        *_money(parts),
        *_latency(parts),
        *_state(parts, term),
    ]


def alarms(alerter: Alerter) -> list[Family]:
    """What was raised, and what became of it on each channel."""
    lines, by = {line.channel.name: line for line in alerter.lines}, "channel"
    return [
        counter("arb_alerts_total", "Alerts raised, held back or not", alerter.raised, "code"),
        gauge("arb_alerts_waiting", "To be delivered", {n: len(one.waiting) for n, one in lines.items()}, by),
        counter("arb_alerts_sent_total", "Delivered", {n: one.sent for n, one in lines.items()}, by),
        counter("arb_alerts_failed_total", "Failed tries", {n: one.failures for n, one in lines.items()}, by),
        counter("arb_alerts_dropped_total", "Made room", {n: one.dropped for n, one in lines.items()}, by),
    ]


async def lease_of(documents: Documents) -> Term | None:
    """The executor lease as it is stored, ``None`` if nobody ever took it."""
    found = await documents.get(LEASE)
    if found is None:
        return None
    value = found.value
    return Term(value["holder"], value["epoch"], value["expires_at"])


def _seen(parts: TradingParts) -> list[Family]:
    stats = parts.stats
    found = [
        counter("arb_listings_total", "Market listings published", stats.listings),
        counter("arb_odds_polls_total", "Bookmaker quotes of one event read", stats.odds_polls),
        gauge("arb_markets", "Markets seen", len(stats.tickers)),
        gauge("arb_markets_mapped", "Markets mapped to a bookmaker event", len(stats.mapped)),
        gauge("arb_markets_abstained", "Markets not mapped, with a reason", len(stats.abstained)),
        gauge("arb_books", "Live books by state", books_by_state(parts), "state"),
        counter("arb_book_gaps_total", "Times stream messages were lost", parts.floor.keeper.gaps),
        counter("arb_book_changes_total", "Changes of live books", parts.floor.book_changes),
        gauge("arb_stream_connected", "1 while the exchange's stream is up", int(connected(parts))),
        gauge("arb_bus_backlog", "Deliveries queued or under way", parts.backlog),
        counter("arb_quarantined_total", "Inputs that could not be used", stats.quarantined),
    ]
    if parts.mapper is not None:
        rate = parts.mapper.hit_rate
        found.append(gauge("arb_mapping_hit_ratio", "Share of listings answered from memory", rate))
    if stats.credits_remaining is not None:
        left = gauge("arb_odds_credits_remaining", "Paid credits left", stats.credits_remaining)
        found.append(left)
    return found


def _found(parts: TradingParts) -> list[Family]:
    stats = parts.stats
    return [
        counter("arb_opportunities_total", "Opportunities weighed", stats.assessed),
        counter("arb_edges_total", "Opportunities that were accepted", stats.accepted),
        counter(
            "arb_rejections_total", "Opportunities refused, by reason", _first(stats.rejections), "reason"
        ),
        counter("arb_signals_total", "Signals raised", stats.signals),
    ]


def _orders(parts: TradingParts) -> list[Family]:
    stats, executor = parts.stats, parts.executor
    return [
        counter("arb_orders_total", "Changes of orders, by status", stats.orders, "status"),
        counter("arb_refusals_total", "Orders refused, by control", _first(stats.refusals), "control"),
        counter("arb_fills_total", "Fills", stats.fills),
        counter("arb_filled_contracts_total", "Contracts bought", stats.contracts / LOTS),
        counter("arb_settled_markets_total", "Markets that paid out", stats.settled),
        gauge("arb_markets_watched", "Markets with a signal at work", len(executor.watched)),
        gauge("arb_markets_blocked", "Markets blocked by an unknown outcome", len(executor.blocked)),
    ]


def _money(parts: TradingParts) -> list[Family]:
    account = parts.executor.account
    dollars = {
        "cash": account.cash,
        "reserved": account.reserved,
        "open_cost": account.open_cost,
        "fees": account.fees,
        "realized": account.realized,
        "profit": account.pnl,
    }
    in_usd = {name: micros / MICROS for name, micros in dollars.items()}
    return [
        gauge("arb_account_usd", "The account in dollars; profit is after fees", in_usd, "part"),
        gauge("arb_consecutive_losses", "Settlements lost in a row", account.consecutive_losses),
    ]


def _latency(parts: TradingParts) -> list[Family]:
    stages = parts.stats.latencies
    series = {stage: (one.counts, one.total_ns / _NS) for stage, one in stages.items()}
    bounds = [bound / _NS for bound in BUCKETS_NS]
    quantiles = tuple(
        Sample(value / 1e6, {"stage": stage, "quantile": share})
        for stage, one in stages.items()
        for share, value in _shares(one).items()
    )
    name, text = "arb_stage_quantile_seconds", "Latency of the last 5,000 samples, by stage"
    budgets = {stage: budget / _NS for stage, budget in BUDGET_NS.items()}
    return [
        histogram("arb_stage_seconds", "Latency by stage", bounds, series, "stage"),
        Family(name, Kind.GAUGE, text, quantiles),
        gauge("arb_stage_budget_seconds", "Ceiling of a stage", budgets, "stage"),
    ]


def _shares(latency: Latency) -> dict[str, float]:
    summary = latency.summary()
    return {share: value for share, key in _QUANTILES.items() if (value := summary[key]) is not None}


def _state(parts: TradingParts, term: Term | None) -> list[Family]:
    stats, now = parts.stats, parts.clock.now()
    ages = {loop: age(at, now) / SECOND for loop, at in stats.turns.items()}
    found = [
        gauge("arb_halted", "1 while trading is stopped", int(bool(parts.executor.account.halted))),
        gauge("arb_loop_age_seconds", "Time of the run's clock since a loop last did its work", ages, "loop"),
        gauge("arb_failing", "1 while this part's last turn failed", dict.fromkeys(stats.alerts, 1), "part"),
    ]
    return found if term is None else [*found, *_lease(term, parts.clock)]


def _lease(term: Term, clock: Clock) -> list[Family]:
    is_held = bool(term.holder) and clock.now() < term.expires_at
    return [
        gauge(
            "arb_lease_held",
            "1 for the executor that may act",
            {term.holder or "nobody": int(is_held)},
            "holder",
        ),
        gauge("arb_lease_epoch", "Changes of the lease's holder so far", term.epoch),
    ]


def _first(counts: Counter[str]) -> Mapping[str, float]:
    """The first that were seen, and the rest as ``other``: no line ever goes down."""
    known = list(counts.items())
    rest = sum(count for _, count in known[_MOST:])
    return dict(known[:_MOST]) | ({"other": rest} if rest else {})
