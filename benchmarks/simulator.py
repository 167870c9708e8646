"""Figures of the simulator, in CPU time."""

from __future__ import annotations

from itertools import count

from benchmarks.report import Figure, Line
from benchmarks.timing import median_s
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

GROUP = "simulator"
START = Instant(1_795_359_600_000_000)


def figures(quick: bool) -> list[Line]:
    """A virtual hour, and one request of each kind."""
    world = World(7, START, DEMO)
    clock, faults = ManualClock(START), Faults(listing_cache_s=0)
    kalshi = KalshiApi(world, clock, faults, Limits(enforced=False))
    odds = OddsApi(world, clock, faults)
    odds.add_key("key", 10**9)
    account = kalshi.add_member("member", demo_key(7)[1].public_key(), Usd(10_000 * MICROS))

    def hour() -> None:
        clock.set(Instant(clock.now() + HOUR))
        kalshi.advance()

    virtual = median_s(hour, 2 if quick else 4)
    page = Request("GET", f"{PREFIX}/markets", "limit=1000&mve_filter=exclude")
    rows, listing = len(world.exchange.listing), median_s(lambda: kalshi.handle(page), 20)
    market = next(m for m in world.exchange.listing if m.quote.bid_size and m.contract.shard == 0)
    book = Request("GET", f"{PREFIX}/markets/{market.ticker}/orderbook")
    turns = count()

    def order() -> None:
        ticket = Ticket(market.ticker, True, Quantity(100), Price(10_000), GTC, MAKER, f"c{next(turns)}")
        world.orders.cancel(account, world.orders.create(account, ticket)["order_id"], market.ticker, None)

    query = "apiKey=key&regions=us,eu&markets=h2h,spreads,totals"
    feed = Request("GET", "/v4/sports/americanfootball_nfl/odds", query)
    return [
        Figure(GROUP, f"one virtual hour of {len(world.contests)} games", virtual * 1e3, "ms"),
        Figure(GROUP, f"/markets, {rows:,} rows", listing * 1e3, "ms"),
        Figure(GROUP, "order book", median_s(lambda: kalshi.handle(book), 200) * 1e6, "us"),
        Figure(GROUP, "create and cancel", median_s(order, 200) * 1e6, "us"),
        Figure(
            GROUP, "odds of one sport, three markets", median_s(lambda: odds.handle(feed), 20) * 1e3, "ms"
        ),
    ]
