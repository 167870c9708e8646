"""Bills: each line by hand, what is free, and what grows with what."""

from __future__ import annotations

import pytest

from shared.analytics.cost import (
    GIB,
    MINUTES,
    SECONDS,
    Assumptions,
    Bill,
    Cycle,
    Deployment,
    Model,
    Prices,
    savings,
    scaled,
)
from shared.errors import MalformedError

DEPLOYMENT = Deployment(
    pushed={"kalshi-markets": ("mapper", "detector")},
    calls_a_minute={"scraper": 1.0, "settler": 0.5},
    memory_gib=0.5,
    secrets=3,
)
CYCLE = Cycle(
    pace_s=60.0,
    messages={"kalshi-markets": 1_000, "kalshi-ticks": 400},
    bytes={"kalshi-markets": 2_000_000, "kalshi-ticks": 40_000},
    cpu_ms={"scraper": 200.0, "mapper": 1_000.0, "detector": 500.0},
    venue_requests={"scraper": 20},
    document_reads={"odds_scraper": 100},
    document_writes={"odds_scraper": 1},
    objects=2,
    object_bytes=100_000,
)
MODEL = Model(DEPLOYMENT, framework_ms=2.0)


def line(bill: Bill, name: str) -> float:
    [found] = [item.usd for item in bill.items if item.name == name]
    return found


def bill(cycle: Cycle = CYCLE, model: Model = MODEL) -> Bill:
    return model.functions("one minute", cycle)


def test_the_total_is_the_sum_of_its_lines() -> None:
    assert bill().usd == pytest.approx(sum(item.usd for item in bill().items))


def test_an_instance_that_is_always_on_is_billed_for_every_second_beyond_the_free_ones() -> None:
    processor = (SECONDS - 240_000) * 0.000018
    memory = SECONDS * 0.5 * 0.000002
    assert line(bill(), "always on") == pytest.approx(processor + memory)


def test_a_worker_beside_the_executor_has_no_free_seconds_left() -> None:
    alone, both = MODEL.one_worker("", CYCLE, beside=False), MODEL.one_worker("", CYCLE)
    more = SECONDS * (0.000018 + 0.5 * 0.000002)
    assert line(both, "always on") - line(alone, "always on") == pytest.approx(more)


def test_functions_are_busy_while_they_wait_and_while_they_work() -> None:
    scraper = 20 / 4 * 0.1 + 0.2 * 1.5
    mapper = (1_000 * 2.0 + 1_000) / 1_000 * 1.5
    detector = (1_000 * 2.0 + 500) / 1_000 * 1.5
    busy = MINUTES * (scraper + 0.5 * 1.0 + mapper + detector)
    assert line(bill(), "functions: time") == pytest.approx(
        (busy - 180_000) * 0.000024 + max(0.0, busy * 0.5 - 360_000) * 0.0000025
    )


def test_a_burst_keeps_an_instance_busy_at_least_while_it_arrives() -> None:
    few = Cycle(pace_s=60.0, messages={"kalshi-markets": 1}, bytes={"kalshi-markets": 2_000})
    busy = MINUTES * (1.0 + 0.5 + 3.0 + 3.0)
    assert line(bill(few), "functions: time") == pytest.approx((busy - 180_000) * 0.000024)


def test_nothing_pushed_is_no_burst() -> None:
    none = Cycle(pace_s=60.0, messages={}, bytes={})
    assert line(bill(none), "functions: time") == 0.0


def test_every_push_is_a_call() -> None:
    calls = MINUTES * (1.5 + 2 * 1_000)
    assert line(bill(), "functions: calls") == pytest.approx((calls - 2_000_000) / 1e6 * 0.40)


def test_what_is_published_is_paid_again_for_everyone_it_is_pushed_to() -> None:
    published, pushed = 2_040_000 * MINUTES, 2 * 2_000_000 * MINUTES
    assert line(bill(), "Pub/Sub") == pytest.approx((published + pushed - 10 * GIB) / 2**40 * 40)


def test_a_small_message_is_pushed_as_a_kilobyte() -> None:
    small = Cycle(pace_s=60.0, messages={"kalshi-markets": 100_000}, bytes={"kalshi-markets": 10_000_000})
    expected = (10_000_000 + 2 * 100_000_000) * MINUTES - 10 * GIB
    assert line(bill(small), "Pub/Sub") == pytest.approx(expected / 2**40 * 40)


def test_in_one_process_nothing_is_pushed_and_its_own_turns_are_no_calls() -> None:
    found = MODEL.one_worker("", CYCLE)
    assert line(found, "functions: calls") == 0.0
    assert line(found, "functions: time") == 0.0  # half a call a minute of one second is free
    assert line(found, "Pub/Sub") < line(bill(), "Pub/Sub")


def test_documents_within_the_days_free_ones_cost_nothing() -> None:
    free = Assumptions(executor_reads_minute=0, executor_writes_minute=0, documents_a_call=0)
    quiet = Cycle(pace_s=60.0, messages={}, bytes={}, document_reads={"a": 30})
    busy = Cycle(pace_s=60.0, messages={}, bytes={}, document_reads={"a": 50})
    model = Model(DEPLOYMENT, 2.0, assumed=free)
    assert line(bill(quiet, model), "Firestore") == 0.0
    assert line(bill(busy, model), "Firestore") == pytest.approx((50 * 1_440 - 50_000) / 1e5 * 0.06 * 30)


def test_three_jobs_are_free() -> None:
    few, many = MODEL, Model(Deployment({}, dict.fromkeys("abcde", 1.0), 0.5, 3), 2.0)
    assert line(bill(model=many), "scheduler, secrets, registry") - line(
        bill(model=few), "scheduler, secrets, registry"
    ) == pytest.approx(0.2)


def test_prices_are_a_matter_of_the_day() -> None:
    dearer = Model(DEPLOYMENT, 2.0, prices=Prices(address_hour=1.005))
    assert line(bill(model=dearer), "static address") - line(bill(), "static address") == pytest.approx(720.0)


def test_twice_the_markets_are_twice_the_messages_but_the_same_requests() -> None:
    double = scaled(CYCLE, 2.0)
    assert double.messages["kalshi-markets"] == 2_000
    assert double.bytes["kalshi-ticks"] == 80_000
    assert double.venue_requests == CYCLE.venue_requests
    assert bill(double).usd > bill().usd


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan")])
def test_no_markets_are_not_reckoned_with(factor: float) -> None:
    with pytest.raises(MalformedError, match="makes no sense"):
        scaled(CYCLE, factor)


def test_every_saving_saves() -> None:
    ways = savings(MODEL, CYCLE)
    assert all(way.usd < bill().usd for way in ways)
    assert min(way.usd for way in ways) == ways[-1].usd


def test_a_cycle_in_which_everything_moved_has_nothing_to_leave_out() -> None:
    moved = Cycle(pace_s=60.0, messages={"kalshi-markets": 5, "kalshi-ticks": 5}, bytes={"kalshi-markets": 9})
    assert savings(MODEL, moved)[0].usd == pytest.approx(bill(moved).usd)
