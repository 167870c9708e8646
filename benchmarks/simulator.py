"""Figures of the simulator: ``python -m benchmarks.simulator``. CPU time, medians, one line each."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from shared.clock import HOUR, Instant, ManualClock
from shared.money import MICROS, Price, Quantity, Usd
from shared.simulator.auth import demo_key
from shared.simulator.faults import Faults
from shared.simulator.kalshi_http import PREFIX, KalshiApi
from shared.simulator.limits import Limits
from shared.simulator.odds_http import OddsApi
from shared.simulator.schedule import DEMO
from shared.simulator.tickets import GTC, MAKER, Ticket
from shared.simulator.web import Request
from shared.simulator.world import World

START = Instant(1_795_359_600_000_000)


def _median_ms(action: Callable[[int], object], times: int) -> float:
    taken = []
    for turn in range(times):
        before = time.process_time()
        action(turn)
        taken.append(time.process_time() - before)
    return statistics.median(taken) * 1000


def main() -> None:
    """Print every figure."""
    world = World(7, START, DEMO)
    clock, faults = ManualClock(START), Faults(listing_cache_s=0)
    kalshi = KalshiApi(world, clock, faults, Limits(enforced=False))
    odds = OddsApi(world, clock, faults)
    odds.add_key("key", 10**9)
    account = kalshi.add_member("member", demo_key(7)[1].public_key(), Usd(10_000 * MICROS))

    def hour(_: int) -> None:
        clock.set(Instant(clock.now() + HOUR))
        kalshi.advance()

    print(f"one virtual hour of {len(world.contests)} games: {_median_ms(hour, 4):.0f} ms of CPU")
    page = Request("GET", f"{PREFIX}/markets", "limit=1000&mve_filter=exclude")
    rows, listing = len(world.exchange.listing), _median_ms(lambda _: kalshi.handle(page), 20)
    print(f"/markets, {rows} rows: {listing:.1f} ms")
    market = next(m for m in world.exchange.listing if m.quote.bid_size and m.contract.shard == 0)
    book = Request("GET", f"{PREFIX}/markets/{market.ticker}/orderbook")
    print(f"order book: {_median_ms(lambda _: kalshi.handle(book), 200) * 1000:.0f} us")

    def order(turn: int) -> None:
        ticket = Ticket(market.ticker, True, Quantity(100), Price(10_000), GTC, MAKER, f"c{turn}")
        world.orders.cancel(account, world.orders.create(account, ticket)["order_id"], market.ticker, None)

    print(f"create and cancel: {_median_ms(order, 200) * 1000:.0f} us")
    query = "apiKey=key&regions=us,eu&markets=h2h,spreads,totals"
    feed = Request("GET", "/v4/sports/americanfootball_nfl/odds", query)
    print(f"odds of one sport, three markets: {_median_ms(lambda _: odds.handle(feed), 20):.1f} ms")


if __name__ == "__main__":
    main()
