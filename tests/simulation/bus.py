"""The bus of a run: at least once, unordered, late, twice; what a dead subscriber missed comes when it rises.

Each machine has its own subscription, as instances of an always-on service have; a handler that fails gets
the message again, a limited number of times.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from shared.errors import RetryLaterError
from shared.messages import Message
from shared.ports import Handler
from tests.simulation.loop import SimulationLoop, owned
from tests.simulation.process import DELIVERY, Incarnation
from tests.simulation.weather import Weather

_QUICK_S = (0.005, 0.08)
_AGAIN_S = (0.5, 5.0)
_MOST_TRIES = 5
# What nobody takes for so long is dropped, as a retention time does.
_KEPT_S = 120.0


@dataclass(eq=False)
class _Subscription:
    topic: str
    name: str
    machine: int
    handler: Handler
    owner: Incarnation


class SimulationBus:
    """The bus all processes share."""

    def __init__(self, loop: SimulationLoop, weather: Weather, seed: int | str, machines: int) -> None:
        self.loop, self.weather, self.machines = loop, weather, machines
        self.rng = random.Random(f"{seed}/bus")  # noqa: S311 - reproducible
        self.on_publish: Callable[[str, Message], None] = lambda who, message: None
        self.on_handled: Callable[[Incarnation, Message], None] = lambda who, message: None
        self._subscriptions: dict[tuple[int, str, str], _Subscription] = {}
        self.dropped = 0

    def seen_by(self, incarnation: Incarnation) -> ProcessBus:
        """The bus as one process sees it."""
        return ProcessBus(self, incarnation)

    def publish(self, who: str, message: Message) -> None:
        """Accept a message for delivery to every machine that ever subscribes to its topic soon enough."""
        self.loop.record.effect(who, "publishes", f"{message.TOPIC} {message.event_id}")
        self.on_publish(who, message)
        copies = 2 if self.weather.strikes("bus_duplicate", -1) else 1
        for machine in range(self.machines):
            for _ in range(copies):
                self._send(machine, message, self._delay(), 1, self.loop.time() + _KEPT_S)

    def subscribe(self, subscription: _Subscription) -> None:
        """From now on; an earlier incarnation's handler is replaced."""
        key = (subscription.machine, subscription.topic, subscription.name)
        self._subscriptions[key] = subscription

    def wants(self, topic: str) -> bool:
        """Whether anybody subscribes to ``topic``."""
        return any(one.topic == topic for one in self._subscriptions.values())

    def _delay(self) -> float:
        quick = self.rng.uniform(*_QUICK_S)
        late = self.weather.strikes("bus_late", -1)
        return quick if late is None else quick + self.rng.random() * late.value

    def _send(self, machine: int, message: Message, delay: float, tries: int, until: float) -> None:
        if self.wants(message.TOPIC):
            with owned(None):
                self.loop.call_later(delay, self._deliver, machine, message, tries, until)

    def _deliver(self, machine: int, message: Message, tries: int, until: float) -> None:
        found = [
            one
            for one in self._subscriptions.values()
            if one.machine == machine and one.topic == message.TOPIC
        ]
        if not any(one.owner.is_alive for one in found):
            if self.loop.time() < until:
                self._send(machine, message, 1.0, tries, until)
            return
        for one in found:
            if one.owner.is_alive:
                self.loop.record.effect(one.owner.name, "hears", f"{message.TOPIC} {message.event_id}")
                with owned(one.owner):
                    task = self.loop.create_task(_handled(one.handler, message), name=DELIVERY)
                with owned(None):
                    task.add_done_callback(partial(self._answered, one, message, tries, until))

    def _answered(
        self, one: _Subscription, message: Message, tries: int, until: float, task: asyncio.Task[None]
    ) -> None:
        if task.cancelled() or task.exception() is not None:
            if tries < _MOST_TRIES:
                self._send(one.machine, message, self.rng.uniform(*_AGAIN_S), tries + 1, until)
            else:
                self.dropped += 1
        else:
            self.on_handled(one.owner, message)


async def _handled(handler: Handler, message: Message) -> None:
    await handler(message)


class ProcessBus:
    """The ``Bus`` port of one process."""

    def __init__(self, bus: SimulationBus, incarnation: Incarnation) -> None:
        self._bus, self._owner = bus, incarnation

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """See the port."""
        await self._owner.lives()
        if self._bus.weather.strikes("bus_down", self._owner.who):
            raise RetryLaterError("the bus does not answer")
        await asyncio.sleep(self._bus.rng.uniform(0.0005, 0.002))
        await self._owner.lives()
        for message in messages:
            self._bus.publish(self._owner.name, message)

    def subscribe(self, topic: str, name: str, handler: Handler) -> None:
        """See the port."""
        if self._owner.is_alive:
            self._bus.subscribe(_Subscription(topic, name, self._owner.who, handler, self._owner))
