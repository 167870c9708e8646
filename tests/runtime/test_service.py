"""The execution service: signals from store and bus once each, bad ones kept with why, and an end in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

import msgspec
import pytest

from shared.clock import DAY, HOUR, SECOND, Instant
from shared.edges.board import Board
from shared.edges.detector import DetectorSettings
from shared.errors import ConfigError, CredentialsError, RetryLaterError, VenueDownError
from shared.execution import halt
from shared.execution.assemble import Execution
from shared.execution.books import BookKeeper
from shared.execution.gateway import Accepted, Outcome
from shared.messages import MarketListed, OpportunityAssessed, OrderUpdated, Quarantined, SignalRaised
from shared.money import Quantity, Usd
from shared.pipeline.detect import EdgeDetector
from shared.pipeline.settle import Settler
from shared.ports import Document, Value
from shared.risk.controls import Proposal
from shared.runtime import floor as floors
from shared.runtime.floor import TradingFloor
from shared.runtime.loops import Loops
from shared.runtime.service import SIGNALS, ExecutionService, signal_of
from shared.runtime.stats import Stats
from shared.runtime.trading import Pace, TradingParts, TradingSide
from shared.terms import FeeType, OrderStatus, Side
from shared.venues.kalshi.client import Rows
from shared.venues.kalshi.events import BookSnapshot, StreamEvent
from tests.execution.conftest import START, TICKER, assessed, cents, contracts, signal
from tests.execution.house import CASH, House, Venue, fill_of, leased, statement
from tests.support.backends import rng
from tests.support.limits import DOLLAR


class Stream:
    """A stream that gives a book of every market it is asked to watch."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.fails: Exception | None = None
        self.watched: list[str] = []
        self.unwatched: list[str] = []
        self._handle: Callable[[StreamEvent], None] = lambda _: None

    @property
    def alive_at(self) -> Instant | None:
        return self._house.clock.now()

    async def run(self, handle: Callable[[StreamEvent], None]) -> None:
        self._handle = handle
        await asyncio.Event().wait()

    async def watch(self, tickers: Iterable[str]) -> None:
        if self.fails is not None:
            raise self.fails
        for ticker in tickers:
            self.watched.append(ticker)
            self._handle(book_of(ticker, self._house.clock.now()))

    def moves(self, size: int) -> None:
        """The offer has become ``size`` contracts."""
        self._handle(book_of(TICKER, self._house.clock.now(), size))

    async def unwatch(self, tickers: Iterable[str]) -> None:
        self.unwatched += tickers


class NothingIsOver:
    """An exchange whose markets have no result yet."""

    async def markets(self, tickers: list[str]) -> Rows[MarketListed]:
        return Rows([], [])


def book_of(ticker: str, at: Instant, size: int = 30) -> BookSnapshot:
    """YES offered at 50c."""
    bids = ((cents(45), contracts(50)),), ((cents(50), contracts(size)),)
    return BookSnapshot(at=at, ticker=ticker, sid=1, seq=1, yes_bids=bids[0], no_bids=bids[1])


@dataclass
class Bench:
    """A service on a clock moved by hand, over a store in memory."""

    house: House = field(default_factory=House)
    venue: Venue = field(default_factory=Venue)
    closed: list[str] = field(default_factory=list)
    pulls: int = 0
    pull_fails: Exception | None = None

    def __post_init__(self) -> None:
        self.stream = Stream(self.house)
        self.start()

    def start(self, holder: str = "one") -> None:
        """A new process."""
        house = self.house
        house.books.clear()
        keeper = BookKeeper()
        keeper.books = house.books
        self.execution: Execution = house.executor(self.venue, leased(holder=holder))
        detector = EdgeDetector(Board(DetectorSettings()), house.documents, house.bus, house.clock)
        account, journal = self.execution.account, self.execution.journal
        self.parts = TradingParts(
            clock=house.clock,
            pace=Pace(),
            documents=house.documents,
            bus=house.bus,
            floor=TradingFloor(detector, keeper, self.execution.executor, house.clock),
            execution=self.execution,
            settler=Settler(NothingIsOver(), account, journal),  # type: ignore[arg-type]
            stream=self.stream,  # type: ignore[arg-type]
            stats=Stats(),
            resources=AsyncExitStack(),
            bankroll=CASH,
        )
        self.service = ExecutionService(self.parts, rng(1), self._close, pull=self._pull)
        self.running: asyncio.Task[None] | None = None

    async def _close(self) -> None:
        self.closed.append("closed")

    async def _pull(self) -> None:
        self.pulls += 1
        if self.pull_fails is not None:
            raise self.pull_fails
        await asyncio.Event().wait()

    async def run(self, seconds: float = 2) -> None:
        """Run on, ``seconds`` of its clock."""
        if self.running is None:
            self.running = asyncio.create_task(self.service.run())
        for _ in range(int(seconds * 2)):
            for _ in range(20):
                await asyncio.sleep(0)
            await self.house.clock.advance(0.5)

    async def stop(self) -> None:
        """In order, within a real second."""
        self.service.stop.set()
        assert self.running is not None
        await asyncio.wait_for(self.running, 1)

    async def store(self, given: SignalRaised) -> None:
        """As the detector leaves it."""
        await self.house.documents.create(f"{SIGNALS}/{given.signal_id}", msgspec.to_builtins(given))

    @property
    def refused(self) -> list[tuple[str, ...]]:
        return [one.reasons for one in self.house.said(OrderUpdated) if one.status is OrderStatus.REJECTED]

    @property
    def bad(self) -> list[str]:
        return [one.reason for one in self.house.said(Quarantined)]


def raised(**changes: object) -> SignalRaised:
    """A signal of the present version, with its fees."""
    fees = {"fee_type": FeeType.QUADRATIC, "fee_multiplier_micro": 1_000_000}
    given = {"starts_at": Instant(START + HOUR), "expires_at": Instant(START + 600 * SECOND)}
    return signal(**(fees | given | changes))


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    if made.running is not None and not made.running.done():
        made.running.cancel()
        await asyncio.gather(made.running, return_exceptions=True)


# --- signals ----------------------------------------------------------------------------------------------


async def test_a_signal_in_the_store_becomes_an_order(bench: Bench) -> None:
    await bench.run()
    await bench.store(raised())
    await bench.run()
    assert [order.ticker for order in bench.venue.placed] == [TICKER]
    assert bench.stream.watched == [TICKER]


async def test_a_signal_on_the_bus_becomes_an_order(bench: Bench) -> None:
    await bench.run()
    await bench.house.bus.publish(SIGNALS, [raised()])
    await bench.run()
    assert len(bench.venue.placed) == 1


async def test_one_that_comes_both_ways_and_twice_is_worked_once(bench: Bench) -> None:
    await bench.run()
    await bench.store(raised(quantity=contracts(1)))
    for _ in range(2):
        await bench.house.bus.publish(SIGNALS, [raised(quantity=contracts(1))])
    await bench.run()
    assert len({order.client_order_id for order in bench.venue.placed}) == len(bench.venue.placed)
    assert bench.parts.stats.signals == 1


async def test_what_was_raised_while_no_executor_ran_is_found_at_the_start(bench: Bench) -> None:
    await bench.store(raised())
    await bench.run()
    assert len(bench.venue.placed) == 1


async def test_a_restart_goes_on_with_what_the_last_process_began(bench: Bench) -> None:
    bench.venue.answers.append(lambda order: filled(order, 10))
    await bench.store(raised(quantity=contracts(25)))
    await bench.run()
    await bench.stop()
    before = len(bench.venue.placed)
    bench.start(holder="two")
    await bench.run()
    assert bench.venue.placed[before].quantity == contracts(15)


def filled(order: Proposal, size: int) -> Outcome:
    return Accepted("v", (fill_of(order, f"{order.client_order_id}-f", 50, size),), Quantity(0))


async def test_a_signal_that_comes_while_its_book_cannot_be_asked_for_is_not_lost(bench: Bench) -> None:
    await bench.run()
    bench.stream.fails = VenueDownError("stream: cannot send")
    await bench.store(raised())
    await bench.run()
    assert bench.venue.placed == []
    bench.stream.fails = None
    await bench.run(4)
    assert len(bench.venue.placed) == 1


async def test_a_quiet_market_is_looked_at_again_when_its_time_has_come(bench: Bench) -> None:
    bench.venue.answers.append(lambda order: filled(order, 10))
    await bench.run()

    async def meanwhile() -> None:
        # Our own taking moves the book, before the next order may go out; then it is quiet.
        bench.stream.moves(20)

    bench.venue.while_placing = meanwhile
    await bench.store(raised(quantity=contracts(20)))
    await bench.run(4)
    assert [order.quantity for order in bench.venue.placed] == [contracts(20), contracts(10)]


async def test_a_pull_that_ends_is_begun_again_and_the_store_is_heard_meanwhile(bench: Bench) -> None:
    bench.pull_fails = ConfigError("Pub/Sub signals-execution does not exist")
    await bench.run()
    await bench.store(raised())
    await bench.run(25)
    assert bench.pulls == 3
    assert len(bench.venue.placed) == 1
    assert "signals are heard from the store alone" in bench.parts.stats.alerts["pull"]


async def test_a_pull_that_holds_again_is_no_alert_any_more(bench: Bench) -> None:
    bench.pull_fails = RetryLaterError("Pub/Sub is away")
    await bench.run()
    assert "pull" in bench.parts.stats.alerts
    bench.pull_fails = None
    await bench.run(12)
    assert "pull" not in bench.parts.stats.alerts


async def test_a_start_trades_once_the_venues_word_is_as_new_as_itself_and_not_rounds_later(
    bench: Bench,
) -> None:
    async def word() -> None:
        bench.venue.said = statement(bench.house.clock.now())

    bench.venue.while_stating = word
    await bench.store(raised(quantity=contracts(1)))
    await bench.run(6)
    assert len(bench.venue.placed) == 1


async def test_a_signal_that_comes_after_what_took_its_ground_away_is_refused_with_why(bench: Bench) -> None:
    await bench.run()
    later = Instant(START + SECOND)
    await bench.house.bus.publish(OpportunityAssessed.TOPIC, [assessed(observed_at=later)])
    await bench.store(raised())
    await bench.run()
    assert bench.venue.placed == []
    assert bench.refused == [("withdrawn: weighed again since, thin_edge: net 1.00c, needs 5c",)]


@pytest.mark.parametrize(
    "changes",
    [
        {"observed_at": Instant(START - SECOND)},
        {"side": Side.NO},
        {"ticker": "ANOTHER"},
        {"accepted": True, "reasons": ()},
    ],
)
async def test_an_assessment_before_it_or_of_another_side_takes_nothing_from_a_signal(
    bench: Bench, changes: dict[str, object]
) -> None:
    await bench.run()
    given = assessed(**({"observed_at": Instant(START + SECOND)} | changes))
    await bench.house.bus.publish(OpportunityAssessed.TOPIC, [given])
    await bench.store(raised())
    await bench.run()
    assert len(bench.venue.placed) == 1


async def test_one_that_waits_in_line_when_its_ground_goes_is_refused_too(bench: Bench) -> None:
    await bench.run()
    # Both are heard before the loop comes to the signal.
    await bench.service.intake.hear(raised())
    await bench.service.intake.hear(assessed(observed_at=Instant(START + SECOND)))
    await bench.run()
    assert bench.venue.placed == []


async def test_a_signal_that_stands_is_worked_no_more_when_its_ground_is_gone(bench: Bench) -> None:
    await bench.run()
    bench.stream.fails = VenueDownError("stream: cannot send")
    await bench.store(raised())
    await bench.run()
    await bench.house.bus.publish(OpportunityAssessed.TOPIC, [assessed(observed_at=Instant(START + SECOND))])
    bench.stream.fails = None
    await bench.run(4)
    assert bench.venue.placed == []


# --- bad ones ---------------------------------------------------------------------------------------------


async def test_a_signal_that_is_none_is_kept_with_its_place_and_what_is_wrong(bench: Bench) -> None:
    await bench.run()
    await bench.house.documents.create(f"{SIGNALS}/bad", {"signal_id": "bad", "limit": "cheap"})
    await bench.store(raised())
    await bench.run()
    [reason] = bench.bad
    assert reason.startswith(f"{SIGNALS}/bad: ")
    assert len(bench.venue.placed) == 1


@pytest.mark.parametrize(
    "damage", [{"side": "maybe"}, {"quantity": "many"}, {"certificate": None}, {"fair_probability": "0.6"}]
)
async def test_any_damage_is_malformed_and_harmless(bench: Bench, damage: Value) -> None:
    await bench.run()
    value = msgspec.to_builtins(raised()) | damage
    await bench.house.documents.create(f"{SIGNALS}/signal-1", value)
    await bench.run()
    assert (len(bench.bad), bench.venue.placed) == (1, [])
    assert bench.service.failure is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"limit": cents(52) + 5_000}, "off_grid"),
        ({"quantity": Quantity(10)}, "too_small"),
        ({"fee_type": FeeType.UNKNOWN}, "fees"),
        ({"starts_at": START}, "the game has started"),
    ],
)
async def test_a_signal_that_cannot_be_worked_is_refused_with_why(
    bench: Bench, changes: Value, reason: str
) -> None:
    await bench.run()
    await bench.store(raised(**changes))
    await bench.run()
    [reasons] = bench.refused
    assert reasons[0].startswith(reason)
    assert bench.venue.placed == []


async def test_one_that_had_expired_on_its_way_is_refused_with_why(bench: Bench) -> None:
    await bench.run(5)
    now = bench.house.clock.now()
    late = raised(observed_at=Instant(now - SECOND), expires_at=now)
    await bench.house.bus.publish(SIGNALS, [late])
    assert bench.refused == [("the signal had expired when it came here",)]


async def test_what_expired_before_the_process_began_was_an_earlier_ones_to_tell(bench: Bench) -> None:
    await bench.store(raised(observed_at=Instant(START - HOUR), expires_at=Instant(START - SECOND)))
    await bench.run()
    assert (bench.refused, bench.venue.placed) == ([], [])


async def test_a_market_without_a_live_book_is_refused_when_the_signal_expires(bench: Bench) -> None:
    await bench.run()
    bench.stream.fails = VenueDownError("no such market")
    await bench.store(raised(expires_at=Instant(START + 10 * SECOND)))
    await bench.run(12)
    [reasons] = bench.refused
    assert reasons == ("the signal has expired", "no live book: not seen yet, or the market is halted")


def test_a_stored_signal_is_read_whole_or_not_at_all() -> None:
    value = msgspec.to_builtins(raised())
    assert signal_of(Document("signals/signal-1", value, 1)) == raised()


# --- the end ----------------------------------------------------------------------------------------------


async def test_at_the_end_the_lease_is_free_and_everything_is_closed_last(bench: Bench) -> None:
    await bench.run()
    await bench.stop()
    found = await bench.house.documents.get("leases/executor")
    assert found is not None
    assert found.value["holder"] == ""
    assert bench.closed == ["closed"]


async def test_after_the_stop_no_signal_starts_an_order(bench: Bench) -> None:
    await bench.run()
    await bench.stop()
    await bench.house.bus.publish(SIGNALS, [raised()])
    assert bench.venue.placed == []


async def test_an_order_under_way_is_followed_to_its_end(bench: Bench) -> None:
    answer = asyncio.Event()
    bench.venue.while_placing = answer.wait  # type: ignore[assignment]
    bench.venue.answers.append(lambda order: filled(order, 30))
    await bench.store(raised(quantity=contracts(30)))
    await bench.run()
    stopping = asyncio.ensure_future(bench.stop())
    await asyncio.sleep(0)
    answer.set()
    await stopping
    assert bench.execution.account.positions[TICKER].quantity == contracts(30)


async def test_an_order_that_never_answers_is_cut_off_and_asked_for_at_the_next_start(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floors.TradingFloor.ended, "__defaults__", (0.01,))
    bench.venue.while_placing = asyncio.Event().wait  # type: ignore[assignment]
    await bench.store(raised(quantity=contracts(30)))
    await bench.run()
    await bench.stop()
    [order_id] = (await bench.execution.stored.read()).reserved
    bench.venue.while_placing = None
    bench.venue.standing[order_id] = lambda order: filled(order, 30)
    bench.start(holder="two")
    await bench.run()
    assert bench.execution.account.positions[TICKER].quantity == contracts(30)
    assert len(bench.venue.placed) == 1


async def test_what_ends_a_loop_ends_the_service_with_it(bench: Bench) -> None:
    await bench.run()

    async def broken() -> bool:
        raise CredentialsError("the key has expired: make a new one")

    bench.execution.reconciler.turn = broken  # type: ignore[method-assign]
    await bench.run(11)
    assert bench.running is not None
    with pytest.raises(CredentialsError, match="make a new one"):
        await asyncio.wait_for(bench.running, 1)
    assert bench.closed == ["closed"]


async def test_games_that_have_begun_are_let_go_of(bench: Bench) -> None:
    await bench.run()
    await bench.store(raised(starts_at=Instant(START + 10 * SECOND)))
    await bench.run(2)
    bench.house.clock.set(Instant(START + HOUR))
    await bench.service.intake.tidy()
    assert bench.stream.unwatched[-1] == TICKER
    assert TICKER not in bench.house.books


async def test_signals_that_are_long_over_leave_the_store_and_others_stay(bench: Bench) -> None:
    await bench.run()
    await bench.store(raised())
    await bench.house.documents.create(f"{SIGNALS}/bad", {"signal_id": "bad"})
    await bench.run(2)
    bench.house.clock.set(Instant(START + DAY))
    await bench.service.intake.tidy()
    assert len(await bench.house.documents.query(SIGNALS)) == 2
    bench.house.clock.set(Instant(START + 3 * DAY))
    await bench.service.intake.tidy()
    assert await bench.house.documents.query(SIGNALS) == []


# --- losses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lost", "said"),
    [(1_000, "$1000.00 lost today"), (3_000, "$3000.00 lost this week")],
)
async def test_losses_that_reach_a_limit_halt_every_process(bench: Bench, lost: int, said: str) -> None:
    await bench.execution.stored.open(CASH)
    book, found = await bench.execution.stored.found()
    worse = replace(book.earned(-lost * DOLLAR, 0, START), cash=Usd(CASH - lost * DOLLAR))
    await bench.execution.stored.batch([bench.execution.stored.write(worse, found)], worse)
    side = TradingSide(bench.parts, Loops(bench.house.clock, bench.parts.stats), rng(1))
    await side.settle()
    reason = await halt.halted(bench.house.documents)
    assert said in reason
    assert reason.startswith("breaker: ")
    assert "arb resume" in reason


async def test_a_loss_that_a_person_halted_for_already_is_not_halted_for_again(bench: Bench) -> None:
    bench.execution.account.halted = "ann: news"
    await bench.execution.stored.open(CASH)
    side = TradingSide(bench.parts, Loops(bench.house.clock, bench.parts.stats), rng(1))
    await side.settle()
    assert await halt.halted(bench.house.documents) == ""
