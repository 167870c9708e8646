"""Safeguards: halt, breakers, cooldowns and canary refuse by name, through the same gate as the twelve."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.money import Quantity
from shared.risk.canary import Canary
from shared.risk.controls import CONTROLS, SAFEGUARDS
from shared.risk.gate import Gate, Verdict
from shared.risk.safeguards import Safeguards
from tests.risk.test_gate import ORDER, VIEW
from tests.support.limits import LIMITS

QUIET = Safeguards(halted="", generation="v1/0", clean_fills_needed=3)
PROVED = Canary("v1/0", 3)


def judged(safeguards: Safeguards, canary: Canary = PROVED, lots: int = 10_000) -> Verdict:
    order = replace(ORDER, quantity=Quantity(lots))
    return Gate(LIMITS, CONTROLS + SAFEGUARDS).judge(order, safeguards.over(VIEW, canary))


def test_when_nothing_stands_in_the_way_all_fifteen_pass() -> None:
    assert len(judged(QUIET).passed) == 15


@pytest.mark.parametrize(
    ("safeguards", "reason"),
    [
        (replace(QUIET, halted="ann: news"), "halt: ann: news"),
        (replace(QUIET, open_breakers=("a is open", "b is open")), "breaker: a is open; b is open"),
        (replace(QUIET, cooling=("market T rests",)), "cooldown: market T rests"),
    ],
)
def test_each_refuses_by_its_own_name(safeguards: Safeguards, reason: str) -> None:
    assert judged(safeguards).reasons == (reason,)


def test_an_unproved_generation_may_buy_one_contract_and_is_told_how_far_it_is() -> None:
    assert judged(QUIET, Canary("v1/0", 1), lots=100).approved
    (reason,) = judged(QUIET, Canary("v1/0", 1)).reasons
    assert reason == "canary: contracts 100.00, only 1.00 while v1/0 has 1 of 3 clean fills"


def test_a_probe_is_one_contract_however_much_was_proved() -> None:
    probing = replace(QUIET, probing=("orders",))
    assert judged(probing, lots=100).approved
    assert judged(probing).reasons == ("canary: contracts 100.00, only 1.00 while orders is probed",)


def test_a_halt_that_the_account_knows_of_stays() -> None:
    assert QUIET.over(replace(VIEW, halted="breaker: 5 losses"), PROVED).halted == "breaker: 5 losses"
