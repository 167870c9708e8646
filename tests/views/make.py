"""Messages for tests of the views: one builder a kind, with everything that does not matter filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.clock import HOUR, Instant
from shared.messages import (
    BookmakerMarket,
    Certificate,
    FairValue,
    FillRecorded,
    MappingDecided,
    MarketResolved,
    MarketSettled,
    OddsOutcome,
    OddsSeen,
    OpportunityAssessed,
    OrderUpdated,
    Selection,
    SignalRaised,
)
from shared.money import ONE, Price, Quantity, Usd
from shared.terms import MarketKind, OrderStatus, Period, Profile, Result, Side
from tests.support.lake import at

CENT = 10_000
START = Instant(at() + 2 * HOUR)


def cents(amount: float) -> Price:
    """A price in micro-dollars from cents."""
    return Price(round(amount * CENT))


def contracts(count: float) -> Quantity:
    """A quantity in hundredths from contracts."""
    return Quantity(round(count * 100))


def fill(
    fill_id: str, ticker: str, side: Side, price: float, count: float, fee: int = 0, seconds: float = 0,
    **changes: object,
) -> FillRecorded:  # fmt: skip
    """A fill at ``price`` cents of ``count`` contracts, ``fee`` micro-dollars."""
    known = {
        "observed_at": at(seconds), "fill_id": fill_id, "order_id": f"order-{fill_id}", "signal_id": "",
        "ticker": ticker, "event_ticker": ticker.rpartition("-")[0], "side": side, "price": cents(price),
        "quantity": contracts(count), "fee": Usd(fee), "league": "NBA",
    }  # fmt: skip
    return FillRecorded(**(known | changes))  # type: ignore[arg-type]  # as the caller says


def order(
    order_id: str, status: OrderStatus = OrderStatus.FILLED, seconds: float = 0, **changes: object
) -> OrderUpdated:
    """One state of an order for 10 YES contracts at 50 cents."""
    known = {
        "observed_at": at(seconds),
        "order_id": order_id,
        "signal_id": f"signal-{order_id}",
        "ticker": "G-1-A",
        "event_ticker": "G-1",
        "side": Side.YES,
        "status": status,
        "limit": cents(50),
        "quantity": contracts(10),
        "league": "NBA",
        "kind": MarketKind.WINNER,
        "fair_probability": 0.6,
        "expected_edge": 0.04,
    }
    return OrderUpdated(**(known | changes))  # type: ignore[arg-type]  # as the caller says


def settled(
    ticker: str, payout: int = ONE, seconds: float = 3600, days: int = 0, pnl: int = 0
) -> MarketSettled:
    """The ledger's word that a market paid ``payout`` micro-dollars per YES contract."""
    return MarketSettled(
        observed_at=at(seconds, days), ticker=ticker, event_ticker=ticker.rpartition("-")[0],
        result=_result(payout), payout_yes=Price(payout), pnl=Usd(pnl),
    )  # fmt: skip


def resolved(ticker: str, payout: int = ONE, seconds: float = 3600) -> MarketResolved:
    """The exchange's word on how a market ended."""
    return MarketResolved(
        observed_at=at(seconds), ticker=ticker, event_ticker=ticker.rpartition("-")[0],
        result=_result(payout), payout_yes=Price(payout),
    )  # fmt: skip


def _result(payout: int) -> Result:
    return {ONE: Result.YES, 0: Result.NO}.get(Price(payout), Result.SCALAR)


def fair(probability: float, *names: str, multiplicative: float | None = None) -> FairValue:
    """What the books say; every method says the same."""
    middle = probability if multiplicative is None else multiplicative
    return FairValue(
        probability=probability, multiplicative=middle, power=probability, odds_ratio=probability,
        shin=probability, standard_error=0.01, books=len(names), effective_books=float(len(names)), age_s=1.0,
        names=names,
    )  # fmt: skip


def opportunity(
    identity: str, ticker: str, side: Side, reasons: Sequence[str] = (), seconds: float = 0, **changes: object
) -> OpportunityAssessed:
    """One side of a market weighed; accepted when nothing refused it."""
    known = {
        "observed_at": at(seconds), "opportunity_id": identity, "ticker": ticker,
        "event_ticker": ticker.rpartition("-")[0], "side": side, "profile": Profile.STANDARD,
        "accepted": not reasons, "reasons": tuple(reasons), "league": "NBA", "kind": MarketKind.WINNER,
        "odds_event_id": "game", "starts_at": START,
    }  # fmt: skip
    return OpportunityAssessed(**(known | changes))  # type: ignore[arg-type]  # as the caller says


def certificate(
    line: float | None = None, subject: str = "Boston", verdict: str = "identical"
) -> Certificate:
    """A certificate of a full game."""
    return Certificate(
        verdict=verdict, odds_event_id="game", league="NBA", kind=MarketKind.WINNER,
        period=Period.FULL_GAME, subject=subject, line=line, day="2026-11-10",
    )  # fmt: skip


def signal(
    signal_id: str, opportunity_id: str, ticker: str, seconds: float = 0, **changes: object
) -> SignalRaised:
    """A signal to buy 10 YES contracts at 50 cents or better."""
    known = {
        "observed_at": at(seconds),
        "signal_id": signal_id,
        "opportunity_id": opportunity_id,
        "ticker": ticker,
        "event_ticker": ticker.rpartition("-")[0],
        "side": Side.YES,
        "profile": Profile.STANDARD,
        "limit": cents(50),
        "quantity": contracts(10),
        "fair_probability": 0.6,
        "required_edge": 0.03,
        "net_edge": 0.04,
        "confidence": 60.0,
        "league": "NBA",
        "kind": MarketKind.WINNER,
        "odds_event_id": "game",
        "certificate": certificate(),
    }
    return SignalRaised(**(known | changes))  # type: ignore[arg-type]  # as the caller says


def mapping(
    ticker: str, selection: Selection | None = None, seconds: float = 0, **changes: object
) -> MappingDecided:
    """A market mapped to the odds event ``game``: Boston wins, unless told otherwise."""
    known = {
        "observed_at": at(seconds), "ticker": ticker, "event_ticker": ticker.rpartition("-")[0],
        "league": "NBA", "kind": MarketKind.WINNER, "sport_key": "basketball_nba", "odds_event_id": "game",
        "starts_at": START, "confidence": 0.99, "certificate": certificate(),
        "selection": selection or Selection(market="h2h", outcome="Boston"), "reason": "mapped: by identity",
    }  # fmt: skip
    return MappingDecided(**(known | changes))  # type: ignore[arg-type]  # as the caller says


def quote(
    bookmaker: str, prices: Mapping[str, float], seconds: float, market: str = "h2h",
    points: Mapping[str, float] | None = None, description: str = "",
) -> BookmakerMarket:  # fmt: skip
    """What one bookmaker quotes: decimal odds by outcome, and points where the market has them."""
    outcomes = tuple(
        OddsOutcome(name=name, price=price, point=(points or {}).get(name), description=description)
        for name, price in prices.items()
    )
    return BookmakerMarket(bookmaker=bookmaker, market=market, last_update=at(seconds), outcomes=outcomes)


def odds(*quotes: BookmakerMarket, seconds: float, **changes: object) -> OddsSeen:
    """One poll of the odds event ``game``."""
    known = {
        "observed_at": at(seconds), "odds_event_id": "game", "sport_key": "basketball_nba", "home": "Boston",
        "away": "Miami", "starts_at": START, "quotes": quotes,
    }  # fmt: skip
    return OddsSeen(**(known | changes))  # type: ignore[arg-type]  # as the caller says
