"""What is noticed in a running system, and that it is told once when it begins and once when it passes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shared.clock import MINUTE, SECOND, Instant, ManualClock
from shared.errors import CredentialsError, StorageError
from shared.lease import DocumentLease
from shared.messages import AlertRaised, BreakerMoved, Message, ReconciliationDifference, seal
from shared.runtime.local import LocalSystem
from shared.service.watch import Watcher
from shared.terms import OrderStatus
from shared.venues.kalshi.stream import KalshiStream
from tests.service.messages import START, order, quarantined
from tests.support.rig import parts, system


@dataclass
class Post:
    """A watcher, the clock of its readers, and the alerts it has raised."""

    system: LocalSystem
    clock: ManualClock
    raised: list[AlertRaised] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.watcher = Watcher(self.system, self.clock, self.raised.append)
        self.system.parts.bus.subscribe(AlertRaised.TOPIC, "test", self.hear)

    async def hear(self, message: Message) -> None:
        assert isinstance(message, AlertRaised)
        self.raised.append(message)

    async def codes(self) -> list[str]:
        """Codes raised since the last call."""
        await self.system.parts.bus.drain()
        found, self.raised[:] = [alert.code for alert in self.raised], []
        return found

    async def look(self, after_s: float = 0) -> list[str]:
        await self.clock.advance(after_s)
        await self.watcher.look()
        return await self.codes()


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    made = parts(tmp_path)
    made.clock = ManualClock(START)
    yield Post(system(made), ManualClock(START))
    await made.bus.close()
    await made.warehouse.close()
    await made.documents.close()
    await made.resources.aclose()


async def test_a_quiet_system_raises_nothing(post: Post) -> None:
    assert await post.look() == []


@pytest.mark.parametrize(
    ("halted", "code"), [("ann: a storm", "halted"), ("breaker: 5 losses in a row", "tripped")]
)
async def test_a_halt_is_told_once_and_so_is_its_end(post: Post, halted: str, code: str) -> None:
    account = post.system.parts.executor.account
    account.halted = halted
    assert await post.look() == [code]
    assert await post.look(1) == []
    account.halted = ""
    assert await post.look(1) == ["resumed"]


async def test_the_same_halt_again_is_another_alert(post: Post) -> None:
    account, subjects = post.system.parts.executor.account, set()
    for _ in range(2):
        account.halted = "ann: a storm"
        await post.watcher.look()
        await post.system.parts.bus.drain()
        subjects.add(post.raised[-1].subject)
        account.halted = ""
        await post.look(1)
    assert len(subjects) == 2


async def test_an_unknown_outcome_names_the_order_and_the_market(post: Post) -> None:
    await post.watcher.hear(order(OrderStatus.UNKNOWN, reasons=("timeout",)))
    await post.watcher.hear(order(OrderStatus.FILLED))
    await post.system.parts.bus.drain()
    [alert] = post.raised
    assert (alert.code, alert.subject) == ("unknown_outcome", "o1")
    assert "timeout" in alert.text
    assert "KX is blocked" in alert.text


@pytest.mark.parametrize(
    ("after", "code"), [("open", "tripped"), ("half_open", "probing"), ("closed", "recovered")]
)
async def test_every_move_of_a_breaker_is_told_with_its_reason(post: Post, after: str, code: str) -> None:
    moved = BreakerMoved(
        observed_at=START,
        breaker="kalshi-orders",
        before="closed",
        after=after,
        reason="5 failures",
        actor="me",
        at=START,
    )
    await post.watcher.hear(seal(moved))
    await post.system.parts.bus.drain()
    [alert] = post.raised
    assert alert.code == code
    assert "5 failures" in alert.text


@pytest.mark.parametrize(("resolution", "code"), [("", "difference"), ("booked", "difference_resolved")])
async def test_a_difference_with_the_venue_is_told_and_so_is_its_end(
    post: Post, resolution: str, code: str
) -> None:
    found = ReconciliationDifference(
        observed_at=START,
        difference_id="d",
        what="position",
        subject="KX",
        ours="1.00",
        theirs="2.00",
        resolved=bool(resolution),
        resolution=resolution,
    )
    await post.watcher.hear(seal(found))
    assert await post.codes() == [code]


async def test_a_few_bad_inputs_are_normal_and_a_burst_is_told_once(post: Post) -> None:
    await post.watcher.hear(quarantined(49))
    assert await post.codes() == []
    await post.watcher.hear(quarantined())
    await post.watcher.hear(quarantined())
    assert await post.codes() == ["quarantine_burst"]


async def test_bad_inputs_far_apart_are_no_burst(post: Post) -> None:
    for _ in range(20):
        await post.watcher.hear(quarantined(9))
        await post.clock.advance(5 * MINUTE / SECOND)
    assert await post.codes() == []


async def test_silence_is_told_when_it_begins_and_when_it_ends(post: Post) -> None:
    run, stats, pace = post.system.parts.clock, post.system.parts.stats, post.system.parts.pace
    assert isinstance(run, ManualClock)
    stats.turns = {"listing": START, "settle": START, "account": START}
    await run.advance(5 * pace.listing)
    stats.turns |= {"settle": run.now(), "account": run.now()}
    assert await post.look() == []
    stats.alerts["listing"] = "no connection"
    await run.advance(1)
    await post.watcher.look()
    await post.system.parts.bus.drain()
    assert post.raised[-1].text == "listing: nothing for 301 s, due every 60 s: no connection"
    assert await post.codes() == ["silence"]
    assert await post.look(1) == []
    stats.turns["listing"] = run.now()
    assert await post.look(1) == ["recovered"]


async def test_used_up_credits_are_their_own_alert_and_no_silence(post: Post) -> None:
    run, stats = post.system.parts.clock, post.system.parts.stats
    assert isinstance(run, ManualClock)
    stats.exhausted.add("listing")
    stats.alerts["listing"] = "credits renew on the first"
    assert await post.look() == ["quota_exhausted"]
    await run.advance(3_600)
    stats.turns = {"settle": run.now(), "account": run.now()}
    assert await post.look(1) == []
    stats.exhausted.discard("listing")
    stats.turns["listing"] = run.now()
    assert await post.look(1) == ["recovered"]


async def test_a_stream_lost_for_half_a_minute_is_told_and_so_is_its_return(post: Post) -> None:
    async def never() -> None:
        raise AssertionError

    stream = KalshiStream(never, post.clock, lambda: 0.0)  # type: ignore[arg-type]
    post.system.parts.stream = stream
    assert await post.look(29) == []
    assert await post.look(1) == ["stream_lost"]
    assert await post.look(100) == []
    stream._socket = object()  # type: ignore[assignment]
    assert await post.look(1) == ["stream_back"]
    assert await post.look(1) == []


async def test_a_lease_that_moves_is_told_with_both_holders(post: Post) -> None:
    p = post.system.parts
    first = DocumentLease(p.documents, p.clock, "executor-1")
    await first.acquire()
    assert await post.look() == []
    await first.release()
    await DocumentLease(p.documents, p.clock, "executor-2").acquire()
    await post.watcher.look()
    await p.bus.drain()
    [alert] = post.raised
    assert alert.code == "lease_moved"
    assert "from executor-1 to executor-2 (epoch 2)" in alert.text


async def test_state_that_cannot_be_read_does_not_end_the_watch(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: str) -> None:
        raise StorageError("disk")

    monkeypatch.setattr(post.system.parts.documents, "get", broken)
    post.system.parts.executor.account.halted = "the halt state cannot be read"
    assert await post.look() == ["halted"]


async def test_a_run_that_ends_is_not_looked_at_for_its_documents_close(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    post.system.parts.executor.account.halted = "not to be seen any more"
    post.system.stop.set()
    await post.watcher.run()
    assert await post.codes() == []
    assert caplog.records == []


async def test_what_ends_a_run_is_told_after_the_bus_is_closed(post: Post) -> None:
    await post.system.parts.bus.close()
    await post.watcher.ended(CredentialsError("the key was refused (401)"))
    assert [(one.code, one.text) for one in post.raised] == [
        ("run_ended", "the run has ended: the key was refused (401)")
    ]


async def test_a_failed_execution_is_called_by_its_name(post: Post) -> None:
    cause = post.system.parts.floor.failure = ValueError("internal detail")
    await post.watcher.ended(cause)
    await post.system.parts.bus.drain()
    [alert] = post.raised
    assert (alert.code, alert.text) == (
        "execution_failed",
        "execution failed and the run has ended: ValueError",
    )


async def test_alerts_are_of_the_runs_time(post: Post) -> None:
    post.system.parts.executor.account.halted = "ann: x"
    await post.watcher.look()
    await post.system.parts.bus.drain()
    assert post.raised[0].observed_at == Instant(START)
