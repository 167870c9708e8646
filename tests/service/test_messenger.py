"""Telling people from a process that lives only while it is called."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from shared.clock import HOUR, SECOND, Instant, ManualClock
from shared.errors import RefusedError, RetryLaterError, VenueDownError
from shared.messages import AlertRaised, seal
from shared.service.messenger import Messenger
from shared.service.sieve import Notice
from tests.support.backends import tick


@dataclass
class Line:
    """A channel that can be down, and keeps what it took."""

    name: str
    error: Exception | None = None
    told: list[Notice] = field(default_factory=list)

    async def send(self, notice: Notice) -> None:
        if self.error is not None:
            raise self.error
        self.told.append(notice)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(Instant(1_790_000_000_000_000))


def alert(clock: ManualClock, subject: str = "x", text: str = "look: token=abcdefgh") -> AlertRaised:
    return seal(
        AlertRaised(
            observed_at=clock.now(), source="mapping", code="unknown_series", subject=subject, text=text
        )
    )


def messenger(clock: ManualClock, *lines: Line) -> Messenger:
    return Messenger(lines, clock, lambda text: text.replace("abcdefgh", "***"))


async def test_every_channel_is_told_without_secrets_before_the_call_ends(clock: ManualClock) -> None:
    one, two = Line("one"), Line("two")
    await messenger(clock, one, two).handle(alert(clock))
    [first], [second] = one.told, two.told
    assert first.text == second.text
    assert "token=***" in first.text


async def test_a_repeat_within_the_hour_is_held_back(clock: ManualClock) -> None:
    line = Line("one")
    made = messenger(clock, line)
    await made.handle(alert(clock))
    await clock.advance(60)
    await made.handle(alert(clock))
    assert len(line.told) == 1
    await clock.advance(HOUR / SECOND)
    await made.handle(alert(clock))
    assert len(line.told) == 2


async def test_a_channel_that_is_down_is_told_when_the_alert_comes_again_and_the_others_are_not(
    clock: ManualClock,
) -> None:
    well, down = Line("well"), Line("down", VenueDownError("no answer"))
    made, sent = messenger(clock, well, down), alert(clock)
    with pytest.raises(RetryLaterError, match="down: no answer"):
        await made.handle(sent)
    down.error = None
    await made.handle(sent)
    assert (len(well.told), len(down.told)) == (1, 1)


async def test_a_text_that_a_channel_refuses_is_given_up(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    await messenger(clock, Line("one", RefusedError("too long"))).handle(alert(clock))
    assert "given up: too long" in caplog.text


async def test_another_alert_carries_what_is_still_owed(clock: ManualClock) -> None:
    line = Line("one", VenueDownError("no answer"))
    made = messenger(clock, line)
    with pytest.raises(RetryLaterError):
        await made.handle(alert(clock, "a"))
    line.error = None
    await made.handle(alert(clock, "b"))
    assert len(line.told) == 2


async def test_without_a_channel_the_log_says_what_nobody_was_told(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    await messenger(clock).handle(alert(clock))
    assert "no channel is set" in caplog.text
    assert "abcdefgh" not in caplog.text


async def test_other_messages_are_nothing_to_it(clock: ManualClock) -> None:
    line = Line("one")
    await messenger(clock, line).handle(tick(1))
    assert line.told == []
