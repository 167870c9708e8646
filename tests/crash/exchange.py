"""The exchange of a trial: ``arb sim`` as a process, its faults, its own ledger, signals for its markets."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import msgspec

from shared.clock import DAY, SECOND, Clock, Instant
from shared.config import Secret
from shared.desks import Venues, kalshi_client
from shared.fees.kalshi import schedule_for
from shared.fees.protocol import from_fine
from shared.ids import digest
from shared.messages import BookSeen, Certificate, MarketListed, SignalRaised, seal
from shared.money import LOTS, MICROS, Price, Quantity, complement
from shared.simulator.scenario import Scenario, dumps
from shared.simulator.truth import Truth
from shared.terms import MarketKind, MarketStatus, Period, Profile, Side
from shared.venues.kalshi.client import KalshiClient

# Series of two shards and three sports, whose games run long enough ahead.
SERIES = {"KXNFLGAME": "nfl", "KXNBAGAME": "nba", "KXNHLGAME": "nhl"}
_EDGE = 0.03
_MOST_CONTRACTS = 12
_GOOD_FOR_S = (5.0, 40.0)
# A game that begins within this time is over before its trial may be.
_AHEAD = DAY // 8
_END_S = 10.0


@dataclass
class Exchange:
    """A simulated exchange that runs; ``settings`` point a program at it."""

    settings: dict[str, str]
    control: str
    client: KalshiClient
    session: aiohttp.ClientSession
    clock: Clock
    rng: random.Random
    markets: list[MarketListed] = field(default_factory=list)

    async def truth(self) -> Truth:
        """The exchange's own books about the member."""
        async with self.session.get(f"{self.control}/truth") as answer:
            return msgspec.json.decode(await answer.read(), type=Truth)

    async def play(self, scenario: Scenario) -> None:
        """Put faults in force; an empty scenario ends them."""
        async with self.session.put(f"{self.control}/scenario", data=dumps(scenario)) as answer:
            answer.raise_for_status()

    async def struck(self) -> dict[str, int]:
        """How often each kind of fault of the scenario in force has struck."""
        async with self.session.get(f"{self.control}/scenario") as answer:
            told = msgspec.json.decode(await answer.read())
        counts: dict[str, int] = {}
        for one in told["faults"]:
            counts[one["kind"]] = counts.get(one["kind"], 0) + one["struck"]
        return counts

    async def choose(self, count: int) -> None:
        """Pick the markets that signals will be about: a few of each sport, so that signals meet."""
        listed: list[MarketListed] = []
        for ticker in SERIES:
            series = await self.client.series(ticker)
            found = await self.client.events(ticker, series={ticker: series})
            listed += [one for one in found.rows if self._is_good(one)][: count // len(SERIES)]
        self.markets = listed

    def _is_good(self, market: MarketListed) -> bool:
        far = market.starts_at or market.expected_expiration_at or Instant(0)
        ask = market.yes_ask
        return (
            market.status is MarketStatus.ACTIVE
            and far > self.clock.now() + _AHEAD
            and ask is not None
            and 150_000 <= ask <= 850_000
        )

    async def signal(self) -> SignalRaised | None:
        """A signal that crosses the book of one of the markets by some ticks, or nearly."""
        market = self.rng.choice(self.markets)
        side = self.rng.choice(list(Side))
        ask = ask_of(await self.client.book(market.ticker), side)
        return None if ask is None else made(market, side, ask, self.clock.now(), self.rng)


def ask_of(book: BookSeen, side: Side) -> Price | None:
    """Best offer of a side: what the best bid for the other leaves of a dollar."""
    bids = book.no_bids if side is Side.YES else book.yes_bids
    return complement(bids[0].price) if bids else None


def made(
    market: MarketListed, side: Side, ask: Price, now: Instant, rng: random.Random
) -> SignalRaised | None:
    """A signal to buy a little of ``side`` where ``ask`` is offered; ``None`` near the ends of the scale."""
    step = min((one.step for one in market.price_ranges if one.start <= ask < one.end), default=Price(10_000))
    limit = Price(ask + step * rng.choice((-1, 0, 0, 1, 2)))
    schedule = schedule_for(market.fee_type, market.fee_multiplier_micro, now)
    if not 4 * step <= limit <= MICROS - 4 * step:
        return None
    identity = digest("signal", market.ticker, side, str(now), str(rng.getrandbits(32)))
    league = SERIES[market.series_ticker]
    return seal(
        SignalRaised(
            observed_at=now,
            signal_id=identity,
            opportunity_id=digest("opportunity", identity),
            ticker=market.ticker,
            event_ticker=market.event_ticker,
            side=side,
            profile=Profile.STANDARD,
            limit=limit,
            quantity=Quantity(rng.randint(1, _MOST_CONTRACTS) * LOTS),
            fair_probability=min(0.999, from_fine(schedule.all_in(limit)) + _EDGE),
            required_edge=_EDGE,
            net_edge=_EDGE,
            confidence=70.0,
            league=league,
            kind=MarketKind.WINNER,
            odds_event_id=digest("game", market.event_ticker),
            certificate=Certificate(
                verdict="identical",
                odds_event_id=digest("game", market.event_ticker),
                league=league,
                kind=MarketKind.WINNER,
                period=Period.FULL_GAME,
                subject="",
            ),
            exchange_index=market.exchange_index,
            price_ranges=market.price_ranges,
            fee_type=market.fee_type,
            fee_multiplier_micro=market.fee_multiplier_micro,
            starts_at=Instant(now + _AHEAD),
            expires_at=Instant(now + int(rng.uniform(*_GOOD_FOR_S) * SECOND)),
        ),
        trace_id=digest("trace", identity),
    )


@asynccontextmanager
async def exchange(
    folder: Path, environment: Mapping[str, str], clock: Clock, seed: int
) -> AsyncIterator[Exchange]:
    """``arb sim`` inside the block, started in ``folder`` with ``environment``."""
    with (folder / "exchange.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "shared.cli.app", "sim", "--port", "0", "--seed", str(seed),
            cwd=folder, env=dict(environment), stdout=asyncio.subprocess.PIPE, stderr=log,
            stdin=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    try:
        settings, control = await _said(process)
        venues = Venues(
            settings["KALSHI_BASE_URL"], settings["KALSHI_WS_URL"], settings["KALSHI_KEY_ID"],
            settings["KALSHI_PRIVATE_KEY"].replace("\\n", "\n").encode(), "", Secret(""),
        )  # fmt: skip
        async with AsyncExitStack() as resources:
            session = await resources.enter_async_context(aiohttp.ClientSession())
            client = kalshi_client(venues, clock, resources, None)
            rng = random.Random(f"{seed}/signals")  # noqa: S311 - reproducible
            yield Exchange(settings, control, client, session, clock, rng)
    finally:
        await _end(process)


async def _said(process: asyncio.subprocess.Process) -> tuple[dict[str, str], str]:
    """The settings that the simulator prints, and the address of its own endpoints."""
    settings: dict[str, str] = {}
    assert process.stdout is not None
    while line := (await process.stdout.readline()).decode().strip():
        name, _, value = line.partition("=")
        if name.isupper():
            settings[name] = value
        if "/truth" in line:
            return settings, line.rpartition(" ")[2].removesuffix("/truth")
    raise RuntimeError("the simulator ended before it said where it listens; see exchange.log")


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
        try:
            await asyncio.wait_for(process.wait(), _END_S)
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
