"""A small world on a hand-moved clock, and a member who signs requests: what most tests here start from."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlencode

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.clock import SECOND, Instant, ManualClock, parse_instant
from shared.money import MICROS, Usd
from shared.simulator.accounts import Account
from shared.simulator.auth import demo_key
from shared.simulator.faults import Faults
from shared.simulator.flow import Desk
from shared.simulator.kalshi_http import PREFIX, KalshiApi
from shared.simulator.limits import Limits
from shared.simulator.market import Market
from shared.simulator.odds_http import OddsApi
from shared.simulator.schedule import SMALL, Preset
from shared.simulator.web import Reply, Request
from shared.simulator.world import Contest, World

Json = Any
# One short football game, for tests that wait for its end.
ONE_GAME = Preset(counts={"NFL": 1}, first_start_s=900, span_s=60, length_s=300, slate_every_s=None, combos=0)
START = Instant(parse_instant("2026-11-22T15:00:00Z") or 0)
DEPOSIT = Usd(5_000 * MICROS)
ODDS_KEY = "k" * 32
QUOTED = 120  # seconds after which every market has been quoted


class Bench:
    """Both venues without sockets, one member, no rate limits unless asked for."""

    def __init__(
        self,
        seed: int = 7,
        preset: Preset = SMALL,
        limits: Limits | None = None,
        read_lag_s: float = 0.0,
    ) -> None:
        self.clock = ManualClock(START)
        self.world = World(seed, START, preset)
        self.faults = Faults(seed, read_lag_s=read_lag_s)
        self.api = KalshiApi(self.world, self.clock, self.faults, limits or Limits(enforced=False))
        self.odds_api = OddsApi(self.world, self.clock, self.faults)
        self.odds_api.add_key(ODDS_KEY, 1000)
        self.key_id, self.key = demo_key(seed)
        self.account: Account = self.api.add_member(self.key_id, self.key.public_key(), DEPOSIT)
        self._client_ids = 0

    # --- time ----------------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Move the clock and the world."""
        self.clock.set(Instant(self.clock.now() + int(seconds * SECOND)))
        self.api.advance()

    def until(self, instant: int) -> None:
        """Move to an instant."""
        self.clock.set(Instant(instant))
        self.api.advance()

    # --- requests ------------------------------------------------------------------------------------------

    def raw(
        self, method: str, path: str, body: Json = None, *, signed: bool = False, query: str = ""
    ) -> Reply:
        """One request to the exchange."""
        headers = self.sign(method, path) if signed else {}
        data = b"" if body is None else msgspec.json.encode(body)
        return self.api.handle(Request(method, PREFIX + path, query, headers, data))

    def get(self, path: str, signed: bool = False, **query: object) -> Json:
        """Body of a GET that must succeed."""
        answer = self.raw("GET", path, signed=signed, query=urlencode(query, doseq=True))
        assert answer.status == 200, answer.body
        return msgspec.json.decode(answer.body)

    def send(self, method: str, path: str, body: Json = None, **query: object) -> tuple[int, Json]:
        """Status and body of a signed request."""
        answer = self.raw(method, path, body, signed=True, query=urlencode(query, doseq=True))
        return answer.status, msgspec.json.decode(answer.body) if answer.body else None

    def sign(
        self, method: str, path: str, key: Ed25519PrivateKey | None = None, skew_s: float = 0
    ) -> dict[str, str]:
        """The three headers of the member's key."""
        stamp = str((self.clock.now() + int(skew_s * SECOND)) // 1000)
        signature = (key or self.key).sign(f"{stamp}{method}{PREFIX}{path}".encode())
        return {
            "kalshi-access-key": self.key_id,
            "kalshi-access-timestamp": stamp,
            "kalshi-access-signature": base64.b64encode(signature).decode(),
        }

    def odds(
        self, path: str, key: str | None = ODDS_KEY, **query: object
    ) -> tuple[int, Json, dict[str, str]]:
        """Status, body and headers of a request to the odds feed."""
        text = urlencode({**query, **({"apiKey": key} if key else {})})
        answer = self.odds_api.handle(Request("GET", f"/v4{path}", text))
        return answer.status, msgspec.json.decode(answer.body), dict(answer.headers)

    # --- orders --------------------------------------------------------------------------------------------

    def order(self, ticker: str, side: str, price: str, count: str, /, **more: object) -> tuple[int, Json]:
        """Create an order; good till canceled unless told otherwise."""
        self._client_ids += 1
        body = {
            "ticker": ticker,
            "side": side,
            "price": price,
            "count": count,
            "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "taker_at_cross",
            "client_order_id": f"id-{self._client_ids}",
        }
        return self.send("POST", "/portfolio/events/orders", body | more)

    # --- places --------------------------------------------------------------------------------------------

    def contest(self, league: str = "NFL") -> Contest:
        """The first game of a league."""
        return next(contest for contest in self.world.contests if contest.game.league.key == league)

    def market(self, league: str = "NFL") -> Market:
        """A winner market of that game, quoted on both sides."""
        return next(m for m in self.contest(league).markets if m.quote.bid_size and m.quote.ask_size)

    def desk(self, market: Market) -> Desk:
        """The house's desk in a market."""
        return next(d for contest in self.world.contests for d in contest.desks if d.market is market)

    def quiet(self, market: Market) -> None:
        """Let the house neither quote nor take in a market any more; its orders stay."""
        self.desk(market).asleep = True

    def empty(self, league: str = "NFL") -> Market:
        """A winner market whose book is empty and stays so."""
        market = self.market(league)
        self.quiet(market)
        self.desk(market).leave()
        return market


def quoted(seed: int = 7, **options: Any) -> Bench:
    """A bench whose markets all have quotes."""
    bench = Bench(seed, **options)
    bench.wait(QUOTED)
    return bench
