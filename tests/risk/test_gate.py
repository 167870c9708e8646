"""The gate: all controls run, all reasons are given, and nothing else can build an order."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import SECOND, Instant
from shared.money import Price, Quantity, Usd
from shared.risk.controls import CONTROLS, Proposal, RiskView
from shared.risk.gate import ApprovedOrder, Gate, UngatedOrderError
from shared.terms import Side
from tests.support.limits import DOLLAR, LIMITS

NOW = Instant(1_000_000 * SECOND)

VIEW = RiskView(cash=Usd(10_000 * DOLLAR), bankroll=Usd(10_000 * DOLLAR))
ORDER = Proposal("id", "T", "E", "NFL", Side.YES, Price(500_000), Quantity(10_000), Usd(52 * DOLLAR), NOW)


def refusals(order: Proposal = ORDER, view: RiskView = VIEW) -> set[str]:
    return {refusal.control for refusal in Gate(LIMITS).judge(order, view).refusals}


def test_an_ordinary_order_passes_all_twelve_controls() -> None:
    verdict = Gate(LIMITS).judge(ORDER, VIEW)
    assert verdict.approved
    assert len(verdict.passed) == 12


@pytest.mark.parametrize(
    ("order", "view", "control"),
    [
        (replace(ORDER, quantity=Quantity(10_001)), VIEW, "position_size"),
        (replace(ORDER, quantity=Quantity(0)), VIEW, "position_size"),
        (replace(ORDER, risk=Usd(501 * DOLLAR)), VIEW, "risk_per_trade"),
        (replace(ORDER, limit=Price(960_000)), VIEW, "price_bounds"),
        (replace(ORDER, limit=Price(40_000)), VIEW, "price_bounds"),
        (ORDER, replace(VIEW, lost_today=Usd(949 * DOLLAR)), "daily_loss"),
        (ORDER, replace(VIEW, lost_this_week=Usd(2_949 * DOLLAR)), "weekly_loss"),
        (ORDER, replace(VIEW, trades_today=50), "daily_trades"),
        (ORDER, replace(VIEW, quantity_today=Quantity(490_001)), "daily_volume"),
        (ORDER, replace(VIEW, consecutive_losses=5), "consecutive_losses"),
        (ORDER, replace(VIEW, event_quantity=Quantity(40_001)), "event_concentration"),
        (ORDER, replace(VIEW, sport_risk=Usd(1_949 * DOLLAR)), "sport_exposure"),
        (
            ORDER,
            replace(VIEW, recent_orders=tuple(Instant(NOW - k * SECOND) for k in range(10, 0, -1))),
            "order_rate",
        ),
        (ORDER, replace(VIEW, recent_orders=(Instant(NOW - 99_000),)), "order_rate"),
        (ORDER, replace(VIEW, cash=Usd(51 * DOLLAR)), "balance"),
    ],
)
def test_each_limit_refuses_by_its_own_name(order: Proposal, view: RiskView, control: str) -> None:
    assert refusals(order, view) == {control}


def test_every_reason_is_reported_not_only_the_first() -> None:
    order = replace(ORDER, limit=Price(990_000), risk=Usd(600 * DOLLAR))
    assert refusals(order, replace(VIEW, cash=Usd(0))) == {"risk_per_trade", "price_bounds", "balance"}


def test_a_halt_refuses_and_says_why() -> None:
    verdict = Gate(LIMITS).judge(ORDER, replace(VIEW, halted="operator: news"))
    assert verdict.reasons == ("halt: operator: news",)


def test_an_order_cannot_be_built_around_the_gate() -> None:
    with pytest.raises(UngatedOrderError):
        ApprovedOrder(object(), ORDER, ())


def test_a_refused_proposal_cannot_be_approved() -> None:
    gate = Gate(LIMITS)
    with pytest.raises(UngatedOrderError, match="cash"):
        gate.approve(gate.judge(ORDER, replace(VIEW, cash=Usd(0))))


def test_an_approval_names_every_control_it_passed() -> None:
    gate = Gate(LIMITS)
    approved = gate.approve(gate.judge(ORDER, VIEW))
    assert approved.controls == tuple(control.__name__ for control in CONTROLS)


@given(st.integers(1, 20_000), st.integers(1, 99), st.integers(0, 12_000))
def test_what_passes_never_exceeds_a_money_limit(lots: int, cents: int, cash: int) -> None:
    order = replace(
        ORDER, quantity=Quantity(lots), limit=Price(cents * 10_000), risk=Usd(cents * 10_000 * lots // 100)
    )
    view = replace(VIEW, cash=Usd(cash * DOLLAR))
    if Gate(LIMITS).judge(order, view).approved:
        assert order.risk <= min(LIMITS.max_risk_per_trade, view.cash)
        assert order.quantity <= LIMITS.max_quantity_per_trade
