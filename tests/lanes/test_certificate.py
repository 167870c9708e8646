from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.fees.kalshi import FeeSchedule
from shared.fees.protocol import FINE
from shared.lanes.certificate import Asks, Basket, Node, bucket, chain, tree
from shared.money import Price, parse_price
from shared.terms import FeeType, Side

KALSHI = FeeSchedule(FeeType.QUADRATIC)

World = Callable[[int | str], bool]


def asks(yes: str | None, no: str | None) -> Asks:
    return Asks(
        None if yes is None else KALSHI.all_in(parse_price(yes)),
        None if no is None else KALSHI.all_in(parse_price(no)),
    )


cost = st.none() | st.integers(1, 99).map(lambda cents: KALSHI.all_in(Price(cents * 10_000)))
quotes = st.builds(Asks, cost, cost)


def worst_payoff(basket: Basket, worlds: list[World]) -> int:
    """What the legs pay in the worst of the possible states, dollars."""
    return min(
        sum(is_true(leg.contract) == (leg.side is Side.YES) for leg in basket.legs) for is_true in worlds
    )


def check(basket: Basket | None, worlds: list[World]) -> None:
    if basket is not None:
        assert worst_payoff(basket, worlds) >= basket.payoff
        assert basket.profit > 0


def among(true: set[int] | set[str]) -> World:
    return lambda contract: contract in true


def test_all_yes_of_an_exhaustive_bucket_below_a_dollar_is_an_arbitrage() -> None:
    found = bucket([asks(yes, None) for yes in ("0.30", "0.25", "0.24", "0.15")], False, True)
    assert found.basket is not None
    assert found.basket.payoff == 1


def test_all_yes_without_exhaustiveness_is_not() -> None:
    found = bucket([asks(yes, None) for yes in ("0.30", "0.25", "0.24")], True, False)
    assert not found.is_arbitrage


def test_no_on_all_of_an_exclusive_bucket_needs_no_exhaustiveness() -> None:
    found = bucket([asks(None, no) for no in ("0.60", "0.62", "0.66")], True, False)
    assert found.basket is not None
    assert found.basket.payoff == 2


def test_no_on_all_without_exclusivity_is_not_an_arbitrage() -> None:
    assert not bucket([asks(None, no) for no in ("0.60", "0.62", "0.66")], False, True).is_arbitrage


def test_costs_of_exactly_a_dollar_are_no_arbitrage() -> None:
    halves = [Asks(FINE // 2, None), Asks(FINE // 2, None)]
    assert not bucket(halves, True, True).is_arbitrage
    assert not bucket([Asks(FINE // 2, FINE // 2)], True, False).is_arbitrage


def test_an_empty_side_is_never_taken_for_free() -> None:
    assert not bucket([Asks(None, None), asks("0.10", None)], True, True).is_arbitrage


@given(st.lists(quotes, min_size=1, max_size=6), st.booleans(), st.booleans())
def test_a_bucket_basket_pays_in_every_possible_state(
    family: list[Asks], exclusive: bool, exhaustive: bool
) -> None:
    worlds = [
        among({index for index in range(len(family)) if mask >> index & 1})
        for mask in range(2 ** len(family))
        if (not exclusive or mask.bit_count() <= 1) and (not exhaustive or mask)
    ]
    check(bucket(family, exclusive, exhaustive).basket, worlds)


@given(st.lists(quotes, min_size=2, max_size=6))
def test_a_bucket_without_a_basket_has_a_probability_that_fits(family: list[Asks]) -> None:
    found = bucket(family, exclusive=True, exhaustive=True)
    if found.is_arbitrage:
        return
    left = FINE - found.sum_lower  # hand the rest out within the bounds
    fitted = []
    for ask in family:
        share = min(left, ask.upper - ask.lower)
        fitted.append(ask.lower + share)
        left -= share
    assert left == 0
    assert all(ask.lower <= value <= ask.upper for ask, value in zip(family, fitted, strict=True))


@given(st.lists(quotes, min_size=1, max_size=6))
def test_a_chain_basket_pays_in_every_possible_state(family: list[Asks]) -> None:
    check(chain(family).basket, [among(set(range(count))) for count in range(len(family) + 1)])


@given(st.lists(quotes, min_size=1, max_size=6))
def test_a_chain_without_a_basket_has_falling_probabilities_that_fit(family: list[Asks]) -> None:
    if chain(family).is_arbitrage:
        return
    fitted, cap = [], FINE
    for ask in family:
        cap = min(cap, ask.upper)
        fitted.append(cap)
    assert all(wide >= narrow for wide, narrow in pairwise(fitted))
    assert all(ask.lower <= value <= ask.upper for ask, value in zip(family, fitted, strict=True))


def test_a_parent_cheaper_than_its_children_names_the_legs() -> None:
    children = (Node("C1", asks("0.25", "0.77")), Node("C2", asks("0.22", "0.80")))
    found = tree(Node("", children=(Node("P", asks("0.38", "0.63"), children),)))
    assert found.violated == ("P",)
    assert found.basket is not None
    assert {(leg.contract, leg.side) for leg in found.basket.legs} == {
        ("C1", Side.NO),
        ("C2", Side.NO),
        ("P", Side.YES),
    }
    assert found.basket.payoff == 2


@given(st.lists(quotes, min_size=5, max_size=5), st.booleans(), st.booleans())
def test_a_tree_basket_pays_in_every_possible_state(
    family: list[Asks], exhaustive_root: bool, exhaustive_parent: bool
) -> None:
    parent = Node(
        "P",
        family[0],
        (Node("C1", family[1]), Node("C2", family[2])),
        exhaustive_parent,
    )
    root = Node("", Asks(), (parent, Node("Q", family[3]), Node("R", family[4])), exhaustive_root)
    states: list[set[str]] = [{"P", "C1"}, {"P", "C2"}, {"Q"}, {"R"}]
    states += [] if exhaustive_root else [set()]
    states += [] if exhaustive_parent else [{"P"}]
    check(tree(root).basket, [among(state) for state in states])
