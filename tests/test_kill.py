"""The kill program against the simulated exchange: whatever goes wrong, nothing rests or it says so."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared import kill
from shared.clock import SECOND, Instant
from shared.kill import CANNOT_ACT, CLEAR, RESTING, UNKNOWN, CannotActError, Killer, Venue
from shared.simulator.auth import private_pem
from shared.simulator.limits import Limits
from shared.simulator.scenario import Fault, Kind, Scenario
from shared.simulator.web import Request
from tests.simulator.bench import Bench, quoted

_BASE = "http://exchange.example/trade-api/v2"


@dataclass
class Room:
    """The kill program in a room with the exchange: its clock, its wire, and what it said."""

    bench: Bench
    found: list[tuple[str, kill.Key]]
    base_url: str = _BASE
    skew_s: float = 0.0
    said: list[str] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    down: str = ""  # a host that does not answer

    def now(self) -> float:
        return self.bench.clock.now() / SECOND

    def sleep(self, seconds: float) -> None:
        self.bench.wait(seconds)

    def send(
        self, method: str, address: str, headers: Mapping[str, str], seconds: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        parts = urlsplit(address)
        self.asked.append((method, address))
        if parts.hostname == self.down:
            self.bench.wait(seconds)
            raise ConnectionRefusedError
        lower = {name.lower(): value for name, value in headers.items()}
        answer = self.bench.api.handle(Request(method, parts.path, parts.query, lower))
        if answer.lost:
            self.bench.wait(seconds)
            raise TimeoutError
        date = Instant(self.bench.clock.now())
        return answer.status, {**answer.headers, "date": _http_date(date)}, answer.body

    def run(self, limit_s: float = 120.0, settle_s: float = 12.0) -> int:
        venue = Venue(self.base_url, self.found, self.send, lambda: self.now() + self.skew_s)
        killer = Killer(venue, self.said.append, self.now, self.sleep)
        try:
            return killer.run(limit_s, settle_s)
        except CannotActError as exc:
            self.said.append(str(exc))
            return CANNOT_ACT


def _http_date(instant: Instant) -> str:
    from email.utils import formatdate

    return formatdate(instant // SECOND, usegmt=True)


@pytest.fixture
def room() -> Room:
    """Five orders rest, on two shards."""
    bench = quoted(read_lag_s=2.0)
    for league, count in (("NFL", 3), ("NBA", 2)):
        ticker = bench.empty(league).ticker
        for _ in range(count):
            assert bench.order(ticker, "bid", "0.0100", "1.00")[0] == 201
    return Room(bench, [(bench.key_id, bench.key)])


def _play(room: Room, *faults: Fault) -> None:
    room.bench.api.play(Scenario(seed=5, faults=faults))


def test_everything_is_canceled_on_every_shard_and_seen_to_be(room: Room) -> None:
    began = room.now()
    assert room.run() == CLEAR
    assert room.bench.account.resting() == []
    assert 12 <= room.now() - began < 20
    assert room.said[-1] == "nothing rests"


def test_with_nothing_resting_it_still_waits_for_reads_to_catch_up(room: Room) -> None:
    room.bench.send("DELETE", "/portfolio/events/orders")
    began = room.now()
    assert room.run() == CLEAR
    assert room.now() - began >= 12


_STORMS = {
    "429": Fault(kind=Kind.REFUSE, status=429, code="too_many_requests", share=0.7),
    "500": Fault(kind=Kind.REFUSE, status=500, share=0.7),
    "html": Fault(kind=Kind.HTML, status=502, share=0.7),
    "drops": Fault(kind=Kind.DROP, share=0.5),
    "time-outs": Fault(kind=Kind.TIMEOUT, share=0.5),
    "lost answers": Fault(kind=Kind.LOST_ANSWER, share=0.7),
    "cut answers": Fault(kind=Kind.TRUNCATE, share=0.7),
    "409 on everything for a while": Fault(
        kind=Kind.REFUSE, status=409, code="exchange_is_paused", until_s=30
    ),
    "no cancel-all": Fault(kind=Kind.REFUSE, on="cancel_all", status=503),
    "no cancel-all, slow": Fault(kind=Kind.DROP, on="cancel_all", until_s=60),
    "slow reads": Fault(kind=Kind.READ_LAG, seconds=10),
    "pause": Fault(kind=Kind.EXCHANGE_PAUSE, until_s=45),
    "pause of one shard": Fault(kind=Kind.EXCHANGE_PAUSE, shard=3, until_s=45),
    "trading pause": Fault(kind=Kind.TRADING_PAUSE),
}


@pytest.mark.parametrize("storm", sorted(_STORMS))
def test_nothing_rests_after_any_storm_that_ends_or_lets_something_through(room: Room, storm: str) -> None:
    _play(room, _STORMS[storm])
    began = room.now()
    assert room.run() == CLEAR
    assert room.bench.account.resting() == []
    # Without a cancel-all that was answered it looks for longer before it believes.
    assert storm != "no cancel-all" or room.now() - began >= 36


@pytest.mark.parametrize("seed", range(5))
def test_nothing_rests_after_all_storms_at_once(room: Room, seed: int) -> None:
    kinds = (Kind.REFUSE, Kind.HTML, Kind.DROP, Kind.TIMEOUT, Kind.LOST_ANSWER, Kind.TRUNCATE)
    storm = tuple(Fault(kind=kind, share=0.12) for kind in kinds)
    room.bench.api.play(Scenario(seed=seed, faults=storm))
    assert room.run(limit_s=300) == CLEAR
    assert room.bench.account.resting() == []


def test_rate_limits_of_the_smallest_tier_are_enough() -> None:
    bench = quoted()
    ticker = bench.empty().ticker
    for _ in range(150):
        assert bench.order(ticker, "bid", "0.0100", "1.00")[0] == 201
    object.__setattr__(bench.api.limits, "enforced", True)
    assert isinstance(bench.api.limits, Limits)
    _play(room := Room(bench, [(bench.key_id, bench.key)]), _STORMS["no cancel-all, slow"])
    assert room.run() == CLEAR
    assert bench.account.resting() == []


def test_orders_that_come_in_meanwhile_are_canceled_too(room: Room) -> None:
    ticker = room.bench.empty().ticker
    arrivals = iter([6.0, 11.0])
    due = next(arrivals)
    began = room.now()
    sleep = room.sleep

    def nap(seconds: float) -> None:
        nonlocal due
        sleep(seconds)
        if room.now() - began >= due:
            due = next(arrivals, 1e9)
            room.bench.order(ticker, "bid", "0.0100", "1.00")

    room.sleep = nap  # type: ignore[method-assign]  # the trading process has not been stopped
    assert room.run() == CLEAR
    assert room.bench.account.resting() == []
    assert room.now() - began >= 23


def test_an_exchange_that_stays_paused_is_told_with_a_code_in_time(room: Room) -> None:
    _play(room, Fault(kind=Kind.EXCHANGE_PAUSE))
    began = room.now()
    assert room.run(limit_s=30) == RESTING
    assert room.now() - began < 40
    assert "5 orders still rest" in room.said[-1]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=Kind.DROP),
        Fault(kind=Kind.HTML),
        Fault(kind=Kind.REFUSE, on="orders", status=500),
        Fault(kind=Kind.REFUSE, on="orders", status=404, code="not_found"),
        Fault(kind=Kind.TRUNCATE, on="orders"),
        Fault(kind=Kind.NO_ORDER_ID, on="orders"),
    ],
    ids=lambda fault: f"{fault.kind} {fault.on} {fault.status}",
)
def test_what_cannot_be_seen_is_never_called_clear(room: Room, fault: Fault) -> None:
    _play(room, fault)
    began = room.now()
    assert room.run(limit_s=30) == UNKNOWN
    assert room.now() - began < 45


def test_a_refused_kill_key_makes_way_for_the_trading_key(room: Room) -> None:
    room.found.insert(0, ("unknown", Ed25519PrivateKey.generate()))
    assert room.run() == CLEAR
    assert room.bench.account.resting() == []


def test_a_key_that_may_only_cancel_is_helped_by_the_other_for_reading(room: Room) -> None:
    room.bench.api.add_key("brake", room.bench.key.public_key(), room.bench.account, ("write::trade",))
    room.found.insert(0, ("brake", room.bench.key))
    assert room.run() == CLEAR


def test_when_every_key_is_refused_a_person_is_told_at_once(room: Room) -> None:
    room.found = [("unknown", room.bench.key), (room.bench.key_id, Ed25519PrivateKey.generate())]
    began = room.now()
    assert room.run() == CANNOT_ACT
    assert room.now() - began < 15
    assert "every key was refused (401)" in room.said[-1]


@pytest.mark.parametrize("skew_s", [-400.0, 90.0])
def test_a_clock_that_is_wrong_is_set_by_the_exchanges(room: Room, skew_s: float) -> None:
    room.skew_s = skew_s
    assert room.run() == CLEAR
    assert room.bench.account.resting() == []


def test_the_exchanges_other_host_is_tried_when_one_is_down(room: Room) -> None:
    room.base_url = "https://external-api.kalshi.com/trade-api/v2"
    room.down = "external-api.kalshi.com"
    assert room.run() == CLEAR
    assert {urlsplit(address).hostname for _, address in room.asked} == {
        "external-api.kalshi.com",
        "api.elections.kalshi.com",
    }


def test_an_rsa_key_signs_as_the_exchange_wants(room: Room) -> None:
    key = rsa.generate_private_key(65537, 2048)
    room.bench.api.add_key("rsa", key.public_key(), room.bench.account)
    room.found = [("rsa", key)]
    assert room.run() == CLEAR


# --- keys and settings -------------------------------------------------------------------------------------


def _pem() -> str:
    return private_pem(Ed25519PrivateKey.generate())


def test_the_kill_key_comes_first_and_the_trading_key_second(tmp_path: Path) -> None:
    (tmp_path / "kill.pem").write_text(_pem())
    given = {
        "KALSHI_KEY_ID": "trading",
        "KALSHI_PRIVATE_KEY": _pem().replace("\n", "\\n"),
        "KALSHI_KILL_KEY_ID": "kill",
        "KALSHI_KILL_PRIVATE_KEY_PATH": str(tmp_path / "kill.pem"),
    }
    assert [key_id for key_id, _ in kill.keys(given)] == ["kill", "trading"]


def test_a_damaged_kill_key_does_not_stop_the_trading_key() -> None:
    given = {
        "KALSHI_KEY_ID": "trading",
        "KALSHI_PRIVATE_KEY": _pem(),
        "KALSHI_KILL_KEY_ID": "kill",
        "KALSHI_KILL_PRIVATE_KEY_PATH": "/nowhere",
    }
    assert [key_id for key_id, _ in kill.keys(given)] == ["trading"]


@pytest.mark.parametrize(
    "given",
    [{}, {"KALSHI_KEY_ID": "id"}, {"KALSHI_KEY_ID": "id", "KALSHI_PRIVATE_KEY": "secret text"}],
)
def test_without_a_key_that_signs_it_says_what_to_set_and_repeats_no_secret(given: dict[str, str]) -> None:
    with pytest.raises(CannotActError, match="set KALSHI_KILL_KEY_ID") as refused:
        kill.keys(given)
    assert "secret text" not in str(refused.value)


def test_the_environment_wins_over_the_file_and_a_bad_file_is_no_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("# KALSHI_KEY_ID=no\nexport KALSHI_KEY_ID='file'\nKALSHI_BASE_URL=\"http://x\"\n")
    found = kill.settings({"KALSHI_KEY_ID": "environment", "KALSHI_BASE_URL": ""}, dotenv)
    assert (found["KALSHI_KEY_ID"], found["KALSHI_BASE_URL"]) == ("environment", "http://x")
    dotenv.write_bytes(b"\xff\xfe")
    assert kill.settings({}, dotenv) == {}


def test_it_imports_the_standard_library_and_cryptography_and_nothing_of_ours() -> None:
    tree = ast.parse(Path(kill.__file__).read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    assert found - set(sys.stdlib_module_names) == {"cryptography"}


def test_keys_of_other_kinds_are_refused() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(CannotActError):
        kill.keys({"KALSHI_KEY_ID": "id", "KALSHI_PRIVATE_KEY": pem.decode()})
