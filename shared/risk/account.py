"""The account as the controls see it: one ledger, what is reserved, and the day's and week's counts.

Pure bookkeeping: fed by orders, fills and settlements, asked for a :class:`RiskView`. A trading day is an
Eastern calendar day; a loss is counted when it is realised, fees included.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import date

from shared.clock import MINUTE, Instant, age, eastern_day
from shared.money import Price, Quantity, Usd, notional
from shared.orders.ledger import Fill, Ledger, Settlement
from shared.risk.controls import Proposal, RiskView


@dataclass(slots=True)
class Account:
    """One account's state for risk. Not shared between threads."""

    ledger: Ledger
    halted: str = ""
    consecutive_losses: int = 0
    resumed_at: Instant = Instant(0)
    _day: str = ""
    _week: tuple[int, int] = (0, 0)
    _pnl_today: int = 0
    _pnl_week: int = 0
    _trades_today: int = 0
    _quantity_today: int = 0
    _recent: deque[Instant] = field(default_factory=deque)
    _reserved: dict[str, Proposal] = field(default_factory=dict)
    _sport_of: dict[str, str] = field(default_factory=dict)
    _event_of: dict[str, str] = field(default_factory=dict)
    _event_quantity: dict[str, int] = field(default_factory=dict)

    @property
    def reserved(self) -> Usd:
        """Money that orders in flight may still spend."""
        return Usd(sum(proposal.risk for proposal in self._reserved.values()))

    def view(self, event: str, sport: str, now: Instant) -> RiskView:
        """The account for an order on ``event`` (see :class:`Proposal`), reservations counted as spent."""
        self._roll(now)
        reserved = self.reserved
        return RiskView(
            cash=Usd(self.ledger.cash - reserved),
            bankroll=Usd(self.ledger.cash + self.ledger.open_cost),
            lost_today=Usd(max(0, -self._pnl_today) + reserved),
            lost_this_week=Usd(max(0, -self._pnl_week) + reserved),
            trades_today=self._trades_today,
            quantity_today=Quantity(self._quantity_today),
            consecutive_losses=self.consecutive_losses,
            event_quantity=Quantity(self._event_contracts(event)),
            sport_risk=Usd(self._sport_risk(sport)),
            recent_orders=tuple(self._recent),
            halted=self.halted,
        )

    def reserve(self, proposal: Proposal) -> None:
        """Hold the money of an order about to be sent, and count it."""
        self._roll(proposal.at)
        self._reserved[proposal.client_order_id] = proposal
        self._sport_of[proposal.ticker] = proposal.sport
        self._event_of[proposal.ticker] = proposal.event
        self._trades_today += 1
        self._quantity_today += proposal.quantity
        self._recent.append(proposal.at)

    def release(self, client_order_id: str) -> None:
        """Give back what an order that has ended did not spend."""
        self._reserved.pop(client_order_id, None)

    def filled(self, fill: Fill, now: Instant) -> bool:
        """Book a fill; ``False`` if it was known already."""
        before = self.ledger.pnl
        if self.ledger.record(fill) is None:
            return False
        event = self._event_of.get(fill.ticker, fill.event_ticker)
        self._event_quantity[event] = self._event_quantity.get(event, 0) + fill.quantity
        self._earn(self.ledger.pnl - before, now)
        return True

    def settled(self, ticker: str, payout_yes: Price, now: Instant) -> Settlement | None:
        """Pay out a market; counts towards the day and, since a person last resumed, the run of losses."""
        before = self.ledger.pnl
        settlement = self.ledger.settle(ticker, payout_yes)
        if settlement is None:
            return None
        self._earn(self.ledger.pnl - before, now)
        held = settlement.yes_quantity + settlement.no_quantity
        if held and now > self.resumed_at:
            self.consecutive_losses = self.consecutive_losses + 1 if settlement.pnl < 0 else 0
        return settlement

    def resumed(self, at: Instant) -> None:
        """A person let trading go on: the losses before ``at`` are known to them and count no more."""
        self.halted = ""
        if at > self.resumed_at:
            self.resumed_at, self.consecutive_losses = at, 0

    def _earn(self, amount: int, now: Instant) -> None:
        self._roll(now)
        self._pnl_today += amount
        self._pnl_week += amount

    def _event_contracts(self, event: str) -> int:
        flying = sum(p.quantity for p in self._reserved.values() if p.event == event)
        return self._event_quantity.get(event, 0) + flying

    def _sport_risk(self, sport: str) -> int:
        held = sum(
            position.cost
            for ticker, position in self.ledger.positions.items()
            if self._sport_of.get(ticker) == sport
        )
        return held + sum(p.risk for p in self._reserved.values() if p.sport == sport)

    def _roll(self, now: Instant) -> None:
        """Start a new day or week, and forget orders older than a minute. Breakers do not roll.

        A clock set back starts no new day: it would forget the day's losses. Orders it left in the future
        are forgotten, or they would stop all others until it comes round again.
        """
        day = eastern_day(now)
        if day > self._day:
            self._day, self._pnl_today, self._trades_today, self._quantity_today = day, 0, 0, 0
            week = date.fromisoformat(day).isocalendar()[:2]
            if week != self._week:
                self._week, self._pnl_week = week, 0
        while self._recent and age(self._recent[0], now) >= MINUTE:
            self._recent.popleft()


def risk_of(limit: Price, quantity: Quantity, fee_budget: Usd) -> Usd:
    """What an order can lose: its cost at the limit plus the most it can pay in fees, micro-dollars."""
    return Usd(notional(limit, quantity) + fee_budget)
