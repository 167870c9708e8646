"""Messages of the props tables for tests of the views: one builder a kind, and a little of everything."""

from __future__ import annotations

from shared.clock import HOUR, Instant
from shared.messages import Message, PropCompared, PropListed, PropPredicted, PropQuoted
from shared.terms import MarketStatus, Result
from tests.support.lake import at
from tests.views.make import cents, contracts

DAY = "2026-11-10"
START = Instant(at() + 2 * HOUR)


def listed(
    threshold: int = 25, bid: float | None = 48, ask: float | None = 50, seconds: float = 0, **changes: object
) -> PropListed:
    """A rung of Tatum's points at a moment after noon; 100 contracts bid, 50 offered."""
    known = {
        "observed_at": at(seconds), "game_date": DAY, "ticker": f"KXNBAPTS-G-BOSJTATUM0-{threshold}",
        "event_ticker": "KXNBAPTS-G", "series_ticker": "KXNBAPTS", "league": "NBA", "prop_type": "points",
        "player_name": "Jayson Tatum", "player_lookup": "jaysontatum", "player_team": "BOS",
        "threshold": threshold, "line": threshold - 0.5, "status": MarketStatus.ACTIVE, "starts_at": START,
        "yes_bid": None if bid is None else cents(bid),
        "yes_bid_size": None if bid is None else contracts(100),
        "yes_ask": None if ask is None else cents(ask),
        "yes_ask_size": None if ask is None else contracts(50),
        "depth": contracts(150), "liquidity": "MEDIUM",
    }  # fmt: skip
    return PropListed(**(known | changes))  # type: ignore[arg-type]  # as the caller says


def quoted(line: float, over_fair: float | None = 0.5, seconds: float = 0, **changes: object) -> PropQuoted:
    known = {
        "observed_at": at(seconds), "game_date": DAY, "odds_event_id": "E", "sport_key": "basketball_nba",
        "league": "NBA", "bookmaker": "dk", "market": "player_points", "prop_type": "points",
        "player_name": "Jayson Tatum", "player_lookup": "jaysontatum", "line": line, "over_price": 1.9,
        "under_price": 1.9, "over_fair": over_fair, "starts_at": START, "last_update": at(seconds),
    }  # fmt: skip
    return PropQuoted(**(known | changes))  # type: ignore[arg-type]  # as the caller says


def compared(fair: float, seconds: float = 0, **changes: object) -> PropCompared:
    known = {
        "observed_at": at(seconds), "game_date": DAY, "ticker": "KXNBAPTS-G-BOSJTATUM0-25",
        "event_ticker": "KXNBAPTS-G", "league": "NBA", "prop_type": "points", "player_name": "Jayson Tatum",
        "player_lookup": "jaysontatum", "line": 24.5, "method": "direct", "tradable": True, "fair": fair,
        "yes_fair": fair - 0.01, "no_fair": 0.99 - fair, "books": 4, "yes_ask": cents(50),
        "no_ask": cents(52), "yes_net_edge": fair - 0.53, "no_net_edge": 0.45 - fair, "starts_at": START,
    }  # fmt: skip
    return PropCompared(**(known | changes))  # type: ignore[arg-type]  # as the caller says


def predicted(
    discrepancy: float | None, day: str = DAY, seconds: float = 0, **changes: object
) -> PropPredicted:
    known = {
        "observed_at": at(seconds), "game_date": day, "league": "NBA", "player_name": "Jayson Tatum",
        "player_lookup": "jaysontatum", "prop_type": "points", "line": 24.5, "line_source": "dk",
        "over_probability": 0.5, "model": "market_consensus", "line_discrepancy": discrepancy,
    }  # fmt: skip
    return PropPredicted(**(known | changes))  # type: ignore[arg-type]  # as the caller says


def ended(threshold: int, result: Result, value: float, seconds: float = 20_000) -> PropListed:
    return listed(
        threshold,
        None,
        None,
        seconds,
        status=MarketStatus.FINALIZED,
        result=result,
        settlement_value=cents(value),
    )


def prop_season() -> list[Message]:
    """Rungs that move, contradict each other, are decided and are not; lines, comparisons, predictions."""
    return [
        listed(20, 60, 62, findings=("range: far",)), listed(25, 65, 68, 30, round_trip_cost=0.06),
        listed(20, 70, 72, 90), listed(25, None, 50, 300), listed(30, 20, 24), listed(30, 20, 24),
        ended(20, Result.YES, 100), ended(25, Result.NO, 0), ended(30, Result.SCALAR, 22),
        quoted(24.5), quoted(25.5, 0.48, 60), quoted(29.5, None, 60, is_alternate=True, under_price=None),
        compared(0.60), compared(0.56, 60, tradable=False, reasons=("a: b", "c")),
        predicted(5.0), predicted(1.0, seconds=60), predicted(-2.0, "2026-11-09"),
        predicted(None, "2026-11-08"),
    ]  # fmt: skip
