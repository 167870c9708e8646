"""Order groups: counted together, canceled together, and the project's own client agrees."""

from __future__ import annotations

import pytest

from shared.money import MICROS, Usd
from tests.simulator.bench import Bench, Json, quoted
from tests.simulator.test_stream import Line

_GROUPS = "/portfolio/order_groups"
IOC = {"time_in_force": "immediate_or_cancel"}


@pytest.fixture
def bench() -> Bench:
    return quoted()


def _group(bench: Bench, limit: str = "10.00", shard: int = 0) -> str:
    body = {"contracts_limit_fp": limit, "exchange_index": shard}
    status, answer = bench.send("POST", f"{_GROUPS}/create", body)
    assert (status, answer["exchange_index"]) == (201, shard)
    return str(answer["order_group_id"])


def _resting(bench: Bench) -> list[str]:
    return [order.id for order in bench.account.resting()]


def test_a_group_shows_its_limit_and_its_live_orders(bench: Bench) -> None:
    group = _group(bench)
    _, body = bench.order(bench.empty().ticker, "bid", "0.0100", "1.00", order_group_id=group)
    assert bench.get(f"{_GROUPS}/{group}", signed=True) == {
        "contracts_limit_fp": "10.00",
        "is_auto_cancel_enabled": True,
        "exchange_index": 0,
        "orders": [body["order_id"]],
    }
    assert [row["id"] for row in bench.get(_GROUPS, signed=True)["order_groups"]] == [group]
    row = bench.get(f"/portfolio/orders/{body['order_id']}", signed=True)["order"]
    assert row["order_group_id"] == group


def test_too_much_within_fifteen_seconds_cancels_the_group_and_refuses_more(bench: Bench) -> None:
    group, market, empty = _group(bench, "3.00"), bench.market(), bench.market("NBA")
    _, kept = bench.order(empty.ticker, "bid", "0.0100", "1.00")
    bench.order(market.ticker, "bid", "0.0100", "1.00", order_group_id=group)
    bench.order(market.ticker, "bid", "0.9900", "2.00", order_group_id=group, **IOC)
    assert len(_resting(bench)) == 2
    bench.order(market.ticker, "bid", "0.9900", "1.00", order_group_id=group, **IOC)
    assert _resting(bench) == [kept["order_id"]]
    status, body = bench.order(market.ticker, "bid", "0.0100", "1.00", order_group_id=group)
    assert (status, body["error"]["details"]) == (400, "order group is triggered")
    bench.send("PUT", f"{_GROUPS}/{group}/reset")
    assert bench.order(market.ticker, "bid", "0.0100", "1.00", order_group_id=group)[0] == 201


def test_what_matched_long_ago_does_not_count(bench: Bench) -> None:
    group, market = _group(bench, "3.00"), bench.market()
    bench.quiet(market)
    for _ in range(3):
        status, body = bench.order(market.ticker, "bid", "0.9900", "1.00", order_group_id=group, **IOC)
        assert (status, body["fill_count"]) == (201, "1.00")
        bench.wait(15)
    assert not bench.account.groups[group].triggered


def test_an_order_that_triggers_its_own_group_stops_filling(bench: Bench) -> None:
    group, market = _group(bench, "2.00"), bench.empty()
    other = bench.api.add_member("maker", bench.key.public_key(), Usd(1000 * MICROS))
    mine, bench.key_id = bench.key_id, "maker"
    for price in ("0.5000", "0.5100", "0.5200"):
        bench.order(market.ticker, "ask", price, "2.00")
    bench.key_id = mine
    _, body = bench.order(market.ticker, "bid", "0.6000", "6.00", order_group_id=group)
    order = bench.account.orders[body["order_id"]]
    assert (body["fill_count"], body["remaining_count"]) == ("2.00", "0.00")
    assert (order.status, order.is_resting) == ("canceled", False)
    assert len(other.resting()) == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"contracts_limit": 5}, 201),
        ({"contracts_limit_fp": "0.50"}, 400),
        ({"contracts_limit_fp": "1000001.00"}, 400),
        ({"contracts_limit_fp": "x"}, 400),
        ({}, 400),
        ({"contracts_limit": 5, "exchange_index": 9}, 400),
    ],
)
def test_limits_are_one_to_a_million_contracts_on_a_shard(bench: Bench, body: Json, status: int) -> None:
    assert bench.send("POST", f"{_GROUPS}/create", body)[0] == status


def test_a_group_is_found_and_protects_on_its_own_shard_only(bench: Bench) -> None:
    group = _group(bench, shard=3)
    assert bench.send("PUT", f"{_GROUPS}/{group}/trigger")[0] == 404
    status, body = bench.order(bench.empty().ticker, "bid", "0.0100", "1.00", order_group_id=group)
    assert (status, body["error"]["details"]) == (400, "order group not found")
    assert bench.send("PUT", f"{_GROUPS}/{group}/trigger", exchange_index=3) == (200, {})


def test_a_deleted_group_takes_its_orders_along(bench: Bench) -> None:
    group = _group(bench)
    bench.order(bench.empty().ticker, "bid", "0.0100", "1.00", order_group_id=group)
    assert bench.send("DELETE", f"{_GROUPS}/{group}") == (200, {})
    assert _resting(bench) == []
    assert bench.send("GET", f"{_GROUPS}/{group}")[0] == 404


def test_the_stream_tells_what_happens_to_a_group(bench: Bench) -> None:
    line = Line(bench)
    line.say(1, "subscribe", channels=["order_group_updates"])
    group = _group(bench)
    bench.send("PUT", f"{_GROUPS}/{group}/limit", {"contracts_limit_fp": "7.00"})
    bench.send("PUT", f"{_GROUPS}/{group}/trigger")
    bench.send("PUT", f"{_GROUPS}/{group}/reset")
    bench.send("DELETE", f"{_GROUPS}/{group}")
    told = line.of("order_group_updates")
    kinds = ["created", "limit_updated", "triggered", "reset", "deleted"]
    assert [body["event_type"] for body in told] == kinds
    assert told[1]["contracts_limit_fp"] == "7.00"
    assert [frame["seq"] for frame in line.frames if "seq" in frame] == [1, 2, 3, 4, 5]
