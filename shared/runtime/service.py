"""The execution service: an executor of its own. Signals come from store or bus; nothing else is here.

Every signal stands in ``signals/{id}`` before it is told, so what was raised while no executor ran is found
there, and one that the bus tells twice is worked once.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress

import msgspec

from shared.clock import DAY, MINUTE, Clock, Instant
from shared.errors import ArbError, ConflictError, MalformedError
from shared.execution.decide import is_expired
from shared.idempotence import Seen
from shared.messages import Message, OpportunityAssessed, Quarantined, SignalRaised, seal
from shared.ports import Document, Documents
from shared.runtime.loops import Loop, Loops
from shared.runtime.trading import TradingParts, TradingSide

_log = logging.getLogger(__name__)

SIGNALS = "signals"
_AGAIN_S = 1.0
_PULL_AGAIN_S = 10.0
# After this much of a game its markets hold nothing for a pre-game strategy.
_FORGET_AFTER = 30 * MINUTE
# History has every signal for good; in the store it is of use while it may be worked, and to look back.
_KEPT = 2 * DAY
_AT_ONCE = 100


class ExecutionService(Loops):
    """Trades signals. :meth:`run` returns when ``stop`` is set, or raises what ended it.

    ``close`` is called last, when everything on its way has arrived. ``pull`` brings the bus's messages where
    it must be asked for them: it ends only by an error, and is begun again.
    """

    def __init__(
        self,
        parts: TradingParts,
        rng: random.Random,
        close: Callable[[], Awaitable[None]],
        pull: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        super().__init__(parts.clock, parts.stats)
        self.parts, self._close, self._pull = parts, close, pull
        self.trading = TradingSide(parts, self, rng)
        self.intake = SignalIntake(parts, self.trading)
        for topic in (OpportunityAssessed.TOPIC, SignalRaised.TOPIC):
            parts.bus.subscribe(topic, "execution", self.intake.hear)

    async def run(self) -> None:
        """Recover, trade until the stop, then follow what is on its way to its end."""
        p = self.parts
        async with AsyncExitStack() as closing:
            # What is pushed last happens first, and each happens whatever becomes of the others.
            closing.push_async_callback(self._close)
            closing.push_async_callback(p.resources.aclose)
            await self.trading.begin()
            closing.push_async_callback(self.trading.account)
            closing.push_async_callback(p.execution.trader.resign)
            closing.push_async_callback(p.floor.ended)
            tasks = self.start([*self.trading.loops(), *self._loops()])
            try:
                await self.stop.wait()
            finally:
                self.trading.end()
                await self.finish(tasks, (*TradingSide.LISTENING, "signals", "pull"))
        if self.failure is not None:
            raise self.failure

    @property
    def finds_edges(self) -> bool:
        """It is told what to trade."""
        return False

    def _loops(self) -> list[Loop]:
        housekeeping = self.parts.pace.housekeeping
        loops: list[Loop] = [
            ("signals", self.intake.follow(self.parts.documents)),
            ("housekeeping", self.every("housekeeping", housekeeping, self.intake.tidy)),
        ]
        if self._pull is not None:
            loops.append(("pull", self._pulled(self._pull)))
        return loops

    async def _pulled(self, pull: Callable[[], Awaitable[None]]) -> None:
        """Pull for ever; whatever ends it, signals are still found in the store."""
        while True:
            try:
                await pull()
            except (ArbError, OSError) as exc:
                self.parts.stats.alerts["pull"] = f"signals are heard from the store alone: {exc}"
                _log.warning("signals cannot be pulled: %s", exc)
            await self.parts.clock.sleep(_PULL_AGAIN_S)
            self.parts.stats.alerts.pop("pull", None)


class SignalIntake:
    """Takes in signals, from wherever they come, once each; what cannot be used is kept with its reason."""

    def __init__(self, parts: TradingParts, trading: TradingSide) -> None:
        self._parts, self._trading = parts, trading
        self._known: Seen[str] = Seen()
        self._over: dict[str, Instant] = {}
        # What stands in the store: its version, and when it may go.
        self._kept: dict[str, tuple[int, Instant]] = {}
        self._since = parts.clock.now()

    @property
    def _clock(self) -> Clock:
        return self._parts.clock

    async def hear(self, message: Message) -> None:
        """A handler for the bus."""
        if isinstance(message, SignalRaised):
            await self.take(message)
        else:
            await self._parts.floor.on_message(message)

    async def follow(self, documents: Documents) -> None:
        """Take every signal that the store has and will have, for ever; runs until cancelled."""
        while True:
            try:
                async for document in documents.watch(SIGNALS):
                    await self._stored(document)
            except asyncio.CancelledError:
                raise
            except (ArbError, OSError) as exc:
                _log.warning("signals cannot be watched: %s", exc)
            await self._clock.sleep(_AGAIN_S)

    async def take(self, signal: SignalRaised) -> None:
        """Hold the market's live book and work the signal, unless its time is over or it is known."""
        now = self._clock.now()
        if signal.signal_id in self._known:
            return
        self._known.add(signal.signal_id)
        if is_expired(signal, now):
            # What expired before we were here was an earlier run's to work.
            if signal.observed_at >= self._since:
                await self._parts.executor.refuse(signal, "the signal had expired when it came here")
            return
        self._parts.stats.signals += 1
        self._over[signal.ticker] = Instant((signal.starts_at or now) + _FORGET_AFTER)
        self._trading.want([signal.ticker])
        # Worked first: a book that cannot be asked for now is asked for again, a signal is not.
        await self._parts.floor.on_message(signal)
        await self._trading.watch_books()

    async def tidy(self) -> None:
        """Let go of the books of markets whose games have begun, and of signals that are long over."""
        now = self._clock.now()
        await self._clear(now)
        gone = [ticker for ticker, over in self._over.items() if over <= now]
        for ticker in gone:
            del self._over[ticker]
        self._parts.floor.forget(gone)
        if self._parts.stream is not None:
            await self._parts.stream.unwatch(gone)

    async def _clear(self, now: Instant) -> None:
        over = [path for path, (_, at) in self._kept.items() if at <= now]
        for path in over[:_AT_ONCE]:
            version, _ = self._kept.pop(path)
            with suppress(ConflictError):  # another was here first
                await self._parts.documents.delete_if(path, version)

    async def _stored(self, document: Document) -> None:
        self._kept[document.path] = document.version, Instant(self._clock.now() + _KEPT)
        try:
            signal = signal_of(document)
            over = Instant((signal.expires_at or signal.observed_at) + _KEPT)
            self._kept[document.path] = document.version, over
            await self.take(signal)
        except MalformedError as exc:
            bad = Quarantined(
                observed_at=self._clock.now(), source=SIGNALS, reason=str(exc), sample=document.path
            )
            await self._parts.bus.publish(bad.TOPIC, [seal(bad)])


def signal_of(document: Document) -> SignalRaised:
    """The signal in a stored document; raises :class:`MalformedError`."""
    try:
        return msgspec.convert(document.value, SignalRaised)
    except msgspec.ValidationError as exc:
        raise MalformedError(f"{document.path}: {exc}") from exc
