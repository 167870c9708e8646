"""A bare simulation for tests of its parts: a loop, weather, and processes that run whatever a test likes."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from shared.simulator.faults import Faults
from shared.simulator.kalshi_http import KalshiApi
from shared.simulator.limits import Limits
from shared.simulator.world import World
from shared.venues.kalshi.sign import Signer
from tests.simulation.bus import SimulationBus
from tests.simulation.keys import QuickKey
from tests.simulation.loop import SimulationLoop
from tests.simulation.network import Exchange, ProcessConnect, ProcessTransport
from tests.simulation.plan import Fault
from tests.simulation.process import Host, Incarnation, Machine, Program, SkewedClock
from tests.simulation.store import Store
from tests.simulation.weather import Weather
from tests.simulation.world import BASE_URL, OPENING, PRESET, START, limits_of

T = TypeVar("T")


async def idle(_: Host) -> None:
    """A program that does nothing."""


@dataclass
class Bench:
    """Everything of a run but its course."""

    seed: int = 1
    hosts: list[Host] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.loop, self.weather = SimulationLoop(self.seed), Weather(self.seed)
        self.store = Store(self.loop, self.weather, self.seed)
        self.bus = SimulationBus(self.loop, self.weather, self.seed, 2)
        world = World(self.seed, OPENING, PRESET)
        api = KalshiApi(world, SkewedClock(self.loop, START), Faults(self.seed), Limits())
        account = api.add_member("member", QuickKey().public_key(), limits_of(0).max_daily_loss)
        api.advance()
        self.exchange = Exchange(self.loop, self.weather, api, account, self.seed)

    def machine(self, program: Program = idle, number: int = 0) -> Machine:
        """A machine that is not started yet."""
        return Machine(number, self.loop, SkewedClock(self.loop, START), program, self._host)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run to the end of ``coroutine`` and put everything away."""
        try:
            return self.loop.run_until_complete(coroutine)
        finally:
            self.loop.close()

    def alone(self, program: Callable[[Host], Coroutine[Any, Any, T]]) -> T:
        """Result of a program on one machine, which must end."""
        results: list[T] = []

        async def kept(host: Host) -> None:
            results.append(await program(host))

        async def main() -> None:
            machine = self.machine(kept)
            machine.start()
            while machine.running is not None and not results and not machine.ends:
                await self._moment()
            assert not machine.ends, machine.ends

        self.run(main())
        return results[0]

    def begin(self, kind: str, **how: Any) -> Fault:
        """Let a fault set in, for good."""
        fault = Fault(at=0.0, kind=kind, **how)
        self.weather.begin(fault)
        return fault

    async def _moment(self) -> None:
        future = self.loop.create_future()
        self.loop.call_later(0.01, future.set_result, None)
        await future

    def _host(self, incarnation: Incarnation) -> Host:
        host = Host(
            holder=incarnation.name,
            documents=self.store.seen_by(incarnation),
            bus=self.bus.seen_by(incarnation),
            clock=incarnation.machine.clock,
            rng=random.Random(1),  # noqa: S311 - reproducible
            stopwatch=lambda: int(self.loop.time() * 1e9),
            transport=ProcessTransport(self.exchange, incarnation),
            connect=ProcessConnect(self.exchange, incarnation),
            signer=Signer("member", QuickKey()),
            base_url=BASE_URL,
            limits=limits_of(0),
        )
        self.hosts.append(host)
        return host
