"""The mapper finds the feed's event of the simulated markets, and never a wrong one."""

from __future__ import annotations

import msgspec

from shared.mapping.mapper import map_markets
from shared.simulator.schedule import DEMO
from shared.venues.kalshi import normalise
from shared.venues.odds_api import wire
from shared.venues.odds_api.normalise import odds_event
from tests.simulator.bench import quoted


def test_nearly_every_market_is_mapped_and_none_to_a_wrong_event() -> None:
    bench = quoted(preset=DEMO)
    now = bench.clock.now()
    body = bench.get("/markets", limit=1000, mve_filter="exclude")
    rows = [msgspec.Raw(msgspec.json.encode(row)) for row in body["markets"]]
    markets, unusable = normalise.market_rows(rows, now, "/markets")
    events = [
        odds_event(msgspec.convert(event, wire.Event))
        for sport in bench.odds("/sports")[1]
        for event in bench.odds(f"/sports/{sport['key']}/events")[1]
    ]
    truth = {
        market.ticker: contest.game.odds_id
        for contest in bench.world.contests
        for market in (*contest.markets, *contest.props)
    }
    decided = map_markets(markets, events, now)
    mapped = [decision for decision in decided if decision.odds_event_id]
    assert unusable == []
    assert all(decision.odds_event_id == truth[decision.ticker] for decision in mapped)
    assert len(mapped) > 0.95 * len(decided)
