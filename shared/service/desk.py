"""Answers the API's questions about a running system, and stops and resumes it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from shared.analytics.history import ORDERS, SIGNALS
from shared.clock import MINUTE, Instant, format_instant, from_datetime, to_datetime
from shared.errors import RefusedError, StorageError
from shared.execution import halt
from shared.money import Price, Quantity, Usd, format_price, format_quantity, format_usd
from shared.ports import Term
from shared.risk.breaker import Person
from shared.runtime.stats import Latency
from shared.service.alerts import Alerter
from shared.service.answers import (
    LeaseState,
    Limits,
    Money,
    Order,
    Orders,
    Position,
    Positions,
    Readiness,
    Risk,
    Signal,
    Signals,
    Stage,
    State,
    Trading,
)
from shared.service.exposition import Family
from shared.service.facts import BUDGET_NS, Running, books_by_state, unready
from shared.service.metrics import alarms, collect, lease_of


class Desk:
    """One running system, as the API sees it.

    ``changed`` is called after a halt and after a resume, so that people hear of one that lasts a moment.
    """

    def __init__(
        self,
        system: Running,
        rng: random.Random,
        alerter: Alerter,
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self.system, self._rng = system, rng
        self._alerter, self._changed = alerter, changed
        self._parts = system.parts
        self.started_at = self._parts.clock.now()

    def readiness(self) -> Readiness:
        """Whether an edge found now would be traded, and why not."""
        reasons = unready(self.system, self.started_at)
        return Readiness(ready=not reasons, reasons=reasons)

    async def state(self) -> State:
        """Everything at one glance."""
        parts, stats, ready = self._parts, self._parts.stats, self.readiness()
        return State(
            mode=parts.executor.mode,
            now=format_instant(parts.clock.now()),
            started_at=format_instant(self.started_at),
            ready=ready.ready,
            reasons=ready.reasons,
            halted=parts.executor.account.halted,
            money=self._money(),
            markets=len(stats.tickers),
            mapped=len(stats.mapped),
            abstained=len(stats.abstained),
            books=dict(books_by_state(parts)),
            bus_backlog=parts.backlog,
            opportunities=stats.assessed,
            edges=stats.accepted,
            signals=stats.signals,
            orders=dict(stats.orders),
            fills=stats.fills,
            filled_contracts=format_quantity(Quantity(stats.contracts)),
            settled=stats.settled,
            quarantined=stats.quarantined,
            credits_remaining=stats.credits_remaining,
            alerts=dict(stats.alerts),
            latency={name: _stage(name, latency) for name, latency in stats.latencies.items()},
            lease=await self._lease(),
        )

    def positions(self) -> Positions:
        """Everything held."""
        account = self._parts.executor.account
        held = [
            Position(
                ticker=one.ticker,
                event_ticker=one.event_ticker,
                side=one.side.value,
                contracts=format_quantity(Quantity(abs(one.quantity))),
                cost_usd=format_usd(one.cost),
                fees_usd=format_usd(one.fees),
                realized_usd=format_usd(one.realized),
            )
            for _, one in sorted(account.positions.items())
            if one.side is not None
        ]
        return Positions(positions=held, open_cost_usd=format_usd(account.open_cost))

    async def orders(self, limit: int, status: str) -> Orders:
        """The newest orders; with ``status``, those that are in it."""
        if self._parts.warehouse is None:
            return Orders(orders=await self._stored_orders(limit, status))
        rows = await self._parts.warehouse.query(ORDERS, (status, limit))
        return Orders(orders=[_order(row) for row in rows])

    async def signals(self, limit: int) -> Signals:
        """The newest signals."""
        if self._parts.warehouse is None:
            raise RefusedError("this process keeps no history: ask the warehouse", "no_history")
        rows = await self._parts.warehouse.query(SIGNALS, (limit,))
        return Signals(signals=[_signal(row) for row in rows])

    async def _stored_orders(self, limit: int, status: str) -> list[Order]:
        """Orders as they stand in the store, newest first, where there is no history to ask."""
        found = [document.value["order"] for document in await self._parts.documents.query("orders")]
        wanted = [row for row in found if status in ("", row["status"])]
        wanted.sort(key=lambda row: -row["observed_at"])
        return [_order({**row, "observed_at": to_datetime(row["observed_at"])}) for row in wanted[:limit]]

    def risk(self) -> Risk:
        """The account as the controls see it."""
        account, now = self._parts.executor.account, self._parts.clock.now()
        view = account.view("", "", now)
        events: Counter[str] = Counter()
        for position in account.positions.values():
            events[position.event_ticker] += abs(position.quantity)
        return Risk(
            halted=view.halted,
            cash_usd=format_usd(view.cash),
            bankroll_usd=format_usd(view.bankroll),
            reserved_usd=format_usd(account.reserved),
            lost_today_usd=format_usd(view.lost_today),
            lost_this_week_usd=format_usd(view.lost_this_week),
            trades_today=view.trades_today,
            contracts_today=format_quantity(view.quantity_today),
            consecutive_losses=view.consecutive_losses,
            orders_last_minute=sum(now - at < MINUTE for at in view.recent_orders),
            events={event: format_quantity(Quantity(lots)) for event, lots in sorted(events.items()) if lots},
            blocked=dict(self._parts.executor.blocked),
        )

    def limits(self) -> Limits:
        """The limits in force."""
        limits = self._parts.executor.limits
        return Limits(
            max_contracts_per_trade=format_quantity(limits.max_quantity_per_trade),
            max_risk_per_trade_usd=format_usd(limits.max_risk_per_trade),
            max_daily_loss_usd=format_usd(limits.max_daily_loss),
            max_weekly_loss_usd=format_usd(limits.max_weekly_loss),
            max_trades_per_day=limits.max_trades_per_day,
            max_contracts_per_day=format_quantity(limits.max_quantity_per_day),
            max_contracts_per_event=format_quantity(limits.max_quantity_per_event),
            max_sport_share_percent=limits.max_sport_share_basis_points / 100,
            max_orders_per_minute=limits.max_orders_per_minute,
            min_order_gap_ms=limits.min_order_gap_ms,
            max_consecutive_losses=limits.max_consecutive_losses,
            min_price_usd=format_price(limits.min_price),
            max_price_usd=format_price(limits.max_price),
        )

    async def halt(self, reason: str, actor: str) -> Trading:
        """Stop trading; when this returns, no order of this process passes the gate."""
        parts = self._parts
        await halt.halt(parts.documents, parts.clock, self._rng, reason, actor)
        await halt.restore(parts.documents, parts.executor.account)
        await self._changed()
        return Trading(halted=parts.executor.account.halted)

    async def resume(self, confirm: str, actor: str) -> Trading:
        """Lift the halt that ``confirm`` names; raises :class:`RefusedError` if that is not what stands."""
        parts = self._parts
        await halt.resume(parts.documents, parts.clock, self._rng, actor, confirm)
        await parts.execution.safety.breakers.close_all(Person(actor), f"resume of {confirm!r}")
        await halt.restore(parts.documents, parts.executor.account)
        await self._changed()
        return Trading(halted=parts.executor.account.halted)

    async def metrics(self) -> list[Family]:
        """Every metrics family of the run."""
        return [*collect(self._parts, await self._term()), *alarms(self._alerter)]

    async def _term(self) -> Term | None:
        try:
            return await lease_of(self._parts.documents)
        except StorageError:  # the numbers in memory are needed most when the disk fails
            return None

    async def _lease(self) -> LeaseState | None:
        term = await self._term()
        if term is None:
            return None
        return LeaseState(holder=term.holder, epoch=term.epoch, expires_at=format_instant(term.expires_at))

    def _money(self) -> Money:
        account = self._parts.executor.account
        return Money(
            cash_usd=format_usd(account.cash),
            reserved_usd=format_usd(account.reserved),
            open_cost_usd=format_usd(account.open_cost),
            fees_usd=format_usd(account.fees),
            profit_usd=format_usd(account.pnl),
        )


def _stage(name: str, latency: Latency) -> Stage:
    summary = latency.summary()
    p99_us = summary["p99_us"]
    budget_us = BUDGET_NS[name] / 1000 if name in BUDGET_NS else None
    return Stage(
        count=len(latency.samples),
        p50_us=summary["p50_us"],
        p95_us=summary["p95_us"],
        p99_us=p99_us,
        budget_us=budget_us,
        within_budget=p99_us <= budget_us if budget_us is not None and p99_us is not None else None,
    )


def _order(row: dict[str, Any]) -> Order:
    return Order(
        limit_usd=format_price(Price(row["limit"])),
        contracts=format_quantity(Quantity(row["quantity"])),
        filled_contracts=format_quantity(Quantity(row["filled"])),
        at=_time(row),
        **{name: row[name] for name in _ORDER_FIELDS},
    )


def _signal(row: dict[str, Any]) -> Signal:
    return Signal(
        limit_usd=format_price(Price(row["limit"])),
        contracts=format_quantity(Quantity(row["quantity"])),
        filled_contracts=format_quantity(Quantity(row["filled_lots"])),
        paid_usd=format_usd(Usd(row["paid"])),
        fees_usd=format_usd(Usd(row["fees"])),
        at=_time(row),
        **{name: row[name] for name in _SIGNAL_FIELDS},
    )


_ORDER_FIELDS = (
    *("order_id", "signal_id", "ticker", "side", "status", "mode", "league", "kind"),
    *("expected_edge", "controls", "reasons"),
)
_SIGNAL_FIELDS = (
    *("signal_id", "ticker", "side", "profile", "fair_probability", "net_edge", "confidence"),
    *("league", "kind"),
)


def _time(row: dict[str, Any]) -> str:
    at: Instant = from_datetime(row["observed_at"])
    return format_instant(at)
