"""Cooldowns: what rests, until when, and that a full memory rests everything rather than nothing."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.clock import MINUTE, SECOND, Instant
from shared.risk.cooldown import Cooldown, Cooldowns, Key, Scope, market, opportunity, side
from shared.terms import Side

NOW = Instant(1_790_000_000 * SECOND)
UNTIL = Instant(NOW + MINUTE)


def resting(key: Key) -> Cooldowns:
    made = Cooldowns()
    made.start(key, UNTIL, "an order of unknown outcome", NOW)
    return made


def test_a_market_rests_on_both_sides() -> None:
    made = resting(market("T-1"))
    for bought in Side:
        assert made.refusals("T-1", bought, "", NOW) == (
            "market T-1 rests until 2026-09-21T14:14:20Z: an order of unknown outcome",
        )
    assert made.refusals("T-2", Side.YES, "", NOW) == ()


def test_a_side_rests_alone() -> None:
    made = resting(side("T-1", Side.NO))
    assert made.refusals("T-1", Side.YES, "", NOW) == ()
    assert len(made.refusals("T-1", Side.NO, "", NOW)) == 1


def test_an_opportunity_rests_in_whatever_market_it_is_met() -> None:
    made = resting(opportunity("o-1"))
    assert len(made.refusals("T-1", Side.YES, "o-1", NOW)) == 1
    assert made.refusals("T-1", Side.YES, "o-2", NOW) == ()


def test_every_reason_is_given() -> None:
    made = resting(market("T-1"))
    made.start(side("T-1", Side.YES), UNTIL, "slipped", NOW)
    assert len(made.refusals("T-1", Side.YES, "", NOW)) == 2


def test_it_is_over_at_its_end_and_not_before() -> None:
    made = resting(market("T-1"))
    assert made.refusals("T-1", Side.YES, "", Instant(UNTIL - 1))
    assert not made.refusals("T-1", Side.YES, "", UNTIL)


def test_a_shorter_one_does_not_cut_a_longer_one_short() -> None:
    made = resting(market("T-1"))
    made.start(market("T-1"), Instant(NOW + SECOND), "again", NOW)
    assert made.refusals("T-1", Side.YES, "", Instant(NOW + 30 * SECOND))


def test_one_that_is_over_before_it_begins_is_not_kept() -> None:
    made = Cooldowns()
    made.start(market("T-1"), NOW, "late news", NOW)
    assert len(made) == 0


def test_what_has_ended_makes_room() -> None:
    made = Cooldowns(capacity=1)
    made.start(market("T-1"), UNTIL, "first", NOW)
    made.start(market("T-2"), Instant(UNTIL + MINUTE), "second", UNTIL)
    assert [one.subject for one in made.running(UNTIL)] == ["T-2"]


def test_when_memory_is_full_everything_rests_until_what_found_no_room_would_have_ended() -> None:
    made = Cooldowns(capacity=1)
    made.start(market("T-1"), UNTIL, "first", NOW)
    made.start(market("T-2"), Instant(NOW + SECOND), "second", NOW)
    (reason,) = made.refusals("T-3", Side.YES, "", NOW)
    assert reason.startswith("more than 1 cooldowns run, so everything rests; market T-2 rests until")
    assert made.refusals("T-3", Side.YES, "", Instant(NOW + SECOND)) == ()


def test_what_runs_is_listed_with_what_ends_first_first() -> None:
    made = resting(market("T-1"))
    made.start(opportunity("o-1"), Instant(NOW + SECOND), "soon", NOW)
    assert made.running(NOW) == (
        Cooldown(Scope.OPPORTUNITY, "o-1", Instant(NOW + SECOND), "soon"),
        Cooldown(Scope.MARKET, "T-1", UNTIL, "an order of unknown outcome"),
    )


TICKERS = tuple(f"T-{number}" for number in range(4))
KEYS = tuple(
    key
    for ticker in TICKERS
    for key in (market(ticker), side(ticker, Side.YES), side(ticker, Side.NO), opportunity(ticker))
)


class CooldownMachine(RuleBasedStateMachine):
    """Beside a list that forgets nothing: what must rest rests, and memory stays small."""

    def __init__(self) -> None:
        super().__init__()
        self.cooldowns, self.now = Cooldowns(capacity=5), NOW
        self.all: list[tuple[Key, Instant]] = []
        self.is_full = False

    @rule(key=st.sampled_from(KEYS), seconds=st.integers(-5, 100))
    def start(self, key: Key, seconds: int) -> None:
        until = Instant(self.now + seconds * SECOND)
        self.cooldowns.start(key, until, "why", self.now)
        self.all.append((key, until))
        self.is_full = self.is_full or len({key for key, until in self.all if until > self.now}) > 5

    @rule(seconds=st.integers(0, 60))
    def the_clock_moves(self, seconds: int) -> None:
        self.now = Instant(self.now + seconds * SECOND)

    @invariant()
    def what_must_rest_rests(self) -> None:
        for ticker in TICKERS:
            for bought in Side:
                keys = {market(ticker), side(ticker, bought), opportunity(ticker)}
                due = {key for key, until in self.all if key in keys and until > self.now}
                found = self.cooldowns.refusals(ticker, bought, ticker, self.now)
                assert bool(found) >= bool(due)
                if not self.is_full:
                    assert len(found) == len(due)

    @invariant()
    def memory_stays_bounded(self) -> None:
        assert len(self.cooldowns) <= 5


TestCooldowns = CooldownMachine.TestCase
TestCooldowns.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
