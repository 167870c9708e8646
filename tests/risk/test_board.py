"""The board: one breaker an endpoint and one for everything, moved together."""

from __future__ import annotations

import pytest

from shared.clock import SECOND, Instant
from shared.errors import MalformedError
from shared.risk.board import GLOBAL, Board, decode_board, encode_board
from shared.risk.breaker import BreakerPolicy, Cause, Person, State

NOW = Instant(1_790_000_000 * SECOND)
LATER = Instant(NOW + 30 * SECOND)
POLICY = BreakerPolicy(cooldown_s=30, probes_to_close=1)


def board(*names: str, cause: Cause = Cause.FAILURES) -> Board:
    made = Board()
    for name in names:
        made, _ = made.trip(name, cause, "why", "executor", NOW, POLICY)
    return made


def test_an_endpoint_stops_the_orders_that_use_it_and_no_others() -> None:
    made = board("orders")
    assert made.refusals(["orders"], "any", NOW) == ("orders is open: executor: why",)
    assert made.refusals(["quotes"], "any", NOW) == ()


def test_the_global_breaker_stops_every_order() -> None:
    assert board(GLOBAL).refusals([], "any", NOW) == ("global is open: executor: why",)
    assert board(GLOBAL).stopped(["orders"]) == (GLOBAL,)


def test_a_probe_is_claimed_of_every_breaker_in_its_way_or_of_none() -> None:
    made = board("orders", "account")
    made, _ = made.trip("account", Cause.RECONCILIATION, "cash", "reconciler", NOW, POLICY)
    claimed, moved = made.claim(["orders", "account"], "probe", LATER, POLICY)
    assert (claimed, moved) == (made, ())
    claimed, moved = made.claim(["orders"], "probe", LATER, POLICY)
    assert claimed.refusals(["orders"], "probe", LATER) == ()
    assert [one.breaker for one in moved] == ["orders"]


def test_a_lost_probe_opens_its_breaker_even_when_another_one_refuses() -> None:
    made, _ = board("orders", "account").claim(["orders"], "lost", LATER, POLICY)
    much_later = Instant(LATER + 100 * SECOND)
    made, moved = made.claim(["orders", "account"], "probe", much_later, POLICY)
    assert [one.reason for one in moved] == ["probe lost was never heard of again"]
    assert made.of("account").state is State.OPEN


def test_one_answer_ends_the_probe_of_all_it_probed() -> None:
    made, _ = board("orders", GLOBAL).claim(["orders"], "probe", LATER, POLICY)
    well, moved = made.ended("probe", "", LATER, POLICY)
    assert well.stopped(["orders"]) == ()
    assert len(moved) == 2
    ill, _ = made.ended("probe", "timeout", LATER, POLICY)
    assert ill.stopped(["orders"]) == (GLOBAL, "orders")


def test_the_end_of_any_other_order_changes_nothing() -> None:
    made, _ = board("orders").claim(["orders"], "probe", LATER, POLICY)
    assert made.ended("another", "timeout", LATER, POLICY) == (made, ())


def test_every_opening_counts_as_a_trip_and_a_new_cause_alone_does_not() -> None:
    made = board("orders")
    made, _ = made.trip("orders", Cause.LOSS_LIMIT, "lost", "executor", NOW, POLICY)
    assert (made.trips, made.moves) == (1, 2)
    made, _ = made.close("orders", Person("ann"), "looked", NOW)
    made, _ = made.trip("orders", Cause.LATENCY, "slow", "executor", NOW, POLICY)
    assert (made.trips, made.moves) == (2, 4)


def test_a_stored_board_comes_back_as_it_was() -> None:
    made, _ = board("orders", GLOBAL, cause=Cause.UNKNOWN_OUTCOMES).close("orders", Person("ann"), "x", NOW)
    assert decode_board(encode_board(made)) == made


@pytest.mark.parametrize(
    "value",
    [
        {"breakers": {"orders": {"name": "orders", "state": "ajar"}}},
        {"breakers": {"orders": {"name": "quotes"}}},
        {"breakers": [], "trips": 0},
        {"trips": "1"},
        [],
        None,
    ],
)
def test_a_board_that_makes_no_sense_is_an_error_and_never_closed(value: object) -> None:
    with pytest.raises(MalformedError):
        decode_board(value)
