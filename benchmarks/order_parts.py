"""Markets, signals and limits for the benchmark of the order path: every signal has a market of its own."""

from __future__ import annotations

import json

from shared.books.firewall import QuoteLimits
from shared.clock import HOUR, MINUTE, Instant
from shared.messages import Certificate, SignalRaised, seal
from shared.money import LOTS, MICROS, Price, Quantity, Usd
from shared.orders.ledger import Position
from shared.risk.book import Holding
from shared.risk.controls import Proposal
from shared.risk.limits import RiskLimits
from shared.terms import FeeType, MarketKind, Period, Profile, Side
from shared.venues.kalshi.events import BookSnapshot

QUOTES = QuoteLimits()
# Nothing is refused: what is measured is the way of an order that goes out.
LIMITS = RiskLimits(
    max_quantity_per_trade=Quantity(100 * LOTS),
    max_risk_per_trade=Usd(500 * MICROS),
    min_price=Price(50_000),
    max_price=Price(950_000),
    max_daily_loss=Usd(1_000_000 * MICROS),
    max_weekly_loss=Usd(1_000_000 * MICROS),
    max_trades_per_day=10**6,
    max_quantity_per_day=Quantity(10**9),
    max_consecutive_losses=10**6,
    max_quantity_per_event=Quantity(10**9),
    max_sport_share_basis_points=10_000,
    max_orders_per_minute=10**6,
    min_order_gap_ms=0,
)
ORDERS_A_MINUTE = 10
_MARKETS, _HELD = 40, 20
_LIMIT, _QUANTITY = Price(520_000), Quantity(10 * LOTS)


def ticker(number: int) -> str:
    """Ticker of a market."""
    return f"KXNFLGAME-26SEP28{number % _MARKETS:05d}-PHI"


def snapshot(number: int, now: Instant) -> BookSnapshot:
    """A book with eleven levels a side, offering YES at 51c."""
    bids = tuple((Price(490_000 - 10_000 * n), Quantity(5_000 + 100 * n)) for n in range(11))
    return BookSnapshot(at=now, ticker=ticker(number), sid=1, seq=number + 1, yes_bids=bids, no_bids=bids)


def signal(number: int, now: Instant) -> SignalRaised:
    """Buy ten contracts of YES at 52c or better."""
    return seal(
        SignalRaised(
            observed_at=now,
            signal_id=f"{number:032x}",
            opportunity_id=f"opportunity-{number}",
            ticker=ticker(number),
            event_ticker=ticker(number).removesuffix("-PHI"),
            side=Side.YES,
            profile=Profile.STANDARD,
            limit=_LIMIT,
            quantity=_QUANTITY,
            fair_probability=0.59,
            required_edge=0.05,
            net_edge=0.06,
            confidence=70.0,
            league="nfl",
            kind=MarketKind.WINNER,
            odds_event_id=f"{number % _MARKETS:032x}",
            certificate=Certificate(
                verdict="identical",
                odds_event_id=f"{number % _MARKETS:032x}",
                league="nfl",
                kind=MarketKind.WINNER,
                period=Period.FULL_GAME,
                subject="",
            ),
            exchange_index=0,
            fee_type=FeeType.QUADRATIC,
            fee_multiplier_micro=MICROS,
            starts_at=Instant(now + HOUR),
            expires_at=Instant(now + 5 * MINUTE),
        )
    )


def holdings() -> dict[str, Holding]:
    """What is held besides."""
    names = [f"KXNBAGAME-26SEP28{number:05d}-BOS" for number in range(_HELD)]
    return {
        name: Holding(name, "nba", Position(name, name[:-4], _QUANTITY, Usd(5_200_000), Usd(175_000)))
        for name in names
    }


def body(number: int) -> bytes:
    """As long as an order's own."""
    return json.dumps(
        {
            "ticker": ticker(number),
            "client_order_id": f"00000000-0000-0000-0000-{number:012d}",
            "side": "bid",
            "count": "10.00",
            "price": "0.5200",
            "time_in_force": "immediate_or_cancel",
            "self_trade_prevention_type": "taker_at_cross",
            "exchange_index": 0,
        }
    ).encode()


def proposal(now: Instant) -> Proposal:
    """What the gate is asked about."""
    return Proposal(
        "order", ticker(0), "event", "nfl", Side.YES, _LIMIT, _QUANTITY, Usd(5_500_000), now, "game"
    )
