"""One process runs everything: how it starts, goes on, stops and fails, and that nothing is lost by it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from shared.analytics import history as answers
from shared.backends.local.documents import SqliteDocuments
from shared.clock import HOUR, Instant, ScaledClock, SystemClock, parse_instant
from shared.errors import CredentialsError, StorageError
from shared.execution import halt
from shared.execution.gateway import Outcome, Unknown
from shared.execution.reservations import Reserved
from shared.execution.watch import Watch
from shared.messages import Message, SignalRaised
from shared.money import Price
from shared.pipeline.kalshi_scrape import ScrapeReport
from shared.ports import Value
from shared.risk.controls import Proposal
from shared.runtime import local, loops
from shared.terms import FeeType, OrderStatus
from shared.venues.kalshi.events import BookSnapshot, Lifecycle, LifecycleKind
from tests.execution.conftest import SCHEDULE, START, TICKER, cents, contracts, signal
from tests.pipeline.test_map_events import SPORT, game, market
from tests.pipeline.test_map_events import START as KICKOFF
from tests.support.backends import rng, tick
from tests.support.rig import HANDLERS, history, parts, run_until, simulated, system


@pytest.mark.e2e
async def test_a_run_maps_trades_settles_and_keeps_books_that_agree(tmp_path: Path) -> None:
    async with simulated() as rig:
        made = parts(tmp_path, rig.venues, rig.clock)
        stats = made.stats
        await run_until(system(made), lambda: stats.settled > 0 and stats.fills > 0)
    ledger = made.executor.account
    # Games that have begun leave the feed, and their markets are refused again: what counts is once mapped.
    (ever,) = history(tmp_path, "SELECT count(DISTINCT ticker) AS n FROM mappings WHERE odds_event_id <> ''")
    assert ever["n"] > len(stats.tickers) // 2
    assert stats.quarantined == 0
    query = lambda statement, parameters: history(tmp_path, statement, *parameters)  # noqa: E731
    totals = answers.totals(answers.daily(query), answers.unsettled(query))
    assert (totals["pnl"], totals["fees"], totals["open_cost"]) == (
        ledger.pnl,
        ledger.fees,
        ledger.open_cost,
    )
    counted = {
        table: history(tmp_path, f"SELECT count(*) AS n FROM {table}")[0]["n"]  # noqa: S608
        for table in ("fills", "signals", "opportunities", "settlements", "kalshi_markets")
    }
    assert counted == {
        "fills": stats.fills,
        "signals": stats.signals,
        "opportunities": stats.assessed,
        "settlements": stats.settled,
        "kalshi_markets": stats.listings,
    }


@pytest.mark.e2e
async def test_a_run_in_a_halted_folder_sees_everything_and_trades_nothing(tmp_path: Path) -> None:
    async with simulated() as rig:
        made = parts(tmp_path, rig.venues, rig.clock)
        await halt.halt(made.documents, made.clock, rng(0), "not today", "ann")
        await run_until(system(made), lambda: made.stats.refusals["halt"] > 0)
    assert made.stats.fills == 0
    assert history(tmp_path, "SELECT count(*) AS n FROM fills")[0]["n"] == 0


@pytest.mark.e2e
async def test_used_up_credits_are_an_alert_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with simulated() as rig:
        rig.faults.out_of_credits = True
        made = parts(tmp_path, rig.venues, rig.clock)
        alerts = made.stats.alerts
        await run_until(system(made), lambda: "odds" in alerts and made.stats.listings > 0)
        assert "credits renew on the first of the month" in alerts["odds"]
    assert made.stats.odds_polls == 0


@pytest.mark.e2e
async def test_a_venue_that_answers_nonsense_is_an_alert_until_it_makes_sense(tmp_path: Path) -> None:
    async with simulated() as rig:
        rig.faults.only, rig.faults.html_share = "/trade-api/v2/events", 1.0
        made = parts(tmp_path, rig.venues, rig.clock)
        running, alerts = system(made), made.stats.alerts

        def healed() -> bool:
            if "series" in alerts:
                assert "not read; KX" in alerts["series"]
                rig.faults.html_share = 0.0
            return made.stats.listings > 0 and "series" not in alerts

        await run_until(running, healed)


@pytest.mark.e2e
async def test_a_torn_page_costs_a_poll_and_no_more(tmp_path: Path) -> None:
    async with simulated() as rig:
        rig.faults.truncate_share = 0.2
        made = parts(tmp_path, rig.venues, rig.clock)
        await run_until(system(made), lambda: len(made.stats.mapped) > 20)


@pytest.mark.e2e
async def test_a_machine_too_slow_for_the_speed_gets_a_slower_season_and_still_stops(tmp_path: Path) -> None:
    async with simulated(speed=50_000) as rig:
        made = parts(tmp_path, rig.venues, rig.clock)
        await run_until(system(made), lambda: made.stats.listings > 0)


async def test_with_no_venue_in_reach_the_run_says_so_and_waits(tmp_path: Path) -> None:
    made = parts(tmp_path)
    await run_until(system(made), lambda: "listing" in made.stats.alerts)
    assert "no connection" in made.stats.alerts["listing"]


# --- what ends a run ----------------------------------------------------------------------------------------


async def ended_by(made: local.Parts, meanwhile: Callable[[local.LocalSystem], None]) -> BaseException:
    """The error that ends a run in which ``meanwhile`` happens."""
    running = system(made)
    asyncio.get_running_loop().call_later(0.05, meanwhile, running)
    with pytest.raises(Exception) as ended:  # noqa: PT011 - returned to be looked at
        await asyncio.wait_for(running.run(), 10)
    return ended.value


class Refusing:
    """History on a disk that takes ``rows`` rows, and no more before somebody makes room."""

    def __init__(self, rows: int) -> None:
        self.rows, self.kept = rows, list[Message]()

    async def append(self, rows: Sequence[Message]) -> None:
        if len(self.kept) + len(rows) > self.rows:
            raise StorageError("the disk is full: free space on the volume of /data, then start again")
        self.kept += rows

    async def query(self, statement: str) -> list[Value]:
        return []

    async def close(self) -> None:
        return None


async def on(disk: Refusing, folder: Path) -> local.LocalSystem:
    """A system whose history is on ``disk``."""
    made = parts(folder)
    await made.warehouse.close()
    made.warehouse = disk  # type: ignore[assignment]
    return system(made)


async def test_a_full_disk_ends_the_run_with_the_fix(tmp_path: Path) -> None:
    running = await on(Refusing(rows=0), tmp_path)
    with pytest.raises(StorageError, match="free space"):
        await asyncio.wait_for(running.run(), 10)


async def test_what_a_full_disk_refused_is_tried_once_more_at_the_end(tmp_path: Path) -> None:
    disk = Refusing(rows=1_000)
    running = await on(disk, tmp_path)
    ticks = [tick(second) for second in range(5)]

    async def flood() -> None:
        disk.rows = len(disk.kept) + 2
        await running.parts.bus.publish("kalshi-ticks", ticks)
        await running.stop.wait()
        disk.rows = 1_000

    asyncio.get_running_loop().call_later(0.05, lambda: asyncio.ensure_future(flood()))
    with pytest.raises(StorageError):
        await asyncio.wait_for(running.run(), 10)
    assert {one.event_id for one in ticks} <= {row.event_id for row in disk.kept}


async def fill_up(documents: SqliteDocuments) -> None:
    """Leave the file no room for one more page."""
    documents._db.execute("PRAGMA max_page_count = 16")
    with suppress(StorageError):
        for index in range(1_000):
            await documents.create(f"filler/{index}", {"text": "x" * 500})


async def test_documents_that_cannot_be_written_end_the_run_before_anything_is_sent(tmp_path: Path) -> None:
    made = parts(tmp_path)
    await fill_up(made.documents)

    def trade(running: local.LocalSystem) -> None:
        quoted(made)
        asyncio.ensure_future(made.floor.on_message(live_signal(made)))  # noqa: RUF006 - ends the run

    error = await ended_by(made, trade)
    assert isinstance(error, StorageError)
    assert "the disk is full: free space" in str(error)
    assert made.executor.account.positions == {}


async def test_a_fault_of_our_own_ends_the_run_and_is_not_hidden(tmp_path: Path) -> None:
    made = parts(tmp_path)

    async def broken() -> None:
        raise ZeroDivisionError("a fault")

    made.mapper.purge = broken  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(system(made).run(), 10)


async def test_the_first_cause_is_the_one_that_is_told(tmp_path: Path) -> None:
    made = parts(tmp_path)

    def twice(running: local.LocalSystem) -> None:
        running.fail(CredentialsError("first"))
        running.fail(StorageError("second"))

    assert str(await ended_by(made, twice)) == "first"


async def test_a_run_that_fails_to_recover_lets_go_of_its_files(tmp_path: Path) -> None:
    made = parts(tmp_path)
    await made.documents.create("settlements/X", {"nonsense": True})
    with pytest.raises(StorageError):
        await system(made).run()
    again = parts(tmp_path)
    await again.documents.close()
    await again.warehouse.close()


# --- stopping -----------------------------------------------------------------------------------------------


def snapshot(ticker: str = TICKER) -> BookSnapshot:
    return BookSnapshot(
        at=START,
        ticker=ticker,
        sid=1,
        seq=1,
        yes_bids=((cents(45), contracts(50)),),
        no_bids=((cents(50), contracts(50)),),
    )


def quoted(made: local.Parts) -> None:
    """A live book: YES at 50c."""
    made.floor.keeper.apply(snapshot())
    made.floor.keeper.heard(made.clock.now())


def live_signal(made: local.Parts) -> SignalRaised:
    later = Instant(made.clock.now() + HOUR)
    fees = {"fee_type": FeeType.QUADRATIC, "fee_multiplier_micro": 1_000_000}
    return signal(starts_at=later, expires_at=later, **fees)


async def test_a_signal_that_comes_after_the_stop_starts_no_order(tmp_path: Path) -> None:
    made = parts(tmp_path)
    running = system(made)

    async def late() -> None:
        quoted(made)
        running.stop.set()
        await asyncio.sleep(0)
        await made.bus.publish("signals", [live_signal(made)])

    asyncio.get_running_loop().call_later(0.05, lambda: asyncio.ensure_future(late()))
    await asyncio.wait_for(running.run(), 10)
    assert made.stats.signals == 1
    assert made.executor.watched == {}
    assert history(tmp_path, "SELECT count(*) AS n FROM signals")[0]["n"] == 1


async def test_a_turn_under_way_is_finished_before_the_run_ends(tmp_path: Path) -> None:
    made = parts(tmp_path)
    running = system(made)
    begun, ended = asyncio.Event(), asyncio.Event()

    async def slow() -> int:
        begun.set()
        await asyncio.sleep(0.1)
        ended.set()
        return 0

    made.settler.poll = slow  # type: ignore[method-assign]
    task = asyncio.create_task(running.run())
    await begun.wait()
    running.stop.set()
    await asyncio.wait_for(task, 10)
    assert ended.is_set()


async def test_a_turn_that_never_ends_does_not_hold_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "GRACE_S", 0.05)
    made = parts(tmp_path)
    running = system(made)
    begun = asyncio.Event()

    async def endless() -> int:
        begun.set()
        await asyncio.Event().wait()
        return 0

    made.settler.poll = endless  # type: ignore[method-assign]
    task = asyncio.create_task(running.run())
    await begun.wait()
    running.stop.set()
    await asyncio.wait_for(task, 10)


async def test_the_last_account_snapshot_is_taken_after_the_last_fill(tmp_path: Path) -> None:
    made = parts(tmp_path)
    await run_until(system(made), lambda: "listing" in made.stats.alerts)
    rows = history(tmp_path, "SELECT cash FROM account_snapshots ORDER BY observed_at DESC LIMIT 1")
    assert rows == [{"cash": made.executor.account.cash}]


# --- recovering ---------------------------------------------------------------------------------------------


async def intended(made: local.Parts) -> str:
    """An order that was made durable, and then the process died."""
    await made.execution.begin(made.bankroll)
    quoted(made)
    given = live_signal(made)
    proposal = await made.executor._proposed(Watch(given, SCHEDULE, given.quantity))
    assert proposal is not None
    assert isinstance(await made.execution.journal.intend(given, proposal, 1), Reserved)
    return proposal.client_order_id


async def reopened(made: local.Parts, folder: Path) -> local.Parts:
    await made.bus.close()
    await made.warehouse.close()
    await made.resources.aclose()
    await made.documents.close()
    return parts(folder)


async def test_a_paper_order_cut_off_in_flight_has_filled_nothing(tmp_path: Path) -> None:
    made = parts(tmp_path)
    order_id = await intended(made)
    again = await reopened(made, tmp_path)
    await run_until(system(again), lambda: "listing" in again.stats.alerts)
    rows = history(tmp_path, "SELECT status FROM orders WHERE order_id = ? ORDER BY observed_at", order_id)
    assert rows[-1]["status"] == OrderStatus.REJECTED
    assert again.executor.account.reserved == 0
    assert again.executor.blocked == {}


async def test_a_live_order_of_unknown_outcome_blocks_its_market_and_keeps_its_money(tmp_path: Path) -> None:
    made = parts(tmp_path)
    await intended(made)
    again = await reopened(made, tmp_path)

    async def silent(_: Proposal) -> Outcome:
        return Unknown("the venue does not answer")

    again.executor.gateway.resolve = silent  # type: ignore[method-assign, assignment]
    await run_until(system(again), lambda: "listing" in again.stats.alerts)
    assert list(again.executor.blocked) == [TICKER]
    assert again.executor.account.reserved > 0


async def test_history_gets_the_fills_that_a_crash_kept_from_it(tmp_path: Path) -> None:
    made = parts(tmp_path)
    await made.execution.begin(made.bankroll)
    quoted(made)
    await made.executor.on_signal(live_signal(made), SCHEDULE)
    ledger = made.executor.account
    assert ledger.fees > 0
    again = await reopened(made, tmp_path)  # nothing was subscribed, so history heard nothing
    await run_until(system(again), lambda: "listing" in again.stats.alerts)
    query = lambda statement, parameters: history(tmp_path, statement, *parameters)  # noqa: E731
    totals = answers.totals(answers.daily(query), answers.unsettled(query))
    assert (totals["pnl"], totals["open_cost"]) == (ledger.pnl, ledger.open_cost)
    third = parts(tmp_path)
    await run_until(system(third), lambda: "listing" in third.stats.alerts)
    assert third.stats.fills == 0


# --- turns --------------------------------------------------------------------------------------------------


class Stream:
    """A stream that says nothing, remembers what it was asked for, and was alive at the clock's time."""

    def __init__(self, made: local.Parts) -> None:
        self.clock, self.watched, self.unwatched = made.clock, list[str](), list[str]()

    @property
    def alive_at(self) -> int:
        return self.clock.now()

    async def watch(self, tickers: Sequence[str]) -> None:
        self.watched += tickers

    async def unwatch(self, tickers: Sequence[str]) -> None:
        self.unwatched += tickers


async def test_a_quiet_book_is_fresh_only_when_nothing_waits_to_be_read(tmp_path: Path) -> None:
    made = parts(tmp_path)
    made.stream = Stream(made)  # type: ignore[assignment]
    running = system(made)
    made.floor.keeper.apply(snapshot())
    book = made.floor.keeper.books[TICKER]
    running.trading.frames.put_nowait(snapshot("OTHER"))
    await running.trading.watch_books()
    assert book.updated_at == START
    running.trading.frames.get_nowait()
    await running.trading.watch_books()
    assert book.updated_at is not None
    assert book.updated_at > START
    await close(made)


async def test_a_broken_book_is_asked_for_again(tmp_path: Path) -> None:
    made = parts(tmp_path)
    stream = Stream(made)
    made.stream = stream  # type: ignore[assignment]
    bad = BookSnapshot(
        at=START, ticker=TICKER, sid=1, seq=1, yes_bids=((Price(0), contracts(1)),), no_bids=()
    )
    made.floor.keeper.apply(bad)
    await system(made).trading.watch_books()
    assert (stream.unwatched, stream.watched) == ([TICKER], [TICKER])
    await close(made)


async def test_a_halted_market_is_not_traded_until_it_is_active_again(tmp_path: Path) -> None:
    made = parts(tmp_path)
    running, keeper = system(made), made.floor.keeper
    keeper.apply(snapshot())
    running.trading.lived(Lifecycle(at=START, ticker=TICKER, kind=LifecycleKind.DEACTIVATED))
    assert keeper.book_of(TICKER) is None
    running.trading.lived(Lifecycle(at=START, ticker=TICKER, kind=LifecycleKind.ACTIVATED))
    assert keeper.book_of(TICKER) is not None
    await close(made)


async def test_a_game_in_play_is_forgotten_by_the_board_and_not_mapped_again(tmp_path: Path) -> None:
    an_hour_in = Instant((parse_instant(KICKOFF) or 0) + HOUR)
    made = parts(tmp_path, clock=ScaledClock(an_hour_in, 1.0))
    board = made.floor.detector.board
    made.mapper.learn(SPORT, [game()])
    await made.mapper.handle(market())
    (decision,) = await made.mapper.flush()
    board.mapping(decision, an_hour_in)
    await system(made)._tidy()
    assert board.mappings == {}
    await made.mapper.handle(market())
    assert await made.mapper.flush() == []
    await close(made)


async def test_only_books_that_changed_go_into_history(tmp_path: Path) -> None:
    made = parts(tmp_path)
    running = system(made)
    made.floor.keeper.apply(snapshot())
    await running.trading.depth()
    made.floor.keeper.heard(made.clock.now())
    await running.trading.depth()
    await close(made)
    assert history(tmp_path, "SELECT count(*) AS n FROM kalshi_orderbook")[0]["n"] == 1


async def test_a_run_of_losses_halts_trading_until_a_person_resumes(tmp_path: Path) -> None:
    made = parts(tmp_path)
    running, account = system(made), made.executor.account
    stored = made.execution.stored
    await stored.open(made.bankroll)
    book, found = await stored.found()
    unlucky = replace(book, consecutive_losses=made.executor.limits.max_consecutive_losses)
    await stored.batch([stored.write(unlucky, found)], unlucky)
    await running.trading.settle()
    assert (await halt.halted(made.documents)).startswith("breaker: 1000 losses in a row")
    await halt.resume(made.documents, SystemClock(), random.Random(0), "ann")  # noqa: S311
    await halt.restore(made.documents, account)
    assert (account.halted, account.consecutive_losses) == ("", 0)
    await close(made)


async def test_a_bus_that_is_never_quiet_does_not_stop_the_listing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_QUIET_S", 0.01)
    made = parts(tmp_path)
    made.bus._idle.clear()

    async def scraped(scraper: object) -> ScrapeReport:
        return ScrapeReport()

    handlers = local.Handlers(scraped, HANDLERS.odds_scraper, HANDLERS.event_mapper, HANDLERS.edge_detector)
    running = local.LocalSystem(made, handlers, rng(0))
    await asyncio.wait_for(running._listing(), 2)
    made.bus._idle.set()
    await close(made)


async def close(made: local.Parts) -> None:
    await made.bus.close()
    await made.warehouse.close()
    await made.resources.aclose()
    await made.documents.close()
