"""Recorded answers of the real exchange about orders and the account become the right outcome."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from shared.clock import Instant
from shared.errors import ArbError, OutcomeUnknownError, RefusedError
from shared.messages import Quarantined
from shared.money import Price, Quantity, parse_price, parse_quantity
from shared.terms import OrderStatus, Result, Side
from shared.venues.http import Response
from shared.venues.kalshi import account_rows, normalise, wire
from shared.venues.kalshi.answers import error_of
from shared.venues.kalshi.order_answers import OrderAnswer, placed_of
from shared.venues.kalshi.order_wire import OrderRef, OrderTicket, TimeInForce, create_body, to_book
from shared.venues.kalshi.trading import _canceled, _placed
from tests.support.corpus import corpus_path

pytestmark = pytest.mark.corpus

NOW = Instant(1_790_000_000_000_000)
TENNIS = "KXWTACHALLENGERMATCH-26JUN11JIMLEP-LEP"


def _load(name: str) -> Any:
    return json.loads(corpus_path("account", name).read_text())


def _demo(name: str) -> Any:
    return _load("kalshi_demo_api_recorded_responses_202606.json")[name]


def _raw(row: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(row).encode())


def _rows(make: Any, rows: list[Any]) -> tuple[list[Any], list[Quarantined]]:
    return normalise.each([_raw(row) for row in rows], lambda raw: make(raw, NOW), "recorded", NOW)


def _ticket(answer: Any, price: str, lived: TimeInForce) -> OrderTicket:
    return OrderTicket(
        TENNIS, 3, Side.YES, parse_price(price), Quantity(100), answer["client_order_id"], lived
    )


# --- creates ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recording", "price", "lived", "status", "filled"),
    [
        ("create_v2_maker", "0.01", TimeInForce.GTC, OrderStatus.RESTING, 0),
        ("create_v2_taker_ioc", "0.99", TimeInForce.IOC, OrderStatus.FILLED, 100),
        ("settlement_seed", "0.99", TimeInForce.IOC, OrderStatus.FILLED, 100),
        ("stp_setup", "0.48", TimeInForce.GTC, OrderStatus.RESTING, 0),
        ("stp_self_cross", "0.52", TimeInForce.GTC, OrderStatus.CANCELED, 0),
    ],
)
def test_a_recorded_create_gets_its_state(
    recording: str, price: str, lived: TimeInForce, status: OrderStatus, filled: int
) -> None:
    body = _demo(f"orders__{recording}")
    placed = placed_of(_ticket(body, price, lived), wire.decode(OrderAnswer, json.dumps(body).encode()))
    assert (placed.status, placed.filled, placed.order_id) == (status, filled, body["order_id"])


def test_the_recorded_taker_paid_less_than_its_limit() -> None:
    body = _demo("orders__create_v2_taker_ioc")
    placed = _placed(_ticket(body, "0.99", TimeInForce.IOC), msgspec.convert(body, OrderAnswer))
    assert (placed.average_price, placed.average_fee) == (520_000, 17_500)


@pytest.mark.parametrize(
    ("recording", "status", "code"),
    [
        ("duplicate_client_order_id", 409, "order_already_exists"),
        ("reuse_canceled_client_id", 409, "order_already_exists"),
        ("insufficient_balance", 400, "insufficient_balance"),
        ("invalid_price_structure", 400, "invalid_price"),
        ("post_only_cross", 400, "invalid_order"),
        ("numeric_field_types", 400, "bad_request"),
        ("cancel_already_canceled", 404, "not_found"),
        ("cancel_executed", 404, "not_found"),
        ("cancel_unknown_id", 404, "not_found"),
    ],
)
def test_a_recorded_refusal_of_a_write_is_a_refusal(recording: str, status: int, code: str) -> None:
    error = _error(_demo(f"orders__{recording}"), status)
    assert isinstance(error, RefusedError)
    assert error.code == code


def _error(body: Any, status: int) -> ArbError:
    return error_of(Response(status, {}, json.dumps(body).encode()), "POST /x", write=True)


@pytest.mark.parametrize("recording", ["legacy_create", "legacy_cancel", "get_after_create"])
def test_a_2xx_with_the_order_wrapped_in_is_neither_accepted_nor_refused(recording: str) -> None:
    body = _demo(f"orders__{recording}")
    with pytest.raises(OutcomeUnknownError):
        _placed(_ticket(body["order"], "0.01", TimeInForce.GTC), msgspec.convert(body, OrderAnswer))


@pytest.mark.parametrize("recording", ["orders__cancel_v2", "cleanup__stp_resting"])
def test_a_recorded_cancel_tells_what_was_resting(recording: str) -> None:
    body = _demo(recording)
    order = OrderRef(body["order_id"], TENNIS, 3)
    assert _canceled(order, msgspec.convert(body, OrderAnswer)) == 100


# --- the ledger of the first interface --------------------------------------------------------------------


def _ledger() -> list[tuple[Any, Any]]:
    rows = _load("kalshi_order_create_payload_response_ledger.json").values()
    return [(row["payload"], row["response"]["order"]) for row in rows]


def _bought(payload: Any) -> tuple[Side, Price]:
    side = Side(payload["side"])
    return side, parse_price(payload[f"{side}_price_dollars"])


def test_every_recorded_payload_would_go_out_at_the_yes_price_the_exchange_booked() -> None:
    pairs = _ledger()
    assert len(pairs) == 23
    for payload, order in pairs:
        side, price = _bought(payload)
        ticket = OrderTicket(
            payload["ticker"], 0, side, price, parse_quantity(payload["count"]), payload["client_order_id"],
            TimeInForce.GTC, post_only=payload["post_only"],
        )  # fmt: skip
        body = json.loads(create_body(ticket))
        assert Decimal(body["price"]) == Decimal(order["yes_price_dollars"])
        assert Decimal(body["count"]) == Decimal(order["initial_count_fp"])
        assert body["side"] == {"yes": "bid", "no": "ask"}[payload["side"]]


def test_every_recorded_response_is_an_order_resting_as_it_was_asked_for() -> None:
    for payload, row in _ledger():
        order = account_rows.order_seen(_raw(row), NOW)
        assert (order.side, order.price) == _bought(payload)
        assert order.client_order_id == payload["client_order_id"]
        assert (order.status, order.remaining) == (OrderStatus.RESTING, parse_quantity(payload["count"]))
        assert (order.cost, order.fees) == (None, None)  # written as empty text


# --- reads ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recording", "status", "remaining"),
    [
        ("get_after_create", OrderStatus.RESTING, 100),
        ("get_after_cancel", OrderStatus.RESTING, 100),  # 360 ms after the cancel: reads lag
        ("stp_resting_after", OrderStatus.RESTING, 100),
        ("legacy_cancel", OrderStatus.CANCELED, 0),
    ],
)
def test_a_recorded_order_is_read(recording: str, status: OrderStatus, remaining: int) -> None:
    order = account_rows.order_seen(_raw(_demo(f"orders__{recording}")["order"]), NOW)
    assert (order.status, order.remaining) == (status, remaining)


def test_recorded_orders_of_the_account_are_all_read() -> None:
    orders, bad = _rows(account_rows.order_seen, _demo("portfolio__orders_list")["orders"])
    assert bad == []
    assert {OrderStatus.FILLED, OrderStatus.CANCELED} <= {order.status for order in orders}
    assert (orders[0].price, orders[0].cost, orders[0].fees) == (990_000, 520_000, 17_500)
    resting, bad = _rows(
        account_rows.order_seen, _load("kalshi_portfolio_orders_resting_20260306.json")["orders"]
    )
    assert (len(resting), bad) == (13, [])


def test_recorded_fills_are_all_read_and_sides_agree_with_prices() -> None:
    recorded = _load("kalshi_portfolio_fills_redacted.json")["payload"]["fills"]
    recorded += _demo("fills__after_taker")["fills"]
    recorded += list(_load("kalshi_rfq_fill_conventions_202607.json")["evidence"].values())
    fills, bad = _rows(account_rows.fill_seen, recorded)
    assert (len(fills), bad) == (len(recorded), [])
    for fill, row in zip(fills, recorded, strict=True):
        assert fill.price == parse_price(row[f"{row['outcome_side']}_price_dollars"])
        assert fill.side == row["outcome_side"]


def test_recorded_positions_are_all_read() -> None:
    rows = _load("kalshi_portfolio_positions_20260306.json")["market_positions"]
    rows += _demo("portfolio__positions")["market_positions"]
    positions, bad = _rows(account_rows.position_seen, rows)
    assert (len(positions), bad) == (len(rows), [])
    assert (positions[-1].quantity, positions[-1].cost, positions[-1].fees) == (300, 2_500_000, 18_900)


def test_recorded_settlements_pay_their_winners() -> None:
    rows = _load("kalshi_portfolio_settlements_redacted.json")["payload"]["settlements"]
    settlements, bad = _rows(account_rows.settlement_seen, rows)
    assert (len(settlements), bad) == (8, [])
    for one in settlements:
        won = one.yes_quantity if one.result is Result.YES else one.no_quantity
        assert one.revenue == won * 10_000
        assert one.payout_yes == (1_000_000 if one.result is Result.YES else 0)


def test_the_recorded_balance_is_exact() -> None:
    body = json.dumps(_demo("auth__balance_ok")).encode()
    assert account_rows.balance_of(wire.decode(account_rows.BalanceAnswer, body)).by_shard == {0: 98_018_600}


def test_to_book_and_the_exchange_agree_on_every_recorded_order() -> None:
    for row in _load("kalshi_portfolio_orders_resting_20260306.json")["orders"]:
        order = account_rows.order_seen(_raw(row), NOW)
        assert to_book(order.side, order.price)[1] == parse_price(row["yes_price_dollars"])
