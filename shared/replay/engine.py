"""Plays a tape through mapping, detection and paper execution, and says what came of it.

The engine is the live one; only clock, source of events, stores and gateway differ. Every message it
publishes goes into a journal whose digest is the same for the same tape and settings.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

import msgspec

from shared.backends.memory.bus import DirectBus
from shared.backends.memory.documents import MemoryDocuments
from shared.books.firewall import QuoteLimits
from shared.clock import Instant, ManualClock
from shared.edges.board import Board
from shared.edges.detector import DetectorSettings
from shared.execution.account import Account
from shared.execution.assemble import Rules, assemble
from shared.execution.books import BookKeeper
from shared.execution.paper import PaperGateway
from shared.execution.safety import SafetyPolicy
from shared.fees.kalshi import FeeSchedule
from shared.messages import (
    BY_TOPIC,
    FillRecorded,
    MappingDecided,
    MarketListed,
    MarketSettled,
    Message,
    OddsEvent,
    OddsSeen,
    OpportunityAssessed,
    Quarantined,
    SignalRaised,
    encode,
    seal,
)
from shared.money import MICROS, Usd
from shared.pipeline.detect import EdgeDetector
from shared.pipeline.map_events import EventMapper
from shared.pipeline.settle import Settler
from shared.replay.tape import Tape, TapeEvent
from shared.risk.limits import RiskLimits
from shared.runtime.floor import TradingFloor, signal_schedule
from shared.terms import FeeType, MarketShape, MarketStatus
from shared.venues.kalshi.events import BookDelta, BookSnapshot

_PROGRESS_EVERY = 2_000  # events
# More than any order needs from its answer to its booking, all in memory.
_ORDER_TURNS = 20

# An edge against a game that has begun, or a quote that is gone, was never there.
_TOO_LATE = ("started", "stale_quote")


@dataclass(slots=True)
class ReplayResult:
    """Everything a replay brought to light. Money in micro-dollars."""

    account: Account
    listings: int = 0
    odds: int = 0
    book_events: int = 0
    assessed: int = 0
    mapped: set[str] = field(default_factory=set)
    unmapped: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    best: dict[tuple[str, str], OpportunityAssessed] = field(default_factory=dict)
    signals: list[SignalRaised] = field(default_factory=list)
    fills: list[FillRecorded] = field(default_factory=list)
    settled: list[MarketSettled] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    assumed_fees: set[str] = field(default_factory=set)
    digest: str = ""


class Replay:
    """One run over one tape."""

    def __init__(
        self,
        settings: DetectorSettings,
        limits: RiskLimits,
        bankroll: Usd,
        latency_s: float = 0.05,
        keep: Callable[[Message], None] = lambda message: None,
    ) -> None:
        """``keep`` is called with every message, in order."""
        self._keep = keep
        self._hash = hashlib.blake2b(digest_size=16)
        self._clock = ManualClock()
        self._bus, self._documents = DirectBus(), MemoryDocuments()
        self._bankroll = bankroll
        self._keeper = BookKeeper()
        paper = PaperGateway(self._keeper.book_of, self._schedule_of, self._clock, latency_s)
        rules = Rules(
            limits,
            QuoteLimits(max_age=settings.max_quote_age),
            SafetyPolicy(deploy="replay", clean_fills=0),
            holder="replay",
            is_alone=True,
            max_age_s=inf,
        )
        rng = random.Random(0)  # noqa: S311
        self._execution = assemble(
            self._documents, self._bus, self._clock, rng, paper, paper.book_of, rules, stopwatch=lambda: 0
        )
        self.result = ReplayResult(account=self._execution.account)
        self._detector = EdgeDetector(Board(settings), self._documents, self._bus, self._clock)
        self._floor = TradingFloor(self._detector, self._keeper, self._execution.executor, self._clock, paper)
        self._mapper = EventMapper(self._documents, self._bus, self._clock, rng)
        # Results come from the tape: there is no exchange to ask.
        self._settler = Settler(None, self._execution.account, self._execution.journal)  # type: ignore[arg-type]
        self._schedules: dict[str, FeeSchedule] = {}
        self._slates: dict[str, dict[str, OddsEvent]] = {}
        self._deep: set[str] = set()
        for topic in BY_TOPIC:
            self._bus.subscribe(topic, "replay", self._hear)
        for topic in (*EdgeDetector.TOPICS, OpportunityAssessed.TOPIC, SignalRaised.TOPIC):
            self._bus.subscribe(topic, "floor", self._floor.on_message)

    async def play(self, tape: Tape, progress: Callable[[int], None] = lambda played: None) -> ReplayResult:
        """Play everything, then let what is on its way arrive; ``progress`` is told now and then."""
        self.result.quarantined = tape.quarantined
        await self._execution.stored.open(self._bankroll)
        self._introduce(tape)
        events, total = tape.events, len(tape.events)
        index, told, now = 0, 0, Instant(-1)
        while index < total:
            at, event = events[index]
            if at != now:
                now = at
                if self._clock.is_due(at):
                    await self._clock.advance_to(at)
                else:
                    self._clock.set(at)
            if isinstance(event, (BookDelta, BookSnapshot)):
                index += 1
                self.result.book_events += 1
                found = self._floor.heard(event)
                if found is not None:
                    await self._detector.publish(found)
            else:
                index = await self._together(events, index)
            if self._floor.busy and (index == total or events[index][0] != at):
                await self._let_orders_move()
            if index - told >= _PROGRESS_EVERY:
                told = index
                progress(index)
        await self._finish()
        return self.result

    async def _let_orders_move(self) -> None:
        """Give an order that has been answered the turns it takes to be booked, before the next event."""
        for _ in range(_ORDER_TURNS):
            if not self._floor.busy:
                return
            await asyncio.sleep(0)

    def _introduce(self, tape: Tape) -> None:
        """Markets known only from frames get a bare listing at their first frame."""
        firsts: dict[str, Instant] = {}
        listed: set[str] = set()
        for at, event in tape.events:
            if isinstance(event, BookSnapshot):
                firsts.setdefault(event.ticker, at)
            elif isinstance(event, MarketListed):
                listed.add(event.ticker)
        self._deep = set(firsts)
        bare = [(at, _bare_listing(ticker, at)) for ticker, at in firsts.items() if ticker not in listed]
        if bare:
            tape.events[:] = sorted([*bare, *tape.events], key=lambda dated: dated[0])

    async def _together(self, events: list[tuple[Instant, TapeEvent]], first: int) -> int:
        """All odds, then all listings of one instant, mapped in one batch; gives the index after them."""
        odds: list[OddsSeen] = []
        listings: list[MarketListed] = []
        at = events[first][0]
        for index in range(first, len(events)):
            moment, event = events[index]
            if moment != at or isinstance(event, (BookSnapshot, BookDelta)):
                break
            if isinstance(event, OddsSeen):
                odds.append(event)
            else:
                listings.append(self._with_fees(event))
        # New odds and listings meet the books as they are now, not as they were when last worth a look.
        await self._floor.sweep()
        for seen in odds:
            self._learn(seen)
        for market in listings:
            await self._mapper.handle(market)
        await self._mapper.flush()
        for seen in odds:
            await self._publish(seen)
        for market in listings:
            await self._list(market)
        return first + len(odds) + len(listings)

    async def _list(self, market: MarketListed) -> None:
        if market.ticker not in self._deep:
            self._keeper.listed(market)
        await self._publish(market)
        await self._settler.settle([market])

    def _learn(self, seen: OddsSeen) -> None:
        slate = self._slates.setdefault(seen.sport_key, {})
        slate[seen.odds_event_id] = OddsEvent(
            id=seen.odds_event_id,
            sport_key=seen.sport_key,
            starts_at=seen.starts_at,
            home=seen.home,
            away=seen.away,
            sport_title=seen.sport_title,
        )
        self._mapper.learn(seen.sport_key, slate.values())

    def _with_fees(self, market: MarketListed) -> MarketListed:
        """The listing, with the exchange's usual fee where the recording holds none; noted in the result."""
        if market.fee_type is not FeeType.UNKNOWN:
            return market
        self.result.assumed_fees.add(market.series_ticker)
        return msgspec.structs.replace(market, fee_type=FeeType.QUADRATIC, fee_multiplier_micro=MICROS)

    def _schedule_of(self, ticker: str) -> FeeSchedule | None:
        return self._schedules.get(ticker)

    async def _publish(self, message: Message) -> None:
        await self._bus.publish(message.TOPIC, [seal(message)])

    async def _finish(self) -> None:
        while self._floor.busy:
            await self._clock.advance(1)
        if self._floor.failure is not None:
            raise self._floor.failure
        self.result.digest = self._hash.hexdigest()

    async def _hear(self, message: Message) -> None:
        self._hash.update(encode(message))
        self._keep(message)
        result = self.result
        match message:
            case MarketListed():
                result.listings += 1
            case OddsSeen():
                result.odds += 1
            case MappingDecided():
                self._note_mapping(message)
            case OpportunityAssessed():
                self._note_opportunity(message)
            case SignalRaised():
                schedule = signal_schedule(message, self._clock.now())
                if schedule is not None:
                    self._schedules[message.ticker] = schedule
                result.signals.append(message)
            case FillRecorded():
                result.fills.append(message)
            case MarketSettled():
                result.settled.append(message)
            case _:
                pass

    def _note_mapping(self, message: MappingDecided) -> None:
        if message.odds_event_id:
            self.result.mapped.add(message.ticker)
        else:
            self.result.unmapped[message.reason.partition(":")[0]] += 1

    def _note_opportunity(self, message: OpportunityAssessed) -> None:
        self.result.assessed += 1
        self.result.rejected.update(reason.partition(":")[0] for reason in message.reasons)
        if message.net_edge is None or any(reason.startswith(_TOO_LATE) for reason in message.reasons):
            return
        key = (message.ticker, message.side)
        held = self.result.best.get(key)
        if held is None or (held.net_edge or -1.0) < message.net_edge:
            self.result.best[key] = message


def _bare_listing(ticker: str, at: Instant) -> MarketListed:
    """What a ticker alone says. That it trades is proven by its frames."""
    return MarketListed(
        observed_at=at,
        ticker=ticker,
        event_ticker=ticker.rpartition("-")[0],
        series_ticker=ticker.partition("-")[0],
        shape=MarketShape.BINARY,
        status=MarketStatus.ACTIVE,
    )
