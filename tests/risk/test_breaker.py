"""The breaker: what opens it, what may close it, and that time alone never does when money was the cause."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.clock import DAY, SECOND, Instant
from shared.errors import MalformedError
from shared.risk.breaker import TRANSIENT, Breaker, BreakerPolicy, Cause, Person, State, Transition

NOW = Instant(1_790_000_000 * SECOND)
POLICY = BreakerPolicy(cooldown_s=30, max_cooldown_s=100, probes_to_close=2, probe_timeout_s=60)
FOR_CAUSE = sorted(set(Cause) - TRANSIENT)
ANN = Person("ann")


def tripped(cause: Cause = Cause.FAILURES, now: Instant = NOW) -> Breaker:
    return Breaker("orders").trip(cause, "why", "executor", now, POLICY)[0]


def half_open(order_id: str = "probe-1") -> Breaker:
    return tripped().claim(order_id, after(30), POLICY)[0]


def after(seconds: float) -> Instant:
    return Instant(NOW + int(seconds * SECOND))


def test_a_new_breaker_lets_every_order_through() -> None:
    assert Breaker("orders").refusal("any", NOW) is None


def test_a_trip_is_a_record_with_reason_and_actor() -> None:
    _, transition = Breaker("orders").trip(Cause.LATENCY, "slow", "executor", NOW, POLICY)
    assert transition == Transition(
        "orders", State.CLOSED, State.OPEN, (Cause.LATENCY,), "slow", "executor", NOW
    )


def test_an_open_breaker_says_who_opened_it_and_why() -> None:
    assert tripped().refusal("any", NOW) == "orders is open: executor: why"


@pytest.mark.parametrize("cause", FOR_CAUSE)
def test_what_was_tripped_for_cause_waits_for_a_person_for_ever(cause: Cause) -> None:
    breaker = tripped(cause)
    much_later = Instant(NOW + 400 * DAY)
    claimed, moved = breaker.claim("probe", much_later, POLICY)
    assert (claimed, moved) == (breaker, None)
    assert "a person must close it" in (breaker.refusal("probe", much_later) or "")


@pytest.mark.parametrize("cause", sorted(TRANSIENT))
def test_a_transient_fault_lets_one_probe_through_after_the_cool_down(cause: Cause) -> None:
    breaker, moved = tripped(cause).claim("probe", after(30), POLICY)
    assert moved is not None
    assert (moved.before, moved.after, moved.actor) == (State.OPEN, State.HALF_OPEN, "cool-down")
    assert breaker.refusal("probe", after(30)) is None
    assert breaker.refusal("another", after(30)) is not None


def test_no_probe_passes_before_the_cool_down_is_over() -> None:
    breaker, moved = tripped().claim("probe", after(29.999999), POLICY)
    assert moved is None
    assert breaker.refusal("probe", after(29.999999)) is not None


def test_a_second_probe_waits_for_the_first() -> None:
    breaker, moved = half_open().claim("probe-2", after(31), POLICY)
    assert (breaker.probe, moved) == ("probe-1", None)


def test_as_many_good_probes_as_needed_close_it() -> None:
    once, moved = half_open().succeeded("probe-1", after(31), POLICY)
    assert (once.state, moved) == (State.HALF_OPEN, None)
    twice, moved = once.claim("probe-2", after(32), POLICY)[0].succeeded("probe-2", after(33), POLICY)
    assert twice.state is State.CLOSED
    assert moved is not None
    assert moved.actor == "probe"
    assert twice.causes == ()


def test_a_failed_probe_opens_it_for_twice_as_long_up_to_the_longest() -> None:
    breaker, now, waits = half_open(), after(30), []
    for _ in range(4):
        breaker, _ = breaker.failed(breaker.probe, "refused", now, POLICY)
        assert breaker.retry_at is not None
        waits.append((breaker.retry_at - now) // SECOND)
        now = breaker.retry_at
        breaker, _ = breaker.claim("probe", now, POLICY)
    assert waits == [60, 100, 100, 100]


def test_an_order_sent_before_the_trip_says_nothing_about_the_probe() -> None:
    breaker = half_open()
    assert breaker.succeeded("earlier", after(31), POLICY) == (breaker, None)
    assert breaker.failed("earlier", "x", after(31), POLICY) == (breaker, None)


def test_a_probe_that_was_lost_opens_it_again() -> None:
    breaker, moved = half_open().claim("probe-2", after(90), POLICY)
    assert breaker.state is State.OPEN
    assert moved is not None
    assert moved.reason == "probe probe-1 was never heard of again"


def test_a_probe_that_was_never_sent_is_given_back() -> None:
    given_back = half_open().unclaimed("probe-1")
    assert given_back.claim("probe-2", after(31), POLICY)[0].probe == "probe-2"
    assert half_open().unclaimed("another") == half_open()


def test_a_cause_about_money_turns_a_cool_down_into_a_wait_for_a_person() -> None:
    breaker, moved = tripped().trip(Cause.RECONCILIATION, "cash differs", "reconciler", after(1), POLICY)
    assert moved is not None
    assert breaker.causes == (Cause.FAILURES, Cause.RECONCILIATION)
    assert breaker.retry_at is None


def test_the_same_cause_again_is_no_news_and_does_not_prolong_the_wait() -> None:
    assert tripped().trip(Cause.FAILURES, "again", "executor", after(20), POLICY) == (tripped(), None)


def test_a_fault_while_probing_opens_it_again() -> None:
    breaker, moved = half_open().trip(Cause.FAILURES, "again", "executor", after(31), POLICY)
    assert (breaker.state, breaker.probe) == (State.OPEN, "")
    assert moved is not None


def test_a_person_closes_it_with_a_reason() -> None:
    breaker, moved = tripped(Cause.LOSS_LIMIT).close(ANN, "looked at every order", after(9))
    assert breaker.refusal("any", after(9)) is None
    assert moved is not None
    assert (moved.actor, moved.reason) == ("ann", "looked at every order")


def test_closing_what_is_closed_changes_nothing() -> None:
    assert Breaker("orders").close(ANN, "why not", NOW) == (Breaker("orders"), None)


@pytest.mark.parametrize("name", ["", "  "])
def test_a_person_has_a_name(name: str) -> None:
    with pytest.raises(MalformedError, match="name"):
        Person(name)


def test_nothing_moves_without_a_reason_and_an_actor() -> None:
    with pytest.raises(MalformedError):
        Breaker("orders").trip(Cause.FAILURES, "", "executor", NOW, POLICY)
    with pytest.raises(MalformedError):
        tripped().close(ANN, " ", NOW)
    with pytest.raises(MalformedError):
        tripped().claim("", after(30), POLICY)


class BreakerMachine(RuleBasedStateMachine):
    """Whatever happens in whatever order, a breaker keeps its promises and every change has its record."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker, self.now, self.count = Breaker("orders"), NOW, 0
        self.trail: list[Transition] = []
        self.passed = 0
        self.money = False

    def moved(self, step: tuple[Breaker, Transition | None]) -> None:
        before, (self.breaker, transition) = self.breaker.state, step
        assert (transition is None) <= (self.breaker.state is before)
        if transition is None:
            return
        assert (transition.before, transition.after) == (before, self.breaker.state)
        assert transition.reason
        assert transition.actor
        assert transition.at == self.now
        self.trail.append(transition)
        self.passed = 0
        if transition.after is State.OPEN:
            self.money = self.money or not TRANSIENT.issuperset(transition.causes)

    @rule(cause=st.sampled_from(Cause))
    def trip(self, cause: Cause) -> None:
        self.moved(self.breaker.trip(cause, "why", "executor", self.now, POLICY))
        assert self.breaker.state is State.OPEN
        assert cause in self.breaker.causes or cause in TRANSIENT

    @rule()
    def claim(self) -> None:
        self.count += 1
        order_id, before = f"order-{self.count}", self.breaker
        self.moved(self.breaker.claim(order_id, self.now, POLICY))
        if self.breaker.probe == order_id:
            assert before.retry_at is not None
            assert before.state is not State.OPEN or self.now >= before.retry_at
            assert not before.probe

    @precondition(lambda self: self.breaker.probe)
    @rule()
    def probe_succeeds(self) -> None:
        done = self.passed + 1
        self.moved(self.breaker.succeeded(self.breaker.probe, self.now, POLICY))
        self.passed = 0 if self.breaker.state is State.CLOSED else done
        assert (self.breaker.state is State.CLOSED) == (done >= POLICY.probes_to_close)

    @precondition(lambda self: self.breaker.probe)
    @rule()
    def probe_fails(self) -> None:
        self.moved(self.breaker.failed(self.breaker.probe, "refused", self.now, POLICY))
        assert self.breaker.state is State.OPEN

    @rule(order_id=st.sampled_from(("", "order-0", "someone-else")), well=st.booleans())
    def another_order_ends(self, order_id: str, well: bool) -> None:
        step = (
            self.breaker.succeeded(order_id, self.now, POLICY)
            if well
            else self.breaker.failed(order_id, "refused", self.now, POLICY)
        )
        assert step == (self.breaker, None)

    @rule()
    def probe_is_given_back(self) -> None:
        self.breaker = self.breaker.unclaimed(self.breaker.probe)

    @rule()
    def a_person_closes(self) -> None:
        self.moved(self.breaker.close(ANN, "looked", self.now))
        self.money = False

    @rule(seconds=st.sampled_from((-3_600, 1, 29, 30, 61, 100, 86_400, 40 * 86_400)))
    def the_clock_moves(self, seconds: int) -> None:
        before = self.breaker
        self.now = Instant(self.now + seconds * SECOND)
        assert self.breaker == before

    @invariant()
    def money_waits_for_a_person(self) -> None:
        if self.money:
            assert self.breaker.state is State.OPEN
            assert self.breaker.retry_at is None
            assert self.breaker.refusal("any", self.now) is not None

    @invariant()
    def at_most_one_order_passes_unless_closed(self) -> None:
        ids = [f"order-{number}" for number in range(self.count + 1)]
        through = [order_id for order_id in ids if self.breaker.refusal(order_id, self.now) is None]
        if self.breaker.state is State.CLOSED:
            assert through == ids
        else:
            assert through == ([self.breaker.probe] if self.breaker.probe else [])

    @invariant()
    def every_change_follows_the_one_before(self) -> None:
        states = [State.CLOSED, *(one.after for one in self.trail)]
        assert [one.before for one in self.trail] == states[:-1]
        assert self.breaker.state is states[-1]

    @invariant()
    def only_a_person_or_a_probe_closes(self) -> None:
        closed = [one for one in self.trail if one.after is State.CLOSED]
        assert {one.actor for one in closed} <= {"ann", "probe"}
        assert all(TRANSIENT.issuperset(one.causes) for one in closed if one.actor == "probe")

    @invariant()
    def the_wait_is_never_longer_than_the_longest(self) -> None:
        if self.breaker.retry_at is not None:
            assert self.breaker.retry_at - self.breaker.changed_at <= POLICY.max_cooldown_s * SECOND or (
                self.breaker.state is State.HALF_OPEN
            )


TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


def test_a_hundred_failed_probes_overflow_nothing() -> None:
    breaker = replace(half_open(), openings=10_000)
    assert breaker.failed("probe-1", "x", after(31), POLICY)[0].retry_at == after(131)
