"""What a trader finds: most markets are fair within their costs, a few are not, and not for long."""

from __future__ import annotations

import pytest

from shared.simulator.flow import Desk
from shared.simulator.schedule import DEMO
from tests.simulator.bench import Bench


def _net_edge(desk: Desk) -> float | None:
    """Best edge of either side against the truth after the fee, dollars; ``None`` without both quotes."""
    quote = desk.market.quote
    if quote.bid is None or quote.ask is None:
        return None
    rate = 0.07 * desk.market.schedule.multiplier_micro / 1e6
    bid, ask, truth = quote.bid / 1e6, quote.ask / 1e6, desk.truth
    return max(truth - ask - rate * ask * (1 - ask), bid - truth - rate * bid * (1 - bid))


@pytest.fixture(scope="module")
def history() -> list[dict[str, float]]:
    """Edges of every market before its game, every minute of an hour."""
    bench, seen = Bench(7, preset=DEMO), []
    bench.wait(300)
    for _ in range(60):
        bench.wait(60)
        desks = [d for c in bench.world.contests if c.game.start > bench.clock.now() for d in c.desks]
        edges = {desk.market.ticker: _net_edge(desk) for desk in desks}
        seen.append({ticker: edge for ticker, edge in edges.items() if edge is not None})
    return seen


def test_most_markets_have_no_edge(history: list[dict[str, float]]) -> None:
    shares = [sum(edge < 0.01 for edge in edges.values()) / len(edges) for edges in history]
    assert min(shares) > 0.88


def test_some_edges_of_a_few_cents_exist_most_of_the_time(history: list[dict[str, float]]) -> None:
    found = [sum(0.01 <= edge < 0.08 for edge in edges.values()) for edges in history]
    assert sum(count > 0 for count in found) > 50


def test_edges_vanish_within_minutes(history: list[dict[str, float]]) -> None:
    lives: list[int] = []
    running: dict[str, int] = {}
    for edges in history:
        for ticker, edge in edges.items():
            if edge >= 0.01:
                running[ticker] = running.get(ticker, 0) + 1
            elif ticker in running:
                lives.append(running.pop(ticker))
    assert len(lives) > 20
    assert sorted(lives)[len(lives) // 2] <= 5
    assert max(lives) <= 20
