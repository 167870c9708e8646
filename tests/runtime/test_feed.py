"""The live feed: books by REST while the stream is down, nothing when that fails too, and back again."""

from __future__ import annotations

import pytest

from shared.errors import VenueDownError
from shared.runtime.feed import LiveFeed, Mode
from shared.simulator.market import Market
from shared.venues.kalshi.events import BookSnapshot
from shared.venues.kalshi.sign import Signer
from tests.venues.kalshi.desk import Line, TradingDesk, cents, contracts


class Bench:
    """A feed at the simulated exchange, whose stream a test says is up or down."""

    def __init__(self) -> None:
        self.desk = TradingDesk()
        self.market: Market = self.desk.bench.empty()
        self.desk.other(self.market, "ask", "0.5000", "7.00")
        self.desk.other(self.market, "bid", "0.4500", "3.00")
        self.feed = LiveFeed(self.desk.feed, self.desk.portfolio, self.desk.trading, self.desk.clock)
        self.up = True

    async def poll(self, seconds: float = 0.0, *tickers: str) -> list[BookSnapshot]:
        """Ask, ``seconds`` later, for the market's book."""
        self.desk.bench.wait(seconds)
        alive_at = self.desk.clock.now() if self.up else None
        return await self.feed.poll(alive_at, tickers or (self.market.ticker,))


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_while_the_stream_runs_nothing_is_asked_for(bench: Bench) -> None:
    sent = len(bench.desk.transport.sent)
    assert await bench.poll(60) == []
    assert (bench.feed.mode, len(bench.desk.transport.sent)) == (Mode.STREAM, sent)


async def test_a_stream_that_is_back_in_a_moment_costs_nothing(bench: Bench) -> None:
    await bench.poll()
    bench.up = False
    assert await bench.poll(4.9) == []
    assert bench.feed.mode is Mode.STREAM


async def test_a_stream_that_stays_down_is_replaced_by_reading_books(bench: Bench) -> None:
    await bench.poll()
    bench.up = False
    [book] = await bench.poll(5)
    assert (bench.feed.mode, book.ticker, book.seq) == (Mode.POLL, bench.market.ticker, None)
    assert (book.yes_bids, book.no_bids) == (
        ((cents(45), contracts(3)),),
        ((cents(50), contracts(7)),),
    )
    assert book.at == bench.desk.clock.now()


async def test_when_that_fails_too_nothing_is_known(bench: Bench) -> None:
    await bench.poll()
    bench.up = False
    bench.desk.bench.faults.error_share = 1.0
    with pytest.raises(VenueDownError):
        await bench.poll(5)
    assert bench.feed.mode is Mode.HALT


async def test_it_goes_on_as_soon_as_books_can_be_read_again(bench: Bench) -> None:
    await bench.poll()
    bench.up = False
    bench.desk.bench.faults.error_share = 1.0
    with pytest.raises(VenueDownError):
        await bench.poll(5)
    bench.desk.bench.faults.error_share = 0.0
    await bench.poll(1)
    modes = [bench.feed.mode]
    bench.up = True
    assert await bench.poll(1) == []
    assert [*modes, bench.feed.mode] == [Mode.POLL, Mode.STREAM]


async def test_with_nothing_to_watch_nothing_is_asked_for(bench: Bench) -> None:
    await bench.poll()
    bench.up = False
    sent = len(bench.desk.transport.sent)
    bench.desk.bench.wait(5)
    assert await bench.feed.poll(None, ()) == []
    assert (bench.feed.mode, len(bench.desk.transport.sent)) == (Mode.POLL, sent)


async def test_a_stream_that_was_never_up_is_missed_from_the_start(bench: Bench) -> None:
    bench.up = False
    assert await bench.poll(4) == []
    assert len(await bench.poll(1)) == 1


async def test_a_fill_that_the_stream_tells_is_news_once(bench: Bench) -> None:
    line = Line(bench.desk)
    line.open()
    await bench.desk.trading.create(bench.desk.ticket(bench.market, price=50, count=2))
    line.pump()
    [fill] = [event for event in line.events if type(event).__name__ == "FillSeen"]
    assert bench.feed.note(fill) is False  # the line's own desk has noted it


async def test_a_fill_that_the_stream_lost_is_read(bench: Bench) -> None:
    bench.desk.bench.wait(2)
    placed = await bench.desk.trading.create(bench.desk.ticket(bench.market, price=50, count=2))
    bench.desk.bench.wait(2)
    assert [fill.order_id for fill in await bench.feed.catch_up()] == [placed.order_id]
    assert await bench.feed.catch_up() == []


async def test_the_next_order_is_signed_before_it_is_wanted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.feed.warm()
    signed: list[str] = []
    headers = Signer.headers

    def counted(self: Signer, method: str, path: str, now: int) -> object:
        signed.append(method)
        return headers(self, method, path, now)  # type: ignore[arg-type]

    monkeypatch.setattr(Signer, "headers", counted)
    await bench.desk.trading.create(bench.desk.ticket(bench.market, price=50, count=2))
    assert signed == []
