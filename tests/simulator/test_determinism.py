"""The same seed and the same requests at the same times give the same bytes."""

from __future__ import annotations

import hashlib

from shared.clock import MINUTE
from tests.simulator.bench import ODDS_KEY, ONE_GAME, START, Bench, quoted


def _session(seed: int) -> str:
    """Digest of everything a scripted client sees in 40 minutes, orders included."""
    bench, seen = Bench(seed), hashlib.sha256()

    def see(body: bytes) -> None:
        seen.update(body)

    for minute in range(40):
        bench.until(START + minute * MINUTE + 7)
        see(bench.raw("GET", "/markets", query="limit=200").body)
        see(bench.raw("GET", "/markets/trades", query="limit=50").body)
        if minute % 10 == 5:
            market = bench.market()
            bench.order(market.ticker, "bid", "0.9900", "3.00", time_in_force="immediate_or_cancel")
            see(bench.raw("GET", f"/markets/{market.ticker}/orderbook").body)
            see(bench.raw("GET", "/portfolio/fills", signed=True).body)
            _, body, _ = bench.odds("/sports/americanfootball_nfl/odds", ODDS_KEY, regions="us,eu")
            see(repr(body).encode())
    return seen.hexdigest()


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert _session(11) == _session(11)


def test_another_seed_gives_other_bytes() -> None:
    assert _session(11) != _session(12)


def test_how_often_somebody_asks_changes_nothing() -> None:
    busy, idle = Bench(3), Bench(3)
    for _ in range(60):
        busy.wait(10)
        busy.get("/markets", limit=10)
    idle.until(busy.clock.now())
    assert [m.quote for m in busy.world.exchange.listing] == [m.quote for m in idle.world.exchange.listing]


def test_orders_do_not_change_how_a_game_ends() -> None:
    trading, watching = quoted(5, preset=ONE_GAME), quoted(5, preset=ONE_GAME)
    trading.order(trading.market().ticker, "bid", "0.9900", "50.00")
    end = max(c.game.start + c.game.length for c in watching.world.contests) + MINUTE
    for bench in (trading, watching):
        bench.until(end)
    assert [c.latent.final for c in trading.world.contests] == [
        c.latent.final for c in watching.world.contests
    ]
