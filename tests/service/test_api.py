"""The API over real sockets: what it answers, how it stops trading, and what it says when it fails."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import msgspec
import pytest

from shared.config import Secret
from shared.errors import ConfigError, StorageError
from shared.execution import halt
from shared.messages import AlertRaised, Message
from shared.orders.ledger import Fill, Ledger
from shared.risk.book import Holding
from shared.service.api import application, serving
from shared.service.desk import Desk
from shared.service.routes import ROUTES, document
from shared.terms import OrderStatus, Side
from tests.execution.conftest import signal
from tests.service.conftest import BODIES, HALT, TOKEN, Api, code, desk_of
from tests.service.messages import START, fill, order
from tests.service.test_exposition import read
from tests.support.backends import rng


async def test_without_a_token_it_does_not_start(api: Api) -> None:
    desk = desk_of(api.system)
    with pytest.raises(ConfigError, match=r"API_TOKEN.*token_urlsafe"):
        async with serving(desk, Secret(""), 0):
            pass


async def test_a_taken_port_says_so(api: Api) -> None:
    with pytest.raises(ConfigError, match=f"port {api.port}"):
        async with serving(desk_of(api.system), Secret(TOKEN), api.port):
            pass


# --- what is answered ---------------------------------------------------------------------------------------


async def test_each_answer_is_of_the_type_it_is_described_by(api: Api) -> None:
    for route in ROUTES:
        if route.answer is None:
            continue
        status, body = await api.ask(route.method, route.path, json=BODIES.get(route.path))
        assert status == (503 if route.path == "/ready" else 200), route.path
        fields = [(field.name, field.type) for field in msgspec.structs.fields(route.answer)]
        msgspec.convert(body, msgspec.defstruct("Strict", fields, forbid_unknown_fields=True))


async def test_the_description_names_exactly_the_routes_of_the_server(api: Api) -> None:
    status, described = await api.get("/openapi.json")
    assert status == 200
    served = {
        (route.method.lower(), route.resource.canonical)
        for route in application(desk_of(api.system), Secret(TOKEN)).router.routes()
        if route.resource is not None
    }
    assert {(method, path) for path, item in described["paths"].items() for method in item} == served


def test_every_reference_in_the_description_leads_somewhere() -> None:
    described = document(ROUTES)
    text = msgspec.json.encode(described).decode()
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(described["components"]["schemas"])
    for item in described["paths"].values():
        for operation in item.values():
            assert operation["summary"]
            assert {"200", "default"} <= set(operation["responses"])


async def test_readiness_says_everything_that_is_missing(api: Api) -> None:
    api.system.parts.executor.account.halted = "ann: look"
    status, body = await api.get("/ready")
    assert status == 503
    assert [reason.split(":")[0] for reason in body["reasons"]] == ["halted", "listing", "odds", "stream"]


async def test_positions_are_what_the_ledger_holds(api: Api) -> None:
    stored, given = api.system.parts.execution.stored, fill(side=Side.NO)
    ledger = Ledger(stored.seen.cash)
    position = ledger.record(Fill("f1", "KX", "KX-E", given.side, given.price, given.quantity, given.fee))
    assert position is not None
    stored.seen = replace(stored.seen, cash=ledger.cash, holdings={"KX": Holding("game", "NFL", position)})
    _, body = await api.get("/positions")
    assert body["positions"] == [
        {
            "ticker": "KX",
            "event_ticker": "KX-E",
            "side": "no",
            "contracts": "10.00",
            "cost_usd": "5.10",
            "fees_usd": "0.0175",
            "realized_usd": "0.00",
        }
    ]
    _, risk = await api.get("/risk")
    assert risk["events"] == {"KX-E": "10.00"}
    assert risk["bankroll_usd"] == "9999.9825"


async def test_orders_come_newest_first_in_their_last_state(api: Api) -> None:
    warehouse = api.system.parts.warehouse
    later = START + 1
    await warehouse.append(
        [
            order(OrderStatus.PENDING),
            order(OrderStatus.UNKNOWN, reasons=("timeout",)),
            order(OrderStatus.FILLED, order_id="o2", observed_at=later, filled=1_000),
        ]
    )
    await warehouse.flush()
    _, body = await api.get("/orders")
    assert [(one["order_id"], one["status"]) for one in body["orders"]] == [
        ("o2", "filled"),
        ("o1", "unknown"),
    ]
    assert body["orders"][0]["filled_contracts"] == "10.00"
    assert body["orders"][1]["reasons"] == ["timeout"]
    assert body["orders"][1]["limit_usd"] == "0.5200"
    _, unknown = await api.get("/orders?status=unknown&limit=5")
    assert [one["order_id"] for one in unknown["orders"]] == ["o1"]


async def test_a_stage_says_whether_it_keeps_its_ceiling(api: Api) -> None:
    api.system.parts.stats.latency("look to durable", 50_000_000)
    api.system.parts.stats.latency("look to decided", 50_000_001)
    api.system.parts.stats.latency("something new", 1)
    _, body = await api.get("/state")
    found = {stage: (one["budget_us"], one["within_budget"]) for stage, one in body["latency"].items()}
    assert found == {
        "look to durable": (50_000, True),
        "look to decided": (50_000, False),
        "something new": (None, None),
    }


async def test_signals_come_with_what_they_filled(api: Api) -> None:
    warehouse = api.system.parts.warehouse
    await warehouse.append([signal(), fill(signal_id="signal-1")])
    await warehouse.flush()
    _, body = await api.get("/signals?limit=1")
    [one] = body["signals"]
    assert (one["signal_id"], one["filled_contracts"], one["paid_usd"]) == ("signal-1", "10.00", "5.10")


async def test_the_metrics_page_is_well_formed(api: Api) -> None:
    api.system.parts.stats.latency('a stage "with" \\ signs\n', 5)
    async with api.session.get(f"http://127.0.0.1:{api.port}/metrics", headers=api.headers) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert "arb_halted" in read(await answer.text())


# --- stopping and going on ----------------------------------------------------------------------------------


async def test_a_halt_stops_trading_at_once_and_names_who_and_why(api: Api) -> None:
    assert await api.post("/halt", HALT) == (200, {"halted": "ann: a storm"})
    assert api.system.parts.executor.account.halted == "ann: a storm"
    assert await halt.halted(api.system.parts.documents) == "ann: a storm"


@pytest.mark.parametrize("confirm", ["a storm", "ann: a storm"])
async def test_a_resume_that_names_the_halt_lifts_it(api: Api, confirm: str) -> None:
    await api.post("/halt", HALT)
    body = {"reason": "over", "actor": "bob", "confirm": confirm}
    assert await api.post("/resume", body) == (200, {"halted": ""})
    assert api.system.parts.executor.account.halted == ""


async def test_a_resume_that_names_another_halt_is_told_which_one_stands(api: Api) -> None:
    await halt.halt(
        api.system.parts.documents, api.system.parts.clock, rng(0), "5 losses in a row", "breaker"
    )
    answer = await api.post("/resume", BODIES["/resume"])
    assert code(answer) == (409, "not_confirmed")
    assert "breaker: 5 losses in a row" in answer[1]["error"]["message"]
    assert await halt.halted(api.system.parts.documents)


async def test_a_resume_of_nothing_is_refused(api: Api) -> None:
    assert code(await api.post("/resume", BODIES["/resume"])) == (409, "not_halted")


async def test_a_halt_of_a_moment_is_raised_and_so_is_its_end(api: Api) -> None:
    raised: list[Message] = []

    async def hear(message: Message) -> None:
        raised.append(message)

    api.system.parts.bus.subscribe(AlertRaised.TOPIC, "test", hear)
    await api.post("/halt", HALT)
    await api.post("/resume", BODIES["/resume"])
    await api.system.parts.bus.drain()
    assert [one.code for one in raised if isinstance(one, AlertRaised)] == ["halted", "resumed"]


async def test_who_asked_and_why_is_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "shared.service"):
        await api.post("/halt", HALT)
        await api.post("/resume", BODIES["/resume"])
    assert "halted by ann: a storm" in caplog.text
    assert "resumed by ann: over" in caplog.text


async def test_when_the_halt_cannot_be_written_the_caller_hears_that_it_did_not_happen(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> int:
        raise StorageError(f"/secret/place: disk full, token {TOKEN}")

    monkeypatch.setattr(api.system.parts.documents, "create", full)
    answer = await api.post("/halt", HALT)
    assert code(answer) == (503, "unavailable")
    assert "secret" not in str(answer)


# --- when something is wrong -------------------------------------------------------------------------------


async def test_a_body_that_never_comes_is_not_waited_for(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.service.api._BODY_S", 0.05)
    head = f"Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 9"
    answer = await api.raw(f"POST /halt HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode())
    assert b" 408 " in answer.split(b"\r\n")[0]


async def test_a_bug_is_answered_without_its_details_and_logged_with_them(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Desk) -> None:
        raise ZeroDivisionError("internal detail")

    monkeypatch.setattr(Desk, "risk", broken)
    answer = await api.get("/risk")
    assert code(answer) == (500, "internal")
    assert "detail" not in str(answer)
    assert "internal detail" in caplog.text


async def test_a_question_that_takes_too_long_is_given_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("shared.service.api._ANSWER_S", 0.02)
    monkeypatch.setattr(api.system.parts.warehouse, "query", slow)
    assert code(await api.get("/signals")) == (503, "slow")


async def test_a_hundred_callers_at_once_are_all_answered(api: Api) -> None:
    answers = await asyncio.gather(*(api.get("/state") for _ in range(100)))
    assert {status for status, _ in answers} == {200}
