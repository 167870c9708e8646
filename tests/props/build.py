"""A made-up game day with prop ladders, in the venues' own words."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.clock import Instant, format_instant, parse_instant
from shared.messages import MarketListed
from shared.money import Price, Quantity
from shared.props.checks import Rung
from shared.props.market import PropMarket, read_prop
from shared.props.quotes import Depth
from shared.props.series import PropSeries, prop_series
from shared.terms import FeeType, MarketShape, MarketStatus, StrikeType

Json = dict[str, Any]

START = Instant(parse_instant("2026-11-22T00:10:00Z") or 0)
NOW = Instant(parse_instant("2026-11-21T20:00:00Z") or 0)
DAY = "2026-11-21"
GAME = "26NOV21MIABOS"
EVENT = "bda33adca828c09dc3cac3a856aef176"
SECONDARY = (
    "The following market refers to a player in the Miami vs Boston Pro Basketball game originally scheduled "
    "for Nov 21, 2026. If a player is active but never takes the court, the market settles to a fair price. "
    "Once a player enters the game the market settles based on the player's points recorded. If this game is "
    "postponed or delayed, the market will remain open and close after the rescheduled game has finished."
)


def rules_of(player: str, threshold: object) -> str:
    """The sentence a contract pays by."""
    return (
        f"If {player} records {threshold}+ points in the Miami vs Boston Pro Basketball game "
        "originally scheduled for Nov 21, 2026, then the market resolves to Yes."
    )


def kind(ticker: str = "KXNBAPTS") -> PropSeries:
    found = prop_series(ticker)
    assert found is not None
    return found


def row(
    threshold: object = 25, player: str = "Jayson Tatum", code: str = "BOSJTATUM0", **changes: Any
) -> Json:
    """A market as the exchange writes it."""
    bid, ask = changes.pop("bid", "0.4800"), changes.pop("ask", "0.5000")
    event = changes.pop("event", f"KXNBAPTS-{GAME}")
    made: Json = {
        "ticker": f"{event}-{code}-{threshold}",
        "event_ticker": event,
        "market_type": "binary",
        "status": "active",
        "title": f"{player}: {threshold}+ points",
        "yes_sub_title": f"{player}: {threshold}+",
        "rules_primary": rules_of(player, threshold),
        "rules_secondary": SECONDARY,
        "strike_type": "structured",
        "floor_strike": threshold - 0.5 if isinstance(threshold, int) else None,
        "custom_strike": {"basketball_player": f"id-{code}"},
        "yes_bid_dollars": bid,
        "yes_bid_size_fp": "150.00" if float(bid) > 0 else "0.00",
        "yes_ask_dollars": ask,
        "yes_ask_size_fp": "90.00" if float(ask) < 1 else "0.00",
        "volume_fp": "10.00",
        "open_interest_fp": "5.00",
        "result": "",
    }
    return made | changes


def event_row(*markets: Json, event: str = f"KXNBAPTS-{GAME}") -> Json:
    """An event with its markets."""
    return {
        "event_ticker": event,
        "series_ticker": event.partition("-")[0],
        "title": "Miami vs Boston: Points",
        "sub_title": "MIA vs BOS (Nov 21)",
        "markets": list(markets),
    }


def series_row(ticker: str = "KXNBAPTS", title: str = "Pro Basketball Points") -> Json:
    return {
        "ticker": ticker, "title": title, "category": "Sports", "fee_type": "quadratic", "fee_multiplier": 1,
    }  # fmt: skip


def slate_row(start: Instant = START) -> Json:
    return {
        "id": EVENT, "sport_key": "basketball_nba", "sport_title": "NBA",
        "commence_time": format_instant(start), "home_team": "Boston Celtics", "away_team": "Miami Heat",
    }  # fmt: skip


def odds_row(
    lines: dict[str, dict[float, tuple[float, float]]], seen: Instant = NOW, market: str = "player_points"
) -> Json:
    """Event odds: by player, by line, over and under prices; every book quotes the same."""
    outcomes = [
        {"name": name, "description": player, "price": price, "point": line}
        for player, found in lines.items()
        for line, prices in found.items()
        for name, price in zip(("Over", "Under"), prices, strict=True)
    ]
    quoted = {"key": market, "last_update": format_instant(seen), "outcomes": outcomes}
    books = [{"key": key, "markets": [quoted]} for key in ("draftkings", "fanduel", "betmgm", "pinnacle")]
    return slate_row() | {"bookmakers": books}


def listed(
    threshold: int = 25, player: str = "Jayson Tatum", code: str = "BOSJTATUM0", **changes: Any
) -> MarketListed:
    """A market as our message."""
    made = MarketListed(
        observed_at=NOW,
        ticker=f"KXNBAPTS-{GAME}-{code}-{threshold}",
        event_ticker=f"KXNBAPTS-{GAME}",
        series_ticker="KXNBAPTS",
        shape=MarketShape.BINARY,
        status=MarketStatus.ACTIVE,
        title=f"{player}: {threshold}+ points",
        yes_sub_title=f"{player}: {threshold}+",
        rules_primary=rules_of(player, threshold),
        rules_secondary=SECONDARY,
        strike_type=StrikeType.STRUCTURED,
        floor_strike=threshold - 0.5,
        custom_strike={"basketball_player": f"id-{code}"},
        fee_type=FeeType.QUADRATIC,
        fee_multiplier_micro=1_000_000,
        starts_at=START,
        yes_bid=Price(480_000),
        yes_bid_size=Quantity(15_000),
        yes_ask=Price(500_000),
        yes_ask_size=Quantity(9_000),
    )
    return msgspec.structs.replace(made, **changes)


def prop(
    threshold: int = 25, player: str = "Jayson Tatum", code: str = "BOSJTATUM0", **changes: Any
) -> PropMarket:
    found = read_prop(listed(threshold, player, code, **changes), kind())
    assert isinstance(found, PropMarket), found
    return found


def rung(threshold: int = 25, bid: float | None = 0.48, ask: float | None = 0.50, **changes: Any) -> Rung:
    """A rung with 150 contracts bid and 90 offered."""
    yes = ((Price(round(bid * 1_000_000)), Quantity(15_000)),) if bid is not None else ()
    no = ((Price(round((1 - ask) * 1_000_000)), Quantity(9_000)),) if ask is not None else ()
    book = Rung.of(prop(threshold, **changes), None, NOW)
    return Rung(book.prop, Depth(yes, no), book.schedule)
