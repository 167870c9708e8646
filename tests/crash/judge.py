"""What must hold after any number of kills, said by the exchange's own ledger and the stored documents alone.

Each question yields what is wrong, in words. Those in :data:`ALWAYS` hold at any moment, also of a process
that lies dead between two steps; those in :data:`AT_REST` once everything has been followed to its end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from shared.clock import MINUTE, SECOND, eastern_day
from shared.messages import SignalRaised
from shared.money import LOTS, MICROS, Usd, format_usd
from shared.orders.intent import client_order_id
from shared.risk.book import Book
from shared.risk.controls import CONTROLS
from shared.risk.limits import RiskLimits
from shared.simulator.accounts import Position
from shared.simulator.truth import FillTruth, OrderTruth, Truth
from tests.simulation.case import Intent

# More than any policy makes of one signal.
_ATTEMPTS = 12
# From the moment an order is judged to the exchange's date of it: what a loaded machine takes, of a minute.
_ON_THE_WAY = 10 * SECOND
_CONTROLS = frozenset(control.__name__ for control in CONTROLS)


@dataclass(frozen=True)
class Evidence:
    """All there is to judge by. ``signals`` are those that were put into the store."""

    truth: Truth
    intents: Mapping[str, Intent]
    book: Book
    signals: Mapping[str, SignalRaised]
    limits: RiskLimits
    _attempts: dict[str, tuple[str, int]] = field(default_factory=dict)

    def attempt_of(self, order_id: str) -> tuple[str, int] | None:
        """The signal and the attempt at it that an order id is derived from."""
        if not self._attempts:
            for signal_id in self.signals:
                for attempt in range(_ATTEMPTS):
                    self._attempts[client_order_id(signal_id, 0, attempt)] = signal_id, attempt
        return self._attempts.get(order_id)

    def event_of(self, order: OrderTruth) -> str:
        """The game an order counts to."""
        found = self.attempt_of(order.client_order_id)
        return "" if found is None else self.signals[found[0]].odds_event_id

    def sport_of(self, ticker: str) -> str:
        """The sport of a market that signals were about."""
        return next((one.league for one in self.signals.values() if one.ticker == ticker), "")


Found = Iterator[str]
Question = Callable[[Evidence], Found]

# --- duplicates ------------------------------------------------------------------------------------------


def one_order_for_each_id(seen: Evidence) -> Found:
    """At most one order at the exchange for each of our ids."""
    for order_id, times in Counter(one.client_order_id for one in seen.truth.orders).items():
        if times > 1:
            yield f"{times} orders carry {order_id}"


def one_order_for_each_attempt(seen: Evidence) -> Found:
    """Every order at the exchange is one attempt at one signal that was raised, and no attempt made two."""
    made = Counter(seen.attempt_of(one.client_order_id) for one in seen.truth.orders)
    for attempt, times in made.items():
        if attempt is None:
            yield f"{times} orders are no attempt at any signal"
        elif times > 1:
            yield f"attempt {attempt[1]} at signal {attempt[0]} made {times} orders"


def every_order_has_its_intent(seen: Evidence) -> Found:
    """Nothing is at the exchange that was not durable before, approved by every control."""
    for order in seen.truth.orders:
        intent = seen.intents.get(order.client_order_id)
        if intent is None:
            yield f"{order.client_order_id} is at the exchange without an intent"
        elif missing := _CONTROLS - intent.controls:
            yield f"{order.client_order_id} does not name {', '.join(sorted(missing))}"


def orders_are_what_was_approved(seen: Evidence) -> Found:
    """Market, side, size and price at the exchange are those of the intent."""
    for order in seen.truth.orders:
        intent = seen.intents.get(order.client_order_id)
        if intent is None:
            continue
        asked = intent.proposal
        is_bid = asked.side.value == "yes"
        price = asked.limit if is_bid else MICROS - asked.limit
        wanted = (asked.ticker, is_bid, int(asked.quantity), int(price))
        if wanted != (order.ticker, order.bid, order.initial, order.price):
            yield f"{order.client_order_id} is {order.ticker} {order.bid} {order.initial} at {order.price}"


def signals_are_not_overfilled(seen: Evidence) -> Found:
    """Never more than a signal wants in all, nor beyond its limit."""
    filled: Counter[str] = Counter()
    for order in seen.truth.orders:
        found = seen.attempt_of(order.client_order_id)
        if found is not None:
            filled[found[0]] += order.filled
            if _unit(order) > seen.signals[found[0]].limit:
                yield f"{order.client_order_id} pays more than its signal allows"
    for signal_id, lots in filled.items():
        if lots > seen.signals[signal_id].quantity:
            yield f"signal {signal_id} wants {seen.signals[signal_id].quantity} lots, it filled {lots}"


# --- limits ----------------------------------------------------------------------------------------------


def order_limits_hold(seen: Evidence) -> Found:
    """Contracts, money and price of each order."""
    limits = seen.limits
    for order in seen.truth.orders:
        cost = Usd(order.cost + order.fees)
        if order.initial > limits.max_quantity_per_trade:
            yield f"{order.initial} lots in one order, limit {limits.max_quantity_per_trade}"
        if cost > limits.max_risk_per_trade:
            yield f"${format_usd(cost)} in one order, limit ${format_usd(limits.max_risk_per_trade)}"
        if not limits.min_price <= _unit(order) <= limits.max_price:
            yield f"price {_unit(order)} is outside {limits.min_price}…{limits.max_price}"


def order_rate_holds(seen: Evidence) -> Found:
    """Orders within a minute by the exchange's dates, less what an order may take to get there."""
    times = sorted(one.created for one in seen.truth.orders)
    most = seen.limits.max_orders_per_minute
    for first, last in zip(times, times[most:], strict=False):
        if last - first < MINUTE - _ON_THE_WAY:
            yield f"{most + 1} orders within {(last - first) / SECOND:.1f} s"
            return


def reserved_rate_holds(seen: Evidence) -> Found:
    """Orders within a minute, and the gap between two, by the moments at which they were judged."""
    times = sorted(one.proposal.at for one in seen.intents.values())
    most, gap = seen.limits.max_orders_per_minute, seen.limits.min_order_gap_ms * 1_000
    for first, last in zip(times, times[most:], strict=False):
        if last - first < MINUTE:
            yield f"{most + 1} orders judged within {(last - first) / SECOND:.3f} s"
            return
    for before, after in pairwise(times):
        if after - before < gap:
            yield f"two orders {(after - before) / 1_000:.1f} ms apart"
            return


def counts_of_a_day_hold(seen: Evidence) -> Found:
    """Orders and contracts of each day."""
    trades: Counter[str] = Counter()
    lots: Counter[str] = Counter()
    for order in seen.truth.orders:
        day = eastern_day(order.created)
        trades[day] += 1
        lots[day] += order.filled
    for day in trades:
        if trades[day] > seen.limits.max_trades_per_day:
            yield f"{trades[day]} orders on {day}, limit {seen.limits.max_trades_per_day}"
        if lots[day] > seen.limits.max_quantity_per_day:
            yield f"{lots[day]} lots on {day}, limit {seen.limits.max_quantity_per_day}"


def event_limits_hold(seen: Evidence) -> Found:
    """Contracts bought on one game, all its markets together."""
    bought: Counter[str] = Counter()
    for order in seen.truth.orders:
        bought[seen.event_of(order)] += order.filled
    for event, lots in bought.items():
        if lots > seen.limits.max_quantity_per_event:
            yield f"{lots} lots on {event}, limit {seen.limits.max_quantity_per_event}"


def replayed_limits_hold(seen: Evidence) -> Found:
    """The account is played again from the fills alone: cash, losses and sport shares after every one."""
    ledger = _Ledger(sum(seen.truth.deposited.values()))
    for fill in _in_order(seen.truth.fills):
        ledger.take(fill)
        lost = max(0, -ledger.profit)
        if lost > min(seen.limits.max_daily_loss, seen.limits.max_weekly_loss):
            yield f"${format_usd(Usd(lost))} lost at {fill.fill_id}"
        if ledger.cash < 0:
            yield f"cash is ${format_usd(Usd(ledger.cash))} at {fill.fill_id}"
        sport = seen.sport_of(fill.ticker)
        held = sum(one.cost for ticker, one in ledger.positions.items() if seen.sport_of(ticker) == sport)
        allowed = ledger.bankroll * seen.limits.max_sport_share_basis_points // 10_000
        if held > allowed:
            yield f"${format_usd(Usd(held))} held in {sport}, allowed ${format_usd(Usd(allowed))}"


# --- at rest -----------------------------------------------------------------------------------------------


def every_order_has_ended(seen: Evidence) -> Found:
    """Nothing is left open, here or there."""
    for intent in seen.intents.values():
        if not intent.is_over:
            yield f"{intent.order_id} is still {intent.status}"
    for order_id in seen.book.reserved:
        yield f"{order_id} is still reserved"
    for order in seen.truth.orders:
        if order.remaining:
            yield f"{order.client_order_id} still rests at the exchange"


def every_fill_is_booked_once(seen: Evidence) -> Found:
    """Each fill of the exchange stands on exactly one order's document, and no other does."""
    ours = Counter(fill for intent in seen.intents.values() for fill in intent.fills)
    theirs = {one.fill_id for one in seen.truth.fills}
    for fill in sorted(theirs - ours.keys()):
        yield f"fill {fill} is not booked"
    for fill, times in ours.items():
        if times != 1 or fill not in theirs:
            yield f"fill {fill} is booked {times} times"


def documents_equal_the_exchange(seen: Evidence) -> Found:
    """Every order has as many contracts on its document as at the exchange."""
    known = {one.client_order_id: one.filled for one in seen.truth.orders}
    for intent in seen.intents.values():
        theirs = known.get(intent.order_id, 0)
        if intent.filled != theirs:
            yield f"{intent.order_id}: {intent.filled} lots on its document, {theirs} at the exchange"


def cash_equals_the_exchange(seen: Evidence) -> Found:
    """Cash to the micro-dollar."""
    theirs = Usd(sum(seen.truth.cash.values()))
    if seen.book.cash != theirs:
        yield f"cash is ${format_usd(seen.book.cash)} in the book and ${format_usd(theirs)} at the exchange"


def positions_equal_the_exchange(seen: Evidence) -> Found:
    """Every position."""
    ours = {ticker: int(held.position.quantity) for ticker, held in seen.book.holdings.items()}
    theirs = {ticker: held.lots for ticker, held in seen.truth.positions.items()}
    for ticker in sorted(ours.keys() | theirs.keys()):
        if ours.get(ticker, 0) != theirs.get(ticker, 0):
            yield f"{ticker}: {ours.get(ticker, 0)} in the book, {theirs.get(ticker, 0)} at the exchange"


def fees_equal_the_exchange(seen: Evidence) -> Found:
    """All fees ever paid, to the micro-dollar."""
    theirs = Usd(sum(one.fee for one in seen.truth.fills))
    if seen.book.fees != theirs:
        yield f"fees are ${format_usd(seen.book.fees)} in the book, ${format_usd(theirs)} at the exchange"


def profit_equals_the_exchange(seen: Evidence) -> Found:
    """What was earned: cash and cost of what is held, less what was put in, to the micro-dollar.

    Cost depends on the order of fills of one instant, which have none; cash and contracts do not. So what
    closing trades earned is taken from the book and must explain the exchange's cash exactly.
    """
    put_in = sum(seen.truth.deposited.values())
    explained = put_in + seen.book.realized - seen.book.fees - seen.book.open_cost
    theirs = sum(seen.truth.cash.values())
    if explained != theirs:
        yield f"the book explains ${format_usd(Usd(explained))} of cash, there are ${format_usd(Usd(theirs))}"


ALWAYS: tuple[Question, ...] = (
    one_order_for_each_id,
    one_order_for_each_attempt,
    every_order_has_its_intent,
    orders_are_what_was_approved,
    signals_are_not_overfilled,
    order_limits_hold,
    order_rate_holds,
    reserved_rate_holds,
    counts_of_a_day_hold,
    event_limits_hold,
    replayed_limits_hold,
)
AT_REST: tuple[Question, ...] = (
    *ALWAYS,
    every_order_has_ended,
    every_fill_is_booked_once,
    documents_equal_the_exchange,
    cash_equals_the_exchange,
    positions_equal_the_exchange,
    fees_equal_the_exchange,
    profit_equals_the_exchange,
)


def faults_of(seen: Evidence, questions: tuple[Question, ...]) -> list[str]:
    """Everything that is wrong, each with the name of what does not hold."""
    return [f"{ask.__name__}: {text}" for ask in questions for text in ask(seen)]


# --- the account, played again -----------------------------------------------------------------------------


class _Ledger:
    """An account that knows only fills."""

    def __init__(self, cash: int) -> None:
        self.cash, self.fees = cash, 0
        self.positions: dict[str, Position] = {}

    def take(self, fill: FillTruth) -> None:
        """Book one fill."""
        held = self.positions.setdefault(fill.ticker, Position())
        self.cash += held.trade(fill.lots if fill.bid else -fill.lots, fill.price) - fill.fee  # type: ignore[arg-type]
        self.fees += fill.fee

    @property
    def profit(self) -> int:
        """Realised, after fees."""
        return sum(one.realized for one in self.positions.values()) - self.fees

    @property
    def bankroll(self) -> int:
        """Cash and the cost of what is held; fees and losses were bankroll when an order was judged."""
        spent = self.fees + max(0, -sum(one.realized for one in self.positions.values()))
        return self.cash + sum(one.cost for one in self.positions.values()) + spent


def _in_order(fills: tuple[FillTruth, ...]) -> list[FillTruth]:
    return sorted(fills, key=lambda one: one.at)


def _unit(order: OrderTruth) -> int:
    """Price of the side bought."""
    return order.price if order.bid else MICROS - order.price


def contracts(lots: int) -> str:
    """Hundredths of a contract, for people."""
    return f"{lots / LOTS:,.0f}"
