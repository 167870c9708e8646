"""The account: reservations, fills and settlements against a second set of books, and days that roll."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.clock import DAY, HOUR, MINUTE, SECOND, Instant, eastern_day
from shared.money import ONE, Price, Quantity, Usd, notional
from shared.orders.ledger import Fill, Ledger
from shared.risk.account import Account, risk_of
from shared.risk.controls import Proposal
from shared.risk.gate import Gate
from shared.terms import Side
from tests.execution.conftest import cents, contracts
from tests.support.limits import DOLLAR, LIMITS

# 21 September 2026, 09:33 in New York: a Monday.
MONDAY = Instant(1_790_000_000 * SECOND)
EVENT, TICKER = "KXNFLGAME-26SEP28PHICHI", "KXNFLGAME-26SEP28PHICHI-PHI"


def account(dollars: int = 10_000) -> Account:
    return Account(Ledger(Usd(dollars * DOLLAR)))


def proposal(order_id: str = "order-1", at: Instant = MONDAY, **changes: object) -> Proposal:
    """Buy 10 YES at 50c, $5.20 at risk."""
    made = Proposal(order_id, TICKER, EVENT, "NFL", Side.YES, cents(50), contracts(10), Usd(5_200_000), at)
    return replace(made, **changes)  # type: ignore[arg-type]


def fill(fill_id: str = "fill-1", ticker: str = TICKER, price: int = 50, size: int = 10) -> Fill:
    event = ticker.rpartition("-")[0]
    return Fill(fill_id, ticker, event, Side.YES, cents(price), contracts(size), Usd(200_000))


def lose(held: Account, ticker: str, at: Instant) -> None:
    """Buy ten at 50c and see the market end NO: $5.20 gone."""
    held.filled(fill(f"fill-{ticker}", ticker), at)
    held.settled(ticker, Price(0), at)


def test_a_reservation_counts_as_spent_until_it_is_released() -> None:
    held = account()
    held.reserve(proposal())
    seen = held.view(EVENT, "NFL", MONDAY)
    assert (seen.cash, seen.lost_today) == (10_000 * DOLLAR - 5_200_000, 5_200_000)
    held.release("order-1")
    assert held.view(EVENT, "NFL", MONDAY).cash == 10_000 * DOLLAR


def test_releasing_twice_gives_back_once() -> None:
    held = account()
    held.reserve(proposal())
    held.reserve(proposal("order-2"))
    held.release("order-1")
    held.release("order-1")
    assert held.reserved == 5_200_000


def test_two_events_and_two_sports_are_seen_apart() -> None:
    held = account()
    held.reserve(proposal())
    held.filled(fill(), MONDAY)
    mine, other = held.view(EVENT, "NFL", MONDAY), held.view("OTHER", "NBA", MONDAY)
    assert (mine.event_quantity, other.event_quantity) == (contracts(20), 0)
    assert mine.sport_risk > other.sport_risk == 0
    assert (mine.cash, mine.trades_today) == (other.cash, other.trades_today)


def test_a_known_fill_changes_nothing() -> None:
    held = account()
    assert held.filled(fill(), MONDAY)
    before = held.view(EVENT, "NFL", MONDAY)
    assert not held.filled(fill(), MONDAY)
    assert held.view(EVENT, "NFL", MONDAY) == before


def test_a_market_is_paid_once() -> None:
    held = account()
    held.filled(fill(), MONDAY)
    assert held.settled(TICKER, ONE, MONDAY) is not None
    assert held.settled(TICKER, ONE, MONDAY) is None
    assert held.ledger.pnl == 5 * DOLLAR - 200_000


def test_a_loss_counts_on_the_day_it_is_realised_and_not_the_next() -> None:
    held = account()
    lose(held, TICKER, MONDAY)
    assert held.view(EVENT, "NFL", MONDAY).lost_today == 5_200_000
    tuesday = held.view(EVENT, "NFL", Instant(MONDAY + DAY))
    assert (tuesday.lost_today, tuesday.lost_this_week) == (0, 5_200_000)


def test_a_week_begins_on_monday() -> None:
    held = account()
    lose(held, TICKER, MONDAY)
    assert held.view(EVENT, "NFL", Instant(MONDAY + 7 * DAY)).lost_this_week == 0


def test_the_day_is_eastern_not_utc() -> None:
    held = account()
    lose(held, TICKER, MONDAY)
    past_midnight_utc = Instant(MONDAY + 12 * HOUR)
    assert held.view(EVENT, "NFL", past_midnight_utc).lost_today == 5_200_000


def test_a_clock_set_back_forgets_no_loss() -> None:
    held = account()
    lose(held, TICKER, MONDAY)
    held.view(EVENT, "NFL", Instant(MONDAY - 2 * DAY))
    assert held.view(EVENT, "NFL", MONDAY).lost_today == 5_200_000


def test_orders_of_the_last_minute_are_remembered_and_older_ones_are_not() -> None:
    held = account()
    held.reserve(proposal())
    assert len(held.view(EVENT, "NFL", Instant(MONDAY + MINUTE - 1)).recent_orders) == 1
    assert held.view(EVENT, "NFL", Instant(MONDAY + MINUTE)).recent_orders == ()


def test_a_win_ends_a_run_of_losses() -> None:
    held = account()
    for index in range(3):
        lose(held, f"{EVENT}-{index}", MONDAY)
    assert held.consecutive_losses == 3
    held.filled(fill("win"), MONDAY)
    held.settled(TICKER, ONE, MONDAY)
    assert held.consecutive_losses == 0


def test_a_run_of_losses_outlives_midnight_and_ends_when_a_person_resumes() -> None:
    held = account()
    for index in range(5):
        lose(held, f"{EVENT}-{index}", MONDAY)
    assert held.view(EVENT, "NFL", Instant(MONDAY + DAY)).consecutive_losses == 5
    held.resumed(Instant(MONDAY + DAY))
    assert held.view(EVENT, "NFL", Instant(MONDAY + DAY)).consecutive_losses == 0


def test_losses_before_a_person_resumed_do_not_count_when_booked_again() -> None:
    held = account()
    held.resumed(Instant(MONDAY + HOUR))
    for index in range(5):
        lose(held, f"{EVENT}-{index}", MONDAY)
    assert held.consecutive_losses == 0


def test_the_series_of_one_game_count_together() -> None:
    held = account()
    spread, total = "KXNFLSPREAD-26SEP28PHICHI-PHI3", "KXNFLTOTAL-26SEP28PHICHI-44"
    for index, ticker in enumerate((TICKER, spread)):
        event = ticker.rpartition("-")[0]
        held.reserve(proposal(f"order-{index}", ticker=ticker, event_ticker=event, game="game"))
        held.filled(fill(f"fill-{index}", ticker), MONDAY)
        held.release(f"order-{index}")
    asked = proposal("order-2", ticker=total, event_ticker="KXNFLTOTAL-26SEP28PHICHI", game="game")
    assert held.view(asked.event, "NFL", MONDAY).event_quantity == contracts(20)


def test_a_clock_set_back_leaves_no_order_in_the_future_to_stop_the_next() -> None:
    held = account()
    held.reserve(proposal())
    earlier = proposal("order-2", Instant(MONDAY - HOUR))
    assert Gate(LIMITS).judge(earlier, held.view(EVENT, "NFL", earlier.at)).approved


TICKERS = ("A-1-X", "A-1-Y", "A-2-X", "B-1-X")


@dataclass
class Books:
    """The second set of books: every fill and result as a list, summed up anew each time."""

    fills: list[Fill] = field(default_factory=list)
    results: dict[str, Price] = field(default_factory=dict)
    open: dict[str, tuple[Proposal, int]] = field(default_factory=dict)  # with what is still to fill

    def cash(self, deposits: int) -> int:
        """Deposits less everything paid, plus a dollar for each pair and the payout of each result."""
        paid = sum(notional(f.price, f.quantity) + f.fee for f in self.fills)
        return deposits - paid + sum(self.received(ticker) for ticker in TICKERS)

    def received(self, ticker: str) -> int:
        yes, no = self.bought(ticker, Side.YES), self.bought(ticker, Side.NO)
        payout = self.results.get(ticker)
        if payout is None:
            return notional(ONE, Quantity(min(yes, no)))
        return notional(payout, Quantity(yes)) + notional(Price(ONE - payout), Quantity(no))

    def bought(self, ticker: str, side: Side) -> int:
        return sum(f.quantity for f in self.fills if f.ticker == ticker and f.side is side)

    def has(self, ticker: str) -> bool:
        return any(f.ticker == ticker for f in self.fills)

    def on_event(self, event: str) -> int:
        return sum(f.quantity for f in self.fills if f.event_ticker == event)


class AccountMachine(RuleBasedStateMachine):
    """Whatever orders, fills, results and clocks do, two sets of books agree and no limit is passed."""

    def __init__(self) -> None:
        super().__init__()
        self.limits = replace(
            LIMITS,
            max_orders_per_minute=1_000,
            min_order_gap_ms=0,
            max_trades_per_day=12,
            max_quantity_per_event=contracts(150),
            max_daily_loss=Usd(150 * DOLLAR),
            max_sport_share_basis_points=9_000,
        )
        self.deposits = 120 * DOLLAR
        self.gate, self.account, self.books = Gate(self.limits), account(120), Books()
        self.now, self.count = MONDAY, 0
        self.latest_day, self.orders_that_day = "", 0

    @rule(
        ticker=st.sampled_from(TICKERS),
        side=st.sampled_from(Side),
        price=st.integers(5, 95),
        size=st.integers(1, 100),
    )
    def order(self, ticker: str, side: Side, price: int, size: int) -> None:
        if ticker in self.books.results:
            return
        self.count += 1
        event, sport = ticker.rpartition("-")[0], ticker[0]
        risk = risk_of(cents(price), contracts(size), Usd(size * 20_000))
        asked = Proposal(
            f"order-{self.count}", ticker, event, sport, side, cents(price), contracts(size), risk, self.now
        )
        view = self.account.view(event, sport, self.now)
        if self.gate.judge(asked, view).approved:
            assert view.lost_today + risk <= self.limits.max_daily_loss
            assert view.trades_today < self.limits.max_trades_per_day
            self.account.reserve(asked)
            self.orders_that_day += 1
            self.books.open[asked.client_order_id] = (asked, asked.quantity)

    @precondition(lambda self: self.books.open)
    @rule(data=st.data())
    def partly_filled(self, data: st.DataObject) -> None:
        order_id = data.draw(st.sampled_from(sorted(self.books.open)))
        asked, left = self.books.open[order_id]
        if not left or asked.ticker in self.books.results:
            return
        self.count += 1
        quantity = Quantity(data.draw(st.integers(1, left // 100)) * 100)
        price = Price(data.draw(st.integers(1, asked.limit // 10_000)) * 10_000)
        fee = Usd(data.draw(st.integers(0, 20_000)) * quantity // 100)
        made = Fill(f"fill-{self.count}", asked.ticker, asked.event_ticker, asked.side, price, quantity, fee)
        assert self.account.filled(made, self.now)
        assert not self.account.filled(made, self.now)
        self.books.fills.append(made)
        self.books.open[order_id] = (asked, left - quantity)

    @precondition(lambda self: self.books.open)
    @rule(data=st.data())
    def ended(self, data: st.DataObject) -> None:
        order_id = data.draw(st.sampled_from(sorted(self.books.open)))
        self.account.release(order_id)
        del self.books.open[order_id]

    @rule(ticker=st.sampled_from(TICKERS), payout=st.sampled_from((0, 500_000, 1_000_000)))
    def settled(self, ticker: str, payout: int) -> None:
        paid = self.account.settled(ticker, Price(payout), self.now)
        known = ticker in self.books.results or not self.books.has(ticker)
        assert (paid is None) == known
        if paid is not None:
            self.books.results[ticker] = Price(payout)

    @rule(seconds=st.integers(-2 * 86_400, 2 * 86_400))
    def the_clock_moves(self, seconds: int) -> None:
        self.now = Instant(self.now + seconds * SECOND)
        if eastern_day(self.now) > max(self.latest_day, eastern_day(MONDAY)):
            self.latest_day, self.orders_that_day = eastern_day(self.now), 0

    @invariant()
    def both_books_have_the_same_cash(self) -> None:
        assert self.account.ledger.cash == self.books.cash(self.deposits)

    @invariant()
    def an_order_counts_once_on_its_day(self) -> None:
        assert self.account.view("A-1", "A", self.now).trades_today == self.orders_that_day

    @invariant()
    def what_is_reserved_is_what_is_in_flight(self) -> None:
        assert self.account.reserved == sum(asked.risk for asked, _ in self.books.open.values())

    @invariant()
    def money_that_is_not_there_is_never_promised(self) -> None:
        unspent = sum(asked.risk * left // asked.quantity for asked, left in self.books.open.values() if left)
        assert self.account.ledger.cash - unspent >= 0

    @invariant()
    def no_event_holds_more_than_its_limit(self) -> None:
        for event in {ticker.rpartition("-")[0] for ticker in TICKERS}:
            flying = sum(left for asked, left in self.books.open.values() if asked.event_ticker == event)
            assert self.books.on_event(event) + flying <= self.limits.max_quantity_per_event


TestAccountMachine = AccountMachine.TestCase
TestAccountMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
