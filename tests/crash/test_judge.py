"""The judge has teeth: every kind of harm, made by hand, is named; a clean account is not accused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from shared.clock import SECOND, Instant
from shared.money import LOTS, MICROS, Price, Quantity, Usd
from shared.orders.intent import client_order_id
from shared.orders.ledger import Position
from shared.risk.book import Book, Holding
from shared.risk.controls import CONTROLS, Proposal
from shared.simulator.truth import FillTruth, OrderTruth, PositionTruth, Truth
from shared.terms import OrderStatus, Side
from tests.crash.judge import ALWAYS, AT_REST, Evidence, faults_of
from tests.execution.conftest import signal
from tests.simulation.case import Intent
from tests.support.limits import LIMITS

NOW = Instant(1_790_000_000 * SECOND)
DEPOSIT = 1_000 * MICROS
SIGNAL = signal(signal_id="one", quantity=Quantity(10 * LOTS), limit=Price(520_000), odds_event_id="game")
ORDER = client_order_id("one", 0, 0)
COST, FEE = 5_000_000, 175_000


def order(**changes: Any) -> OrderTruth:
    """Ten YES bought at 50c, limit 52c."""
    made = OrderTruth(
        order_id="v1",
        client_order_id=ORDER,
        ticker=SIGNAL.ticker,
        shard=0,
        bid=True,
        price=520_000,
        time_in_force="immediate_or_cancel",
        initial=1_000,
        filled=1_000,
        remaining=0,
        status="executed",
        reason="",
        cost=COST,
        fees=FEE,
        created=NOW,
    )
    return msgspec.structs.replace(made, **changes)


def fill(**changes: Any) -> FillTruth:
    """All of it."""
    made = FillTruth(
        fill_id="f1",
        order_id="v1",
        client_order_id=ORDER,
        ticker=SIGNAL.ticker,
        bid=True,
        price=500_000,
        lots=1_000,
        fee=FEE,
        taker=True,
        at=NOW,
    )
    return msgspec.structs.replace(made, **changes)


TRUTH = Truth(
    at=NOW,
    user_id="member",
    deposited={0: DEPOSIT},
    cash={0: DEPOSIT - COST - FEE},
    available={0: DEPOSIT - COST - FEE},
    orders=(order(),),
    fills=(fill(),),
    positions={SIGNAL.ticker: PositionTruth(lots=1_000, cost=COST, realized=0, fees=FEE)},
    settlements=(),
    spent_ids=(ORDER,),
)
PROPOSAL = Proposal(
    ORDER, SIGNAL.ticker, SIGNAL.event_ticker, "NFL", Side.YES, Price(520_000), Quantity(1_000),
    Usd(5_400_000), NOW,
)  # fmt: skip
INTENT = Intent(
    ORDER, PROPOSAL, "one", OrderStatus.FILLED, frozenset(one.__name__ for one in CONTROLS), 1_000, ("f1",)
)
HELD = Holding(
    "game", "NFL", Position(SIGNAL.ticker, SIGNAL.event_ticker, Quantity(1_000), Usd(COST), Usd(FEE))
)
BOOK = Book(
    Usd(DEPOSIT - COST - FEE), NOW, Usd(DEPOSIT), fees=Usd(FEE), holdings={SIGNAL.ticker: HELD}
)  # fmt: skip
CLEAN = Evidence(TRUTH, {ORDER: INTENT}, BOOK, {"one": SIGNAL}, LIMITS)

Harm = Callable[[Evidence], Evidence]


def truth(**changes: Any) -> Harm:
    return lambda seen: replace(seen, truth=msgspec.structs.replace(seen.truth, **changes))


def intent(**changes: Any) -> Harm:
    return lambda seen: replace(seen, intents={ORDER: replace(INTENT, **changes)})


def book(**changes: Any) -> Harm:
    return lambda seen: replace(seen, book=replace(BOOK, **changes))


def limits(**changes: Any) -> Harm:
    return lambda seen: replace(seen, limits=replace(LIMITS, **changes))


def many(count: int, seconds: float) -> tuple[OrderTruth, ...]:
    """Orders of other attempts, evenly spread."""
    return tuple(
        order(
            client_order_id=client_order_id("one", 0, n),
            order_id=f"v{n}",
            filled=0,
            created=Instant(NOW + int(n * seconds / count * SECOND)),
        )
        for n in range(count)
    )


HARM: dict[str, tuple[str, Harm]] = {
    "an id used twice": ("one_order_for_each_id", truth(orders=(order(), order(order_id="v2")))),
    "a retry under a new id": (
        "one_order_for_each_attempt",
        truth(orders=(order(), order(order_id="v2", client_order_id="made-up"))),
    ),
    "an order without an intent": ("every_order_has_its_intent", lambda seen: replace(seen, intents={})),
    "an approval without a control": ("every_order_has_its_intent", intent(controls=frozenset())),
    "another size than approved": ("orders_are_what_was_approved", truth(orders=(order(initial=1_100),))),
    "another side than approved": ("orders_are_what_was_approved", truth(orders=(order(bid=False),))),
    "more than the signal wants": ("signals_are_not_overfilled", truth(orders=(order(filled=1_001),))),
    "dearer than the signal allows": ("signals_are_not_overfilled", truth(orders=(order(price=530_000),))),
    "too many contracts in one order": ("order_limits_hold", limits(max_quantity_per_trade=Quantity(999))),
    "too much money in one order": ("order_limits_hold", limits(max_risk_per_trade=Usd(COST + FEE - 1))),
    "a price out of bounds": ("order_limits_hold", limits(max_price=Price(519_999))),
    "too many orders a minute": ("order_rate_holds", truth(orders=many(11, 40))),
    "too many orders a day": ("counts_of_a_day_hold", limits(max_trades_per_day=0)),
    "too many contracts a day": ("counts_of_a_day_hold", limits(max_quantity_per_day=Quantity(999))),
    "too many contracts on a game": ("event_limits_hold", limits(max_quantity_per_event=Quantity(999))),
    "too large a loss": ("replayed_limits_hold", limits(max_daily_loss=Usd(FEE - 1))),
    "too much in one sport": ("replayed_limits_hold", limits(max_sport_share_basis_points=49)),
    "money that was not there": ("replayed_limits_hold", truth(deposited={0: COST})),
    "an order left open": ("every_order_has_ended", intent(status=OrderStatus.UNKNOWN)),
    "an order left resting": ("every_order_has_ended", truth(orders=(order(remaining=1),))),
    "a fill not booked": ("every_fill_is_booked_once", intent(fills=())),
    "a fill booked twice": ("every_fill_is_booked_once", intent(fills=("f1", "f1"))),
    "a fill nobody had": ("every_fill_is_booked_once", intent(fills=("f1", "f2"))),
    "fewer contracts on the document": ("documents_equal_the_exchange", intent(filled=999)),
    "a micro-dollar of cash": ("cash_equals_the_exchange", book(cash=Usd(BOOK.cash + 1))),
    "a hundredth of a contract": (
        "positions_equal_the_exchange",
        book(
            holdings={SIGNAL.ticker: replace(HELD, position=replace(HELD.position, quantity=Quantity(999)))}
        ),
    ),
    "a position nobody has": ("positions_equal_the_exchange", truth(positions={})),
    "a micro-dollar of fees": ("fees_equal_the_exchange", book(fees=Usd(FEE + 1))),
    "a profit out of nothing": ("profit_equals_the_exchange", book(realized=Usd(1))),
}


def test_a_clean_account_is_not_accused() -> None:
    assert faults_of(CLEAN, AT_REST) == []


@pytest.mark.parametrize("harm", HARM)
def test_harm_is_named(harm: str) -> None:
    name, done = HARM[harm]
    assert name in {text.partition(":")[0] for text in faults_of(done(CLEAN), AT_REST)}


def test_every_question_is_asked_by_some_harm() -> None:
    asked = {name for name, _ in HARM.values()} | {"reserved_rate_holds"}
    assert {one.__name__ for one in AT_REST} == asked
    assert set(ALWAYS) < set(AT_REST)


def test_orders_judged_too_close_to_each_other_are_named() -> None:
    second = replace(INTENT, order_id="two", proposal=replace(PROPOSAL, at=Instant(NOW + 99_000)))
    seen = replace(CLEAN, intents={ORDER: INTENT, "two": second})
    assert "reserved_rate_holds: two orders 99.0 ms apart" in faults_of(seen, ALWAYS)
