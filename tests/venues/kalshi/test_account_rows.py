"""Rows and frames about our own account: directions, exact numbers, and what is refused."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clock import Instant
from shared.errors import MalformedError
from shared.money import Usd
from shared.terms import OrderStatus, Result, Side
from shared.venues.kalshi import account_rows, wire
from shared.venues.kalshi.account import FillSeen, GroupKind, OrderSeen

NOW = Instant(1_790_000_000_000_000)
FILL: dict[str, Any] = {
    "fill_id": "f4a42159-b500-57c6-efa2-c31d94d916c1",
    "trade_id": "f4a42159-b500-57c6-efa2-c31d94d916c1",
    "order_id": "97ec18b7-10d3-4557-9de0-8598aad625f0",
    "ticker": "KXA-1",
    "market_ticker": "KXA-1",
    "exchange_index": 3,
    "count_fp": "1.50",
    "yes_price_dollars": "0.5200",
    "no_price_dollars": "0.4800",
    "fee_cost": "0.017500",
    "is_taker": True,
    "outcome_side": "yes",
    "book_side": "bid",
    "side": "yes",
    "action": "buy",
    "created_time": "2026-06-11T06:29:30.164956Z",
    "ts": 1781159370,
}
STREAM_FILL: dict[str, Any] = {
    "trade_id": "d91bc706-ee49-470d-82d8-11418bda6fed",
    "order_id": "ee587a1c-8b87-4dcf-b721-9f6f790619fa",
    "client_order_id": "my-order-1",
    "market_ticker": "KXA-1",
    "exchange_index": 2,
    "is_taker": True,
    "side": "yes",
    "yes_price_dollars": "0.7500",
    "count_fp": "278.00",
    "fee_cost": "0.010000",
    "action": "buy",
    "ts": 1671899397,
    "ts_ms": 1671899397000,
    "post_position_fp": "500.00",
    "purchased_side": "yes",
    "outcome_side": "yes",
    "book_side": "bid",
    "subaccount": 3,
}
ORDER: dict[str, Any] = {
    "order_id": "ee587a1c-8b87-4dcf-b721-9f6f790619fa",
    "ticker": "KXA-1",
    "exchange_index": 2,
    "status": "resting",
    "side": "yes",
    "outcome_side": "no",
    "book_side": "ask",
    "yes_price_dollars": "0.3500",
    "fill_count_fp": "0.00",
    "remaining_count_fp": "10.00",
    "initial_count_fp": "10.00",
    "taker_fill_cost_dollars": "0.100000",
    "maker_fill_cost_dollars": "0.200000",
    "taker_fees_dollars": "0.000000",
    "maker_fees_dollars": "0.000100",
    "client_order_id": "my-order-1",
    "order_group_id": "og_123",
    "created_time": "2024-12-01T10:00:00Z",
    "expiration_time": "2024-12-01T11:00:00Z",
    "last_updated_ts_ms": 1733047200000,
}


def _raw(row: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(row).encode())


def _fill(**changes: Any) -> FillSeen:
    row = {key: value for key, value in (FILL | changes).items() if value is not ...}
    return account_rows.fill_seen(_raw(row), NOW)


def _order(**changes: Any) -> OrderSeen:
    row = {key: value for key, value in (ORDER | changes).items() if value is not ...}
    return account_rows.order_seen(_raw(row), NOW)


# --- directions -------------------------------------------------------------------------------------------


def test_a_fill_of_yes_has_the_yes_price() -> None:
    fill = _fill()
    assert (fill.side, fill.price, fill.quantity, fill.fee) == (Side.YES, 520_000, 150, 17_500)


def test_a_fill_of_no_has_one_dollar_less_the_yes_price() -> None:
    fill = _fill(outcome_side="no", book_side="ask")
    assert (fill.side, fill.price) == (Side.NO, 480_000)


@pytest.mark.parametrize(
    ("side", "action", "bought"),
    [("yes", "buy", Side.YES), ("no", "sell", Side.YES), ("no", "buy", Side.NO), ("yes", "sell", Side.NO)],
)
def test_old_rows_say_side_and_action(side: str, action: str, bought: Side) -> None:
    assert _fill(outcome_side=..., book_side=..., side=side, action=action).side is bought


def test_the_deprecated_words_do_not_matter_where_today_s_are_there() -> None:
    assert _fill(side="no", action="sell").side is Side.YES
    assert _order(side="yes", action="sell").side is Side.NO


@pytest.mark.parametrize(
    "changes",
    [
        {"book_side": "ask"},  # beside outcome_side yes
        {"outcome_side": "maybe", "book_side": ..., "side": ...},
        {"outcome_side": ..., "book_side": ..., "side": ..., "action": ...},
        {"outcome_side": ..., "book_side": ..., "action": "borrow"},
    ],
)
def test_a_direction_that_is_missing_or_contradicts_itself_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError, match="direction"):
        _fill(**changes)


# --- fills ------------------------------------------------------------------------------------------------


def test_a_fill_of_the_stream_has_other_names_and_knows_more() -> None:
    fill = account_rows.fill_seen(_raw(STREAM_FILL), NOW)
    assert (fill.fill_id, fill.ticker) == (STREAM_FILL["trade_id"], "KXA-1")
    assert (fill.client_order_id, fill.held, fill.exchange_index) == ("my-order-1", 50_000, 2)
    assert fill.filled_at == 1_671_899_397_000_000


def test_a_fill_is_known_by_its_trade_wherever_it_is_read() -> None:
    assert _fill(fill_id="another").fill_id == FILL["trade_id"]


@pytest.mark.parametrize(
    "changes",
    [
        {"count_fp": ...},
        {"count_fp": "0.00"},
        {"count_fp": "-1.00"},
        {"count_fp": 1},
        {"fee_cost": ...},
        {"fee_cost": ""},
        {"yes_price_dollars": "1.0001"},
        {"yes_price_dollars": "NaN"},
        {"trade_id": ""},
        {"order_id": ""},
        {"market_ticker": "", "ticker": ""},
        {"created_time": ..., "ts": ...},
        {"is_taker": ...},
    ],
)
def test_a_fill_without_its_numbers_is_refused_never_zero(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        _fill(**changes)


# --- orders -----------------------------------------------------------------------------------------------


def test_an_order_of_the_stream_is_read() -> None:
    order = _order()
    assert (order.side, order.price, order.initial) == (Side.NO, 650_000, 1000)
    assert (order.cost, order.fees, order.group_id) == (300_000, 100, "og_123")
    assert order.updated_at == 1_733_047_200_000_000


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, OrderStatus.RESTING),
        ({"fill_count_fp": "1.00"}, OrderStatus.PARTIAL),
        ({"status": "executed"}, OrderStatus.FILLED),
        ({"status": "canceled", "fill_count_fp": "1.00"}, OrderStatus.CANCELED),
        ({"status": "canceled", "last_update_reason": "ExpiryCancel"}, OrderStatus.EXPIRED),
        ({"status": "unknown"}, OrderStatus.UNKNOWN),
        ({"status": "hibernating"}, OrderStatus.UNKNOWN),
    ],
)
def test_a_status_is_ours_and_a_new_one_is_unknown(changes: dict[str, Any], status: OrderStatus) -> None:
    assert _order(**changes).status is status


def test_sums_the_exchange_left_empty_are_unknown() -> None:
    order = _order(taker_fill_cost_dollars="", maker_fees_dollars=...)
    assert (order.cost, order.fees) == (None, None)


@pytest.mark.parametrize("name", ["initial_count_fp", "fill_count_fp", "remaining_count_fp", "status"])
def test_an_order_without_its_counts_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        _order(**{name: ...})


# --- positions, settlements, cash -------------------------------------------------------------------------


def test_a_position_in_no_is_negative_and_costs_what_it_cost() -> None:
    frame = {
        "market_ticker": "KXA-1", "position_fp": "-100.00", "position_cost_dollars": "50.0000",
        "realized_pnl_dollars": "-10.0000", "fees_paid_dollars": "1.0000", "volume_fp": "15.00",
    }  # fmt: skip
    position = account_rows.position_seen(_raw(frame), NOW)
    assert (position.quantity, position.cost) == (-10_000, 50_000_000)
    assert (position.realized, position.fees) == (-10_000_000, 1_000_000)


def test_a_position_without_its_cost_is_refused() -> None:
    row = {"ticker": "KXA-1", "position_fp": "1.00", "realized_pnl_dollars": "0", "fees_paid_dollars": "0"}
    with pytest.raises(MalformedError, match="cost"):
        account_rows.position_seen(_raw(row), NOW)


def test_revenue_and_value_of_a_settlement_come_in_cents() -> None:
    row = {
        "ticker": "KXA-1", "exchange_index": 0, "event_ticker": "KXA", "market_result": "scalar",
        "yes_count_fp": "100.00", "yes_total_cost_dollars": "50.0000", "no_count_fp": "0.00",
        "no_total_cost_dollars": "0.0000", "revenue": 5000, "fee_cost": "1.750000", "value": 50,
        "settled_time": "2026-09-29T03:40:00Z",
    }  # fmt: skip
    settlement = account_rows.settlement_seen(_raw(row), NOW)
    assert (settlement.result, settlement.payout_yes) == (Result.SCALAR, 500_000)
    assert (settlement.revenue, settlement.yes_cost, settlement.fees) == (50_000_000, 50_000_000, 1_750_000)


def test_cash_is_read_from_dollars_because_cents_are_cut() -> None:
    body = {
        "balance": 9801, "balance_dollars": "98.0186", "portfolio_value": 198, "updated_ts": 1781159348,
        "balance_breakdown": [
            {"balance": "98.0186", "exchange_index": 0}, {"balance": "0", "exchange_index": 3},
        ],
    }  # fmt: skip
    balance = account_rows.balance_of(wire.decode(account_rows.BalanceAnswer, json.dumps(body).encode()))
    assert balance.cash == 98_018_600
    assert balance.by_shard == {0: Usd(98_018_600), 3: Usd(0)}
    assert balance.portfolio_value == 1_980_000


def test_cash_by_shard_may_be_hidden() -> None:
    body = b'{"balance":1,"balance_dollars":"0.0100","portfolio_value":0}'
    assert account_rows.balance_of(wire.decode(account_rows.BalanceAnswer, body)).by_shard is None


def test_a_change_of_an_order_group_is_read() -> None:
    frame = {"event_type": "limit_updated", "order_group_id": "og_123", "contracts_limit_fp": "150.00"}
    change = account_rows.group_changed(_raw(frame), NOW)
    assert (change.kind, change.limit) == (GroupKind.LIMIT_UPDATED, 15_000)
    frame["event_type"] = "dissolved"
    assert account_rows.group_changed(_raw(frame), NOW).kind is GroupKind.UNKNOWN


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(FILL)), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(changes=st.dictionaries(st.sampled_from(list(FILL | ORDER)), _JSON, max_size=5))
def test_hostile_rows_are_malformed_and_nothing_else(changes: dict[str, Any]) -> None:
    for make, row in (
        (account_rows.fill_seen, FILL),
        (account_rows.order_seen, ORDER),
        (account_rows.position_seen, {}),
        (account_rows.settlement_seen, {}),
        (account_rows.group_changed, {}),
    ):
        with suppress(MalformedError):
            make(_raw(row | changes), NOW)
