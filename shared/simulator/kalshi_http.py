"""The exchange's REST interface: signature, rate limit, cache and route, and the error bodies around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import load_pem_public_key

from shared.clock import SECOND, Clock, Instant
from shared.ids import as_uuid, digest
from shared.money import Usd
from shared.simulator.accounts import Account
from shared.simulator.auth import AuthError, Keyring, PublicKey, scopes_for
from shared.simulator.exchange import SHARDS
from shared.simulator.faults import Faults
from shared.simulator.happenings import Happenings
from shared.simulator.kalshi_access import AccessApi
from shared.simulator.kalshi_groups import GroupsApi
from shared.simulator.kalshi_orders import OrdersApi, batch_size, write_shards
from shared.simulator.kalshi_portfolio import PortfolioApi
from shared.simulator.kalshi_public import PublicApi
from shared.simulator.limits import Buckets, Limits, Rate
from shared.simulator.plan import NOTHING, Plan, Struck, name_of
from shared.simulator.query import BadQuery
from shared.simulator.scenario import Kind, Scenario
from shared.simulator.tickets import Refusal
from shared.simulator.web import Query, Reply, Request, Route, Router, reply
from shared.simulator.world import World

PREFIX = "/trade-api/v2"
WS_PATH = "/trade-api/ws/v2"
_CACHED = ("/markets", "/events", "/series")
_CACHE_SIZE = 256
_LEGACY = "/portfolio/orders"
_GONE = {
    "error": {
        "code": "deprecated_v1_order_endpoint",
        "message": "Please switch to the V2 endpoints",
        "details": "https://docs.kalshi.com/api-reference/orders/create-order-v2",
    }
}


@dataclass(frozen=True, slots=True)
class _Cached:
    until: Instant
    answer: Reply


class KalshiApi:
    """Answers requests under ``/trade-api/v2`` for one world; members join with :meth:`add_member`."""

    def __init__(self, world: World, clock: Clock, faults: Faults, limits: Limits | None = None) -> None:
        self.world = world
        self.clock = clock
        self.faults = faults
        self.limits = limits or Limits()
        self.keys = Keyring()
        self._buckets = Buckets()
        self._cache: dict[str, _Cached] = {}
        self._happenings: Happenings | None = None
        self._router = Router(
            PublicApi(world).routes()
            + OrdersApi(world.orders).routes()
            + GroupsApi(world.orders.groups).routes()
            + PortfolioApi(world.exchange, faults).routes()
            + AccessApi(self.keys, self.limits).routes()
        )

    def add_member(self, key_id: str, public_key: PublicKey, deposit: Usd) -> Account:
        """Open an account with ``deposit`` on every trading shard but the combos' and register its key."""
        account = Account(as_uuid(digest("member", key_id)))
        self.world.exchange.accounts[account.user_id] = account
        for shard in SHARDS:
            account.deposit(shard, 0 if shard == 1 else deposit)
        account.note(self.world.exchange.started)
        self.add_key(key_id, public_key, account)
        return account

    def add_key(
        self,
        key_id: str,
        public_key: PublicKey | bytes,
        account: Account,
        scopes: tuple[str, ...] = ("read", "write"),
    ) -> None:
        """Register another key of an account, as an object or in PEM; ``ValueError`` for other kinds."""
        key = load_pem_public_key(public_key) if isinstance(public_key, bytes) else public_key
        if not isinstance(key, PublicKey):
            raise ValueError(f"{type(key).__name__} cannot sign requests here")
        self.keys.add(key_id, key, account, scopes)

    def advance(self) -> Instant:
        """Bring the world up to the clock."""
        self.world.advance(self.clock.now())
        return self.world.now

    def play(self, scenario: Scenario) -> Plan:
        """Put a scenario in force from now, in place of the one before; one without faults ends it."""
        self.advance()
        if self._happenings is not None:
            self._happenings.stop()
        plan = self.faults.plan = Plan(scenario, lambda: self.world.now)
        self._happenings = Happenings(self.world, plan)
        return plan

    async def answer(self, request: Request) -> Reply:
        """Answer one request after the time it takes there and back, on the exchange's own clock."""
        struck = self._strike(request)
        await self._wait(struck.seconds(Kind.LATE_REQUEST))
        result = self._suffered(request, struck)
        await self._wait(self.faults.latency_s + struck.seconds(Kind.LATE_ANSWER, Kind.TIMEOUT))
        return result

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            await self.clock.sleep(seconds)

    def _strike(self, request: Request) -> Struck:
        self.advance()
        plan = self.faults.plan
        return NOTHING if plan is None else plan.request(name_of(request, PREFIX))

    def handle(self, request: Request) -> Reply:
        """Answer one request at once; ``request.path`` is the full path with its prefix."""
        return self._suffered(request, self._strike(request))

    def _suffered(self, request: Request, struck: Struck) -> Reply:
        return struck.instead or struck.changed(self._handled(request))

    def admit(self, request: Request) -> Account | Reply:
        """The member behind a stream's handshake, or the answer that refuses it."""
        instead = self._strike(request).instead
        if instead is not None:
            return instead
        try:
            return self.keys.verify(request.headers, "GET", request.path, self._auth_now(self.advance()))
        except AuthError as error:
            return reply({"error": error.error}, 401)

    def _auth_now(self, now: Instant) -> Instant:
        return Instant(now + self.faults.skew)

    def _handled(self, request: Request) -> Reply:
        now = self.advance()
        struck = self.faults.before(request)
        if struck is not None:
            return struck
        try:
            answer = self._route(request, now)
        except Refusal as refusal:
            answer = reply({"error": refusal.error}, refusal.status)
        except AuthError as error:
            answer = reply({"error": error.error}, 401)
        except BadQuery as bad:
            answer = reply(bad.body, 400)
        return self.faults.after(request, answer)

    def _route(self, request: Request, now: Instant) -> Reply:
        path = request.path.removeprefix(PREFIX)
        if request.method != "GET" and path.startswith(_LEGACY):
            return reply(_GONE, 410)
        found = self._router.find(request.method, path)
        if found is None:
            raise Refusal(404, "not_found")
        route, values = found
        query = Query(request.query)
        if route.private:
            at = self._auth_now(now)
            account = self.keys.verify(request.headers, request.method, request.path, at)
            self.keys.require(request.headers, scopes_for(route.pattern, route.write))
            self._bill_member(account, route, request, now)
            return route.handler(account, request, query, *values)
        self._bill_stranger(request, now)
        return self._public(route, request, lambda: route.handler(request, query, *values), now)

    def _public(
        self, route: Route[Reply], request: Request, answer: Callable[[], Reply], now: Instant
    ) -> Reply:
        """Listings come from a cache of some seconds, as from the real content network; books never do."""
        if route.pattern not in _CACHED:
            return answer()
        key = f"{request.path}?{request.query}"
        kept = self._cache.get(key)
        if kept is not None and now < kept.until:
            return kept.answer
        fresh = answer()
        age = self.faults.listing_cache_s
        fresh = Reply(fresh.status, fresh.body, {**fresh.headers, "cache-control": f"public, max-age={age}"})
        if len(self._cache) >= _CACHE_SIZE:
            self._cache.clear()
        self._cache[key] = _Cached(Instant(now + age * SECOND), fresh)
        return fresh

    def _bill_member(self, account: Account, route: Route[Reply], request: Request, now: Instant) -> None:
        if route.pattern == "/portfolio/balance":
            return self._bill(f"balance/{account.user_id}", self.limits.balance, 1, now)
        if not route.write:
            return self._bill(f"read/{account.user_id}", self.limits.read, route.cost, now)
        items = batch_size(request.body) if route.pattern.endswith("/batched") else 1
        for shard in write_shards(route.pattern, request):
            self._bill(f"write{shard}/{account.user_id}", self.limits.write, route.cost * items, now)
        return None

    def _bill_stranger(self, request: Request, now: Instant) -> None:
        self._bill(f"peer/{request.peer}", self.limits.stranger, 10, now)

    def _bill(self, name: str, rate: Rate, tokens: int, now: Instant) -> None:
        if self.limits.enforced and not self._buckets.take(name, rate, tokens, now):
            raise Refusal(429, "too_many_requests")
