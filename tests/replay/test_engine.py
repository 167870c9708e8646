"""A replay is the live engine on virtual time: the same tape gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.clock import HOUR, MINUTE, SECOND, Instant, parse_instant
from shared.edges.detector import DetectorSettings
from shared.messages import (
    BookmakerMarket,
    MarketListed,
    Message,
    OddsOutcome,
    OddsSeen,
    encode,
)
from shared.money import Quantity, Usd
from shared.replay.engine import Replay, ReplayResult
from shared.replay.tape import Tape, TapeEvent
from shared.terms import FeeType, MarketStatus, Profile, Result, Side
from shared.venues.kalshi.events import BookDelta, BookSnapshot
from tests.execution.conftest import cents, contracts
from tests.pipeline.test_map_events import EVENT, START, market
from tests.support.limits import DOLLAR, LIMITS

KICKOFF = Instant(parse_instant(START) or 0)
OPEN = Instant(KICKOFF - 2 * HOUR)
TICKER = f"{EVENT}-PHI"


def listing(at: Instant = OPEN, **changes: Any) -> MarketListed:
    """Philadelphia to win, offered at 46c."""
    given: dict[str, Any] = {
        "observed_at": at, "status": MarketStatus.ACTIVE, "fee_type": FeeType.QUADRATIC,
        "fee_multiplier_micro": 1_000_000, "yes_bid": cents(44), "yes_bid_size": contracts(200),
        "yes_ask": cents(46), "yes_ask_size": contracts(200),
    }  # fmt: skip
    return market("PHI", **(given | changes))


def odds(at: Instant = OPEN, price: float = 1.85) -> OddsSeen:
    """Five books on Philadelphia at ``price``: fair at about 53c."""
    outcomes = (
        OddsOutcome(name="Philadelphia Eagles", price=price),
        OddsOutcome(name="Chicago Bears", price=2.1),
    )
    names = ("pinnacle", "draftkings", "fanduel", "betmgm", "betrivers")
    quotes = tuple(
        BookmakerMarket(bookmaker=name, market="h2h", last_update=Instant(at - 5 * SECOND), outcomes=outcomes)
        for name in names
    )
    return OddsSeen(
        observed_at=at,
        odds_event_id="e1",
        sport_key="americanfootball_nfl",
        home="Chicago Bears",
        away="Philadelphia Eagles",
        starts_at=KICKOFF,
        quotes=quotes,
    )


def snapshot(at: Instant, ask: int = 46, size: int = 200) -> BookSnapshot:
    return BookSnapshot(
        at=at, ticker=TICKER, sid=1, seq=1,
        yes_bids=((cents(44), contracts(200)),), no_bids=((cents(100 - ask), contracts(size)),),
    )  # fmt: skip


def ended(result: Result = Result.YES) -> MarketListed:
    return listing(Instant(KICKOFF + 4 * HOUR), status=MarketStatus.FINALIZED, result=result)


def tape(*events: TapeEvent) -> Tape:
    dated = [(event.at if isinstance(event, (BookSnapshot, BookDelta)) else event.observed_at, event)
             for event in events]  # fmt: skip
    return Tape(sorted(dated, key=lambda one: one[0]), [], 1)


def replay(keep: Callable[[Message], None] = lambda message: None, latency_s: float = 0.05) -> Replay:
    settings = DetectorSettings(profile=Profile.ANY_EDGE)
    return Replay(settings, LIMITS, Usd(10_000 * DOLLAR), latency_s, keep)


async def played(*events: TapeEvent, latency_s: float = 0.05) -> ReplayResult:
    return await replay(latency_s=latency_s).play(tape(*events))


async def test_an_edge_becomes_a_signal_a_fill_and_a_profit() -> None:
    result = await played(odds(), listing(), ended())
    assert (result.mapped, len(result.signals), result.quarantined) == ({TICKER}, 1, [])
    (fill,) = result.fills
    assert (fill.side, fill.price, fill.quantity) == (Side.YES, cents(46), contracts(100))
    assert result.account.pnl == 100 * DOLLAR - 46 * DOLLAR - result.account.fees
    assert [paid.pnl for paid in result.settled] == [result.account.pnl]


async def test_an_order_fills_from_the_book_as_it_is_one_latency_later() -> None:
    gone = snapshot(Instant(OPEN + 30_000), ask=60)
    result = await played(odds(), listing(), snapshot(OPEN), gone)
    assert (len(result.signals), result.fills) == (1, [])
    result = await played(odds(), listing(), snapshot(OPEN), gone, latency_s=0.01)
    assert [fill.price for fill in result.fills] == [cents(46)]


async def test_the_same_tape_gives_the_same_bytes() -> None:
    def once() -> tuple[Replay, list[bytes]]:
        kept: list[bytes] = []
        return replay(lambda message: kept.append(encode(message))), kept

    events = (odds(), listing(), snapshot(OPEN), snapshot(Instant(OPEN + SECOND), ask=45), ended())
    (first, one), (second, two) = once(), once()
    again = tape(*events)
    a, b = await first.play(again), await second.play(again)
    assert one == two
    assert a.digest == b.digest != ""


async def test_another_tape_gives_another_digest() -> None:
    a, b = await played(odds(), listing()), await played(odds(price=1.86), listing())
    assert a.digest != b.digest


async def test_the_order_of_files_changes_nothing() -> None:
    a, b = await played(odds(), listing()), await played(listing(), odds())
    assert a.digest == b.digest


async def test_a_listing_without_fees_gets_the_usual_fee_and_says_so() -> None:
    bare = listing(fee_type=FeeType.UNKNOWN, fee_multiplier_micro=None)
    result = await played(odds(), bare)
    assert result.assumed_fees == {"KXNFLGAME"}
    assert result.account.fees > 0


async def test_a_market_known_only_from_frames_is_still_a_market() -> None:
    result = await played(odds(), snapshot(OPEN))
    assert (result.listings, result.book_events) == (1, 1)


async def test_nothing_is_bought_after_the_start() -> None:
    late = Instant(KICKOFF + MINUTE)
    result = await played(odds(), listing(late), odds(late))
    assert not result.signals
    assert not result.fills


async def test_a_market_quoted_on_one_side_only_is_refused_with_its_reason() -> None:
    result = await played(odds(), listing(yes_bid=None, yes_bid_size=None))
    assert result.signals == []
    assert result.rejected


async def test_a_crossed_listing_is_no_price() -> None:
    result = await played(odds(), listing(yes_bid=cents(47)))
    assert result.fills == []


async def test_times_that_run_backwards_in_the_files_are_put_in_order() -> None:
    early, late = listing(OPEN), listing(Instant(OPEN + MINUTE), yes_ask=cents(60))
    a, b = await played(odds(), late, early), await played(odds(), early, late)
    assert a.digest == b.digest


async def test_an_order_that_fails_is_the_replays_error() -> None:
    broken = replay()

    async def fail(writes: object) -> list[int]:
        raise RuntimeError("a bug")

    broken._documents.batch = fail  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="a bug"):
        await broken.play(tape(odds(), listing(), ended()))


async def test_progress_is_told_on_long_tapes() -> None:
    told: list[int] = []
    events = [snapshot(Instant(OPEN + index)) for index in range(5_000)]
    await replay().play(tape(odds(), listing(), *events), told.append)
    assert told == sorted(told)
    assert len(told) >= 2


async def test_an_empty_size_is_never_filled() -> None:
    result = await played(odds(), listing(yes_ask_size=Quantity(0)))
    assert result.fills == []
    assert result.account.cash == 10_000 * DOLLAR
