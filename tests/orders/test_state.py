"""The order machine: only legal lives can be lived."""

import pytest

from shared.orders.intent import client_order_id
from shared.orders.state import NEXT, TERMINAL, IllegalTransitionError, advance
from shared.terms import OrderStatus


def test_every_state_is_in_the_machine() -> None:
    assert set(NEXT) == set(OrderStatus)


@pytest.mark.parametrize("end", sorted(TERMINAL))
def test_nothing_follows_an_end(end: OrderStatus) -> None:
    for following in OrderStatus:
        with pytest.raises(IllegalTransitionError):
            advance(end, following)


def test_unknown_is_left_only_by_what_the_venue_says() -> None:
    assert OrderStatus.PENDING not in NEXT[OrderStatus.UNKNOWN]
    assert advance(OrderStatus.UNKNOWN, OrderStatus.FILLED) is OrderStatus.FILLED


def test_an_order_is_never_filled_before_it_is_submitted() -> None:
    with pytest.raises(IllegalTransitionError, match="pending to filled"):
        advance(OrderStatus.PENDING, OrderStatus.FILLED)


def test_the_same_attempt_always_has_the_same_id() -> None:
    assert client_order_id("s", 0, 1) == client_order_id("s", 0, 1)
    assert client_order_id("s", 0, 1) != client_order_id("s", 0, 2)


def test_a_client_order_id_is_a_plain_uuid() -> None:
    assert set(client_order_id("s")) <= set("0123456789abcdef-")
    assert len(client_order_id("s")) == 36
