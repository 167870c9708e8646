"""Alerts: told once, floods as one line, through an outage in order, never in the way of trading."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import HOUR, MINUTE, SECOND, Instant, ManualClock
from shared.errors import RefusedError, VenueDownError
from shared.messages import AlertRaised
from shared.service.alerts import Alerter
from shared.service.redact import Redactor
from shared.service.sieve import Notice, Severity, Sieve, SieveLimits, severity_of
from shared.terms import OrderStatus
from tests.service.messages import START, alert, order


def later(microseconds: int) -> Instant:
    return Instant(START + microseconds)


# --- which alerts pass --------------------------------------------------------------------------------------


def test_the_same_alert_is_told_once_an_hour() -> None:
    sieve = Sieve()
    assert sieve.take(alert(), START) is not None
    assert sieve.take(alert(at=later(MINUTE)), later(MINUTE)) is None
    assert sieve.take(alert(at=later(HOUR)), later(HOUR)) is not None


def test_another_subject_is_another_alert() -> None:
    sieve = Sieve()
    assert sieve.take(alert(subject="KXA"), START) is not None
    assert sieve.take(alert(subject="KXB"), START) is not None


def test_a_flood_of_one_kind_becomes_one_line_that_says_how_many() -> None:
    sieve = Sieve()
    passed = [one for n in range(100) if (one := sieve.take(alert(subject=f"KX{n}"), START))]
    assert len(passed) == 5
    assert sieve.due(later(9 * MINUTE)) == []
    [digest] = sieve.due(later(10 * MINUTE))
    assert "95 more of unknown_series were held back; the last: unknown_series KX99" in digest.text
    assert sieve.due(later(20 * MINUTE)) == []


def test_a_flood_of_one_kind_does_not_hold_back_another() -> None:
    sieve = Sieve()
    for n in range(100):
        sieve.take(alert(subject=f"KX{n}"), START)
    assert sieve.take(alert("halted", "now"), START) is not None


def test_after_the_window_the_kind_may_speak_again() -> None:
    sieve = Sieve()
    for n in range(100):
        sieve.take(alert(subject=f"KX{n}"), START)
    sieve.due(later(10 * MINUTE))
    assert sieve.take(alert(subject="KX-NEW"), later(10 * MINUTE)) is not None


def test_a_clock_that_was_set_back_silences_nothing() -> None:
    sieve = Sieve()
    sieve.take(alert(), later(10 * HOUR))
    assert sieve.take(alert(), START) is not None


def test_what_stops_trading_is_critical_and_the_unheard_of_is_a_warning() -> None:
    assert (
        severity_of("halted") is severity_of("unknown_outcome") is severity_of("tripped") is Severity.CRITICAL
    )
    assert severity_of("never heard of") is Severity.WARNING


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.integers(0, 5 * MINUTE)), max_size=80)
)
def test_every_alert_is_told_repeated_or_counted_in_a_digest(steps: list[tuple[str, int, int]]) -> None:
    sieve = Sieve(SieveLimits(repeat_after=1 << 62))
    now, told, distinct, digested = START, 0, set(), 0
    for code, subject, wait in steps:
        now = Instant(now + wait)
        digested += sum(int(one.text.split(" ")[1]) for one in sieve.due(now))
        told += sieve.take(alert(code, str(subject), now), now) is not None
        distinct.add((code, subject))
    digested += sum(int(one.text.split(" ")[1]) for one in sieve.due(Instant(now + HOUR)))
    assert told + digested == len(distinct)


def test_its_memory_is_bounded() -> None:
    sieve = Sieve(SieveLimits(burst=10**9, remembered=10))
    for n in range(1_000):
        sieve.take(alert(subject=str(n)), START)
    assert sieve.take(alert(subject="0"), START) is not None
    assert sieve.take(alert(subject="999"), START) is None


# --- how they travel ----------------------------------------------------------------------------------------


@dataclass
class Wire:
    """A channel that can be cut."""

    name: str = "wire"
    down: bool = False
    hangs: bool = False
    fault: Exception = field(default_factory=lambda: VenueDownError("cut"))
    heard: list[Notice] = field(default_factory=list)
    tries: int = 0

    async def send(self, notice: Notice) -> None:
        self.tries += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.down:
            raise self.fault
        self.heard.append(notice)


@asynccontextmanager
async def alerting(
    *wires: Wire, capacity: int = 200, redact: Callable[[str], str] = str
) -> AsyncIterator[tuple[Alerter, ManualClock]]:
    clock = ManualClock(START)
    made = Alerter(wires, clock, lambda: 0.0, redact, Sieve(SieveLimits(burst=1_000)), capacity)
    task = asyncio.create_task(made.run())
    await clock.advance(0)
    yield made, clock
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def pass_time(clock: ManualClock, seconds: float, steps: int = 20) -> None:
    """Virtual time in small steps, so that everything due happens in order."""
    for _ in range(steps):
        await clock.advance(seconds / steps)
        for _ in range(5):
            await asyncio.sleep(0)


async def test_an_alert_reaches_every_channel() -> None:
    one, two = Wire(), Wire("other")
    async with alerting(one, two) as (alerter, clock):
        await alerter.hear(alert("halted", "now", text="stopped by ann"))
        await pass_time(clock, 1)
    for wire in (one, two):
        [notice] = wire.heard
        assert (notice.severity, notice.text) == (Severity.CRITICAL, "mapping: stopped by ann")


async def test_other_messages_are_none_of_its_business() -> None:
    wire = Wire()
    async with alerting(wire) as (alerter, clock):
        await alerter.hear(order(OrderStatus.UNKNOWN))
        await pass_time(clock, 1)
    assert wire.heard == []


async def test_through_an_outage_alerts_wait_and_then_come_in_order() -> None:
    wire = Wire(down=True)
    async with alerting(wire) as (alerter, clock):
        for n in range(5):
            alerter.take(alert(subject=str(n)))
        await pass_time(clock, 600)
        assert (wire.heard, alerter.lines[0].failures) == ([], wire.tries)
        wire.down = False
        await pass_time(clock, 600)
    assert [notice.text[-1] for notice in wire.heard] == ["0", "1", "2", "3", "4"]


async def test_tries_grow_rarer_during_an_outage() -> None:
    wire = Wire(down=True)
    async with alerting(wire) as (alerter, clock):
        alerter.take(alert())
        await pass_time(clock, 3_600, steps=7_200)
    # 1, 2, 4 … 256 s and then every five minutes, halved by the jitter.
    assert 20 <= wire.tries <= 40


async def test_a_long_outage_drops_the_oldest_and_says_how_many() -> None:
    wire = Wire(down=True)
    async with alerting(wire, capacity=3) as (alerter, clock):
        for n in range(10):
            alerter.take(alert(subject=str(n)))
        await pass_time(clock, 1)
        wire.down = False
        await pass_time(clock, 600)
        assert alerter.lines[0].dropped == 7
    texts = [notice.text for notice in wire.heard]
    assert texts[0].endswith("unknown_series 7 (7 earlier alerts were dropped)")
    assert [text[-1] for text in texts[1:]] == ["8", "9"]


async def test_a_dead_channel_does_not_delay_another_nor_whoever_raises() -> None:
    dead, good = Wire("dead", hangs=True), Wire("good")
    async with alerting(dead, good) as (alerter, clock):
        for n in range(100):
            await asyncio.wait_for(alerter.hear(alert(subject=str(n))), 1)
        await pass_time(clock, 1, steps=50)
    assert (len(good.heard), dead.tries) == (100, 1)


async def test_a_notice_that_is_refused_for_good_makes_room_for_the_next() -> None:
    wire = Wire(down=True, fault=RefusedError("bad text"))
    async with alerting(wire) as (alerter, clock):
        alerter.take(alert(subject="poison"))
        await pass_time(clock, 1)
        wire.down = False
        alerter.take(alert(subject="next"))
        await pass_time(clock, 1)
    assert [notice.text for notice in wire.heard] == ["mapping: unknown_series next"]


async def test_a_channel_with_a_bug_is_a_failed_try(caplog: pytest.LogCaptureFixture) -> None:
    wire = Wire(down=True, fault=ZeroDivisionError("oops"))
    async with alerting(wire) as (alerter, clock):
        alerter.take(alert())
        await pass_time(clock, 1)
        wire.down = False
        await pass_time(clock, 60)
    assert len(wire.heard) == 1
    assert "wire: oops; 1 alerts wait" in caplog.text


async def test_no_secret_reaches_a_channel_or_the_log(caplog: pytest.LogCaptureFixture) -> None:
    wire = Wire()
    async with alerting(wire, redact=Redactor(["s3cr3t-value"])) as (alerter, clock):
        alerter.take(alert(text="GET /odds?apiKey=abc123 and s3cr3t-value"))
        await pass_time(clock, 1)
    assert wire.heard[0].text == "mapping: GET /odds?apiKey=*** and ***"
    assert "s3cr3t-value" not in caplog.text
    assert "abc123" not in caplog.text


async def test_a_digest_is_told_without_another_alert() -> None:
    wire, clock = Wire(), ManualClock(START)
    alerter = Alerter([wire], clock, lambda: 0.0, Redactor(), Sieve(SieveLimits(burst=1)))
    task = asyncio.create_task(alerter.run())
    await clock.advance(0)
    for n in range(3):
        alerter.take(alert(subject=str(n)))
    await pass_time(clock, 11 * MINUTE / SECOND, steps=50)
    task.cancel()
    assert [notice.text for notice in wire.heard][1:] == [
        "mapping: 2 more of unknown_series were held back; the last: unknown_series 2"
    ]


async def test_everything_raised_is_counted_held_back_or_not() -> None:
    async with alerting() as (alerter, _):
        for _ in range(3):
            alerter.take(alert())
        assert alerter.raised == {"unknown_series": 3}


async def test_flushed_waits_for_the_last_delivery() -> None:
    wire = Wire()
    async with alerting(wire) as (alerter, _):
        raised: AlertRaised = alert()
        alerter.take(raised)
        await asyncio.wait_for(alerter.flushed(), 5)
        assert len(wire.heard) == 1
