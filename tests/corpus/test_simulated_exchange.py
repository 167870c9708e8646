"""The simulated exchange answers as the recorded one did: the same members, types and numbers of decimals."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.corpus.recorded import fixture
from tests.simulator.bench import Bench, Json, quoted

pytestmark = pytest.mark.corpus

IOC = {"time_in_force": "immediate_or_cancel"}
_ORDERS = "/portfolio/events/orders"
_DECIMAL = re.compile(r"-?\d+\.(\d+)")
# Gone since the recording, by the exchange's own changelog.
_GONE = {"service", "resting_orders_count"}


def _maker(bench: Bench, count: str = "1.00") -> Json:
    return bench.order(bench.empty().ticker, "bid", "0.0100", count)[1]


def _taker(bench: Bench) -> Json:
    return bench.order(bench.market("NBA").ticker, "bid", "0.9900", "1.00", **IOC)[1]


def _canceled(bench: Bench) -> Json:
    return bench.send("DELETE", f"{_ORDERS}/{_maker(bench)['order_id']}")[1]


def _order(bench: Bench) -> Json:
    return bench.get(f"/portfolio/orders/{_maker(bench)['order_id']}", signed=True)


def _after_taker(path: str) -> Callable[[Bench], Json]:
    def ask(bench: Bench) -> Json:
        _taker(bench)
        return bench.get(path, signed=True)

    return ask


def _listed(bench: Bench) -> Json:
    _maker(bench)
    return bench.get("/portfolio/orders", signed=True)


def _twice(bench: Bench) -> Json:
    ticker = bench.empty().ticker
    bench.order(ticker, "bid", "0.0100", "1.00", client_order_id="x")
    return bench.order(ticker, "bid", "0.0100", "1.00", client_order_id="x")[1]


def _again(bench: Bench) -> Json:
    order = bench.order(bench.empty().ticker, "bid", "0.0100", "1.00", client_order_id="x")[1]
    bench.send("DELETE", f"{_ORDERS}/{order['order_id']}")
    return bench.order(bench.empty().ticker, "bid", "0.0100", "1.00", client_order_id="x")[1]


def _self_cross(bench: Bench) -> Json:
    ticker = bench.empty().ticker
    bench.order(ticker, "ask", "0.5000", "1.00")
    return bench.order(ticker, "bid", "0.5000", "1.00")[1]


def _refused(price: str, count: Any = "1.00", **more: object) -> Callable[[Bench], Json]:
    return lambda bench: bench.order(bench.market().ticker, "bid", price, count, **more)[1]


_CASES: dict[str, Callable[[Bench], Json]] = {
    "auth__balance_ok": lambda bench: bench.get("/portfolio/balance", signed=True),
    "auth__missing_signature_header": lambda bench: msgspec.json.decode(
        bench.raw("GET", "/portfolio/balance").body
    ),
    "exchange__status": lambda bench: bench.get("/exchange/status"),
    "orders__create_v2_maker": _maker,
    "orders__create_v2_taker_ioc": _taker,
    "orders__cancel_v2": _canceled,
    "orders__cancel_unknown_id": lambda bench: bench.send("DELETE", f"{_ORDERS}/none")[1],
    "orders__get_after_create": _order,
    "portfolio__orders_list": _listed,
    "fills__after_taker": _after_taker("/portfolio/fills"),
    "portfolio__positions": _after_taker("/portfolio/positions"),
    "orders__duplicate_client_order_id": _twice,
    "orders__reuse_canceled_client_id": _again,
    "orders__stp_self_cross": _self_cross,
    "orders__post_only_cross": _refused("0.9900", post_only=True),
    "orders__insufficient_balance": _refused("0.5000", "99999.00"),
    "orders__invalid_price_structure": _refused("0.5050"),
    "orders__numeric_field_types": _refused("0.5000", 1),
    "markets__limit_over_max": lambda bench: msgspec.json.decode(
        bench.raw("GET", "/markets", query="limit=1001").body
    ),
    "settlements__page": lambda bench: bench.get("/portfolio/settlements", signed=True),
}


def _differences(recorded: Json, simulated: Json, at: str = "") -> list[str]:
    """Where the simulated answer lacks a member, has another type or other decimals."""
    if isinstance(recorded, dict) and isinstance(simulated, dict):
        found = [f"{at}.{key} is missing" for key in recorded.keys() - simulated.keys() - _GONE]
        for key in recorded.keys() & simulated.keys():
            found += _differences(recorded[key], simulated[key], f"{at}.{key}")
        return found
    if isinstance(recorded, list) and isinstance(simulated, list):
        return _differences(recorded[0], simulated[0], f"{at}[0]") if recorded and simulated else []
    if type(recorded) is not type(simulated):
        return [f"{at} is {simulated!r}, recorded was {recorded!r}"]
    if isinstance(recorded, str) and (one := _DECIMAL.fullmatch(recorded)):
        other = _DECIMAL.fullmatch(simulated)
        if other is None or len(other[1]) != len(one[1]):
            return [f"{at} is {simulated!r}, recorded was {recorded!r}"]
    return []


@pytest.mark.parametrize("name", sorted(_CASES))
def test_the_simulated_answer_has_the_shape_of_the_recorded_one(name: str) -> None:
    recorded, simulated = fixture(name), _CASES[name](quoted())
    assert _differences(recorded, simulated) == []
    if isinstance(recorded, dict) and "error" in recorded:
        told = {key: value for key, value in recorded["error"].items() if key not in _GONE}
        assert simulated["error"] == told


def test_a_difference_would_be_seen() -> None:
    recorded = {"a": "1.00", "b": [{"c": 1}], "d": "x"}
    assert sorted(_differences(recorded, {"a": "1.0", "b": [{"c": "1"}]})) == [
        ".a is '1.0', recorded was '1.00'",
        ".b[0].c is '1', recorded was 1",
        ".d is missing",
    ]
