"""Credits: what calls cost, and that a plan and a ledger never overspend."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.clock import DAY, HOUR, Instant, parse_instant
from shared.venues.odds_api.credits import (
    Ledger,
    OddsRequest,
    day_allowance,
    odds_cost,
    plan,
    poll_interval_s,
    region_count,
    scores_cost,
)

NOW = Instant(1_789_000_000_000_000)


def _at(text: str) -> Instant:
    instant = parse_instant(text)
    assert instant is not None
    return instant


def test_a_page_costs_markets_times_regions() -> None:
    assert odds_cost(["h2h", "spreads", "totals"], ["us", "eu"]) == 6
    assert odds_cost(["h2h"], ["us"], historical=True) == 10


@pytest.mark.parametrize(("books", "regions"), [(1, 1), (10, 1), (11, 2), (20, 2), (21, 3)])
def test_each_started_ten_bookmakers_count_as_a_region(books: int, regions: int) -> None:
    assert region_count(["us", "eu", "uk"], [f"book{n}" for n in range(books)]) == regions


def test_a_repeated_market_is_charged_once() -> None:
    assert odds_cost(["h2h", "h2h"], ["us", "us"]) == 1


def test_scores_of_past_days_cost_more() -> None:
    assert (scores_cost(None), scores_cost(3)) == (1, 2)


@pytest.mark.parametrize(
    ("now", "remaining", "spent", "allowed"),
    [
        ("2026-11-01T00:00:00Z", 300, 0, 10),
        ("2026-11-01T12:00:00Z", 290, 10, 0),
        ("2026-11-30T23:00:00Z", 50, 0, 50),
        ("2026-12-31T10:00:00Z", 50, 5, 50),
        ("2026-11-15T00:00:00Z", 0, 0, 0),
    ],
)
def test_a_month_is_spent_evenly_by_the_day(now: str, remaining: int, spent: int, allowed: int) -> None:
    assert day_allowance(remaining, spent, _at(now)) == allowed


def _request(hours: float, markets: int = 1, sport: str = "baseball_mlb") -> OddsRequest:
    return OddsRequest(
        sport_key=sport,
        markets=tuple(f"m{n}" for n in range(markets)),
        starts_at=Instant(NOW + int(hours * HOUR)),
        regions=("us",),
    )


def test_the_nearest_start_is_asked_for_first() -> None:
    late, soon = _request(5), _request(1)
    assert plan([late, soon], 1, NOW) == [soon]


def test_a_game_that_has_begun_is_not_asked_for() -> None:
    assert plan([_request(-1), _request(0)], 10, NOW) == []


def test_a_dear_call_does_not_block_a_cheap_one() -> None:
    assert plan([_request(1, markets=5), _request(2)], 3, NOW) == [_request(2)]


@given(
    st.lists(st.tuples(st.floats(-5, 48), st.integers(1, 12)), max_size=30),
    st.integers(0, 60),
)
def test_a_plan_never_costs_more_than_its_budget(games: list[tuple[float, int]], budget: int) -> None:
    chosen = plan([_request(hours, markets) for hours, markets in games], budget, NOW)
    assert sum(request.cost for request in chosen) <= budget
    assert [r.starts_at for r in chosen] == sorted(r.starts_at for r in chosen)


def test_an_answer_is_worth_less_the_nearer_the_start() -> None:
    waits = [poll_interval_s(Instant(NOW + left), NOW) for left in (HOUR // 2, 3 * HOUR, DAY)]
    assert waits == sorted(waits)


class LedgerMachine(RuleBasedStateMachine):
    """Concurrent calls whose answers come back in any order, some without the feed's figures."""

    def __init__(self) -> None:
        super().__init__()
        self.feed = 40
        self.ledger = Ledger(40)
        self.flying: list[tuple[int, int, int | None]] = []

    @rule(cost=st.integers(0, 12), lost=st.booleans(), cheaper=st.integers(0, 12))
    def call(self, cost: int, lost: bool, cheaper: int) -> None:
        if cost > self.ledger.available:
            return
        since = self.ledger.settled
        self.ledger = self.ledger.reserve(cost)
        self.feed -= min(cost, cheaper)
        self.flying.append((cost, since, None if lost else self.feed))

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        cost, since, stated = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
        self.ledger = self.ledger.settle(cost, stated, since)

    @precondition(lambda self: not self.flying)
    @rule()
    def credits_are_renewed(self) -> None:
        self.feed = 40
        self.ledger = self.ledger.reserve(0).settle(0, self.feed, self.ledger.settled)
        assert self.ledger.available == 40

    @invariant()
    def the_feed_is_never_overdrawn(self) -> None:
        assert self.feed >= 0
        unsettled = sum(cost for cost, _, _ in self.flying)
        assert self.ledger.available + unsettled <= self.feed + unsettled


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
