"""Scenarios as data: what can be written, what is refused, and that the same one gives the same faults."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import SECOND, Instant
from shared.errors import ConfigError
from shared.simulator.plan import Plan, name_of
from shared.simulator.scenario import (
    FRAMES,
    ON_FRAMES,
    ON_REQUESTS,
    REQUESTS,
    Fault,
    Kind,
    Scenario,
    dumps,
    loads,
    read,
)
from shared.simulator.web import Request
from tests.simulator.bench import quoted


@given(
    st.builds(
        Fault,
        kind=st.sampled_from(sorted(ON_REQUESTS)),
        on=st.sampled_from((*REQUESTS, "any", "write", "read")),
        share=st.floats(0, 1),
        nth=st.lists(st.integers(1, 50), max_size=3).map(tuple),
        most=st.none() | st.integers(1, 9),
        after_s=st.floats(0, 100),
        until_s=st.none() | st.floats(101, 200),
        seconds=st.floats(0.1, 60),
        status=st.sampled_from((401, 404, 409, 429, 500, 503)),
    )
)
def test_what_is_written_is_what_is_read(fault: Fault) -> None:
    scenario = Scenario(name="storm", seed=3, faults=(fault,), weekly_pause=True)
    assert loads(dumps(scenario)) == scenario


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read"),
        ("[]", "Expected `object`"),
        ('{"fautls": []}', "unknown field `fautls`"),
        ('{"faults": [{}]}', "missing required field `kind`"),
        ('{"faults": [{"kind": "meteor"}]}', "Invalid enum value 'meteor'"),
        ('{"faults": [{"kind": "refuse", "on": "orders/1"}]}', "on must be any, write, read or one of"),
        ('{"faults": [{"kind": "lose", "on": "create"}]}', "on must be any, private or one of"),
        ('{"faults": [{"kind": "refuse", "share": 2}]}', "<= 1.0"),
        ('{"faults": [{"kind": "refuse", "nth": [0]}]}', ">= 1"),
        ('{"faults": [{"kind": "refuse", "status": 200}]}', ">= 400"),
        ('{"faults": [{"kind": "html", "after_s": 5, "until_s": 5}]}', "until_s must be after after_s"),
        ('{"faults": [{"kind": "late"}]}', "seconds is needed"),
        ('{"faults": [{"kind": "timeout", "seconds": -1}]}', "must not be negative"),
        ('{"faults": [{"kind": "cash", "usd": "5"}]}', "usd and shard are needed"),
        ('{"faults": [{"kind": "cash", "usd": "much", "shard": 0}]}', "in quotes"),
        ('{"faults": [{"kind": "payout"}]}', "in quotes"),
        ('{"faults": [{"kind": "payout", "value": "1.5"}]}', "0 to 1 dollar"),
    ],
)
def test_a_scenario_that_makes_no_sense_says_where(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match="scenario cannot be read") as refused:
        loads(text)
    assert said in str(refused.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.json: cannot be read"):
        read(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(ConfigError, match=r"bad\.json: the scenario cannot be read"):
        read(tmp_path / "bad.json")


def test_the_scenario_in_the_documentation_can_be_played() -> None:
    scenario = read(Path(__file__).resolve().parents[2] / "docs" / "scenarios" / "rough-day.json")
    bench = quoted()
    bench.api.play(scenario)
    bench.wait(1000)
    assert len(scenario.faults) == 15


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/portfolio/events/orders", "create"),
        ("POST", "/portfolio/events/orders/batched", "batch_create"),
        ("DELETE", "/portfolio/events/orders/batched", "batch_cancel"),
        ("DELETE", "/portfolio/events/orders/a-b", "cancel"),
        ("DELETE", "/portfolio/events/orders", "cancel_all"),
        ("POST", "/portfolio/events/orders/a/amend", "amend"),
        ("POST", "/portfolio/events/orders/a/decrease", "decrease"),
        ("PUT", "/portfolio/order_groups/a/trigger", "group"),
        ("GET", "/portfolio/orders", "orders"),
        ("GET", "/portfolio/orders/a", "order"),
        ("GET", "/portfolio/balance", "balance"),
        ("GET", "/exchange/status", "status"),
        ("GET", "/exchange/user_data_timestamp", "timestamp"),
        ("GET", "/markets", "markets"),
        ("GET", "/markets/KX-1", "market"),
        ("GET", "/markets/KX-1/orderbook", "book"),
        ("GET", "/markets/orderbooks", "books"),
        ("GET", "/trade-api/ws/v2", "handshake"),
        ("GET", "/series", "other"),
        ("PATCH", "/portfolio/events/orders", "other"),
    ],
)
def test_requests_have_the_names_scenarios_use(method: str, path: str, name: str) -> None:
    assert name in REQUESTS
    prefix = "" if name == "handshake" else "/trade-api/v2"
    assert name_of(Request(method, prefix + path), "/trade-api/v2") == name


def _plan(*faults: Fault, seed: int = 1) -> Plan:
    return Plan(Scenario(seed=seed, faults=faults), lambda: Instant(0))


def _hits(plan: Plan, name: str, times: int) -> list[int]:
    return [n for n in range(1, times + 1) if plan.request(name).faults]


def test_the_nth_create_is_the_nth_create_whatever_else_is_asked() -> None:
    plan = _plan(Fault(kind=Kind.TIMEOUT, on="create", nth=(2, 5)))
    hits = []
    for number in range(1, 8):
        plan.request("orders")
        hits += [number] if plan.request("create").faults else []
    assert hits == [2, 5]


def test_a_fault_strikes_at_most_so_often() -> None:
    assert _hits(_plan(Fault(kind=Kind.REFUSE, most=3)), "create", 10) == [1, 2, 3]


def test_a_share_is_a_share() -> None:
    assert 150 < len(_hits(_plan(Fault(kind=Kind.REFUSE, share=0.2)), "create", 1000)) < 250


def test_one_more_fault_changes_nothing_about_the_others() -> None:
    first = Fault(kind=Kind.REFUSE, on="create", share=0.3)
    alone, beside = _plan(first), _plan(first, Fault(kind=Kind.HTML, on="create", share=0.5))
    struck = [any(f is first for f, _ in beside.request("create").faults) for _ in range(100)]
    assert struck == [bool(alone.request("create").faults) for _ in range(100)]


def test_the_same_seed_gives_the_same_faults_and_another_gives_others() -> None:
    fault = Fault(kind=Kind.REFUSE, share=0.5)
    runs = [_hits(_plan(fault, seed=seed), "create", 60) for seed in (4, 4, 5)]
    assert runs[0] == runs[1] != runs[2]


def test_a_fault_strikes_only_within_its_time() -> None:
    now = Instant(0)
    plan = Plan(Scenario(faults=(Fault(kind=Kind.HTML, after_s=10, until_s=20),)), lambda: now)
    seen = []
    for second in range(30):
        now = Instant(second * SECOND)
        seen += [second] if plan.request("create").instead else []
    assert seen == list(range(10, 20))


def test_kinds_strike_requests_frames_or_the_exchange() -> None:
    assert not ON_REQUESTS & ON_FRAMES
    rng = random.Random(1)  # noqa: S311 - any order will do
    for kind in rng.sample(sorted(ON_FRAMES), len(ON_FRAMES)):
        plan = _plan(Fault(kind=kind, seconds=1))
        assert plan.frame(rng.choice(FRAMES)) == (kind, 1.0)
        assert plan.request("create").faults == ()
