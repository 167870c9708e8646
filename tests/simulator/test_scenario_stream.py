"""What scenarios do to frames: lost, twice, late, behind each other, and connections that end."""

from __future__ import annotations

import pytest

from shared.money import MICROS, Usd
from shared.simulator.scenario import Fault, Kind, Scenario
from tests.simulator.bench import Bench, quoted
from tests.simulator.test_stream import Line

IOC = {"time_in_force": "immediate_or_cancel"}


@pytest.fixture
def bench() -> Bench:
    return quoted()


@pytest.fixture
def line(bench: Bench) -> Line:
    made = Line(bench)
    made.say(1, "subscribe", channels=["fill", "user_orders", "market_positions"])
    return made


def _buy(bench: Bench) -> str:
    body = bench.order(bench.market().ticker, "bid", "0.9900", "1.00", **IOC)[1]
    return str(body["order_id"])


def test_a_lost_fill_is_never_sent_and_leaves_no_trace_on_the_stream(bench: Bench, line: Line) -> None:
    bench.api.play(Scenario(faults=(Fault(kind=Kind.LOSE, on="fill"),)))
    _buy(bench)
    bench.wait(60)
    assert line.of("fill") == []
    assert line.of("user_order") != []
    assert len(bench.get("/portfolio/fills", signed=True)["fills"]) == 1


def test_a_duplicate_fill_is_the_same_fill(bench: Bench, line: Line) -> None:
    bench.api.play(Scenario(faults=(Fault(kind=Kind.DUPLICATE, on="fill", seconds=5),)))
    _buy(bench)
    assert len(line.of("fill")) == 1
    bench.wait(6)
    first, second = line.of("fill")
    assert first == second


def test_a_late_fill_comes_behind_its_order(bench: Bench, line: Line) -> None:
    bench.api.play(Scenario(faults=(Fault(kind=Kind.LATE, on="fill", seconds=20),)))
    _buy(bench)
    bench.wait(19)
    assert [frame["type"] for frame in line.frames[3:]] == ["market_position", "user_order"]
    bench.wait(1)
    assert line.frames[-1]["type"] == "fill"


def test_swapped_frames_come_in_the_other_order(bench: Bench, line: Line) -> None:
    bench.api.play(Scenario(faults=(Fault(kind=Kind.SWAP, on="fill", nth=(1,)),)))
    _buy(bench)
    assert [frame["type"] for frame in line.frames[3:]] == ["market_position", "fill", "user_order"]


def test_a_frame_put_behind_the_next_one_goes_out_when_there_is_none(bench: Bench, line: Line) -> None:
    bench.api.play(Scenario(faults=(Fault(kind=Kind.SWAP, on="user_order"),)))
    _buy(bench)
    assert line.of("user_order") == []
    bench.wait(2)
    assert len(line.of("user_order")) == 1


def test_a_lost_delta_is_a_gap(bench: Bench) -> None:
    line, market = Line(bench), bench.empty()
    line.say(1, "subscribe", channels=["orderbook_delta"], market_tickers=[market.ticker])
    bench.api.play(Scenario(faults=(Fault(kind=Kind.LOSE, on="orderbook_delta", nth=(2,)),)))
    for _ in range(3):
        bench.order(market.ticker, "bid", "0.0100", "1.00")
    assert [frame["seq"] for frame in line.frames if "seq" in frame] == [1, 2, 4]


@pytest.mark.parametrize("kind", [Kind.DISCONNECT, Kind.OVERFLOW])
def test_a_connection_may_end_instead_of_telling(bench: Bench, line: Line, kind: Kind) -> None:
    bench.api.play(Scenario(faults=(Fault(kind=kind, on="fill"),)))
    _buy(bench)
    assert line.dropped == 1
    assert line.of("fill") == []
    errors = [frame["msg"]["code"] for frame in line.frames if frame["type"] == "error"]
    assert errors == ([25] if kind is Kind.OVERFLOW else [])


def test_a_late_frame_of_a_closed_connection_is_gone(bench: Bench, line: Line) -> None:
    bench.api.play(Scenario(faults=(Fault(kind=Kind.LATE, on="private", seconds=5),)))
    _buy(bench)
    line.session.close()
    bench.wait(10)
    assert len(line.frames) == 3


def test_a_fill_is_told_before_the_create_is_answered(bench: Bench, line: Line) -> None:
    before = len(line.frames)
    order_id = _buy(bench)
    told = line.frames[before]
    assert (told["type"], told["msg"]["order_id"]) == ("fill", order_id)


def test_members_do_not_hear_each_others_faults_or_fills(bench: Bench, line: Line) -> None:
    other = bench.api.add_member("other", bench.key.public_key(), Usd(100 * MICROS))
    bench.key_id = "other"
    _buy(bench)
    assert line.of("fill") == []
    assert len(other.fills) == 1
