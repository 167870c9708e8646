"""A whole run: one exchange, one store, one bus, some executors, everything that goes wrong, and the referee.

First the plan's faults happen while signals come in; then the weather clears and a person lets trading go on;
everything must come to an end, agree with the exchange, and trade again.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import logging
import random
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from shared.clock import SECOND, Instant, parse_instant
from shared.execution.halt import PATH as HALT
from shared.execution.policy import OrderPolicy
from shared.money import LOTS, MICROS, ONE, Price, Quantity, Usd
from shared.ports import Create, Replace, Value, Write
from shared.risk.book import Book, encode_book
from shared.risk.limits import RiskLimits
from shared.simulator.faults import Faults
from shared.simulator.kalshi_http import KalshiApi
from shared.simulator.limits import Limits
from shared.simulator.market import Market
from shared.simulator.schedule import Preset
from shared.simulator.world import World
from shared.terms import Result as SettledAs
from shared.venues.kalshi.sign import Signer
from tests.simulation.bus import SimulationBus
from tests.simulation.case import BOOK, Case
from tests.simulation.keys import KEY_ID, QuickKey
from tests.simulation.loop import OWNER, SimulationError, SimulationLoop, owned
from tests.simulation.network import Exchange, ProcessConnect, ProcessTransport
from tests.simulation.plan import Fault, Plan
from tests.simulation.process import Host, Incarnation, Machine, Program, SkewedClock
from tests.simulation.record import Record
from tests.simulation.referee import Referee, ViolationError, listening
from tests.simulation.signals import Signals
from tests.simulation.store import Store
from tests.simulation.weather import Weather

BASE_URL = "https://exchange.example/trade-api/v2"
OPENING = Instant(parse_instant("2026-11-22T15:00:00Z") or 0)
# By then every market has been quoted.
START = Instant(OPENING + 120 * SECOND)
# Two leagues on two shards; no game begins before a run is over.
PRESET = Preset(
    counts={"EPL": 1, "NBA": 1},
    first_start_s=24 * 3600,
    span_s=600,
    length_s=600,
    slate_every_s=None,
    combos=0,
)
_DEPOSIT = Usd(2_000 * MICROS)
_DOLLAR = MICROS
_RESULTS = {
    "yes": (SettledAs.YES, ONE),
    "no": (SettledAs.NO, Price(0)),
    "scalar": (SettledAs.SCALAR, Price(430_000)),
}
_READ_LAG_S = 0.4
_REST_ORDER_S = 3.0
# An order that never arrived counts as such after 90 s; reads may lag, and then it is told.
_REST_S = 400.0
_LOOKS_S = 7.0
_TRADES_AGAIN_S = 300.0
_LIMITING = frozenset(
    {
        "daily_loss",
        "weekly_loss",
        "daily_trades",
        "daily_volume",
        "event_concentration",
        "sport_exposure",
        "consecutive_losses",
    }
)


def limits_of(tightness: int) -> RiskLimits:
    """Limits of a run: from ones that hardly bind to ones that bind within a minute; 4 lasts for days."""
    wide = RiskLimits(
        max_quantity_per_trade=Quantity(50 * LOTS),
        max_risk_per_trade=Usd(100 * _DOLLAR),
        min_price=Price(50_000),
        max_price=Price(950_000),
        max_daily_loss=Usd(1_000 * _DOLLAR),
        max_weekly_loss=Usd(3_000 * _DOLLAR),
        max_trades_per_day=500,
        max_quantity_per_day=Quantity(100_000 * LOTS),
        max_consecutive_losses=50,
        max_quantity_per_event=Quantity(5_000 * LOTS),
        max_sport_share_basis_points=9_000,
        max_orders_per_minute=60,
        min_order_gap_ms=0,
    )
    return (
        wide,
        replace(
            wide, max_orders_per_minute=5, min_order_gap_ms=100, max_quantity_per_trade=Quantity(3 * LOTS)
        ),
        replace(wide, max_daily_loss=Usd(9 * _DOLLAR), max_risk_per_trade=Usd(5 * _DOLLAR)),
        replace(wide, max_quantity_per_event=Quantity(25 * LOTS), max_sport_share_basis_points=60),
        replace(wide, max_trades_per_day=100_000, max_quantity_per_event=Quantity(10**6 * LOTS)),
    )[tightness]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a run. ``failure`` names the invariant or error, empty when all is well."""

    plan: Plan
    digest: str
    steps: int
    seconds: float
    failure: str
    text: str
    counts: dict[str, int]
    last: tuple[str, ...] = ()


@dataclass
class Run:
    """One run being made."""

    plan: Plan
    program: Program
    steps: int = 3_000_000
    counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        plan = self.plan
        self.loop = SimulationLoop(plan.seed, Record(), self.steps)
        self.weather = Weather(plan.seed)
        self.store = Store(self.loop, self.weather, plan.seed)
        self.exchange = self._exchange()
        self.bus = SimulationBus(self.loop, self.weather, plan.seed, plan.processes)
        self.limits = limits_of(plan.tightness)
        self.machines = [self._machine(number, skew) for number, skew in enumerate(plan.skews)]
        deposits = Usd(sum(self.exchange.account.cash.values()))
        self.case = Case(
            plan, self.loop, self.store, self.exchange, self.machines, self.limits, deposits, START,
            counts=self.counts,
        )  # fmt: skip
        secrets = (QuickKey.secret, base64.b64encode(QuickKey.secret.encode()).decode())
        self.referee = Referee(self.case, secrets)
        self.signals = Signals(self.loop, self.bus, self.exchange, self.store, plan.seed, plan.signals, START)
        self.case.signals, self.case.bad_signals = self.signals.raised, self.signals.bad
        self._listen()
        self._open_book(deposits)

    def _exchange(self) -> Exchange:
        seed = self.plan.seed
        world = World(seed, OPENING, PRESET)
        faults = Faults(seed, read_lag_s=_READ_LAG_S)
        clock = SkewedClock(self.loop, START)
        api = KalshiApi(world, clock, faults, Limits())
        account = api.add_member(KEY_ID, QuickKey().public_key(), _DEPOSIT)
        api.advance()
        return Exchange(self.loop, self.weather, api, account, seed)

    def _machine(self, number: int, skew: float) -> Machine:
        clock = SkewedClock(self.loop, START, skew)
        return Machine(number, self.loop, clock, self.program, self._host)

    def _host(self, incarnation: Incarnation) -> Host:
        self.referee.born(incarnation)
        seed = f"{self.plan.seed}/{incarnation.name}"
        return Host(
            holder=incarnation.name,
            documents=self.store.seen_by(incarnation),
            bus=self.bus.seen_by(incarnation),
            clock=incarnation.machine.clock,
            rng=random.Random(seed),  # noqa: S311 - reproducible
            stopwatch=lambda: int(self.loop.time() * 1e9),
            transport=ProcessTransport(self.exchange, incarnation),
            connect=ProcessConnect(self.exchange, incarnation),
            signer=Signer(KEY_ID, QuickKey()),
            base_url=BASE_URL,
            limits=self.limits,
            orders=OrderPolicy(rests_first=self.plan.maker, rest_s=_REST_ORDER_S),
            clean_fills=self.plan.canary,
        )

    def _listen(self) -> None:
        self.store.on_commit = self.referee.committed
        self.bus.on_publish = self.referee.published
        self.bus.on_handled = self.referee.handled
        self.exchange.on_send = self.referee.left
        self.exchange.on_arrival = self.referee.arrived

    def _open_book(self, cash: Usd) -> None:
        book = Book(cash, confirmed_at=START, deposits=cash).rolled(START)
        self.store.commit("operator", [Create(BOOK, encode_book(book))])

    # --- the course of a run --------------------------------------------------------------------------------

    def go(self) -> None:
        """Make the run; raises what went wrong."""
        try:
            with listening(self.referee):
                self.loop.run_until_complete(self._course())
        finally:
            logging.disable()  # what the dead say while they are put away
            try:
                with owned(_NOBODY):
                    self.loop.close()
            finally:
                logging.disable(logging.NOTSET)

    async def _course(self) -> None:
        self.exchange.pump()
        for machine in self.machines:
            machine.start()
        for fault in self.plan.faults:
            self.loop.call_at(fault.at, Trouble(self, fault).begin)
        self.signals.go_on(self.plan.seconds)
        self.loop.call_later(_LOOKS_S, self._look_after)
        await asyncio.sleep(self.plan.seconds)
        self.calm()
        await self._rest()
        self.referee.at_rest()
        await self._trades_again()
        await self._rest()
        self.referee.at_rest()
        await self._stop()

    def calm(self) -> None:
        """Faults end, and a person looks after things."""
        self.loop.record.effect("weather", "clears")
        self.weather.clear()
        world, faults = self.exchange.api.world, self.exchange.api.faults
        faults.read_lag_s, faults.no_order_id_share, faults.truncate_share = _READ_LAG_S, 0.0, 0.0
        for shard in sorted(world.exchange.paused_shards):
            world.orders.resume(shard)
        for ticker in self.signals.favourites:
            if world.exchange.markets[ticker].status.value == "inactive":
                world.resume(ticker)
        for machine, skew in zip(self.machines, self.plan.skews, strict=True):
            machine.clock.offset_us = int(skew * SECOND)
            machine.clear_traps()
            machine.start()
        self.let_trade()

    def _look_after(self) -> None:
        """Now and then somebody looks at open breakers, and closes them."""
        # What was under way when the weather cleared may still open one.
        if self.loop.time() < self.plan.seconds + 3 * _LOOKS_S:
            self.close_breakers()
            self.loop.call_later(_LOOKS_S, self._look_after)

    def let_trade(self) -> None:
        """A person lifts the halt and closes the breakers."""
        if self.case.halted_since() is not None:
            self.write(HALT, {"halted": False, "reason": "", "actor": "operator", "at": self.true_time()})
        self.close_breakers()

    def close_breakers(self) -> None:
        """A person closes every breaker."""
        board = self.store.value("control/breakers")
        if board is not None and board["breakers"]:
            self.write("control/breakers", board | {"breakers": {}, "seq": board["seq"] + 1})

    def write(self, path: str, value: Value) -> None:
        """A person or another system writes a document."""
        version = self.store.version(path)
        write: Write = Create(path, value) if version is None else Replace(path, value, version)
        self.store.commit("operator", [write])

    def true_time(self) -> Instant:
        """The time as it is."""
        return Instant(START + int(self.loop.time() * SECOND))

    async def _rest(self) -> None:
        """Wait until nothing is open."""
        until = self.loop.time() + _REST_S
        quiet = 0
        while quiet < 3:
            await asyncio.sleep(1.0)
            is_open = self.case.open_intents() or self.case.raw_book()["reserved"]
            is_open = is_open or self._is_behind() or self._is_unpaid()
            quiet = 0 if is_open else quiet + 1
            if self.loop.time() > until:
                return  # the referee says what is left

    def _is_behind(self) -> bool:
        """Whether the exchange has filled what is not booked: allowed for a while."""
        booked = sum(intent.filled for intent in self.case.intents.values())
        return booked != sum(order.filled for order in self.case.orders.values())

    def _is_unpaid(self) -> bool:
        """Whether the exchange has paid, or will soon, what the book still holds."""
        held = self.case.raw_book()["holdings"]
        return any(self.exchange.market(ticker).payout is not None for ticker in held)

    async def _trades_again(self) -> None:
        """A good signal must lead to an order within bounded time, unless a limit forbids it."""
        # What was under way to the end may have opened one more breaker, for a person to close.
        self.close_breakers()
        before, since = len(self.case.orders), self.loop.time()
        while len(self.case.orders) == before:
            if self._is_at_a_limit(since):
                return
            if self.loop.time() > since + _TRADES_AGAIN_S:
                said = [refusal.verdict.reasons for refusal in self.case.refusals if refusal.at > since]
                text = f"no order within {_TRADES_AGAIN_S:g} s; last refused: {said[-1:]}"
                raise ViolationError("it_trades_again", text, self.loop.time())
            self.signals.probe()
            await asyncio.sleep(15)

    def _is_at_a_limit(self, since: float) -> bool:
        """Whether all that was refused since was refused for a limit that time does not lift today."""
        said = [
            {one.control for one in refusal.verdict.refusals} & _LIMITING
            for refusal in self.case.refusals
            if refusal.at > since
        ]
        return bool(said) and all(said)

    async def _stop(self) -> None:
        """Everybody is asked to stop, and leaves nothing behind."""
        for machine in self.machines:
            await machine.stop()
        leaked = [text for machine in self.machines for text in machine.leaked]
        if leaked:
            raise ViolationError("nothing_is_left_running", "; ".join(leaked), self.loop.time())
        self.counts["starts"] = sum(machine.rises for machine in self.machines)


class _Nobody:
    name = "nobody"
    is_alive = False
    stalled_until = 0.0

    def stepped(self) -> bool:
        return False


_NOBODY = _Nobody()


@dataclass
class Trouble:
    """One fault of the plan, when its time has come."""

    run: Run
    fault: Fault
    _ends: Callable[[], None] | None = None

    def begin(self) -> None:
        """It sets in; what lasts is ended in time."""
        run, fault = self.run, self.fault
        if run.loop.time() >= run.plan.seconds:
            return
        run.loop.record.effect("weather", fault.kind, f"{fault}")
        run.counts[f"fault {fault.kind}"] = run.counts.get(f"fault {fault.kind}", 0) + 1
        special: Callable[[], None] | None = getattr(self, f"_{fault.kind}", None)
        if special is not None:
            special()
        else:
            run.weather.begin(fault)
            run.store.poke()
            run.loop.call_later(fault.seconds, run.weather.end, fault)

    @property
    def _machine(self) -> Machine:
        return self.run.machines[self.fault.who % len(self.run.machines)]

    # --- processes ------------------------------------------------------------------------------------------

    def _crash(self) -> None:
        self._machine.kill_for(self.fault.seconds, "crash")

    def _crash_step(self) -> None:
        running = self._machine.running
        if running is not None:
            running.steps_left, running.down_s = int(self.fault.value), self.fault.seconds

    def _crash_boundary(self) -> None:
        machine, fault = self._machine, self.fault
        machine.set_trap(
            fault.word, int(fault.value), lambda: machine.kill_for(fault.seconds, f"at {fault.word}")
        )

    def _stop(self) -> None:
        async def stop() -> None:
            await self._machine.stop()
            self._machine.rise_in(self.fault.seconds)

        self.run.loop.create_task(stop())

    def _stall(self) -> None:
        self._machine.stall(self.fault.seconds)

    def _stall_boundary(self) -> None:
        machine, fault = self._machine, self.fault
        machine.set_trap(fault.word, int(fault.value), lambda: machine.stall(fault.seconds))

    def _clock_jump(self) -> None:
        self._machine.clock.jump(self.fault.value)

    # --- lease and people -----------------------------------------------------------------------------------

    def _lease_taken(self) -> None:
        run = self.run
        held = run.store.value("leases/executor") or {"epoch": 0}
        until = Instant(run.true_time() + int(self.fault.seconds * SECOND))
        run.write("leases/executor", {"holder": "another", "epoch": held["epoch"] + 1, "expires_at": until})

    def _halt(self) -> None:
        run = self.run
        value = {"halted": True, "reason": "a look at it", "actor": "operator", "at": run.true_time()}
        run.write(HALT, value)
        lifted = {"halted": False, "reason": "", "actor": "operator"}
        run.loop.call_later(self.fault.seconds, lambda: run.write(HALT, lifted | {"at": run.true_time()}))

    # --- venue ----------------------------------------------------------------------------------------------

    def _for_a_while(self, name: str, value: float, after: float) -> None:
        faults = self.run.exchange.api.faults
        setattr(faults, name, value)
        self.run.loop.call_later(self.fault.seconds, setattr, faults, name, after)

    def _read_lag(self) -> None:
        self._for_a_while("read_lag_s", self.fault.value, _READ_LAG_S)

    def _no_order_id(self) -> None:
        self._for_a_while("no_order_id_share", self.fault.share, 0.0)

    def _truncated(self) -> None:
        self._for_a_while("truncate_share", self.fault.share, 0.0)

    def _stream_drop(self) -> None:
        for line in list(self.run.exchange.lines):
            if line.owner.who == self.fault.who:
                line.drop()

    def _shard_paused(self) -> None:
        desk = self.run.exchange.api.world.orders
        for shard in (0, 3):
            desk.pause(shard)
            self.run.loop.call_later(self.fault.seconds, desk.resume, shard)

    def _market_halted(self) -> None:
        world, ticker = self.run.exchange.api.world, self.run.signals.favourites[0]
        if world.exchange.markets[ticker].is_open:
            world.halt(ticker)
            self.run.loop.call_later(self.fault.seconds, self._resume_market, ticker)

    def _market_settled(self) -> None:
        world = self.run.exchange.api.world
        market = self.run.exchange.market(self.run.signals.favourites[int(self.fault.value)])
        if market.is_open:
            world.orders.close_market(market)
            world.exchange.close(market)
            world.exchange.determine(market, *_RESULTS[self.fault.word])
            self.run.loop.call_later(self.fault.seconds, self._pay, market)

    def _pay(self, market: Market) -> None:
        world = self.run.exchange.api.world
        self.run.exchange.api.advance()
        world.exchange.settle(market, world.orders.pay_out)

    def _resume_market(self, ticker: str) -> None:
        world = self.run.exchange.api.world
        if world.exchange.markets[ticker].status.value == "inactive":
            world.resume(ticker)


def run(
    plan: Plan, program: Program, mutation: Callable[[], AbstractContextManager[object]] = nullcontext
) -> Result:
    """Make one run of ``plan`` with ``program`` and say what became of it."""
    token = OWNER.set(None)
    was_collecting = gc.isenabled()
    gc.disable()  # when it runs depends on what ran before
    disabled = logging.root.manager.disable
    try:
        with mutation():
            made = Run(plan, program)
            failure, text = _outcome(made)
        record = made.loop.record
        return Result(
            plan, record.digest, made.loop.steps, made.loop.time(), failure, text, made.counts,
            tuple(record.last) if failure else (),
        )  # fmt: skip
    finally:
        logging.root.manager.disable = disabled
        if was_collecting:
            gc.enable()
        OWNER.reset(token)


def _outcome(made: Run) -> tuple[str, str]:
    try:
        made.go()
    except ViolationError as foul:
        return foul.invariant, str(foul)
    except SimulationError as error:
        return type(error).__name__, str(error)
    return "", ""
