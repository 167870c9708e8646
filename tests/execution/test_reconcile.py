"""Reconciliation: what the venue says otherwise, when that counts, what is done, and when it is over."""

from __future__ import annotations

import pytest

from shared.clock import HOUR, MINUTE, SECOND, Instant
from shared.errors import VenueDownError
from shared.execution.assemble import Execution
from shared.execution.gateway import Accepted, RestingOrder, Statement, Unknown, VenueFill
from shared.execution.reconcile import Difference
from shared.messages import FillRecorded, ReconciliationDifference
from shared.money import ONE, Quantity, Usd
from shared.orders.ledger import Fill
from shared.risk.board import GLOBAL
from shared.risk.breaker import Cause, Person, State
from shared.terms import Result, Side
from tests.execution.conftest import EVENT, SCHEDULE, TICKER, cents, contracts, signal
from tests.execution.house import CASH, House, Venue, fill_of, leased, statement
from tests.support.limits import DOLLAR

OTHER = "KXNFLGAME-26SEP28PHICHI-CHI"


class Desk:
    """One executor that trades, and what its venue says of the account."""

    def __init__(self) -> None:
        self.house, self.venue = House(), Venue()
        self.execution: Execution

    async def open(self) -> Desk:
        """The venue agrees at first."""
        self.execution = await self.house.opened(self.venue, leased())
        self.house.tick(3)
        return self

    async def compare(self, seconds: float = 10, **said: object) -> bool:
        """One more statement, ``seconds`` later; what is not given is as in our book."""
        self.house.tick(seconds)
        await self.execution.trader.renew()
        book = self.execution.account.book
        held = {ticker: (one.position.quantity, one.position.cost) for ticker, one in book.holdings.items()}
        given: dict[str, object] = {"cash": book.cash, "positions": held, "as_of": self.house.clock.now()}
        self.venue.said = statement(**(given | said))  # type: ignore[arg-type]
        return await self.execution.reconciler.turn()

    async def buy(self, size: int = 30) -> str:
        """An order of ours that fills ``size`` at 50c; its id at the venue."""
        self.venue.answers.append(
            lambda order: Accepted("v-1", (fill_of(order, "f-1", 50, size),), Quantity(0))
        )
        self.house.asks((50, 30))
        await self.execution.executor.on_signal(signal(quantity=contracts(30)), SCHEDULE)
        self.house.tick(3)
        return "v-1"

    @property
    def told(self) -> list[tuple[str, bool, str]]:
        """What was told of differences: what, whether resolved, and how."""
        return [(one.what, one.resolved, one.resolution) for one in self.house.said(ReconciliationDifference)]

    async def stopped(self) -> str:
        """Why the global breaker stands open, or empty."""
        self.execution.safety.breakers._board = None
        breaker = (await self.execution.safety.breakers.board()).of(GLOBAL)
        return breaker.reason if breaker.state is State.OPEN else ""


@pytest.fixture
async def desk() -> Desk:
    return await Desk().open()


def foreign(order_id: str = "v-9", seconds_ago: float = 5, now: int = 0, ticker: str = TICKER) -> VenueFill:
    """A fill of 3 contracts at 40c of somebody's order."""
    fill = Fill("f-9", ticker, EVENT, Side.YES, cents(40), contracts(3), Usd(0))
    return VenueFill(fill, order_id, Instant(now - int(seconds_ago * SECOND)))


# --- agreement --------------------------------------------------------------------------------------------


async def test_a_statement_that_agrees_confirms_the_book(desk: Desk) -> None:
    assert await desk.compare()
    assert (await desk.execution.stored.read()).confirmed_at == desk.house.clock.now()
    assert desk.execution.reconciler.agreed_at == desk.house.clock.now()


async def test_a_position_that_both_have_is_no_difference(desk: Desk) -> None:
    await desk.buy()
    assert await desk.compare()
    assert await desk.compare()
    assert desk.told == []


async def test_without_the_venues_word_no_order_passes_for_long(desk: Desk) -> None:
    desk.venue.said = VenueDownError("no connection")
    desk.house.tick(31)
    with pytest.raises(VenueDownError):
        await desk.execution.reconciler.turn()
    view = (await desk.execution.stored.read()).unfit(desk.house.clock.now(), 30.0)
    assert view is not None
    assert "last confirmed" in view


async def test_paper_has_no_venue_to_disagree(desk: Desk) -> None:
    desk.venue.said = None
    assert await desk.execution.reconciler.turn()


# --- a statement may be older than what we know -----------------------------------------------------------


async def test_a_statement_from_before_the_last_fill_says_nothing(desk: Desk) -> None:
    before = desk.house.clock.now()
    await desk.buy()
    for _ in range(3):
        assert not await desk.compare(as_of=before, cash=CASH, positions={})
    assert desk.told == []


async def test_a_statement_that_cannot_be_newer_than_our_clocks_differ_says_nothing(desk: Desk) -> None:
    await desk.buy()
    moved = desk.execution.stored.moved_at
    assert not await desk.compare(as_of=Instant(moved + SECOND))
    assert await desk.compare(as_of=Instant(moved + 2 * SECOND))


async def test_what_changed_while_the_statement_was_read_is_compared_next_time(desk: Desk) -> None:
    async def meanwhile() -> None:
        desk.venue.while_stating = None
        await desk.execution.stored.deposit(Usd(DOLLAR))

    desk.venue.while_stating = meanwhile
    assert not await desk.compare()
    assert await desk.compare()


async def test_the_same_statement_twice_is_one_statement(desk: Desk) -> None:
    at = desk.house.clock.now()
    for _ in range(3):
        await desk.compare(as_of=at, cash=Usd(CASH - DOLLAR))
    assert desk.told == []


# --- what two statements show -----------------------------------------------------------------------------


async def test_what_one_statement_shows_may_be_the_lag_of_its_reads(desk: Desk) -> None:
    assert not await desk.compare(cash=Usd(CASH - DOLLAR))
    assert await desk.compare()
    assert (desk.told, await desk.stopped()) == ([], "")


async def test_less_cash_than_ours_stops_all_trading_until_a_person_has_looked(desk: Desk) -> None:
    for _ in range(2):
        assert not await desk.compare(cash=Usd(CASH - DOLLAR))
    assert desk.told == [("cash", False, "")]
    assert await desk.stopped() == "cash all: ours 10000.00, the venue's 9999.00"
    breaker = (await desk.execution.safety.breakers.board()).of(GLOBAL)
    assert breaker.causes == (Cause.RECONCILIATION,)


async def test_a_difference_that_stays_is_told_once(desk: Desk) -> None:
    for _ in range(5):
        await desk.compare(cash=Usd(CASH - DOLLAR))
    assert len(desk.told) == 1


async def test_a_difference_that_grows_is_another_one(desk: Desk) -> None:
    for lost in (1, 1, 2, 2):
        await desk.compare(cash=Usd(CASH - lost * DOLLAR))
    [first, second] = [one.gap for one in desk.house.said(ReconciliationDifference) if not one.resolved]
    assert (first, second) == (-DOLLAR, -2 * DOLLAR)


async def test_more_cash_than_ours_is_money_put_in(desk: Desk) -> None:
    for _ in range(2):
        await desk.compare(cash=Usd(CASH + 50 * DOLLAR))
    book = await desk.execution.stored.read()
    assert (book.cash, book.deposits) == (CASH + 50 * DOLLAR, CASH + 50 * DOLLAR)
    assert desk.told == [("cash", True, "taken for money put in")]
    assert await desk.stopped() == ""
    assert await desk.compare()
    assert len(desk.told) == 1


@pytest.mark.parametrize("gap", [99, -99])
async def test_cash_is_compared_to_the_hundredth_of_a_cent_that_the_venue_states(
    desk: Desk, gap: int
) -> None:
    assert await desk.compare(cash=Usd(CASH + gap))


@pytest.mark.parametrize("lots", [Quantity(0), contracts(29), contracts(31), Quantity(-3000)])
async def test_another_position_than_ours_is_a_difference(desk: Desk, lots: Quantity) -> None:
    await desk.buy()
    cash = desk.execution.account.cash
    for _ in range(2):
        await desk.compare(positions={TICKER: (lots, Usd(0))}, cash=cash)
    assert desk.told == [("position", False, "")]
    assert TICKER in await desk.stopped()


async def test_a_position_we_know_nothing_of_is_a_difference(desk: Desk) -> None:
    for _ in range(2):
        await desk.compare(positions={OTHER: (contracts(1), Usd(0))})
    assert await desk.stopped() == f"position {OTHER}: ours 0.00, the venue's 1.00"


async def test_the_venue_agreeing_again_resolves_and_a_person_still_has_to_close(desk: Desk) -> None:
    for _ in range(2):
        await desk.compare(positions={OTHER: (contracts(1), Usd(0))})
    assert await desk.compare()
    assert desk.told == [("position", False, ""), ("position", True, "the venue agrees again")]
    opened, resolved = desk.house.said(ReconciliationDifference)
    assert opened.difference_id == resolved.difference_id
    assert await desk.stopped() != ""


async def test_a_difference_a_person_wrote_into_the_book_is_resolved(desk: Desk) -> None:
    cash = Usd(CASH - DOLLAR)
    for _ in range(2):
        await desk.compare(cash=cash)
    book = await desk.execution.stored.read()
    await desk.execution.stored.restate(book.seq, cash, {}, Person("ann"), "a fee by hand")
    await desk.compare(cash=cash)
    assert await desk.compare(cash=cash)
    assert desk.told[-1] == ("cash", True, "the venue agrees again")


# --- what is on its way is not compared -------------------------------------------------------------------


async def in_flight(desk: Desk) -> None:
    desk.venue.answers.append(Unknown("timeout"))
    await desk.execution.executor.on_signal(signal(), SCHEDULE)
    assert desk.execution.account.reserved > 0
    desk.house.tick(3)


async def test_cash_and_the_position_of_an_order_under_way_are_not_asked_about(desk: Desk) -> None:
    await in_flight(desk)
    for _ in range(2):
        assert await desk.compare(cash=Usd(CASH - 15 * DOLLAR), positions={TICKER: (contracts(30), Usd(0))})
    assert desk.told == []


async def test_positions_of_other_markets_are_compared_meanwhile(desk: Desk) -> None:
    await in_flight(desk)
    for _ in range(2):
        await desk.compare(positions={OTHER: (contracts(1), Usd(0))})
    assert desk.told == [("position", False, "")]


async def test_a_difference_is_not_over_because_it_cannot_be_asked_about(desk: Desk) -> None:
    cash = Usd(CASH - DOLLAR)
    for _ in range(2):
        await desk.compare(cash=cash)
    await desk.execution.safety.breakers.close(GLOBAL, Person("ann"), "I know of it")
    await in_flight(desk)
    await desk.compare(cash=cash)
    assert desk.told == [("cash", False, "")]
    assert not await desk.compare()


async def test_a_difference_is_not_over_because_the_statement_is_old(desk: Desk) -> None:
    for _ in range(2):
        await desk.compare(positions={OTHER: (contracts(1), Usd(0))})
    await desk.execution.stored.deposit(Usd(DOLLAR))
    now = desk.house.clock.now()
    old = Instant(now + SECOND)
    await desk.compare(as_of=old, positions={OTHER: (contracts(1), Usd(0))}, fills=(foreign(now=now),))
    assert ("position", True, "the venue agrees again") not in desk.told


async def test_a_market_the_venue_has_paid_is_settled_before_it_is_compared(desk: Desk) -> None:
    called: list[bool] = []
    desk.execution.reconciler.paid_out = lambda: called.append(True)
    await desk.buy()
    cash = Usd(desk.execution.account.cash + 30 * ONE)
    for _ in range(2):
        await desk.compare(cash=cash, positions={}, paid=frozenset({TICKER}))
    assert (called, desk.told) == ([True, True], [])
    await desk.execution.journal.settled(TICKER, ONE, Result.YES)
    desk.house.tick(3)
    assert await desk.compare(cash=cash, positions={}, paid=frozenset({TICKER}))


# --- fills ------------------------------------------------------------------------------------------------


async def test_a_difference_in_a_market_that_both_have_paid_is_over(desk: Desk) -> None:
    await desk.buy(30)
    cash = Usd(desk.execution.account.book.cash + 30 * DOLLAR)
    for _ in range(2):  # its position is gone, and its payout not listed yet: reads lag
        assert not await desk.compare(positions={})
    assert [what for what, *_ in desk.told] == ["position"]
    await desk.execution.journal.settled(TICKER, ONE, Result.YES)
    desk.house.tick(3)
    assert await desk.compare(cash=cash, positions={}, paid=frozenset({TICKER}))
    assert desk.told[-1] == ("position", True, "the venue agrees again")


async def test_a_fill_of_an_order_that_is_not_ours_is_a_difference(desk: Desk) -> None:
    for _ in range(2):
        await desk.compare(fills=(foreign(now=desk.house.clock.now()),))
    assert desk.told == [("fill", False, "")]
    assert "3.00 yes at 0.4000, order v-9" in await desk.stopped()


async def test_a_fill_from_before_the_book_was_stated_is_in_its_numbers(desk: Desk) -> None:
    book = await desk.execution.stored.read()
    await desk.execution.stored.restate(
        book.seq, CASH, {}, Person("ann"), "traded by hand", desk.house.clock.now()
    )
    old = foreign(seconds_ago=0, now=desk.house.clock.now())
    desk.house.tick(3)
    assert await desk.compare(fills=(old,))


async def test_a_new_account_starts_with_what_the_venue_says_it_has() -> None:
    house, venue = House(), Venue()
    held = {OTHER: (contracts(4), Usd(2 * DOLLAR))}
    at = house.clock.now()
    venue.said = statement(at, Usd(70 * DOLLAR), held, fills=(foreign(now=at, ticker=OTHER),))
    execution = house.executor(venue, leased())
    await execution.begin(CASH)
    book = await execution.stored.read()
    assert (book.cash, book.deposits, book.stated_at) == (70 * DOLLAR, 72 * DOLLAR, at)
    assert book.holdings[OTHER].position.quantity == contracts(4)
    house.tick(10)
    venue.said = statement(house.clock.now(), Usd(70 * DOLLAR), held, fills=(foreign(now=at, ticker=OTHER),))
    assert await execution.reconciler.turn()


async def test_our_own_fills_are_no_news(desk: Desk) -> None:
    order_id = await desk.buy()
    kept = await desk.execution.journal.by_venue_id(order_id)
    assert kept is not None
    fills = tuple(VenueFill(one, order_id, desk.house.clock.now()) for one in kept.fills)
    assert await desk.compare(fills=fills)


async def missed(desk: Desk) -> VenueFill:
    """Two contracts that our order had and nobody told us."""
    order_id = await desk.buy(size=10)
    fill = Fill("f-2", TICKER, "", Side.YES, cents(49), contracts(2), Usd(10_000))
    return VenueFill(fill, order_id, desk.house.clock.now())


async def test_a_missed_fill_of_ours_is_booked_and_stops_all_trading(desk: Desk) -> None:
    fill = await missed(desk)
    await desk.compare(fills=(fill,))
    position = desk.execution.account.positions[TICKER]
    assert (position.quantity, position.fees) == (contracts(12), 10_000)
    assert "had ended: fill f-2" in await desk.stopped()
    [told] = [one for one in desk.house.said(FillRecorded) if one.fill_id == "f-2"]
    assert told.event_ticker == EVENT


async def test_a_missed_fill_is_told_as_booked_and_booked_once(desk: Desk) -> None:
    fill = await missed(desk)
    for _ in range(3):
        await desk.compare(fills=(fill,))
    assert [(what, is_resolved) for what, is_resolved, _ in desk.told] == [("fill", True)]
    assert desk.execution.account.positions[TICKER].quantity == contracts(12)


async def test_a_fill_of_an_order_under_way_is_left_to_the_order(desk: Desk) -> None:
    await in_flight(desk)
    await desk.compare(fills=(foreign(now=desk.house.clock.now()),))
    await desk.compare(fills=(foreign(now=desk.house.clock.now()),))
    assert desk.told == []


async def test_after_a_restart_a_missed_fill_is_still_booked_once(desk: Desk) -> None:
    fill = await missed(desk)
    await desk.compare(fills=(fill,))
    desk.house.tick(20)
    desk.execution = await desk.house.opened(desk.venue, leased(holder="two"))
    await desk.compare(fills=(fill,))
    assert desk.execution.account.positions[TICKER].quantity == contracts(12)


# --- resting orders ---------------------------------------------------------------------------------------


def resting(client_order_id: str = "") -> RestingOrder:
    return RestingOrder("v-7", client_order_id, TICKER, contracts(5), 3)


async def test_an_order_somebody_else_left_resting_is_told_and_not_touched(desk: Desk) -> None:
    for _ in range(2):
        await desk.compare(resting=(resting("by-hand"),))
    assert desk.told == [("order", False, "")]
    assert desk.venue.canceled == []


async def test_an_order_of_ours_that_had_ended_and_rests_is_taken_out_of_the_book(desk: Desk) -> None:
    await desk.buy()
    [order] = await desk.house.documents.query("orders")
    await desk.compare(resting=(resting(order.path.partition("/")[2]),))
    assert desk.venue.canceled == ["v-7"]
    assert desk.told == []  # one statement only: it may be older than our cancel
    assert await desk.compare()


async def test_an_order_of_ours_that_goes_on_resting_is_a_difference(desk: Desk) -> None:
    await desk.buy()
    [order] = await desk.house.documents.query("orders")
    for _ in range(2):
        await desk.compare(resting=(resting(order.path.partition("/")[2]),))
    assert desk.told == [("order", False, "")]


async def test_an_order_under_way_may_rest(desk: Desk) -> None:
    await in_flight(desk)
    [order] = await desk.house.documents.query("orders")
    assert await desk.compare(resting=(resting(order.path.partition("/")[2]),))
    assert desk.venue.canceled == []


async def test_statements_ask_for_fills_far_enough_back(desk: Desk) -> None:
    asked: list[int] = []

    async def stated(since: Instant) -> Statement | None:
        asked.append(desk.house.clock.now() - since)
        return None

    desk.venue.statement = stated  # type: ignore[method-assign]
    await desk.execution.reconciler.turn()
    assert 10 * MINUTE <= asked[0] <= HOUR


def test_a_difference_says_both_numbers() -> None:
    assert str(Difference("cash", "all", "", "1.00", "", 0)) == "cash all: ours 1.00, the venue's none"
