"""What a scenario does to the exchange itself: pauses, halts, money, rulings and corrections, in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from fnmatch import fnmatchcase

from shared.clock import EASTERN, MINUTE, SECOND, Instant, from_datetime, to_datetime
from shared.money import Price
from shared.simulator.exchange import SHARDS
from shared.simulator.market import Market
from shared.simulator.plan import Plan
from shared.simulator.scenario import Fault, Kind
from shared.simulator.tickets import MemberOrder
from shared.simulator.world import World
from shared.terms import MarketStatus

_THURSDAY, _PAUSE_HOURS = 3, (3, 5)
# "Orders placed during the following minute may also be canceled."
_SWEPT_FOR = MINUTE
_TIMED = frozenset({Kind.TRADING_PAUSE, Kind.EXCHANGE_PAUSE, Kind.HALT})


class Happenings:
    """Keeps one world as the plan wants it, until :meth:`stop`."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._world, self._plan = world, plan
        self._desk = world.orders
        self._over = False
        self._quiet: set[int] = set()
        self._paused: set[int] = set()
        self._halted: set[str] = set()
        world.ruling = self._ruling
        world.on_settled = self._settled
        world.orders.on_created = self._created
        for due in sorted(set(self._boundaries())):
            world.at(due, self._while_on(self._keep))
        for fault in plan.scenario.faults:
            if fault.kind is Kind.CASH:
                world.at(self._due(fault.after_s), self._while_on(self._payer(fault)))
        if plan.scenario.weekly_pause:
            world.at(_next_change(world.now), self._while_on(self._weekly))
        self._keep(world.now)

    def stop(self) -> None:
        """End every pause and halt of the plan; nothing of it happens any more."""
        self._over = True
        self._keep(self._world.now)
        self._world.ruling = lambda _: None
        self._world.on_settled = lambda _: None
        self._desk.on_created = lambda _: None

    # --- time ----------------------------------------------------------------------------------------------

    def _due(self, seconds: float) -> Instant:
        return Instant(self._plan.began + round(seconds * SECOND))

    def _boundaries(self) -> Iterator[Instant]:
        for fault in self._plan.scenario.faults:
            if fault.kind in _TIMED:
                yield self._due(fault.after_s)
                if fault.until_s is not None:
                    yield self._due(fault.until_s)

    def _while_on(self, action: Callable[[Instant], int | None]) -> Callable[[Instant], int | None]:
        return lambda now: None if self._over else action(now)

    def _in_force(self, kind: Kind) -> list[Fault]:
        if self._over:
            return []
        elapsed = self._plan.elapsed_s
        return [f for f in self._plan.scenario.faults if f.kind is kind and f.covers(elapsed)]

    # --- pauses and halts ----------------------------------------------------------------------------------

    def _keep(self, now: Instant) -> None:
        """Make pauses and halts what they should be now."""
        quiet = _shards(self._in_force(Kind.TRADING_PAUSE))
        if self._plan.scenario.weekly_pause and not self._over and _is_weekly_pause(now):
            quiet = set(SHARDS)
        paused = _shards(self._in_force(Kind.EXCHANGE_PAUSE))
        _switch(self._quiet, quiet, self._desk.pause_trading, self._desk.resume_trading)
        _switch(self._paused, paused, self._desk.pause, self._desk.resume)
        self._keep_halts(self._in_force(Kind.HALT))

    def _keep_halts(self, faults: list[Fault]) -> None:
        markets = self._world.exchange.markets
        for ticker, market in list(markets.items()):
            if market.is_open and any(fnmatchcase(ticker, fault.ticker) for fault in faults):
                self._world.halt(ticker)
                self._halted.add(ticker)
        for ticker in sorted(self._halted):
            if not any(fnmatchcase(ticker, fault.ticker) for fault in faults):
                self._halted.discard(ticker)
                if ticker in markets and markets[ticker].status is MarketStatus.INACTIVE:
                    self._world.resume(ticker)

    def _weekly(self, now: Instant) -> int:
        self._keep(now)
        return _next_change(now)

    # --- money and results ---------------------------------------------------------------------------------

    def _payer(self, fault: Fault) -> Callable[[Instant], None]:
        def pay(now: Instant) -> None:
            assert fault.shard is not None  # noqa: S101 - checked when the scenario was read
            for account in self._world.exchange.accounts.values():
                account.deposit(fault.shard, fault.amount)
                account.note(now)

        return pay

    def _ruling(self, market: Market) -> Price | None:
        fault = self._plan.occasion(Kind.PAYOUT, market.ticker)
        return None if fault is None else fault.price

    def _settled(self, market: Market) -> None:
        fault = self._plan.occasion(Kind.CORRECT, market.ticker)
        if fault is None:
            return

        def correct(_: Instant) -> None:
            if market.ticker in self._world.exchange.markets and market.payout != fault.price:
                self._world.correct(market.ticker, fault.price)

        self._world.at(self._world.now + round(fault.seconds * SECOND), self._while_on(correct))

    def _created(self, order: MemberOrder) -> None:
        canceled_at = order.owner.canceled_all_at
        if not order.is_resting or canceled_at is None or self._world.now - canceled_at >= _SWEPT_FOR:
            return
        fault = self._plan.occasion(Kind.SWEEP, order.ticker)
        if fault is None:
            return

        def sweep(_: Instant) -> None:
            if order.is_resting:
                self._desk.withdraw(order, "")

        self._world.at(self._world.now + round(fault.seconds * SECOND), self._while_on(sweep))


def _shards(faults: list[Fault]) -> set[int]:
    """Shards that faults are about; one without a shard is about all."""
    found: set[int] = set()
    for fault in faults:
        found |= set(SHARDS) if fault.shard is None else {fault.shard}
    return found


def _switch(
    held: set[int], wanted: set[int], begin: Callable[[int], None], end: Callable[[int], None]
) -> None:
    for shard in sorted(wanted - held):
        begin(shard)
    for shard in sorted(held - wanted):
        end(shard)
    held.clear()
    held |= wanted


def _is_weekly_pause(now: Instant) -> bool:
    moment = to_datetime(now).astimezone(EASTERN)
    return moment.weekday() == _THURSDAY and _PAUSE_HOURS[0] <= moment.hour < _PAUSE_HOURS[1]


def _next_change(now: Instant) -> Instant:
    """The next begin or end of the weekly pause."""
    moment = to_datetime(now).astimezone(EASTERN)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    day += timedelta(days=(_THURSDAY - day.weekday()) % 7)
    for candidate in (day, day + timedelta(days=7)):
        for hour in _PAUSE_HOURS:
            due = from_datetime(candidate.replace(hour=hour))
            if due > now:
                return due
    raise AssertionError("a week has a Thursday")
