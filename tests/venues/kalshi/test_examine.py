"""The examination before trading: what is green, what is red, and that red says what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from email.utils import formatdate

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.clock import DAY, HOUR, MINUTE, SECOND, Instant, parse_instant
from shared.errors import CredentialsError, VenueDownError
from shared.findings import Finding, Report, State
from shared.simulator.kalshi_ws import Session
from shared.simulator.limits import Limits, Rate
from shared.simulator.scenario import Fault, Kind, Scenario
from shared.venues.http import Params, Response
from shared.venues.kalshi.client import KalshiClient
from shared.venues.kalshi.examine import Examination, examine
from shared.venues.kalshi.sign import PrivateKey, Signer
from shared.venues.retry import Retry
from tests.simulator.bench import Bench
from tests.venues.kalshi.desk import BASE, BenchClock, BenchTransport


class DatedTransport(BenchTransport):
    """As over a socket: every answer says what time it is there, and a lost one never comes."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self.ahead_s = 0.0

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Params = (),
        body: bytes | None = None,
        seconds: float = 10.0,
    ) -> Response:
        answer = await super().request(method, url, headers=headers, params=params, body=body)
        if answer.status == 503 and not answer.body:
            raise VenueDownError("no connection")
        date = formatdate(self._bench.clock.now() / SECOND + self.ahead_s, usegmt=True)
        return Response(answer.status, {**answer.headers, "date": date}, answer.body)


class BenchSocket:
    """A stream's session without a socket; a deaf one never answers."""

    def __init__(self, bench: Bench, deaf: bool = False) -> None:
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._session = Session(bench.api, bench.account, self._frames.put_nowait, lambda: None)
        self._deaf = deaf
        self.closed = False

    async def receive(self) -> bytes | str | None:
        return await self._frames.get()

    async def send(self, data: bytes) -> None:
        if not self._deaf:
            self._session.receive(data)

    async def close(self) -> None:
        self.closed = True
        self._session.close()


class Desk:
    """What is examined: the simulated exchange, a member's key, and a stream."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.bench = Bench(limits=limits)
        self.bench.account.region_expires = Instant(self.bench.clock.now() + 60 * DAY)
        self.key: PrivateKey | None = self.bench.key
        self.transport = DatedTransport(self.bench)
        self.sockets: list[BenchSocket] = []
        self.refuses: Exception | None = None
        self.deaf = False

    async def connect(self) -> BenchSocket:
        if self.refuses is not None:
            raise self.refuses
        self.sockets.append(BenchSocket(self.bench, self.deaf))
        return self.sockets[-1]

    def play(self, *faults: Fault) -> None:
        self.bench.api.play(Scenario(faults=faults))

    async def examine(self) -> Report:
        clock = BenchClock(self.bench)
        signer = Signer(self.bench.key_id, self.key) if self.key is not None else None
        retry = Retry(clock, lambda: 0.5, attempts=1)
        client = KalshiClient(self.transport, clock, retry, base_url=BASE, signer=signer)
        series = ("KXNFLGAME", "KXNBAGAME", "KXCURLINGGAME")
        return await examine(Examination(client, clock, self.bench.key_id, self.key, self.connect, series))


def _of(report: Report, check: str) -> Finding:
    return next(finding for finding in report.findings if finding.check == check)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_when_all_is_well_the_report_is_green_and_says_what_it_saw(desk: Desk) -> None:
    report = await desk.examine()
    assert (report.is_green, report.reasons, report.warnings) == (True, (), ())
    assert [finding.check for finding in report.findings] == [
        "exchange", "clock", "schedule", "exchange key", "scopes", "location", "account reads", "balance",
        "stream",
    ]  # fmt: skip
    assert "Ed25519, accepted; tier basic" in _of(report, "exchange key").found
    assert "shard 3 $5000.00" in _of(report, "balance").found
    assert desk.sockets[0].closed


async def test_without_a_key_only_what_is_public_is_looked_at(desk: Desk) -> None:
    desk.key = None
    report = await desk.examine()
    assert report.is_green
    assert [finding.check for finding in report.findings] == ["exchange", "clock", "schedule"]


async def test_a_report_without_a_finding_is_not_green() -> None:
    assert not Report(()).is_green


async def test_an_rsa_key_is_told_with_its_size(desk: Desk) -> None:
    desk.key = rsa.generate_private_key(65537, 2048)
    desk.bench.api.add_key("rsa", desk.key.public_key(), desk.bench.account)
    desk.bench.key_id = "rsa"
    assert "RSA 2048" in _of(await desk.examine(), "exchange key").found


async def test_a_key_that_does_not_belong_is_red_everywhere_and_says_why(desk: Desk) -> None:
    desk.key = Ed25519PrivateKey.generate()
    report = await desk.examine()
    assert not report.is_green
    for check in ("exchange key", "scopes", "balance"):
        assert (_of(report, check).state, "belong together" in _of(report, check).found) == (State.BAD, True)


@pytest.mark.parametrize(
    ("ahead_s", "state"),
    [
        (0.0, State.OK),
        (-0.9, State.OK),
        (3.0, State.WARN),
        (-4.0, State.WARN),
        (9.0, State.BAD),
        (-9.0, State.BAD),
    ],
)
async def test_the_clock_is_compared_with_the_exchanges(desk: Desk, ahead_s: float, state: State) -> None:
    desk.transport.ahead_s = ahead_s
    found = _of(await desk.examine(), "clock")
    assert (found.state, "NTP" in found.fix) == (state, state is not State.OK)


@pytest.mark.parametrize(
    ("scopes", "state"),
    [
        (("read", "write::trade"), State.OK),
        (("read", "write"), State.OK),
        (("read",), State.BAD),
        (("read", "write::transfer"), State.BAD),
        (("read", "a_new_scope"), State.BAD),
    ],
)
async def test_a_key_must_read_and_trade(desk: Desk, scopes: tuple[str, ...], state: State) -> None:
    desk.bench.api.add_key(desk.bench.key_id, desk.bench.key.public_key(), desk.bench.account, scopes)
    found = _of(await desk.examine(), "scopes")
    assert (found.state, set(found.found.split(", "))) == (state, set(scopes))


@pytest.mark.parametrize(
    ("left", "state"), [(60 * DAY, State.OK), (3 * DAY, State.WARN), (-SECOND, State.BAD), (None, State.WARN)]
)
async def test_the_location_attestation_is_watched(desk: Desk, left: int | None, state: State) -> None:
    now = desk.bench.clock.now()
    desk.bench.account.region_expires = None if left is None else Instant(now + left)
    found = _of(await desk.examine(), "location")
    assert (found.state, bool(found.fix)) == (state, state is not State.OK)


@pytest.mark.parametrize(
    ("cash", "state", "said"),
    [
        ({0: 5, 3: 5}, State.OK, ""),
        ({0: 5, 3: 0}, State.WARN, "move cash to shard 3 (KXNBAGAME)"),
        ({0: 0, 2: 9, 3: 0}, State.BAD, "move cash to the shards"),
        ({}, State.BAD, "deposit"),
    ],
)
async def test_every_shard_that_is_traded_needs_cash(
    desk: Desk, cash: dict[int, int], state: State, said: str
) -> None:
    desk.bench.account.cash = {shard: amount * 1_000_000 for shard, amount in cash.items()}
    desk.bench.account.note(desk.bench.clock.now())
    found = _of(await desk.examine(), "balance")
    assert found.state is state
    assert said in found.fix


async def test_a_budget_too_small_for_an_order_is_red() -> None:
    desk = Desk(Limits(write=Rate(10, 10), enforced=False))
    assert "too few for an order" in _of(await desk.examine(), "exchange key").found


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(kind=Kind.EXCHANGE_PAUSE, shard=3), "shard 3 (Tennis, Baseball, Basketball) paused"),
        (Fault(kind=Kind.TRADING_PAUSE, shard=0), "shard 0 (Default) paused"),
    ],
)
async def test_a_paused_shard_is_named(desk: Desk, fault: Fault, said: str) -> None:
    desk.play(fault)
    found = _of(await desk.examine(), "exchange")
    assert (found.state, found.found) == (State.WARN, said)


async def test_a_pause_within_the_hour_is_told(desk: Desk) -> None:
    desk.bench.until(Instant((parse_instant("2026-11-26T08:00:00Z") or 0) - 30 * MINUTE))
    desk.bench.account.region_expires = Instant(desk.bench.clock.now() + HOUR * 24 * 60)
    found = _of(await desk.examine(), "schedule")
    assert (found.state, found.fix[:15]) == (State.WARN, "30 minutes left")
    desk.bench.wait(45 * 60)
    assert "paused until 2026-11-26T10:00:00Z" in _of(await desk.examine(), "schedule").found


async def test_reads_that_are_far_behind_are_told(desk: Desk) -> None:
    desk.bench.wait(300)
    desk.play(Fault(kind=Kind.READ_LAG, seconds=45))
    found = _of(await desk.examine(), "account reads")
    assert (found.state, found.found) == (State.WARN, "45.0 s behind")


@pytest.mark.parametrize(
    "refusal", [CredentialsError("stream: 401; check the key"), VenueDownError("stream: no connection")]
)
async def test_a_stream_that_refuses_is_red(desk: Desk, refusal: Exception) -> None:
    desk.refuses = refusal
    found = _of(await desk.examine(), "stream")
    assert (found.state, str(refusal) in found.found) == (State.BAD, True)


async def test_a_stream_that_never_answers_is_red_in_time(desk: Desk) -> None:
    desk.deaf = True
    assert _of(await desk.examine(), "stream").state is State.BAD
    assert desk.sockets[0].closed


async def test_an_exchange_that_nobody_reaches_is_said_once(desk: Desk) -> None:
    desk.play(Fault(kind=Kind.DROP))
    report = await desk.examine()
    assert [(finding.check, finding.state) for finding in report.findings] == [("exchange", State.BAD)]


@pytest.mark.parametrize(
    "on", ["schedule", "limits", "keys", "timestamp", "balance"], ids=lambda on: f"{on} fails"
)
@pytest.mark.parametrize("kind", [Kind.REFUSE, Kind.HTML, Kind.TRUNCATE])
async def test_one_check_that_fails_is_red_and_the_others_go_on(desk: Desk, on: str, kind: Kind) -> None:
    desk.play(Fault(kind=kind, on=on))
    report = await desk.examine()
    assert len(report.reasons) == 1
    assert len(report.findings) >= 8
