"""Order groups: what is sent, that the shard is always named, and what comes back."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from shared.errors import MalformedError, OutcomeUnknownError
from shared.money import Quantity
from shared.venues.http import Response
from shared.venues.kalshi.account import OrderGroup
from shared.venues.kalshi.client import KalshiClient
from shared.venues.kalshi.groups import OrderGroups
from shared.venues.retry import Retry
from tests.support.corpus import corpus_path
from tests.venues.fakes import Answer, FakeTransport, answer
from tests.venues.kalshi.desk import BASE, TradingDesk

GROUP = "82bc126a-e3de-51d6-b55e-92499c3d2bb7"


def _groups(*script: Answer) -> tuple[OrderGroups, FakeTransport]:
    desk, transport = TradingDesk(), FakeTransport(list(script))
    retry = Retry(desk.clock, lambda: 0.5, attempts=1)
    client = KalshiClient(transport, desk.clock, retry, base_url=BASE, signer=desk.client._signer)
    return OrderGroups(client, 3), transport


def _recorded(name: str) -> Any:
    with gzip.open(corpus_path("account", "kalshi_api_golden_responses_202601.json.gz")) as file:
        return json.load(file)[name]["response"]


async def test_a_group_is_made_on_its_shard_with_its_limit_as_text() -> None:
    groups, transport = _groups(answer({"order_group_id": GROUP, "subaccount": 0, "exchange_index": 3}, 201))
    assert await groups.create(Quantity(15_000)) == GROUP
    call = transport.calls[0]
    assert (call.method, call.url) == ("POST", f"{BASE}/portfolio/order_groups/create")
    assert json.loads(call.body or b"") == {"contracts_limit_fp": "150.00", "exchange_index": 3}


async def test_every_other_call_names_the_shard_for_its_default_is_another() -> None:
    row = {"id": GROUP, "contracts_limit_fp": "1.00", "is_auto_cancel_enabled": True, "exchange_index": 3}
    groups, transport = _groups(answer({"order_groups": [row]}), answer(row), answer({}))
    await groups.all()
    await groups.one(GROUP)
    await groups.trigger(GROUP)
    await groups.reset(GROUP)
    await groups.set_limit(GROUP, Quantity(200))
    await groups.delete(GROUP)
    assert {call.params.get("exchange_index") for call in transport.calls} == {"3"}
    paths = [
        (call.method, call.url.removeprefix(f"{BASE}/portfolio/order_groups")) for call in transport.calls
    ]
    assert paths == [
        ("GET", ""),
        ("GET", f"/{GROUP}"),
        ("PUT", f"/{GROUP}/trigger"),
        ("PUT", f"/{GROUP}/reset"),
        ("PUT", f"/{GROUP}/limit"),
        ("DELETE", f"/{GROUP}"),
    ]
    assert json.loads(transport.calls[4].body or b"") == {"contracts_limit_fp": "2.00"}


async def test_one_group_lists_its_orders() -> None:
    groups, _ = _groups(answer({"is_auto_cancel_enabled": False, "orders": ["a", "b"], "exchange_index": 3}))
    assert await groups.one(GROUP) == OrderGroup(GROUP, None, False, 3, ("a", "b"))


@pytest.mark.corpus
async def test_recorded_groups_are_read() -> None:
    script = [answer(_recorded(f"order_group{name}_response")) for name in ("_create", "s_list", "_single")]
    groups, _ = _groups(*script)
    assert await groups.create(Quantity(100)) == GROUP
    [listed] = await groups.all()
    assert (listed.group_id, listed.is_auto_cancel) == ("74686176-fc4c-48ca-8089-e8143c4030af", False)
    assert (await groups.one(GROUP)).order_ids == ()


@pytest.mark.parametrize("reply", [Response(201, {}, b"{"), answer({}, 201), Response(503, {}, b"")])
async def test_a_group_that_may_have_been_made_is_unknown(reply: Response) -> None:
    groups, _ = _groups(reply)
    with pytest.raises(OutcomeUnknownError):
        await groups.create(Quantity(100))


@pytest.mark.parametrize("group_id", ["", "a/b", "../events", "x" * 65])
async def test_an_id_that_would_make_another_path_is_refused(group_id: str) -> None:
    groups, transport = _groups(answer({}))
    with pytest.raises(MalformedError):
        await groups.delete(group_id)
    assert transport.calls == []
