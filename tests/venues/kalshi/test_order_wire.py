"""Orders on their way out and their answers: sides, texts, states, and what is refused before it is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import SECOND, Instant
from shared.errors import MalformedError, RefusedError
from shared.money import MICROS, Price, Quantity
from shared.terms import OrderStatus, Side
from shared.venues.kalshi.order_answers import OrderAnswer, derive, placed_of
from shared.venues.kalshi.order_wire import (
    BookSide,
    OrderRef,
    OrderTicket,
    SelfTrade,
    TimeInForce,
    amend_body,
    batch_body,
    create_body,
    decrease_body,
    from_book,
    to_book,
)

TICKER = "KXNFLGAME-26SEP28PHICHI-PHI"
ORDER_ID = "2597b999-f887-4195-8bac-c3f97a1f2021"
CLIENT_ID = "4a75a66e-ca85-4187-93cd-aac5e01ad982"
REF = OrderRef(ORDER_ID, TICKER, 3)


def _ticket(**changes: Any) -> OrderTicket:
    given: dict[str, Any] = {
        "ticker": TICKER,
        "exchange_index": 3,
        "side": Side.NO,
        "price": Price(450_000),
        "quantity": Quantity(1000),
        "client_order_id": CLIENT_ID,
        "time_in_force": TimeInForce.GTC,
    }
    return OrderTicket(**(given | changes))


def _answer(**changes: Any) -> OrderAnswer:
    fields: dict[str, Any] = {
        "order_id": ORDER_ID,
        "client_order_id": CLIENT_ID,
        "fill_count": "0.00",
        "remaining_count": "10.00",
        "ts_ms": 1781159360866,
    }
    return OrderAnswer(**(fields | changes))


# --- sides ------------------------------------------------------------------------------------------------


def test_buying_no_is_an_ask_at_one_dollar_less_its_price() -> None:
    assert to_book(Side.NO, Price(450_000)) == (BookSide.ASK, Price(550_000))


def test_buying_yes_is_a_bid_at_its_price() -> None:
    assert to_book(Side.YES, Price(450_000)) == (BookSide.BID, Price(450_000))


def test_an_ask_of_the_book_is_a_purchase_of_no() -> None:
    assert from_book(BookSide.ASK, Price(550_000)) == (Side.NO, Price(450_000))


@given(side=st.sampled_from(Side), price=st.integers(0, MICROS).map(Price))
def test_to_the_book_and_back_changes_nothing(side: Side, price: Price) -> None:
    assert from_book(*to_book(side, price)) == (side, price)


@given(side=st.sampled_from(BookSide), price=st.integers(0, MICROS).map(Price))
def test_from_the_book_and_back_changes_nothing(side: BookSide, price: Price) -> None:
    assert to_book(*from_book(side, price)) == (side, price)


# --- bodies -----------------------------------------------------------------------------------------------


def test_everything_numeric_but_the_shard_travels_as_text() -> None:
    assert json.loads(create_body(_ticket())) == {
        "ticker": TICKER,
        "client_order_id": CLIENT_ID,
        "side": "ask",
        "count": "10.00",
        "price": "0.5500",
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross",
        "exchange_index": 3,
        "cancel_order_on_pause": True,
    }


def test_every_option_has_its_field() -> None:
    ticket = _ticket(
        self_trade=SelfTrade.MAKER,
        post_only=True,
        cancel_on_pause=False,
        expires_at=Instant(1_790_000_000 * SECOND + 999_999),
        group_id="og_123",
    )
    body = json.loads(create_body(ticket))
    assert body["self_trade_prevention_type"] == "maker"
    assert body["post_only"] is True
    assert "cancel_order_on_pause" not in body
    assert body["expiration_time"] == 1_790_000_000
    assert body["order_group_id"] == "og_123"


def test_an_immediate_order_asks_nothing_about_pauses_and_may_only_reduce() -> None:
    body = json.loads(create_body(_ticket(time_in_force=TimeInForce.IOC, reduce_only=True)))
    assert "cancel_order_on_pause" not in body
    assert body["reduce_only"] is True


def test_shard_zero_is_named_too() -> None:
    assert json.loads(create_body(_ticket(exchange_index=0)))["exchange_index"] == 0


def test_an_amend_turns_the_side_in_the_same_place() -> None:
    body = json.loads(amend_body(REF, Side.NO, Price(300_000), Quantity(150), "", None))
    assert body == {
        "ticker": TICKER, "side": "ask", "price": "0.7000", "count": "1.50", "exchange_index": 3,
    }  # fmt: skip


def test_an_amend_without_expiry_keeps_it_and_zero_takes_it_away() -> None:
    kept = json.loads(amend_body(REF, Side.NO, Price(300_000), Quantity(150), "", None))
    gone = json.loads(amend_body(REF, Side.NO, Price(300_000), Quantity(150), "", Instant(0)))
    assert "expiration_time" not in kept
    assert gone["expiration_time"] == 0


@pytest.mark.parametrize("both", [(None, None), (Quantity(1), Quantity(1))])
def test_a_decrease_needs_exactly_one_of_by_and_to(both: Any) -> None:
    with pytest.raises(RefusedError, match="exactly one"):
        decrease_body(REF, *both)


def test_a_decrease_to_nothing_still_says_so() -> None:
    assert json.loads(decrease_body(REF, None, Quantity(0)))["reduce_to"] == "0.00"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"price": Price(0)}, "invalid_price"),
        ({"price": Price(MICROS)}, "invalid_price"),
        ({"price": Price(450_050)}, "invalid_price"),
        ({"quantity": Quantity(0)}, "invalid_order"),
        ({"exchange_index": -1}, "invalid_order"),
        ({"client_order_id": ""}, "invalid_order"),
        ({"client_order_id": "signal.1"}, "invalid_order"),
        ({"time_in_force": TimeInForce.IOC, "post_only": True}, "invalid_order"),
        ({"time_in_force": TimeInForce.IOC, "expires_at": Instant(1)}, "invalid_order"),
        ({"reduce_only": True}, "invalid_order"),
    ],
)
def test_what_the_exchange_would_refuse_is_refused_before_it_is_sent(
    changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        create_body(_ticket(**changes))
    assert refused.value.code == code


def test_a_batch_with_one_id_twice_is_refused() -> None:
    with pytest.raises(RefusedError, match="twice"):
        batch_body([_ticket(), _ticket()])


@pytest.mark.parametrize("order_id", ["", "batched", "../x", "a b", ORDER_ID + "/amend", "x" * 65])
def test_an_order_id_that_would_make_another_path_is_refused(order_id: str) -> None:
    with pytest.raises(MalformedError, match="order id"):
        OrderRef(order_id, TICKER, 0)


# --- answers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filled", "remaining", "status"),
    [
        (0, 1000, OrderStatus.RESTING),
        (400, 600, OrderStatus.PARTIAL),
        (1000, 0, OrderStatus.FILLED),
        (0, 0, OrderStatus.CANCELED),
        (400, 0, OrderStatus.CANCELED),
    ],
)
def test_the_state_follows_from_the_counts(filled: int, remaining: int, status: OrderStatus) -> None:
    assert derive(Quantity(1000), Quantity(filled), Quantity(remaining)) is status


def test_averages_are_turned_to_the_side_bought() -> None:
    answer = _answer(
        fill_count="10.00", remaining_count="0.00", average_fill_price="0.5600", average_fee_paid="0.0175"
    )
    placed = placed_of(_ticket(), answer)
    assert (placed.average_price, placed.average_fee) == (440_000, 17_500)
    assert placed.source_at == 1_781_159_360_866_000


def test_an_answer_need_not_repeat_our_id() -> None:
    assert placed_of(_ticket(), _answer(client_order_id=None)).client_order_id == CLIENT_ID


@pytest.mark.parametrize(
    ("ticket", "answer"),
    [
        ({}, {"client_order_id": "another"}),
        ({}, {"fill_count": None}),
        ({}, {"remaining_count": None}),
        ({}, {"fill_count": "-1.00"}),
        ({}, {"fill_count": "NaN"}),
        ({}, {"fill_count": "1.00"}),  # with ten resting of ten
        ({"time_in_force": TimeInForce.IOC}, {}),
        ({}, {"order_id": "batched"}),
    ],
)
def test_an_answer_that_does_not_fit_the_order_is_not_believed(
    ticket: dict[str, Any], answer: dict[str, Any]
) -> None:
    with pytest.raises(MalformedError):
        placed_of(_ticket(**ticket), _answer(**answer))
