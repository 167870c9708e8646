"""The way between processes and the exchange: requests and one stream a connection, with everything that a
network and an edge server can do to them.

A request that has left arrives, whatever becomes of its sender; it takes effect when it arrives; its answer
may be lost, late, or somebody else's.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from urllib.parse import urlencode, urlsplit

import msgspec

from shared.clock import SECOND
from shared.errors import ArbError, OutcomeUnknownError, VenueDownError
from shared.money import Quantity
from shared.simulator.accounts import Account
from shared.simulator.kalshi_http import KalshiApi
from shared.simulator.kalshi_ws import Session
from shared.simulator.market import Market
from shared.simulator.matching import Order
from shared.simulator.web import Reply, Request
from shared.venues.http import Params, Response
from tests.simulation.loop import SimulationLoop, owned
from tests.simulation.plan import Fault
from tests.simulation.process import Incarnation
from tests.simulation.weather import Weather

ORDERS_PATH = "/trade-api/v2/portfolio/events/orders"
_WAY_S = (0.004, 0.030)
_FRAME_S = (0.003, 0.020)
_PING_S = 10.0
# The exchange moves by itself this often; in between, whenever anybody asks it anything.
_PUMP_S = 0.5
_HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
_ANSWERS: dict[str, Reply] = {
    "401": Reply(401, b'{"error":{"code":"authentication_error","message":"authentication_error"}}'),
    "404": Reply(404, b'{"error":{"code":"not_found","message":"not found"}}'),
    "409": Reply(409, b'{"error":{"code":"exchange_is_paused","message":"exchange is paused"}}'),
    "429": Reply(429, b'{"error":{"code":"too_many_requests","message":"too many requests"}}'),
    "500": Reply(500, b'{"error":{"code":"internal_server_error","message":"internal server error"}}'),
    "503": Reply(503, b""),
    "html": Reply(502, _HTML, {"content-type": "text/html"}),
    "empty": Reply(403, b""),
}


@dataclass
class Exchange:
    """The simulated exchange and what hears of it: ``on_send`` when an order leaves a process, with
    the time at which it was handed over, ``on_arrival`` after every request that reached it."""

    loop: SimulationLoop
    weather: Weather
    api: KalshiApi
    account: Account
    seed: int | str
    on_send: Callable[[Incarnation, Request, float], None] = lambda who, request, asked: None
    on_arrival: Callable[[str, Request], None] = lambda who, request: None
    lines: list[Line] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(f"{self.seed}/network")  # noqa: S311 - reproducible

    def pump(self) -> None:
        """Keep the exchange moving, for ever."""
        self.api.advance()
        with owned(None):
            self.loop.call_later(_PUMP_S, self.pump)

    def market(self, ticker: str) -> Market:
        """A market of it."""
        return self.api.world.exchange.markets[ticker]

    def date(self) -> str:
        """The time as the header of an answer tells it."""
        return formatdate(self.api.clock.now() // SECOND, usegmt=True)

    def snatch(self, request: Request) -> None:
        """Somebody was faster: a part of the best offers of an order's market is gone."""
        exchange = self.api.world.exchange
        market = exchange.markets.get(msgspec.json.decode(request.body, type=_Named).ticker)
        if market is None or not market.is_open:
            return
        for bid in (True, False):
            best = market.book.best(not bid)
            if best is not None:
                left = self.rng.choice((0, 100, 100, 200, 350))
                lots = Quantity(max(0, market.book.size(not bid, best) - left))
                if lots:
                    exchange.match(market, Order(exchange.next_number(), exchange.crowd, bid, best, lots))
        exchange.touch(market)


class _Named(msgspec.Struct):
    ticker: str = ""


def is_order(request: Request) -> bool:
    """Whether a request would create orders."""
    return request.method == "POST" and request.path in (ORDERS_PATH, f"{ORDERS_PATH}/batched")


class ProcessTransport:
    """The ``Transport`` of one process."""

    def __init__(self, exchange: Exchange, incarnation: Incarnation) -> None:
        self._exchange, self._owner = exchange, incarnation
        self._loop, self._weather, self._rng = exchange.loop, exchange.weather, exchange.rng

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
        """See the protocol."""
        names = {name.lower(): value for name, value in (headers or {}).items()}
        request = Request(method, urlsplit(url).path, urlencode(params), names, body or b"")
        orders, asked = is_order(request), self._loop.time()
        if orders:
            await self._owner.passes("send:before")
        await self._owner.lives()
        answer = self._send(request, seconds, asked)
        if orders:
            await self._owner.passes("send:after")
        reply = await answer
        if orders:
            await self._owner.passes("answer:after")
        await self._owner.lives()
        return Response(reply.status, {**reply.headers, "date": self._exchange.date()}, reply.body)

    async def close(self) -> None:
        """See the protocol."""

    def _send(self, request: Request, seconds: float, asked: float) -> asyncio.Future[Reply]:
        answer: asyncio.Future[Reply] = self._loop.create_future()
        if is_order(request):
            self._exchange.on_send(self._owner, request, asked)
        self._loop.record.effect(
            self._owner.name, "sends", f"{request.method} {request.path}?{request.query}"
        )
        with owned(None):
            silence = self._loop.call_later(seconds, _fail, answer, _no_answer(request))
            answer.add_done_callback(lambda _: silence.cancel())
            if self._strikes("http_dropped"):
                self._drop(request, answer)
            else:
                self._loop.call_later(self._way(), self._arrive, request, answer)
        return answer

    def _drop(self, request: Request, answer: asyncio.Future[Reply]) -> None:
        """It never arrives: noticed at once when there is no connection, else by silence."""
        if self._rng.random() < 0.5:
            error = VenueDownError(f"{request.method} {request.path}: no connection")
            self._loop.call_later(0.01, _fail, answer, error)

    def _arrive(self, request: Request, answer: asyncio.Future[Reply]) -> None:
        strange = self._strikes("http_status")
        if strange is not None:
            self._answer(answer, _ANSWERS[strange.word])
            return
        if is_order(request) and self._strikes("snatched"):
            self._exchange.snatch(request)
        reply = self._exchange.api.handle(request)
        self._loop.record.effect("exchange", "answers", f"{reply.status} {request.method} {request.path}")
        self._exchange.on_arrival(self._owner.name, request)
        if request.method != "GET" and self._strikes("http_done_but_500"):
            reply = _ANSWERS["500"]
        if self._strikes("http_lost_answer"):
            if self._rng.random() < 0.5:
                self._loop.call_later(0.02, _fail, answer, _no_answer(request))
            return
        self._answer(answer, reply)

    def _answer(self, answer: asyncio.Future[Reply], reply: Reply) -> None:
        self._loop.call_later(self._way(), _give, answer, reply)

    def _way(self) -> float:
        late = self._strikes("http_late")
        way = self._rng.uniform(*_WAY_S)
        return way if late is None else way + self._rng.random() * late.value

    def _strikes(self, kind: str) -> Fault | None:
        return self._weather.strikes(kind, self._owner.who)


def _no_answer(request: Request) -> ArbError:
    where = f"{request.method} {request.path}: no answer"
    return VenueDownError(where) if request.method == "GET" else OutcomeUnknownError(where)


def _give(answer: asyncio.Future[Reply], reply: Reply) -> None:
    if not answer.done():
        answer.set_result(reply)


def _fail(answer: asyncio.Future[Reply], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)


# --- the stream --------------------------------------------------------------------------------------------


class _Numbered(msgspec.Struct):
    type: str = ""
    sid: int = 0
    seq: int | None = None


class _SnapshotBody(msgspec.Struct):
    market_ticker: str = ""


class _Snapshot(msgspec.Struct):
    sid: int = 0
    msg: _SnapshotBody = msgspec.field(default_factory=_SnapshotBody)


_numbered = msgspec.json.Decoder(_Numbered)
_snapshot = msgspec.json.Decoder(_Snapshot)
_FILL, _DELTA, _SNAPSHOT = b'{"type":"fill"', b'{"type":"orderbook_delta"', b'"type":"orderbook_snapshot"'


class ProcessConnect:
    """Opens streams for one process."""

    def __init__(self, exchange: Exchange, incarnation: Incarnation) -> None:
        self._exchange, self._owner = exchange, incarnation

    async def __call__(self) -> Line:
        """A new connection; raises :class:`VenueDownError`."""
        await self._owner.lives()
        exchange = self._exchange
        await asyncio.sleep(exchange.rng.uniform(*_WAY_S))
        await self._owner.lives()
        if exchange.weather.strikes("stream_refused", self._owner.who):
            raise VenueDownError("stream: 503 at the handshake")
        return Line(exchange, self._owner)


class Line:
    """One connection, both ends. Frames arrive in order, unless a fault says otherwise."""

    def __init__(self, exchange: Exchange, owner: Incarnation) -> None:
        self.owner, self._exchange = owner, exchange
        self._loop, self._weather, self._rng = exchange.loop, exchange.weather, exchange.rng
        self.is_open = True
        self.suspect_since: dict[str, float] = {}  # books of which the process knows that they are not whole
        self._sid_of: dict[str, int] = {}
        self.heard_at = self._loop.time()
        self._lost: dict[int, int] = {}  # number of the first lost message, by sid
        self._wire: deque[bytes | None] = deque()
        self._arrives = 0.0
        self._held: list[bytes] = []
        self._inbox: deque[bytes | None] = deque()
        self._waiter: asyncio.Future[None] | None = None
        with owned(None):
            self._session = Session(exchange.api, exchange.account, self._push, self.drop)
            self._loop.call_later(_PING_S, self._ping)
        exchange.lines.append(self)
        owner.on_death.append(self.drop)

    # --- the process's end ----------------------------------------------------------------------------------

    async def receive(self) -> bytes | str | None:
        """See ``Socket``."""
        await self.owner.lives()
        while not self._inbox:
            self._waiter = self._loop.create_future()
            await self._waiter
        frame = self._inbox.popleft()
        if frame is None:
            self._inbox.append(None)
        return frame

    async def send(self, data: bytes) -> None:
        """See ``Socket``."""
        await self.owner.lives()
        if not self.is_open:
            raise VenueDownError("stream: cannot send (closed)")
        with owned(None):
            self._loop.call_later(self._rng.uniform(*_WAY_S), self._obey, data)

    async def close(self) -> None:
        """See ``Socket``."""
        self.drop()

    # --- the exchange's end ---------------------------------------------------------------------------------

    def drop(self) -> None:
        """The connection dies; what is under way is lost."""
        if not self.is_open:
            return
        self.is_open = False
        self._session.close()
        self._exchange.lines.remove(self)
        self._wire.clear()
        self._inbox.append(None)
        self._wake()

    def is_suspect(self, ticker: str, since: float) -> bool:
        """Whether the process has known since before ``since`` that this book is not whole."""
        return self.suspect_since.get(ticker, since) < since

    def _obey(self, data: bytes) -> None:
        if self.is_open:
            self._session.receive(data)

    def _push(self, frame: bytes) -> None:
        """The exchange has sent a frame."""
        who = self.owner.who
        strikes = self._weather.strikes
        if frame.startswith(_FILL):
            if strikes("fills_lost", who):
                return
            if strikes("fills_swapped", who):
                self._held.append(frame)
                return
            if strikes("fills_twice", who):
                self._carry(frame)
        elif self._is_lost(frame, who):
            return
        self._carry(frame)
        while self._held:
            self._carry(self._held.pop())

    def _is_lost(self, frame: bytes, who: int) -> bool:
        lost = (frame.startswith(_DELTA) and self._weather.strikes("stream_gap", who)) or (
            _SNAPSHOT in frame[:80] and self._weather.strikes("snapshots_lost", who)
        )
        if lost:
            gone = _numbered.decode(frame)
            self._lost.setdefault(gone.sid, gone.seq or 0)
        return bool(lost)

    def _carry(self, frame: bytes) -> None:
        self._wire.append(frame)
        self._arrives = max(self._arrives, self._loop.time() + self._rng.uniform(*_FRAME_S))
        with owned(None):
            self._loop.call_at(self._arrives, self._arrive)

    def _arrive(self) -> None:
        # Whichever timer this is, the oldest frame arrives: order is kept.
        if not self._wire:
            return
        if self._weather.strikes("stream_silent", self.owner.who):
            with owned(None):
                self._loop.call_later(1.0, self._arrive)
            return
        frame = self._wire.popleft()
        if frame is None:
            return
        self._notice(frame)
        self._inbox.append(frame)
        self._wake()

    def _notice(self, frame: bytes) -> None:
        """Keep account of what the process can know about lost messages."""
        self.heard_at = self._loop.time()
        if self._lost:
            seen = _numbered.decode(frame)
            if seen.seq is not None and seen.seq > self._lost.get(seen.sid, seen.seq):
                del self._lost[seen.sid]
                for ticker in [one for one, sid in self._sid_of.items() if sid == seen.sid]:
                    self.suspect_since.setdefault(ticker, self._loop.time())
        if _SNAPSHOT in frame[:80]:
            whole = _snapshot.decode(frame)
            self._sid_of[whole.msg.market_ticker] = whole.sid
            self.suspect_since.pop(whole.msg.market_ticker, None)

    def _ping(self) -> None:
        if not self.is_open:
            return
        if not self._weather.strikes("stream_silent", self.owner.who):
            self.heard_at = self._loop.time()
            self._inbox.append(b"")
            self._wake()
        with owned(None):
            self._loop.call_later(_PING_S, self._ping)

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
