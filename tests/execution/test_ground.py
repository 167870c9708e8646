"""What was weighed last of every side, for signals that come after it."""

from __future__ import annotations

from shared.clock import MINUTE, SECOND, Instant
from shared.execution.watch import Ground
from shared.terms import Side
from tests.execution.conftest import SCHEDULE, START, assessed, signal


def weighed(*seconds: int, **changes: object) -> Ground:
    ground = Ground()
    for after in seconds:
        ground.weighed(assessed(observed_at=Instant(START + after * SECOND), **changes))
    return ground


def test_a_signal_raised_before_its_side_was_refused_has_lost_its_ground() -> None:
    reason = weighed(1).gone(signal(), SCHEDULE)
    assert reason == "withdrawn: weighed again since, thin_edge: net 1.00c, needs 5c"


def test_one_raised_at_the_same_moment_or_later_has_not() -> None:
    assert weighed(0).gone(signal(), SCHEDULE) == ""
    assert weighed(-1).gone(signal(), SCHEDULE) == ""


def test_the_other_side_says_nothing_about_it() -> None:
    assert weighed(1, side=Side.NO).gone(signal(), SCHEDULE) == ""


def test_of_assessments_in_any_order_the_newest_counts() -> None:
    ground = weighed(1)
    ground.weighed(assessed(observed_at=Instant(START + 3 * SECOND), accepted=True, reasons=()))
    ground.weighed(assessed(observed_at=Instant(START + 2 * SECOND)))
    assert ground.gone(signal(), SCHEDULE) == ""


def test_what_is_older_than_any_signal_is_let_go() -> None:
    ground = weighed(1)
    later = Instant(START + 11 * MINUTE)
    ground.weighed(assessed(ticker="ANOTHER", observed_at=later))
    assert ground.gone(signal(), SCHEDULE) == ""
    assert ground.gone(signal(ticker="ANOTHER"), SCHEDULE).startswith("withdrawn")
