"""Distances to venues, measured with a clock of our own and lines that answer when told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from shared.config import Settings, Url
from shared.errors import VenueDownError
from shared.venues.http import Params, Response
from shared.venues.latency import Latency, Target, measure, targets

TARGET = Target("exchange", "https://exchange.example/status")


class Road:
    """Time that passes only on the way: ``waits`` milliseconds per question, in order, on every line."""

    def __init__(self, waits: Sequence[float], status: int = 200, fails: Sequence[int] = ()) -> None:
        self.waits, self.status, self.fails = waits, status, fails
        self.now_ns = 0
        self.opened = self.closed = 0

    def open(self) -> Line:
        self.opened += 1
        return Line(self)

    def ticks(self) -> int:
        return self.now_ns


class Line:
    """A line along the road; the first question pays for opening it."""

    def __init__(self, road: Road) -> None:
        self._road, self._asked = road, 0

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
        assert (method, url) == ("GET", TARGET.url)
        if self._road.opened in self._road.fails:
            raise VenueDownError(f"GET {url}: no connection")
        self._road.now_ns += int(self._road.waits[self._asked] * 1_000_000)
        self._asked += 1
        return Response(self._road.status)

    async def close(self) -> None:
        self._road.closed += 1


async def distance(road: Road, lines: int = 3, questions: int = 4) -> Latency:
    return await measure(TARGET, road.open, road.ticks, lines, questions)


async def test_opening_a_line_is_not_counted_as_a_question() -> None:
    found = await distance(Road([30.0, 8.0, 8.0, 8.0, 8.0]))
    assert (found.connect_ms, found.median_ms) == (30.0, 8.0)


async def test_a_slow_question_shows_at_the_end_and_not_in_the_middle() -> None:
    found = await distance(Road([30.0, 8.0, 8.0, 8.0, 48.0]))
    assert found.median_ms == 8.0
    assert found.p90_ms == 48.0


async def test_a_refusal_is_an_answer() -> None:
    found = await distance(Road([30.0, 8.0, 8.0, 8.0, 8.0], status=401))
    assert (found.answered, found.failed) == (15, 0)


async def test_every_line_is_closed_also_one_that_fails() -> None:
    road = Road([30.0, 8.0, 8.0, 8.0, 8.0], fails=[2])
    found = await distance(road)
    assert (road.opened, road.closed) == (3, 3)
    assert (found.answered, found.failed) == (10, 1)
    assert "no connection" in found.error


async def test_a_venue_that_never_answers_has_no_distance() -> None:
    found = await distance(Road([1.0], fails=[1, 2, 3]))
    assert (found.connect_ms, found.median_ms, found.p90_ms, found.answered) == (None, None, None, 0)


async def test_one_question_is_its_own_ninetieth_percentile() -> None:
    found = await distance(Road([30.0, 9.0]), lines=1, questions=1)
    assert (found.median_ms, found.p90_ms) == (9.0, 9.0)


@pytest.mark.parametrize(
    ("ws", "host"),
    [
        ("wss://stream.example/trade-api/ws/v2", "https://stream.example/"),
        ("ws://127.0.0.1:8700/trade-api/ws/v2", "http://127.0.0.1:8700/"),
    ],
)
def test_the_streams_host_is_asked_over_http(ws: str, host: str) -> None:
    found = {target.name: target.url for target in targets(Settings(kalshi_ws_url=Url(ws)))}
    assert found["kalshi stream"] == host


def test_every_venue_has_a_name_and_a_host() -> None:
    found = targets(Settings())
    assert len({target.name for target in found}) == len(found) == 4
    assert all(target.host for target in found)
