"""Signals for the simulated markets: most worth trading, some worn out, nonsense, told twice or withdrawn."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from shared.clock import HOUR, SECOND, Instant
from shared.fees.kalshi import FeeSchedule
from shared.fees.protocol import from_fine
from shared.ids import digest
from shared.messages import Certificate, OpportunityAssessed, PriceRange, SignalRaised, seal
from shared.money import LOTS, MICROS, Price, Quantity, complement
from shared.ports import Create
from shared.simulator.market import Market
from shared.terms import FeeType, MarketKind, Period, Profile, Side
from tests.simulation.bus import SimulationBus
from tests.simulation.loop import SimulationLoop, owned
from tests.simulation.network import Exchange
from tests.simulation.store import Store

_EDGE = 0.03
_MOST_CONTRACTS = 12
_GOOD_FOR_S = (5.0, 60.0)
_WITHDRAWN_SHARE = 0.3
_WITHDRAWN_IN_S = (0.2, 8.0)


@dataclass
class Signals:
    """Raises signals at random moments. ``bad`` are ids of those on which nobody may ever trade."""

    loop: SimulationLoop
    bus: SimulationBus
    exchange: Exchange
    store: Store
    seed: int | str
    per_minute: float
    start: Instant
    raised: dict[str, SignalRaised] = field(default_factory=dict)
    bad: dict[str, str] = field(default_factory=dict)
    until: float = 0.0

    def __post_init__(self) -> None:
        self.rng = random.Random(f"{self.seed}/signals")  # noqa: S311 - reproducible
        self._tickers = sorted(self.exchange.api.world.exchange.markets)
        self._second_thoughts = random.Random(f"{self.seed}/assessments")  # noqa: S311 - reproducible
        # A few markets, so that signals meet.
        self.rng.shuffle(self._tickers)
        self.favourites = self._tickers[:4]

    def go_on(self, until: float) -> None:
        """Raise signals until the loop says ``until``."""
        self.until = until
        self._next()

    def probe(self) -> None:
        """A signal that nothing speaks against: one contract, in a calm market, above what stands there."""
        calm = [ticker for ticker in self._tickers if _is_calm(self._market(ticker))]
        if calm:
            made = self._made(self._market(self.rng.choice(calm)), Side.YES, 14.0, steps=2)
            if made is not None:
                self._publish(_resealed(made, quantity=Quantity(LOTS)))

    def _next(self) -> None:
        wait = self.rng.expovariate(self.per_minute / 60)
        if self.loop.time() + wait < self.until:
            with owned(None):
                self.loop.call_later(wait, self._raise)

    def _raise(self) -> None:
        rng = self.rng
        known = rng.choice(self.favourites) if rng.random() < 0.8 else rng.choice(self._tickers)
        made = self._made(self._market(known), rng.choice(list(Side)), rng.uniform(*_GOOD_FOR_S))
        if made is not None:
            if rng.random() < 0.15:
                made = self._spoiled(made)
            self._publish(made)
            self._think_again(made)
            if rng.random() < 0.1:
                with owned(None):
                    self.loop.call_later(rng.uniform(0, 20), self._publish, made)
        self._next()

    def _think_again(self, signal: SignalRaised) -> None:
        """Weigh some signals anew, a while later: most of these are withdrawn, the others stand."""
        rng = self._second_thoughts
        if rng.random() < _WITHDRAWN_SHARE:
            with owned(None):
                self.loop.call_later(rng.uniform(*_WITHDRAWN_IN_S), self._assess, signal, rng.random() < 0.3)

    def _assess(self, signal: SignalRaised, accepted: bool) -> None:
        assessed = OpportunityAssessed(
            observed_at=Instant(self.start + int(self.loop.time() * SECOND)),
            opportunity_id=signal.opportunity_id,
            ticker=signal.ticker,
            event_ticker=signal.event_ticker,
            side=signal.side,
            profile=signal.profile,
            accepted=accepted,
            reasons=() if accepted else ("no_books: nobody quotes this",),
        )
        self.bus.publish("detector", seal(assessed))

    def _publish(self, signal: SignalRaised) -> None:
        if signal.signal_id not in self.raised:
            self.raised[signal.signal_id] = signal
            value = msgspec.to_builtins(signal)
            self.store.commit("detector", [Create(f"signals/{signal.signal_id}", value)])
        self.bus.publish("signals", signal)

    def _market(self, ticker: str) -> Market:
        return self.exchange.market(ticker)

    def _made(
        self, market: Market, side: Side, good_for: float, steps: int | None = None
    ) -> SignalRaised | None:
        """Buy a little at a price that crosses what stands there by ``steps`` ticks, or nearly."""
        quote = market.quote
        ask = quote.ask if side is Side.YES else None if quote.bid is None else complement(quote.bid)
        game = market.event.game
        if ask is None or game is None:
            return None
        step = market.step(ask)
        limit = Price(ask + step * (self.rng.choice((-2, 0, 0, 1, 2)) if steps is None else steps))
        if not 2 * step <= limit <= MICROS - 2 * step:
            return None
        now = Instant(self.start + int(self.loop.time() * SECOND))
        all_in = FeeSchedule(market.schedule.fee_type, market.schedule.multiplier_micro).all_in(limit)
        identity = digest("signal", market.ticker, side, str(now), str(self.rng.getrandbits(32)))
        league = game.league.key
        return seal(
            SignalRaised(
                observed_at=now,
                signal_id=identity,
                opportunity_id=digest("opportunity", identity),
                ticker=market.ticker,
                event_ticker=market.contract.event_ticker,
                side=side,
                profile=Profile.STANDARD,
                limit=limit,
                quantity=Quantity(self.rng.randint(1, _MOST_CONTRACTS) * LOTS),
                fair_probability=min(0.999, from_fine(all_in) + _EDGE),
                required_edge=_EDGE,
                net_edge=_EDGE,
                confidence=70.0,
                league=league,
                kind=MarketKind.WINNER,
                odds_event_id=game.odds_id,
                certificate=Certificate(
                    verdict="identical",
                    odds_event_id=game.odds_id,
                    league=league,
                    kind=MarketKind.WINNER,
                    period=Period.FULL_GAME,
                    subject="",
                ),
                exchange_index=market.contract.shard,
                price_ranges=tuple(
                    PriceRange(start=Price(low), end=Price(high), step=Price(tick))
                    for low, high, tick in market.grid
                ),
                fee_type=market.schedule.fee_type,
                fee_multiplier_micro=market.schedule.multiplier_micro,
                starts_at=Instant(now + HOUR),
                expires_at=Instant(now + int(good_for * SECOND)),
            ),
            trace_id=digest("trace", identity),
        )

    def _spoiled(self, signal: SignalRaised) -> SignalRaised:
        """The same signal made useless in one way."""
        way, changes = self.rng.choice(list(_SPOILED.items()))
        identity = digest("bad", signal.signal_id)
        self.bad[identity] = way
        return _resealed(signal, **{"signal_id": identity, **changes(signal)})


def _resealed(signal: SignalRaised, **changes: object) -> SignalRaised:
    changed: SignalRaised = msgspec.structs.replace(signal, **changes)
    return seal(changed, trace_id=signal.trace_id)


def _is_calm(market: Market) -> bool:
    """Both sides quoted, near each other, away from the ends."""
    bid, ask = market.quote.bid, market.quote.ask
    if not market.is_open or bid is None or ask is None or market.quote.ask_size < LOTS:
        return False
    return ask - bid <= 60_000 and 150_000 <= ask <= 850_000


_SPOILED: dict[str, Callable[[SignalRaised], dict[str, object]]] = {
    "expired": lambda s: {
        "observed_at": Instant(s.observed_at - 10 * 60 * SECOND),
        "expires_at": Instant(s.observed_at - 5 * 60 * SECOND),
    },
    "unknown market": lambda s: {"ticker": "KXNFLGAME-26NOV22NOWHERE-NO"},
    "no quantity": lambda s: {"quantity": Quantity(0)},
    "less than a contract": lambda s: {"quantity": Quantity(50)},
    "negative quantity": lambda s: {"quantity": Quantity(-500)},
    "price of nothing": lambda s: {"limit": Price(0)},
    "price over a dollar": lambda s: {"limit": Price(1_200_000)},
    "begun game": lambda s: {"starts_at": Instant(s.observed_at - 120 * SECOND)},
    "unknown fees": lambda s: {"fee_type": FeeType.FLAT},
}
