"""The simulation's own endpoints, and the exchange's own books as they show them."""

from __future__ import annotations

import msgspec
import pytest

from shared.money import LOTS, MICROS
from shared.simulator.control import ControlApi
from shared.simulator.scenario import Fault, Kind, Scenario, dumps
from shared.simulator.truth import Truth, truth
from shared.simulator.web import Request
from tests.simulator.bench import ONE_GAME, Bench, Json, quoted
from tests.simulator.test_settlement import _held, _over

_LOCAL = {"host": "127.0.0.1:8700"}


@pytest.fixture
def bench() -> Bench:
    return quoted()


def _ask(
    bench: Bench,
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    peer: str = "127.0.0.1",
    query: str = "",
) -> tuple[int, Json]:
    control = ControlApi(bench.api, bench.key_id)
    sent = _LOCAL if headers is None else headers
    answer = control.handle(Request(method, f"/sim{path}", query, sent, body, peer))
    return answer.status, msgspec.json.decode(answer.body)


def test_a_scenario_is_put_in_force_read_back_and_ended(bench: Bench) -> None:
    scenario = Scenario(name="storm", faults=(Fault(kind=Kind.REFUSE, on="status", status=500),))
    status, body = _ask(bench, "PUT", "/scenario", dumps(scenario))
    assert (status, body["scenario"]["name"]) == (200, "storm")
    assert bench.raw("GET", "/exchange/status").status == 500
    assert _ask(bench, "GET", "/scenario")[1]["faults"][0]["struck"] == 1
    assert _ask(bench, "DELETE", "/scenario") == (200, {"scenario": {}, "elapsed_s": 0.0, "faults": []})
    assert bench.raw("GET", "/exchange/status").status == 200


def test_a_scenario_that_makes_no_sense_is_refused_and_the_old_one_stays(bench: Bench) -> None:
    _ask(bench, "PUT", "/scenario", dumps(Scenario(name="kept")))
    status, body = _ask(bench, "PUT", "/scenario", b'{"faults":[{"kind":"meteor"}]}')
    assert (status, body["error"]["code"]) == (400, "invalid_scenario")
    assert "meteor" in body["error"]["details"]
    assert _ask(bench, "GET", "/scenario")[1]["scenario"]["name"] == "kept"


@pytest.mark.parametrize(
    ("headers", "peer"),
    [
        (_LOCAL, "10.0.0.5"),
        (_LOCAL, "somewhere"),
        ({"host": "evil.example"}, "127.0.0.1"),
        ({}, "127.0.0.1"),
        (_LOCAL | {"origin": "http://127.0.0.1:8700"}, "127.0.0.1"),
    ],
)
def test_only_programs_on_the_same_machine_may_ask(bench: Bench, headers: dict[str, str], peer: str) -> None:
    assert _ask(bench, "GET", "/truth", headers=headers, peer=peer)[0] == 403


@pytest.mark.parametrize("host", ["localhost:1", "[::1]:1", "127.0.0.1"])
def test_the_machine_may_call_itself_what_it_likes(bench: Bench, host: str) -> None:
    assert _ask(bench, "GET", "/truth", headers={"host": host}, peer="::1")[0] == 200


def test_what_is_not_there_says_what_is(bench: Bench) -> None:
    status, body = _ask(bench, "GET", "/nothing")
    assert (status, "/sim/scenario" in body["error"]["details"]) == (404, True)
    assert _ask(bench, "GET", "/truth", query="key_id=nobody")[0] == 404


def test_the_truth_shows_an_order_whose_answer_was_lost_and_that_reads_do_not_show_yet(bench: Bench) -> None:
    bench.faults.read_lag_s = 10
    bench.api.play(Scenario(faults=(Fault(kind=Kind.TIMEOUT, on="create"),)))
    market = bench.empty()
    bench.raw("POST", "/portfolio/events/orders", {
        "ticker": market.ticker, "side": "bid", "price": "0.0100", "count": "1.00", "client_order_id": "lost",
        "time_in_force": "good_till_canceled", "self_trade_prevention_type": "maker",
    }, signed=True)  # fmt: skip
    assert bench.get("/portfolio/orders", signed=True)["orders"] == []
    _, body = _ask(bench, "GET", "/truth")
    assert [(o["client_order_id"], o["status"], o["remaining"]) for o in body["orders"]] == [
        ("lost", "resting", 100)
    ]
    assert body["spent_ids"] == ["lost"]
    assert body["available"]["0"] < body["cash"]["0"] == body["deposited"]["0"]


def _worth(found: Truth) -> int:
    """Cash that fills, fees and payouts make of what was deposited."""
    cash = sum(found.deposited.values())
    for fill in found.fills:
        cash -= fill.fee + (fill.price if fill.bid else MICROS - fill.price) * fill.lots // LOTS
    return cash + sum(settlement.revenue for settlement in found.settlements)


@pytest.mark.parametrize("correct", [False, True], ids=["as played", "corrected"])
def test_cash_is_deposits_less_fills_less_fees_plus_payouts(correct: bool) -> None:
    bench = quoted(preset=ONE_GAME)
    _held(bench)
    if correct:
        bench.api.play(Scenario(faults=(Fault(kind=Kind.CORRECT, value="0.5000", seconds=60),)))
    _over(bench)
    bench.wait(400)
    found = truth(bench.world.exchange, bench.account)
    latest = {row.ticker: row for row in found.settlements}
    found = msgspec.structs.replace(found, settlements=tuple(latest.values()))
    assert sum(found.cash.values()) == _worth(found)
    realized = sum(position.realized - position.fees for position in found.positions.values())
    assert sum(found.cash.values()) - sum(found.deposited.values()) == realized
    assert {position.lots for position in found.positions.values()} == {0}


def test_fills_add_up_to_positions_and_to_their_orders(bench: Bench) -> None:
    market = bench.market()
    for side, price, count in (("bid", "0.9900", "7.00"), ("ask", "0.0100", "2.50")):
        bench.order(market.ticker, side, price, count, time_in_force="immediate_or_cancel")
    found = truth(bench.world.exchange, bench.account)
    signed = sum(fill.lots if fill.bid else -fill.lots for fill in found.fills)
    assert found.positions[market.ticker].lots == signed == 450
    for order in found.orders:
        mine = [fill for fill in found.fills if fill.order_id == order.order_id]
        assert sum(fill.lots for fill in mine) == order.filled
        assert sum(fill.fee for fill in mine) == order.fees
