"""What scenarios do to requests: what was done, what was answered, and when."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

import msgspec
import pytest

from shared.clock import SECOND
from shared.simulator.kalshi_http import PREFIX
from shared.simulator.plan import Plan
from shared.simulator.scenario import Fault, Kind, Scenario
from shared.simulator.web import Reply, Request
from tests.simulator.bench import Bench, Json, quoted

_ORDERS = "/portfolio/events/orders"


@pytest.fixture
def bench() -> Bench:
    return quoted()


def _play(bench: Bench, *faults: Fault) -> Plan:
    return bench.api.play(Scenario(faults=faults))


def _ticket(bench: Bench, client_order_id: str = "one") -> Json:
    return {
        "ticker": bench.empty().ticker, "side": "bid", "price": "0.0100", "count": "1.00",
        "client_order_id": client_order_id, "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "maker",
    }  # fmt: skip


def _create(bench: Bench, client_order_id: str = "one") -> Reply:
    return bench.raw("POST", _ORDERS, _ticket(bench, client_order_id), signed=True)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "authentication_error"),
        (404, "not_found"),
        (409, "trading_is_paused"),
        (429, "too_many_requests"),
        (503, "service_unavailable"),
    ],
)
def test_a_storm_refuses_everything_and_does_nothing(bench: Bench, status: int, code: str) -> None:
    _play(bench, Fault(kind=Kind.REFUSE, status=status, code=code))
    answer = _create(bench)
    assert (answer.status, msgspec.json.decode(answer.body)["error"]["code"]) == (status, code)
    assert bench.raw("GET", "/exchange/status").status == status
    assert bench.account.orders == {}


def test_html_comes_with_the_status_asked_for(bench: Bench) -> None:
    _play(bench, Fault(kind=Kind.HTML, on="create", status=504))
    answer = _create(bench)
    assert (answer.status, answer.headers["content-type"]) == (504, "text/html")
    assert b"<html>" in answer.body
    assert bench.account.orders == {}


def test_a_dropped_request_does_nothing_and_is_not_answered(bench: Bench) -> None:
    _play(bench, Fault(kind=Kind.DROP, on="create"))
    assert _create(bench).lost
    assert bench.account.orders == {}


@pytest.mark.parametrize("kind", [Kind.TIMEOUT, Kind.LOST_ANSWER, Kind.NO_ORDER_ID, Kind.TRUNCATE])
def test_after_these_the_order_rests_and_its_id_is_spent(bench: Bench, kind: Kind) -> None:
    _play(bench, Fault(kind=kind, on="create", nth=(1,)))
    first = _create(bench)
    assert first.lost == (kind is Kind.TIMEOUT)
    assert b'"order_id"' not in first.body or kind is Kind.TRUNCATE
    assert len(bench.account.resting()) == 1
    again = _create(bench)
    assert (again.status, msgspec.json.decode(again.body)["error"]["code"]) == (409, "order_already_exists")


def test_a_cancel_may_answer_about_another_order(bench: Bench) -> None:
    order_id = msgspec.json.decode(_create(bench).body)["order_id"]
    _play(bench, Fault(kind=Kind.WRONG_ORDER, on="cancel"))
    status, body = bench.send("DELETE", f"{_ORDERS}/{order_id}")
    assert status == 200
    assert body["order_id"] != order_id
    assert bench.account.resting() == []


def _requested(bench: Bench) -> Request:
    body = msgspec.json.encode(_ticket(bench))
    return Request("POST", PREFIX + _ORDERS, "", bench.sign("POST", _ORDERS), body)


async def _after(bench: Bench, seconds: float) -> None:
    """Let the clock pass in small steps, as a server's does."""
    end = bench.clock.now() + int(seconds * SECOND)
    while bench.clock.now() < end:
        await bench.clock.advance(0.1)


async def test_a_late_request_is_nowhere_until_it_arrives(bench: Bench) -> None:
    _play(bench, Fault(kind=Kind.LATE_REQUEST, on="create", seconds=3))
    asking = asyncio.create_task(bench.api.answer(_requested(bench)))
    await _after(bench, 2.5)
    assert bench.account.orders == {}
    await _after(bench, 1)
    assert (await asking).status == 201
    assert len(bench.account.resting()) == 1


async def test_a_late_answer_is_about_what_was_done_at_once(bench: Bench) -> None:
    _play(bench, Fault(kind=Kind.LATE_ANSWER, on="create", seconds=3))
    asking = asyncio.create_task(bench.api.answer(_requested(bench)))
    await _after(bench, 0.2)
    assert len(bench.account.resting()) == 1
    assert not asking.done()
    await _after(bench, 3)
    assert (await asking).status == 201


async def test_a_time_out_takes_its_time_and_then_says_nothing(bench: Bench) -> None:
    _play(bench, Fault(kind=Kind.TIMEOUT, on="create", seconds=10, spread_s=5))
    asking = asyncio.create_task(bench.api.answer(_requested(bench)))
    await _after(bench, 9.5)
    assert not asking.done()
    await _after(bench, 6)
    assert (await asking).lost


async def test_a_request_too_late_for_its_signature_is_refused(bench: Bench) -> None:
    _play(bench, Fault(kind=Kind.LATE_REQUEST, on="create", seconds=60))
    asking = asyncio.create_task(bench.api.answer(_requested(bench)))
    await _after(bench, 61)
    assert (await asking).status == 401
    assert bench.account.orders == {}


def test_the_next_scenario_replaces_the_one_before(bench: Bench) -> None:
    _play(bench, Fault(kind=Kind.REFUSE))
    assert bench.raw("GET", "/exchange/status").status == 503
    _play(bench)
    assert bench.raw("GET", "/exchange/status").status == 200


def test_what_struck_is_counted(bench: Bench) -> None:
    plan = _play(bench, Fault(kind=Kind.REFUSE, on="create", nth=(2,)))
    for number in range(3):
        _create(bench, f"c{number}")
    assert plan.counts() == [{"kind": "refuse", "on": "create", "seen": 3, "struck": 1}]


def test_a_wrong_clock_refuses_signatures_until_it_is_right(bench: Bench) -> None:
    _play(bench, Fault(kind=Kind.SKEW, seconds=-40, until_s=30))
    assert bench.send("GET", "/portfolio/balance")[1]["error"]["code"] == "header_timestamp_expired"
    bench.wait(30)
    assert bench.send("GET", "/portfolio/balance")[0] == 200


def test_reads_lag_for_as_long_as_the_scenario_says(bench: Bench) -> None:
    _play(bench, Fault(kind=Kind.READ_LAG, seconds=8, until_s=60))
    _create(bench)
    bench.wait(7)
    assert bench.get("/portfolio/orders", signed=True)["orders"] == []
    bench.wait(1)
    assert len(bench.get("/portfolio/orders", signed=True)["orders"]) == 1


def test_a_growing_lag_does_not_take_back_what_was_vouched_for(bench: Bench) -> None:
    _create(bench)
    bench.wait(1)
    told = bench.get("/exchange/user_data_timestamp")["as_of_time"]
    _play(bench, Fault(kind=Kind.READ_LAG, seconds=9))
    assert bench.get("/exchange/user_data_timestamp")["as_of_time"] == told
    query = urlencode({"status": "resting"})
    answer = bench.raw("GET", "/portfolio/orders", signed=True, query=query)
    assert len(msgspec.json.decode(answer.body)["orders"]) == 1
