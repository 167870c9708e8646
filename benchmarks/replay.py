"""Replay: events per second from memory and from disk, beside other engines in environments of their own.

The other engines run a callback that only looks at the best prices. Ours maps, removes margins, detects,
sizes, passes the gate, fills on paper and journals.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import subprocess
import tempfile
import time
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from benchmarks import mapping
from benchmarks.report import Figure, Goal, Line, Skipped
from benchmarks.timing import no_collector
from shared.clock import SECOND, Instant
from shared.config import load as settings
from shared.desks import risk_limits
from shared.edges.detector import DetectorSettings
from shared.messages import BookmakerMarket, MarketListed, OddsEvent, OddsOutcome, OddsSeen
from shared.money import Price, Quantity
from shared.replay.engine import Replay, ReplayResult
from shared.replay.tape import Tape, load
from shared.terms import FeeType, MarketStatus, Profile, Side
from shared.venues.kalshi.events import BookDelta, BookSnapshot

GROUP = "replay"
_GAMES = 60
_BOOKS = ("pinnacle", "draftkings", "fanduel", "betmgm", "betrivers", "caesars")
_CENT = 10_000
_BEST = 45  # cents bid on either side of every market; the books say 50
_START = Instant(1_775_000_000 * SECOND)  # 2026-03-31, a day before the first game
_STEP = 1_000  # a change every millisecond
_PEER_SECONDS = 300
_RECORDED = ("orderbook/kalshi_ws_KXNBAGAME-26MAR10MEMPHI-{}.ndjson.gz", ("MEM", "PHI"))
_RECORDED_ODDS = "odds_api/nba_h2h_spreads_totals_20260310_11.jsonl.gz"
_PLAIN, _FAST = Goal("figure", 36_000, at_least=True), Goal("figure", 145_000, at_least=True)


@dataclass(frozen=True, slots=True)
class Peer:
    """Another engine: what to install, which program to run, and what a fair comparison is."""

    name: str
    requirement: str
    program: str
    reads_from_disk: bool
    goal: float


_PEERS = (
    Peer("flumine 3.3.2 simulation", "flumine==3.3.2", "flumine_simulation.py", True, 4.0),
    Peer("nautilus_trader backtest", "nautilus_trader>=1.221", "nautilus_backtest.py", False, 1.0),
)


def figures(quick: bool) -> list[Line]:
    """Synthetic and recorded tapes; peers unless ``quick``."""
    count = 50_000 if quick else 300_000
    in_memory, result = _rate(lambda: synthetic(count), 1 if quick else 3)
    what = f"{_GAMES * mapping.MARKETS_PER_EVENT} mapped markets, made-up tape, from memory"
    lines: list[Line] = [Figure(GROUP, what, in_memory, "events/s", goal=_FAST)]
    assert result.mapped, "nothing was mapped: the tape measures nothing"
    assert result.signals, "nothing was worth it: the tape measures too little"
    from_disk, recorded = _recorded(1 if quick else 3)
    lines += recorded
    for peer in _PEERS:
        lines.append(_against(peer, count, in_memory, from_disk, quick))
    return lines


def _rate(tape: Callable[[], Tape], runs: int) -> tuple[float, ReplayResult]:
    """Median events per CPU second of playing a tape."""
    rates = []
    for _ in range(runs):
        played = tape()
        with no_collector():
            started = time.process_time()
            result = _play(played)
            rates.append(len(played.events) / (time.process_time() - started))
    return statistics.median(rates), result


def _play(tape: Tape) -> ReplayResult:
    config = settings()
    replay = Replay(
        DetectorSettings(profile=Profile.ANY_EDGE), risk_limits(config), config.paper_bankroll_usd
    )
    return asyncio.run(replay.play(tape))


# --- a recorded game -------------------------------------------------------------------------------------


def _recorded(runs: int) -> tuple[float | None, list[Line]]:
    """A recorded basketball game, from memory and from its compressed files."""
    folder = Path(os.environ.get("CORPUS_DIR") or Path(__file__).parents[2] / "shared" / "data")
    frames, sides = _RECORDED
    paths = [*(folder / frames.format(side) for side in sides), folder / _RECORDED_ODDS]
    if not all(path.exists() for path in paths):
        return None, [Skipped(GROUP, "a recorded game", f"no recorded data in {folder} (set CORPUS_DIR)")]
    started = time.process_time()
    tape = load(paths)
    loading = time.process_time() - started
    rate, _ = _rate(lambda: tape, runs)
    whole = len(tape.events) / (loading + len(tape.events) / rate)
    what = f"a recorded game, {len(tape.events):,} events"
    return whole, [
        Figure(GROUP, f"{what}, from memory", rate, "events/s", goal=_FAST),
        Figure(GROUP, f"{what}, from compressed frames on disk", whole, "events/s", goal=_PLAIN),
    ]


# --- a made-up tape --------------------------------------------------------------------------------------


def synthetic(count: int) -> Tape:
    """Games with their bookmakers at even money, then ``count`` changes of books quoted 45 bid, 55 ask."""
    markets, events = mapping.world()
    games = events[:_GAMES]
    listed = [_listed(market) for market in markets[: _GAMES * mapping.MARKETS_PER_EVENT]]
    tape = Tape(files=1)
    tape.events += [(_START, _odds(game)) for game in games]
    tape.events += [(_START, market) for market in listed]
    tape.events += [(_START, _snapshot(market.ticker)) for market in listed]
    tape.events += _changes([market.ticker for market in listed], count)
    return tape


def _listed(market: MarketListed) -> MarketListed:
    return replace(
        market,
        observed_at=_START,
        status=MarketStatus.ACTIVE,
        fee_type=FeeType.QUADRATIC,
        fee_multiplier_micro=1_000_000,
    )


def _odds(game: OddsEvent) -> OddsSeen:
    points = [5.5 + n for n in range(1, mapping.MARKETS_PER_EVENT)]
    winner = (OddsOutcome(name=game.away, price=1.95), OddsOutcome(name=game.home, price=1.95))
    totals = tuple(
        OddsOutcome(name=name, price=1.95, point=point) for point in points for name in ("Over", "Under")
    )
    return OddsSeen(
        observed_at=_START,
        odds_event_id=game.id,
        sport_key=game.sport_key,
        home=game.home,
        away=game.away,
        starts_at=game.starts_at,
        quotes=tuple(
            BookmakerMarket(bookmaker=book, market=market, last_update=_START, outcomes=outcomes)
            for book in _BOOKS
            for market, outcomes in (("h2h", winner), ("alternate_totals", totals))
        ),
    )


def _snapshot(ticker: str) -> BookSnapshot:
    bids = tuple((Price((_BEST - n) * _CENT), Quantity(10_000)) for n in range(10))
    return BookSnapshot(at=_START, ticker=ticker, sid=1, seq=None, yes_bids=bids, no_bids=bids)


def _changes(tickers: Sequence[str], count: int) -> list[tuple[Instant, BookDelta]]:
    """Sizes come and go; one change in a thousand offers the other side below its worth for 0.3 seconds."""
    rng = random.Random(7)  # noqa: S311 - figures, not secrets
    made: list[tuple[Instant, BookDelta]] = []
    leaving: dict[int, BookDelta] = {}
    while len(made) < count:
        at = Instant(_START + (len(made) + 1) * _STEP)
        delta = leaving.pop(len(made), None)
        if delta is None:
            cents, lots, stay = _BEST - rng.randrange(10), 500, 1
            if rng.random() < 0.001:
                cents, lots, stay = _BEST + rng.choice((6, 7, 8, 9)), 3_000, 300
            delta = BookDelta(
                at=at,
                ticker=rng.choice(tickers),
                sid=1,
                seq=None,
                side=rng.choice((Side.YES, Side.NO)),
                price=Price(cents * _CENT),
                delta=Quantity(lots),
            )
            back = replace(delta, delta=Quantity(-lots))
            leaving[min(set(range(len(made) + stay, len(made) + stay + 9)) - leaving.keys())] = back
        made.append((at, replace(delta, at=at)))
    return made


# --- other engines ---------------------------------------------------------------------------------------


def _against(peer: Peer, count: int, in_memory: float, from_disk: float | None, quick: bool) -> Line:
    """The peer's own rate; the ratio is ours over it, like with like: from disk or from memory."""
    ours = from_disk if peer.reads_from_disk else in_memory
    if quick:
        return Skipped(GROUP, peer.name, "--quick installs nothing")
    if ours is None:
        return Skipped(GROUP, peer.name, "nothing recorded to compare with")
    try:
        theirs = _peer_rate(peer, count)
    except (OSError, subprocess.SubprocessError, ValueError) as exc:
        return Skipped(GROUP, peer.name, f"not installable here: {type(exc).__name__}")
    source = "from disk" if peer.reads_from_disk else "from memory"
    goal = Goal("ratio", peer.goal, at_least=True)
    return Figure(
        GROUP, f"{peer.name}, {source}", theirs, "events/s", ratio=ours / theirs, against="ours is", goal=goal
    )


def _peer_rate(peer: Peer, count: int) -> float:
    """Events per CPU second of a peer, installed into a throw-away environment; the median of three runs."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        install = [str(python), "-m", "pip", "install", "--quiet", "--only-binary", ":all:", peer.requirement]
        subprocess.run(install, check=True, timeout=_PEER_SECONDS, capture_output=True)
        program = str(Path(__file__).parent / "peers" / peer.program)
        command = [str(python), program, str(count)]
        rates = []
        for _ in range(3):
            done = subprocess.run(command, check=True, timeout=_PEER_SECONDS, capture_output=True, cwd=folder)
            rates.append(float(json.loads(done.stdout)["per_s"]))
    return statistics.median(rates)
