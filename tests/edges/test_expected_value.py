from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.edges.expected_value import contract_value, executable, highest_price
from shared.errors import MalformedError
from shared.fees.forecastex import ForecastExFees
from shared.fees.kalshi import FeeSchedule
from shared.fees.polymarket import PolymarketFees
from shared.fees.protocol import Level, VenueFees, fine
from shared.messages import PriceRange
from shared.money import MICROS, Price, Quantity, parse_price, parse_quantity, parse_usd
from shared.terms import FeeType

KALSHI = FeeSchedule(FeeType.QUADRATIC)
DECI_CENT = (PriceRange(start=Price(0), end=Price(MICROS), step=parse_price("0.001")),)
VENUES: tuple[VenueFees, ...] = (KALSHI, PolymarketFees(50_000), ForecastExFees())

OFFERS = [
    (parse_price(price), parse_quantity(size))
    for price, size in (("0.50", "120"), ("0.52", "200"), ("0.53", "400"), ("0.55", "900"))
]

ladders = st.dictionaries(st.integers(1, 99), st.integers(1, 50_000), max_size=12).map(
    lambda book: [(Price(cents * 10_000), Quantity(size)) for cents, size in sorted(book.items())]
)
probabilities = st.integers(1, 999).map(lambda thousandths: thousandths / 1000)


def test_four_cents_at_51_is_two_and_a_quarter_after_fees() -> None:
    value = contract_value(0.55, parse_price("0.51"), KALSHI)
    assert value.gross_edge == pytest.approx(0.04)
    assert value.net_edge == pytest.approx(0.022507)


def test_a_one_cent_edge_at_50_is_a_loss() -> None:
    assert contract_value(0.51, parse_price("0.50"), KALSHI).net_edge < 0


def test_no_is_valued_like_yes_with_its_own_probability_and_price() -> None:
    yes = contract_value(0.55, parse_price("0.51"), KALSHI)
    no = contract_value(0.45, parse_price("0.49"), KALSHI)
    assert yes.fee == no.fee
    assert yes.net_edge + no.net_edge == pytest.approx(-2 * yes.fee)


@pytest.mark.parametrize("probability", [-0.01, 1.01, math.nan, math.inf])
def test_a_bad_probability_is_refused(probability: float) -> None:
    with pytest.raises(MalformedError):
        contract_value(probability, parse_price("0.50"), KALSHI)
    with pytest.raises(MalformedError):
        executable(probability, OFFERS, KALSHI)
    with pytest.raises(MalformedError):
        highest_price(probability, 0.01, KALSHI, ())


def test_levels_are_taken_while_their_own_cost_is_below_the_probability() -> None:
    found = executable(0.56, OFFERS, KALSHI)
    assert found.quantity == parse_quantity("720")
    assert found.expected_value == pytest.approx(14.6308)


def test_the_value_after_charged_fees_is_exact_money() -> None:
    found = executable(0.56, OFFERS, KALSHI)
    assert found.fee == KALSHI.budget(found.taken.levels)
    assert found.net_value == parse_usd("403.2") - found.taken.cost - found.fee


def test_a_required_edge_takes_fewer_levels() -> None:
    assert executable(0.56, OFFERS, KALSHI, required_edge=0.03).quantity == parse_quantity("120")


def test_a_cost_equal_to_the_probability_is_not_taken() -> None:
    offers = [(parse_price("0.50"), Quantity(100))]
    assert executable(0.5175, offers, KALSHI).quantity == 0
    assert executable(0.5176, offers, KALSHI).quantity == 100


def test_nothing_on_offer_is_worth_nothing() -> None:
    found = executable(0.56, [], KALSHI)
    assert (found.quantity, found.expected_value, found.fee, found.net_value) == (0, 0.0, 0, 0)
    assert found.average_price is None


@given(probabilities, ladders, st.none() | st.integers(0, 100_000).map(Quantity))
def test_every_level_taken_earns_and_none_that_earns_is_left(
    probability: float, offers: list[Level], largest: Quantity | None
) -> None:
    found = executable(probability, offers, KALSHI, largest)
    worth = fine(probability)
    assert all(KALSHI.all_in(price) < worth for price, _ in found.taken.levels)
    earning = sum(size for price, size in offers if KALSHI.all_in(price) < worth)
    assert found.quantity == (earning if largest is None else min(earning, largest))
    assert found.expected_value >= 0


@pytest.mark.parametrize("fees", VENUES)
@pytest.mark.parametrize("grid", [(), DECI_CENT])
@given(probability=probabilities, edge_mills=st.integers(0, 100))
def test_the_highest_price_keeps_the_edge_and_the_next_tick_does_not(
    fees: VenueFees, grid: tuple[PriceRange, ...], probability: float, edge_mills: int
) -> None:
    edge = edge_mills / 1000
    step = grid[0].step if grid else 10_000
    found = highest_price(probability, edge, fees, grid)
    worth = fine(probability) - fine(edge)
    if found is not None:
        assert found % step == 0
        assert fees.all_in(found) <= worth
    following = Price((found or 0) + step)
    assert following >= MICROS or fees.all_in(following) > worth


def test_an_edge_exactly_kept_counts() -> None:
    assert highest_price(0.5375, 0.02, KALSHI, ()) == parse_price("0.50")


def test_no_price_may_keep_the_edge() -> None:
    assert highest_price(0.03, 0.05, KALSHI, ()) is None


def test_an_untradable_fee_schedule_gives_no_price() -> None:
    with pytest.raises(MalformedError, match="no published formula"):
        highest_price(0.6, 0.02, FeeSchedule(FeeType.FLAT), ())
