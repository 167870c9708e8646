"""A member's trading desk at the simulated exchange, without sockets: requests and frames go by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from shared.clock import Instant
from shared.money import Price, Quantity
from shared.simulator.kalshi_ws import Session
from shared.simulator.market import Market
from shared.simulator.web import Request
from shared.terms import Side
from shared.venues.http import Params, Response
from shared.venues.kalshi.buckets import Buckets
from shared.venues.kalshi.client import KalshiClient
from shared.venues.kalshi.events import StreamEvent
from shared.venues.kalshi.order_wire import OrderRef, OrderTicket, TimeInForce
from shared.venues.kalshi.portfolio import KalshiPortfolio
from shared.venues.kalshi.private import PrivateFeed
from shared.venues.kalshi.protocol import Output, StreamProtocol
from shared.venues.kalshi.sign import Signer
from shared.venues.kalshi.trading import KalshiTrading
from shared.venues.retry import Retry
from tests.simulator.bench import DEPOSIT, Bench, quoted

BASE = "https://exchange.example/trade-api/v2"


def cents(value: int) -> Price:
    return Price(value * 10_000)


def contracts(value: int) -> Quantity:
    return Quantity(value * 100)


class BenchClock:
    """The bench's time; who sleeps moves it, so nobody waits."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def now(self) -> Instant:
        return self._bench.clock.now()

    async def sleep(self, seconds: float) -> None:
        self._bench.wait(seconds)


class BenchTransport:
    """Hands requests to the simulated exchange and keeps what was sent."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.sent: list[Request] = []

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
        names = {name.lower(): value for name, value in (headers or {}).items()}
        request = Request(method, urlsplit(url).path, urlencode(params), names, body or b"")
        self.sent.append(request)
        answer = self._bench.api.handle(request)
        return Response(answer.status, dict(answer.headers), answer.body)

    async def close(self) -> None:
        return None


class TradingDesk:
    """Everything a member trades with, on a quoted bench."""

    def __init__(self, bench: Bench | None = None, *, attempts: int = 1) -> None:
        self.bench = bench or quoted()
        self.clock = BenchClock(self.bench)
        self.transport = BenchTransport(self.bench)
        self.buckets = Buckets(self.clock)
        self.client = KalshiClient(
            self.transport,
            self.clock,
            Retry(self.clock, lambda: 0.5, attempts=attempts),
            base_url=BASE,
            signer=Signer(self.bench.key_id, self.bench.key),
            buckets=self.buckets,
        )
        self.trading = KalshiTrading(self.client, self.clock)
        self.portfolio = KalshiPortfolio(self.client, self.clock)
        self.feed = PrivateFeed(self.clock, self.bench.clock.now())
        self._ids = 0
        self._has_other = False

    def ticket(
        self, market: Market, side: Side = Side.YES, price: int = 1, count: int = 1, **more: Any
    ) -> OrderTicket:
        """An order of ``count`` contracts at ``price`` cents, good till canceled unless told otherwise."""
        self._ids += 1
        given: dict[str, Any] = {
            "ticker": market.ticker,
            "exchange_index": market.contract.shard,
            "side": side,
            "price": cents(price),
            "quantity": contracts(count),
            "client_order_id": f"00000000-{self._ids:04d}",
            "time_in_force": TimeInForce.GTC,
        }
        return OrderTicket(**(given | more))

    def other(self, market: Market, book_side: str, price: str, count: str, **more: Any) -> Any:
        """Another member's order, good till canceled."""
        bench, mine = self.bench, self.bench.key_id
        if not self._has_other:
            bench.api.add_member("other", bench.key.public_key(), DEPOSIT)
            self._has_other = True
        bench.key_id = "other"
        status, body = bench.order(market.ticker, book_side, price, count, **more)
        bench.key_id = mine
        assert status == 201, body
        return body

    async def rest(self, market: Market, side: Side = Side.YES, price: int = 1, count: int = 1) -> OrderRef:
        """An order in the book."""
        placed = await self.trading.create(self.ticket(market, side, price, count))
        return OrderRef(placed.order_id, market.ticker, market.contract.shard)


class Line:
    """A connection of the desk's stream protocol with the exchange."""

    def __init__(self, desk: TradingDesk) -> None:
        self.desk = desk
        self.protocol = StreamProtocol(account=True, lifecycle=False)
        self.events: list[StreamEvent] = []
        self._frames: list[bytes] = []
        self._session: Session | None = None

    def open(self) -> None:
        """Connect and subscribe."""
        bench = self.desk.bench
        self._session = Session(bench.api, bench.account, self._frames.append, self.drop)
        self._take(self.protocol.connected(bench.clock.now()))
        self.pump()

    def pump(self) -> None:
        """Let everything that was sent arrive."""
        while self._frames:
            self._take(self.protocol.received(self._frames.pop(0), self.desk.bench.clock.now()))

    def drop(self) -> None:
        """The connection dies; what was under way is lost."""
        if self._session is not None:
            self._session.close()
            self._session = None
            self._frames.clear()
            self._take(self.protocol.disconnected("dropped", self.desk.bench.clock.now()))

    def of(self, kind: type[Any]) -> list[Any]:
        """Events of one kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def _take(self, out: Output) -> None:
        self.events += out.events
        for event in out.events:
            self.desk.feed.note(event)
        for command in out.commands:
            if self._session is not None:
                self._session.receive(command)
